/* SPDX-License-Identifier: MIT */
/* Least, median and most of the performance counters of several captures. */
#ifndef PSS_TOOL_STATS_H
#define PSS_TOOL_STATS_H

#include <stddef.h>

#include "pss.h"

/** One phase of a capture. */
struct stats_phase {
    const char *name;  /* as in the names of the counters, "VaSpace" */
    const char *label; /* for people */
    size_t cycles;     /* offset of its cycle counter */
    size_t period;     /* offset of its wall-clock counter */
};

#define STATS_PHASE_COUNT 6
extern const struct stats_phase stats_phases[STATS_PHASE_COUNT];

/** The counter at an offset. */
UINT64 stats_counter(const PSS_PERFORMANCE_COUNTERS *counters, size_t offset);

struct stats {
    PSS_PERFORMANCE_COUNTERS least;
    PSS_PERFORMANCE_COUNTERS median; /* the lower of two middle values */
    PSS_PERFORMANCE_COUNTERS most;
};

/** Summarises each counter on its own; \p count is at least 1. */
void stats_summarise(const PSS_PERFORMANCE_COUNTERS *counters, size_t count, struct stats *stats);

#endif
