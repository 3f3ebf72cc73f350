/* SPDX-License-Identifier: MIT */
/* A DLL that captures the process when it ends, as a crash reporter's last act. */
#include "pss.h"

#include <windows.h>

typedef DWORD WINAPI capture_function(HANDLE, PSS_CAPTURE_FLAGS, DWORD, HPSS *);
typedef DWORD WINAPI free_function(HANDLE, HPSS);

__declspec(dllexport) void remember(FARPROC capture, FARPROC free_snapshot);
BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved);

static capture_function *known_capture;
static free_function *known_free;

void remember(FARPROC capture, FARPROC free_snapshot)
{
    known_capture = (capture_function *)(uintptr_t)capture;
    known_free = (free_function *)(uintptr_t)free_snapshot;
}

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved)
{
    HPSS snapshot;

    (void)module;
    (void)reserved;
    if (reason == DLL_PROCESS_DETACH && known_capture &&
        !known_capture(GetCurrentProcess(), PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT,
                       CONTEXT_ALL, &snapshot))
        known_free(GetCurrentProcess(), snapshot);
    return TRUE;
}
