/* SPDX-License-Identifier: MIT */
/* companion.c with another GetModuleFileNameW: the one that the test says. */
#include "module_path.h"

static WCHAR told[600];

static DWORD tell_path(HMODULE module, WCHAR *path, DWORD size)
{
    DWORD length = 0;

    (void)module;
    for (; told[length] != L'\0' && length < size; length++)
        path[length] = told[length];
    if (length == size)
        return size; /* as the system does when there is no room */
    path[length] = L'\0';
    return length;
}

void module_path_set(const WCHAR *path)
{
    int i = 0;

    for (; path[i] != L'\0' && i < 599; i++)
        told[i] = path[i];
    told[i] = L'\0';
}

#define GetModuleFileNameW tell_path
#include "../../tools/companion/companion.c"
