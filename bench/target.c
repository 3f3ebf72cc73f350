/* SPDX-License-Identifier: MIT */
/* Starting and ending the benched process. */
#include "target.h"

#include "fail.h"

#include <stdio.h>

#define START_LIMIT_MS 120000u

/* The job ends the target with the bench, however that ends: nobody else has a handle to it. */
static HANDLE create_job(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    HANDLE job = CreateJobObjectW(NULL, NULL);

    if (job == NULL)
        fail_last("CreateJobObject");
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    if (!SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits))
        fail_last("SetInformationJobObject");
    return job;
}

/* The event is inherited by value and told on the command line. */
static HANDLE create_ready_event(void)
{
    SECURITY_ATTRIBUTES inheritable = {sizeof inheritable, NULL, TRUE};
    HANDLE event = CreateEventW(&inheritable, TRUE, FALSE, NULL);

    if (event == NULL)
        fail_last("CreateEvent");
    return event;
}

static void start_in_job(WCHAR *command_line, struct target *target)
{
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION started;
    WCHAR program[MAX_PATH];
    DWORD length = GetModuleFileNameW(NULL, program, MAX_PATH);
    DWORD error;

    if (length == 0 || length >= MAX_PATH)
        fail("GetModuleFileName", ERROR_FILENAME_EXCED_RANGE);
    if (!CreateProcessW(program, command_line, NULL, NULL, TRUE,
                        CREATE_SUSPENDED | DETACHED_PROCESS, NULL, NULL, &startup, &started))
        fail_last("CreateProcess");
    if (!AssignProcessToJobObject(target->job, started.hProcess)) {
        error = GetLastError();
        TerminateProcess(started.hProcess, 1);
        fail("AssignProcessToJobObject", error);
    }
    ResumeThread(started.hThread);
    CloseHandle(started.hThread);
    target->process = started.hProcess;
    target->id = started.dwProcessId;
}

void target_start(const struct target_needs *needs, struct target *target)
{
    HANDLE signs[2];
    WCHAR command_line[160];

    target->job = create_job();
    signs[0] = create_ready_event();
    _snwprintf(command_line, 160, L"pss-bench --target %u %u %u %u %u %lu", needs->threads,
               needs->regions, needs->handles, needs->megabytes, (unsigned)needs->fill,
               (unsigned long)(ULONG_PTR)signs[0]);
    start_in_job(command_line, target);
    signs[1] = target->process;
    if (WaitForMultipleObjects(2, signs, FALSE, START_LIMIT_MS) != WAIT_OBJECT_0)
        fail("preparing the target", ERROR_PROCESS_ABORTED);
    CloseHandle(signs[0]);
}

void target_end(struct target *target)
{
    CloseHandle(target->job);
    WaitForSingleObject(target->process, START_LIMIT_MS);
    CloseHandle(target->process);
}
