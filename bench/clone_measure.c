/* SPDX-License-Identifier: MIT */
/* Runs a clone case: clone and plain read in turn, then the minidump. */
#include "clone.h"
#include "fail.h"

#include <stdint.h>
#include <stdlib.h>

#define CLONE_FLAGS  (PSS_CAPTURE_VA_CLONE | PSS_CREATE_MEASURE_PERFORMANCE)
#define END_LIMIT_MS 60000u

/* Reads are then as fast after a clone as before one. */
#define SETTLE_MS      20u
#define SETTLE_MS_A_MB 1.5

#define LARGE_TARGET 512u /* MB */
#define REPEAT       7u   /* odd: the median is then one of the samples */
#define REPEAT_LARGE 3u

/* What both sides work on. */
struct stage {
    const struct clone_way *way;
    struct target target;
    struct memory_map map;
    const char *probe; /* an address in the filling */
};

/* A clone in use. */
struct copy {
    HPSS snapshot;
    HANDLE process; /* lent */
};

struct sample {
    double clone, read, freeze; /* microseconds */
};

static double take_clone(const struct stage *stage, struct copy *copy)
{
    double start = now_in_microseconds();
    PSS_VA_CLONE_INFORMATION information;
    uint64_t bytes;

    copy->snapshot = stage->way->capture(stage->target.process, CLONE_FLAGS);
    stage->way->query(copy->snapshot, PSS_QUERY_VA_CLONE_INFORMATION, &information,
                      sizeof information);
    copy->process = information.VaCloneHandle;
    if (!ReadProcessMemory(copy->process, stage->probe, &bytes, sizeof bytes, NULL))
        fail_last("reading from the clone");
    return now_in_microseconds() - start;
}

/*
 * Nothing of it may burden what is measured next: its end is awaited, and then a while, since the
 * system may be busy with the memory of a process that has ended.
 */
static void free_copy(const struct stage *stage, struct copy *copy)
{
    HANDLE process =
        OpenProcess(SYNCHRONIZE | PROCESS_TERMINATE, FALSE, GetProcessId(copy->process));

    if (process == NULL)
        fail_last("opening the clone");
    stage->way->free(copy->snapshot);
    TerminateProcess(process, 0); /* it may live on, since we have a handle to it */
    if (WaitForSingleObject(process, END_LIMIT_MS) != WAIT_OBJECT_0)
        fail("waiting for the end of the clone", ERROR_TIMEOUT);
    CloseHandle(process);
    Sleep(SETTLE_MS + (DWORD)(SETTLE_MS_A_MB * (double)(stage->map.bytes >> 20)));
}

static void run_clone(const struct stage *stage, struct sample *sample)
{
    PSS_PERFORMANCE_COUNTERS counters;
    struct copy copy;

    sample->clone = take_clone(stage, &copy);
    stage->way->query(copy.snapshot, PSS_QUERY_PERFORMANCE_COUNTERS, &counters, sizeof counters);
    sample->freeze = (double)counters.VaCloneWallClockPeriod;
    free_copy(stage, &copy);
}

static void run_read(struct stage *stage, struct sample *sample)
{
    double start = now_in_microseconds();

    plain_read(stage->target.process, &stage->map);
    sample->read = now_in_microseconds() - start;
    plain_read_free(&stage->map);
}

/* The side that goes first changes, for the second may find things warm. */
static void run_pair(struct stage *stage, unsigned turn, struct sample *sample)
{
    if (turn % 2 == 0)
        run_clone(stage, sample);
    run_read(stage, sample);
    if (turn % 2 != 0)
        run_clone(stage, sample);
}

/* The first clone tells how it was made, and is looked at byte by byte. */
static void inspect(const struct stage *stage, enum route route, PSS_VA_CLONE_DETAILS *details)
{
    struct copy copy;

    take_clone(stage, &copy);
    stage->way->query(copy.snapshot, PSS_QUERY_VA_CLONE_DETAILS, details, sizeof *details);
    verify_clone(stage->target.process, copy.process, &stage->map, details);
    free_copy(stage, &copy);
    if ((route == ROUTE_FILES && details->Route != PSS_CLONE_ROUTE_FILES) ||
        (route == ROUTE_CALLS && details->Route == PSS_CLONE_ROUTE_FILES))
        fail("taking the route that is asked for", ERROR_NOT_SUPPORTED);
}

static void open_stage(const struct clone_case *subject, enum route route, struct stage *stage)
{
    stage->way = clone_way_of(route);
    target_start(&subject->needs, &stage->target);
    map_read(stage->target.process, &stage->map);
    if (stage->map.filling != (UINT64)subject->needs.megabytes << 20)
        fail("finding the memory of the target", ERROR_INVALID_DATA);
    for (unsigned i = 0; i < stage->map.count; i++)
        if (stage->map.regions[i].is_filling)
            stage->probe = stage->map.regions[i].base;
}

static void close_stage(struct stage *stage)
{
    map_free(&stage->map);
    target_end(&stage->target);
}

static unsigned repeat_for(const struct clone_case *subject, const struct clone_options *options)
{
    if (options->repeat != 0)
        return options->repeat;
    return subject->needs.megabytes > LARGE_TARGET ? REPEAT_LARGE : REPEAT;
}

enum column { CLONE, READ, FREEZE, SPEED_RATIO, FREEZE_RATIO, COLUMN_COUNT };

static void summarise_all(const struct sample *samples, struct clone_result *result)
{
    double *columns = allocate(result->repeat, COLUMN_COUNT * sizeof *columns);
    struct timing of[COLUMN_COUNT];

    for (unsigned i = 0; i < result->repeat; i++) {
        const struct sample *sample = &samples[i];
        const double row[COLUMN_COUNT] = {sample->clone, sample->read, sample->freeze,
                                          sample->read / sample->clone,
                                          sample->freeze / sample->read};

        for (unsigned column = 0; column < COLUMN_COUNT; column++)
            columns[column * result->repeat + i] = row[column];
    }
    for (unsigned column = 0; column < COLUMN_COUNT; column++)
        of[column] = summarise(columns + column * result->repeat, result->repeat);
    free(columns);
    result->clone = of[CLONE];
    result->read = of[READ];
    result->freeze = of[FREEZE];
    result->speed_ratio = of[SPEED_RATIO].median;
    result->freeze_ratio = of[FREEZE_RATIO].median;
}

void clone_measure(const struct clone_case *subject, const struct clone_options *options,
                   struct clone_result *result)
{
    unsigned repeat = repeat_for(subject, options);
    struct sample *samples = allocate(repeat, sizeof *samples);
    struct stage stage;

    *result = (struct clone_result){.subject = *subject, .repeat = repeat};
    open_stage(subject, options->route, &stage);
    inspect(&stage, options->route, &result->details);
    run_pair(&stage, 0, &samples[0]);
    for (unsigned i = 0; i < repeat; i++)
        run_pair(&stage, i, &samples[i]);
    summarise_all(samples, result);
    free(samples);
    result->megabytes = (double)stage.map.bytes / 0x100000;
    if (subject->needs.megabytes <= options->dump_limit) {
        result->dump = write_dump(&stage.target, stage.map.filling);
        result->dump_ratio = result->dump / result->clone.median;
    }
    close_stage(&stage);
}

double clone_speed_aim(const struct clone_result *result)
{
    return result->details.Route == PSS_CLONE_ROUTE_CALLS ? CLONE_SPEED_OF_CALLS
                                                          : CLONE_SPEED_OF_FILES;
}

int is_clone_aim_met(const struct clone_result *result)
{
    return result->speed_ratio >= clone_speed_aim(result) && result->freeze_ratio <= CLONE_FREEZE &&
           (result->dump == 0 || result->dump_ratio >= CLONE_DUMP);
}

const char *clone_route_name(const struct clone_result *result)
{
    switch (result->details.Route) {
    case PSS_CLONE_ROUTE_CALLS:
        return "calls";
    case PSS_CLONE_ROUTE_FILES:
        return "files";
    default:
        return "system";
    }
}
