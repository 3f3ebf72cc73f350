/* SPDX-License-Identifier: MIT */
/* What the sides of a case work on: made before the clock runs, and cleared away after. */
#include "bench.h"
#include "fail.h"

#include <stdlib.h>
#include <string.h>

static void prepare_walk(struct scene *scene)
{
    const struct comparison *comparison = scene->comparison;
    DWORD size = comparison->entry_size;

    scene->snapshot = capture(scene);
    scene->marker = create_marker();
    scene->entry_count = walk_list(scene->snapshot, scene->marker, comparison->list, size);
    scene->entries = allocate(scene->entry_count, size);
    PssWalkMarkerSeekToBeginning(scene->marker);
    for (unsigned i = 0; i < scene->entry_count; i++) {
        DWORD error = PssWalkSnapshot(scene->snapshot, comparison->list, scene->marker,
                                      scene->entries + (size_t)i * size, size);

        if (error != ERROR_SUCCESS)
            fail("PssWalkSnapshot", error);
    }
}

void scene_open(const struct bench_case *subject, struct scene *scene)
{
    memset(scene, 0, sizeof *scene);
    scene->comparison = subject->comparison;
    target_start(&subject->needs, &scene->target);
    if (scene->comparison->is_walk)
        prepare_walk(scene);
}

void scene_close(struct scene *scene)
{
    if (scene->comparison->is_walk) {
        PssWalkMarkerFree(scene->marker);
        free_snapshot(scene->snapshot);
        free(scene->entries);
    }
    target_end(&scene->target);
}
