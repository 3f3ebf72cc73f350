/* SPDX-License-Identifier: MIT */
/* A plug-in that captures the process it is loaded into: in its DllMain, or when it is asked to. */
#include "plug_in.h"

#include "pss.h"

#define FLAGS (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION)

/* A file is named on a thread of the library's. */
__declspec(dllexport) DWORD plug_in_capture(void)
{
    char path[MAX_PATH];
    HPSS snapshot = NULL;
    HANDLE file;
    DWORD error = ERROR_FILE_NOT_FOUND;

    GetModuleFileNameA(NULL, path, MAX_PATH);
    file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file != INVALID_HANDLE_VALUE)
        error = PssCaptureSnapshot(GetCurrentProcess(), FLAGS, 0, &snapshot);
    if (!error)
        error = PssFreeSnapshot(GetCurrentProcess(), snapshot);
    CloseHandle(file);
    return error;
}

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved);

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)instance;
    (void)reserved;
    if (reason != DLL_PROCESS_ATTACH || !GetEnvironmentVariableA(PLUG_IN_REFUSES, NULL, 0))
        return TRUE;
    SetEnvironmentVariableA(PLUG_IN_REFUSES, plug_in_capture() ? "failed" : "done");
    return FALSE;
}
