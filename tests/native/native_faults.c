/* SPDX-License-Identifier: MIT */
/* The fault loop: every call of every function fails, once, lastingly, and again some calls later.
 */
#include "block_walk.h"
#include "support/soak.h"
#include "world.h"

#define MORE_FLAGS (EVERYTHING | PSS_CREATE_USE_VM_ALLOCATIONS)

static const NTSTATUS faults[] = {STATUS_NO_MEMORY,
                                  STATUS_ACCESS_DENIED,
                                  STATUS_INVALID_HANDLE,
                                  STATUS_INVALID_PARAMETER,
                                  STATUS_NOT_IMPLEMENTED,
                                  STATUS_PARTIAL_COPY,
                                  STATUS_PROCESS_IS_TERMINATING,
                                  STATUS_INFO_LENGTH_MISMATCH,
                                  STATUS_COMMITMENT_LIMIT};

#define FAULT_COUNT (sizeof(faults) / sizeof(faults[0]))

static void build(void)
{
    world_setup(NULL);
    world_furnish();
}

static void tear_down(void)
{
    assert_same(world_teardown(NULL), 0);
}

static void assert_target_is_as_it_was(void)
{
    for (uint32_t i = 0; i < world.target->thread_count; i++)
        assert_same(world.target->threads[i]->suspend_count, 0);
    assert_true(fake_ledger_is_zero());
}

/* What a capture may answer when a call answered `fault`: what cannot be waited for is given up. */
static void assert_documented(NTSTATUS status, NTSTATUS fault)
{
    if (fake.faulty_call == FAKE_WAIT)
        fault = STATUS_IO_TIMEOUT;
    if (status != fault && status != STATUS_INTERNAL_ERROR)
        assert_same(status, STATUS_PARTIAL_COPY);
}

/* A capture with faults set: all or nothing. Answers whether a fault was met. */
static int capture_with_faults(uint32_t flags)
{
    HPSS snapshot = pointer_to(1);
    NTSTATUS fault = fake.fault.status;
    NTSTATUS status =
        pss_snapshot_capture(fake_nt(), world.process, flags, CONTEXT_EVERYTHING, &snapshot);
    int was_met = fake.faults != 0;

    fake.fault.first = 0;
    if (!NT_SUCCESS(status)) {
        assert_null(snapshot);
        assert_true(was_met);
        assert_documented(status, fault);
    } else {
        const struct pss_block *block = (const struct pss_block *)snapshot;

        assert_same(status, STATUS_SUCCESS);
        assert_same(pss_block_validate(block, block->size), STATUS_SUCCESS);
        block_use(snapshot);
        assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, snapshot), STATUS_SUCCESS);
    }
    assert_target_is_as_it_was();
    return was_met;
}

/* With the target captured by another process, and by itself; on each kind of system. */
static int try_capture(struct fake_fault fault, int kind)
{
    int was_met;

    build();
    fake.mixes_up_times = kind & 1;
    fake.has_thread_cycles = fake.has_mutant_owners = fake.has_thread_names = !(kind & 1);
    if (kind & 2) {
        world.process = PSS_CURRENT_PROCESS;
        world.target = fake.own;
        world_furnish();
    }
    fake.fault = fault;
    was_met = capture_with_faults(MORE_FLAGS);
    tear_down();
    return was_met;
}

/* In a sample each call fails with some of the statuses. */
static void test_capture_with_one_fault_is_all_or_nothing(void **state)
{
    uint32_t step = soak_step(3);

    (void)state;
    for (int kind = 0; kind < 4; kind++)
        for (size_t i = 0; i < FAULT_COUNT; i += kind ? 3 : 1) {
            uint64_t n = 1 + (i + i / 3) % step;

            while (try_capture((struct fake_fault){.first = n, .status = faults[i]}, kind))
                n += step;
            assert_true(n > 100); /* the calls of a capture of everything */
        }
}

/*
 * From here on a wait does not fail: the thread waited for is our own and lives, so it cannot; and
 * what would follow, a thread nobody may wait for, is the file names' own test.
 */
static void test_capture_with_lasting_faults_is_all_or_nothing(void **state)
{
    uint32_t step = soak_step(3);

    (void)state;
    for (size_t i = 0; i < FAULT_COUNT; i++)
        for (uint64_t n = 1 + i % step; try_capture(
                 (struct fake_fault){
                     .first = n, .is_lasting = 1, .spares_waits = 1, .status = faults[i]},
                 (int)(i & 3));
             n += step)
            ;
}

static void test_capture_with_two_faults_is_all_or_nothing(void **state)
{
    static const uint64_t gaps[] = {1, 2, 3, 5, 8, 21, 55};
    uint32_t step = soak_step(3);

    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < sizeof(gaps) / sizeof(gaps[0]); j++)
            for (uint64_t n = 1 + j % step; try_capture(
                     (struct fake_fault){
                         .first = n, .second = n + gaps[j], .spares_waits = 1, .status = faults[i]},
                     (int)(j & 3));
                 n += step)
                ;
}

/* A handle of any strength to any process, own or not, with every call failing in turn. */
static void test_free_with_faults_frees_or_does_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        int was_met = 1;

        for (uint64_t n = 1; was_met; n++) {
            NTSTATUS status;
            HANDLE self, lent;
            PSS_HANDLE_TRACE_INFORMATION trace;

            build();
            self = fake_handle_open(fake.own, &fake.own->object, PROCESS_ALL_ACCESS, 0);
            world_capture(MORE_FLAGS);
            world_query(PSS_QUERY_HANDLE_TRACE_INFORMATION, &trace, sizeof(trace));
            lent = trace.SectionHandle;
            fake.calls = fake.faults = 0;
            fake.fault = (struct fake_fault){.first = n, .status = faults[i]};
            status = pss_snapshot_free(fake_nt(), self, world.snapshot);
            was_met = fake.faults != 0;
            fake.fault.first = 0;
            if (NT_SUCCESS(status))
                world.snapshot = NULL;
            else
                assert_true(was_met);
            assert_same(pss_snapshot_block(fake_nt(), world.snapshot) != NULL, !NT_SUCCESS(status));
            /* A handle that cannot be recognised as ours is the client's to close. */
            if (NT_SUCCESS(status) && was_met && fake_handle_find(fake.own, lent))
                fake_handle_close(fake.own, lent);
            tear_down();
        }
    }
}

static void test_markers_with_faults_hold_nothing(void **state)
{
    HPSSWALK marker = pointer_to(1);

    (void)state;
    build();
    fake.fault = (struct fake_fault){.first = fake.calls + 1, .status = STATUS_NO_MEMORY};
    assert_same(pss_marker_create(fake_nt(), NULL, &marker), STATUS_NO_MEMORY);
    assert_null(marker);
    tear_down();
}

/* A second snapshot needs memory of its own in the marker: without it the marker stays where it
 * was. */
static void test_walk_with_a_fault_leaves_the_marker_alone(void **state)
{
    PSS_THREAD_ENTRY entry;
    HPSS first;
    ULONG_PTR position = 0;

    (void)state;
    build();
    world_capture(PSS_CAPTURE_THREADS);
    first = world.snapshot;
    world.snapshot = NULL;
    assert_same(pss_snapshot_walk(first, PSS_WALK_THREADS, world.marker, &entry, sizeof(entry)),
                STATUS_SUCCESS);
    assert_same(
        pss_snapshot_capture(fake_nt(), world.process, PSS_CAPTURE_THREADS, 0, &world.snapshot),
        STATUS_SUCCESS);
    fake.fault = (struct fake_fault){.first = fake.calls + 1, .status = STATUS_NO_MEMORY};
    assert_same(
        pss_snapshot_walk(world.snapshot, PSS_WALK_THREADS, world.marker, &entry, sizeof(entry)),
        STATUS_NO_MEMORY);
    assert_same(pss_marker_tell(world.marker, &position), STATUS_SUCCESS);
    assert_same(position, 1);
    assert_same(pss_snapshot_walk(first, PSS_WALK_THREADS, world.marker, &entry, sizeof(entry)),
                STATUS_SUCCESS);
    assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, first), STATUS_SUCCESS);
    tear_down();
}

static void end_target(void *context)
{
    (void)context;
    fake_process_end(world.target, 99);
}

/* Whatever the target was asked when it died: 299, and nothing else, unless all was captured. */
static void test_target_that_dies_at_any_call_is_a_partial_copy(void **state)
{
    uint64_t calls = 2000;

    (void)state;
    for (uint64_t n = 1; n <= calls; n++) {
        HPSS snapshot = pointer_to(1);
        NTSTATUS status;

        build();
        fake.event_call = n;
        fake.event = end_target;
        status = pss_snapshot_capture(fake_nt(), world.process, MORE_FLAGS, CONTEXT_EVERYTHING,
                                      &snapshot);
        if (NT_SUCCESS(status)) {
            calls = n; /* it had all it wanted by then */
            block_use(snapshot);
            assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, snapshot),
                        STATUS_SUCCESS);
        } else {
            assert_same(status, STATUS_PARTIAL_COPY);
            assert_null(snapshot);
        }
        tear_down();
    }
    assert_true(calls > 100 && calls < 2000);
}

static void end_thread(void *context)
{
    (void)context;
    fake_thread_end(world.target->threads[0], 5);
}

static void close_handles(void *context)
{
    (void)context;
    for (ULONG_PTR i = 4; i <= 16; i += 4)
        fake_handle_close(world.target, (HANDLE)i);
}

static void free_region(void *context)
{
    (void)context;
    world.target->region_count--;
}

static void start_thread(void *context)
{
    (void)context;
    fake_thread_add(world.target, 2012);
}

/* What one item does never costs the capture. */
static void test_items_that_come_and_go_at_any_call_do_no_harm(void **state)
{
    static void (*const events[])(void *) = {end_thread, close_handles, free_region, start_thread};

    (void)state;
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        int has_happened = 1;

        for (uint64_t n = 1; has_happened; n++) {
            HPSS snapshot;

            build();
            fake.event_call = n;
            fake.event = events[i];
            assert_same(pss_snapshot_capture(fake_nt(), world.process, MORE_FLAGS,
                                             CONTEXT_EVERYTHING, &snapshot),
                        STATUS_SUCCESS);
            has_happened = fake.all_calls >= n;
            fake.event = NULL;
            block_use(snapshot);
            assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, snapshot),
                        STATUS_SUCCESS);
            tear_down();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capture_with_one_fault_is_all_or_nothing),
        cmocka_unit_test(test_capture_with_lasting_faults_is_all_or_nothing),
        cmocka_unit_test(test_capture_with_two_faults_is_all_or_nothing),
        cmocka_unit_test(test_free_with_faults_frees_or_does_nothing),
        cmocka_unit_test(test_markers_with_faults_hold_nothing),
        cmocka_unit_test(test_walk_with_a_fault_leaves_the_marker_alone),
        cmocka_unit_test(test_target_that_dies_at_any_call_is_a_partial_copy),
        cmocka_unit_test(test_items_that_come_and_go_at_any_call_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
