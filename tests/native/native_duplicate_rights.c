/* SPDX-License-Identifier: MIT */
/* Rights that duplicates and frees need, and frees in other processes of what is no snapshot. */
#include "ship_world.h"

#define SOURCE_RIGHTS (PROCESS_VM_READ | PROCESS_DUP_HANDLE)
#define TARGET_RIGHTS (PROCESS_VM_OPERATION | PROCESS_VM_WRITE | PROCESS_DUP_HANDLE)
#define FREE_RIGHTS   (PROCESS_VM_READ | PROCESS_VM_OPERATION | PROCESS_DUP_HANDLE)
#define CLOSE_RIGHTS  (SOURCE_RIGHTS | FREE_RIGHTS)

static HANDLE open(const struct fake_process *process, ACCESS_MASK access)
{
    return fake_handle_open(ship.own, (struct fake_object *)(uintptr_t)&process->object, access, 0);
}

/* Calls the check with each of the rights taken from all rights. */
static void for_each_missing(ACCESS_MASK rights, void (*check)(ACCESS_MASK access, int is_allowed))
{
    for (ACCESS_MASK right = 1; right <= rights; right <<= 1)
        if (rights & right)
            check(PROCESS_ALL_ACCESS & ~right, 0);
    check(rights, 1);
    check(PROCESS_ALL_ACCESS, 1);
}

static HPSS source;
static uint32_t flags;

static void check_status(NTSTATUS status, int is_allowed, struct fake_ledger before)
{
    struct fake_ledger now = fake_ledger_now();

    assert_same(status, is_allowed ? STATUS_SUCCESS : STATUS_ACCESS_DENIED);
    if (!is_allowed)
        assert_memory_equal(&now, &before, sizeof(now));
    assert_parties_untouched();
}

static void check_source(ACCESS_MASK access, int is_allowed)
{
    struct fake_ledger before;
    HPSS duplicate;

    source = ship_leave(ship.to_first, SHIP_FLAGS);
    before = fake_ledger_now();
    check_status(ship_try(open(ship.first, access), source, PSS_CURRENT_PROCESS, flags, &duplicate),
                 is_allowed, before);
    assert_same(duplicate != NULL, is_allowed);
    if (duplicate)
        ship_free(PSS_CURRENT_PROCESS, duplicate);
    if (!flags || !is_allowed)
        ship_free(ship.to_first, source);
}

static void test_source_needs_its_rights(void **state)
{
    (void)state;
    flags = PSS_DUPLICATE_NONE;
    for_each_missing(SOURCE_RIGHTS, check_source);
    flags = PSS_DUPLICATE_CLOSE_SOURCE;
    for_each_missing(CLOSE_RIGHTS, check_source);
}

static void check_target(ACCESS_MASK access, int is_allowed)
{
    struct fake_ledger before = fake_ledger_now();
    HPSS duplicate;

    check_status(
        ship_try(PSS_CURRENT_PROCESS, world.snapshot, open(ship.first, access), 0, &duplicate),
        is_allowed, before);
    assert_same(duplicate != NULL, is_allowed);
    if (duplicate)
        ship_free(ship.to_first, duplicate);
}

static void test_target_needs_its_rights(void **state)
{
    (void)state;
    world_capture(SHIP_FLAGS);
    for_each_missing(TARGET_RIGHTS, check_target);
}

static void check_free(ACCESS_MASK access, int is_allowed)
{
    struct fake_ledger before;

    source = ship_leave(ship.to_first, SHIP_FLAGS);
    before = fake_ledger_now();
    check_status(pss_snapshot_free(fake_nt(), open(ship.first, access), source), is_allowed,
                 before);
    if (!is_allowed)
        ship_free(ship.to_first, source);
}

static void test_free_needs_its_rights(void **state)
{
    (void)state;
    for_each_missing(FREE_RIGHTS, check_free);
}

/* Rights to the own process are not asked for, however little its handle can do. */
static void test_handles_to_the_own_process_are_enough(void **state)
{
    static const ACCESS_MASK rights[] = {PROCESS_ALL_ACCESS, PROCESS_QUERY_LIMITED_INFORMATION,
                                         PROCESS_VM_READ, SOURCE_RIGHTS};

    (void)state;
    world_capture(SHIP_FLAGS);
    for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
        HANDLE own = open(ship.own, rights[i]);
        HPSS other = ship_duplicate(own, world.snapshot, PSS_CURRENT_PROCESS, 0);
        HPSS another = ship_duplicate(PSS_CURRENT_PROCESS, other, own, 0);

        assert_same_snapshot(world.snapshot, another);
        ship_free(own, other);
        ship_free(own, another);
    }
}

/* The own process cannot be told from another by a handle that may only write: it is shipped. */
static void test_handle_that_may_only_be_written_through_ships_to_the_own_process(void **state)
{
    HPSS shipped;

    (void)state;
    world_capture(SHIP_FLAGS);
    shipped = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, open(ship.own, TARGET_RIGHTS), 0);
    assert_same_snapshot(world.snapshot, shipped);
    ship_free(PSS_CURRENT_PROCESS, shipped);
}

/* ---- frees of what is not there to be freed ---- */

static void assert_not_freed(HPSS snapshot, NTSTATUS expected)
{
    struct fake_ledger before = fake_ledger_now(), now;

    assert_same(pss_snapshot_free(fake_nt(), ship.to_first, snapshot), expected);
    now = fake_ledger_now();
    assert_memory_equal(&now, &before, sizeof(now));
    assert_parties_untouched();
}

static void test_free_of_what_is_no_snapshot_does_nothing(void **state)
{
    static const uint64_t addresses[] = {0,
                                         1,
                                         0x1000,
                                         PARTY_MEMORY,
                                         PARTY_MEMORY + 8,
                                         PARTY_VIEW,
                                         0x50000000,
                                         0x7FFFFFFF0000,
                                         0xFFFFFFFF00000000,
                                         0xFFFFFFFFFFFFF000,
                                         UINT64_MAX - 7,
                                         UINT64_MAX};

    (void)state;
    source = ship_leave(ship.to_first, SHIP_FLAGS);
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        HPSS none;

        assert_not_freed(pointer_to(addresses[i]), STATUS_INVALID_HANDLE);
        assert_same(ship_try(ship.to_first, pointer_to(addresses[i]), PSS_CURRENT_PROCESS,
                             PSS_DUPLICATE_CLOSE_SOURCE, &none),
                    STATUS_INVALID_HANDLE);
        assert_null(none);
    }
    assert_not_freed((HPSS)((char *)source + 64), STATUS_INVALID_HANDLE);
    ship_free(ship.to_first, source);
    assert_not_freed(source, STATUS_INVALID_HANDLE);
}

/* The bytes of a snapshot, without handles, somewhere in the first party. */
static void put_copy(uint64_t address, uint32_t origin, uint32_t capture_flags)
{
    struct pss_block header;
    unsigned char *bytes;

    world_capture(PSS_CAPTURE_THREADS);
    header = *(const struct pss_block *)world.snapshot;
    bytes = test_malloc(header.size);
    memcpy(bytes, world.snapshot, header.size);
    header.origin = origin;
    header.capture_flags |= capture_flags;
    memcpy(bytes, &header, sizeof(header));
    fake_write(ship.first, address, bytes, header.size);
    test_free(bytes);
    world_release();
}

/* What was captured there without leave for it is its owner's to free. */
static void test_free_of_what_was_captured_there_needs_its_leave(void **state)
{
    (void)state;
    fake_region_add(ship.first, 0x10000000, 0x10000, MEM_COMMIT, PAGE_READWRITE, MEM_PRIVATE);
    put_copy(0x10000000, PSS_ORIGIN_CAPTURED, 0);
    assert_not_freed(pointer_to(0x10000000), STATUS_NOT_SUPPORTED);
    put_copy(0x10000000, PSS_ORIGIN_CAPTURED, PSS_CREATE_USE_VM_ALLOCATIONS);
    ship_free(ship.to_first, pointer_to(0x10000000));
    assert_null(fake_region_at(ship.first, 0x10000000));
    for (uint32_t origin = PSS_ORIGIN_SHIPPED; origin <= PSS_ORIGIN_ADOPTED; origin++) {
        fake_region_add(ship.first, 0x10000000, 0x10000, MEM_COMMIT, PAGE_READWRITE, MEM_PRIVATE);
        put_copy(0x10000000, origin, 0);
        ship_free(ship.to_first, pointer_to(0x10000000));
        assert_null(fake_region_at(ship.first, 0x10000000));
    }
    assert_parties_untouched();
}

/* The same bytes inside of something else, or in a view, are no snapshot that can be freed. */
static void test_free_of_a_copy_elsewhere_frees_nothing(void **state)
{
    (void)state;
    put_copy(PARTY_MEMORY + 0x1000, PSS_ORIGIN_SHIPPED, 0);
    assert_not_freed(pointer_to(PARTY_MEMORY + 0x1000), STATUS_INVALID_HANDLE);
    put_copy(PARTY_VIEW, PSS_ORIGIN_SHIPPED, 0);
    assert_not_freed(pointer_to(PARTY_VIEW), STATUS_INVALID_HANDLE);
}

/* A duplicate was freed elsewhere while a marker here holds it: nothing is freed twice. */
static void test_free_from_elsewhere_leaves_nothing_to_a_marker(void **state)
{
    HPSS found = ship_settle(ship.first, ship_leave(ship.to_first, PSS_CAPTURE_THREADS)), other;
    PSS_THREAD_ENTRY entry;
    HPSSWALK marker;
    SIZE_T whole = 0;
    void *base = found;

    (void)state;
    assert_same(pss_marker_create(fake_nt(), NULL, &marker), STATUS_SUCCESS);
    assert_same(pss_snapshot_walk(found, PSS_WALK_THREADS, marker, &entry, sizeof(entry)),
                STATUS_SUCCESS);
    fake_nt()->free_memory(PSS_CURRENT_PROCESS, &base, &whole, MEM_RELEASE);
    assert_same(pss_snapshot_walk(found, PSS_WALK_THREADS, marker, &entry, sizeof(entry)),
                STATUS_INVALID_HANDLE);
    assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, found), STATUS_INVALID_HANDLE);
    assert_same(ship_try(PSS_CURRENT_PROCESS, found, PSS_CURRENT_PROCESS, 0, &other),
                STATUS_INVALID_HANDLE);
    assert_null(other);
    assert_same(pss_marker_free(fake_nt(), marker), STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ship_test(test_source_needs_its_rights),
        ship_test(test_target_needs_its_rights),
        ship_test(test_free_needs_its_rights),
        ship_test(test_handles_to_the_own_process_are_enough),
        ship_test(test_handle_that_may_only_be_written_through_ships_to_the_own_process),
        ship_test(test_free_of_what_is_no_snapshot_does_nothing),
        ship_test(test_free_of_what_was_captured_there_needs_its_leave),
        ship_test(test_free_of_a_copy_elsewhere_frees_nothing),
        ship_test(test_free_from_elsewhere_leaves_nothing_to_a_marker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
