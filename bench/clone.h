/* SPDX-License-Identifier: MIT */
/* The clone cases: a whole clone against a plain read of the same bytes, and against a minidump. */
#ifndef PSS_BENCH_CLONE_H
#define PSS_BENCH_CLONE_H

#include "pss.h"
#include "target.h"
#include "timing.h"

/* By which route a clone is made. */
enum route {
    ROUTE_AUTO,  /* pss.dll, whatever it takes */
    ROUTE_CALLS, /* the library in here, to which the system denies the files */
    ROUTE_FILES, /* pss.dll; the bench fails if that takes another one */
};

/* What was asked for. */
struct clone_options {
    enum route route;
    unsigned megabytes;  /* of every target; 0: the usual sizes */
    unsigned dump_limit; /* MB of a target that is dumped, at most */
    unsigned repeat;     /* 0: fewer for larger targets */
};

struct clone_case {
    char name[32];
    struct target_needs needs;
};

/* What the sides do. */
extern const char clone_ours_text[], clone_theirs_text[], clone_dump_text[];

/** Cases there are. */
unsigned clone_case_count(const struct clone_options *options);

/**
 * One of them.
 *
 * \param index  [in] Below their count.
 */
void clone_case_make(const struct clone_options *options, unsigned index,
                     struct clone_case *subject);

/* ---- The sides ---- */

/* What a clone needs: the functions of pss.dll, or those behind them. Each ends the bench if it
 * fails. */
struct clone_way {
    HPSS (*capture)(HANDLE process, DWORD flags);
    void (*query)(HPSS snapshot, DWORD information_class, void *buffer, DWORD size);
    void (*free)(HPSS snapshot);
};

/** The functions for a route. */
const struct clone_way *clone_way_of(enum route route);

/* pss.dll's own, and those that go by calls. */
extern const struct clone_way clone_way_public, clone_way_calls;

/* A committed region of the target that can be read. */
struct committed {
    char *base; /* in the target */
    size_t size;
    int is_filling; /* of the memory the case is about */
    void *buffer;   /* what a plain read was given; owned */
};

/* All of them. */
struct memory_map {
    struct committed *regions; /* owned */
    unsigned count;
    UINT64 bytes, filling; /* together, and of the memory the case is about */
};

/** To be freed with map_free(). */
void map_read(HANDLE process, struct memory_map *map);
void map_free(struct memory_map *map);

/** ReadProcessMemory of each region into a buffer that is allocated for it. */
void plain_read(HANDLE process, struct memory_map *map);

/** Frees the buffers. */
void plain_read_free(struct memory_map *map);

/**
 * Compares the clone with the target, and ends the bench if it is not one: the filling byte for
 * byte, and of everything else as much as the details promise.
 */
void verify_clone(HANDLE process, HANDLE clone, const struct memory_map *map,
                  const PSS_VA_CLONE_DETAILS *details);

/**
 * MiniDumpWriteDump with full memory to a temporary file.
 *
 * \param bytes  [in] Which it has to hold at least.
 * \return Microseconds · 0 if the system cannot, with the reason printed.
 */
double write_dump(const struct target *target, UINT64 bytes);

/* ---- The result ---- */

struct clone_result {
    struct clone_case subject;
    PSS_VA_CLONE_DETAILS details; /* of the first clone */
    double megabytes;             /* committed in the target and readable */
    unsigned repeat;
    struct timing clone, read, freeze; /* microseconds */
    double dump;                       /* microseconds, once; 0: none was written */
    double speed_ratio;                /* read by clone: median, pair by pair */
    double freeze_ratio;               /* freeze by read: the same */
    double dump_ratio;                 /* dump by the median clone; 0 without one */
};

/* The aims. By calls, every byte has to cross the system twice. */
#define CLONE_SPEED_OF_FILES 2.5  /* speed_ratio, at least */
#define CLONE_SPEED_OF_CALLS 0.85 /* the same by calls */
#define CLONE_FREEZE         1.0  /* freeze_ratio, at most */
#define CLONE_DUMP           10.0 /* dump_ratio, at least */

/** The least speed_ratio that is aimed at. */
double clone_speed_aim(const struct clone_result *result);

/** Whether all aims of the case are met. */
int is_clone_aim_met(const struct clone_result *result);

/** "calls", "files", or "system" where the system makes the clone. */
const char *clone_route_name(const struct clone_result *result);

/** Runs a case, after a first clone that is compared and does not count. */
void clone_measure(const struct clone_case *subject, const struct clone_options *options,
                   struct clone_result *result);

#endif
