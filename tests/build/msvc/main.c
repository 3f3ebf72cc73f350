/* SPDX-License-Identifier: MIT */
/* A program for MSVC's ABI without a C runtime: captures itself; its exit status tells whether that
 * worked. */
#include <pss.h>

DWORD WINAPI start(void *argument)
{
    PSS_PROCESS_INFORMATION process;
    HPSS snapshot;
    DWORD error = PssCaptureSnapshot(GetCurrentProcess(), PSS_CAPTURE_NONE, 0, &snapshot);

    (void)argument;
    if (error != ERROR_SUCCESS)
        return 1;
    if (PssQuerySnapshot(snapshot, PSS_QUERY_PROCESS_INFORMATION, &process, sizeof process) !=
        ERROR_SUCCESS)
        return 2;
    if (PssFreeSnapshot(GetCurrentProcess(), snapshot) != ERROR_SUCCESS)
        return 3;
    /* Not 0: Wine gives that to a program that was killed, too. */
    return process.ProcessId == GetCurrentProcessId() ? 42 : 4;
}
