/* SPDX-License-Identifier: MIT */
/* Clones by pss.dll, as a program makes them. */
#include "clone.h"
#include "fail.h"

static HPSS capture_clone(HANDLE process, DWORD flags)
{
    HPSS snapshot;
    DWORD error = PssCaptureSnapshot(process, (PSS_CAPTURE_FLAGS)flags, 0, &snapshot);

    if (error != ERROR_SUCCESS)
        fail("PssCaptureSnapshot", error);
    return snapshot;
}

static void query_clone(HPSS snapshot, DWORD information_class, void *buffer, DWORD size)
{
    DWORD error =
        PssQuerySnapshot(snapshot, (PSS_QUERY_INFORMATION_CLASS)information_class, buffer, size);

    if (error != ERROR_SUCCESS)
        fail("PssQuerySnapshot", error);
}

static void free_clone(HPSS snapshot)
{
    DWORD error = PssFreeSnapshot(GetCurrentProcess(), snapshot);

    if (error != ERROR_SUCCESS)
        fail("PssFreeSnapshot", error);
}

const struct clone_way clone_way_public = {capture_clone, query_clone, free_clone};

const struct clone_way *clone_way_of(enum route route)
{
    return route == ROUTE_CALLS ? &clone_way_calls : &clone_way_public;
}
