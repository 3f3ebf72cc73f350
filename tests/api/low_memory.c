/* SPDX-License-Identifier: MIT */
/* Where snapshots lie: processes of both bitnesses can name them, unless there is no room below 4
 * GB. */
#include "ledger.h"
#include "nt_calls.h"
#include "shipping.h"
#include "under_test.h"

#define FOUR_GB     0x100000000u
#define LARGEST     0x40000000u /* bytes that are reserved at once */
#define GRANULARITY 0x10000u
#define RESERVED    400u /* reservations at most */

static void *reserved[RESERVED];
static size_t reserved_count;

static bool is_wide(void)
{
    return sizeof(void *) == 8;
}

/*
 * Below 4 GB: as ZeroBits that is a mask of what the address may have, see src/nt/nt_types.h, or
 * for a 32-bit caller whose system knows no masks, as none.
 */
static void *reserve_low(HANDLE process, SIZE_T size)
{
    static const ULONG_PTR limits[] = {UINT32_MAX, 0};

    for (int i = 0; i < (is_wide() ? 1 : 2); i++) {
        void *base = NULL;

        if (NT_SUCCESS(NtAllocateVirtualMemory(process, &base, limits[i], &size, MEM_RESERVE,
                                               PAGE_NOACCESS)))
            return base;
    }
    return NULL;
}

/* Leaves no room below 4 GB; what there is is remembered for give_back. */
static void take_all(HANDLE process)
{
    reserved_count = 0;
    for (SIZE_T size = LARGEST; size >= GRANULARITY; size /= 2)
        for (void *base; (base = reserve_low(process, size)) != NULL;) {
            assert_true(reserved_count < RESERVED);
            reserved[reserved_count++] = base;
        }
}

static void give_back(void)
{
    while (reserved_count)
        VirtualFree(reserved[--reserved_count], 0, MEM_RELEASE);
}

/* ---- where there is room ---- */

static void assert_low_everywhere(struct target *receiver)
{
    HPSS own, copy, there;

    assert_same(pss.capture(GetCurrentProcess(), 0, 0, &own), ERROR_SUCCESS);
    copy = ship_duplicate(GetCurrentProcess(), own, GetCurrentProcess(), 0);
    there = ship_duplicate(GetCurrentProcess(), own, receiver->process, 0);
    assert_true(address_of(own) < FOUR_GB);
    assert_true(address_of(copy) < FOUR_GB);
    assert_true(address_of(there) < FOUR_GB);
    assert_same(ship_query_there(receiver, there), ERROR_SUCCESS);
    assert_same(ship_free_there(receiver, there), ERROR_SUCCESS);
    assert_same(pss.free(GetCurrentProcess(), copy), ERROR_SUCCESS);
    assert_same(pss.free(GetCurrentProcess(), own), ERROR_SUCCESS);
}

static void test_snapshots_are_below_4_gb_where_there_is_room(void **state)
{
    struct target *receiver = ship_start(), *foreign = ship_start_foreign();

    (void)state;
    assert_low_everywhere(receiver);
    if (foreign)
        assert_low_everywhere(foreign);
}

/* A 32-bit maker in a 64-bit test, and the other way round. */
static void test_snapshot_of_the_other_bitness_is_below_4_gb(void **state)
{
    struct target *foreign = ship_start_foreign();

    (void)state;
    if (!foreign)
        skip();
    uint64_t there = target_call(foreign, TARGET_SNAPSHOT_CAPTURE, 0, 0, 0, 0);
    assert_same(target_value(foreign, 0), ERROR_SUCCESS);
    assert_true(there && there < FOUR_GB);
}

/* ---- where there is none ---- */

static void test_own_process_without_room_has_its_snapshots_elsewhere(void **state)
{
    struct target *receiver = ship_start();
    HPSS own = NULL, copy = NULL, there = NULL;

    (void)state;
    if (!is_wide())
        skip();
    take_all(GetCurrentProcess());
    DWORD captured = pss.capture(GetCurrentProcess(), 0, 0, &own);
    DWORD copied = pss.duplicate(GetCurrentProcess(), own, GetCurrentProcess(), &copy, 0);
    DWORD shipped = pss.duplicate(GetCurrentProcess(), own, receiver->process, &there, 0);
    give_back();
    assert_same(captured, ERROR_SUCCESS);
    assert_same(copied, ERROR_SUCCESS);
    assert_same(shipped, ERROR_SUCCESS);
    assert_true(address_of(own) >= FOUR_GB);
    assert_true(address_of(copy) >= FOUR_GB);
    assert_true(address_of(there) < FOUR_GB);
    assert_same(ship_free_there(receiver, there), ERROR_SUCCESS);
    assert_same(pss.free(GetCurrentProcess(), copy), ERROR_SUCCESS);
    assert_same(pss.free(GetCurrentProcess(), own), ERROR_SUCCESS);
}

static void test_receiver_of_64_bits_without_room_has_them_elsewhere(void **state)
{
    struct target *receiver = ship_start();
    HPSS own, there;

    (void)state;
    if (!is_wide())
        skip();
    take_all(receiver->process);
    assert_same(pss.capture(GetCurrentProcess(), 0, 0, &own), ERROR_SUCCESS);
    there = ship_duplicate(GetCurrentProcess(), own, receiver->process, 0);
    assert_true(address_of(there) >= FOUR_GB);
    assert_same(ship_query_there(receiver, there), ERROR_SUCCESS);
    assert_same(ship_free_there(receiver, there), ERROR_SUCCESS);
    assert_same(pss.free(GetCurrentProcess(), own), ERROR_SUCCESS);
}

/* Bytes that a process has committed, as far as the caller can see. */
static uint64_t committed_bytes(HANDLE process)
{
    MEMORY_BASIC_INFORMATION region;
    const char *address = NULL;
    uint64_t bytes = 0;

    for (; VirtualQueryEx(process, address, &region, sizeof(region));
         address = (const char *)region.BaseAddress + region.RegionSize)
        bytes += region.State == MEM_COMMIT ? region.RegionSize : 0;
    return bytes;
}

static void assert_refused(struct target *receiver)
{
    DWORD flags = PSS_CAPTURE_VA_CLONE, handles;
    HPSS own, there = (HPSS)&flags;
    uint64_t bytes;

    assert_same(pss.capture(GetCurrentProcess(), flags, 0, &own), ERROR_SUCCESS);
    take_all(receiver->process);
    handles = nt_handles_count(receiver->pid);
    bytes = committed_bytes(receiver->process);
    assert_same(pss.duplicate(GetCurrentProcess(), own, receiver->process, &there, 0),
                ERROR_NOT_ENOUGH_MEMORY);
    assert_null(there);
    assert_same(nt_handles_count(receiver->pid), handles);
    assert_same(committed_bytes(receiver->process), bytes);
    assert_same(pss.free(GetCurrentProcess(), own), ERROR_SUCCESS);
}

/* Also where the system would give a 64-bit caller memory that the receiver cannot name. */
static void test_receiver_of_32_bits_without_room_gets_nothing(void **state)
{
    struct target *receiver;

    (void)state;
    only_ours();
    receiver = is_wide() ? ship_start_foreign() : ship_start();
    if (!receiver)
        skip();
    assert_refused(receiver);
}

static void test_caller_of_32_bits_gets_nothing_into_a_full_process_of_64(void **state)
{
    struct target *receiver;

    (void)state;
    only_ours();
    receiver = is_wide() ? NULL : ship_start_foreign();
    if (!receiver)
        skip();
    assert_refused(receiver);
}

/* It has such a snapshot only for want of room; what is left of its address is none. */
static void test_caller_of_32_bits_cannot_name_what_lies_above_4_gb(void **state)
{
    struct target *maker;
    HPSS none = (HPSS)&maker;

    (void)state;
    only_ours();
    maker = is_wide() ? NULL : ship_start_foreign();
    if (!maker)
        skip();
    take_all(maker->process);
    uint64_t there = target_call(maker, TARGET_SNAPSHOT_CAPTURE, 0, 0, 0, 0);
    assert_same(target_value(maker, 0), ERROR_SUCCESS);
    assert_true(there >= FOUR_GB);
    assert_same(
        pss.duplicate(maker->process, (HPSS)(uintptr_t)there, GetCurrentProcess(), &none, 0),
        ERROR_INVALID_HANDLE);
    assert_null(none);
    assert_same(pss.free(maker->process, (HPSS)(uintptr_t)there), ERROR_INVALID_HANDLE);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_snapshots_are_below_4_gb_where_there_is_room),
        PSS_TEST(test_snapshot_of_the_other_bitness_is_below_4_gb),
        PSS_TEST(test_own_process_without_room_has_its_snapshots_elsewhere),
        PSS_TEST(test_receiver_of_64_bits_without_room_has_them_elsewhere),
        PSS_TEST(test_receiver_of_32_bits_without_room_gets_nothing),
        PSS_TEST(test_caller_of_32_bits_gets_nothing_into_a_full_process_of_64),
        PSS_TEST(test_caller_of_32_bits_cannot_name_what_lies_above_4_gb),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("low_memory", tests, ledger_warm_up, NULL);
}
