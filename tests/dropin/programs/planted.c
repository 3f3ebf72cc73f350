/* SPDX-License-Identifier: MIT */
/* A DLL that somebody has put where another one is looked for: it leaves a trace beside itself when
 * it is loaded. */
#include <string.h>

#include <windows.h>

static const char extension[] = ".loaded";

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved)
{
    char path[MAX_PATH + sizeof(extension)];
    DWORD length = GetModuleFileNameA(module, path, MAX_PATH);
    HANDLE file;

    (void)reserved;
    if (reason != DLL_PROCESS_ATTACH || !length || length >= MAX_PATH)
        return TRUE;
    memcpy(path + length, extension, sizeof(extension));
    file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (file != INVALID_HANDLE_VALUE)
        CloseHandle(file);
    return TRUE;
}
