/* SPDX-License-Identifier: MIT */
/* Duplicates: all ways between three processes, what the receiver finds, and who ends what. */
#define _POSIX_C_SOURCE 200112L /* for barriers */
#include "ship_world.h"

#include <pthread.h>

#define THREADS 4
#define ROUNDS  1000

static int has_ended(const struct fake_object *clone)
{
    return ((const struct fake_process *)(const void *)clone)->times.exit_time.QuadPart != 0;
}

static HPSS duplicate_here(HPSS snapshot)
{
    return ship_duplicate(PSS_CURRENT_PROCESS, snapshot, PSS_CURRENT_PROCESS, PSS_DUPLICATE_NONE);
}

static void assert_gone(HANDLE process, HPSS snapshot)
{
    assert_same(pss_snapshot_free(fake_nt(), process, snapshot), STATUS_INVALID_HANDLE);
}

/* ---- the ways ---- */

static void test_duplicate_in_the_own_process_is_the_same_and_independent(void **state)
{
    (void)state;
    for (int source_first = 0; source_first < 2; source_first++) {
        HPSS other;
        struct fake_object *clone;

        world_capture(SHIP_FLAGS);
        other = duplicate_here(world.snapshot);
        clone = ship_clone_of(world.snapshot);
        assert_true(other != world.snapshot);
        assert_same_snapshot(world.snapshot, other);
        assert_ptr_equal(ship_clone_of(other), clone);
        assert_ptr_equal(ship_trace_of(other), ship_trace_of(world.snapshot));
        if (source_first)
            world_release();
        else
            ship_free(PSS_CURRENT_PROCESS, other);
        assert_false(has_ended(clone));
        if (source_first)
            ship_free(PSS_CURRENT_PROCESS, other);
        else
            world_release();
        assert_true(has_ended(clone));
        assert_same(fake_ledger_now().handles, 0);
    }
}

static void check_receiver(struct fake_process *party, HPSS shipped)
{
    HPSS found = ship_settle(party, shipped);
    struct fake_object *clone = ship_clone_of(found);

    assert_same_snapshot(world.snapshot, found);
    assert_same(clone->type, FAKE_PROCESS);
    assert_same(ship_trace_of(found)->type, FAKE_SECTION);
    ship_free(PSS_CURRENT_PROCESS, found);
    assert_gone(PSS_CURRENT_PROCESS, found);
    assert_same(fake_handles_in(party), 0);
    assert_false(has_ended(clone));
    fake_process_become(ship.own);
}

static void test_duplicate_in_another_process_is_a_snapshot_there(void **state)
{
    struct fake_object *clone;
    HPSS shipped;

    (void)state;
    world_capture(SHIP_FLAGS);
    clone = ship_clone_of(world.snapshot);
    shipped = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, ship.to_first, 0);
    assert_parties_untouched();
    check_receiver(ship.first, shipped);
    world_release();
    assert_true(has_ended(clone));
    assert_parties_untouched();
}

static void test_duplicate_from_another_process_is_a_snapshot_here(void **state)
{
    HPSS shipped, pulled;

    (void)state;
    world_capture(SHIP_FLAGS);
    shipped = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, ship.to_first, 0);
    pulled = ship_duplicate(ship.to_first, shipped, PSS_CURRENT_PROCESS, 0);
    assert_same_snapshot(world.snapshot, pulled);
    assert_ptr_equal(ship_clone_of(pulled), ship_clone_of(world.snapshot));
    assert_ptr_equal(ship_trace_of(pulled), ship_trace_of(world.snapshot));
    ship_free(ship.to_first, shipped);
    assert_gone(ship.to_first, shipped);
    assert_same_snapshot(world.snapshot, pulled);
    ship_free(PSS_CURRENT_PROCESS, pulled);
    assert_parties_untouched();
}

static void test_duplicate_between_two_other_processes_is_a_snapshot_there(void **state)
{
    HPSS shipped, relayed;

    (void)state;
    world_capture(SHIP_FLAGS);
    shipped = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, ship.to_first, 0);
    relayed = ship_duplicate(ship.to_first, shipped, ship.to_second, 0);
    check_receiver(ship.second, relayed);
    assert_same(fake_shipments_in(ship.first), 1);
    ship_free(ship.to_first, shipped);
    assert_same(fake_ledger_now().shipments, 0);
    assert_parties_untouched();
}

/* Each class alone, and what has none: there and back again. */
static void test_every_section_travels(void **state)
{
    static const uint32_t flags[] = {
        PSS_CAPTURE_NONE,
        PSS_CAPTURE_RESERVED_00000002,
        PSS_CAPTURE_HANDLES,
        HANDLE_DETAILS,
        PSS_CAPTURE_HANDLE_TRACE,
        PSS_CAPTURE_THREADS,
        PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT,
        PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT | PSS_CAPTURE_THREAD_CONTEXT_EXTENDED,
        PSS_CAPTURE_VA_SPACE,
        PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION,
        PSS_CREATE_MEASURE_PERFORMANCE,
        PSS_CAPTURE_VA_CLONE,
        SHIP_FLAGS & ~(uint32_t)PSS_CREATE_USE_VM_ALLOCATIONS,
    };

    (void)state;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        HPSS first, second, back;

        world_capture(flags[i]);
        first = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, ship.to_first, 0);
        second = ship_duplicate(ship.to_first, first, ship.to_second, 0);
        back = ship_duplicate(ship.to_second, second, PSS_CURRENT_PROCESS, 0);
        assert_same_snapshot(world.snapshot, back);
        ship_free(PSS_CURRENT_PROCESS, back);
        ship_free(ship.to_second, second);
        ship_free(ship.to_first, first);
        world_release();
        assert_true(fake_ledger_is_zero());
    }
    assert_parties_untouched();
}

/* More than one chunk of it, and the job of a carrier. */
static void test_large_snapshot_with_a_carrier_travels(void **state)
{
    struct fake_object *clone;
    HPSS first, back;

    (void)state;
    fake.has_native_clones = 0;
    for (uint64_t i = 0; i < 40000; i++)
        fake_region_add(world.target, 0x200000000 + i * 0x20000, 0x10000, MEM_COMMIT,
                        PAGE_READWRITE, MEM_PRIVATE);
    world_capture(PSS_CAPTURE_VA_SPACE);
    first = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, ship.to_first, 0);
    assert_true(ship_header(ship.first, first).size > 2u << 20);
    back = ship_duplicate(ship.to_first, first, PSS_CURRENT_PROCESS, 0);
    assert_same_snapshot(world.snapshot, back);
    ship_free(PSS_CURRENT_PROCESS, back);
    ship_free(ship.to_first, first);
    world.target->region_count -= 40000;
    world_capture(PSS_CAPTURE_VA_CLONE);
    clone = ship_clone_of(world.snapshot);
    first = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, ship.to_first, 0);
    world_release();
    assert_false(has_ended(clone));
    back = ship_duplicate(ship.to_first, first, PSS_CURRENT_PROCESS, 0);
    ship_free(ship.to_first, first);
    assert_false(has_ended(clone));
    assert_ptr_equal(ship_clone_of(back), clone);
    ship_free(PSS_CURRENT_PROCESS, back);
    assert_true(has_ended(clone));
}

/* ---- the ends of owners ---- */

static void test_duplicate_outlives_the_maker_and_ends_with_its_process(void **state)
{
    (void)state;
    for (int has_native = 0; has_native < 2; has_native++) {
        struct fake_object *clone;

        fake.has_native_clones = (uint8_t)has_native;
        world_capture(SHIP_FLAGS);
        clone = ship_clone_of(world.snapshot);
        ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot,
                       has_native ? ship.to_second : ship.to_first, 0);
        world_release();
        assert_false(has_ended(clone));
        fake_process_end(has_native ? ship.second : ship.first, 1);
        assert_true(has_ended(clone));
        assert_true(fake_ledger_is_zero());
    }
}

/* The client of the source may have closed what he was lent, in any process. */
static void test_closed_handles_are_whole_again_in_the_duplicate(void **state)
{
    PSS_VA_CLONE_INFORMATION information;
    HPSS first, back;

    (void)state;
    world_capture(SHIP_FLAGS);
    world_query(PSS_QUERY_VA_CLONE_INFORMATION, &information, sizeof(information));
    assert_true(fake_handle_close(fake.own, information.VaCloneHandle));
    first = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, ship.to_first, 0);
    back = ship_duplicate(ship.to_first, first, PSS_CURRENT_PROCESS, 0);
    assert_same(ship_clone_of(back)->type, FAKE_PROCESS);
    ship_free(PSS_CURRENT_PROCESS, back);
    ship_free(ship.to_first, first);
    assert_parties_untouched();
}

/* ---- CLOSE_SOURCE ---- */

static void test_close_source_moves_the_snapshot(void **state)
{
    const HANDLE processes[] = {PSS_CURRENT_PROCESS, ship.to_first, ship.to_second};

    (void)state;
    for (int from = 0; from < 3; from++)
        for (int to = 0; to < 3; to++) {
            HPSS source, moved, back;

            world_capture(SHIP_FLAGS);
            source = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, processes[from], 0);
            moved =
                ship_duplicate(processes[from], source, processes[to], PSS_DUPLICATE_CLOSE_SOURCE);
            assert_gone(processes[from], source);
            back = ship_duplicate(processes[to], moved, PSS_CURRENT_PROCESS,
                                  PSS_DUPLICATE_CLOSE_SOURCE);
            assert_gone(processes[to], moved);
            assert_same_snapshot(world.snapshot, back);
            ship_free(PSS_CURRENT_PROCESS, back);
            world_release();
            assert_true(fake_ledger_is_zero());
        }
    assert_parties_untouched();
}

static void test_close_source_of_what_only_its_owner_frees_does_nothing(void **state)
{
    HPSS first, none;

    (void)state;
    world_capture(SHIP_FLAGS & ~(uint32_t)PSS_CREATE_USE_VM_ALLOCATIONS);
    first = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, ship.to_first, 0);
    for (int i = 0; i < 2; i++) {
        HANDLE source = i ? ship.to_first : PSS_CURRENT_PROCESS;
        uint64_t handles = fake_ledger_now().handles;

        assert_same(ship_try(source, i ? first : world.snapshot, ship.to_second,
                             PSS_DUPLICATE_CLOSE_SOURCE, &none),
                    STATUS_NOT_SUPPORTED);
        assert_null(none);
        assert_same(fake_ledger_now().handles, handles);
        assert_same(fake_shipments_in(ship.second), 0);
    }
    ship_free(ship.to_first, first);
}

static void test_close_source_frees_it_even_if_nothing_came_of_the_duplicate(void **state)
{
    HPSS first, none;

    (void)state;
    first = ship_leave(ship.to_first, SHIP_FLAGS);
    fake_process_end(ship.second, 1);
    assert_false(NT_SUCCESS(
        ship_try(ship.to_first, first, ship.to_second, PSS_DUPLICATE_CLOSE_SOURCE, &none)));
    assert_null(none);
    assert_gone(ship.to_first, first);
    world_capture(SHIP_FLAGS);
    assert_false(NT_SUCCESS(ship_try(PSS_CURRENT_PROCESS, world.snapshot, ship.to_second,
                                     PSS_DUPLICATE_CLOSE_SOURCE, &none)));
    assert_gone(PSS_CURRENT_PROCESS, world.snapshot);
    world.snapshot = NULL;
    assert_same(fake_ledger_now().handles, 0);
}

/* ---- adoption ---- */

static void settle_new(HPSS *found)
{
    *found = ship_settle(ship.first, ship_leave(ship.to_first, SHIP_FLAGS));
}

static void test_any_first_use_finds_the_snapshot(void **state)
{
    PSS_THREAD_ENTRY entry;
    HPSSWALK marker;
    HPSS found, other;

    (void)state;
    settle_new(&found);
    assert_same(pss_marker_create(fake_nt(), NULL, &marker), STATUS_SUCCESS);
    assert_same(pss_snapshot_walk(found, PSS_WALK_THREADS, marker, &entry, sizeof(entry)),
                STATUS_SUCCESS);
    ship_free(PSS_CURRENT_PROCESS, found);
    assert_same(pss_marker_free(fake_nt(), marker), STATUS_SUCCESS);
    fake_process_become(ship.own);
    settle_new(&found);
    other = duplicate_here(found);
    assert_same_snapshot(found, other);
    ship_free(PSS_CURRENT_PROCESS, other);
    ship_free(PSS_CURRENT_PROCESS, found);
    fake_process_become(ship.own);
    settle_new(&found);
    ship_free(PSS_CURRENT_PROCESS, found);
    assert_same(fake_handles_in(ship.first), 0);
}

/* A block that says it was made here, or is in use here, and is not in the table. */
static void test_what_nobody_has_shipped_is_not_adopted(void **state)
{
    HPSS found;
    struct pss_block *block;

    (void)state;
    settle_new(&found);
    block = (struct pss_block *)found;
    for (uint32_t origin = 0; origin < 5; origin++) {
        block->origin = origin;
        if (origin != PSS_ORIGIN_SHIPPED)
            assert_null(pss_snapshot_block(fake_nt(), found));
        assert_same(block->origin, origin);
    }
    block->origin = PSS_ORIGIN_SHIPPED;
    block->sections[PSS_SECTION_DATA].count++;
    assert_null(pss_snapshot_block(fake_nt(), found));
    block->sections[PSS_SECTION_DATA].count--;
    block->size += 0x10000; /* more than there is */
    assert_null(pss_snapshot_block(fake_nt(), found));
    block->size -= 0x10000;
    assert_null(pss_snapshot_block(fake_nt(), (HPSS)((char *)found + 0x1000)));
    assert_null(pss_snapshot_block(fake_nt(), (HPSS)((char *)found + 8)));
    ship_free(PSS_CURRENT_PROCESS, found);
}

/* Another process has freed it, and shipped something else to the same place. */
static void test_what_comes_in_the_place_of_a_snapshot_is_looked_at_anew(void **state)
{
    struct pss_block *block;
    HPSS found;

    (void)state;
    settle_new(&found);
    block = (struct pss_block *)found;
    assert_ptr_equal(pss_snapshot_block(fake_nt(), found), block);
    block->magic = 0;
    assert_null(pss_snapshot_block(fake_nt(), found));
    block->magic = PSS_BLOCK_MAGIC;
    block->origin = PSS_ORIGIN_SHIPPED;
    block->sections[PSS_SECTION_DATA].count++;
    assert_null(pss_snapshot_block(fake_nt(), found));
    block->sections[PSS_SECTION_DATA].count--;
    ship_free(PSS_CURRENT_PROCESS, found);
}

static void test_marker_leaves_alone_what_came_in_the_place_of_its_snapshot(void **state)
{
    PSS_THREAD_ENTRY entry;
    struct pss_block *block;
    HPSSWALK marker;
    HPSS found;

    (void)state;
    settle_new(&found);
    block = (struct pss_block *)found;
    assert_same(pss_marker_create(fake_nt(), NULL, &marker), STATUS_SUCCESS);
    assert_same(pss_snapshot_walk(found, PSS_WALK_THREADS, marker, &entry, sizeof(entry)),
                STATUS_SUCCESS);
    block->instance++;
    block->origin = PSS_ORIGIN_SHIPPED;
    block->references = 1;
    assert_same(pss_marker_free(fake_nt(), marker), STATUS_SUCCESS);
    assert_same(block->references, 1);
    ship_free(PSS_CURRENT_PROCESS, found);
}

static HPSS contested;
static pthread_barrier_t barrier;

static void *adopt(void *argument)
{
    (void)argument;
    pthread_barrier_wait(&barrier);
    if (pss_snapshot_block(fake_nt(), contested) != (struct pss_block *)contested)
        abort();
    return NULL;
}

static void test_threads_that_use_it_first_at_once_all_have_it(void **state)
{
    HPSS left = ship_leave(ship.to_first, PSS_CAPTURE_THREADS);
    struct pss_block *block;

    (void)state;
    contested = ship_settle(ship.first, left);
    block = (struct pss_block *)contested;
    assert_same(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[THREADS];

        for (int i = 0; i < THREADS; i++)
            assert_same(pthread_create(&threads[i], NULL, adopt, NULL), 0);
        for (int i = 0; i < THREADS; i++)
            assert_same(pthread_join(threads[i], NULL), 0);
        assert_same(block->references, 1);
        assert_same(block->origin, PSS_ORIGIN_ADOPTED);
        assert_true(pss_live_remove(PSS_LIVE_SHARED_SNAPSHOT, block, block->instance));
        assert_false(pss_live_remove(PSS_LIVE_SHARED_SNAPSHOT, block, block->instance));
        block->origin = PSS_ORIGIN_SHIPPED;
    }
    pthread_barrier_destroy(&barrier);
    ship_free(PSS_CURRENT_PROCESS, contested);
}

#define TABLE 4096 /* more than the first table of live handles has places, at any address */

/* Fills the table of shared snapshots, and lets it not grow. */
static uint32_t fill_table(const void **taken)
{
    uint32_t count = 0;

    fake.memory_budget = 0;
    for (uintptr_t i = 1; i < 0x40000 && count < TABLE; i++)
        if (NT_SUCCESS(
                pss_live_insert(fake_nt(), PSS_LIVE_SHARED_SNAPSHOT, pointer_to(i * 0x10000), 0)))
            taken[count++] = pointer_to(i * 0x10000);
    return count;
}

static void test_snapshot_that_cannot_be_entered_is_adopted_later(void **state)
{
    static const void *taken[TABLE];
    uint64_t budget = fake.memory_budget;
    HPSS found, none;
    uint32_t count;

    (void)state;
    settle_new(&found);
    count = fill_table(taken);
    assert_true(count > 0 && count < TABLE);
    assert_null(pss_snapshot_block(fake_nt(), found));
    assert_same(((struct pss_block *)found)->origin, PSS_ORIGIN_SHIPPED);
    assert_same(ship_try(PSS_CURRENT_PROCESS, found, PSS_CURRENT_PROCESS, 0, &none),
                STATUS_INVALID_HANDLE);
    assert_null(none);
    for (uint32_t i = 0; i < count; i++)
        assert_true(pss_live_remove(PSS_LIVE_SHARED_SNAPSHOT, taken[i], 0));
    fake.memory_budget = budget;
    block_use(found);
    ship_free(PSS_CURRENT_PROCESS, found);
}

/* ---- clones that somebody else has a handle to ---- */

static int lives(const struct fake_object *clone)
{
    return !((const struct fake_process *)(const void *)clone)->times.exit_time.QuadPart;
}

/* Who frees it last decides; the others' handles are nobody's reason to keep it. */
static void test_clone_of_duplicates_ends_with_the_last_of_them(void **state)
{
    struct fake_object *clone;
    HPSS there, here;

    (void)state;
    world_capture(SHIP_FLAGS);
    clone = ship_clone_of(world.snapshot);
    here = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, PSS_CURRENT_PROCESS, 0);
    there = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, ship.to_first, 0);
    world_release();
    ship_free(PSS_CURRENT_PROCESS, here);
    assert_same(fake_handles_in(ship.own), 0);
    assert_true(lives(clone));
    ship_free(ship.to_first, there);
    assert_false(lives(clone));
    assert_same(fake_handles_in(ship.own), 0);
}

/* Freed from here: this process keeps it for the one that has a handle. */
static void test_clone_that_is_freed_from_elsewhere_lives_while_it_is_held(void **state)
{
    struct fake_object *clone;
    HPSS there;
    HANDLE other;

    (void)state;
    for (int closes = 0; closes < 2; closes++) {
        world_capture(SHIP_FLAGS);
        clone = ship_clone_of(world.snapshot);
        there = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, ship.to_first, 0);
        world_release();
        other = fake_handle_open(ship.second, clone, PROCESS_VM_READ, 0);
        if (closes) { /* the duplicate cannot be made, and the source goes all the same */
            HPSS none;

            fake.memory_budget = fake.memory + 0x40000;
            fake.writes_short = 1;
            assert_false(NT_SUCCESS(
                ship_try(ship.to_first, there, ship.to_second, PSS_DUPLICATE_CLOSE_SOURCE, &none)));
            fake.writes_short = 0;
            fake.memory_budget = 1u << 30;
        } else {
            ship_free(ship.to_first, there);
        }
        assert_same(fake_handles_in(ship.first), 0);
        assert_true(lives(clone));
        assert_same(fake_handles_in(ship.own), 2);
        pss_clone_look(fake_nt());
        assert_true(lives(clone));
        assert_true(fake_handle_close(ship.second, other));
        pss_clone_look(fake_nt());
        assert_false(lives(clone));
        assert_same(fake_handles_in(ship.own), 0);
    }
    assert_parties_untouched();
}

/* ---- arguments ---- */

static void test_arguments_are_checked_in_order(void **state)
{
    struct pss_duplication what = {PSS_CURRENT_PROCESS, PSS_CURRENT_PROCESS, NULL, 2};
    HANDLE event = fake_handle_open(fake.own, fake_object_add(FAKE_EVENT), GENERIC_ALL, 0);
    const HANDLE wrong[] = {NULL, pointer_to(0xDEADBEEC), event};
    const NTSTATUS expected[] = {STATUS_INVALID_HANDLE, STATUS_INVALID_HANDLE,
                                 STATUS_OBJECT_TYPE_MISMATCH};
    HPSS none;

    (void)state;
    world_capture(PSS_CAPTURE_NONE);
    assert_same(pss_snapshot_duplicate(fake_nt(), &what, NULL), STATUS_INVALID_PARAMETER);
    for (uint32_t flags = 2; flags; flags <<= 1) {
        assert_same(ship_try(NULL, NULL, NULL, flags, &none), STATUS_INVALID_PARAMETER);
        assert_null(none);
    }
    for (int i = 0; i < 3; i++) {
        assert_same(ship_try(wrong[i], world.snapshot, ship.to_first, 0, &none), expected[i]);
        assert_null(none);
        assert_same(ship_try(PSS_CURRENT_PROCESS, world.snapshot, wrong[i], 0, &none), expected[i]);
        assert_null(none);
    }
    assert_same(ship_try(PSS_CURRENT_PROCESS, NULL, PSS_CURRENT_PROCESS, 0, &none),
                STATUS_INVALID_HANDLE);
    assert_same(ship_try(PSS_CURRENT_PROCESS, (HPSS)world.marker, PSS_CURRENT_PROCESS, 0, &none),
                STATUS_INVALID_HANDLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ship_test(test_duplicate_in_the_own_process_is_the_same_and_independent),
        ship_test(test_duplicate_in_another_process_is_a_snapshot_there),
        ship_test(test_duplicate_from_another_process_is_a_snapshot_here),
        ship_test(test_duplicate_between_two_other_processes_is_a_snapshot_there),
        ship_test(test_every_section_travels),
        ship_test(test_large_snapshot_with_a_carrier_travels),
        ship_test(test_duplicate_outlives_the_maker_and_ends_with_its_process),
        ship_test(test_closed_handles_are_whole_again_in_the_duplicate),
        ship_test(test_close_source_moves_the_snapshot),
        ship_test(test_close_source_of_what_only_its_owner_frees_does_nothing),
        ship_test(test_close_source_frees_it_even_if_nothing_came_of_the_duplicate),
        ship_test(test_any_first_use_finds_the_snapshot),
        ship_test(test_what_nobody_has_shipped_is_not_adopted),
        ship_test(test_what_comes_in_the_place_of_a_snapshot_is_looked_at_anew),
        ship_test(test_marker_leaves_alone_what_came_in_the_place_of_its_snapshot),
        ship_test(test_threads_that_use_it_first_at_once_all_have_it),
        ship_test(test_snapshot_that_cannot_be_entered_is_adopted_later),
        ship_test(test_clone_of_duplicates_ends_with_the_last_of_them),
        ship_test(test_clone_that_is_freed_from_elsewhere_lives_while_it_is_held),
        ship_test(test_arguments_are_checked_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
