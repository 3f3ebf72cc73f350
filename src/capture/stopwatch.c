/* SPDX-License-Identifier: MIT */
/* The performance counters: cycles of the capturing thread and microseconds, by phase. */
#include "capture/capture.h"

#include <string.h>

/* What the thread has spent so far; 0 if the system does not count. */
static uint64_t thread_cycles(const struct pss_nt *nt)
{
    struct pss_nt_cycle_time time = {0};
    NTSTATUS status =
        nt->query_thread(PSS_CURRENT_THREAD, PSS_NT_THREAD_CYCLE_TIME, &time, sizeof(time), NULL);

    return NT_SUCCESS(status) ? time.accumulated : 0;
}

void pss_stopwatch_init(const struct pss_nt *nt, struct pss_stopwatch *stopwatch)
{
    LARGE_INTEGER now, frequency = {0};

    memset(stopwatch, 0, sizeof(*stopwatch));
    if (!NT_SUCCESS(nt->query_counter(&now, &frequency)))
        return; /* The counters stay 0: what the system does not tell. */
    stopwatch->frequency = (uint64_t)frequency.QuadPart;
    stopwatch->use_tsc = thread_cycles(nt) == 0;
}

static uint64_t read_cycles(const struct pss_capture *capture)
{
    return capture->stopwatch.use_tsc ? capture->nt->read_tsc() : thread_cycles(capture->nt);
}

static uint64_t read_ticks(const struct pss_capture *capture)
{
    LARGE_INTEGER now = {0};

    capture->nt->query_counter(&now, NULL); /* It answered once; a 0 shows as no time spent. */
    return (uint64_t)now.QuadPart;
}

void pss_stopwatch_start(struct pss_capture *capture, enum pss_phase phase)
{
    struct pss_stopwatch *stopwatch = &capture->stopwatch;

    if (!stopwatch->frequency)
        return;
    stopwatch->ticks_at_start[phase] = read_ticks(capture);
    stopwatch->cycles_at_start[phase] = read_cycles(capture);
}

void pss_stopwatch_stop(struct pss_capture *capture, enum pss_phase phase)
{
    struct pss_stopwatch *stopwatch = &capture->stopwatch;
    uint64_t cycles, ticks;

    if (!stopwatch->frequency)
        return;
    cycles = read_cycles(capture);
    ticks = read_ticks(capture);
    if (cycles > stopwatch->cycles_at_start[phase])
        stopwatch->cycles[phase] += cycles - stopwatch->cycles_at_start[phase];
    if (ticks > stopwatch->ticks_at_start[phase])
        stopwatch->ticks[phase] += ticks - stopwatch->ticks_at_start[phase];
}

static uint64_t microseconds(uint64_t ticks, uint64_t frequency)
{
    uint64_t seconds = ticks / frequency;

    return seconds * PSS_PERF_RESOLUTION + ticks % frequency * PSS_PERF_RESOLUTION / frequency;
}

NTSTATUS pss_stopwatch_record(struct pss_capture *capture)
{
    const struct pss_stopwatch *stopwatch = &capture->stopwatch;
    struct pss_performance_record *record;
    NTSTATUS status =
        pss_builder_append(capture->nt, &capture->builder, PSS_SECTION_PERFORMANCE, &record);

    if (!NT_SUCCESS(status) || !stopwatch->frequency)
        return status;
    for (int i = 0; i < PSS_PHASE_COUNT; i++) {
        record->counters[2 * i] = stopwatch->cycles[i];
        record->counters[2 * i + 1] = microseconds(stopwatch->ticks[i], stopwatch->frequency);
    }
    return STATUS_SUCCESS;
}

uint64_t pss_time_now(const struct pss_nt *nt)
{
    LARGE_INTEGER now = {0};

    return NT_SUCCESS(nt->query_time(&now)) ? (uint64_t)now.QuadPart : 0;
}
