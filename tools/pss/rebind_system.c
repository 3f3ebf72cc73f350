/* SPDX-License-Identifier: MIT */
/* Where this system has its own DLLs. */
#include "rebind_system.h"

#include <stdlib.h>
#include <wchar.h>

#include "file_path.h"
#include "pe_read.h"
#include "rebind_file.h"
#include "text.h"

/** The directory with the system's DLLs for a machine, for free(); NULL if there is none. */
static WCHAR *find_directory(uint32_t machine)
{
    WCHAR directory[MAX_PATH];
    UINT length = 0;

    if (machine == PE_MACHINE_X86)
        length = GetSystemWow64DirectoryW(directory, MAX_PATH);
    if (length == 0 && machine == (sizeof(void *) == 8 ? PE_MACHINE_X64 : PE_MACHINE_X86))
        length = GetSystemDirectoryW(directory, MAX_PATH);
    if (length != 0 && length < MAX_PATH)
        return path_append(directory, L"");
    length = GetWindowsDirectoryW(directory, MAX_PATH);
    if (length == 0 || length >= MAX_PATH || machine != PE_MACHINE_X64)
        return NULL;
    /* How a 32-bit process calls the other directory; a 32-bit system has none. */
    WCHAR *native = path_join(directory, L"Sysnative");

    if (file_is_directory(native))
        return native;
    free(native);
    return NULL;
}

static int is_api_set(const WCHAR *name)
{
    return _wcsnicmp(name, L"api-ms-", 7) == 0 || _wcsnicmp(name, L"ext-ms-", 7) == 0;
}

/** The file that stands for an API set, as this process would get it; its code does not run. */
static WCHAR *find_host(const WCHAR *directory, const WCHAR *name)
{
    /* A system that has no such flag has files for its API sets. */
    HMODULE module =
        LoadLibraryExW(name, NULL, DONT_RESOLVE_DLL_REFERENCES | LOAD_LIBRARY_SEARCH_SYSTEM32);
    WCHAR host[MAX_PATH];
    DWORD length;

    if (module == NULL)
        return NULL;
    length = GetModuleFileNameW(module, host, MAX_PATH);
    FreeLibrary(module);
    return length != 0 && length < MAX_PATH ? path_join(directory, path_name(host)) : NULL;
}

/** Whether the search of the system leads to a file of that name. */
static int is_on_path(const WCHAR *name)
{
    WCHAR found[MAX_PATH];

    return SearchPathW(NULL, name, L".dll", MAX_PATH, found, NULL) != 0;
}

enum system_place system_find(const WCHAR *name, uint32_t machine, WCHAR **path)
{
    WCHAR *directory = find_directory(machine), *file;

    *path = NULL;
    if (directory == NULL)
        return SYSTEM_ELSEWHERE;
    file = path_join(directory, name);
    if (!file_exists(file) && is_api_set(name)) {
        free(file);
        file = find_host(directory, name);
    }
    free(directory);
    if (file != NULL && file_exists(file)) {
        *path = file;
        return SYSTEM_FILE;
    }
    free(file);
    return !is_api_set(name) && is_on_path(name) ? SYSTEM_ELSEWHERE : SYSTEM_NOWHERE;
}

int system_starts_without(void)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");

    return ntdll != NULL && GetProcAddress(ntdll, "wine_get_version") != NULL;
}
