/* SPDX-License-Identifier: MIT */
/*
 * Starts a program and, if it crashes, tells what happened: `crash_handler PROGRAM [ARGUMENT...]`.
 *
 * This is how a crash reporter works, such as WerFault of Windows. The program has crash_client.c
 * built in. When it crashes, it captures itself and duplicates the snapshot into this process. It
 * may then end at once and be started anew, while we look at its threads and at its memory, as they
 * were in the moment of the crash, for as long as we like. Another handler would write the dump of
 * the clone here, with MiniDumpWriteDump(), or send it home.
 *
 * The program has a handle that lets it write into this process: start your own programs only. To
 * serve programs that are not to be trusted, let them tell the HPSS alone, keep them alive until
 * you have it, and pull: PssDuplicateSnapshot(program, its HPSS, GetCurrentProcess(), ...).
 *
 * Exit status: 0 a crash was handled; 1 the program ended without one; 2 something failed.
 */
#include <stdio.h>

#include "crash_print.h"

#define PATIENCE 10000 /* milliseconds for a crashed program to end */

struct session {
    HANDLE section;
    HANDLE reported; /* event: the report is there */
    HANDLE handled;  /* event: the report was read */
    HANDLE self;     /* this process, as the program may use it */
    HANDLE program;
    struct crash_report *report; /* shared with the program */
};

/* Makes what the program inherits. */
static BOOL prepare(struct session *session)
{
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    WCHAR value[32];

    session->section = CreateFileMappingW(INVALID_HANDLE_VALUE, &inherited, PAGE_READWRITE, 0,
                                          sizeof *session->report, NULL);
    session->reported = CreateEventW(&inherited, FALSE, FALSE, NULL);
    session->handled = CreateEventW(&inherited, FALSE, FALSE, NULL);
    if (session->section == NULL || session->reported == NULL || session->handled == NULL ||
        !DuplicateHandle(GetCurrentProcess(), GetCurrentProcess(), GetCurrentProcess(),
                         &session->self,
                         PROCESS_VM_OPERATION | PROCESS_VM_WRITE | PROCESS_DUP_HANDLE, TRUE, 0))
        return FALSE;
    session->report = MapViewOfFile(session->section, FILE_MAP_WRITE, 0, 0, 0);
    if (session->report == NULL)
        return FALSE;
    session->report->handler = (uintptr_t)session->self;
    session->report->reported = (uintptr_t)session->reported;
    session->report->handled = (uintptr_t)session->handled;
    swprintf(value, sizeof value / sizeof value[0], L"%llx",
             (unsigned long long)(uintptr_t)session->section);
    return SetEnvironmentVariableW(CRASH_VARIABLE, value);
}

/* The command line without our own name: the program's, just as it was typed. */
static WCHAR *program_command_line(void)
{
    WCHAR *rest = GetCommandLineW();
    WCHAR end = *rest == L'"' ? L'"' : L' ';

    do
        rest++;
    while (*rest != L'\0' && *rest != end);
    while (*rest == L'"' || *rest == L' ')
        rest++;
    return rest;
}

static BOOL start(struct session *session)
{
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION started;

    if (!CreateProcessW(NULL, program_command_line(), NULL, NULL, TRUE, 0, NULL, NULL, &startup,
                        &started))
        return FALSE;
    CloseHandle(started.hThread);
    session->program = started.hProcess;
    return TRUE;
}

static int fail(const char *what, DWORD error)
{
    fprintf(stderr, "crash_handler: %s: error %lu\n", what, error);
    return 2;
}

static int handle_crash(const struct session *session)
{
    struct crash_report report = *session->report; /* The program can no longer change it. */
    HPSS snapshot = (HPSS)(uintptr_t)report.snapshot;
    DWORD error;

    if (report.error != ERROR_SUCCESS)
        return fail("the program crashed and could not capture itself", report.error);
    error = crash_print(&report, snapshot, session->program);
    PssFreeSnapshot(GetCurrentProcess(), snapshot); /* And so the clone ends. */
    SetEvent(session->handled);
    WaitForSingleObject(session->program, PATIENCE);
    return error == ERROR_SUCCESS ? 0 : fail("cannot read the snapshot", error);
}

/* A program that crashes does both: it reports, and then it ends. The report comes first. */
static int watch(const struct session *session)
{
    HANDLE events[] = {session->reported, session->program};
    DWORD status;

    if (WaitForMultipleObjects(2, events, FALSE, INFINITE) == WAIT_OBJECT_0)
        return handle_crash(session);
    GetExitCodeProcess(session->program, &status);
    printf("No crash reported: the program ended with status %#lx\n", status);
    return 1;
}

int main(int argc, char **argv)
{
    struct session session = {0}; /* The end of this process closes what it holds. */

    (void)argv;
    if (argc < 2) {
        fprintf(stderr, "usage: crash_handler PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    if (!prepare(&session))
        return fail("cannot prepare", GetLastError());
    if (!start(&session))
        return fail("cannot start the program", GetLastError());
    return watch(&session);
}
