/* SPDX-License-Identifier: MIT */
/* A target with more memory than 32 bits can tell: every size is told exactly. */
#include "clone.h"
#include "ledger.h"
#include "records.h"
#include "soak.h"
#include "target.h"
#include "under_test.h"

#ifdef _WIN64
#define RESERVED 0x200000000ull /* bytes: 8 GiB */
#define EXTRA    0x104000000ull /* committed bytes in a whole run: 4 GiB and 64 MiB */
#else
#define RESERVED 0x20000000ull /* as much as the address space allows in one piece */
#define EXTRA    0x08000000ull
#endif

#define FILLED     0x400000u /* bytes, at the very end */
#define EXTRA_AT   0x1000000u
#define SEED       99u
#define PAGE_BYTES 0x1000u

/* What is where; extra is 0 bytes long in an ordinary run. */
struct huge {
    struct target *target;
    uint64_t base, extra, filled;
};

static struct huge start_huge(void)
{
    struct huge huge = {.target = target_start()};

    huge.base = target_call(huge.target, TARGET_ALLOCATE, 0, RESERVED, MEM_RESERVE, PAGE_READWRITE);
    huge.extra = soak_or(0, 1) ? EXTRA : 0;
    huge.filled = huge.base + RESERVED - FILLED;
    if (huge.extra)
        target_call(huge.target, TARGET_ALLOCATE, huge.base + EXTRA_AT, huge.extra, MEM_COMMIT,
                    PAGE_READWRITE);
    target_call(huge.target, TARGET_ALLOCATE, huge.filled, FILLED, MEM_COMMIT, PAGE_READWRITE);
    target_call(huge.target, TARGET_FILL, huge.filled, FILLED, SEED, 0);
    return huge;
}

static void assert_region(uint64_t address, uint64_t size, DWORD region_state,
                          const PSS_VA_SPACE_ENTRY *entry)
{
    assert_same(address_of(entry->BaseAddress), address);
    assert_same(entry->RegionSize, size);
    assert_same(entry->State, region_state);
}

static void check_regions(HPSS snapshot, const struct huge *huge)
{
    struct records regions = records_read(snapshot, PSS_WALK_VA_SPACE);
    uint64_t end = 0;

    for (DWORD i = 0; i < regions.count; i++) {
        const PSS_VA_SPACE_ENTRY *entry = record_at(regions, PSS_VA_SPACE_ENTRY, i);
        assert_same(address_of(entry->BaseAddress), end);
        end += entry->RegionSize;
    }
    if (huge->extra) {
        uint64_t after = huge->base + EXTRA_AT + huge->extra;
        assert_region(huge->base, EXTRA_AT, MEM_RESERVE, find_region(&regions, huge->base));
        assert_region(huge->base + EXTRA_AT, huge->extra, MEM_COMMIT,
                      find_region(&regions, after - 1));
        assert_region(after, huge->filled - after, MEM_RESERVE, find_region(&regions, after));
    } else {
        assert_region(huge->base, RESERVED - FILLED, MEM_RESERVE,
                      find_region(&regions, huge->filled - 1));
    }
    assert_region(huge->filled, FILLED, MEM_COMMIT, find_region(&regions, huge->filled));
    records_free(&regions);
}

static void check_sizes(HPSS snapshot)
{
    PSS_PROCESS_INFORMATION process;

    query_fully(snapshot, PSS_QUERY_PROCESS_INFORMATION, &process, sizeof(process));
    assert_true(process.VirtualSize >= RESERVED);
    assert_true(process.PeakVirtualSize >= process.VirtualSize);
}

static void test_regions_of_a_huge_target_have_their_sizes(void **state)
{
    struct huge huge = start_huge();
    HPSS snapshot = target_capture(huge.target, PSS_CAPTURE_VA_SPACE, 0);

    (void)state;
    check_regions(snapshot, &huge);
    check_sizes(snapshot);
    free_snapshot(snapshot);
}

/* The same sums as of the target itself, in 64 bits. */
static uint64_t committed_bytes(HPSS snapshot)
{
    struct records regions = records_read(snapshot, PSS_WALK_VA_SPACE);
    uint64_t sum = 0;

    for (DWORD i = 0; i < regions.count; i++) {
        const PSS_VA_SPACE_ENTRY *entry = record_at(regions, PSS_VA_SPACE_ENTRY, i);
        sum += entry->State == MEM_COMMIT ? entry->RegionSize : 0;
    }
    records_free(&regions);
    return sum;
}

static void check_details(HPSS snapshot)
{
    if (!clone_is_carrier(snapshot))
        return;
    PSS_VA_CLONE_DETAILS details = clone_details(snapshot);
    assert_same(details.BytesCommitted, committed_bytes(snapshot));
    assert_same(details.BytesHeld + details.BytesMissing, details.BytesCommitted);
    assert_same(details.BytesCopied + details.BytesUnchanged + details.BytesZero,
                details.BytesHeld);
}

static void test_clone_of_a_huge_target_has_its_last_bytes(void **state)
{
    struct huge huge = start_huge();
    HPSS snapshot = clone_capture(huge.target->process, PSS_CAPTURE_VA_SPACE, 0);
    HANDLE clone = clone_of(snapshot);

    (void)state;
    check_regions(snapshot, &huge);
    check_details(snapshot);
    clone_assert_pattern(clone, huge.filled, FILLED, SEED);
    MEMORY_BASIC_INFORMATION region = clone_region(clone, huge.filled - PAGE_BYTES);
    assert_same(region.State, MEM_RESERVE);
    assert_same(address_of(region.AllocationBase), huge.base);
    assert_same(address_of(region.BaseAddress) + region.RegionSize, huge.filled);
    if (huge.extra)
        assert_same(clone_region(clone, huge.base + EXTRA_AT).RegionSize, huge.extra);
    free_snapshot(snapshot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_regions_of_a_huge_target_have_their_sizes),
        PSS_TEST(test_clone_of_a_huge_target_has_its_last_bytes),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("load_huge", tests, ledger_warm_up, NULL);
}
