/* SPDX-License-Identifier: MIT */
/* A DLL that imports the API and uses it while it is loaded and afterwards. */
#include "check.h"

static int result_of_loading = 1;

__declspec(dllexport) int check_from_dll(void)
{
    return result_of_loading != 0 ? result_of_loading : check_snapshot(&imported_functions);
}

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)instance;
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH)
        result_of_loading = check_snapshot(&imported_functions);
    return TRUE;
}
