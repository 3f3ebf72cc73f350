/* SPDX-License-Identifier: MIT */
/* Self-captures that suspend a thread which holds the heap's or the loader's lock: they end. */
#include "ledger.h"
#include "nt_calls.h"
#include "records.h"
#include "under_test.h"

#define EVERYTHING    0x00001BFEu /* what a capture without a clone can hold */
#define TIME_LIMIT_MS 60000
#define CAPTURES      15
#define SPINS         20000 /* the lock is held most of the time */

/* Two threads: one takes a lock again and again, the other captures the process. */
struct contest {
    void (*hold)(void);
    volatile LONG is_over;
    DWORD error; /* of the capture that failed, if any */
};

static void spin(void)
{
    for (int i = 0; i < SPINS; i++)
        YieldProcessor();
}

static void hold_heap(void)
{
    HeapLock(GetProcessHeap());
    spin();
    HeapUnlock(GetProcessHeap());
}

static void hold_loader(void)
{
    ULONG_PTR cookie = 0;

    LdrLockLoaderLock(0, NULL, &cookie);
    spin();
    LdrUnlockLoaderLock(0, cookie);
}

static DWORD WINAPI run_holder(void *argument)
{
    struct contest *contest = (struct contest *)argument;

    while (!contest->is_over)
        contest->hold();
    return 0;
}

static DWORD WINAPI run_capturer(void *argument)
{
    struct contest *contest = (struct contest *)argument;

    for (int i = 0; i < CAPTURES && !contest->error; i++) {
        HPSS snapshot = NULL;
        contest->error = pss.capture(GetCurrentProcess(), EVERYTHING, CONTEXT_ALL, &snapshot);
        if (!contest->error)
            contest->error = pss.free(GetCurrentProcess(), snapshot);
    }
    contest->is_over = 1;
    return 0;
}

static void capture_while_held(void (*hold)(void))
{
    static struct contest contest; /* a thread that hangs may still write here */

    contest = (struct contest){.hold = hold};
    HANDLE threads[] = {CreateThread(NULL, 0, run_capturer, &contest, 0, NULL),
                        CreateThread(NULL, 0, run_holder, &contest, 0, NULL)};
    assert_non_null(threads[0]);
    assert_non_null(threads[1]);
    if (WaitForMultipleObjects(2, threads, TRUE, TIME_LIMIT_MS) != WAIT_OBJECT_0)
        fail_msg("the capture waits for a lock of a thread that it has suspended");
    CloseHandle(threads[0]);
    CloseHandle(threads[1]);
    assert_same(contest.error, ERROR_SUCCESS);
}

static void test_capture_self_ends_when_a_suspended_thread_holds_the_heap(void **state)
{
    (void)state;
    capture_while_held(hold_heap);
}

static void test_capture_self_ends_when_a_suspended_thread_holds_the_loader(void **state)
{
    (void)state;
    capture_while_held(hold_loader);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_capture_self_ends_when_a_suspended_thread_holds_the_heap),
        PSS_TEST(test_capture_self_ends_when_a_suspended_thread_holds_the_loader),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("locks_held", tests, ledger_warm_up, NULL);
}
