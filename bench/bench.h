/* SPDX-License-Identifier: MIT */
/* A comparison: one operation of the library, and what a user would write instead. */
#ifndef PSS_BENCH_H
#define PSS_BENCH_H

#include "pss.h"
#include "target.h"

struct comparison;

/* What both sides of a case work on. */
struct scene {
    const struct comparison *comparison; /* borrowed */
    struct target target;
    HPSS snapshot;        /* in walk cases: captured before the clock runs */
    HPSSWALK marker;      /* in walk cases */
    char *entries;        /* in walk cases: the list as the public structures; owned */
    unsigned entry_count; /* in walk cases: of that list */
};

/* The largest entry of any list. */
union entry {
    PSS_VA_SPACE_ENTRY region;
    PSS_HANDLE_ENTRY handle;
    PSS_THREAD_ENTRY thread;
    PSS_THREAD_NAME name;
};

/**
 * One side of a case, once.
 *
 * \return the entries it saw, on which both sides must agree.
 */
typedef unsigned bench_side(const struct scene *scene);

struct comparison {
    const char *ours_text, *theirs_text; /* what each side does */
    bench_side *ours, *theirs;
    DWORD flags;                     /* PSS_CAPTURE_FLAGS of our side */
    PSS_WALK_INFORMATION_CLASS list; /* what our side walks, if there is an entry_size */
    DWORD entry_size;                /* bytes of the public structure; 0: no list */
    double ratio_limit;              /* the aim: ours by theirs, at most; 0: none */
    double entry_limit;              /* the aim: ns per entry, at most; 0: none */
    double extra_limit;              /* the aim: us that ours takes more, at most; 0: none */
    int is_walk;                     /* captured before the clock runs */
    int needs_shim;                  /* left out unless `pss run` has started the bench */
};

struct bench_case {
    const char *name;
    const struct comparison *comparison;
    struct target_needs needs;
};

/** All cases, in the order they run. */
extern const struct bench_case bench_cases[];
extern const unsigned bench_case_count;

/** Starts the target and, for a walk, captures it. */
void scene_open(const struct bench_case *subject, struct scene *scene);
void scene_close(struct scene *scene);

/** Captures the target with the flags of the case; to be freed with free_snapshot(). */
HPSS capture(const struct scene *scene);
void free_snapshot(HPSS snapshot);

HPSSWALK create_marker(void);

/**
 * Walks one list from the marker to its end.
 *
 * \return the entries.
 */
unsigned walk_list(HPSS snapshot, HPSSWALK marker, PSS_WALK_INFORMATION_CLASS list, DWORD size);

/* The sides. Ours: */
bench_side ours_parent, ours_list, ours_walk;
/* What a user would write instead: */
bench_side theirs_parent, theirs_threads, theirs_regions, theirs_named_regions;
bench_side theirs_handles, theirs_handle_types, theirs_copy;
/* Programs that know nothing of pss.dll, and the same without `pss run`: */
bench_side ours_through_kernel32, ours_start, theirs_linked, theirs_start;

/** Whether kernel32 has the API, as under `pss run`. */
int is_shim_there(void);

#endif
