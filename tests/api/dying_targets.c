/* SPDX-License-Identifier: MIT */
/* Targets that die during the capture: it succeeds or gives 299, never hangs, and leaks nothing. */
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define EVERYTHING    0x00001BFEu /* what a capture without a clone can hold */
#define TIME_LIMIT_MS 30000

/* A process that kills another one at a given moment of a capture. */
struct killer {
    HANDLE process;
    HANDLE start;
    LONGLONG moment; /* performance counts after the start */
};

static LONGLONG counts_now(void)
{
    LARGE_INTEGER now;

    QueryPerformanceCounter(&now);
    return now.QuadPart;
}

static DWORD WINAPI run_killer(void *argument)
{
    const struct killer *killer = (const struct killer *)argument;

    WaitForSingleObject(killer->start, INFINITE);
    LONGLONG start = counts_now();
    while (counts_now() - start < killer->moment)
        YieldProcessor();
    return (DWORD)TerminateProcess(killer->process, 66);
}

static LONGLONG measure_capture(void)
{
    struct target *target = target_start();
    HPSS snapshot = NULL;
    LONGLONG start = counts_now();

    assert_same(pss.capture(target->process, EVERYTHING, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    LONGLONG duration = counts_now() - start;
    free_snapshot(snapshot);
    target_destroy(target);
    return duration;
}

static void assert_success_or_partial(DWORD error, HPSS snapshot)
{
    assert_true(error == ERROR_SUCCESS || error == ERROR_PARTIAL_COPY);
    if (error) {
        assert_null(snapshot);
        return;
    }
    assert_true(walk_count(snapshot, PSS_WALK_VA_SPACE) > 0);
    free_snapshot(snapshot);
}

/* A capture on a thread of its own, so that one that hangs fails the test. */
struct capturer {
    HANDLE process;
    HPSS snapshot;
    DWORD error;
};

static DWORD WINAPI run_capturer(void *argument)
{
    struct capturer *capturer = (struct capturer *)argument;

    capturer->error = pss.capture(capturer->process, EVERYTHING, CONTEXT_ALL, &capturer->snapshot);
    return 0;
}

/* Starts the capture, then kills after a while; returns what the capture gave. */
static DWORD capture_while_killing(struct target *target, LONGLONG moment, HPSS *snapshot)
{
    static struct capturer capturer; /* a thread that hangs may still write here */
    struct killer killer = {target->process, CreateEventW(NULL, TRUE, FALSE, NULL), moment};

    capturer = (struct capturer){target->process, (HPSS)(uintptr_t)1, 0};
    HANDLE threads[] = {CreateThread(NULL, 0, run_killer, &killer, CREATE_SUSPENDED, NULL),
                        CreateThread(NULL, 0, run_capturer, &capturer, CREATE_SUSPENDED, NULL)};
    assert_non_null(threads[0]);
    assert_non_null(threads[1]);
    SetEvent(killer.start);
    ResumeThread(threads[1]);
    ResumeThread(threads[0]);
    if (WaitForMultipleObjects(2, threads, TRUE, TIME_LIMIT_MS) != WAIT_OBJECT_0)
        fail_msg("the capture hangs when its target is killed");
    CloseHandle(threads[0]);
    CloseHandle(threads[1]);
    CloseHandle(killer.start);
    *snapshot = capturer.snapshot;
    return capturer.error;
}

static void test_target_killed_at_any_moment_gives_success_or_partial_copy(void **state)
{
    enum { MOMENTS = 40 };
    LONGLONG duration = measure_capture();
    DWORD partial = 0;

    (void)state;
    ledger_forgive_stuck_queries();
    for (int i = 0; i < MOMENTS; i++) {
        struct target *target = target_start();
        HPSS snapshot = NULL;
        DWORD error = capture_while_killing(target, duration * i * 5 / (MOMENTS * 4), &snapshot);
        if (error && error != ERROR_PARTIAL_COPY)
            print_error("killed at step %d of %d: error %lu\n", i, MOMENTS, error);
        partial += error == ERROR_PARTIAL_COPY;
        assert_success_or_partial(error, snapshot);
        target_destroy(target);
    }
    print_message("%lu of %d captures were cut short\n", partial, MOMENTS);
}

static void test_target_that_exits_meanwhile_gives_success_or_partial_copy(void **state)
{
    (void)state;
    ledger_forgive_stuck_queries();
    for (int i = 0; i < 10; i++) {
        struct target *target = target_start();
        HPSS snapshot = (HPSS)(uintptr_t)1;
        target_post(target, i % 2 ? TARGET_CRASH : TARGET_EXIT, 8);
        DWORD error = pss.capture(target->process, EVERYTHING, CONTEXT_ALL, &snapshot);
        if (error && error != ERROR_PARTIAL_COPY)
            print_error("error %lu\n", error);
        assert_success_or_partial(error, snapshot);
        /* And the suspension of the capture did not keep it from ending. */
        assert_same(WaitForSingleObject(target->process, TIME_LIMIT_MS), WAIT_OBJECT_0);
        target_destroy(target);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_target_killed_at_any_moment_gives_success_or_partial_copy),
        PSS_TEST(test_target_that_exits_meanwhile_gives_success_or_partial_copy),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("dying_targets", tests, ledger_warm_up, NULL);
}
