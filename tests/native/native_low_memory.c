/* SPDX-License-Identifier: MIT */
/* Where blocks lie: below 4 GB if there is room, and never where their receiver cannot name them.
 */
#include "fake_space.h"
#include "ship_world.h"

#define FOUR_GB 0x100000000u
#define TWO_GB  0x80000000u
#define PEB32   0x7EFDE000u
#define RIGHTS  (PROCESS_VM_OPERATION | PROCESS_VM_WRITE | PROCESS_DUP_HANDLE) /* of a receiver */

static void take(struct fake_process *party, uint64_t first, uint64_t end)
{
    struct fake_region region = {.basic = {.BaseAddress = pointer_to(first),
                                           .AllocationBase = pointer_to(first),
                                           .RegionSize = end - first,
                                           .State = MEM_RESERVE,
                                           .Type = MEM_PRIVATE}};

    fake_space_insert(party, &region);
}

/* Takes all that is free between two addresses. */
static void fill(struct fake_process *party, uint64_t first, uint64_t end)
{
    while (first < end) {
        uint32_t next = fake_space_find(party, first);
        int is_last = next >= party->region_count;
        uint64_t base = is_last ? end : fake_region_base(&party->regions[next]);
        uint64_t behind = is_last ? end : fake_region_end(&party->regions[next]);

        if (base > first)
            take(party, first, base < end ? base : end);
        first = behind;
    }
}

static HPSS ship_to_first(void)
{
    return ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, ship.to_first, 0);
}

static HPSS copy_here(void)
{
    return ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, PSS_CURRENT_PROCESS, 0);
}

static void assert_all_are_low(int is_low)
{
    HPSS copy, shipped, pulled;

    world_capture(SHIP_FLAGS);
    copy = copy_here();
    shipped = ship_to_first();
    pulled = ship_duplicate(ship.to_first, shipped, PSS_CURRENT_PROCESS, 0);
    assert_same(fake_memory_is_low(world.snapshot), is_low);
    assert_same(fake_memory_is_low(copy), is_low);
    assert_same(fake_memory_is_low(pulled), is_low);
    assert_true((address_of(shipped) < FOUR_GB) == is_low);
    assert_same_snapshot(world.snapshot, copy);
    assert_same_snapshot(world.snapshot, pulled);
    ship_free(PSS_CURRENT_PROCESS, copy);
    ship_free(PSS_CURRENT_PROCESS, pulled);
    ship_free(ship.to_first, shipped);
    world_release();
}

static void test_blocks_are_low_where_there_is_room(void **state)
{
    (void)state;
    assert_all_are_low(1);
}

static void test_blocks_are_low_where_the_system_knows_no_masks(void **state)
{
    (void)state;
    fake.knows_no_masks = 1;
    assert_all_are_low(1);
}

static void test_room_above_2_gb_is_room(void **state)
{
    HPSS shipped;

    (void)state;
    fill(ship.first, 0, TWO_GB);
    world_capture(SHIP_FLAGS);
    shipped = ship_to_first();
    assert_true(address_of(shipped) >= TWO_GB && address_of(shipped) < FOUR_GB);
    ship_free(ship.to_first, shipped);
    world_release();
    fake_process_end(ship.first, 0);
}

static void test_blocks_lie_elsewhere_where_there_is_no_room(void **state)
{
    (void)state;
    fake.lacks_low_memory = 1;
    fill(ship.first, 0, FOUR_GB);
    assert_all_are_low(0);
    fake_process_end(ship.first, 0);
}

static void assert_no_memory(HANDLE receiver)
{
    HPSS none;

    world_capture(SHIP_FLAGS);
    assert_same(ship_try(PSS_CURRENT_PROCESS, world.snapshot, receiver, 0, &none),
                STATUS_NO_MEMORY);
    assert_null(none);
    assert_same(fake_shipments_in(ship.first), 0);
    assert_same(fake_handles_in(ship.first), 0);
    world_release();
}

/* The system would give a 64-bit caller memory there. */
static void test_receiver_of_32_bits_without_room_gets_nothing(void **state)
{
    (void)state;
    ship.first->peb32 = PEB32;
    fill(ship.first, 0, FOUR_GB);
    assert_no_memory(ship.to_first);
    fake_process_end(ship.first, 0);
}

static void test_receiver_that_does_not_tell_its_bitness_is_none_of_64_bits(void **state)
{
    HANDLE weak = fake_handle_open(fake.own, &ship.first->object, RIGHTS, 0);
    HPSS shipped;

    (void)state;
    world_capture(SHIP_FLAGS);
    shipped = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, weak, 0);
    assert_true(address_of(shipped) < FOUR_GB);
    ship_free(ship.to_first, shipped);
    world_release();
    fill(ship.first, 0, FOUR_GB);
    assert_no_memory(weak);
    fake_process_end(ship.first, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ship_test(test_blocks_are_low_where_there_is_room),
        ship_test(test_blocks_are_low_where_the_system_knows_no_masks),
        ship_test(test_room_above_2_gb_is_room),
        ship_test(test_blocks_lie_elsewhere_where_there_is_no_room),
        ship_test(test_receiver_of_32_bits_without_room_gets_nothing),
        ship_test(test_receiver_that_does_not_tell_its_bitness_is_none_of_64_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
