/* SPDX-License-Identifier: MIT */
/* Starts targets in a job that ends with the test, talks to them, and compares their states. */
#include "target.h"

#include <tlhelp32.h>

#include "nt_calls.h"
#include "under_test.h"

#define ANSWER_LIMIT_MS 30000
#define END_LIMIT_MS    20000
#define PAGE_SIZE_BYTES 4096
#define MAX_STARTED     256

static struct target *all_targets;
static DWORD started[MAX_STARTED]; /* pids, of ended targets too */
static DWORD started_count;

HANDLE target_job(void)
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

static void open_channel(struct target *target)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};

    target->section = CreateFileMappingW(INVALID_HANDLE_VALUE, &inherit, PAGE_READWRITE, 0,
                                         sizeof(struct target_channel), NULL);
    assert_non_null(target->section);
    target->request = CreateEventW(&inherit, FALSE, FALSE, NULL);
    assert_non_null(target->request);
    target->reply = CreateEventW(&inherit, FALSE, FALSE, NULL);
    assert_non_null(target->reply);
    target->channel = (struct target_channel *)MapViewOfFile(target->section, FILE_MAP_WRITE, 0, 0,
                                                             sizeof(struct target_channel));
    assert_non_null(target->channel);
}

/* Under Wine (8.0), once in some thousand starts on a busy machine, a new process dies before its
 * program is even mapped. */
static bool create_suspended(char *command, PROCESS_INFORMATION *made)
{
    STARTUPINFOA startup = {.cb = sizeof(startup)};

    for (int attempt = 0; attempt < 3; attempt++) {
        if (CreateProcessA(NULL, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup,
                           made))
            return true;
        if (GetLastError() != ERROR_INTERNAL_ERROR)
            break;
        print_message("a target did not come up; another try\n");
    }
    return false;
}

void target_note_started(DWORD pid)
{
    if (started_count < MAX_STARTED)
        started[started_count++] = pid;
}

static bool create_process(struct target *target, const char *path, HANDLE job)
{
    PROCESS_INFORMATION made = {0};
    char command[MAX_PATH + 80];

    snprintf(command, sizeof(command), "\"%s\" %lu %lu %lu", path,
             (unsigned long)(uintptr_t)target->section, (unsigned long)(uintptr_t)target->request,
             (unsigned long)(uintptr_t)target->reply);
    if (!create_suspended(command, &made)) {
        print_error("%s does not start: error %lu\n", path, GetLastError());
        return false;
    }
    target->process = made.hProcess;
    target->thread = made.hThread;
    target->pid = made.dwProcessId;
    target_note_started(made.dwProcessId);
    target->main_thread = made.dwThreadId;
    target->never_ran = true;
    assert_true(AssignProcessToJobObject(job ? job : target_job(), target->process));
    return true;
}

/* Only this target inherits its channel. */
static void stop_inheritance(const struct target *target)
{
    SetHandleInformation(target->section, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(target->request, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(target->reply, HANDLE_FLAG_INHERIT, 0);
}

/* Creates the program of this name beside the test; NULL when it cannot be started. */
static struct target *create_target(const char *name, HANDLE job)
{
    struct target *target = (struct target *)calloc(1, sizeof(*target));
    char path[MAX_PATH];
    DWORD length = GetModuleFileNameA(NULL, path, MAX_PATH);

    assert_non_null(target);
    target->next = all_targets;
    all_targets = target;
    while (length && path[length - 1] != '\\')
        length--;
    snprintf(path + length, MAX_PATH - length, "%s", name);
    open_channel(target);
    bool created = create_process(target, path, job);
    stop_inheritance(target);
    if (created)
        return target;
    target_destroy(target);
    return NULL;
}

struct target *target_start(void)
{
    struct target *target = target_start_never_ran();

    target_run(target);
    return target;
}

struct target *target_start_never_ran(void)
{
    struct target *target = create_target("pss-test-target.exe", NULL);

    assert_non_null(target);
    return target;
}

struct target *target_start_in_job(HANDLE job)
{
    struct target *target = create_target("pss-test-target.exe", job);

    assert_non_null(target);
    target_run(target);
    return target;
}

struct target *target_start_foreign(void)
{
    struct target *target = create_target("pss-test-target-foreign.exe", NULL);

    if (target)
        target_run(target);
    return target;
}

void target_run(struct target *target)
{
    assert_same(ResumeThread(target->thread), 1);
    target->never_ran = false;
    assert_same(target_call(target, TARGET_PING, 0, 0, 0, 0), target->pid);
}

static void send_command(struct target *target, enum target_op op, const WCHAR *text,
                         const uint64_t arguments[TARGET_MAX_ARGUMENTS])
{
    struct target_channel *channel = target->channel;

    assert_false(target->frozen);
    assert_false(target->never_ran);
    channel->op = (uint32_t)op;
    for (int i = 0; i < TARGET_MAX_ARGUMENTS; i++)
        channel->arguments[i] = arguments[i];
    channel->text[0] = 0;
    if (text) {
        assert_true(wcslen(text) < TARGET_TEXT_LENGTH);
        memcpy(channel->text, text, (wcslen(text) + 1) * sizeof(WCHAR));
    }
    assert_true(SetEvent(target->request));
}

uint64_t target_answer(struct target *target)
{
    HANDLE answers[] = {target->reply, target->process};
    DWORD woken = WaitForMultipleObjects(2, answers, FALSE, ANSWER_LIMIT_MS);
    uint32_t op = target->channel->op;

    if (woken != WAIT_OBJECT_0)
        fail_msg("the target did not answer command %u: wait result %lu", op, woken);
    if (target->channel->error)
        fail_msg("the target failed in command %u: error %u", op, target->channel->error);
    return target->channel->result;
}

uint64_t target_call_text(struct target *target, enum target_op op, const WCHAR *text, uint64_t a,
                          uint64_t b, uint64_t c, uint64_t d)
{
    send_command(target, op, text, (const uint64_t[TARGET_MAX_ARGUMENTS]){a, b, c, d});
    return target_answer(target);
}

uint64_t target_call(struct target *target, enum target_op op, uint64_t a, uint64_t b, uint64_t c,
                     uint64_t d)
{
    return target_call_text(target, op, NULL, a, b, c, d);
}

void target_begin(struct target *target, enum target_op op, uint64_t a, uint64_t b, uint64_t c,
                  uint64_t d)
{
    send_command(target, op, NULL, (const uint64_t[TARGET_MAX_ARGUMENTS]){a, b, c, d});
}

void target_post(struct target *target, enum target_op op, uint64_t a)
{
    target_begin(target, op, a, 0, 0, 0);
}

void target_call_fatal(struct target *target, enum target_op op, uint64_t a)
{
    target_post(target, op, a);
    assert_same(WaitForSingleObject(target->process, ANSWER_LIMIT_MS), WAIT_OBJECT_0);
}

uint64_t target_value(const struct target *target, unsigned index)
{
    assert_true(index < TARGET_MAX_VALUES);
    return target->channel->values[index];
}

void target_freeze(struct target *target)
{
    assert_true(NT_SUCCESS(NtSuspendProcess(target->process)));
    target->frozen = true;
}

void target_thaw(struct target *target)
{
    assert_true(NT_SUCCESS(NtResumeProcess(target->process)));
    target->frozen = false;
}

void target_kill(struct target *target)
{
    TerminateProcess(target->process, 99); /* it may have ended by itself */
    assert_same(WaitForSingleObject(target->process, ANSWER_LIMIT_MS), WAIT_OBJECT_0);
}

static void close_if_open(HANDLE handle)
{
    if (handle)
        CloseHandle(handle);
}

static void unlink_target(const struct target *target)
{
    for (struct target **link = &all_targets; *link; link = &(*link)->next) {
        if (*link == target) {
            *link = target->next;
            return;
        }
    }
}

void target_destroy(struct target *target)
{
    unlink_target(target);
    if (target->process) {
        TerminateProcess(target->process, 99);
        WaitForSingleObject(target->process, ANSWER_LIMIT_MS);
    }
    if (target->channel)
        UnmapViewOfFile(target->channel);
    close_if_open(target->process);
    close_if_open(target->thread);
    close_if_open(target->section);
    close_if_open(target->request);
    close_if_open(target->reply);
    free(target);
}

void target_destroy_all(void)
{
    while (all_targets)
        target_destroy(all_targets);
}

static uint64_t created_at(HANDLE process)
{
    FILETIME created = {0}, unused[3];

    if (!GetProcessTimes(process, &created, &unused[0], &unused[1], &unused[2]))
        return UINT64_MAX;
    return filetime_value(created);
}

/* Its parent's id may have been another process' before: nothing here is older than the test. */
bool target_is_older_than_test(DWORD pid)
{
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);

    if (!process)
        return false;
    bool is_older = created_at(process) < created_at(GetCurrentProcess());
    CloseHandle(process);
    return is_older;
}

/* Whether a process lives on; one that was told to end gets the time for it. */
static bool lives(DWORD pid, DWORD patience)
{
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, pid);

    if (!process)
        return GetLastError() != ERROR_INVALID_PARAMETER;
    bool ended = WaitForSingleObject(process, patience) == WAIT_OBJECT_0;
    CloseHandle(process);
    return !ended;
}

static bool is_among(DWORD pid, const DWORD *pids, DWORD count)
{
    for (DWORD i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

/* Those that have lived longer than they may are named. */
static DWORD count_children(const DWORD *parents, DWORD parent_count, DWORD patience)
{
    HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32 entry = {.dwSize = sizeof(entry)};
    DWORD count = 0;

    assert_true(list != INVALID_HANDLE_VALUE);
    for (BOOL more = Process32First(list, &entry); more; more = Process32Next(list, &entry))
        if (is_among(entry.th32ParentProcessID, parents, parent_count) &&
            !target_is_older_than_test(entry.th32ProcessID) &&
            lives(entry.th32ProcessID, patience)) {
            count++;
            if (patience)
                print_error("child %lu of %lu lives: %s\n", entry.th32ProcessID,
                            entry.th32ParentProcessID, entry.szExeFile);
        }
    CloseHandle(list);
    return count;
}

DWORD target_children_count(DWORD pid)
{
    return count_children(&pid, 1, 0);
}

DWORD target_children_left(void)
{
    DWORD parents[MAX_STARTED + 1];

    memcpy(parents, started, started_count * sizeof(started[0]));
    parents[started_count] = GetCurrentProcessId();
    return count_children(parents, started_count + 1, END_LIMIT_MS);
}

void target_forget_started(void)
{
    started_count = 0;
}

/* Suspending and resuming tells the count on every system; an ended thread answers neither. */
static void count_threads(const struct target *target, struct target_state *state)
{
    HANDLE thread = NULL;
    HANDLE next = NULL;

    while (
        NT_SUCCESS(NtGetNextThread(target->process, thread, THREAD_SUSPEND_RESUME, 0, 0, &next))) {
        DWORD before = SuspendThread(next);
        state->threads++;
        if (before != (DWORD)-1) {
            state->suspensions += before;
            ResumeThread(next);
        }
        close_if_open(thread);
        thread = next;
    }
    close_if_open(thread);
}

static DWORD count_private_pages(const struct target *target)
{
    MEMORY_BASIC_INFORMATION region;
    const char *address = NULL;
    SIZE_T pages = 0;

    while (VirtualQueryEx(target->process, address, &region, sizeof(region))) {
        if (region.State != MEM_FREE && region.Type == MEM_PRIVATE)
            pages += region.RegionSize / PAGE_SIZE_BYTES;
        address = (const char *)region.BaseAddress + region.RegionSize;
    }
    return (DWORD)pages;
}

struct target_state target_state_read(const struct target *target)
{
    struct target_state state = {0};

    count_threads(target, &state);
    state.handles = nt_handles_count(target->pid);
    state.private_pages = count_private_pages(target);
    return state;
}

void target_assert_unharmed(struct target *target, struct target_state before)
{
    struct target_state after = target_state_read(target);

    assert_same(after.threads, before.threads);
    assert_same(after.suspensions, before.suspensions);
    assert_same(after.handles, before.handles);
    assert_same(after.private_pages, before.private_pages);
    if (!target->frozen && !target->never_ran)
        assert_same(target_call(target, TARGET_PING, 0, 0, 0, 0), target->pid);
}

HPSS target_capture(struct target *target, DWORD flags, DWORD context_flags)
{
    struct target_state before = target_state_read(target);
    HPSS snapshot = NULL;

    assert_same(pss.capture(target->process, flags, context_flags, &snapshot), ERROR_SUCCESS);
    assert_non_null(snapshot);
    target_assert_unharmed(target, before);
    return snapshot;
}

const WCHAR *unique_name(WCHAR name[64], const WCHAR *stem)
{
    _snwprintf(name, 64, L"pss-test-%ls-%lu", stem, GetCurrentProcessId());
    name[63] = 0;
    return name;
}
