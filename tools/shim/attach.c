/* SPDX-License-Identifier: MIT */
/* Chooses the files by the machine of the process, and who writes to it. */
#include "attach.h"

#include "api.h"
#include "companion.h"
#include "identity.h"
#include "inject.h"

#define MAX_NAME        32    /* a directory and a file of ours, in characters */
#define HELPER_LIMIT_MS 30000 /* it takes some hundredths of a second */

/** A file of ours is missing, unless this module itself lies so deep that there is no room for the
 * names of the others. Not inlined, for the size of its caller's frame. */
static DWORD __attribute__((noinline)) why_not_found(HMODULE self)
{
    WCHAR own[COMPANION_PATH];
    DWORD length = GetModuleFileNameW(self, own, COMPANION_PATH);

    return length >= COMPANION_PATH - MAX_NAME ? ERROR_FILENAME_EXCED_RANGE : ERROR_FILE_NOT_FOUND;
}

/** Copies a path that is ASCII and ends; an error for another one, or one that is too long for the
 * loader. */
static DWORD narrow(const WCHAR *wide, char *path)
{
    DWORD length = 0;

    while (wide[length] != L'\0' && wide[length] < 0x80) {
        path[length] = (char)wide[length];
        length++;
    }
    path[length] = '\0';
    if (wide[length] != L'\0')
        return ERROR_INVALID_NAME;
    return length < MAX_PATH ? ERROR_SUCCESS : ERROR_FILENAME_EXCED_RANGE;
}

/** Path of a file of ours as the import table of a program can hold it: in ASCII and not too long,
 * the short form where needed. */
static DWORD find_file(HMODULE self, WORD machine, const WCHAR *name, char *path)
{
    WCHAR wide[COMPANION_PATH];
    DWORD length;
    DWORD error;

    if (!companion_find(self, machine, name, wide))
        return why_not_found(self);
    error = narrow(wide, path);
    if (error == ERROR_SUCCESS)
        return error;
    length = GetShortPathNameW(wide, wide, COMPANION_PATH);
    return length == 0 || length >= COMPANION_PATH ? error : narrow(wide, path);
}

static DWORD attach_directly(const struct pss_nt *nt, HMODULE self, HANDLE process)
{
    struct inject_image image;
    char shim[COMPANION_PATH];
    NTSTATUS status = inject_open(nt, process, &image);
    DWORD error;

    if (!NT_SUCCESS(status))
        return pss_nt_win32_error(status);
    error = find_file(self, image.machine, L"pss-shim.dll", shim);
    if (error != ERROR_SUCCESS)
        return error;
    const struct inject_dll dll = {shim, NULL};
    const struct inject_plan plan = {
        .dlls = &dll, .count = 1, .is_library = api_is_library, .is_function = api_is_function};

    status = inject_imports(nt, &image, &plan);
    return NT_SUCCESS(status) ? ERROR_SUCCESS : pss_nt_win32_error(status);
}

/** Appends a number in decimal to a text that has room for it. */
static void append_number(WCHAR *text, DWORD value)
{
    WCHAR digits[10];
    int count = 0;

    while (*text != L'\0')
        text++;
    do {
        digits[count++] = (WCHAR)(L'0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (count > 0)
        *text++ = digits[--count];
    *text = L'\0';
}

/** Waits for the helper, which ends with the code of its failure; one that does not end is ended.
 */
static DWORD wait_for_helper(HANDLE helper)
{
    DWORD error = ERROR_GEN_FAILURE;

    if (WaitForSingleObject(helper, HELPER_LIMIT_MS) != WAIT_OBJECT_0) {
        TerminateProcess(helper, ERROR_TIMEOUT);
        return ERROR_TIMEOUT;
    }
    GetExitCodeProcess(helper, &error);
    return error;
}

/** Lets the 64-bit helper do it. */
static DWORD attach_by_helper(HMODULE self, HANDLE process)
{
    WCHAR line[] = ATTACH_HELPER L" 4294967295";
    WCHAR path[COMPANION_PATH];
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION helper;
    DWORD error;

    if (!companion_find(self, IMAGE_FILE_MACHINE_AMD64, ATTACH_HELPER, path))
        return why_not_found(self);
    line[sizeof ATTACH_HELPER / sizeof(WCHAR)] = L'\0';
    append_number(line, GetProcessId(process));
    if (!CreateProcessW(path, line, NULL, NULL, FALSE, DETACHED_PROCESS, NULL, NULL, &startup,
                        &helper))
        return GetLastError();
    error = wait_for_helper(helper.hProcess);
    CloseHandle(helper.hThread);
    CloseHandle(helper.hProcess);
    return error;
}

/** Whether the process is of a machine whose memory this one cannot name. */
static int is_out_of_reach(HANDLE process)
{
    BOOL own = FALSE;
    BOOL other = FALSE;

    return sizeof(void *) == 4 && IsWow64Process(GetCurrentProcess(), &own) && own &&
           IsWow64Process(process, &other) && !other;
}

DWORD attach_to(const struct pss_nt *nt, HMODULE self, HANDLE process)
{
    if (!identity_is_own(process))
        return ERROR_ACCESS_DENIED;
    return is_out_of_reach(process) ? attach_by_helper(self, process)
                                    : attach_directly(nt, self, process);
}
