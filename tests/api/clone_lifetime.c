/* SPDX-License-Identifier: MIT */
/* When a clone ends: with its snapshot, and with nothing else; and who may be cloned. */
#include "clone.h"
#include "ledger.h"
#include "pattern.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define SIZE   0x40000u
#define COMMIT (MEM_RESERVE | MEM_COMMIT)

static HPSS capture(const struct target *target)
{
    return clone_capture(target->process, 0, 0);
}

static uint64_t filled(struct target *target, uint64_t seed)
{
    uint64_t memory = target_call(target, TARGET_ALLOCATE, 0, SIZE, COMMIT, PAGE_READWRITE);

    target_call(target, TARGET_FILL, memory, SIZE, seed, 0);
    return memory;
}

static void test_clone_ends_with_its_snapshot(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = capture(target);
    HANDLE clone = clone_watch(clone_of(snapshot));

    (void)state;
    free_snapshot(snapshot);
    clone_assert_ended(clone);
    assert_same(target_call(target, TARGET_PING, 0, 0, 0, 0), target->pid);
    target_destroy(target);
}

static void test_clone_ends_with_its_snapshot_though_a_marker_lives(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = clone_capture(target->process, PSS_CAPTURE_VA_SPACE, 0);
    HANDLE clone = clone_watch(clone_of(snapshot));
    struct records records = records_read(snapshot, PSS_WALK_VA_SPACE);

    (void)state;
    free_snapshot(snapshot);
    clone_assert_ended(clone);
    assert_true(record_at(records, PSS_VA_SPACE_ENTRY, 0)->RegionSize > 0);
    records_free(&records);
    target_destroy(target);
}

static void test_clone_leaves_the_target_unharmed(void **state)
{
    static const DWORD flags[] = {0, PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT,
                                  PSS_CAPTURE_HANDLES | PSS_CAPTURE_VA_SPACE};
    struct target *target = target_start();

    (void)state;
    target_call(target, TARGET_THREADS, 4, 0, 0, 0);
    for (int i = 0; i < 3; i++)
        free_snapshot(target_capture(target, PSS_CAPTURE_VA_CLONE | flags[i], CONTEXT_ALL));
    assert_same(target_children_count(target->pid), 0);
    target_destroy(target);
}

static void test_clone_leaves_no_process_behind(void **state)
{
    struct target *target = target_start();

    (void)state;
    assert_same(target_children_count(target->pid), 0);
    for (int i = 0; i < 5; i++) {
        HPSS snapshot = capture(target);
        HANDLE clone = clone_watch(clone_of(snapshot));
        assert_true(target_children_count(target->pid) <= 1);
        free_snapshot(snapshot);
        clone_assert_ended(clone);
    }
    assert_same(target_children_count(target->pid), 0);
    target_destroy(target);
}

static void test_clone_survives_the_target(void **state)
{
    struct target *target = target_start();
    uint64_t memory = filled(target, 5);
    HPSS snapshot = capture(target);
    HANDLE clone = clone_watch(clone_of(snapshot));

    (void)state;
    target_destroy(target);
    clone_assert_lives(clone);
    clone_assert_pattern(clone_of(snapshot), memory, SIZE, 5);
    free_snapshot(snapshot);
    clone_assert_ended(clone);
}

static void test_clone_survives_an_exit_and_a_crash_of_the_target(void **state)
{
    static const enum target_op ends[] = {TARGET_EXIT, TARGET_CRASH};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct target *target = target_start();
        uint64_t memory = filled(target, 6);
        HPSS snapshot = capture(target);
        target_call_fatal(target, ends[i], 8);
        clone_assert_pattern(clone_of(snapshot), memory, SIZE, 6);
        free_snapshot(snapshot);
        target_destroy(target);
    }
}

static void test_clone_twice_gives_two_that_end_apart(void **state)
{
    struct target *target = target_start();
    uint64_t memory = filled(target, 1);
    HPSS first = capture(target);

    (void)state;
    target_call(target, TARGET_FILL, memory, SIZE, 2, 0);
    HPSS second = capture(target);
    target_call(target, TARGET_FILL, memory, SIZE, 3, 0);
    assert_true(GetProcessId(clone_of(first)) != GetProcessId(clone_of(second)));
    clone_assert_pattern(clone_of(first), memory, SIZE, 1);
    HANDLE clone = clone_watch(clone_of(first));
    free_snapshot(first);
    clone_assert_ended(clone);
    clone_assert_pattern(clone_of(second), memory, SIZE, 2);
    free_snapshot(second);
    target_destroy(target);
}

static void test_clone_of_a_clone_survives_the_first(void **state)
{
    struct target *target = target_start();
    uint64_t memory = filled(target, 4);
    HPSS first = capture(target);
    HPSS second = clone_capture(clone_of(first), PSS_CAPTURE_VA_SPACE, 0);
    HANDLE clones[] = {clone_watch(clone_of(first)), clone_watch(clone_of(second))};

    (void)state;
    target_destroy(target);
    clone_assert_pattern(clone_of(second), memory, SIZE, 4);
    free_snapshot(first);
    clone_assert_ended(clones[0]);
    clone_assert_lives(clones[1]);
    clone_assert_pattern(clone_of(second), memory, SIZE, 4);
    free_snapshot(second);
    clone_assert_ended(clones[1]);
}

static void test_clone_of_a_clone_ends_before_the_first(void **state)
{
    struct target *target = target_start();
    uint64_t memory = filled(target, 4);
    HPSS first = capture(target);
    HPSS second = clone_capture(clone_of(first), 0, 0);
    HANDLE clones[] = {clone_watch(clone_of(first)), clone_watch(clone_of(second))};

    (void)state;
    free_snapshot(second);
    clone_assert_ended(clones[1]);
    clone_assert_lives(clones[0]);
    clone_assert_pattern(clone_of(first), memory, SIZE, 4);
    free_snapshot(first);
    clone_assert_ended(clones[0]);
    target_destroy(target);
}

static void test_clone_of_the_caller_itself_keeps_its_bytes(void **state)
{
    uint64_t *words = (uint64_t *)VirtualAlloc(NULL, SIZE, COMMIT, PAGE_READWRITE);
    volatile uint64_t on_stack = 0x1234567887654321ull;
    uint64_t held = 0;

    (void)state;
    assert_non_null(words);
    for (uint64_t i = 0; i < SIZE / sizeof(words[0]); i++)
        words[i] = pattern_word(9, i);
    HPSS snapshot = clone_capture(GetCurrentProcess(), PSS_CAPTURE_THREADS, 0);
    memset(words, 0xDB, SIZE);
    on_stack = 0;
    clone_assert_pattern(clone_of(snapshot), address_of(words), SIZE, 9);
    clone_read(clone_of(snapshot), address_of(&on_stack), &held, sizeof(held));
    assert_same(held, 0x1234567887654321ull);
    HANDLE clone = clone_watch(clone_of(snapshot));
    free_snapshot(snapshot);
    clone_assert_ended(clone);
    VirtualFree(words, 0, MEM_RELEASE);
}

static void test_clone_of_the_caller_with_contexts_keeps_them_apart(void **state)
{
    HPSS snapshot = clone_capture(GetCurrentProcess(),
                                  PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT, CONTEXT_ALL);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);

    (void)state;
    for (DWORD i = 0; i < records.count; i++)
        assert_same(record_at(records, PSS_THREAD_ENTRY, i)->ProcessId, GetCurrentProcessId());
    records_free(&records);
    free_snapshot(snapshot);
}

static void test_clone_of_a_child_that_never_ran_has_its_memory(void **state)
{
    struct target *target = target_start_never_ran();
    void *memory = VirtualAllocEx(target->process, NULL, SIZE, COMMIT, PAGE_READWRITE);
    uint64_t word = 0xFEEDFACECAFEBEEFull;
    uint64_t held = 0;

    (void)state;
    assert_non_null(memory);
    assert_true(WriteProcessMemory(target->process, memory, &word, sizeof(word), NULL));
    HPSS snapshot = capture(target);
    clone_read(clone_of(snapshot), address_of(memory), &held, sizeof(held));
    assert_same(held, word);
    free_snapshot(snapshot);
    target_run(target); /* it still begins as if nothing had been */
    target_destroy(target);
}

static void test_clone_of_a_target_with_200_threads_succeeds(void **state)
{
    struct target *target = target_start();
    uint64_t memory = filled(target, 8);

    (void)state;
    target_call(target, TARGET_THREADS, 200, 0, 0, 0);
    HPSS snapshot = target_capture(
        target, PSS_CAPTURE_VA_CLONE | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT,
        CONTEXT_ALL);
    assert_true(walk_count(snapshot, PSS_WALK_THREADS) >= 201);
    clone_assert_pattern(clone_of(snapshot), memory, SIZE, 8);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_clone_of_an_ended_process_is_partial_copy(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = (HPSS)(uintptr_t)0x5A5A5A58;

    (void)state;
    target_kill(target);
    DWORD error = pss.capture(target->process, PSS_CAPTURE_VA_CLONE, 0, &snapshot);
    if (under_test_is_ours())
        assert_same(error, ERROR_PARTIAL_COPY);
    assert_true(error != ERROR_SUCCESS);
    assert_null(snapshot);
    assert_same(target_children_count(target->pid), 0);
    target_destroy(target);
}

static void test_clone_not_captured_is_not_found(void **state)
{
    PSS_VA_CLONE_INFORMATION information;
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(), PSS_CAPTURE_THREADS, 0, &snapshot), ERROR_SUCCESS);
    assert_same(
        pss.query(snapshot, PSS_QUERY_VA_CLONE_INFORMATION, &information, sizeof(information)),
        ERROR_NOT_FOUND);
    free_snapshot(snapshot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_clone_ends_with_its_snapshot),
        PSS_TEST(test_clone_ends_with_its_snapshot_though_a_marker_lives),
        PSS_TEST(test_clone_leaves_the_target_unharmed),
        PSS_TEST(test_clone_leaves_no_process_behind),
        PSS_TEST(test_clone_survives_the_target),
        PSS_TEST(test_clone_survives_an_exit_and_a_crash_of_the_target),
        PSS_TEST(test_clone_twice_gives_two_that_end_apart),
        PSS_TEST(test_clone_of_a_clone_survives_the_first),
        PSS_TEST(test_clone_of_a_clone_ends_before_the_first),
        PSS_TEST(test_clone_of_the_caller_itself_keeps_its_bytes),
        PSS_TEST(test_clone_of_the_caller_with_contexts_keeps_them_apart),
        PSS_TEST(test_clone_of_a_child_that_never_ran_has_its_memory),
        PSS_TEST(test_clone_of_a_target_with_200_threads_succeeds),
        PSS_TEST(test_clone_of_an_ended_process_is_partial_copy),
        PSS_TEST(test_clone_not_captured_is_not_found),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clone_lifetime", tests, ledger_warm_up, NULL);
}
