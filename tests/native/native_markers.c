/* SPDX-License-Identifier: MIT */
/* Markers and the table of live handles: allocators, a table that is full, snapshots freed
 * elsewhere. */
#include "world.h"

#define TABLE 4096 /* more than the first table of live handles has places, at any address */

static uint32_t allocations, frees;

static void *WINAPI allocate(void *context, DWORD size)
{
    assert_ptr_equal(context, &allocations);
    allocations++;
    return malloc(size);
}

static void WINAPI release(void *context, void *address)
{
    assert_ptr_equal(context, &allocations);
    frees++;
    free(address);
}

static const PSS_ALLOCATOR counting = {&allocations, allocate, release};

static int setup(void **state)
{
    allocations = frees = 0;
    return world_setup(state);
}

#define marker_test(function) cmocka_unit_test_setup_teardown(function, setup, world_teardown)

static HPSSWALK create(const PSS_ALLOCATOR *allocator)
{
    HPSSWALK marker = NULL;

    assert_same(pss_marker_create(fake_nt(), allocator, &marker), STATUS_SUCCESS);
    return marker;
}

static void walk(HPSSWALK marker, HPSS snapshot)
{
    PSS_THREAD_ENTRY thread;

    assert_same(pss_snapshot_walk(snapshot, PSS_WALK_THREADS, marker, &thread, sizeof(thread)),
                STATUS_SUCCESS);
}

/* Fills the first table of a kind, and lets there be no other. */
static uint32_t fill_table(enum pss_live_kind kind, const void **taken)
{
    uint32_t count = 0;

    fake.memory_budget = fake.memory;
    for (uintptr_t i = 1; i < 0x40000 && count < TABLE; i++)
        if (NT_SUCCESS(pss_live_insert(fake_nt(), kind, pointer_to(i * 0x10000), 0)))
            taken[count++] = pointer_to(i * 0x10000);
    assert_true(count > 0 && count < TABLE);
    return count;
}

static void empty_table(enum pss_live_kind kind, const void **taken, uint32_t count)
{
    while (count)
        assert_true(pss_live_remove(kind, taken[--count], 0));
}

/* What a marker holds beyond its first snapshot comes from the same allocator. */
static void test_marker_takes_and_gives_back_by_its_allocator(void **state)
{
    HPSSWALK marker = create(&counting);

    (void)state;
    fake_thread_add(world.target, 2004);
    for (int i = 0; i < 3; i++) {
        world_capture(PSS_CAPTURE_THREADS);
        walk(marker, world.snapshot);
        assert_same(allocations, i + 1);
    }
    assert_same(frees, 0);
    assert_same(pss_marker_free(fake_nt(), marker), STATUS_SUCCESS);
    assert_same(frees, 3);
    assert_same(pss_marker_free(fake_nt(), marker), STATUS_INVALID_HANDLE);
    assert_same(frees, 3);
}

static char place[0x400];

static void *WINAPI take_place(void *context, DWORD size)
{
    (void)context;
    return size <= sizeof(place) ? place : NULL;
}

/* An allocator that never frees, as of a stack: the memory is the client's affair. */
static void test_marker_of_an_allocator_without_free_leaves_its_memory(void **state)
{
    static const PSS_ALLOCATOR lender = {NULL, take_place, NULL};
    HPSSWALK marker = create(&lender);

    (void)state;
    assert_ptr_equal(marker, place);
    assert_same(pss_marker_free(fake_nt(), marker), STATUS_SUCCESS);
    assert_null(pss_marker_find(marker));
    assert_same(fake.calls_of[FAKE_ALLOCATE_HEAP], 0);
}

static void test_marker_that_cannot_be_entered_gives_its_memory_back(void **state)
{
    static const void *taken[TABLE];
    HPSSWALK marker = pointer_to(1);
    uint32_t count = fill_table(PSS_LIVE_MARKER, taken);
    NTSTATUS status;

    (void)state;
    status = pss_marker_create(fake_nt(), &counting, &marker);
    empty_table(PSS_LIVE_MARKER, taken, count);
    assert_same(status, STATUS_NO_MEMORY);
    assert_null(marker);
    assert_same(allocations, 1);
    assert_same(frees, 1);
}

/* The allocation that fails: the first one that a capture with room in the table does not make. */
static NTSTATUS refuse_allocation(void *context, enum fake_call call)
{
    const uint64_t *number = context;

    return call == FAKE_ALLOCATE_MEMORY && fake.calls_of[call] == *number ? STATUS_COMMITMENT_LIMIT
                                                                          : STATUS_SUCCESS;
}

static NTSTATUS try_capture(uint32_t flags, HPSS *snapshot)
{
    *snapshot = pointer_to(1);
    return pss_snapshot_capture(fake_nt(), world.process, flags, CONTEXT_EVERYTHING, snapshot);
}

/* Everything was captured by then, and nothing of it stays. */
static void test_snapshot_that_cannot_be_entered_is_discarded(void **state)
{
    static const uint32_t kinds[] = {0, PSS_CREATE_USE_VM_ALLOCATIONS};
    static const void *taken[TABLE];

    (void)state;
    world_furnish();
    for (int i = 0; i < 2; i++) {
        enum pss_live_kind kind = i ? PSS_LIVE_SHARED_SNAPSHOT : PSS_LIVE_SNAPSHOT;
        uint64_t budget = fake.memory_budget, number = fake.calls_of[FAKE_ALLOCATE_MEMORY];
        uint32_t count;
        NTSTATUS status;
        HPSS snapshot;

        assert_same(try_capture(EVERYTHING | kinds[i], &snapshot), STATUS_SUCCESS);
        assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, snapshot), STATUS_SUCCESS);
        number = fake.calls_of[FAKE_ALLOCATE_MEMORY] - number + 1;
        count = fill_table(kind, taken);
        fake.memory_budget = budget;
        number += fake.calls_of[FAKE_ALLOCATE_MEMORY];
        fake.context = &number;
        fake.refuse = refuse_allocation;
        status = try_capture(EVERYTHING | kinds[i], &snapshot);
        fake.refuse = NULL;
        empty_table(kind, taken, count);
        assert_same(status, STATUS_COMMITMENT_LIMIT);
        assert_null(snapshot);
        assert_true(fake_ledger_is_zero());
    }
}

static HPSS capture_shared(void)
{
    HPSS snapshot;

    assert_same(try_capture(PSS_CAPTURE_THREADS | PSS_CREATE_USE_VM_ALLOCATIONS, &snapshot),
                STATUS_SUCCESS);
    return snapshot;
}

/* What another process has freed and a marker keeps is no snapshot any more. */
static void test_snapshot_that_lives_no_more_is_forgotten(void **state)
{
    HPSS snapshot = capture_shared();
    struct pss_block *block = (struct pss_block *)snapshot;

    (void)state;
    assert_ptr_equal(pss_snapshot_block(fake_nt(), snapshot), block);
    block->live = 0;
    assert_null(pss_snapshot_block(fake_nt(), snapshot));
    assert_false(pss_live_contains(PSS_LIVE_SHARED_SNAPSHOT, block, block->instance));
    pss_block_release(fake_nt(), block);
}

/* Another process has freed it, and put another one in the same place: that is nobody's to free. */
static void test_marker_leaves_another_snapshot_in_the_same_place(void **state)
{
    HPSSWALK marker = create(NULL);
    struct pss_block *block;
    HPSS snapshot;

    (void)state;
    fake_thread_add(world.target, 2004);
    snapshot = capture_shared();
    block = (struct pss_block *)snapshot;
    walk(marker, snapshot);
    assert_same(block->references, 2);
    block->references = 1;
    block->instance++;
    block->origin = PSS_ORIGIN_SHIPPED;
    assert_same(pss_marker_free(fake_nt(), marker), STATUS_SUCCESS);
    assert_same(block->references, 1);
    assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, snapshot), STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        marker_test(test_marker_takes_and_gives_back_by_its_allocator),
        marker_test(test_marker_of_an_allocator_without_free_leaves_its_memory),
        marker_test(test_marker_that_cannot_be_entered_gives_its_memory_back),
        marker_test(test_snapshot_that_cannot_be_entered_is_discarded),
        marker_test(test_snapshot_that_lives_no_more_is_forgotten),
        marker_test(test_marker_leaves_another_snapshot_in_the_same_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
