/* SPDX-License-Identifier: MIT */
/* Who ends a clone: its owner's free, whatever the client did before; and whose job it is in. */
#include "clone_world.h"

#define FLAGS PSS_CAPTURE_VA_CLONE

static HANDLE lent(void)
{
    PSS_VA_CLONE_INFORMATION information;

    world_query(PSS_QUERY_VA_CLONE_INFORMATION, &information, sizeof(information));
    return information.VaCloneHandle;
}

static int has_ended(const struct fake_process *process)
{
    return process->times.exit_time.QuadPart != 0;
}

static void free_snapshot(void)
{
    assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, world.snapshot), STATUS_SUCCESS);
    world.snapshot = NULL;
    assert_true(fake_ledger_now().handles == 0 && fake_ledger_now().carriers == 0);
}

static void test_clone_ends_with_its_snapshot(void **state)
{
    const struct fake_process *clone;
    HANDLE handle;

    (void)state;
    world_capture(FLAGS);
    clone = clone_world_clone();
    handle = lent();
    assert_false(has_ended(clone));
    free_snapshot();
    assert_true(has_ended(clone));
    assert_null(fake_handle_find(fake.own, handle));
}

static void test_clone_survives_its_target(void **state)
{
    struct fake_process *twin = clone_world_twin();

    (void)state;
    world_capture(FLAGS);
    fake_process_end(world.target, 1);
    assert_false(has_ended(clone_world_clone()));
    assert_same_bytes(clone_world_clone(), twin);
    free_snapshot();
}

static void test_clone_that_the_client_has_ended_is_freed(void **state)
{
    (void)state;
    world_capture(FLAGS);
    fake_process_end(clone_world_clone(), 1);
    free_snapshot();
}

static void test_clone_whose_handle_the_client_has_closed_is_freed(void **state)
{
    const struct fake_process *clone;

    (void)state;
    for (int ends_first = 0; ends_first < 2; ends_first++) {
        world_capture(FLAGS);
        clone = clone_world_clone();
        if (ends_first)
            fake_process_end(clone_world_clone(), 1);
        assert_true(fake_handle_close(fake.own, lent()));
        free_snapshot();
        assert_true(has_ended(clone));
    }
    assert_same(fake.bad_closes, 0);
}

/* The value is another object's by now, even another process's: that is not ours to close. */
static void test_recycled_handle_survives_the_snapshot(void **state)
{
    struct fake_object *others[] = {fake_object_add(FAKE_EVENT), &world.target->object,
                                    &fake_process_add(7777)->object};

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        HANDLE handle, recycled;

        world_capture(FLAGS);
        handle = lent();
        assert_true(fake_handle_close(fake.own, handle));
        do /* the lowest value that is free, until it is that one */
            recycled = fake_handle_open(fake.own, others[i], PROCESS_ALL_ACCESS, 0);
        while ((uintptr_t)recycled < (uintptr_t)handle);
        assert_true(recycled == handle);
        free_snapshot();
        assert_non_null(fake_handle_find(fake.own, recycled));
    }
}

/* The value is a handle of the client's own to the clone by now, opened by its id. */
static void test_own_handle_of_the_client_with_the_lent_value_survives(void **state)
{
    struct fake_process *clone;
    const ACCESS_MASK access = PROCESS_VM_READ | PROCESS_QUERY_INFORMATION;
    HANDLE handle, own;

    (void)state;
    world_capture(FLAGS);
    clone = clone_world_clone();
    handle = lent();
    assert_true(fake_handle_close(fake.own, handle));
    do
        own = fake_handle_open(fake.own, &clone->object, access, 0);
    while ((uintptr_t)own < (uintptr_t)handle);
    assert_true(own == handle);
    assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, world.snapshot), STATUS_SUCCESS);
    world.snapshot = NULL;
    assert_non_null(fake_handle_find(fake.own, own));
    assert_false(has_ended(clone));
}

/* ---- clones that somebody else has a handle to ---- */

/* Captures, opens another handle to the clone, and frees the snapshot; the clone lives on. */
static struct fake_process *free_while_held(HANDLE *other)
{
    struct fake_process *clone;
    HANDLE handle;

    world_capture(FLAGS);
    clone = clone_world_clone();
    handle = lent();
    *other = fake_handle_open(fake.own, &clone->object, PROCESS_ALL_ACCESS, 0);
    assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, world.snapshot), STATUS_SUCCESS);
    world.snapshot = NULL;
    assert_false(has_ended(clone));
    assert_null(fake_handle_find(fake.own, handle));
    return clone;
}

static void assert_nothing_is_kept(void)
{
    assert_true(fake_ledger_now().handles == 0 && fake_ledger_now().carriers == 0);
    world_release();
    assert_true(fake_ledger_is_zero());
}

static void test_clone_lives_until_the_last_handle_of_somebody_else_is_closed(void **state)
{
    const struct fake_process *clones[3];
    HANDLE others[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        clones[i] = free_while_held(&others[i]);
    for (int i = 2; i >= 0; i--) {
        for (int j = 0; j < 3; j++)
            assert_same(has_ended(clones[j]), j > i);
        assert_true(fake_handle_close(fake.own, others[i]));
        assert_false(has_ended(clones[i]));
        pss_clone_look(fake_nt());
        assert_true(has_ended(clones[i]));
    }
    assert_nothing_is_kept();
}

static void test_clone_that_is_held_ends_with_the_process_that_freed_it(void **state)
{
    struct fake_process *elsewhere = fake_process_add(7777);
    const struct fake_process *clone;
    HANDLE other;

    (void)state;
    clone = free_while_held(&other);
    fake_handle_open(elsewhere, fake_handle_find(fake.own, other)->object, PROCESS_ALL_ACCESS, 0);
    fake_handle_close(fake.own, other);
    pss_clone_look(fake_nt());
    assert_false(has_ended(clone));
    for (uint32_t i = 0; i < fake.own->handle_capacity; i++) /* as a process that ends does */
        if (fake.own->handles[i].object && fake.own->handles[i].object->type == FAKE_JOB)
            fake_handle_close(fake.own, (HANDLE)(ULONG_PTR)(4 * (i + 1)));
    assert_true(has_ended(clone));
    fake.bad_closes = 0;
    world_forget_clones();
    assert_same(fake.bad_closes, 1); /* of the job, which this test has closed */
    fake.bad_closes = 0;
}

static void test_clone_is_not_kept_where_the_system_tells_no_counts(void **state)
{
    const struct fake_process *clone;
    HANDLE other;

    (void)state;
    clone = free_while_held(&other);
    fake.tells_no_counts = 1;
    pss_clone_look(fake_nt());
    assert_true(has_ended(clone));
    assert_nothing_is_kept();
    world_capture(FLAGS);
    clone = clone_world_clone();
    other = fake_handle_open(fake.own, &clone_world_clone()->object, PROCESS_ALL_ACCESS, 0);
    free_snapshot();
    assert_true(has_ended(clone));
    assert_true(fake_handle_close(fake.own, other));
    fake.tells_no_counts = 0;
}

static void test_clone_is_not_kept_without_memory_for_that(void **state)
{
    const struct fake_process *clone;

    (void)state;
    world_capture(FLAGS);
    clone = clone_world_clone();
    fake_handle_open(fake.own, &clone_world_clone()->object, PROCESS_ALL_ACCESS, 0);
    fake.memory_budget = fake.memory;
    free_snapshot();
    assert_true(has_ended(clone));
}

/* Whichever call of it fails: the clone lives on, or all of it is gone. */
static void test_free_with_faults_keeps_all_or_nothing(void **state)
{
    static const NTSTATUS faults[] = {STATUS_ACCESS_DENIED, STATUS_NO_MEMORY};

    for (size_t i = 0; i < 2; i++)
        for (uint64_t n = 1, was_met = 1; was_met; n++) {
            const struct fake_process *clone;
            HANDLE handle, other;

            clone_world_teardown(state);
            clone_world_setup(state);
            world_capture(FLAGS);
            clone = clone_world_clone();
            handle = lent();
            other = fake_handle_open(fake.own, &clone_world_clone()->object, PROCESS_VM_READ, 0);
            fake.calls = fake.faults = 0;
            fake.fault = (struct fake_fault){.first = n, .status = faults[i]};
            assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, world.snapshot),
                        STATUS_SUCCESS);
            world.snapshot = NULL;
            pss_clone_look(fake_nt());
            was_met = fake.faults != 0;
            fake.fault.first = 0;
            assert_same(fake_ledger_now().carriers, !has_ended(clone));
            fake_handle_close(fake.own, other);
            if (fake_handle_find(fake.own, handle))
                fake_handle_close(fake.own, handle);
            pss_clone_look(fake_nt());
            assert_true(has_ended(clone));
            assert_nothing_is_kept();
        }
}

static void test_marker_keeps_the_memory_and_not_the_clone(void **state)
{
    PSS_THREAD_ENTRY entry;
    const struct fake_process *clone;

    (void)state;
    world_capture(FLAGS | PSS_CAPTURE_THREADS);
    clone = clone_world_clone();
    assert_same(
        pss_snapshot_walk(world.snapshot, PSS_WALK_THREADS, world.marker, &entry, sizeof(entry)),
        STATUS_SUCCESS);
    assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, world.snapshot), STATUS_SUCCESS);
    world.snapshot = NULL;
    assert_true(has_ended(clone));
}

/* Whichever call of the free fails, the clone is gone when the snapshot is. */
static void test_free_with_faults_ends_the_clone(void **state)
{
    static const NTSTATUS faults[] = {STATUS_ACCESS_DENIED, STATUS_NO_MEMORY};

    for (size_t i = 0; i < 2; i++)
        for (uint64_t n = 1, was_met = 1; was_met; n++) {
            const struct fake_process *clone;
            NTSTATUS status;
            HANDLE handle;

            clone_world_teardown(state);
            clone_world_setup(state);
            world_capture(FLAGS);
            clone = clone_world_clone();
            handle = lent();
            fake.calls = fake.faults = 0;
            fake.fault = (struct fake_fault){.first = n, .status = faults[i]};
            status = pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, world.snapshot);
            was_met = fake.faults != 0;
            fake.fault.first = 0;
            assert_same(status, STATUS_SUCCESS);
            world.snapshot = NULL;
            /* A handle that cannot be recognised as ours is the client's to close. */
            if (was_met && fake_handle_find(fake.own, handle))
                fake_handle_close(fake.own, handle);
            pss_clone_look(fake_nt());
            assert_true(has_ended(clone));
            world_release();
            assert_true(fake_ledger_is_zero());
        }
}

/* ---- jobs ---- */

static NTSTATUS capture(uint32_t flags)
{
    HPSS snapshot = pointer_to(1);
    NTSTATUS status;

    world_release();
    status = pss_snapshot_capture(fake_nt(), world.process, flags, 0, &snapshot);
    assert_same(NT_SUCCESS(status), snapshot != NULL);
    world.snapshot = snapshot;
    return status;
}

static struct fake_object *put_target_into_a_job(ULONG limits)
{
    struct fake_object *job = fake_object_add(FAKE_JOB);

    job->job_limits = limits;
    fake_job_add(job, world.target);
    return job;
}

static int is_in(const struct fake_process *process, const struct fake_object *job)
{
    for (uint32_t i = 0; i < process->job_count; i++)
        if (process->jobs[i] == job)
            return 1;
    return 0;
}

static void test_clone_is_in_the_jobs_of_its_target(void **state)
{
    struct fake_object *job = put_target_into_a_job(0);

    (void)state;
    assert_same(capture(FLAGS), STATUS_SUCCESS);
    assert_true(is_in(clone_world_clone(), job));
    assert_same(clone_world_clone()->job_count, 2);
}

static void test_job_that_forbids_breakaway_fails_the_capture(void **state)
{
    struct fake_object *job = put_target_into_a_job(0);

    (void)state;
    assert_same(capture(FLAGS | PSS_CREATE_BREAKAWAY), STATUS_ACCESS_DENIED);
    assert_same(capture(FLAGS | PSS_CREATE_FORCE_BREAKAWAY), STATUS_ACCESS_DENIED);
    assert_same(fake_ledger_now().handles | fake_ledger_now().carriers, 0);
    assert_same(capture(FLAGS | PSS_CREATE_BREAKAWAY | PSS_CREATE_BREAKAWAY_OPTIONAL),
                STATUS_SUCCESS);
    assert_true(is_in(clone_world_clone(), job));
}

static void test_job_that_allows_breakaway_is_left(void **state)
{
    struct fake_object *job = put_target_into_a_job(JOB_OBJECT_LIMIT_BREAKAWAY_OK);

    (void)state;
    assert_same(capture(FLAGS), STATUS_SUCCESS);
    assert_true(is_in(clone_world_clone(), job));
    assert_same(capture(FLAGS | PSS_CREATE_BREAKAWAY), STATUS_SUCCESS);
    assert_false(is_in(clone_world_clone(), job));
    assert_same(capture(FLAGS | PSS_CREATE_RELEASE_SECTION), STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        clone_test(test_clone_ends_with_its_snapshot),
        clone_test(test_clone_survives_its_target),
        clone_test(test_clone_that_the_client_has_ended_is_freed),
        clone_test(test_clone_whose_handle_the_client_has_closed_is_freed),
        clone_test(test_recycled_handle_survives_the_snapshot),
        clone_test(test_own_handle_of_the_client_with_the_lent_value_survives),
        clone_test(test_clone_lives_until_the_last_handle_of_somebody_else_is_closed),
        clone_test(test_clone_that_is_held_ends_with_the_process_that_freed_it),
        clone_test(test_clone_is_not_kept_where_the_system_tells_no_counts),
        clone_test(test_clone_is_not_kept_without_memory_for_that),
        clone_test(test_free_with_faults_keeps_all_or_nothing),
        clone_test(test_marker_keeps_the_memory_and_not_the_clone),
        clone_test(test_free_with_faults_ends_the_clone),
        clone_test(test_clone_is_in_the_jobs_of_its_target),
        clone_test(test_job_that_forbids_breakaway_fails_the_capture),
        clone_test(test_job_that_allows_breakaway_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
