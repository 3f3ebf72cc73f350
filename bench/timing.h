/* SPDX-License-Identifier: MIT */
/* The clock, and what many samples of it come to. */
#ifndef PSS_BENCH_TIMING_H
#define PSS_BENCH_TIMING_H

/* Of one side; microseconds, or a ratio of two. */
struct timing {
    double median, least, most;
};

double now_in_microseconds(void);

/** Sorts the samples. */
struct timing summarise(double *samples, unsigned count);

#endif
