/* SPDX-License-Identifier: MIT */
/* Several threads at once: walking one snapshot, capturing, freeing, making markers. */
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define THREADS       6
#define TIME_LIMIT_MS 90000
#define CONTEXTS      (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)
#define EVERYTHING                                                               \
    (PSS_CAPTURE_RESERVED_00000002 | PSS_CAPTURE_HANDLES | PSS_CAPTURE_THREADS | \
     PSS_CAPTURE_VA_SPACE)

/* One worker; asserts belong to the main thread, so it counts what goes wrong. */
struct worker {
    DWORD(WINAPI *run)(void *worker);
    HPSS snapshot;  /* shared */
    HANDLE process; /* shared, to capture */
    HANDLE start;   /* shared event */
    DWORD flags;
    DWORD rounds;
    DWORD wrong;     /* calls that did not do as they should */
    DWORD last_code; /* of the last such call */
};

static void expect(struct worker *worker, DWORD actual, DWORD expected)
{
    if (actual == expected)
        return;
    worker->wrong++;
    worker->last_code = actual;
}

/* Starts the workers at one moment and waits for all: a deadlock fails the test. */
static void run_at_once(struct worker workers[THREADS])
{
    HANDLE threads[THREADS];
    HANDLE start = CreateEventW(NULL, TRUE, FALSE, NULL);

    for (int i = 0; i < THREADS; i++) {
        workers[i].start = start;
        threads[i] = CreateThread(NULL, 0, workers[i].run, &workers[i], 0, NULL);
        assert_non_null(threads[i]);
    }
    SetEvent(start);
    assert_same(WaitForMultipleObjects(THREADS, threads, TRUE, TIME_LIMIT_MS), WAIT_OBJECT_0);
    for (int i = 0; i < THREADS; i++) {
        CloseHandle(threads[i]);
        if (workers[i].wrong)
            fail_msg("worker %d: %lu calls went wrong, the last with %lu", i, workers[i].wrong,
                     workers[i].last_code);
    }
    CloseHandle(start);
}

static uint64_t walk_checksum(struct worker *worker, HPSSWALK marker, DWORD information)
{
    unsigned char entry[256];
    uint64_t sum = 0;
    DWORD error;

    while (
        !(error = pss.walk(worker->snapshot, information, marker, entry, walk_size(information))))
        for (DWORD i = 0; i < walk_size(information); i++)
            sum = sum * 31 + entry[i];
    expect(worker, error, ERROR_NO_MORE_ITEMS);
    return sum;
}

static DWORD WINAPI run_walker(void *argument)
{
    struct worker *worker = (struct worker *)argument;
    HPSSWALK marker = NULL;
    uint64_t first[4] = {0};

    WaitForSingleObject(worker->start, INFINITE);
    expect(worker, pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    for (DWORD round = 0; round < worker->rounds; round++) {
        for (DWORD information = 0; information < 4; information++) {
            uint64_t sum = walk_checksum(worker, marker, information);
            if (!round)
                first[information] = sum;
            expect(worker, sum == first[information], TRUE);
        }
    }
    expect(worker, pss.marker_free(marker), ERROR_SUCCESS);
    return 0;
}

static void test_threads_walk_one_snapshot_with_own_markers(void **state)
{
    struct worker workers[THREADS];
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(), EVERYTHING, 0, &snapshot), ERROR_SUCCESS);
    for (int i = 0; i < THREADS; i++)
        workers[i] = (struct worker){.run = run_walker, .snapshot = snapshot, .rounds = 60};
    run_at_once(workers);
    free_snapshot(snapshot);
}

static DWORD WINAPI run_capturer(void *argument)
{
    struct worker *worker = (struct worker *)argument;

    WaitForSingleObject(worker->start, INFINITE);
    for (DWORD round = 0; round < worker->rounds; round++) {
        PSS_PROCESS_INFORMATION information = {0};
        HPSS snapshot = NULL;
        expect(worker, pss.capture(worker->process, worker->flags, CONTEXT_ALL, &snapshot),
               ERROR_SUCCESS);
        expect(worker, pss.query(snapshot, 0, &information, sizeof(information)), ERROR_SUCCESS);
        expect(worker, information.ProcessId, GetProcessId(worker->process));
        expect(worker, pss.free(GetCurrentProcess(), snapshot), ERROR_SUCCESS);
    }
    return 0;
}

static void capture_at_once(HANDLE process, DWORD flags, DWORD rounds)
{
    struct worker workers[THREADS];

    for (int i = 0; i < THREADS; i++)
        workers[i] = (struct worker){
            .run = run_capturer, .process = process, .flags = flags, .rounds = rounds};
    run_at_once(workers);
}

static void test_threads_capture_self_and_free(void **state)
{
    (void)state;
    capture_at_once(GetCurrentProcess(), EVERYTHING, 15);
}

/* Each suspends the others: two that suspended each other would never end. */
static void test_threads_capture_self_with_contexts(void **state)
{
    (void)state;
    capture_at_once(GetCurrentProcess(), CONTEXTS, 25);
}

static void test_threads_capture_one_target_with_contexts_and_thaw_it(void **state)
{
    struct target *target = target_start();

    (void)state;
    target_call(target, TARGET_THREADS, 5, 0, 0, 0);
    struct target_state before = target_state_read(target);
    capture_at_once(target->process, CONTEXTS | PSS_CAPTURE_HANDLES, 15);
    target_assert_unharmed(target, before);
    target_destroy(target);
}

static DWORD WINAPI run_marker_maker(void *argument)
{
    struct worker *worker = (struct worker *)argument;
    PSS_THREAD_ENTRY entry;

    WaitForSingleObject(worker->start, INFINITE);
    for (DWORD round = 0; round < worker->rounds; round++) {
        HPSSWALK marker = NULL;
        expect(worker, pss.marker_create(NULL, &marker), ERROR_SUCCESS);
        expect(worker, pss.walk(worker->snapshot, PSS_WALK_THREADS, marker, &entry, sizeof(entry)),
               ERROR_SUCCESS);
        expect(worker, pss.marker_free(marker), ERROR_SUCCESS);
    }
    return 0;
}

static void test_threads_make_and_free_markers(void **state)
{
    struct worker workers[THREADS];
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(), EVERYTHING, 0, &snapshot), ERROR_SUCCESS);
    for (int i = 0; i < THREADS; i++)
        workers[i] = (struct worker){.run = run_marker_maker, .snapshot = snapshot, .rounds = 2000};
    run_at_once(workers);
    free_snapshot(snapshot);
}

/* Walkers, context captures of the own process and marker makers, all at the same time. */
static void test_threads_do_everything_together(void **state)
{
    DWORD(WINAPI *const runs[])(void *) = {run_walker, run_capturer, run_marker_maker};
    struct worker workers[THREADS];
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(), EVERYTHING, 0, &snapshot), ERROR_SUCCESS);
    for (int i = 0; i < THREADS; i++)
        workers[i] = (struct worker){.run = runs[i % 3],
                                     .snapshot = snapshot,
                                     .process = GetCurrentProcess(),
                                     .flags = CONTEXTS | PSS_CAPTURE_VA_SPACE,
                                     .rounds = 25};
    run_at_once(workers);
    free_snapshot(snapshot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_threads_walk_one_snapshot_with_own_markers),
        PSS_TEST(test_threads_capture_self_and_free),
        PSS_TEST(test_threads_capture_self_with_contexts),
        PSS_TEST(test_threads_capture_one_target_with_contexts_and_thaw_it),
        PSS_TEST(test_threads_make_and_free_markers),
        PSS_TEST(test_threads_do_everything_together),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("threads_at_once", tests, ledger_warm_up, NULL);
}
