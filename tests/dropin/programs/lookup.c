/* SPDX-License-Identifier: MIT */
/* A program that looks the API up by name: lookup DLL [ntdll], by GetProcAddress or
 * LdrGetProcedureAddress. */
#include <stdio.h>

#include <windows.h>

#include <winternl.h>

#define DROPIN_NO_STATIC_IMPORTS
#include "check.h"

NTSYSAPI NTSTATUS NTAPI LdrGetProcedureAddress(HMODULE, ANSI_STRING *, ULONG, void **);

static FARPROC look_up(HMODULE library, const char *name, int native)
{
    ANSI_STRING text;
    void *found = NULL;

    if (!native)
        return GetProcAddress(library, name);
    RtlInitAnsiString(&text, name);
    if (LdrGetProcedureAddress(library, &text, 0, &found) < 0)
        return NULL;
    return (FARPROC)(INT_PTR)found;
}

#define LOOK_UP(field, name)                            \
    do {                                                \
        FARPROC found = look_up(library, name, native); \
        if (found == NULL)                              \
            return 8;                                   \
        memcpy(&api.field, &found, sizeof found);       \
    } while (0)

int main(int argc, char **argv)
{
    HMODULE library = argc > 1 ? LoadLibraryA(argv[1]) : NULL;
    int native = argc > 2;
    struct snapshot_functions api;
    int step;

    if (library == NULL)
        return 9;
    LOOK_UP(capture, "PssCaptureSnapshot");
    LOOK_UP(release, "PssFreeSnapshot");
    LOOK_UP(query, "PssQuerySnapshot");
    LOOK_UP(walk, "PssWalkSnapshot");
    LOOK_UP(create_marker, "PssWalkMarkerCreate");
    LOOK_UP(free_marker, "PssWalkMarkerFree");
    step = check_snapshot(&api);
    if (step == 0)
        puts("works");
    return step;
}
