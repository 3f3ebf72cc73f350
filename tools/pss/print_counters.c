/* SPDX-License-Identifier: MIT */
/* What captures cost, as text. */
#include <inttypes.h>
#include <stdio.h>

#include "print.h"

static void print_one(const PSS_PERFORMANCE_COUNTERS *counters)
{
    printf("\nPerformance\n  %-16s  %12s  %14s\n", "PHASE", "TIME", "CYCLES");
    for (size_t i = 0; i < STATS_PHASE_COUNT; i++) {
        const struct stats_phase *phase = &stats_phases[i];
        UINT64 period = stats_counter(counters, phase->period);
        UINT64 cycles = stats_counter(counters, phase->cycles);
        if (i == 0 || period != 0 || cycles != 0)
            printf("  %-16s  %9" PRIu64 " us  %14" PRIu64 "\n", phase->label, (uint64_t)period,
                   (uint64_t)cycles);
    }
}

static void print_line(const char *label, const char *what, const struct stats *stats,
                       size_t offset)
{
    printf("  %-16s  %-6s  %14" PRIu64 "  %14" PRIu64 "  %14" PRIu64 "\n", label, what,
           (uint64_t)stats_counter(&stats->least, offset),
           (uint64_t)stats_counter(&stats->median, offset),
           (uint64_t)stats_counter(&stats->most, offset));
}

static void print_many(const struct stats *stats, unsigned count)
{
    printf("\nPerformance of %u captures\n", count);
    printf("  %-16s  %-6s  %14s  %14s  %14s\n", "PHASE", "UNIT", "LEAST", "MEDIAN", "MOST");
    for (size_t i = 0; i < STATS_PHASE_COUNT; i++) {
        const struct stats_phase *phase = &stats_phases[i];
        if (i != 0 && stats_counter(&stats->most, phase->period) == 0 &&
            stats_counter(&stats->most, phase->cycles) == 0)
            continue;
        print_line(phase->label, "us", stats, phase->period);
        print_line("", "cycles", stats, phase->cycles);
    }
}

void print_counters(const struct snapshot *snapshot, const struct stats *stats, unsigned count)
{
    if (!snapshot_has(snapshot, PSS_QUERY_PERFORMANCE_COUNTERS))
        return;
    if (count > 1)
        print_many(stats, count);
    else
        print_one(&snapshot->counters);
}
