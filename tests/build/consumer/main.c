/* SPDX-License-Identifier: MIT */
/* Captures itself, finds itself in the snapshot, and hands in a handle that nobody made. */
#include <pss.h>
#include <stdio.h>

int main(void)
{
    PSS_PROCESS_INFORMATION process;
    HPSSWALK marker;
    HPSS snapshot;

    if (PssCaptureSnapshot(GetCurrentProcess(), PSS_CAPTURE_NONE, 0, &snapshot) != ERROR_SUCCESS)
        return 1;
    if (PssQuerySnapshot(snapshot, PSS_QUERY_PROCESS_INFORMATION, &process, sizeof process) !=
        ERROR_SUCCESS)
        return 2;
    if (process.ProcessId != GetCurrentProcessId())
        return 3;
    if (PssFreeSnapshot(GetCurrentProcess(), snapshot) != ERROR_SUCCESS)
        return 4;
    if (PssFreeSnapshot(GetCurrentProcess(), NULL) != ERROR_INVALID_HANDLE)
        return 5;
    if (PssWalkMarkerCreate(NULL, &marker) != ERROR_SUCCESS)
        return 6;
    if (PssWalkMarkerFree(marker) != ERROR_SUCCESS)
        return 7;
    puts("captured itself");
    return 0;
}
