/* SPDX-License-Identifier: MIT */
/* A real use of the API: capture, query, walk, free; the answers are checked. Included once by each
 * program. */
#ifndef DROPIN_CHECK_H
#define DROPIN_CHECK_H

#include <windows.h>

#include <processsnapshot.h>

/** The functions of the API that a program has got hold of. */
struct snapshot_functions {
    DWORD(WINAPI *capture)(HANDLE, PSS_CAPTURE_FLAGS, DWORD, HPSS *);
    DWORD(WINAPI *release)(HANDLE, HPSS);
    DWORD(WINAPI *query)(HPSS, PSS_QUERY_INFORMATION_CLASS, void *, DWORD);
    DWORD(WINAPI *walk)(HPSS, PSS_WALK_INFORMATION_CLASS, HPSSWALK, void *, DWORD);
    DWORD(WINAPI *create_marker)(const PSS_ALLOCATOR *, HPSSWALK *);
    DWORD(WINAPI *free_marker)(HPSSWALK);
};

#ifndef DROPIN_NO_STATIC_IMPORTS
static const struct snapshot_functions imported_functions = {
    PssCaptureSnapshot, PssFreeSnapshot,     PssQuerySnapshot,
    PssWalkSnapshot,    PssWalkMarkerCreate, PssWalkMarkerFree};
#endif

/** Walks the threads; returns whether this one is among them. */
static int walk_finds_me(const struct snapshot_functions *api, HPSS snapshot)
{
    PSS_THREAD_ENTRY entry;
    HPSSWALK marker;
    int found = 0;

    if (api->create_marker(NULL, &marker) != ERROR_SUCCESS)
        return 0;
    while (api->walk(snapshot, PSS_WALK_THREADS, marker, &entry, sizeof entry) == ERROR_SUCCESS)
        found |= entry.ThreadId == GetCurrentThreadId();
    return api->free_marker(marker) == ERROR_SUCCESS && found;
}

/** Returns 0 when a snapshot of this process tells the truth about it, else which step failed. */
static int check_snapshot(const struct snapshot_functions *api)
{
    PSS_PROCESS_INFORMATION process;
    HPSS snapshot;
    int step = 0;

    if (api->capture(GetCurrentProcess(), PSS_CAPTURE_THREADS, 0, &snapshot) != ERROR_SUCCESS)
        return 2;
    if (api->query(snapshot, PSS_QUERY_PROCESS_INFORMATION, &process, sizeof process) !=
            ERROR_SUCCESS ||
        process.ProcessId != GetCurrentProcessId())
        step = 3;
    if (step == 0 && !walk_finds_me(api, snapshot))
        step = 4;
    if (api->release(GetCurrentProcess(), snapshot) != ERROR_SUCCESS)
        step = 5;
    return step;
}

#endif
