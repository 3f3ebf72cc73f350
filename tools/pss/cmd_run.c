/* SPDX-License-Identifier: MIT */
/* `pss run`: starts a program that finds the Process Snapshotting API in its kernel32. */
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#include "attach.h"
#include "command_line.h"
#include "commands.h"
#include "text.h"
#include "usage.h"

/* As env, nice and timeout have them. */
#define EXIT_NOT_ATTACHED 125
#define EXIT_NOT_STARTED  126
#define EXIT_NOT_FOUND    127

#ifndef ERROR_ELEVATION_REQUIRED /* source: learn.microsoft.com, System Error Codes; MinGW 10 \
                                    lacks it */
#define ERROR_ELEVATION_REQUIRED 740
#endif

/** How far the program is. */
enum stage { STAGE_STARTS, STAGE_INTERRUPTED, STAGE_RUNS };
static volatile LONG stage;

/** Ctrl+C and its like are the program's to answer, and we go on waiting for it; until it runs they
 * end it. At the end of the console or the session it has as much time as the system gives. */
static BOOL WINAPI leave_to_program(DWORD event)
{
    if (event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT) {
        InterlockedCompareExchange(&stage, STAGE_INTERRUPTED, STAGE_STARTS);
        return TRUE;
    }
    if (stage == STAGE_RUNS)
        Sleep(INFINITE); /* When it ends, so do we. */
    return FALSE;
}

/** The program ends with us. What it starts does not, and lives on as it would by itself.
 *
 * \return The job, for CloseHandle(); NULL where there can be none: an older system has no second
 * one for a process that is in somebody else's. The program runs all the same. */
static HANDLE tie_to_us(HANDLE process)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation.LimitFlags =
                                                       JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE |
                                                       JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK |
                                                       JOB_OBJECT_LIMIT_BREAKAWAY_OK};
    HANDLE job = CreateJobObjectW(NULL, NULL);

    if (job != NULL &&
        (!SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits) ||
         !AssignProcessToJobObject(job, process))) {
        CloseHandle(job);
        job = NULL;
    }
    return job;
}

/* source: learn.microsoft.com, GetCurrentProcess, and winnt.h: small negative values are no handles
 * but stand for the calling process and the like; INVALID_HANDLE_VALUE is one of them */
static int is_handle(HANDLE handle)
{
    return handle != NULL && ((intptr_t)handle > 0 || (intptr_t)handle < -6);
}

/** A copy of a standard handle that the program inherits; what is none is handed on as it is. */
static HANDLE copy_standard_handle(DWORD which)
{
    HANDLE self = GetCurrentProcess();
    HANDLE own = GetStdHandle(which);
    HANDLE copy = NULL;

    if (!is_handle(own))
        return own;
    if (!DuplicateHandle(self, own, self, &copy, 0, TRUE, DUPLICATE_SAME_ACCESS))
        return NULL;
    return copy;
}

static void close_handle(HANDLE handle)
{
    if (is_handle(handle))
        CloseHandle(handle);
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
    close_handle(startup.hStdInput);
    close_handle(startup.hStdOutput);
    close_handle(startup.hStdError);
    return error;
}

/** Whether the system takes no path of that length; it says that there is no such file. */
static int is_too_long(const char *name)
{
    WCHAR *wide = text_to_wide(name);
    size_t length = wcslen(wide);

    free(wide);
    return length >= MAX_PATH;
}

static int report_not_found(const char *name)
{
    if (is_too_long(name))
        report("the path of the program is too long, the system takes %d characters: name it from "
               "a directory above it, or by its short name: '%s'",
               MAX_PATH - 1, name);
    else
        report("there is no program '%s'", name);
    return EXIT_NOT_FOUND;
}

static int report_not_started(const char *name, DWORD error)
{
    if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND ||
        error == ERROR_INVALID_NAME || error == ERROR_BAD_PATHNAME || name[0] == '\0')
        return report_not_found(name);
    if (error == ERROR_FILENAME_EXCED_RANGE)
        report("the command line or a path in it is too long");
    else if (error == ERROR_BAD_EXE_FORMAT || error == ERROR_EXE_MACHINE_TYPE_MISMATCH)
        report("'%s' is no program that this system can run", name);
    else if (error == ERROR_ELEVATION_REQUIRED)
        report("'%s' runs for administrators only: use 'pss run' as one", name);
    else
        report_problem(error, "'%s' cannot be started", name);
    return EXIT_NOT_STARTED;
}

/** Lets go of the standard handles: what reads from a program's pipe waits for its last writer. */
static void close_standard_handles(void)
{
    close_handle(GetStdHandle(STD_INPUT_HANDLE));
    close_handle(GetStdHandle(STD_OUTPUT_HANDLE));
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
    if (InterlockedCompareExchange(&stage, STAGE_RUNS, STAGE_STARTS) == STAGE_INTERRUPTED) {
        TerminateProcess(program->hProcess, (UINT)STATUS_CONTROL_C_EXIT);
        return (int)STATUS_CONTROL_C_EXIT;
    }
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
        report("pss-shim.dll for the machine of '%s' is not there: it belongs beside pss.exe, that "
               "of the other bitness, with pss-inject.exe, into x64 or x86 below or beside it",
               name);
    else if (error == ERROR_INVALID_NAME)
        report("pss-shim.dll lies in a directory whose name is not ASCII and that has no short "
               "name: move the files of pss.exe to another one");
    else if (error == ERROR_FILENAME_EXCED_RANGE)
        report("the path of the directory with pss-shim.dll is too long: move the files of pss.exe "
               "to another one");
    else if (error == ERROR_NOT_SUPPORTED)
        report("'%s' cannot be helped: it is for another machine, or managed code only", name);
    else if (error == ERROR_ACCESS_DENIED)
        report("'%s' cannot be helped: it runs as another user or with more rights; use 'pss run' "
               "as that user, or as an administrator",
               name);
    else
        report_problem(error, "'%s' cannot be given the API", name);
    return EXIT_NOT_ATTACHED;
}

/** Gives the program the API and runs it. */
static int run_helped(const char *name, const PROCESS_INFORMATION *program)
{
    DWORD error = attach_to(pss_nt_system(), NULL, program->hProcess);

    if (error == ERROR_SUCCESS)
        return run_to_end(name, program);
    TerminateProcess(program->hProcess, EXIT_NOT_ATTACHED);
    return report_not_attached(name, error);
}

/* Wine hands over what is no Windows program to the system below, and has no process to show. */
static int report_unix_program(const char *name)
{
    report("'%s' is no Windows program: Wine has started it by itself, without the API", name);
    return EXIT_NOT_ATTACHED;
}

static int run(const char *name, WCHAR *line)
{
    PROCESS_INFORMATION program;
    DWORD error;
    HANDLE job;
    int code;

    stage = STAGE_STARTS;
    SetConsoleCtrlHandler(leave_to_program, TRUE);
    error = start_suspended(line, &program);
    if (error != ERROR_SUCCESS)
        return report_not_started(name, error);
    if (program.hProcess == NULL)
        return report_unix_program(name);
    job = tie_to_us(program.hProcess);
    code = run_helped(name, &program);
    CloseHandle(program.hThread);
    CloseHandle(program.hProcess);
    if (job != NULL)
        CloseHandle(job);
    return code;
}

int command_run(int argc, char **argv)
{
    int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;

    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return usage_print_command("run");
    if (first == 1 && argc > 1 && argv[1][0] == '-')
        return report_usage("run", "there is no option '%s'", argv[1]);
    if (first >= argc)
        return report_usage("run", "a program is missing");
    return run(argv[first], command_line_skip(GetCommandLineW(), first + 1));
}
