/* SPDX-License-Identifier: MIT */
/* The table of live handles under many threads and many handles, and the API above it. */
#include "block_walk.h"
#include "world.h"

#include <pthread.h>

#define THREADS 8
#define ROUNDS  200
#define MANY    20000

/* The later tables belong to the library for good: one system serves all tests of this program. */
static int setup_group(void **state)
{
    world_setup(state);
    world_furnish();
    world.target->trace = NULL;
    return 0;
}

static int teardown_group(void **state)
{
    struct fake_ledger ledger = fake_ledger_now();

    (void)state;
    return ledger.handles || ledger.heap_blocks || ledger.suspensions || ledger.views ||
                   ledger.threads || ledger.bad_closes
               ? -1
               : 0;
}

static void run_threads(void *(*routine)(void *))
{
    pthread_t threads[THREADS];

    for (uintptr_t i = 0; i < THREADS; i++)
        assert_same(pthread_create(&threads[i], NULL, routine, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        assert_same(pthread_join(threads[i], NULL), 0);
}

/* cmocka's checks are for the main thread alone. */
static void require(int condition)
{
    if (!condition)
        abort();
}

static void test_many_markers_are_all_alive_until_freed(void **state)
{
    static HPSSWALK markers[MANY];
    ULONG_PTR position;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        assert_same(pss_marker_create(fake_nt(), NULL, &markers[i]), STATUS_SUCCESS);
        assert_same(pss_marker_seek(markers[i], (ULONG_PTR)i), STATUS_SUCCESS);
    }
    for (int i = 0; i < MANY; i += 2)
        assert_same(pss_marker_free(fake_nt(), markers[i]), STATUS_SUCCESS);
    for (int i = 0; i < MANY; i++) {
        NTSTATUS status = pss_marker_tell(markers[i], &position);

        assert_same(status, i % 2 ? STATUS_SUCCESS : STATUS_INVALID_HANDLE);
        if (i % 2)
            assert_same(position, i);
    }
    for (int i = 0; i < MANY; i++)
        assert_same(pss_marker_free(fake_nt(), markers[i]),
                    i % 2 ? STATUS_SUCCESS : STATUS_INVALID_HANDLE);
    assert_same(fake_ledger_now().heap_blocks, 0);
}

static void test_made_up_handles_are_not_alive(void **state)
{
    uint64_t seed = 0x9E3779B97F4A7C15;
    HPSSWALK marker;

    (void)state;
    world_capture(PSS_CAPTURE_THREADS);
    marker = world.marker;
    for (int i = 0; i < 100000; i++) {
        uint64_t value = i < 64 ? (uint64_t)1 << i : i < 128 ? ~((uint64_t)1 << (i - 64)) : seed;
        HPSS made_up = pointer_to(value);

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if (made_up == world.snapshot || (HPSSWALK)made_up == marker)
            continue;
        assert_null(pss_snapshot_block(fake_nt(), made_up));
        assert_null(pss_marker_find((HPSSWALK)made_up));
    }
    /* The right value of the wrong kind. */
    assert_null(pss_snapshot_block(fake_nt(), (HPSS)marker));
    assert_null(pss_marker_find((HPSSWALK)world.snapshot));
    assert_null(pss_snapshot_block(fake_nt(), NULL));
    assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, (HPSS)marker),
                STATUS_INVALID_HANDLE);
    assert_same(pss_marker_free(fake_nt(), (HPSSWALK)world.snapshot), STATUS_INVALID_HANDLE);
    world_release();
}

/* Values that fall into the same slots of each table. */
static void *insert_and_remove(void *parameter)
{
    uintptr_t thread = (uintptr_t)parameter;

    for (uintptr_t round = 0; round < ROUNDS; round++) {
        for (uintptr_t i = 1; i <= 100; i++) {
            void *address = (void *)((i * THREADS + thread) << 20);

            require(!pss_live_contains(PSS_LIVE_MARKER, address, 0));
            require(NT_SUCCESS(pss_live_insert(fake_nt(), PSS_LIVE_MARKER, address, 0)));
        }
        for (uintptr_t i = 1; i <= 100; i++) {
            void *address = (void *)((i * THREADS + thread) << 20);

            require(pss_live_contains(PSS_LIVE_MARKER, address, 0));
            require(!pss_live_contains(PSS_LIVE_SNAPSHOT, address, 0));
            require(pss_live_remove(PSS_LIVE_MARKER, address, 0));
            require(!pss_live_remove(PSS_LIVE_MARKER, address, 0));
        }
    }
    return NULL;
}

static void test_threads_insert_and_remove_their_own(void **state)
{
    (void)state;
    run_threads(insert_and_remove);
}

static uint32_t removed;

static void *remove_all(void *parameter)
{
    (void)parameter;
    for (uintptr_t i = 1; i <= 5000; i++)
        __atomic_add_fetch(&removed, pss_live_remove(PSS_LIVE_SNAPSHOT, (void *)(i << 16), 0),
                           __ATOMIC_RELAXED);
    return NULL;
}

static void test_threads_that_free_the_same_succeed_once(void **state)
{
    (void)state;
    for (uintptr_t i = 1; i <= 5000; i++)
        assert_same(pss_live_insert(fake_nt(), PSS_LIVE_SNAPSHOT, (void *)(i << 16), 0),
                    STATUS_SUCCESS);
    run_threads(remove_all);
    assert_same(removed, 5000);
}

#define PLACE ((void *)0x7F0000)

/* Entries of one address: each thread finds and removes its own, whatever the others do. */
static void *replace_instances(void *parameter)
{
    uint64_t instance, first = ((uint64_t)(uintptr_t)parameter + 1) * 0x100000001;

    for (uint64_t i = 0; i < ROUNDS * 50; i++) {
        uint64_t own = first + (i << 8 | i << 40);

        require(!pss_live_remove(PSS_LIVE_SHARED_SNAPSHOT, PLACE, own));
        require(NT_SUCCESS(pss_live_insert(fake_nt(), PSS_LIVE_SHARED_SNAPSHOT, PLACE, own)));
        require(pss_live_contains(PSS_LIVE_SHARED_SNAPSHOT, PLACE, own));
        if (pss_live_find(PSS_LIVE_SHARED_SNAPSHOT, PLACE, &instance)) /* whole, of any thread */
            require((uint8_t)instance == (uint8_t)(instance >> 32) && (uint8_t)instance <= THREADS);
        require(pss_live_remove(PSS_LIVE_SHARED_SNAPSHOT, PLACE, own));
        require(!pss_live_contains(PSS_LIVE_SHARED_SNAPSHOT, PLACE, own));
    }
    return NULL;
}

static void test_threads_replace_instances_at_one_address(void **state)
{
    uint64_t instance = 1;

    (void)state;
    run_threads(replace_instances);
    assert_false(pss_live_find(PSS_LIVE_SHARED_SNAPSHOT, PLACE, &instance));
    assert_same(instance, 1);
}

#define INSTANCES 12u /* fit near one place */

static uint32_t removed_instances;

static void *remove_instances(void *parameter)
{
    (void)parameter;
    for (uint64_t i = 1; i <= INSTANCES; i++)
        __atomic_add_fetch(&removed_instances,
                           pss_live_remove(PSS_LIVE_SHARED_SNAPSHOT, PLACE, i << 32),
                           __ATOMIC_RELAXED);
    return NULL;
}

static void test_instances_of_one_address_are_removed_once_each(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        removed_instances = 0;
        for (uint64_t i = 0; i <= INSTANCES; i++)
            assert_same(pss_live_insert(fake_nt(), PSS_LIVE_SHARED_SNAPSHOT, PLACE, i << 32),
                        STATUS_SUCCESS);
        run_threads(remove_instances);
        assert_same(removed_instances, INSTANCES);
        assert_true(pss_live_contains(PSS_LIVE_SHARED_SNAPSHOT, PLACE, 0));
        assert_true(pss_live_remove(PSS_LIVE_SHARED_SNAPSHOT, PLACE, 0));
    }
}

static void *capture_use_and_free(void *parameter)
{
    (void)parameter;
    for (int round = 0; round < ROUNDS / 4; round++) {
        HPSS snapshot;

        require(pss_snapshot_capture(fake_nt(), world.process, EVERYTHING, CONTEXT_EVERYTHING,
                                     &snapshot) == STATUS_SUCCESS);
        block_use(snapshot);
        require(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, snapshot) == STATUS_SUCCESS);
        require(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, (HPSS)parameter) ==
                STATUS_INVALID_HANDLE);
    }
    return NULL;
}

static void test_threads_capture_and_free_at_once(void **state)
{
    uint64_t before = fake_ledger_now().allocations;

    (void)state;
    run_threads(capture_use_and_free);
    assert_same(fake_ledger_now().allocations, before);
    assert_same(fake_ledger_now().suspensions, 0);
}

/* Only one self-capture at a time freezes the others: all come to an end. */
static void *capture_self(void *parameter)
{
    (void)parameter;
    for (int round = 0; round < ROUNDS / 4; round++) {
        HPSS snapshot;

        require(pss_snapshot_capture(fake_nt(), PSS_CURRENT_PROCESS, EVERYTHING, CONTEXT_EVERYTHING,
                                     &snapshot) == STATUS_SUCCESS);
        require(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, snapshot) == STATUS_SUCCESS);
    }
    return NULL;
}

/* A thread that is suspended twice stands still for two captures at once. */
static NTSTATUS note_second_freeze(void *context, enum fake_call call)
{
    if (call == FAKE_GET_CONTEXT && fake.own->threads[1]->suspended_by_library > 1)
        ++*(uint32_t *)context;
    return STATUS_SUCCESS;
}

static void test_threads_capture_themselves_at_once(void **state)
{
    uint64_t before = fake_ledger_now().allocations;
    uint32_t second_freezes = 0;

    (void)state;
    fake_thread_add(fake.own, 4242);
    fake.context = &second_freezes;
    fake.refuse = note_second_freeze;
    fake_region_add(fake.own, 0x7FFE0000, 0x1000, MEM_COMMIT, PAGE_READONLY, MEM_PRIVATE);
    run_threads(capture_self);
    fake.refuse = NULL;
    assert_same(second_freezes, 0);
    assert_same(fake_ledger_now().allocations, before);
}

static void *walk_shared(void *parameter)
{
    (void)parameter;
    for (int round = 0; round < ROUNDS; round++)
        require(block_use(world.snapshot) > 0);
    return NULL;
}

static void test_threads_walk_one_snapshot_with_a_marker_each(void **state)
{
    (void)state;
    world_capture(EVERYTHING);
    run_threads(walk_shared);
    world_release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_markers_are_all_alive_until_freed),
        cmocka_unit_test(test_made_up_handles_are_not_alive),
        cmocka_unit_test(test_threads_insert_and_remove_their_own),
        cmocka_unit_test(test_threads_that_free_the_same_succeed_once),
        cmocka_unit_test(test_threads_replace_instances_at_one_address),
        cmocka_unit_test(test_instances_of_one_address_are_removed_once_each),
        cmocka_unit_test(test_threads_capture_and_free_at_once),
        cmocka_unit_test(test_threads_capture_themselves_at_once),
        cmocka_unit_test(test_threads_walk_one_snapshot_with_a_marker_each),
    };

    return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
