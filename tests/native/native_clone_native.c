/* SPDX-License-Identifier: MIT */
/* Clones by the system's own service: what it is asked for, and what is done when it refuses. */
#include "clone_world.h"

#include "descriptor/descriptor.h"

#define FLAGS PSS_CAPTURE_VA_CLONE
#define BASE  PSS_NT_CREATE_NO_DEBUG_INHERIT

static int setup(void **state)
{
    clone_world_setup(state);
    fake.has_native_clones = 1;
    return 0;
}

static void refuse(ULONG flags, NTSTATUS status)
{
    static uint32_t count;

    count = fake.native_refusals[0] ? count + 1 : 0;
    fake.native_refusals[count] = flags;
    fake.native_status[count] = status;
}

static void assert_calls(uint32_t count, const ULONG *flags)
{
    assert_same(fake.native_call_count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_same(fake.native_calls[i].flags, flags[i]);
        assert_same(fake.native_calls[i].access, PROCESS_ALL_ACCESS);
        assert_true(fake.native_calls[i].parent == world.target);
    }
}

/* The result of a capture that may fail; the snapshot is world's. */
static NTSTATUS capture(uint32_t flags)
{
    HPSS snapshot = pointer_to(1);
    NTSTATUS status;

    world_release();
    status = pss_snapshot_capture(fake_nt(), world.process, flags, CONTEXT_EVERYTHING, &snapshot);
    assert_same(NT_SUCCESS(status), snapshot != NULL);
    world.snapshot = snapshot;
    return status;
}

static void test_native_clone_is_made_by_the_system(void **state)
{
    static const PSS_VA_CLONE_DETAILS expected = {.Strategy = PSS_CLONE_NATIVE,
                                                  .Route = PSS_CLONE_ROUTE_NONE};
    static const ULONG flags[] = {BASE};
    struct fake_process *twin = clone_world_twin();
    PSS_VA_CLONE_DETAILS details;

    (void)state;
    world_capture(FLAGS);
    clone_world_scribble();
    details = clone_world_details();
    assert_memory_equal(&details, &expected, sizeof(details));
    assert_calls(1, flags);
    assert_same_bytes(clone_world_clone(), twin);
    assert_same(fake.carriers, 1);
    assert_same(fake.calls_of[FAKE_CREATE_USER_PROCESS] + fake.calls_of[FAKE_READ_MEMORY] +
                    fake.calls_of[FAKE_REMOTE_MEMORY] + fake.calls_of[FAKE_CREATE_THREAD],
                0);
}

/* The system freezes it, if at all: the target runs on unless contexts are asked for. */
static void test_native_clone_does_not_stop_the_target(void **state)
{
    (void)state;
    world_capture(FLAGS | PSS_CAPTURE_THREADS | PSS_CAPTURE_HANDLES | PSS_CAPTURE_VA_SPACE);
    assert_same(fake.calls_of[FAKE_SUSPEND_THREAD], 0);
    world_capture(FLAGS | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
    assert_true(fake.calls_of[FAKE_SUSPEND_THREAD] != 0);
    assert_same(world.target->threads[0]->suspend_count, 0);
}

static int was_frozen;

static NTSTATUS see_whether_it_is_frozen(void *context, enum fake_call call)
{
    (void)context;
    if (call == FAKE_CREATE_PROCESS)
        was_frozen = world.target->threads[0]->suspend_count != 0;
    return STATUS_SUCCESS;
}

/* Else the registers would not belong to the memory. */
static void test_native_clone_with_contexts_is_made_while_the_target_stands_still(void **state)
{
    (void)state;
    was_frozen = 0;
    fake.refuse = see_whether_it_is_frozen;
    world_capture(FLAGS | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
    assert_true(was_frozen);
}

static void test_flags_are_handed_to_the_system(void **state)
{
    static const struct {
        uint32_t given;
        ULONG expected;
    } cases[] = {
        {0, BASE},
        {PSS_CREATE_BREAKAWAY, BASE | PSS_NT_CREATE_BREAKAWAY},
        {PSS_CREATE_BREAKAWAY | PSS_CREATE_BREAKAWAY_OPTIONAL, BASE | PSS_NT_CREATE_BREAKAWAY},
        {PSS_CREATE_FORCE_BREAKAWAY, BASE | PSS_NT_CREATE_FORCE_BREAKAWAY},
        {PSS_CREATE_RELEASE_SECTION, BASE | PSS_NT_CREATE_RELEASE_SECTION},
        {PSS_CREATE_RELEASE_SECTION | PSS_CREATE_BREAKAWAY,
         BASE | PSS_NT_CREATE_RELEASE_SECTION | PSS_NT_CREATE_BREAKAWAY},
        {PSS_CREATE_BREAKAWAY_OPTIONAL, BASE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake.native_call_count = 0;
        world_capture(FLAGS | cases[i].given);
        assert_calls(1, &cases[i].expected);
    }
}

static void test_breakaway_that_is_refused_fails_the_capture(void **state)
{
    (void)state;
    refuse(PSS_NT_CREATE_BREAKAWAY, STATUS_ACCESS_DENIED);
    refuse(PSS_NT_CREATE_FORCE_BREAKAWAY, STATUS_PRIVILEGE_NOT_HELD);
    assert_same(capture(FLAGS | PSS_CREATE_BREAKAWAY), STATUS_ACCESS_DENIED);
    assert_same(capture(FLAGS | PSS_CREATE_FORCE_BREAKAWAY), STATUS_PRIVILEGE_NOT_HELD);
    assert_same(fake.carriers, 0);
    assert_true(fake_ledger_is_zero());
}

static void test_optional_breakaway_falls_back(void **state)
{
    static const ULONG breakaway[] = {BASE | PSS_NT_CREATE_BREAKAWAY, BASE};
    static const ULONG force[] = {BASE | PSS_NT_CREATE_FORCE_BREAKAWAY, BASE};

    (void)state;
    refuse(PSS_NT_CREATE_BREAKAWAY, STATUS_ACCESS_DENIED);
    refuse(PSS_NT_CREATE_FORCE_BREAKAWAY, STATUS_PRIVILEGE_NOT_HELD);
    assert_same(capture(FLAGS | PSS_CREATE_BREAKAWAY | PSS_CREATE_BREAKAWAY_OPTIONAL),
                STATUS_SUCCESS);
    assert_calls(2, breakaway);
    fake.native_call_count = 0;
    assert_same(capture(FLAGS | PSS_CREATE_FORCE_BREAKAWAY | PSS_CREATE_BREAKAWAY_OPTIONAL),
                STATUS_SUCCESS);
    assert_calls(2, force);
}

/* Windows before 8.1 has no force: what is left of the wish is to leave the job if that is allowed.
 */
static void test_force_that_is_unknown_falls_back_to_breakaway(void **state)
{
    static const ULONG both[] = {BASE | PSS_NT_CREATE_FORCE_BREAKAWAY,
                                 BASE | PSS_NT_CREATE_BREAKAWAY, BASE};
    static const ULONG released[] = {BASE | PSS_NT_CREATE_FORCE_BREAKAWAY |
                                         PSS_NT_CREATE_RELEASE_SECTION,
                                     BASE | PSS_NT_CREATE_FORCE_BREAKAWAY,
                                     BASE | PSS_NT_CREATE_BREAKAWAY | PSS_NT_CREATE_RELEASE_SECTION,
                                     BASE | PSS_NT_CREATE_BREAKAWAY};

    (void)state;
    refuse(PSS_NT_CREATE_FORCE_BREAKAWAY, STATUS_INVALID_PARAMETER);
    assert_same(capture(FLAGS | PSS_CREATE_FORCE_BREAKAWAY), STATUS_SUCCESS);
    assert_calls(2, both);
    refuse(PSS_NT_CREATE_RELEASE_SECTION, STATUS_INVALID_PARAMETER);
    fake.native_call_count = 0;
    assert_same(capture(FLAGS | PSS_CREATE_FORCE_BREAKAWAY | PSS_CREATE_RELEASE_SECTION),
                STATUS_SUCCESS);
    assert_calls(4, released);
    refuse(PSS_NT_CREATE_BREAKAWAY, STATUS_ACCESS_DENIED);
    fake.native_call_count = 0;
    assert_same(capture(FLAGS | PSS_CREATE_FORCE_BREAKAWAY), STATUS_ACCESS_DENIED);
    assert_calls(2, both);
    fake.native_call_count = 0;
    assert_same(capture(FLAGS | PSS_CREATE_FORCE_BREAKAWAY | PSS_CREATE_BREAKAWAY_OPTIONAL),
                STATUS_SUCCESS);
    assert_calls(3, both);
}

static void test_section_that_cannot_be_released_is_kept(void **state)
{
    static const ULONG flags[] = {BASE | PSS_NT_CREATE_RELEASE_SECTION, BASE};

    (void)state;
    refuse(PSS_NT_CREATE_RELEASE_SECTION, STATUS_INVALID_PARAMETER);
    assert_same(capture(FLAGS | PSS_CREATE_RELEASE_SECTION), STATUS_SUCCESS);
    assert_calls(2, flags);
}

/* The clone dies with the last owner's job. */
static void test_native_clone_is_in_a_job_of_its_owner(void **state)
{
    const struct fake_process *clone;

    (void)state;
    world_capture(FLAGS);
    clone = clone_world_clone();
    assert_same(clone->job_count, 1);
    assert_true(clone->jobs[0]->job_limits & JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE);
    world_release();
    assert_true(clone->times.exit_time.QuadPart != 0);
}

/* Where a process can be in one job only, the target's job has it: nothing is lost but the job. */
static void test_native_clone_that_cannot_be_in_a_job_is_one_all_the_same(void **state)
{
    struct fake_object *job = fake_object_add(FAKE_JOB);
    const struct pss_clone_record *record;
    const struct fake_process *clone;

    (void)state;
    fake.has_nested_jobs = 0;
    fake_job_add(job, world.target);
    world_capture(FLAGS);
    record = pss_block_record((const struct pss_block *)world.snapshot, PSS_SECTION_CLONE, 0);
    assert_same(record->job, 0);
    clone = clone_world_clone();
    assert_true(clone->jobs[0] == job);
    world_release();
    assert_true(clone->times.exit_time.QuadPart != 0);
}

static HANDLE opened;

/* Somebody has opened the clone by the time that its capture fails. */
static NTSTATUS refuse_handle(void *context, enum fake_call call)
{
    (void)context;
    if (call != FAKE_DUPLICATE)
        return STATUS_SUCCESS;
    opened = fake_handle_open_in(world.target, &fake.carrier->object, PROCESS_ALL_ACCESS);
    return STATUS_NO_MEMORY;
}

/* In a job of its owner, or without one. */
static void test_native_clone_that_is_given_up_ends(void **state)
{
    for (int has_job = 0; has_job < 2; has_job++) {
        clone_world_teardown(state);
        setup(state);
        fake.has_nested_jobs = (uint8_t)has_job;
        fake_job_add(fake_object_add(FAKE_JOB), world.target);
        fake.refuse = refuse_handle;
        assert_same(capture(FLAGS), STATUS_NO_MEMORY);
        fake.refuse = NULL;
        assert_same(fake_ledger_now().carriers, 0);
        assert_true(fake_handle_close(world.target, opened));
        assert_true(fake_ledger_is_zero());
    }
}

/* Some systems have the name, and nothing behind it. */
static void test_system_that_only_has_the_name_gets_a_carrier(void **state)
{
    static const NTSTATUS statuses[] = {STATUS_NOT_IMPLEMENTED, STATUS_INVALID_SYSTEM_SERVICE};

    (void)state;
    for (int i = 0; i < 2; i++) {
        fake.native_clones_answer = statuses[i];
        world_capture(FLAGS);
        assert_same(clone_world_details().Strategy, PSS_CLONE_CARRIER);
    }
}

/* It is there, and somebody does not want it used: that is no reason to go around him. */
static void test_policy_against_clones_fails_the_capture(void **state)
{
    static const NTSTATUS statuses[] = {STATUS_NOT_SUPPORTED, STATUS_ACCESS_DENIED,
                                        STATUS_INVALID_INFO_CLASS};

    (void)state;
    for (int i = 0; i < 3; i++) {
        fake.native_clones_answer = statuses[i];
        assert_same(capture(FLAGS), statuses[i]);
        assert_same(fake.carriers, 0);
        assert_same(fake.calls_of[FAKE_CREATE_USER_PROCESS], 0);
    }
}

static void test_target_that_cannot_be_cloned_fails_the_capture(void **state)
{
    (void)state;
    refuse(BASE, STATUS_COMMITMENT_LIMIT);
    assert_same(capture(FLAGS), STATUS_COMMITMENT_LIMIT);
    fake.native_status[0] = STATUS_PROCESS_IS_PROTECTED;
    assert_same(capture(FLAGS), STATUS_PROCESS_IS_PROTECTED);
    assert_same(fake.carriers, 0);
    assert_true(fake_ledger_is_zero());
}

#define native_test(function) cmocka_unit_test_setup_teardown(function, setup, clone_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        native_test(test_native_clone_is_made_by_the_system),
        native_test(test_native_clone_does_not_stop_the_target),
        native_test(test_native_clone_with_contexts_is_made_while_the_target_stands_still),
        native_test(test_flags_are_handed_to_the_system),
        native_test(test_breakaway_that_is_refused_fails_the_capture),
        native_test(test_optional_breakaway_falls_back),
        native_test(test_force_that_is_unknown_falls_back_to_breakaway),
        native_test(test_section_that_cannot_be_released_is_kept),
        native_test(test_native_clone_is_in_a_job_of_its_owner),
        native_test(test_native_clone_that_cannot_be_in_a_job_is_one_all_the_same),
        native_test(test_native_clone_that_is_given_up_ends),
        native_test(test_system_that_only_has_the_name_gets_a_carrier),
        native_test(test_policy_against_clones_fails_the_capture),
        native_test(test_target_that_cannot_be_cloned_fails_the_capture),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
