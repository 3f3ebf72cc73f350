/* SPDX-License-Identifier: MIT */
/* Asks the system what it is, and a DLL what it can. */
#include "system.h"

#include <stdint.h>
#include <stdio.h>
#include <wchar.h>

#include <windows.h>

#include "files.h"
#include "pss.h"

#define CURRENT_VERSION L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"

typedef LONG(WINAPI *get_version)(OSVERSIONINFOEXW *version);
typedef const char *(__cdecl *get_text)(void);

static FARPROC find(const WCHAR *module, const char *name)
{
    return GetProcAddress(GetModuleHandleW(module), name);
}

int system_is_wine(void)
{
    return find(L"ntdll.dll", "wine_get_version") != NULL;
}

static void add_version(struct buffer *facts)
{
    get_version get = (get_version)(uintptr_t)find(L"ntdll.dll", "RtlGetVersion");
    get_text wine = (get_text)(uintptr_t)find(L"ntdll.dll", "wine_get_version");
    OSVERSIONINFOEXW version = {.dwOSVersionInfoSize = sizeof(version)};

    if (get && get(&version) >= 0) {
        buffer_format(facts, "version: %lu.%lu.%lu", version.dwMajorVersion, version.dwMinorVersion,
                      version.dwBuildNumber);
        buffer_format(facts, ", service pack %u, product type %u\n", version.wServicePackMajor,
                      version.wProductType);
    }
    if (wine)
        buffer_format(facts, "wine: %.40s\n", wine());
}

static HKEY open_version_key(void)
{
    HKEY key = NULL;

    RegOpenKeyExW(HKEY_LOCAL_MACHINE, CURRENT_VERSION, 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key);
    return key;
}

static void add_registry_text(HKEY key, const WCHAR *name, struct buffer *facts)
{
    WCHAR text[200] = {0};
    DWORD size = sizeof(text) - sizeof(WCHAR), type = 0;

    if (RegQueryValueExW(key, name, NULL, &type, (BYTE *)text, &size) || type != REG_SZ)
        return;
    buffer_add_wide(facts, name);
    buffer_add(facts, ": ");
    buffer_add_wide(facts, text);
    buffer_add(facts, "\n");
}

static void add_registry(struct buffer *facts)
{
    HKEY key = open_version_key();
    DWORD revision = 0, size = sizeof(revision);

    if (!key)
        return;
    add_registry_text(key, L"ProductName", facts);
    add_registry_text(key, L"DisplayVersion", facts);
    add_registry_text(key, L"BuildLabEx", facts);
    if (!RegQueryValueExW(key, L"UBR", NULL, NULL, (BYTE *)&revision, &size))
        buffer_format(facts, "UBR: %lu\n", revision);
    RegCloseKey(key);
}

static const char *architecture_name(WORD number)
{
    switch (number) {
    case PROCESSOR_ARCHITECTURE_AMD64:
        return "x64";
    case PROCESSOR_ARCHITECTURE_INTEL:
        return "x86";
    case 12: /* PROCESSOR_ARCHITECTURE_ARM64, which older headers lack */
        return "ARM64";
    default:
        return "unknown";
    }
}

void system_add_facts(struct buffer *facts)
{
    SYSTEM_INFO system;
    BOOL is_wow64 = FALSE;

    add_version(facts);
    add_registry(facts);
    GetNativeSystemInfo(&system);
    buffer_format(facts, "architecture: %s, %lu processors\n",
                  architecture_name(system.wProcessorArchitecture), system.dwNumberOfProcessors);
    if (IsWow64Process(GetCurrentProcess(), &is_wow64))
        buffer_format(facts, "this program: %s%s\n", sizeof(void *) == 8 ? "x64" : "x86",
                      is_wow64 ? " under WOW64" : "");
}

void system_remove_keys(void)
{
    static const WCHAR prefix[] = L"pss-test-key-";
    WCHAR name[256];
    DWORD index = 0, length = 256;

    while (!RegEnumKeyExW(HKEY_CURRENT_USER, index, name, &length, NULL, NULL, NULL, NULL)) {
        if (wcsncmp(name, prefix, wcslen(prefix)) || RegDeleteKeyW(HKEY_CURRENT_USER, name))
            index++;
        length = 256;
    }
}

static HMODULE load(const wchar_t *path)
{
    HMODULE module = GetModuleHandleW(path);

    SetEnvironmentVariableW(L"PSS_FORWARD", L"0");
    return module ? module : LoadLibraryW(path);
}

/* One capture of nothing but the process itself, one query, and the end of both. */
static DWORD try_calls(HMODULE module)
{
    __typeof__(&PssCaptureSnapshot) capture =
        (__typeof__(&PssCaptureSnapshot))(uintptr_t)GetProcAddress(module, "PssCaptureSnapshot");
    __typeof__(&PssQuerySnapshot) query =
        (__typeof__(&PssQuerySnapshot))(uintptr_t)GetProcAddress(module, "PssQuerySnapshot");
    __typeof__(&PssFreeSnapshot) release =
        (__typeof__(&PssFreeSnapshot))(uintptr_t)GetProcAddress(module, "PssFreeSnapshot");
    PSS_PROCESS_INFORMATION information = {0};
    HPSS snapshot = NULL;

    DWORD error = capture(GetCurrentProcess(), PSS_CAPTURE_NONE, 0, &snapshot);
    if (error)
        return error;
    error = query(snapshot, PSS_QUERY_PROCESS_INFORMATION, &information, sizeof(information));
    if (!error && information.ProcessId != GetCurrentProcessId())
        error = ERROR_INVALID_DATA;
    DWORD freed = release(GetCurrentProcess(), snapshot);
    return error ? error : freed;
}

int system_probe(const wchar_t *path)
{
    static const char *const names[] = {
        "PssCaptureSnapshot",       "PssDuplicateSnapshot",
        "PssFreeSnapshot",          "PssQuerySnapshot",
        "PssWalkSnapshot",          "PssWalkMarkerCreate",
        "PssWalkMarkerFree",        "PssWalkMarkerGetPosition",
        "PssWalkMarkerSetPosition", "PssWalkMarkerSeekToBeginning",
        "PssWalkMarkerTell",        "PssWalkMarkerSeek",
        "PssWalkMarkerRewind",
    };
    HMODULE module = load(path);

    if (!module) {
        printf("it cannot be loaded: error %lu\n", GetLastError());
        return 1;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!GetProcAddress(module, names[i])) {
            printf("it has no %s\n", names[i]);
            return 1;
        }
    DWORD error = try_calls(module);
    if (error)
        printf("a capture, query or free fails: error %lu\n", error);
    return error != 0;
}
