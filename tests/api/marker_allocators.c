/* SPDX-License-Identifier: MIT */
/* Custom allocators of walk markers: who calls them, how often, and what their failure does. */
#include "ledger.h"
#include "records.h"
#include "under_test.h"

#define MAX_BLOCKS 64
#define EVERYTHING                                                                               \
    (PSS_CAPTURE_RESERVED_00000002 | PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION | \
     PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT | PSS_CAPTURE_VA_SPACE |                   \
     PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION)

static HPSS snapshot_with(DWORD flags)
{
    HPSS snapshot = NULL;

    assert_same(pss.capture(GetCurrentProcess(), flags, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    return snapshot;
}

/* An allocator that keeps the ledger of its calls. */
struct allocator {
    PSS_ALLOCATOR routines;
    DWORD thread;      /* the only thread that may call */
    DWORD allowed;     /* allocations before NULL is returned */
    DWORD allocations; /* calls that gave memory */
    DWORD frees;
    bool wrong; /* a call came from another thread, or freed what is not there */
    void *blocks[MAX_BLOCKS];
};

static void *WINAPI allocate(void *context, DWORD size)
{
    struct allocator *allocator = (struct allocator *)context;

    if (GetCurrentThreadId() != allocator->thread || !size)
        allocator->wrong = true;
    if (allocator->allocations >= allocator->allowed || allocator->allocations >= MAX_BLOCKS)
        return NULL;
    void *block = malloc(size);
    memset(block, 0xE7, size); /* the library must not expect zeros */
    allocator->blocks[allocator->allocations++] = block;
    return block;
}

static void WINAPI release(void *context, void *address)
{
    struct allocator *allocator = (struct allocator *)context;

    if (GetCurrentThreadId() != allocator->thread)
        allocator->wrong = true;
    if (!address)
        return;
    for (DWORD i = 0; i < allocator->allocations; i++) {
        if (allocator->blocks[i] != address)
            continue;
        allocator->blocks[i] = NULL;
        allocator->frees++;
        free(address);
        return;
    }
    allocator->wrong = true;
}

static void init_allocator(struct allocator *allocator, DWORD allowed)
{
    memset(allocator, 0, sizeof(*allocator));
    allocator->routines.Context = allocator;
    allocator->routines.AllocRoutine = allocate;
    allocator->routines.FreeRoutine = release;
    allocator->thread = GetCurrentThreadId();
    allocator->allowed = allowed;
}

static void test_marker_allocator_serves_create_walk_and_free_in_pairs(void **state)
{
    struct allocator allocator;
    HPSS snapshot = snapshot_with(EVERYTHING);
    HPSSWALK marker = NULL;
    unsigned char buffer[256];

    (void)state;
    init_allocator(&allocator, MAX_BLOCKS);
    assert_same(pss.marker_create(&allocator.routines, &marker), ERROR_SUCCESS);
    assert_true(allocator.allocations > 0);
    for (DWORD information = 0; information < 4; information++)
        while (!pss.walk(snapshot, information, marker, buffer, walk_size(information)))
            ;
    assert_same(allocator.frees, 0);
    assert_true(allocator.allocations <= 2);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    assert_same(allocator.frees, allocator.allocations);
    assert_false(allocator.wrong);
    free_snapshot(snapshot);
}

static void test_marker_allocator_structure_is_copied(void **state)
{
    struct allocator allocator;
    HPSSWALK marker = NULL;

    (void)state;
    only_ours();
    init_allocator(&allocator, MAX_BLOCKS);
    PSS_ALLOCATOR routines = allocator.routines;
    assert_same(pss.marker_create(&routines, &marker), ERROR_SUCCESS);
    memset(&routines, 0, sizeof(routines));
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    assert_same(allocator.frees, allocator.allocations);
    assert_false(allocator.wrong);
}

static void test_marker_allocator_without_memory_is_not_enough_memory(void **state)
{
    struct allocator allocator;
    HPSSWALK marker = (HPSSWALK)(uintptr_t)0x5A5A5A58;

    (void)state;
    init_allocator(&allocator, 0);
    assert_same(pss.marker_create(&allocator.routines, &marker), ERROR_NOT_ENOUGH_MEMORY);
    assert_same(allocator.frees, 0);
    assert_false(allocator.wrong);
    /* psscap frees its variable all the same, whatever is in it. */
    if (under_test_is_ours())
        assert_same(pss.marker_free(marker), ERROR_INVALID_HANDLE);
}

static void test_marker_allocator_failing_later_gives_its_error_and_no_leak(void **state)
{
    struct allocator allocator;
    HPSS snapshots[10];
    PSS_HANDLE_ENTRY entry;
    HPSSWALK marker = NULL;

    (void)state;
    only_ours();
    for (int i = 0; i < 10; i++)
        snapshots[i] = snapshot_with(PSS_CAPTURE_HANDLES);
    for (DWORD allowed = 1; allowed < 12; allowed++) {
        init_allocator(&allocator, allowed);
        assert_same(pss.marker_create(&allocator.routines, &marker), ERROR_SUCCESS);
        for (int i = 0; i < 10; i++) {
            DWORD error = pss.walk(snapshots[i], PSS_WALK_HANDLES, marker, &entry, sizeof(entry));
            assert_true(error == ERROR_SUCCESS || error == ERROR_NOT_ENOUGH_MEMORY);
        }
        assert_same(pss.marker_free(marker), ERROR_SUCCESS);
        assert_same(allocator.frees, allocator.allocations);
        assert_false(allocator.wrong);
    }
    for (int i = 0; i < 10; i++)
        free_snapshot(snapshots[i]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_marker_allocator_serves_create_walk_and_free_in_pairs),
        PSS_TEST(test_marker_allocator_structure_is_copied),
        PSS_TEST(test_marker_allocator_without_memory_is_not_enough_memory),
        PSS_TEST(test_marker_allocator_failing_later_gives_its_error_and_no_leak),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("marker_allocators", tests, ledger_warm_up, NULL);
}
