/* SPDX-License-Identifier: MIT */
/* One capture: the snapshot, everything that can be queried from it, and walking its lists. */
#include "snapshot.h"

#include <string.h>

/** Queries one class; "not captured" is an answer too. */
static DWORD query(struct snapshot *snapshot, PSS_QUERY_INFORMATION_CLASS class, void *buffer,
                   DWORD size)
{
    DWORD error = PssQuerySnapshot(snapshot->handle, class, buffer, size);

    if (error == ERROR_SUCCESS)
        snapshot->has |= 1u << class;
    return error == ERROR_NOT_FOUND ? ERROR_SUCCESS : error;
}

/** Queries what only this library tells: kernel32 does not know the class. */
static DWORD query_details(struct snapshot *snapshot)
{
    DWORD error;

    if (!snapshot_has(snapshot, PSS_QUERY_VA_CLONE_INFORMATION))
        return ERROR_SUCCESS;
    error = PssQuerySnapshot(snapshot->handle, PSS_QUERY_VA_CLONE_DETAILS, &snapshot->details,
                             sizeof snapshot->details);
    snapshot->has_details = error == ERROR_SUCCESS;
    return error == ERROR_INVALID_PARAMETER ? ERROR_SUCCESS : error;
}

static DWORD query_all(struct snapshot *s)
{
    const struct {
        void *buffer;
        PSS_QUERY_INFORMATION_CLASS class;
        DWORD size;
    } queries[] = {
        {&s->process, PSS_QUERY_PROCESS_INFORMATION, sizeof s->process},
        {&s->clone, PSS_QUERY_VA_CLONE_INFORMATION, sizeof s->clone},
        {&s->pages, PSS_QUERY_AUXILIARY_PAGES_INFORMATION, sizeof s->pages},
        {&s->regions, PSS_QUERY_VA_SPACE_INFORMATION, sizeof s->regions},
        {&s->handles, PSS_QUERY_HANDLE_INFORMATION, sizeof s->handles},
        {&s->threads, PSS_QUERY_THREAD_INFORMATION, sizeof s->threads},
        {&s->trace, PSS_QUERY_HANDLE_TRACE_INFORMATION, sizeof s->trace},
        {&s->counters, PSS_QUERY_PERFORMANCE_COUNTERS, sizeof s->counters},
    };
    DWORD error = ERROR_SUCCESS;

    for (size_t i = 0; error == ERROR_SUCCESS && i < sizeof queries / sizeof queries[0]; i++)
        error = query(s, queries[i].class, queries[i].buffer, queries[i].size);
    return error == ERROR_SUCCESS ? query_details(s) : error;
}

DWORD snapshot_access(PSS_CAPTURE_FLAGS flags)
{
    DWORD access = PROCESS_QUERY_INFORMATION;

    if ((flags & PSS_CAPTURE_HANDLES) != 0)
        access |= PROCESS_DUP_HANDLE | PROCESS_VM_READ;
    if ((flags & (PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_THREAD_CONTEXT)) != 0)
        access |= PROCESS_VM_READ;
    if ((flags & PSS_CAPTURE_VA_CLONE) != 0)
        access |= PROCESS_CREATE_PROCESS | PROCESS_VM_READ;
    return access;
}

static enum pss_exit report_not_captured(DWORD error)
{
    report_failure("PssCaptureSnapshot", error);
    if (error == ERROR_NOT_SUPPORTED && sizeof(void *) == 4)
        report("a 32-bit pss.exe cannot see all of a 64-bit process: use the 64-bit one");
    return EXIT_RUNTIME;
}

enum pss_exit snapshot_take(HANDLE process, PSS_CAPTURE_FLAGS flags, DWORD context_flags,
                            struct snapshot *snapshot)
{
    struct snapshot taken;
    DWORD error;

    memset(&taken, 0, sizeof taken);
    taken.flags = flags | PSS_CREATE_MEASURE_PERFORMANCE;
    taken.context_flags = context_flags;
    error = PssCaptureSnapshot(process, taken.flags, context_flags, &taken.handle);
    if (error != ERROR_SUCCESS)
        return report_not_captured(error);
    error = query_all(&taken);
    if (error != ERROR_SUCCESS) {
        snapshot_free(&taken);
        return report_failure("PssQuerySnapshot", error);
    }
    *snapshot = taken;
    return EXIT_DONE;
}

void snapshot_free(struct snapshot *snapshot)
{
    DWORD error = ERROR_SUCCESS;

    if (snapshot->handle != NULL)
        error = PssFreeSnapshot(GetCurrentProcess(), snapshot->handle);
    if (error != ERROR_SUCCESS)
        report_failure("PssFreeSnapshot", error);
    memset(snapshot, 0, sizeof *snapshot);
}

int snapshot_has(const struct snapshot *snapshot, PSS_QUERY_INFORMATION_CLASS class)
{
    return (snapshot->has & 1u << class) != 0;
}

struct walk walk_begin(const struct snapshot *snapshot, PSS_WALK_INFORMATION_CLASS list)
{
    struct walk walk = {snapshot->handle, list, NULL, ERROR_SUCCESS};

    walk.error = PssWalkMarkerCreate(NULL, &walk.marker);
    return walk;
}

int walk_next(struct walk *walk, void *entry, DWORD size)
{
    if (walk->error == ERROR_SUCCESS)
        walk->error = PssWalkSnapshot(walk->snapshot, walk->list, walk->marker, entry, size);
    return walk->error == ERROR_SUCCESS;
}

void walk_drop(struct walk *walk)
{
    if (walk->marker != NULL)
        PssWalkMarkerFree(walk->marker);
    walk->marker = NULL;
}

enum pss_exit walk_end(struct walk *walk)
{
    const char *function = walk->marker != NULL ? "PssWalkSnapshot" : "PssWalkMarkerCreate";

    walk_drop(walk);
    if (walk->error != ERROR_SUCCESS && walk->error != ERROR_NO_MORE_ITEMS)
        return report_failure(function, walk->error);
    return EXIT_DONE;
}
