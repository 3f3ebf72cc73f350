/* SPDX-License-Identifier: MIT */
/* The clone's memory: the bytes of the capture, whatever the target does to its own later. */
#include "clone.h"
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define PAGE     4096u
#define BLOCK    0x10000u
#define SIZE     0x140000u
#define COMMIT   (MEM_RESERVE | MEM_COMMIT)
#define BEFORE   11 /* seeds of the patterns before and after the capture */
#define AFTER    12
#define RESERVED 0x200000u

static uint64_t allocate(struct target *target, uint64_t size)
{
    return target_call(target, TARGET_ALLOCATE, 0, size, COMMIT, PAGE_READWRITE);
}

static void fill(struct target *target, uint64_t address, uint64_t size, uint64_t seed)
{
    target_call(target, TARGET_FILL, address, size, seed, 0);
}

static HPSS capture(const struct target *target)
{
    return clone_capture(target->process, PSS_CAPTURE_VA_SPACE, 0);
}

static void test_clone_keeps_random_bytes_that_the_target_overwrites(void **state)
{
    struct target *target = target_start();
    uint64_t memory = allocate(target, SIZE);

    (void)state;
    fill(target, memory, SIZE, BEFORE);
    HPSS snapshot = capture(target);
    fill(target, memory, SIZE, AFTER);
    clone_assert_pattern(target->process, memory, SIZE, AFTER);
    clone_assert_pattern(clone_of(snapshot), memory, SIZE, BEFORE);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_clone_keeps_zeros_that_the_target_overwrites(void **state)
{
    struct target *target = target_start();
    uint64_t untouched = allocate(target, SIZE);
    uint64_t cleared = allocate(target, SIZE);

    (void)state;
    fill(target, cleared, SIZE, BEFORE);
    fill(target, cleared, SIZE, 0);
    HPSS snapshot = capture(target);
    fill(target, untouched, SIZE, AFTER);
    fill(target, cleared, SIZE, AFTER);
    clone_assert_pattern(clone_of(snapshot), untouched, SIZE, 0);
    clone_assert_pattern(clone_of(snapshot), cleared, SIZE, 0);
    free_snapshot(snapshot);
    target_destroy(target);
}

/* Single pages of data among zeros, at every distance from the borders of any chunk. */
static void test_clone_keeps_data_pages_among_zeros(void **state)
{
    static const uint32_t data[] = {0, 1, 15, 16, 17, 127, 128, 255, 256, 257, 318, 319};
    struct target *target = target_start();
    uint64_t memory = allocate(target, SIZE);
    uint64_t expected[SIZE / PAGE] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
        expected[data[i]] = BEFORE + i;
        fill(target, memory + (uint64_t)data[i] * PAGE, PAGE, BEFORE + i);
    }
    HPSS snapshot = capture(target);
    fill(target, memory, SIZE, AFTER);
    for (uint32_t page = 0; page < SIZE / PAGE; page++)
        clone_assert_pattern(clone_of(snapshot), memory + (uint64_t)page * PAGE, PAGE,
                             expected[page]);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_clone_keeps_memory_that_the_target_frees(void **state)
{
    struct target *target = target_start();
    uint64_t released = allocate(target, SIZE);
    uint64_t decommitted = allocate(target, SIZE);

    (void)state;
    fill(target, released, SIZE, BEFORE);
    fill(target, decommitted, SIZE, BEFORE);
    HPSS snapshot = capture(target);
    target_call(target, TARGET_FREE, released, 0, MEM_RELEASE, 0);
    target_call(target, TARGET_FREE, decommitted, SIZE, MEM_DECOMMIT, 0);
    clone_assert_pattern(clone_of(snapshot), released, SIZE, BEFORE);
    clone_assert_pattern(clone_of(snapshot), decommitted, SIZE, BEFORE);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_clone_has_no_memory_that_the_target_gets_later(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = capture(target);
    uint64_t later = allocate(target, SIZE);

    (void)state;
    assert_same(clone_region(target->process, later).State, MEM_COMMIT);
    assert_same(clone_region(clone_of(snapshot), later).State, MEM_FREE);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void assert_region(HANDLE clone, uint64_t address, uint64_t size, DWORD protect)
{
    MEMORY_BASIC_INFORMATION region = clone_region(clone, address);

    assert_same(address_of(region.BaseAddress), address);
    assert_same(address_of(region.AllocationBase), address);
    assert_same(region.RegionSize, size);
    assert_same(region.State, MEM_COMMIT);
    assert_same(region.Protect, protect);
}

static void test_clone_keeps_protected_pages_and_their_protection(void **state)
{
    static const DWORD protections[] = {PAGE_READONLY, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE,
                                        PAGE_NOACCESS, PAGE_READWRITE | PAGE_GUARD};
    enum { COUNT = sizeof(protections) / sizeof(protections[0]) };
    struct target *target = target_start();
    uint64_t memory[COUNT];
    DWORD old = 0;

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        memory[i] = allocate(target, BLOCK);
        fill(target, memory[i], BLOCK, BEFORE);
        target_call(target, TARGET_PROTECT, memory[i], BLOCK, protections[i], 0);
    }
    HPSS snapshot = capture(target);
    HANDLE clone = clone_of(snapshot);
    for (int i = 0; i < COUNT; i++) {
        fill(target, memory[i], BLOCK, AFTER);
        assert_region(clone, memory[i], BLOCK, protections[i]);
        if (i >= 3) /* Windows lets nobody read these; their bytes are there all the same */
            assert_true(
                VirtualProtectEx(clone, (void *)(uintptr_t)memory[i], BLOCK, PAGE_READONLY, &old));
        clone_assert_pattern(clone, memory[i], BLOCK, BEFORE);
    }
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_clone_guard_page_read_from_outside_does_not_fire(void **state)
{
    struct target *target = target_start();
    uint64_t memory = allocate(target, 3 * PAGE);
    unsigned char byte;

    (void)state;
    target_call(target, TARGET_PROTECT, memory + PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD, 0);
    HPSS snapshot = capture(target);
    for (int i = 0; i < 2; i++) {
        ReadProcessMemory(clone_of(snapshot), (void *)(uintptr_t)(memory + PAGE), &byte, 1, NULL);
        MEMORY_BASIC_INFORMATION guard = clone_region(clone_of(snapshot), memory + PAGE);
        assert_same(guard.Protect, PAGE_READWRITE | PAGE_GUARD);
        assert_same(guard.RegionSize, PAGE);
    }
    assert_same(clone_region(target->process, memory + PAGE).Protect, PAGE_READWRITE | PAGE_GUARD);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_clone_reserved_memory_stays_reserved(void **state)
{
    struct target *target = target_start();
    uint64_t memory =
        target_call(target, TARGET_ALLOCATE, 0, RESERVED, MEM_RESERVE, PAGE_EXECUTE_READWRITE);
    uint64_t middle = memory + 5 * BLOCK;

    (void)state;
    target_call(target, TARGET_ALLOCATE, middle, BLOCK, MEM_COMMIT, PAGE_READWRITE);
    fill(target, middle, BLOCK, BEFORE);
    HPSS snapshot = capture(target);
    target_call(target, TARGET_ALLOCATE, memory, RESERVED, MEM_COMMIT, PAGE_READWRITE);
    for (int part = 0; part < 3; part++) {
        const uint64_t bases[] = {memory, middle, middle + BLOCK};
        MEMORY_BASIC_INFORMATION region = clone_region(clone_of(snapshot), bases[part]);
        assert_same(address_of(region.BaseAddress), bases[part]);
        assert_same(address_of(region.AllocationBase), memory);
        assert_same(region.AllocationProtect, PAGE_EXECUTE_READWRITE);
        assert_same(region.State, part == 1 ? MEM_COMMIT : MEM_RESERVE);
    }
    assert_same(clone_region(clone_of(snapshot), middle + BLOCK).RegionSize, RESERVED - 6 * BLOCK);
    clone_assert_pattern(clone_of(snapshot), middle, BLOCK, BEFORE);
    free_snapshot(snapshot);
    target_destroy(target);
}

/* A stack grows down: reserved, then a guard, then what is in use. */
static void assert_stack(HANDLE clone, HANDLE process, uint64_t address)
{
    uint64_t base = address_of(clone_region(process, address).AllocationBase);
    DWORD guards = 0;

    assert_same(address_of(clone_region(clone, address).AllocationBase), base);
    for (uint64_t part = base; part <= address;) {
        MEMORY_BASIC_INFORMATION there = clone_region(clone, part);
        MEMORY_BASIC_INFORMATION here = clone_region(process, part);
        assert_same(there.RegionSize, here.RegionSize);
        assert_same(there.State, here.State);
        assert_same(there.Protect, here.Protect);
        guards += there.State == MEM_COMMIT && (there.Protect & PAGE_GUARD);
        part += there.RegionSize;
    }
    assert_true(guards > 0);
}

static void test_clone_keeps_a_thread_stack_and_its_guard(void **state)
{
    struct target *target = target_start();

    (void)state;
    target_call(target, TARGET_THREAD, TARGET_THREAD_WAITS, 0, 0, 0);
    uint64_t id = target_value(target, 0);
    uint64_t marks = target_value(target, 3);
    HPSS snapshot = capture(target);
    fill(target, marks, TARGET_MARKS * sizeof(uint64_t), AFTER);
    clone_assert_pattern(clone_of(snapshot), marks, TARGET_MARKS * sizeof(uint64_t), id);
    assert_stack(clone_of(snapshot), target->process, marks);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_clone_of_wow64_target_keeps_its_bytes(void **state)
{
    struct target *target = sizeof(void *) == 8 ? target_start_foreign() : NULL;

    (void)state;
    if (!target)
        skip_because(NO_OTHER_BITNESS);
    uint64_t memory = allocate(target, SIZE);
    fill(target, memory, SIZE, BEFORE);
    HPSS snapshot = capture(target);
    fill(target, memory, SIZE, AFTER);
    clone_assert_pattern(clone_of(snapshot), memory, SIZE, BEFORE);
    assert_region(clone_of(snapshot), memory, SIZE, PAGE_READWRITE);
    free_snapshot(snapshot);
    target_destroy(target);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_clone_keeps_random_bytes_that_the_target_overwrites),
        PSS_TEST(test_clone_keeps_zeros_that_the_target_overwrites),
        PSS_TEST(test_clone_keeps_data_pages_among_zeros),
        PSS_TEST(test_clone_keeps_memory_that_the_target_frees),
        PSS_TEST(test_clone_has_no_memory_that_the_target_gets_later),
        PSS_TEST(test_clone_keeps_protected_pages_and_their_protection),
        PSS_TEST(test_clone_guard_page_read_from_outside_does_not_fire),
        PSS_TEST(test_clone_reserved_memory_stays_reserved),
        PSS_TEST(test_clone_keeps_a_thread_stack_and_its_guard),
        PSS_TEST(test_clone_of_wow64_target_keeps_its_bytes),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clone_memory", tests, ledger_warm_up, NULL);
}
