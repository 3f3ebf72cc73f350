/* SPDX-License-Identifier: MIT */
/* The benched process: this program again, made as large as a case needs it. */
#ifndef PSS_BENCH_TARGET_H
#define PSS_BENCH_TARGET_H

#include <windows.h>

/* What the private memory of a target holds. */
enum fill {
    FILL_RANDOM,
    FILL_HALF, /* blocks of FILL_BLOCK bytes: random, and never written, in turn */
    FILL_ZERO, /* never written */
};
#define FILL_BLOCK 0x10000u

/* The private memory of a target comes in allocations of this many bytes, the last one of up to
 * twice as many; of all together there are so many at least. */
#define FILL_ALLOCATION 0x1000000u
#define FILL_LEAST      0x400000u

/* How large the target is to be; 0 leaves it as it starts. */
struct target_needs {
    unsigned threads;   /* exactly, the first one included */
    unsigned regions;   /* of the address space, at least */
    unsigned handles;   /* at least, beside those it starts with */
    unsigned megabytes; /* of private memory, beside that it starts with */
    enum fill fill;     /* what that holds */
};

struct target {
    HANDLE process; /* owned, all rights */
    HANDLE job;     /* owned; its last handle ends the process */
    DWORD id;
};

/** Starts a target and waits until it is as large as needed. */
void target_start(const struct target_needs *needs, struct target *target);

/** Ends it, and waits for its end. */
void target_end(struct target *target);

/** Allocates memory and fills it; it stays. */
void fill_memory(unsigned megabytes, enum fill fill);

/** What the program does as a target, told by target_start(); comes back only on failure. */
int target_main(int argc, char **argv);

/** Whether the arguments are those of target_start(). */
int is_target(int argc, char **argv);

#endif
