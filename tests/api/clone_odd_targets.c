/* SPDX-License-Identifier: MIT */
/* Targets that are large or restless: cloned as well. */
#include "clone.h"
#include "ledger.h"
#include "pattern.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define PAGE     4096u
#define COMMIT   (MEM_RESERVE | MEM_COMMIT)
#define MEGABYTE 0x100000ull

static HPSS capture(const struct target *target)
{
    return clone_capture(target->process, 0, 0);
}

static void test_clone_of_3000_regions_is_complete(void **state)
{
    enum { REGIONS = 3000 };
    struct target *target = target_start();
    uint64_t base = target_call(target, TARGET_REGIONS, REGIONS, 0, 0, 0);

    (void)state;
    target_call(target, TARGET_FILL, base, (uint64_t)REGIONS * PAGE, 3, 0);
    HPSS snapshot = capture(target);
    target_call(target, TARGET_FREE, base, 0, MEM_RELEASE, 0);
    HANDLE clone = clone_of(snapshot);
    for (unsigned i = 0; i < REGIONS; i++) {
        MEMORY_BASIC_INFORMATION region = clone_region(clone, base + (uint64_t)i * PAGE);
        assert_same(region.RegionSize, PAGE);
        assert_same(region.Protect, i % 2 ? PAGE_READWRITE : PAGE_READONLY);
    }
    clone_assert_pattern(clone, base, (uint64_t)REGIONS * PAGE, 3);
    free_snapshot(snapshot);
    target_destroy(target);
}

/* Many allocations rather than many protections of one. */
static void test_clone_of_500_allocations_is_complete(void **state)
{
    enum { ALLOCATIONS = 500 };
    struct target *target = target_start();
    uint64_t bases[ALLOCATIONS];

    (void)state;
    for (unsigned i = 0; i < ALLOCATIONS; i++) {
        bases[i] =
            target_call(target, TARGET_ALLOCATE, 0, (i % 5 + 1) * PAGE, COMMIT, PAGE_READWRITE);
        target_call(target, TARGET_FILL, bases[i], PAGE, i + 1, 0);
    }
    HPSS snapshot = capture(target);
    for (unsigned i = 0; i < ALLOCATIONS; i++) {
        assert_same(address_of(clone_region(clone_of(snapshot), bases[i]).AllocationBase),
                    bases[i]);
        clone_assert_pattern(clone_of(snapshot), bases[i], PAGE, i + 1);
    }
    free_snapshot(snapshot);
    target_destroy(target);
}

/* Wherever a new process has something of its own, this target has memory. */
static void test_clone_of_a_target_with_crowded_low_memory_is_complete(void **state)
{
    enum { BLOCK = 0x10000, BLOCKS = 0x180 };
    struct target *target = target_start();
    uint64_t bases[BLOCKS];
    DWORD count = 0;

    (void)state;
    for (uint64_t address = BLOCK; address < (uint64_t)BLOCK * BLOCKS; address += BLOCK) {
        if (!VirtualAllocEx(target->process, (void *)(uintptr_t)address, BLOCK, COMMIT,
                            PAGE_READWRITE))
            continue;
        target_call(target, TARGET_FILL, address, BLOCK, address, 0);
        bases[count++] = address;
    }
    print_message("%lu blocks below 0x%x\n", count, BLOCK * BLOCKS);
    assert_true(count > 10);
    HPSS snapshot = capture(target);
    for (DWORD i = 0; i < count; i++) {
        assert_same(address_of(clone_region(clone_of(snapshot), bases[i]).AllocationBase),
                    bases[i]);
        clone_assert_pattern(clone_of(snapshot), bases[i], BLOCK, bases[i]);
    }
    free_snapshot(snapshot);
    target_destroy(target);
}

/*
 * At an address that is free in every process. Where the host's libraries are at random addresses,
 * the clone may have them where such a large part of the target is.
 */
static void test_clone_of_a_huge_reservation_is_cheap(void **state)
{
    const bool is_wide = sizeof(void *) == 8;
    const uint64_t size = is_wide ? 1ull << 38 : 1ull << 29;
    struct target *target = target_start();
    uint64_t memory = target_call(target, TARGET_ALLOCATE, is_wide ? 1ull << 40 : 0, size,
                                  MEM_RESERVE, PAGE_READWRITE);
    uint64_t used = memory + size / 2;

    (void)state;
    target_call(target, TARGET_ALLOCATE, used, PAGE, MEM_COMMIT, PAGE_READWRITE);
    target_call(target, TARGET_FILL, used, PAGE, 4, 0);
    HPSS snapshot = capture(target);
    MEMORY_BASIC_INFORMATION region = clone_region(clone_of(snapshot), memory);
    assert_same(region.State, MEM_RESERVE);
    assert_same(region.RegionSize, size / 2);
    assert_same(address_of(clone_region(clone_of(snapshot), used + PAGE).AllocationBase), memory);
    clone_assert_pattern(clone_of(snapshot), used, PAGE, 4);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void assert_clones_big(uint64_t size)
{
    struct target *target = target_start();
    uint64_t memory = target_call(target, TARGET_ALLOCATE, 0, size, COMMIT, PAGE_READWRITE);

    print_message("%llu MB at 0x%llx\n", (unsigned long long)(size / MEGABYTE),
                  (unsigned long long)memory);
    for (uint64_t part = 0; part < size; part += 64 * MEGABYTE)
        target_call(target, TARGET_FILL, memory + part, 64 * MEGABYTE, part / MEGABYTE + 1, 0);
    HPSS snapshot = capture(target);
    target_destroy(target);
    for (uint64_t part = 0; part < size; part += 64 * MEGABYTE)
        clone_assert_pattern(clone_of(snapshot), memory + part, 64 * MEGABYTE, part / MEGABYTE + 1);
    free_snapshot(snapshot);
}

static void test_clone_of_256_megabytes_holds_them(void **state)
{
    (void)state;
    assert_clones_big(256 * MEGABYTE);
}

/* The address space of a 32-bit process hardly has room for as much in one piece. */
static void test_clone_of_1024_megabytes_holds_them(void **state)
{
    (void)state;
    if (sizeof(void *) == 4)
        skip_because("a 32-bit caller cannot capture a 64-bit target");
    assert_clones_big(1024 * MEGABYTE);
}

static void test_clone_of_a_target_that_maps_and_unmaps_holds_what_stays(void **state)
{
    struct target *target = target_start();
    uint64_t memory = target_call(target, TARGET_ALLOCATE, 0, MEGABYTE, COMMIT, PAGE_READWRITE);

    (void)state;
    target_call(target, TARGET_FILL, memory, MEGABYTE, 6, 0);
    target_call(target, TARGET_CHURN_MEMORY, TRUE, 0, 0, 0);
    for (int i = 0; i < 10; i++) {
        HPSS snapshot = clone_capture(target->process, i % 2 ? PSS_CAPTURE_VA_SPACE : 0, 0);
        clone_assert_pattern(clone_of(snapshot), memory, MEGABYTE, 6);
        free_snapshot(snapshot);
    }
    target_call(target, TARGET_CHURN_MEMORY, FALSE, 0, 0, 0);
    assert_same(target_state_read(target).suspensions, 0);
    target_destroy(target);
}

static void test_clone_of_a_target_that_starts_and_ends_threads_succeeds(void **state)
{
    struct target *target = target_start();

    (void)state;
    target_call(target, TARGET_CHURN, TRUE, 0, 0, 0);
    for (int i = 0; i < 10; i++)
        free_snapshot(capture(target));
    target_call(target, TARGET_CHURN, FALSE, 0, 0, 0);
    assert_same(target_state_read(target).suspensions, 0);
    target_destroy(target);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_clone_of_3000_regions_is_complete),
        PSS_TEST(test_clone_of_500_allocations_is_complete),
        PSS_TEST(test_clone_of_a_target_with_crowded_low_memory_is_complete),
        PSS_TEST(test_clone_of_a_huge_reservation_is_cheap),
        PSS_TEST(test_clone_of_256_megabytes_holds_them),
        PSS_TEST(test_clone_of_1024_megabytes_holds_them),
        PSS_TEST(test_clone_of_a_target_that_maps_and_unmaps_holds_what_stays),
        PSS_TEST(test_clone_of_a_target_that_starts_and_ends_threads_succeeds),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clone_odd_targets", tests, ledger_warm_up, NULL);
}
