/* SPDX-License-Identifier: MIT */
/* A program with an import of its own: child [FIRST SECOND]. Exit code 42: these two DLLs were
 * loaded before all others; 43: they were not; 44: its own import does not work; 45: two of its
 * imports come from shim-instead.dll. */
#include <string.h>
#include <wchar.h>

#include <windows.h>
#include <winternl.h>

#define MODULES 64

/* What every process has before its program is looked at. */
static int is_of_system(const WCHAR *name)
{
    return _wcsicmp(name, L"ntdll.dll") == 0 || _wcsicmp(name, L"kernel32.dll") == 0 ||
           _wcsicmp(name, L"kernelbase.dll") == 0;
}

static int is_named(const WCHAR *name, const char *expected)
{
    WCHAR wide[MAX_PATH];

    return MultiByteToWideChar(CP_ACP, 0, expected, -1, wide, MAX_PATH) > 0 &&
           _wcsicmp(name, wide) == 0;
}

/* The names of the DLLs in the order of loading, without those of the system. */
static int list_modules(const WCHAR *names[MODULES])
{
    const LIST_ENTRY *end = &NtCurrentTeb()->ProcessEnvironmentBlock->Ldr->InMemoryOrderModuleList;
    int count = 0;

    for (const LIST_ENTRY *link = end->Flink; link != end && count < MODULES; link = link->Flink) {
        const LDR_DATA_TABLE_ENTRY *entry =
            CONTAINING_RECORD(link, LDR_DATA_TABLE_ENTRY, InMemoryOrderLinks);
        const WCHAR *name = wcsrchr(entry->FullDllName.Buffer, L'\\');

        name = name != NULL ? name + 1 : entry->FullDllName.Buffer;
        if (entry->DllBase != GetModuleHandleW(NULL) && !is_of_system(name))
            names[count++] = name;
    }
    return count;
}

int main(int argc, char **argv)
{
    const WCHAR *names[MODULES];
    int count = list_modules(names);
    DWORD zero;

    if (GetFileVersionInfoSizeW(L"kernel32.dll", &zero) == 0)
        return 44;
    if (GetTickCount() == 4711 && GetLogicalDrives() == 4712)
        return 45;
    if (argc < 3 || count < 3)
        return 43;
    return is_named(names[0], argv[1]) && is_named(names[1], argv[2]) ? 42 : 43;
}
