/* SPDX-License-Identifier: MIT */
/* Runs programs in jobs. */
#include "runner.h"

#include <stdio.h>
#include <wchar.h>

#include "files.h"

#define LINE_SIZE    (2 * PATH_SIZE)
#define END_LIMIT_MS 5000u /* until those that end are gone */
#define POLL_MS      20u

/* Tests put what they start into jobs of their own, which Windows 7 refuses to what is in one. */
static BOOL jobs_nest = TRUE;

static HANDLE new_job(DWORD limits)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION information = {0};
    HANDLE job = CreateJobObjectW(NULL, NULL);

    information.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE |
                                                   JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION |
                                                   JOB_OBJECT_LIMIT_BREAKAWAY_OK | limits;
    if (job)
        SetInformationJobObject(job, JobObjectExtendedLimitInformation, &information,
                                sizeof(information));
    return job;
}

static HANDLE open_inherited(const WCHAR *path, DWORD access, DWORD disposition)
{
    SECURITY_ATTRIBUTES inherited = {sizeof(inherited), NULL, TRUE};

    return CreateFileW(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited, disposition, 0,
                       NULL);
}

/* Not one handle more than the two is inherited: a job of ours would live in the program. */
static BOOL create_with(const struct run *run, WCHAR *line, STARTUPINFOEXW *start,
                        PROCESS_INFORMATION *made)
{
    HANDLE inherited[2] = {start->StartupInfo.hStdInput, start->StartupInfo.hStdOutput};
    char memory[256];
    SIZE_T size = sizeof(memory);
    WCHAR directory[PATH_SIZE];

    if (wcslen(run->program) >= PATH_SIZE)
        return FALSE;
    wcscpy(directory, run->program);
    path_cut(directory);
    start->lpAttributeList = (LPPROC_THREAD_ATTRIBUTE_LIST)(void *)memory;
    if (!InitializeProcThreadAttributeList(start->lpAttributeList, 1, 0, &size))
        return FALSE;
    BOOL ok =
        UpdateProcThreadAttribute(start->lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                  inherited, sizeof(inherited), NULL, NULL) &&
        CreateProcessW(run->program, line, NULL, NULL, TRUE,
                       CREATE_SUSPENDED | EXTENDED_STARTUPINFO_PRESENT, NULL, directory,
                       &start->StartupInfo, made);
    DWORD error = GetLastError();
    DeleteProcThreadAttributeList(start->lpAttributeList);
    SetLastError(error);
    return ok;
}

static BOOL create(const struct run *run, PROCESS_INFORMATION *made)
{
    WCHAR line[LINE_SIZE];
    STARTUPINFOEXW start = {0};

    if (swprintf(line, LINE_SIZE, L"\"%ls\" %ls", run->program, run->arguments) < 0) {
        SetLastError(ERROR_FILENAME_EXCED_RANGE);
        return FALSE;
    }
    start.StartupInfo.cb = sizeof(start);
    start.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    start.StartupInfo.hStdInput = open_inherited(L"NUL", GENERIC_READ, OPEN_EXISTING);
    start.StartupInfo.hStdOutput = open_inherited(run->output, GENERIC_WRITE, CREATE_ALWAYS);
    start.StartupInfo.hStdError = start.StartupInfo.hStdOutput;
    BOOL ok = start.StartupInfo.hStdInput != INVALID_HANDLE_VALUE &&
              start.StartupInfo.hStdOutput != INVALID_HANDLE_VALUE &&
              create_with(run, line, &start, made);
    DWORD error = GetLastError();
    if (start.StartupInfo.hStdInput != INVALID_HANDLE_VALUE)
        CloseHandle(start.StartupInfo.hStdInput);
    if (start.StartupInfo.hStdOutput != INVALID_HANDLE_VALUE)
        CloseHandle(start.StartupInfo.hStdOutput);
    SetLastError(error);
    return ok;
}

static DWORD active_processes(HANDLE job)
{
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION information = {0};

    if (!QueryInformationJobObject(job, JobObjectBasicAccountingInformation, &information,
                                   sizeof(information), NULL))
        return 0;
    return information.ActiveProcesses;
}

/* What is about to end may do so; the rest is ended, and is gone before its files are looked at. */
static DWORD empty_job(HANDLE job)
{
    DWORD left = active_processes(job);

    for (DWORD waited = 0; left && waited < END_LIMIT_MS / 2; waited += POLL_MS) {
        Sleep(POLL_MS);
        left = active_processes(job);
    }
    TerminateJobObject(job, 1);
    for (DWORD waited = 0; active_processes(job) && waited < END_LIMIT_MS; waited += POLL_MS)
        Sleep(POLL_MS);
    return left;
}

static void wait_for_end(struct run *run, HANDLE process, HANDLE job)
{
    if (WaitForSingleObject(process, run->seconds * 1000) == WAIT_OBJECT_0) {
        GetExitCodeProcess(process, &run->exit_code);
        run->left = empty_job(job);
        return;
    }
    run->timed_out = TRUE;
    TerminateProcess(process, 1);
    TerminateJobObject(job, 1);
    WaitForSingleObject(process, END_LIMIT_MS);
    empty_job(job);
}

void runner_run(struct run *run)
{
    HANDLE job = new_job(jobs_nest ? 0 : JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK);
    PROCESS_INFORMATION made = {0};

    run->error = run->exit_code = run->left = 0;
    run->timed_out = FALSE;
    if (!job || !create(run, &made)) {
        run->error = GetLastError();
        if (!run->error)
            run->error = ERROR_GEN_FAILURE;
        if (job)
            CloseHandle(job);
        return;
    }
    if (AssignProcessToJobObject(job, made.hProcess)) {
        ResumeThread(made.hThread);
        wait_for_end(run, made.hProcess, job);
    } else {
        run->error = GetLastError();
        TerminateProcess(made.hProcess, 1);
    }
    CloseHandle(made.hThread);
    CloseHandle(made.hProcess);
    CloseHandle(job);
}

void runner_prepare(void)
{
    WCHAR path[PATH_SIZE];
    struct run run = {.program = path, .arguments = L"--nothing", .output = L"NUL"};
    PROCESS_INFORMATION made = {0};
    HANDLE first = new_job(0), second = new_job(0);

    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
    if (GetModuleFileNameW(NULL, path, PATH_SIZE) < PATH_SIZE && create(&run, &made)) {
        jobs_nest = AssignProcessToJobObject(first, made.hProcess) &&
                    AssignProcessToJobObject(second, made.hProcess);
        TerminateProcess(made.hProcess, 1);
        CloseHandle(made.hThread);
        CloseHandle(made.hProcess);
    }
    CloseHandle(first);
    CloseHandle(second);
}
