/* SPDX-License-Identifier: MIT */
/* A table of live handles that is full and cannot grow: what was made for the handle goes again. */
#include "ship_world.h"

#define TABLE      4096 /* more than the first table has places, at any address */
#define SOME_FLAGS (EVERYTHING | PSS_CAPTURE_VA_CLONE)

static const void *taken[TABLE];
static uint32_t taken_count;

/* Leaves no place in the first table, and no other one behind it. */
static void fill_table(enum pss_live_kind kind)
{
    uint64_t budget = fake.memory_budget;

    fake.memory_budget = 0;
    taken_count = 0;
    for (uintptr_t i = 1; i < 0x40000 && taken_count < TABLE; i++)
        if (NT_SUCCESS(pss_live_insert(fake_nt(), kind, pointer_to(i * 0x10000), 0)))
            taken[taken_count++] = pointer_to(i * 0x10000);
    assert_true(taken_count > 0 && taken_count < TABLE);
    fake.memory_budget = budget;
}

static void empty_table(enum pss_live_kind kind)
{
    for (uint32_t i = 0; i < taken_count; i++)
        assert_true(pss_live_remove(kind, taken[i], 0));
}

static void fail_call(uint64_t number)
{
    fake.faults = 0;
    fake.fault = (struct fake_fault){.first = fake.calls + number, .status = STATUS_NO_MEMORY};
}

static void assert_failed(NTSTATUS status)
{
    assert_same(status, STATUS_NO_MEMORY);
    assert_same(fake.faults, 1);
    fake.fault.first = 0;
}

/* The call behind the last one of a capture is the one for a larger table. */
static void capture_without_place(uint32_t flags, enum pss_live_kind kind)
{
    uint64_t before = fake.calls, calls;
    struct fake_ledger ledger;
    HPSS snapshot;

    assert_same(
        pss_snapshot_capture(fake_nt(), world.process, flags, CONTEXT_EVERYTHING, &snapshot),
        STATUS_SUCCESS);
    calls = fake.calls - before;
    ship_free(PSS_CURRENT_PROCESS, snapshot);
    ledger = fake_ledger_now();
    fill_table(kind);
    fail_call(calls + 1);
    assert_failed(
        pss_snapshot_capture(fake_nt(), world.process, flags, CONTEXT_EVERYTHING, &snapshot));
    assert_null(snapshot);
    empty_table(kind);
    assert_same(fake_ledger_now().allocations, ledger.allocations);
    assert_same(fake_ledger_now().handles, ledger.handles);
}

static void test_capture_without_place_leaves_nothing(void **state)
{
    (void)state;
    capture_without_place(SOME_FLAGS, PSS_LIVE_SNAPSHOT);
    capture_without_place(SOME_FLAGS | PSS_CREATE_USE_VM_ALLOCATIONS, PSS_LIVE_SHARED_SNAPSHOT);
}

static void test_marker_without_place_leaves_nothing(void **state)
{
    uint64_t blocks = fake_ledger_now().heap_blocks;
    HPSSWALK marker = pointer_to(1);

    (void)state;
    fill_table(PSS_LIVE_MARKER);
    fail_call(2);
    assert_failed(pss_marker_create(fake_nt(), NULL, &marker));
    assert_null(marker);
    empty_table(PSS_LIVE_MARKER);
    assert_same(fake_ledger_now().heap_blocks, blocks);
}

/* From the own process and from another one. */
static void duplicate_without_place(HANDLE source, HPSS snapshot)
{
    uint64_t before = fake.calls, calls;
    struct fake_ledger ledger;
    HPSS duplicate = ship_duplicate(source, snapshot, PSS_CURRENT_PROCESS, 0);
    enum pss_live_kind kind = PSS_LIVE_SHARED_SNAPSHOT;

    calls = fake.calls - before;
    ship_free(PSS_CURRENT_PROCESS, duplicate);
    ledger = fake_ledger_now();
    fill_table(kind);
    fail_call(calls + 1);
    assert_failed(ship_try(source, snapshot, PSS_CURRENT_PROCESS, 0, &duplicate));
    assert_null(duplicate);
    empty_table(kind);
    assert_same(fake_ledger_now().allocations, ledger.allocations);
    assert_same(fake_ledger_now().handles, ledger.handles);
}

static void test_duplicate_without_place_leaves_nothing(void **state)
{
    HPSS left;

    (void)state;
    left = ship_leave(ship.to_first, SHIP_FLAGS);
    world_capture(SHIP_FLAGS);
    duplicate_without_place(PSS_CURRENT_PROCESS, world.snapshot);
    duplicate_without_place(ship.to_first, left);
    ship_free(ship.to_first, left);
}

/* ---- tables that come; the library keeps them, so no system can be behind these tests ---- */

static void insert_first(void *context)
{
    fake_unlock(); /* an event happens within a call */
    assert_same(pss_live_insert(fake_nt(), PSS_LIVE_MARKER, context, 0), STATUS_SUCCESS);
    fake_lock();
}

/* Another thread adds the table while this one asks for the memory of its own. */
static void test_table_that_comes_second_goes(void **state)
{
    void *place = pointer_to(0x40000 * 0x1000ull);
    uint64_t before = fake_ledger_now().allocations;

    (void)state;
    fill_table(PSS_LIVE_MARKER);
    fake.context = place;
    fake.event = insert_first;
    fake.event_call = fake.all_calls + 1;
    assert_same(pss_live_insert(fake_nt(), PSS_LIVE_MARKER, place, 0), STATUS_SUCCESS);
    fake.event = NULL;
    assert_same(fake_ledger_now().allocations, before + 1);
    for (int i = 0; i < 2; i++)
        assert_true(pss_live_remove(PSS_LIVE_MARKER, place, 0));
    assert_false(pss_live_remove(PSS_LIVE_MARKER, place, 0));
    empty_table(PSS_LIVE_MARKER);
}

static int keep_tables(void **state)
{
    (void)state;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ship_test(test_capture_without_place_leaves_nothing),
        ship_test(test_marker_without_place_leaves_nothing),
        ship_test(test_duplicate_without_place_leaves_nothing),
        cmocka_unit_test_setup_teardown(test_table_that_comes_second_goes, world_setup,
                                        keep_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
