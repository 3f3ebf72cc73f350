/* SPDX-License-Identifier: MIT */
/* Runs a case: both sides in turn, so that whatever else the machine does meets both. */
#include "measure.h"

#include "fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double run_side(bench_side *side, const struct scene *scene, unsigned *seen)
{
    double start = now_in_microseconds();

    *seen = side(scene);
    return now_in_microseconds() - start;
}

/* A comparison of unlike work is worth nothing. */
static unsigned require_equal(unsigned ours, unsigned theirs)
{
    if (ours == theirs)
        return ours;
    fprintf(stderr, "pss-bench: we saw %u, they %u\n", ours, theirs);
    fail("comparing the sides", ERROR_INVALID_DATA);
}

/* One pair; the side that goes first changes, for the second may find things warm. */
static unsigned run_pair(const struct scene *scene, unsigned turn, double *ours, double *theirs)
{
    const struct comparison *comparison = scene->comparison;
    unsigned our_count = 0, their_count = 0;

    if (turn % 2 == 0)
        *ours = run_side(comparison->ours, scene, &our_count);
    *theirs = run_side(comparison->theirs, scene, &their_count);
    if (turn % 2 != 0)
        *ours = run_side(comparison->ours, scene, &our_count);
    return require_equal(our_count, their_count);
}

/* How much memory the snapshot of the case takes: an HPSS is the address of its only allocation. */
static void weigh_snapshot(const struct scene *scene, struct result *result)
{
    const struct comparison *comparison = scene->comparison;
    MEMORY_BASIC_INFORMATION memory;
    HPSS snapshot = capture(scene);
    HPSSWALK marker = create_marker();

    if (comparison->entry_size != 0)
        result->list_count = walk_list(snapshot, marker, comparison->list, comparison->entry_size);
    if (VirtualQuery((const void *)snapshot, &memory, sizeof memory) != sizeof memory)
        fail_last("VirtualQuery");
    result->bytes = memory.RegionSize;
    PssWalkMarkerFree(marker);
    free_snapshot(snapshot);
}

void measure(const struct bench_case *subject, unsigned repeat, struct result *result)
{
    double *ours = allocate(repeat, sizeof *ours), *theirs = allocate(repeat, sizeof *theirs);
    double *ratios = allocate(repeat, sizeof *ratios);
    struct scene scene;
    unsigned seen;

    memset(result, 0, sizeof *result);
    result->subject = subject;
    scene_open(subject, &scene);
    seen = run_pair(&scene, 0, &ours[0], &theirs[0]);
    for (unsigned i = 0; i < repeat; i++) {
        seen = run_pair(&scene, i, &ours[i], &theirs[i]);
        ratios[i] = ours[i] / theirs[i];
    }
    weigh_snapshot(&scene, result);
    scene_close(&scene);
    result->ours = summarise(ours, repeat);
    result->theirs = summarise(theirs, repeat);
    result->ratio = summarise(ratios, repeat).median;
    if (subject->comparison->entry_size != 0) {
        result->entries = seen;
        result->entry_ns = result->ours.median * 1000 / seen;
    }
    free(ours);
    free(theirs);
    free(ratios);
}

int is_aim_met(const struct result *result)
{
    const struct comparison *comparison = result->subject->comparison;

    if (comparison->ratio_limit != 0 && result->ratio > comparison->ratio_limit)
        return 0;
    if (comparison->extra_limit != 0 &&
        result->ours.median - result->theirs.median > comparison->extra_limit)
        return 0;
    return comparison->entry_limit == 0 || result->entry_ns < comparison->entry_limit;
}

double bytes_per_entry(const struct result *result)
{
    return result->list_count != 0 ? (double)result->bytes / result->list_count : 0;
}
