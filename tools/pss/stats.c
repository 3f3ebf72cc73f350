/* SPDX-License-Identifier: MIT */
/* Least, median and most of the performance counters of several captures. */
#include "stats.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

#define PHASE(name, label)                                                  \
    {                                                                       \
#name, label, offsetof(PSS_PERFORMANCE_COUNTERS, name##CycleCount), \
            offsetof(PSS_PERFORMANCE_COUNTERS, name##WallClockPeriod)       \
    }

const struct stats_phase stats_phases[STATS_PHASE_COUNT] = {
    PHASE(Total, "total"),      PHASE(VaClone, "VA clone"),
    PHASE(VaSpace, "VA space"), PHASE(AuxPages, "auxiliary pages"),
    PHASE(Handles, "handles"),  PHASE(Threads, "threads"),
};

UINT64 stats_counter(const PSS_PERFORMANCE_COUNTERS *counters, size_t offset)
{
    UINT64 value;

    memcpy(&value, (const char *)counters + offset, sizeof value);
    return value;
}

static void set_counter(PSS_PERFORMANCE_COUNTERS *counters, size_t offset, UINT64 value)
{
    memcpy((char *)counters + offset, &value, sizeof value);
}

static int compare(const void *left, const void *right)
{
    UINT64 a = *(const UINT64 *)left;
    UINT64 b = *(const UINT64 *)right;

    return (a > b) - (a < b);
}

void stats_summarise(const PSS_PERFORMANCE_COUNTERS *counters, size_t count, struct stats *stats)
{
    UINT64 *values = text_allocate(count * sizeof *values);

    for (size_t offset = 0; offset < sizeof *counters; offset += sizeof *values) {
        for (size_t i = 0; i < count; i++)
            values[i] = stats_counter(&counters[i], offset);
        qsort(values, count, sizeof *values, compare);
        set_counter(&stats->least, offset, values[0]);
        set_counter(&stats->median, offset, values[(count - 1) / 2]);
        set_counter(&stats->most, offset, values[count - 1]);
    }
    free(values);
}
