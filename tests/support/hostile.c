/* SPDX-License-Identifier: MIT */
/* Starts hostile processes in a job that ends with the test. */
#include "hostile.h"

#define LIMIT_MS 30000

static HANDLE hostile_job(void)
{
    static HANDLE job;
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};

    if (job)
        return job;
    job = CreateJobObjectW(NULL, NULL);
    assert_non_null(job);
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    assert_true(
        SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits)));
    return job;
}

/* A pipe one of whose ends is inherited. */
static void make_pipe(HANDLE *own, HANDLE *others, bool is_input)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    HANDLE read_end, write_end;

    assert_true(CreatePipe(&read_end, &write_end, &inherit, 0));
    *own = is_input ? write_end : read_end;
    *others = is_input ? read_end : write_end;
    SetHandleInformation(*own, HANDLE_FLAG_INHERIT, 0);
}

static void full_path(const WCHAR *path, WCHAR *result, DWORD room)
{
    DWORD length = 0;

    if (!wcschr(path, L'\\'))
        length = GetModuleFileNameW(NULL, result, room);
    while (length && result[length - 1] != L'\\')
        length--;
    assert_true(length + wcslen(path) < room);
    wcscpy(result + length, path);
}

/* As in target.c: under Wine a new process may die before its program is mapped. */
static bool create(const WCHAR *path, const char *kind, uint32_t seed, HANDLE ends[2],
                   PROCESS_INFORMATION *made)
{
    STARTUPINFOW startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
    static WCHAR program[1024], command[1200];

    startup.hStdInput = ends[0];
    startup.hStdOutput = ends[1];
    full_path(path, program, 1024);
    for (int attempt = 0; attempt < 3; attempt++) {
        swprintf(command, 1200, L"hostile %hs %u", kind, seed);
        if (CreateProcessW(program, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL,
                           &startup, made))
            return true;
        if (GetLastError() != ERROR_INTERNAL_ERROR)
            break;
    }
    print_message("%ls does not start: error %lu\n", path, GetLastError());
    return false;
}

/* Its greeting tells where its pattern stands. */
static void read_greeting(HANDLE output, struct hostile *hostile)
{
    char text[200] = "";
    DWORD length = 0, count = 0;

    while (length < sizeof(text) - 1 && !strchr(text, '\n') &&
           ReadFile(output, text + length, 1, &count, NULL) && count)
        text[++length] = 0;
    const char *address = strstr(text, "pattern at ");
    hostile->is_here = address != NULL;
    hostile->pattern = address ? strtoull(address + strlen("pattern at "), NULL, 16) : 0;
}

bool hostile_start(const WCHAR *path, const char *kind, uint32_t seed, struct hostile *hostile)
{
    PROCESS_INFORMATION made = {0};
    HANDLE output, ends[2];

    memset(hostile, 0, sizeof(*hostile));
    make_pipe(&hostile->input, &ends[0], true);
    make_pipe(&output, &ends[1], false);
    bool is_created = create(path, kind, seed, ends, &made);
    CloseHandle(ends[0]);
    CloseHandle(ends[1]);
    if (is_created) {
        hostile->target.process = made.hProcess;
        hostile->target.thread = made.hThread;
        hostile->target.pid = made.dwProcessId;
        hostile->target.main_thread = made.dwThreadId;
        target_note_started(made.dwProcessId);
        assert_true(AssignProcessToJobObject(hostile_job(), made.hProcess));
        ResumeThread(made.hThread);
        read_greeting(output, hostile);
    } else {
        CloseHandle(hostile->input);
    }
    CloseHandle(output);
    return is_created;
}

bool hostile_has_ended(const struct hostile *hostile)
{
    return WaitForSingleObject(hostile->target.process, 0) == WAIT_OBJECT_0;
}

void hostile_finish(const struct hostile *hostile)
{
    DWORD written;

    WriteFile(hostile->input, "\n", 1, &written, NULL);
    assert_same(WaitForSingleObject(hostile->target.process, LIMIT_MS), WAIT_OBJECT_0);
}

void hostile_end(struct hostile *hostile)
{
    CloseHandle(hostile->input);
    TerminateProcess(hostile->target.process, 99);
    assert_same(WaitForSingleObject(hostile->target.process, LIMIT_MS), WAIT_OBJECT_0);
    CloseHandle(hostile->target.thread);
    CloseHandle(hostile->target.process);
}
