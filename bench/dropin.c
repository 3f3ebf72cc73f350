/* SPDX-License-Identifier: MIT */
/* What it costs a program to know nothing of pss.dll: to be started by `pss run`, and to call
 * kernel32. */
#include "bench.h"
#include "fail.h"

#include <stdlib.h>
#include <wchar.h>

/* The function of a DLL by name; the cast in the middle keeps compilers calm. */
#define FIND(type, name) \
    ((type)(void (*)(void))GetProcAddress(GetModuleHandleW(L"kernel32.dll"), name))

typedef DWORD(WINAPI *capture_snapshot)(HANDLE, PSS_CAPTURE_FLAGS, DWORD, HPSS *);
typedef DWORD(WINAPI *query_snapshot)(HPSS, PSS_QUERY_INFORMATION_CLASS, void *, DWORD);
typedef DWORD(WINAPI *release_snapshot)(HANDLE, HPSS);

#define ROUNDS 200u /* one is as short as a system call or two */

int is_shim_there(void)
{
    return GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "PssCaptureSnapshot") != NULL;
}

static unsigned take_snapshots(HANDLE process, capture_snapshot capture_it, query_snapshot query_it,
                               release_snapshot release_it)
{
    PSS_PROCESS_INFORMATION answer = {0};

    for (unsigned i = 0; i < ROUNDS; i++) {
        HPSS snapshot;
        DWORD error = capture_it(process, PSS_CAPTURE_NONE, 0, &snapshot);

        if (error != ERROR_SUCCESS)
            fail("PssCaptureSnapshot", error);
        query_it(snapshot, PSS_QUERY_PROCESS_INFORMATION, &answer, sizeof answer);
        release_it(GetCurrentProcess(), snapshot);
    }
    return answer.ProcessId;
}

unsigned ours_through_kernel32(const struct scene *scene)
{
    return take_snapshots(scene->target.process, FIND(capture_snapshot, "PssCaptureSnapshot"),
                          FIND(query_snapshot, "PssQuerySnapshot"),
                          FIND(release_snapshot, "PssFreeSnapshot"));
}

unsigned theirs_linked(const struct scene *scene)
{
    return take_snapshots(scene->target.process, PssCaptureSnapshot, PssQuerySnapshot,
                          PssFreeSnapshot);
}

/*
 * Runs a program with its output thrown away.
 *
 * \return its exit code.
 */
static unsigned run_program(WCHAR *line)
{
    SECURITY_ATTRIBUTES inherit = {.nLength = sizeof inherit, .bInheritHandle = TRUE};
    HANDLE nowhere = CreateFileW(L"NUL", GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                 &inherit, OPEN_EXISTING, 0, NULL);
    STARTUPINFOW startup = {.cb = sizeof startup,
                            .dwFlags = STARTF_USESTDHANDLES,
                            .hStdOutput = nowhere,
                            .hStdError = nowhere};
    PROCESS_INFORMATION program;
    DWORD code = 0;

    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &program))
        fail_last("CreateProcess");
    WaitForSingleObject(program.hProcess, INFINITE);
    GetExitCodeProcess(program.hProcess, &code);
    CloseHandle(program.hThread);
    CloseHandle(program.hProcess);
    CloseHandle(nowhere);
    if (code != 0)
        fail("the program", code);
    return code + 1;
}

/* Replaces the name of this program in a copy of its path. */
static void find_beside(const WCHAR *name, WCHAR path[MAX_PATH])
{
    GetModuleFileNameW(NULL, path, MAX_PATH - 32);
    wcscpy(wcsrchr(path, L'\\') + 1, name);
}

unsigned ours_start(const struct scene *scene)
{
    WCHAR tool[MAX_PATH], program[MAX_PATH], line[2 * MAX_PATH + 32];

    (void)scene;
    find_beside(L"pss.exe", tool);
    find_beside(L"pss-bench.exe", program);
    swprintf(line, sizeof line / sizeof line[0], L"\"%ls\" run \"%ls\" --list", tool, program);
    return run_program(line);
}

unsigned theirs_start(const struct scene *scene)
{
    WCHAR program[MAX_PATH], line[MAX_PATH + 32];

    (void)scene;
    find_beside(L"pss-bench.exe", program);
    swprintf(line, sizeof line / sizeof line[0], L"\"%ls\" --list", program);
    return run_program(line);
}
