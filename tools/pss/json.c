/* SPDX-License-Identifier: MIT */
/* The JSON document of `pss show --json`: which parts it has. */
#include "json.h"

#include <stdio.h>

#include "json_values.h"
#include "options.h"

enum pss_exit json_write(json_t *document)
{
    int failed = json_dumpf(document, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);

    json_decref(document);
    if (failed != 0) {
        report("cannot write the JSON document");
        return EXIT_RUNTIME;
    }
    putchar('\n');
    return EXIT_DONE;
}

json_t *json_from_counts(const struct snapshot *snapshot)
{
    json_t *counts = json_new_object();

    if (snapshot_has(snapshot, PSS_QUERY_THREAD_INFORMATION)) {
        JSON_NUMBER(counts, &snapshot->threads, ThreadsCaptured);
        JSON_NUMBER(counts, &snapshot->threads, ContextLength);
    }
    if (snapshot_has(snapshot, PSS_QUERY_HANDLE_INFORMATION))
        JSON_NUMBER(counts, &snapshot->handles, HandlesCaptured);
    if (snapshot_has(snapshot, PSS_QUERY_VA_SPACE_INFORMATION))
        JSON_NUMBER(counts, &snapshot->regions, RegionCount);
    if (snapshot_has(snapshot, PSS_QUERY_AUXILIARY_PAGES_INFORMATION))
        JSON_NUMBER(counts, &snapshot->pages, AuxPagesCaptured);
    return counts;
}

json_t *json_from_trace(const struct snapshot *snapshot)
{
    json_t *trace;

    if (!snapshot_has(snapshot, PSS_QUERY_HANDLE_TRACE_INFORMATION))
        return json_null();
    trace = json_new_object();
    JSON_ADDRESS(trace, &snapshot->trace, SectionHandle);
    JSON_NUMBER(trace, &snapshot->trace, Size);
    return trace;
}

json_t *json_from_counters(const PSS_PERFORMANCE_COUNTERS *counters)
{
    json_t *object = json_new_object();
    char key[48];

    for (size_t i = 0; i < STATS_PHASE_COUNT; i++) {
        const struct stats_phase *phase = &stats_phases[i];
        snprintf(key, sizeof key, "%sCycleCount", phase->name);
        json_put_number(object, key, (int64_t)stats_counter(counters, phase->cycles));
        snprintf(key, sizeof key, "%sWallClockPeriod", phase->name);
        json_put_number(object, key, (int64_t)stats_counter(counters, phase->period));
    }
    return object;
}

static json_t *describe_capture(const struct snapshot *snapshot)
{
    json_t *capture = json_new_object();

    json_put_bits(capture, "CaptureFlags", (DWORD)snapshot->flags);
    json_put_bits(capture, "ThreadContextFlags", snapshot->context_flags);
    return capture;
}

static json_t *describe_repeats(const struct stats *stats, unsigned count)
{
    json_t *repeats = json_new_object();

    json_put_number(repeats, "count", count);
    json_put(repeats, "min", json_from_counters(&stats->least));
    json_put(repeats, "median", json_from_counters(&stats->median));
    json_put(repeats, "max", json_from_counters(&stats->most));
    return repeats;
}

enum pss_exit json_print(const struct snapshot *snapshot, unsigned sections,
                         const struct stats *stats, unsigned count)
{
    enum pss_exit status = EXIT_DONE;
    enum pss_exit written;
    json_t *document = json_new_object();

    json_put_text(document, "version", PSS_VERSION_STRING);
    json_put(document, "capture", describe_capture(snapshot));
    if (sections == 0 || (sections & SECTION_PROCESS) != 0)
        json_put(document, "process", json_from_process(snapshot));
    json_put(document, "counts", json_from_counts(snapshot));
    if ((sections & (SECTION_THREADS | SECTION_CONTEXTS)) != 0)
        json_put(document, "threads", json_from_threads(snapshot, &status));
    if ((sections & SECTION_HANDLES) != 0)
        json_put(document, "handles", json_from_handles(snapshot, &status));
    if ((sections & SECTION_MEMORY) != 0)
        json_put(document, "memory", json_from_memory(snapshot, &status));
    if ((sections & SECTION_CLONE) != 0)
        json_put(document, "clone", json_from_clone(snapshot, &status));
    if ((sections & SECTION_EXTRAS) != 0) {
        json_put(document, "auxiliary_pages", json_from_pages(snapshot, &status));
        json_put(document, "handle_trace", json_from_trace(snapshot));
    }
    if (snapshot_has(snapshot, PSS_QUERY_PERFORMANCE_COUNTERS))
        json_put(document, "performance", json_from_counters(&snapshot->counters));
    if (count > 1)
        json_put(document, "repeat", describe_repeats(stats, count));
    written = json_write(document);
    return status != EXIT_DONE ? status : written;
}
