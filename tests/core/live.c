/* SPDX-License-Identifier: MIT */
/* The table of live handles: growth, removal, garbage, and many threads at once. */
#include "api/api.h"

#include "faulty_nt.h"
#include "harness.h"
#include "random.h"
#include "subject.h"

#define MANY      20000u
#define THREADS   8u
#define PER_ROUND 500u
#define ROUNDS    200u

/* Addresses such as the system gives: never mapped here, only entered. */
static const void *address_at(uint32_t index)
{
    return (const void *)((uintptr_t)(index + 1) << 12);
}

static void test_garbage_is_not_live(void **state)
{
    (void)state;
    for (int kind = 0; kind < PSS_LIVE_KIND_COUNT; kind++) {
        assert_false(pss_live_contains((enum pss_live_kind)kind, NULL, 0));
        assert_false(pss_live_remove((enum pss_live_kind)kind, NULL, 0));
        assert_false(pss_live_contains((enum pss_live_kind)kind, (const void *)UINTPTR_MAX, 0));
        assert_false(pss_live_remove((enum pss_live_kind)kind, (const void *)UINTPTR_MAX, 0));
        for (uint32_t i = 0; i < 10000; i++) {
            const void *garbage = (const void *)(uintptr_t)random_next();

            assert_false(pss_live_contains((enum pss_live_kind)kind, garbage, 0));
            assert_false(pss_live_remove((enum pss_live_kind)kind, garbage, 0));
        }
    }
}

static void test_address_is_live_in_its_kind_from_insert_to_remove(void **state)
{
    const void *address = address_at(7);

    (void)state;
    assert_int_equal(pss_live_insert(faulty_nt(), PSS_LIVE_SNAPSHOT, address, 0), STATUS_SUCCESS);
    assert_true(pss_live_contains(PSS_LIVE_SNAPSHOT, address, 0));
    assert_false(pss_live_contains(PSS_LIVE_MARKER, address, 0));
    assert_false(pss_live_remove(PSS_LIVE_MARKER, address, 0));
    assert_true(pss_live_remove(PSS_LIVE_SNAPSHOT, address, 0));
    assert_false(pss_live_remove(PSS_LIVE_SNAPSHOT, address, 0));
    assert_false(pss_live_contains(PSS_LIVE_SNAPSHOT, address, 0));
}

/* The table grows when there is no room near an address's place; until then it calls nothing. */
static void test_growth_without_memory_inserts_nothing(void **state)
{
    NTSTATUS status = STATUS_SUCCESS;
    uint32_t count = 0;

    (void)state;
    faulty_reset();
    faulty_fail(1, true, STATUS_COMMITMENT_LIMIT);
    while (NT_SUCCESS(status) && count < MANY)
        status = pss_live_insert(faulty_nt(), PSS_LIVE_MARKER, address_at(count++), 0);
    assert_int_equal(status, STATUS_COMMITMENT_LIMIT);
    assert_false(pss_live_contains(PSS_LIVE_MARKER, address_at(--count), 0));
    assert_true(count > 16);
    for (uint32_t i = 0; i < count; i++)
        assert_true(pss_live_remove(PSS_LIVE_MARKER, address_at(i), 0));
}

static void test_marker_create_without_memory_for_the_table_frees_the_marker(void **state)
{
    HPSSWALK markers[1024];
    uint32_t count = 0;

    (void)state;
    for (;;) {
        faulty_reset();
        faulty_fail(2, false, STATUS_COMMITMENT_LIMIT); /* the first is the marker's own memory */
        NTSTATUS status = pss_marker_create(faulty_nt(), NULL, &markers[count]);
        if (!NT_SUCCESS(status)) {
            assert_int_equal(status, STATUS_COMMITMENT_LIMIT);
            break;
        }
        assert_true(++count < 1024);
    }
    assert_null(markers[count]);
    assert_same(faulty_ledger().heap_blocks, count);
    while (count)
        assert_int_equal(pss_marker_free(faulty_nt(), markers[--count]), STATUS_SUCCESS);
    assert_same(faulty_ledger().heap_blocks, 0);
}

/* Bytes, as no other allocation has. */
#define SECOND_TABLE_SIZE (512 * (sizeof(uintptr_t) + sizeof(uint64_t)))

static NTSTATUS NTAPI refuse_a_second_table(HANDLE process, void **base, ULONG_PTR zero_bits,
                                            SIZE_T *size, ULONG type, ULONG protect)
{
    if (*size == SECOND_TABLE_SIZE)
        return STATUS_COMMITMENT_LIMIT;
    return pss_nt_system()->allocate_memory(process, base, zero_bits, size, type, protect);
}

static void test_capture_without_memory_for_the_table_frees_the_snapshot(void **state)
{
    HPSS snapshots[1024];
    uint32_t count = 0;

    (void)state;
    faulty_inner()->allocate_memory = refuse_a_second_table;
    for (;;) {
        NTSTATUS status = pss_snapshot_capture(faulty_nt(), GetCurrentProcess(), PSS_CAPTURE_NONE,
                                               0, &snapshots[count]);
        if (!NT_SUCCESS(status)) {
            assert_int_equal(status, STATUS_COMMITMENT_LIMIT);
            break;
        }
        assert_true(++count < 1024);
    }
    assert_null(snapshots[count]);
    assert_same(faulty_ledger().allocations, count);
    while (count)
        assert_int_equal(pss_snapshot_free(faulty_nt(), GetCurrentProcess(), snapshots[--count]),
                         STATUS_SUCCESS);
    faulty_assert_clean("no memory for the table");
}

static void test_many_addresses_are_all_found_and_removed_once(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < MANY; i++)
            assert_int_equal(pss_live_insert(faulty_nt(), PSS_LIVE_SNAPSHOT, address_at(i), 0),
                             STATUS_SUCCESS);
        for (uint32_t i = 0; i < MANY; i++)
            assert_true(pss_live_contains(PSS_LIVE_SNAPSHOT, address_at(i), 0));
        assert_false(pss_live_contains(PSS_LIVE_SNAPSHOT, address_at(MANY), 0));
        for (uint32_t i = 0; i < MANY; i++) {
            uint32_t index = i * 7919 % MANY; /* MANY and 7919 have no common divisor */

            assert_true(pss_live_remove(PSS_LIVE_SNAPSHOT, address_at(index), 0));
            assert_false(pss_live_remove(PSS_LIVE_SNAPSHOT, address_at(index), 0));
            assert_false(pss_live_contains(PSS_LIVE_SNAPSHOT, address_at(index), 0));
        }
    }
    assert_true(faulty_ledger().allocations < 20); /* the tables are kept for the next handles */
}

/* What one of many threads does; it only counts, the test asserts. */
struct worker {
    uint32_t index;
    uint32_t failures;
    uint32_t shared_removed;
    HANDLE start;
};

static DWORD WINAPI run_worker(void *argument)
{
    struct worker *worker = argument;
    uint32_t first = MANY + worker->index * PER_ROUND;

    WaitForSingleObject(worker->start, INFINITE);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < PER_ROUND; i++)
            worker->failures += !NT_SUCCESS(
                pss_live_insert(pss_nt_system(), PSS_LIVE_MARKER, address_at(first + i), 0));
        for (uint32_t i = 0; i < PER_ROUND; i++)
            worker->failures += !pss_live_contains(PSS_LIVE_MARKER, address_at(first + i), 0);
        for (uint32_t i = 0; i < PER_ROUND; i++)
            worker->failures += !pss_live_remove(PSS_LIVE_MARKER, address_at(first + i), 0);
        worker->failures += pss_live_contains(PSS_LIVE_MARKER, address_at(first), 0) != 0;
    }
    for (uint32_t i = 0; i < MANY; i++) /* all threads want each of these: one gets it */
        worker->shared_removed += pss_live_remove(PSS_LIVE_MARKER, address_at(i), 0) != 0;
    return 0;
}

static void test_threads_at_once_lose_nothing_and_remove_each_address_once(void **state)
{
    static struct worker workers[THREADS];
    HANDLE threads[THREADS], start = CreateEventW(NULL, TRUE, FALSE, NULL);
    uint32_t removed = 0;

    (void)state;
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(pss_live_insert(pss_nt_system(), PSS_LIVE_MARKER, address_at(i), 0),
                         STATUS_SUCCESS);
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.index = i, .start = start};
        threads[i] = CreateThread(NULL, 0, run_worker, &workers[i], 0, NULL);
        assert_non_null(threads[i]);
    }
    SetEvent(start);
    assert_same(WaitForMultipleObjects(THREADS, threads, TRUE, 60000), WAIT_OBJECT_0);
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_same(workers[i].failures, 0);
        removed += workers[i].shared_removed;
        CloseHandle(threads[i]);
    }
    assert_same(removed, MANY);
    CloseHandle(start);
}

static int set_up(void **state)
{
    (void)state;
    faulty_init();
    return 0;
}

int main(void)
{
    /* In this order: the tables that a test makes are there for the next ones. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_garbage_is_not_live, set_up),
        cmocka_unit_test_setup(test_address_is_live_in_its_kind_from_insert_to_remove, set_up),
        cmocka_unit_test_setup(test_growth_without_memory_inserts_nothing, set_up),
        cmocka_unit_test_setup(test_marker_create_without_memory_for_the_table_frees_the_marker,
                               set_up),
        cmocka_unit_test_setup(test_capture_without_memory_for_the_table_frees_the_snapshot,
                               set_up),
        cmocka_unit_test_setup(test_many_addresses_are_all_found_and_removed_once, set_up),
        cmocka_unit_test_setup(test_threads_at_once_lose_nothing_and_remove_each_address_once,
                               set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
