/* SPDX-License-Identifier: MIT */
/* Threads that never begin, as where another one keeps the loader's lock; and late ones that do. */
#include "fake_threads.h"
#include "ship_world.h"

#define MANY_REGIONS 5000u /* more than one thread reads */

/* At the end the late threads begin after all: they must find that nobody waits for them. */
static void end_world(void)
{
    uint64_t calls = fake.all_calls;

    fake_threads_let_go();
    assert_same(fake.all_calls, calls);
    assert_same(fake.terminations, 0); /* it may own the loader's lock */
    fake_fini();
    memset(&world, 0, sizeof(world));
}

/* Each thread keeps its module and the memory it would work in, and nothing else is left. */
static void assert_kept(uint64_t threads, uint64_t allocations)
{
    struct fake_ledger ledger = fake_ledger_now();

    assert_same(ledger.threads, threads);
    assert_same(ledger.modules, 1); /* the one with its code */
    assert_same(ledger.allocations, allocations);
    assert_same(ledger.suspensions | ledger.views | ledger.heap_blocks | ledger.carriers, 0);
    assert_same(ledger.bad_closes, 0);
}

/* The caller asks for them himself, and waits for no second thread. */
static void test_regions_of_another_process_are_told_all_the_same(void **state)
{
    PSS_VA_SPACE_ENTRY entries[4];

    world_setup(state);
    fake_region_add(world.target, 0x10000, 0x1000, MEM_COMMIT, PAGE_READONLY, MEM_PRIVATE);
    fake.never_begins_threads = fake.hides_loader_lock = 1;
    world_capture(PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_RESERVED_00000002);
    assert_same(world_walk(PSS_WALK_VA_SPACE, entries, sizeof(entries[0]), 4), 3);
    assert_same(entries[1].BaseAddress, pointer_to(0x10000));
    assert_true(fake.calls_of[FAKE_WAIT] < 100);
    assert_same(fake.calls_of[FAKE_CREATE_THREAD], 1);
    world_release();
    assert_kept(1, 1);
    assert_same(fake_ledger_now().handles, 0);
    end_world();
}

/* Another fill of the reader, whose thread cannot begin any more. */
static void hold_loader_lock(void *context)
{
    (void)context;
    fake.never_begins_threads = fake.hides_loader_lock = 1;
}

static void test_regions_are_told_when_only_a_later_thread_cannot_begin(void **state)
{
    static PSS_VA_SPACE_ENTRY entries[MANY_REGIONS + 3];

    world_setup(state);
    for (uint32_t i = 0; i < MANY_REGIONS; i++)
        fake_region_add(world.target, 0x10000 + i * 0x1000, 0x1000, MEM_COMMIT, PAGE_READONLY,
                        MEM_PRIVATE);
    fake.event = hold_loader_lock;
    fake.event_call = MANY_REGIONS / 2;
    world_capture(PSS_CAPTURE_VA_SPACE);
    assert_same(fake.calls_of[FAKE_CREATE_THREAD], 2);
    assert_same(world_walk(PSS_WALK_VA_SPACE, entries, sizeof(entries[0]), MANY_REGIONS + 3),
                MANY_REGIONS + 2);
    for (uint32_t i = 0; i < MANY_REGIONS; i++)
        assert_same(entries[i + 1].BaseAddress, pointer_to(0x10000 + i * 0x1000));
    world_release();
    assert_kept(1, 1);
    end_world();
}

/* A list that is complete counts, whatever becomes of the thread that has read it. */
static void test_regions_are_told_where_their_thread_cannot_end(void **state)
{
    PSS_VA_SPACE_ENTRY entries[4];

    for (uint8_t at_once = 0; at_once < 2; at_once++) {
        world_setup(state);
        fake_region_add(world.target, 0x10000, 0x1000, MEM_COMMIT, PAGE_READONLY, MEM_PRIVATE);
        fake.runs_threads_at_once = at_once;
        fake.never_lets_threads_end = 1;
        world_capture(PSS_CAPTURE_VA_SPACE);
        assert_same(world_walk(PSS_WALK_VA_SPACE, entries, sizeof(entries[0]), 4), 3);
        assert_same(entries[1].BaseAddress, pointer_to(0x10000));
        assert_true(fake.calls_of[FAKE_WAIT] < 100);
        world_release();
        assert_kept(1, 0);
        end_world();
    }
}

/* The thread never used the handle: it is not the thread's. */
static void test_file_names_are_missing_and_nothing_else(void **state)
{
    static const struct fake_text names[] = {FAKE_TEXT(L"\\Device\\file"), FAKE_TEXT(L"\\event")};
    PSS_HANDLE_ENTRY entries[2];

    world_setup(state);
    for (int i = 0; i < 2; i++) {
        struct fake_object *object = fake_object_add(i ? FAKE_EVENT : FAKE_FILE);

        object->name = names[i];
        fake_handle_open(world.target, object, GENERIC_READ, 0);
    }
    fake.never_begins_threads = fake.hides_loader_lock = 1;
    world_capture(HANDLE_DETAILS);
    assert_same(world_walk(PSS_WALK_HANDLES, entries, sizeof(entries[0]), 2), 2);
    assert_same(entries[0].ObjectNameLength, 0);
    assert_text(entries[1].ObjectName, entries[1].ObjectNameLength, names[1]);
    world_release();
    assert_kept(1, 1);
    assert_same(fake_ledger_now().handles, 0);
    end_world();
}

/* To another process and back; all are freed. */
static void travel_and_release(void)
{
    HPSS shipped = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, ship.to_first, 0);
    HPSS pulled = ship_duplicate(ship.to_first, shipped, PSS_CURRENT_PROCESS, 0);

    assert_same_snapshot(world.snapshot, pulled);
    ship_free(PSS_CURRENT_PROCESS, pulled);
    ship_free(ship.to_first, shipped);
    assert_same(fake_shipments_in(ship.first), 0);
    assert_same(fake_handles_in(ship.first), 0);
    world_release();
}

/* What a thread would do in another process, the caller does: it is rather held up than wrong. */
static void test_snapshot_travels_and_is_freed_in_another_process(void **state)
{
    (void)state;
    ship_build(1);
    world_capture(SHIP_FLAGS);
    fake.never_begins_threads = fake.hides_loader_lock = 1;
    travel_and_release();
    assert_kept(2, 2);
    assert_parties_untouched();
    end_world();
}

static void test_file_names_are_told_where_their_thread_cannot_end(void **state)
{
    struct fake_object *file;
    PSS_HANDLE_ENTRY entry;

    world_setup(state);
    file = fake_object_add(FAKE_FILE);
    file->name = FAKE_TEXT(L"\\Device\\file");
    fake_handle_open(world.target, file, GENERIC_READ, 0);
    fake.never_lets_threads_end = 1;
    world_capture(HANDLE_DETAILS);
    assert_same(world_walk(PSS_WALK_HANDLES, &entry, sizeof(entry), 1), 1);
    assert_text(entry.ObjectName, entry.ObjectNameLength, file->name);
    assert_same(fake.calls_of[FAKE_CREATE_THREAD], 1);
    world_release();
    assert_kept(1, 0);
    assert_same(fake_ledger_now().handles, 0);
    end_world();
}

static void test_contexts_are_told_where_their_thread_cannot_end(void **state)
{
    PSS_THREAD_ENTRY entry;

    world_setup(state);
    fake_thread_add(world.target, 2004);
    fake.never_lets_threads_end = 1;
    world_capture(PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
    assert_same(world_walk(PSS_WALK_THREADS, &entry, sizeof(entry), 1), 1);
    assert_non_null(entry.ContextRecord);
    world_release();
    assert_kept(1, 0);
    end_world();
}

/* A clone, its travels and its end: no thread works in memory that is gone, and none is killed. */
static void test_snapshot_travels_where_no_thread_can_end(void **state)
{
    (void)state;
    ship_build(0);
    fake.never_lets_threads_end = 1;
    world_capture(SHIP_FLAGS);
    travel_and_release();
    assert_kept(fake.calls_of[FAKE_CREATE_THREAD], 0);
    assert_same(fake_ledger_now().handles, 0);
    assert_parties_untouched();
    end_world();
}

static void test_other_process_is_not_cloned(void **state)
{
    HPSS snapshot = pointer_to(1);

    clone_world_setup(state);
    fake.never_begins_threads = fake.hides_loader_lock = 1;
    assert_same(pss_snapshot_capture(fake_nt(), world.process, PSS_CAPTURE_VA_CLONE, 0, &snapshot),
                STATUS_CANCELLED);
    assert_null(snapshot);
    assert_same(fake.carriers, 0);
    assert_same(fake_ledger_now().threads, 1);
    assert_same(fake_ledger_now().carriers, 0);
    end_world();
}

/* A process that crashed with a lock in its hands is most worth cloning: it does all by itself. */
static void test_own_process_is_cloned_all_the_same(void **state)
{
    static const uint32_t flags[] = {PSS_CAPTURE_VA_CLONE, PSS_CAPTURE_VA_CLONE |
                                                               PSS_CAPTURE_THREADS |
                                                               PSS_CAPTURE_THREAD_CONTEXT};

    for (int i = 0; i < 2; i++) {
        struct fake_process *twin;
        HPSS snapshot;

        clone_world_setup(state);
        clone_world_furnish(fake.own);
        world.target = fake.own;
        world.process = PSS_CURRENT_PROCESS;
        twin = clone_world_twin();
        fake.never_begins_threads = fake.hides_loader_lock = 1;
        world_capture(flags[i]);
        snapshot = world.snapshot;
        assert_same_bytes(clone_world_clone(), twin);
        assert_same_layout(clone_world_clone(), twin);
        world_release();
        assert_null(pss_snapshot_block(fake_nt(), snapshot));
        assert_same(fake_ledger_now().carriers, 0);
        assert_same(fake_ledger_now().threads, 1);
        end_world();
    }
}

/* The watcher of a self-capture that begins when it was given up frees all that was left to it. */
static void test_watcher_that_is_late_leaves_nothing(void **state)
{
    struct fake_ledger ledger;

    world_setup(state);
    fake_thread_add(fake.own, 1012);
    world.process = PSS_CURRENT_PROCESS;
    fake.never_begins_threads = fake.hides_loader_lock = 1;
    world_capture(PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
    world_release();
    assert_kept(1, 1);
    assert_same(fake_ledger_now().handles, 3);
    fake_threads_let_go();
    ledger = fake_ledger_now();
    assert_same(ledger.handles | ledger.allocations | ledger.threads | ledger.bad_closes, 0);
    end_world();
}

/* A process that answers only when nobody waits any more is asked for nothing else. */
static void test_release_that_is_answered_at_last_goes_no_further(void **state)
{
    HPSS shipped;

    (void)state;
    ship_build(1);
    world_capture(SHIP_FLAGS & ~(uint32_t)PSS_CAPTURE_VA_CLONE);
    shipped = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, ship.to_first, 0);
    ship.first->memory_hang = FAKE_HANGS_FOR_GOOD;
    fake.answers_at_last = 1;
    assert_same(pss_snapshot_free(fake_nt(), ship.to_first, shipped), STATUS_IO_TIMEOUT);
    world_release();
    assert_kept(1, 1);
    assert_true(fake_handles_in(ship.first) > 0);
    fake_threads_let_go();
    assert_same(fake_shipments_in(ship.first), 0);
    assert_true(fake_handles_in(ship.first) > 0);
    fake_fini();
    memset(&world, 0, sizeof(world));
}

static void test_regions_that_are_told_at_last_are_not_read_on(void **state)
{
    HPSS snapshot = pointer_to(1);
    uint64_t questions;

    world_setup(state);
    fake_region_add(world.target, 0x10000, 0x1000, MEM_COMMIT, PAGE_READONLY, MEM_PRIVATE);
    world.target->memory_hang = FAKE_HANGS_FOR_GOOD;
    fake.answers_at_last = 1;
    assert_same(pss_snapshot_capture(fake_nt(), world.process, PSS_CAPTURE_VA_SPACE, 0, &snapshot),
                STATUS_IO_TIMEOUT);
    assert_null(snapshot);
    questions = fake.calls_of[FAKE_QUERY_MEMORY];
    fake_threads_let_go();
    assert_same(fake.calls_of[FAKE_QUERY_MEMORY], questions);
    fake_fini();
    memset(&world, 0, sizeof(world));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regions_of_another_process_are_told_all_the_same),
        cmocka_unit_test(test_regions_are_told_when_only_a_later_thread_cannot_begin),
        cmocka_unit_test(test_regions_are_told_where_their_thread_cannot_end),
        cmocka_unit_test(test_file_names_are_missing_and_nothing_else),
        cmocka_unit_test(test_snapshot_travels_and_is_freed_in_another_process),
        cmocka_unit_test(test_file_names_are_told_where_their_thread_cannot_end),
        cmocka_unit_test(test_contexts_are_told_where_their_thread_cannot_end),
        cmocka_unit_test(test_snapshot_travels_where_no_thread_can_end),
        cmocka_unit_test(test_other_process_is_not_cloned),
        cmocka_unit_test(test_own_process_is_cloned_all_the_same),
        cmocka_unit_test(test_watcher_that_is_late_leaves_nothing),
        cmocka_unit_test(test_release_that_is_answered_at_last_goes_no_further),
        cmocka_unit_test(test_regions_that_are_told_at_last_are_not_read_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
