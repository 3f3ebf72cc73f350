/* SPDX-License-Identifier: MIT */
/* `pss run`: starts a program that finds the Process Snapshotting API in its kernel32. */
#include <string.h>

#include <windows.h>

#include "attach.h"
#include "command_line.h"
#include "commands.h"
#include "usage.h"

/* As env, nice and timeout have them. */
#define EXIT_NOT_ATTACHED 125
#define EXIT_NOT_STARTED  126
#define EXIT_NOT_FOUND    127

/** Ctrl+C and its like are the program's to answer; we go on waiting for it. */
static BOOL WINAPI leave_to_program(DWORD event)
{
    return event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;
}

/** A copy of a standard handle that the program inherits; none when we have none. */
static HANDLE copy_standard_handle(DWORD which)
{
    HANDLE self = GetCurrentProcess();
    HANDLE copy = NULL;

    if (!DuplicateHandle(self, GetStdHandle(which), self, &copy, 0, TRUE, DUPLICATE_SAME_ACCESS))
        return NULL;
    return copy;
}

static DWORD start_suspended(WCHAR *line, PROCESS_INFORMATION *program)
{
    STARTUPINFOW startup = {.cb = sizeof startup};
    DWORD error = ERROR_SUCCESS;

    GetStartupInfoW(&startup);
    startup.dwFlags |= STARTF_USESTDHANDLES;
    startup.hStdInput = copy_standard_handle(STD_INPUT_HANDLE);
    startup.hStdOutput = copy_standard_handle(STD_OUTPUT_HANDLE);
    startup.hStdError = copy_standard_handle(STD_ERROR_HANDLE);
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup,
                        program))
        error = GetLastError();
    /* The program has its own; kept open here, they would keep pipes from ending. */
    CloseHandle(startup.hStdInput);
    CloseHandle(startup.hStdOutput);
    CloseHandle(startup.hStdError);
    return error;
}

static int report_not_started(const char *name, DWORD error)
{
    if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND) {
        report("there is no program '%s'", name);
        return EXIT_NOT_FOUND;
    }
    report_failure(name, error);
    return EXIT_NOT_STARTED;
}

/** Lets go of the standard handles: what reads from a program's pipe waits for its last writer. */
static void close_standard_handles(void)
{
    CloseHandle(GetStdHandle(STD_INPUT_HANDLE));
    CloseHandle(GetStdHandle(STD_OUTPUT_HANDLE));
}

static int wait_for(const PROCESS_INFORMATION *program)
{
    DWORD code = EXIT_RUNTIME;

    close_standard_handles();
    if (WaitForSingleObject(program->hProcess, INFINITE) != WAIT_OBJECT_0)
        return report_failure("WaitForSingleObject", GetLastError());
    if (!GetExitCodeProcess(program->hProcess, &code))
        return report_failure("GetExitCodeProcess", GetLastError());
    return (int)code;
}

/** Lets the program run to its end; one that cannot be let run is not left behind. */
static int run_to_end(const char *name, const PROCESS_INFORMATION *program)
{
    if (ResumeThread(program->hThread) == (DWORD)-1) {
        DWORD error = GetLastError();

        TerminateProcess(program->hProcess, EXIT_NOT_STARTED);
        return report_not_started(name, error);
    }
    return wait_for(program);
}

static int report_not_attached(const char *name, DWORD error)
{
    if (error == ERROR_FILE_NOT_FOUND)
        report("pss.dll or pss-shim.dll for the machine of '%s' is not there: both belong beside "
               "pss.exe, those of the other bitness into x64 or x86 below or beside it",
               name);
    else if (error == ERROR_INVALID_NAME)
        report("pss.dll lies in a directory whose name is not ASCII and that has no short name");
    else if (error == ERROR_NOT_SUPPORTED)
        report("'%s' cannot be helped: it is for another machine, or managed code only", name);
    else
        report_failure(name, error);
    return EXIT_NOT_ATTACHED;
}

int command_run(int argc, char **argv)
{
    int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
    PROCESS_INFORMATION program;
    DWORD error;
    int code;

    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return usage_print_command("run");
    if (first == 1 && argc > 1 && argv[1][0] == '-')
        return report_usage("run", "there is no option '%s'", argv[1]);
    if (first >= argc)
        return report_usage("run", "a program is missing");
    error = start_suspended(command_line_skip(GetCommandLineW(), first + 1), &program);
    if (error != ERROR_SUCCESS)
        return report_not_started(argv[first], error);
    error = attach_to(pss_nt_system(), NULL, program.hProcess);
    if (error != ERROR_SUCCESS) {
        TerminateProcess(program.hProcess, EXIT_NOT_ATTACHED);
        code = report_not_attached(argv[first], error);
    } else {
        SetConsoleCtrlHandler(leave_to_program, TRUE);
        code = run_to_end(argv[first], &program);
    }
    CloseHandle(program.hThread);
    CloseHandle(program.hProcess);
    return code;
}
