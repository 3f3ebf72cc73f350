/* SPDX-License-Identifier: MIT */
/* Our side of each case: the public API as a program uses it. */
#include "bench.h"
#include "fail.h"

HPSS capture(const struct scene *scene)
{
    HPSS snapshot;
    DWORD error = PssCaptureSnapshot(scene->target.process,
                                     (PSS_CAPTURE_FLAGS)scene->comparison->flags, 0, &snapshot);

    if (error != ERROR_SUCCESS)
        fail("PssCaptureSnapshot", error);
    return snapshot;
}

void free_snapshot(HPSS snapshot)
{
    DWORD error = PssFreeSnapshot(GetCurrentProcess(), snapshot);

    if (error != ERROR_SUCCESS)
        fail("PssFreeSnapshot", error);
}

HPSSWALK create_marker(void)
{
    HPSSWALK marker;
    DWORD error = PssWalkMarkerCreate(NULL, &marker);

    if (error != ERROR_SUCCESS)
        fail("PssWalkMarkerCreate", error);
    return marker;
}

unsigned walk_list(HPSS snapshot, HPSSWALK marker, PSS_WALK_INFORMATION_CLASS list, DWORD size)
{
    union entry entry;
    unsigned count = 0;
    DWORD error;

    while ((error = PssWalkSnapshot(snapshot, list, marker, &entry, size)) == ERROR_SUCCESS)
        count++;
    if (error != ERROR_NO_MORE_ITEMS)
        fail("PssWalkSnapshot", error);
    return count;
}

unsigned ours_parent(const struct scene *scene)
{
    HPSS snapshot = capture(scene);
    PSS_PROCESS_INFORMATION process;
    DWORD error =
        PssQuerySnapshot(snapshot, PSS_QUERY_PROCESS_INFORMATION, &process, sizeof process);

    if (error != ERROR_SUCCESS)
        fail("PssQuerySnapshot", error);
    free_snapshot(snapshot);
    return process.ParentProcessId;
}

/* Captures a list and walks it; of threads the names as well, which are a list of their own. */
unsigned ours_list(const struct scene *scene)
{
    PSS_WALK_INFORMATION_CLASS list = scene->comparison->list;
    HPSS snapshot = capture(scene);
    HPSSWALK marker = create_marker();
    unsigned count = walk_list(snapshot, marker, list, scene->comparison->entry_size);

    if (list == PSS_WALK_THREADS)
        walk_list(snapshot, marker, PSS_WALK_THREAD_NAME, sizeof(PSS_THREAD_NAME));
    PssWalkMarkerFree(marker);
    free_snapshot(snapshot);
    return count;
}
