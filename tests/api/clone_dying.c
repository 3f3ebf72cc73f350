/* SPDX-License-Identifier: MIT */
/* Targets and clones that are killed during the capture: it never hangs, and leaves nothing. */
#include "clone.h"
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#include <tlhelp32.h>

#define MOMENTS 30
#define SIZE    0x800000u

/* A capture on a thread of its own, so that one that hangs fails the test. */
static struct capturer {
    HANDLE process;
    HANDLE thread;
    volatile LONG begun;
    HPSS snapshot;
    DWORD error;
} capturer; /* a thread that hangs may still write here */

static LONGLONG counts_now(void)
{
    LARGE_INTEGER now;

    QueryPerformanceCounter(&now);
    return now.QuadPart;
}

static DWORD WINAPI run_capturer(void *argument)
{
    (void)argument;
    InterlockedExchange(&capturer.begun, 1);
    capturer.error = pss.capture(capturer.process, PSS_CAPTURE_VA_CLONE | PSS_CAPTURE_THREADS, 0,
                                 &capturer.snapshot);
    return 0;
}

static void capturer_start(const struct target *target)
{
    capturer = (struct capturer){.process = target->process, .snapshot = (HPSS)(uintptr_t)1};
    capturer.thread = CreateThread(NULL, 0, run_capturer, NULL, 0, NULL);
    assert_non_null(capturer.thread);
    while (!capturer.begun)
        SwitchToThread();
}

static bool capturer_is_done(void)
{
    return WaitForSingleObject(capturer.thread, 0) == WAIT_OBJECT_0;
}

static void capturer_wait(void)
{
    if (WaitForSingleObject(capturer.thread, CLONE_LIMIT_MS) != WAIT_OBJECT_0)
        fail_msg("the capture hangs");
    CloseHandle(capturer.thread);
}

static struct target *start_subject(void)
{
    struct target *target = target_start();
    uint64_t memory =
        target_call(target, TARGET_ALLOCATE, 0, SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    target_call(target, TARGET_FILL, memory, SIZE, 1, 0);
    return target;
}

static LONGLONG measure_capture(void)
{
    struct target *target = start_subject();
    LONGLONG start = counts_now();

    capturer_start(target);
    capturer_wait();
    LONGLONG duration = counts_now() - start;
    assert_same(capturer.error, ERROR_SUCCESS);
    free_snapshot(capturer.snapshot);
    target_destroy(target);
    return duration;
}

static void wait_until(LONGLONG moment)
{
    while (counts_now() < moment)
        YieldProcessor();
}

/* What the capture gave is freed; a failure gives nothing. */
static void assert_outcome(bool allowed)
{
    if (!allowed)
        fail_msg("the capture gives error %lu", capturer.error);
    if (capturer.error)
        assert_null(capturer.snapshot);
    else
        free_snapshot(capturer.snapshot);
}

static void test_clone_of_a_target_killed_at_any_moment_is_success_or_partial_copy(void **state)
{
    LONGLONG duration = measure_capture();
    DWORD partial = 0;

    (void)state;
    ledger_forgive_stuck_queries();
    for (int i = 0; i < MOMENTS; i++) {
        struct target *target = start_subject();
        LONGLONG start = counts_now();
        capturer_start(target);
        wait_until(start + duration * i / (MOMENTS - 4));
        target_kill(target);
        capturer_wait();
        partial += capturer.error == ERROR_PARTIAL_COPY;
        assert_outcome(!capturer.error || capturer.error == ERROR_PARTIAL_COPY);
        target_destroy(target);
        assert_same(target_children_left(), 0);
    }
    print_message("%lu of %d captures were cut short\n", partial, MOMENTS);
}

/* A child that has come so far that it can be read: Wine's server ends if it is killed before. */
static HANDLE open_child(DWORD pid)
{
    HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32 entry = {.dwSize = sizeof(entry)};
    HANDLE child = NULL;
    char byte;

    for (BOOL more = Process32First(list, &entry); more && !child;
         more = Process32Next(list, &entry))
        if (entry.th32ParentProcessID == pid && !target_is_older_than_test(entry.th32ProcessID))
            child = OpenProcess(PROCESS_TERMINATE | PROCESS_VM_READ | SYNCHRONIZE, FALSE,
                                entry.th32ProcessID);
    CloseHandle(list);
    if (child && !ReadProcessMemory(child, (void *)(uintptr_t)0x7FFE0000, &byte, 1, NULL)) {
        CloseHandle(child);
        child = NULL;
    }
    return child;
}

/* Somebody cleans up what looks like a process without use. */
static void test_clone_killed_at_any_moment_of_the_capture_does_no_harm(void **state)
{
    LONGLONG duration = measure_capture();
    DWORD failed = 0;

    (void)state;
    ledger_forgive_stuck_queries();
    for (int i = 0; i < MOMENTS; i++) {
        struct target *target = start_subject();
        HANDLE clone = NULL;
        capturer_start(target);
        while (!clone && !capturer_is_done())
            clone = open_child(target->pid);
        wait_until(counts_now() + duration * i / MOMENTS);
        if (clone)
            TerminateProcess(clone, 1);
        capturer_wait();
        failed += capturer.error != ERROR_SUCCESS;
        assert_outcome(true);
        if (clone)
            clone_assert_ended(clone);
        assert_same(target_call(target, TARGET_PING, 0, 0, 0, 0), target->pid);
        assert_same(target_state_read(target).suspensions, 0);
        target_destroy(target);
    }
    print_message("%lu of %d captures failed\n", failed, MOMENTS);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_clone_of_a_target_killed_at_any_moment_is_success_or_partial_copy),
        PSS_TEST(test_clone_killed_at_any_moment_of_the_capture_does_no_harm),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clone_dying", tests, ledger_warm_up, NULL);
}
