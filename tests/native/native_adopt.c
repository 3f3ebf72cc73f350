/* SPDX-License-Identifier: MIT */
/* Snapshots on their way: what is taken for one, who may enter it, and writes and reads that fail.
 */
#include "fake_space.h"
#include "ship_world.h"

#include <stddef.h>

#define TABLE 4096 /* more than the first table of live handles has places, at any address */

/* ---- what is taken for a snapshot ---- */

/* A lie about the region in which a block lies. */
struct lie {
    SIZE_T offset;
    uint64_t value;
    uint32_t width;
};

static NTSTATUS tell(void *context, enum fake_call call, void *buffer, SIZE_T size, ULONG *returned)
{
    const struct lie *lie = context;

    (void)returned;
    if (call == FAKE_QUERY_MEMORY && size == sizeof(MEMORY_BASIC_INFORMATION))
        memcpy((char *)buffer + lie->offset, &lie->value, lie->width);
    return STATUS_SUCCESS;
}

static HPSS settle_new(void)
{
    return ship_settle(ship.first, ship_leave(ship.to_first, SHIP_FLAGS));
}

static void test_block_in_memory_of_another_kind_is_none(void **state)
{
    static struct lie lies[] = {
        {offsetof(MEMORY_BASIC_INFORMATION, State), MEM_RESERVE, 4},
        {offsetof(MEMORY_BASIC_INFORMATION, Type), MEM_MAPPED, 4},
        {offsetof(MEMORY_BASIC_INFORMATION, AllocationBase), 0x10000, 8},
        {offsetof(MEMORY_BASIC_INFORMATION, Protect), PAGE_READONLY, 4},
        {offsetof(MEMORY_BASIC_INFORMATION, RegionSize), sizeof(struct pss_block) - 1, 8},
    };
    HPSS found = settle_new();
    struct pss_block *block = (struct pss_block *)found;
    uint32_t size = block->size;

    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        fake.lie = tell;
        fake.context = &lies[i];
        assert_null(pss_snapshot_block(fake_nt(), found));
        fake.lie = NULL;
    }
    block->size = 0x7FFFFFFF;
    assert_null(pss_snapshot_block(fake_nt(), found));
    block->size = size;
    assert_same(block->origin, PSS_ORIGIN_SHIPPED);
    ship_free(PSS_CURRENT_PROCESS, found);
}

static void fail_to_adopt(void *context)
{
    struct pss_block *block = context;

    __atomic_store_n(&block->origin, PSS_ORIGIN_SHIPPED, __ATOMIC_RELEASE);
}

static void test_snapshot_that_another_thread_fails_to_adopt_is_left_for_later(void **state)
{
    HPSS found = settle_new();
    struct pss_block *block = (struct pss_block *)found;
    uint64_t waits = fake.calls_of[FAKE_WAIT];

    (void)state;
    block->origin = PSS_ORIGIN_ADOPTED; /* and not in the table: another thread is at it */
    fake.event_call = fake.all_calls + 4;
    fake.event = fail_to_adopt;
    fake.context = block;
    assert_null(pss_snapshot_block(fake_nt(), found));
    assert_same(fake.calls_of[FAKE_WAIT], waits + 3);
    assert_ptr_equal(pss_snapshot_block(fake_nt(), found), block);
    ship_free(PSS_CURRENT_PROCESS, found);
}

/* ---- what comes in the place of a snapshot ---- */

#define REPLACED_FLAGS (PSS_CAPTURE_THREADS | PSS_CAPTURE_VA_SPACE | PSS_CREATE_USE_VM_ALLOCATIONS)

/* Two snapshots for the first party: the first settled, the second still on its way. */
static HPSS settle_first_of_two(HPSS *second)
{
    HPSS first = ship_leave(ship.to_first, REPLACED_FLAGS);

    *second = ship_leave(ship.to_first, REPLACED_FLAGS);
    return ship_settle(ship.first, first);
}

/* The sender frees the first, and the second comes to lie at the same address. */
static void replace(HPSS settled, HPSS shipped)
{
    uint64_t place = address_of(shipped);
    uint32_t size = ship_header(ship.first, shipped).size;

    assert_same(size, ((struct pss_block *)settled)->size);
    fake_read(ship.first, place, settled, size);
    fake_space_remove(ship.first, place, fake_region_end(fake_region_at(ship.first, place)));
}

static ULONG_PTR position_of(HPSSWALK marker)
{
    ULONG_PTR position;

    assert_same(pss_marker_tell(marker, &position), STATUS_SUCCESS);
    return position;
}

static void test_marker_of_a_snapshot_starts_the_one_in_its_place_at_its_beginning(void **state)
{
    HPSS second, found = settle_first_of_two(&second);
    const struct pss_block *block = (const struct pss_block *)found;
    PSS_VA_SPACE_ENTRY entry, first_entry;
    HPSSWALK marker;

    (void)state;
    assert_same(pss_marker_create(fake_nt(), NULL, &marker), STATUS_SUCCESS);
    for (int i = 0; i < 3; i++) {
        assert_same(pss_snapshot_walk(found, PSS_WALK_VA_SPACE, marker, &entry, sizeof(entry)),
                    STATUS_SUCCESS);
        if (!i)
            first_entry = entry;
    }
    replace(found, second);
    assert_same(pss_snapshot_walk(found, PSS_WALK_VA_SPACE, marker, &entry, sizeof(entry)),
                STATUS_SUCCESS);
    assert_ptr_equal(entry.BaseAddress, first_entry.BaseAddress);
    assert_same(position_of(marker), 1);
    assert_same(block->references, 2); /* what a walk gave lives as long as the marker */
    ship_free(PSS_CURRENT_PROCESS, found);
    assert_same(block->references, 1);
    assert_same(pss_marker_free(fake_nt(), marker), STATUS_SUCCESS);
    assert_same(fake_ledger_now().allocations, 0);
}

static void test_corrupted_snapshot_in_the_place_of_one_is_validated(void **state)
{
    HPSS second, found = settle_first_of_two(&second);
    struct pss_block *block = (struct pss_block *)found;
    PSS_VA_SPACE_INFORMATION answer;

    (void)state;
    assert_ptr_equal(pss_snapshot_block(fake_nt(), found), block);
    replace(found, second);
    block->sections[PSS_SECTION_DATA].count += 0x100000;
    assert_same(pss_snapshot_query(fake_nt(), found, PSS_QUERY_VA_SPACE_INFORMATION, &answer,
                                   sizeof(answer)),
                STATUS_INVALID_HANDLE);
    assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, found), STATUS_INVALID_HANDLE);
    block->sections[PSS_SECTION_DATA].count -= 0x100000;
    assert_same(pss_snapshot_query(fake_nt(), found, PSS_QUERY_VA_SPACE_INFORMATION, &answer,
                                   sizeof(answer)),
                STATUS_SUCCESS);
    assert_same(block->origin, PSS_ORIGIN_ADOPTED);
    ship_free(PSS_CURRENT_PROCESS, found);
}

/* It is never taken for a snapshot without a look: not even if the own process has made it. */
static void test_own_snapshot_in_the_place_of_one_is_told_from_it(void **state)
{
    HPSS second, found = settle_first_of_two(&second);
    struct pss_block *block = (struct pss_block *)found;
    uint64_t stale;

    (void)state;
    assert_ptr_equal(pss_snapshot_block(fake_nt(), found), block);
    stale = block->instance;
    replace(found, second);
    block->origin = PSS_ORIGIN_CAPTURED;
    assert_same(pss_snapshot_insert(fake_nt(), block), STATUS_SUCCESS);
    assert_same(pss_snapshot_end(fake_nt(), found, stale), STATUS_INVALID_HANDLE);
    assert_ptr_equal(pss_snapshot_block(fake_nt(), found), block);
    assert_false(pss_live_contains(PSS_LIVE_SHARED_SNAPSHOT, block, stale));
    ship_free(PSS_CURRENT_PROCESS, found);
}

static void replace_source(void *context)
{
    struct pss_block *block = context;

    block->instance++;
    block->origin = PSS_ORIGIN_SHIPPED;
}

/* What comes while a duplicate is made is not the source that is to be closed. */
static void test_source_that_is_replaced_meanwhile_is_not_closed(void **state)
{
    HPSS found = ship_settle(ship.first, ship_leave(ship.to_first, REPLACED_FLAGS)), duplicate;
    struct pss_block *block = (struct pss_block *)found;

    (void)state;
    assert_ptr_equal(pss_snapshot_block(fake_nt(), found), block);
    fake.event_call = fake.all_calls + 2; /* behind the look-up */
    fake.event = replace_source;
    fake.context = block;
    duplicate =
        ship_duplicate(PSS_CURRENT_PROCESS, found, PSS_CURRENT_PROCESS, PSS_DUPLICATE_CLOSE_SOURCE);
    assert_same(block->live, 1);
    ship_free(PSS_CURRENT_PROCESS, found);
    ship_free(PSS_CURRENT_PROCESS, duplicate);
}

/* ---- a table without room ---- */

static uint64_t refused; /* the number of the allocation that fails */

static NTSTATUS refuse_allocation(void *context, enum fake_call call)
{
    (void)context;
    return call == FAKE_ALLOCATE_MEMORY && fake.calls_of[call] == refused ? STATUS_NO_MEMORY
                                                                          : STATUS_SUCCESS;
}

static uint32_t fill_table(const void **taken)
{
    uint64_t budget = fake.memory_budget;
    uint32_t count = 0;

    fake.memory_budget = 0;
    for (uintptr_t i = 1; i < 0x40000 && count < TABLE; i++)
        if (NT_SUCCESS(
                pss_live_insert(fake_nt(), PSS_LIVE_SHARED_SNAPSHOT, pointer_to(i * 0x10000), 0)))
            taken[count++] = pointer_to(i * 0x10000);
    fake.memory_budget = budget;
    return count;
}

/* What is duplicated is whole by then; the allocation that fails is the table's. */
static void check_no_room(HANDLE source, HPSS snapshot)
{
    static const void *taken[TABLE];
    uint64_t before = fake.calls_of[FAKE_ALLOCATE_MEMORY];
    struct fake_ledger full, now;
    uint32_t count;
    NTSTATUS status;
    HPSS none;

    ship_free(PSS_CURRENT_PROCESS, ship_duplicate(source, snapshot, PSS_CURRENT_PROCESS, 0));
    refused = fake.calls_of[FAKE_ALLOCATE_MEMORY] - before + 1;
    count = fill_table(taken);
    full = fake_ledger_now();
    refused += fake.calls_of[FAKE_ALLOCATE_MEMORY];
    fake.refuse = refuse_allocation;
    status = ship_try(source, snapshot, PSS_CURRENT_PROCESS, 0, &none);
    fake.refuse = NULL;
    now = fake_ledger_now();
    while (count)
        assert_true(pss_live_remove(PSS_LIVE_SHARED_SNAPSHOT, taken[--count], 0));
    assert_same(status, STATUS_NO_MEMORY);
    assert_null(none);
    assert_memory_equal(&now, &full, sizeof(now));
}

static void test_duplicate_that_cannot_be_entered_leaves_nothing(void **state)
{
    HPSS shipped;

    (void)state;
    world_capture(SHIP_FLAGS);
    check_no_room(PSS_CURRENT_PROCESS, world.snapshot);
    shipped = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, ship.to_first, 0);
    check_no_room(ship.to_first, shipped);
    ship_free(ship.to_first, shipped);
    assert_parties_untouched();
}

/* ---- reads and writes ---- */

static void test_writes_that_take_only_half_are_no_duplicate(void **state)
{
    static const uint32_t flags[] = {PSS_CAPTURE_NONE, SHIP_FLAGS};
    HPSS none;

    (void)state;
    for (int i = 0; i < 2; i++) {
        world_capture(flags[i]);
        fake.writes_short = 1;
        assert_same(ship_try(PSS_CURRENT_PROCESS, world.snapshot, ship.to_first, 0, &none),
                    STATUS_PARTIAL_COPY);
        fake.writes_short = 0;
        assert_null(none);
        assert_same(fake_shipments_in(ship.first), 0);
        assert_same(fake_handles_in(ship.first), 0);
    }
    assert_parties_untouched();
}

static struct {
    enum fake_call call;
    NTSTATUS status;
} refusal;

static NTSTATUS refuse(void *context, enum fake_call call)
{
    (void)context;
    return call == refusal.call ? refusal.status : STATUS_SUCCESS;
}

/* All that a system may say of memory that is not there: the snapshot is not there. */
static void test_memory_that_cannot_be_read_or_freed_holds_no_snapshot(void **state)
{
    static const NTSTATUS of_reads[] = {STATUS_PARTIAL_COPY, STATUS_ACCESS_VIOLATION,
                                        STATUS_INVALID_ADDRESS, STATUS_PROCESS_IS_TERMINATING};
    static const NTSTATUS of_frees[] = {
        STATUS_MEMORY_NOT_ALLOCATED,     STATUS_INVALID_PARAMETER, STATUS_FREE_VM_NOT_AT_BASE,
        STATUS_UNABLE_TO_DELETE_SECTION, STATUS_UNABLE_TO_FREE_VM, STATUS_INVALID_ADDRESS,
        STATUS_PROCESS_IS_TERMINATING};
    HPSS source = ship_leave(ship.to_first, SHIP_FLAGS), none;

    (void)state;
    fake.refuse = refuse;
    refusal.call = FAKE_READ_MEMORY;
    for (size_t i = 0; i < sizeof(of_reads) / sizeof(of_reads[0]); i++) {
        refusal.status = of_reads[i];
        assert_same(ship_try(ship.to_first, source, PSS_CURRENT_PROCESS, 0, &none),
                    STATUS_INVALID_HANDLE);
        assert_same(pss_snapshot_free(fake_nt(), ship.to_first, source), STATUS_INVALID_HANDLE);
    }
    refusal.call = FAKE_REMOTE_MEMORY;
    for (size_t i = 0; i < sizeof(of_frees) / sizeof(of_frees[0]); i++) {
        refusal.status = of_frees[i];
        assert_same(pss_snapshot_free(fake_nt(), ship.to_first, source), STATUS_INVALID_HANDLE);
    }
    refusal.status = STATUS_ACCESS_DENIED;
    assert_same(pss_snapshot_free(fake_nt(), ship.to_first, source), STATUS_ACCESS_DENIED);
    fake.refuse = NULL;
    ship_free(ship.to_first, source);
    assert_parties_untouched();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ship_test(test_block_in_memory_of_another_kind_is_none),
        ship_test(test_snapshot_that_another_thread_fails_to_adopt_is_left_for_later),
        ship_test(test_marker_of_a_snapshot_starts_the_one_in_its_place_at_its_beginning),
        ship_test(test_corrupted_snapshot_in_the_place_of_one_is_validated),
        ship_test(test_own_snapshot_in_the_place_of_one_is_told_from_it),
        ship_test(test_source_that_is_replaced_meanwhile_is_not_closed),
        ship_test(test_duplicate_that_cannot_be_entered_leaves_nothing),
        ship_test(test_writes_that_take_only_half_are_no_duplicate),
        ship_test(test_memory_that_cannot_be_read_or_freed_holds_no_snapshot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
