/* SPDX-License-Identifier: MIT */
/* Captures while another thread of the caller holds the heap's or the loader's lock: they end. */
#include "ledger.h"
#include "nt_calls.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define EVERYTHING    0x00001BFEu /* what a capture without a clone can hold */
#define TIME_LIMIT_MS 60000

/* A capture on a thread that exists before the lock is taken. */
struct capturer {
    HANDLE thread;
    HANDLE start;
    HANDLE process;
    HPSS snapshot;
    DWORD error;
};

static DWORD WINAPI run_capturer(void *argument)
{
    struct capturer *capturer = (struct capturer *)argument;

    WaitForSingleObject(capturer->start, INFINITE);
    capturer->error = pss.capture(capturer->process, EVERYTHING, CONTEXT_ALL, &capturer->snapshot);
    return 0;
}

static void init_capturer(struct capturer *capturer, HANDLE process)
{
    capturer->start = CreateEventW(NULL, TRUE, FALSE, NULL);
    capturer->process = process;
    capturer->snapshot = NULL;
    capturer->error = ERROR_SUCCESS;
    capturer->thread = CreateThread(NULL, 0, run_capturer, capturer, 0, NULL);
    assert_non_null(capturer->thread);
}

/* Nothing here may need a lock that this thread holds. */
static DWORD run_capture(const struct capturer *capturer)
{
    SetEvent(capturer->start);
    return WaitForSingleObject(capturer->thread, TIME_LIMIT_MS);
}

static void fini_capturer(struct capturer *capturer)
{
    assert_same(WaitForSingleObject(capturer->thread, TIME_LIMIT_MS), WAIT_OBJECT_0);
    assert_same(capturer->error, ERROR_SUCCESS);
    assert_true(walk_count(capturer->snapshot, PSS_WALK_THREADS) > 0);
    assert_true(walk_count(capturer->snapshot, PSS_WALK_HANDLES) > 0);
    free_snapshot(capturer->snapshot);
    CloseHandle(capturer->thread);
    CloseHandle(capturer->start);
}

static void capture_with_heap_locked(HANDLE process)
{
    static struct capturer capturer; /* a thread that hangs may still write here */

    init_capturer(&capturer, process);
    assert_true(HeapLock(GetProcessHeap()));
    DWORD waited = run_capture(&capturer);
    assert_true(HeapUnlock(GetProcessHeap()));
    assert_same(waited, WAIT_OBJECT_0);
    fini_capturer(&capturer);
}

static void test_capture_self_ends_while_the_heap_is_locked(void **state)
{
    (void)state;
    only_ours();
    capture_with_heap_locked(GetCurrentProcess());
}

static void test_capture_target_ends_while_the_heap_is_locked(void **state)
{
    struct target *target = target_start();

    (void)state;
    if (under_test_is_ours())
        capture_with_heap_locked(target->process);
    target_destroy(target);
    only_ours();
}

/* As a client does that captures from a DllMain, or while another thread is in one. */
static void test_capture_self_ends_while_the_loader_is_locked(void **state)
{
    static struct capturer capturer;
    ULONG_PTR cookie = 0;

    (void)state;
    only_ours();
    init_capturer(&capturer, GetCurrentProcess());
    assert_true(NT_SUCCESS(LdrLockLoaderLock(0, NULL, &cookie)));
    DWORD waited = run_capture(&capturer);
    assert_true(NT_SUCCESS(LdrUnlockLoaderLock(0, cookie)));
    if (waited != WAIT_OBJECT_0)
        fail_msg("the capture waits for the loader's lock");
    fini_capturer(&capturer);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_capture_self_ends_while_the_heap_is_locked),
        PSS_TEST(test_capture_target_ends_while_the_heap_is_locked),
        PSS_TEST(test_capture_self_ends_while_the_loader_is_locked),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("locks_held", tests, ledger_warm_up, NULL);
}
