/* SPDX-License-Identifier: MIT */
/* Snapshots on their way: what is taken for one, who may enter it, and writes and reads that fail.
 */
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
                pss_live_insert(fake_nt(), PSS_LIVE_SHARED_SNAPSHOT, pointer_to(i * 0x1000))))
            taken[count++] = pointer_to(i * 0x1000);
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
        assert_true(pss_live_remove(PSS_LIVE_SHARED_SNAPSHOT, taken[--count]));
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
        ship_test(test_duplicate_that_cannot_be_entered_leaves_nothing),
        ship_test(test_writes_that_take_only_half_are_no_duplicate),
        ship_test(test_memory_that_cannot_be_read_or_freed_holds_no_snapshot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
