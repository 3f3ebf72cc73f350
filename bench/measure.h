/* SPDX-License-Identifier: MIT */
/* Runs a case: both sides in turn, so that whatever else the machine does meets both. */
#ifndef PSS_BENCH_MEASURE_H
#define PSS_BENCH_MEASURE_H

#include "bench.h"
#include "timing.h"

struct result {
    const struct bench_case *subject; /* borrowed */
    struct timing ours, theirs;
    double ratio;        /* median of ours by theirs, pair by pair */
    double entry_ns;     /* our median by entries; 0 without a list */
    unsigned entries;    /* in the list, or walked; 0 without a list */
    size_t bytes;        /* of the snapshot's memory */
    unsigned list_count; /* entries of the snapshot's list; 0 without one */
};

/** Runs a case \p repeat times, after a first time that does not count. */
void measure(const struct bench_case *subject, unsigned repeat, struct result *result);

/** Whether the aim of the case is met. */
int is_aim_met(const struct result *result);

/** Bytes of the snapshot's memory per entry of its list; 0 without a list. */
double bytes_per_entry(const struct result *result);

#endif
