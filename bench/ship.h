/* SPDX-License-Identifier: MIT */
/* The shipping cases: a duplicate in another process against a plain write of as many bytes. */
#ifndef PSS_BENCH_SHIP_H
#define PSS_BENCH_SHIP_H

#include "timing.h"

#include <stddef.h>

struct ship_case {
    const char *name;
    size_t bytes;        /* of the snapshot, about */
    double speed_aim;    /* speed_ratio, at least; 0: none */
    unsigned call_limit; /* system calls, at most; 0: any number */
};

extern const struct ship_case ship_cases[];
extern const unsigned ship_case_count;

/* What the sides do. */
extern const char ship_ours_text[], ship_theirs_text[];

struct ship_result {
    const struct ship_case *subject; /* borrowed */
    size_t bytes;                    /* of the snapshot */
    struct timing ours, theirs;      /* microseconds */
    double speed_ratio;              /* theirs by ours: median, pair by pair */
    unsigned calls;                  /* system calls of one duplicate, which owns no handles */
};

/** Runs a case \p repeat times, after a first time that does not count. */
void ship_measure(const struct ship_case *subject, unsigned repeat, struct ship_result *result);

/** Whether the aim of the case is met. */
int is_ship_aim_met(const struct ship_result *result);

#endif
