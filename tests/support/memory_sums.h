/* SPDX-License-Identifier: MIT */
/* Checksums of a whole address space, page by page, to be compared with another one's. */
#ifndef PSS_MEMORY_SUMS_H
#define PSS_MEMORY_SUMS_H

#include "harness.h"

#define MEMORY_PAGE 4096u /* bytes */

/** One committed page. */
struct memory_page {
    uint64_t address;
    uint64_t sum; /* 0 when it cannot be read */
    int kind;     /* enum memory_kind */
};

/** What a page is for. */
enum memory_kind {
    MEMORY_ORDINARY,
    MEMORY_SHARED_DATA,  /* KUSER_SHARED_DATA, which every process shares with the kernel */
    MEMORY_ENVIRONMENT,  /* the allocation of the PEB, and on Wine of the TEBs */
    MEMORY_KERNEL_STACK, /* on Wine, of the system's side of a thread */
};

/** The committed pages of a process, ascending. */
struct memory_sums {
    size_t count;
    struct memory_page *pages; /* owned */
};

/** Reads all committed pages of a process that stands still. */
struct memory_sums memory_sums_read(HANDLE process);

/** Reads the same pages of another process, or of the same one later; committed there or not. */
struct memory_sums memory_sums_reread(HANDLE process, const struct memory_sums *like);

/** Frees the list. */
void memory_sums_free(struct memory_sums *sums);

/**
 * Overwrites every page of a process that can be written but for the system's own: what the process
 * did last is no longer there. It can only be ended after that.
 */
void memory_scribble(HANDLE process, const struct memory_sums *sums);

#endif
