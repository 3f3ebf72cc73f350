/* SPDX-License-Identifier: MIT */
/*
 * A clone's owner that ends without freeing it, at any point: the clone ends with it.
 *
 * The owner is this program itself, started with --own TARGET TEST, two process ids.
 */
#include "clone.h"
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#include <tlhelp32.h>

#define OWNER_LIMIT_MS 60000

/* What the owner tells the test; in a named section. */
struct report {
    LONG begun;  /* the capture begins next */
    DWORD error; /* what it gave */
    DWORD clone; /* the clone's pid */
};

/* The test's side of one owner. */
struct owner {
    HANDLE process;
    HANDLE captured; /* event: the report is complete */
    HANDLE leave;    /* event: tells the owner to end by itself */
    HANDLE section;
    volatile struct report *report; /* a view */
};

static const WCHAR *owner_name(WCHAR name[64], const WCHAR *what, DWORD test)
{
    _snwprintf(name, 64, L"pss-test-owner-%ls-%lu", what, test);
    name[63] = 0;
    return name;
}

/* ---- In the owner ---- */

static void fill_report(volatile struct report *report, HANDLE process)
{
    PSS_VA_CLONE_INFORMATION information = {NULL};
    HPSS snapshot = NULL;

    InterlockedExchange(&report->begun, 1);
    report->error = pss.capture(process, PSS_CAPTURE_VA_CLONE | PSS_CAPTURE_THREADS, 0, &snapshot);
    if (!report->error)
        pss.query(snapshot, PSS_QUERY_VA_CLONE_INFORMATION, &information, sizeof(information));
    report->clone = information.VaCloneHandle ? GetProcessId(information.VaCloneHandle) : 0;
}

static int run_owner(DWORD target, DWORD test)
{
    WCHAR name[64];
    HANDLE section = OpenFileMappingW(FILE_MAP_WRITE, FALSE, owner_name(name, L"report", test));
    HANDLE captured = OpenEventW(EVENT_MODIFY_STATE, FALSE, owner_name(name, L"captured", test));
    HANDLE leave = OpenEventW(SYNCHRONIZE, FALSE, owner_name(name, L"leave", test));
    HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, target);

    if (!section || !captured || !leave || !process)
        return 2;
    volatile struct report *report =
        (struct report *)MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, sizeof(*report));
    if (!report)
        return 3;
    fill_report(report, process);
    SetEvent(captured);
    WaitForSingleObject(leave, OWNER_LIMIT_MS);
    return 0; /* without freeing anything */
}

/* ---- In the test ---- */

static void open_owner_objects(struct owner *owner)
{
    DWORD test = GetCurrentProcessId();
    WCHAR name[64];

    owner->captured = CreateEventW(NULL, TRUE, FALSE, owner_name(name, L"captured", test));
    owner->leave = CreateEventW(NULL, TRUE, FALSE, owner_name(name, L"leave", test));
    owner->section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                        sizeof(struct report), owner_name(name, L"report", test));
    assert_true(owner->captured && owner->leave && owner->section);
    owner->report =
        (struct report *)MapViewOfFile(owner->section, FILE_MAP_WRITE, 0, 0, sizeof(struct report));
    assert_non_null((void *)owner->report);
}

static struct owner owner_start(const struct target *target)
{
    STARTUPINFOA startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION made = {0};
    struct owner owner = {0};
    char path[MAX_PATH];
    char dll[MAX_PATH];
    char command[3 * MAX_PATH];

    open_owner_objects(&owner);
    assert_true(GetModuleFileNameA(NULL, path, MAX_PATH) > 0);
    assert_true(GetModuleFileNameA(under_test_module(), dll, MAX_PATH) > 0);
    snprintf(command, sizeof(command), "\"%s\" --own %lu %lu --under-test \"%s\"", path,
             target->pid, GetCurrentProcessId(), under_test_is_ours() ? dll : "kernel32.dll");
    assert_true(CreateProcessA(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &made));
    CloseHandle(made.hThread);
    owner.process = made.hProcess;
    return owner;
}

static void owner_wait(const struct owner *owner)
{
    HANDLE either[] = {owner->captured, owner->process};

    assert_same(WaitForMultipleObjects(2, either, FALSE, CLONE_LIMIT_MS), WAIT_OBJECT_0);
    assert_same(owner->report->error, ERROR_SUCCESS);
    assert_true(owner->report->clone != 0);
}

static void owner_kill(const struct owner *owner)
{
    TerminateProcess(owner->process, 9);
    assert_same(WaitForSingleObject(owner->process, CLONE_LIMIT_MS), WAIT_OBJECT_0);
}

static void owner_exit(const struct owner *owner)
{
    SetEvent(owner->leave);
    assert_same(WaitForSingleObject(owner->process, CLONE_LIMIT_MS), WAIT_OBJECT_0);
}

static void owner_destroy(struct owner *owner)
{
    owner_kill(owner);
    CloseHandle(owner->process);
    CloseHandle(owner->captured);
    CloseHandle(owner->leave);
    UnmapViewOfFile((void *)owner->report);
    CloseHandle(owner->section);
    memset(owner, 0, sizeof(*owner));
}

static HANDLE open_clone(const struct owner *owner)
{
    HANDLE clone = OpenProcess(PROCESS_ALL_ACCESS, FALSE, owner->report->clone);

    assert_non_null(clone);
    return clone;
}

static void assert_clone_ends_with(void (*end)(const struct owner *owner))
{
    struct target *target = target_start();
    struct owner owner = owner_start(target);

    owner_wait(&owner);
    HANDLE clone = open_clone(&owner);
    clone_assert_lives(clone);
    end(&owner);
    clone_assert_ended(clone);
    assert_same(target_call(target, TARGET_PING, 0, 0, 0, 0), target->pid);
    owner_destroy(&owner);
    target_destroy(target);
}

static void test_clone_ends_when_its_owner_is_killed(void **state)
{
    (void)state;
    only_ours();
    assert_clone_ends_with(owner_kill);
}

static void test_clone_ends_when_its_owner_exits_without_freeing_it(void **state)
{
    (void)state;
    only_ours();
    assert_clone_ends_with(owner_exit);
}

static void test_clone_ends_with_its_owner_after_the_target_is_gone(void **state)
{
    (void)state;
    only_ours();
    struct target *target = target_start();
    struct owner owner = owner_start(target);

    owner_wait(&owner);
    HANDLE clone = open_clone(&owner);
    target_destroy(target);
    clone_assert_lives(clone);
    owner_kill(&owner);
    clone_assert_ended(clone);
    owner_destroy(&owner);
}

/* The clone that somebody else made can be captured, and that clone is one's own. */
static void test_clone_of_anothers_clone_survives_that_owner(void **state)
{
    (void)state;
    only_ours();
    struct target *target = target_start();
    struct owner owner = owner_start(target);

    owner_wait(&owner);
    HANDLE first = open_clone(&owner);
    HPSS snapshot = clone_capture(first, 0, 0);
    HANDLE second = clone_watch(clone_of(snapshot));
    owner_kill(&owner);
    clone_assert_ended(first);
    clone_assert_lives(second);
    free_snapshot(snapshot);
    clone_assert_ended(second);
    owner_destroy(&owner);
    target_destroy(target);
}

static bool is_readable(DWORD pid)
{
    HANDLE process = OpenProcess(PROCESS_VM_READ, FALSE, pid);
    char byte;

    if (!process)
        return false;
    BOOL readable = ReadProcessMemory(process, (void *)(uintptr_t)0x7FFE0000, &byte, 1, NULL);
    CloseHandle(process);
    return readable;
}

/* Whether a process has a child that has come so far that it can be read. */
static bool has_child_that_stands(DWORD pid)
{
    HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32 entry = {.dwSize = sizeof(entry)};
    bool found = false;

    for (BOOL more = Process32First(list, &entry); more; more = Process32Next(list, &entry))
        found = found || (entry.th32ParentProcessID == pid &&
                          !target_is_older_than_test(entry.th32ProcessID) &&
                          is_readable(entry.th32ProcessID));
    CloseHandle(list);
    return found;
}

/*
 * Waits until the capture has begun, and on Wine until the carrier stands: when the creator of a
 * process is killed before that, Wine itself leaves a process of the host that waits for ever.
 */
static void wait_until_begun(const struct owner *owner, const struct target *target)
{
    while (!owner->report->begun && WaitForSingleObject(owner->process, 0) == WAIT_TIMEOUT)
        SwitchToThread();
    assert_same(owner->report->begun, 1);
    while (under_test_on_wine() && !has_child_that_stands(target->pid) &&
           WaitForSingleObject(owner->captured, 0) == WAIT_TIMEOUT)
        assert_same(WaitForSingleObject(owner->process, 0), WAIT_TIMEOUT);
}

static LONGLONG counts_now(void)
{
    LARGE_INTEGER now;

    QueryPerformanceCounter(&now);
    return now.QuadPart;
}

static LONGLONG measure_capture(void)
{
    struct target *target = target_start();
    struct owner owner = owner_start(target);

    wait_until_begun(&owner, target);
    LONGLONG start = counts_now();
    owner_wait(&owner);
    LONGLONG counts = counts_now() - start;
    owner_destroy(&owner);
    target_destroy(target);
    return counts;
}

static void test_clone_owner_killed_at_any_moment_leaves_no_process(void **state)
{
    enum { MOMENTS = 24 };

    (void)state;
    only_ours();
    LONGLONG duration = measure_capture();
    DWORD cut_short = 0;
    for (int i = 0; i < MOMENTS; i++) {
        struct target *target = target_start();
        struct owner owner = owner_start(target);
        wait_until_begun(&owner, target);
        LONGLONG start = counts_now();
        while (counts_now() - start < duration * i / (MOMENTS - 4))
            YieldProcessor();
        cut_short += WaitForSingleObject(owner.captured, 0) == WAIT_TIMEOUT;
        owner_destroy(&owner); /* kills it */
        target_destroy(target);
        if (target_children_left())
            fail_msg("a process is left after an owner was killed at step %d of %d", i, MOMENTS);
    }
    print_message("%lu of %d captures were cut short\n", cut_short, MOMENTS);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_clone_ends_when_its_owner_is_killed),
        PSS_TEST(test_clone_ends_when_its_owner_exits_without_freeing_it),
        PSS_TEST(test_clone_ends_with_its_owner_after_the_target_is_gone),
        PSS_TEST(test_clone_of_anothers_clone_survives_that_owner),
        PSS_TEST(test_clone_owner_killed_at_any_moment_leaves_no_process),
    };

    under_test_load(argc, argv);
    if (argc > 3 && !strcmp(argv[1], "--own"))
        return run_owner((DWORD)strtoul(argv[2], NULL, 10), (DWORD)strtoul(argv[3], NULL, 10));
    return cmocka_run_group_tests_name("clone_owner", tests, ledger_warm_up, NULL);
}
