/* SPDX-License-Identifier: MIT */
/* The fault loop over clones: each call fails, hangs, or sees the target or the carrier die. */
#include "block_walk.h"
#include "clone_world.h"
#include "support/soak.h"

#define FLAGS      PSS_CAPTURE_VA_CLONE
#define MORE_FLAGS (FLAGS | EVERYTHING | PSS_CREATE_USE_VM_ALLOCATIONS)

static const NTSTATUS faults[] = {
    STATUS_NO_MEMORY,        STATUS_ACCESS_DENIED,  STATUS_INVALID_PARAMETER,
    STATUS_NOT_IMPLEMENTED,  STATUS_PARTIAL_COPY,   STATUS_CONFLICTING_ADDRESSES,
    STATUS_COMMITMENT_LIMIT, STATUS_INVALID_HANDLE, STATUS_PROCESS_IS_TERMINATING};

#define FAULT_COUNT (sizeof(faults) / sizeof(faults[0]))

/* The systems on which it is tried; the last one with a single status only. */
enum kind { BY_FILES, BY_CALLS, NATIVE, SELF, KIND_COUNT, SELF_BY_CALLS = KIND_COUNT };

static char where[160]; /* the run, for messages */

static void build(enum kind kind)
{
    clone_world_setup(NULL);
    clone_world_furnish_details();
    fake.has_memory_files = kind != BY_CALLS && kind != SELF_BY_CALLS;
    fake.has_native_clones = kind == NATIVE;
    if (kind != SELF && kind != SELF_BY_CALLS)
        return;
    clone_world_furnish(fake.own);
    world.process = PSS_CURRENT_PROCESS;
    world.target = fake.own;
}

static void tear_down(void)
{
    assert_same(clone_world_teardown(NULL), 0);
}

static void assert_target_is_as_it_was(void)
{
    for (uint32_t i = 0; i < world.target->thread_count; i++)
        assert_same(world.target->threads[i]->suspend_count, 0);
}

static void use_and_free(HPSS snapshot)
{
    const struct pss_block *block = (const struct pss_block *)snapshot;

    assert_same(pss_block_validate(block, block->size), STATUS_SUCCESS);
    block_use(snapshot);
    assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, snapshot), STATUS_SUCCESS);
}

static void fail_run(const char *what, NTSTATUS status)
{
    fail_msg("%s: %s: 0x%x", where, what, (unsigned int)status);
}

/* Whether a process lives is not known if nobody tells: the carrier may be dead then. */
static int may_seem_dead(NTSTATUS status)
{
    return status == STATUS_PROCESS_IS_TERMINATING && fake.faulty_call == FAKE_QUERY_PROCESS;
}

/* Nor is it known why what was reserved a moment ago cannot be committed. */
static int has_no_place(NTSTATUS status)
{
    return status == STATUS_CONFLICTING_ADDRESSES && fake.faulty_call == FAKE_REMOTE_MEMORY;
}

/* What a capture may answer when a call answered `fault`. */
static void check_documented(NTSTATUS status, NTSTATUS fault)
{
    if (may_seem_dead(status) || has_no_place(status) || status == fault ||
        status == STATUS_INTERNAL_ERROR || status == STATUS_PARTIAL_COPY)
        return;
    if (fake.faulty_call != FAKE_WAIT ||
        (status != STATUS_CANCELLED && status != STATUS_IO_TIMEOUT))
        fail_run("that is not what failed", status);
}

/* Nothing is left, and nothing is said of a failure but its status. */
static void check_outcome(NTSTATUS status, HPSS snapshot)
{
    if (NT_SUCCESS(status) != (snapshot != NULL))
        fail_run("a snapshot without success, or none with it", status);
    if (snapshot)
        use_and_free(snapshot);
    if (!fake_ledger_is_zero())
        fail_run("something is left", status);
}

/* All or nothing; answers whether a fault was met. */
static int try_capture(struct fake_fault fault, uint32_t flags, enum kind kind)
{
    HPSS snapshot = pointer_to(1);
    NTSTATUS status;
    int was_met;

    snprintf(where, sizeof(where), "flags 0x%x, kind %d, call %llu and %llu%s fail with 0x%x",
             flags, kind, (unsigned long long)fault.first, (unsigned long long)fault.second,
             fault.is_lasting ? " on" : "", (unsigned int)fault.status);
    build(kind);
    fake.fault = fault;
    status = pss_snapshot_capture(fake_nt(), world.process, flags, CONTEXT_EVERYTHING, &snapshot);
    was_met = fake.faults != 0;
    fake.fault.first = 0;
    if (!NT_SUCCESS(status)) {
        assert_true(was_met);
        check_documented(status, fault.status);
    }
    check_outcome(status, snapshot);
    assert_target_is_as_it_was();
    tear_down();
    return was_met;
}

/* In a sample each call fails with some of the statuses. */
static void test_clone_with_one_fault_is_all_or_nothing(void **state)
{
    uint32_t step = soak_step(4);

    (void)state;
    for (enum kind kind = 0; kind < KIND_COUNT; kind++)
        for (size_t i = 0; i < FAULT_COUNT; i++) {
            uint64_t n = 1 + i % step;

            while (try_capture((struct fake_fault){.first = n, .status = faults[i]}, FLAGS, kind))
                n += step;
            assert_true(n > (kind == NATIVE ? 10 : 100));
        }
}

static void test_clone_of_this_process_by_calls_and_a_fault_is_all_or_nothing(void **state)
{
    uint64_t n = 1;

    (void)state;
    while (try_capture((struct fake_fault){.first = n, .status = STATUS_NO_MEMORY}, FLAGS,
                       SELF_BY_CALLS))
        n++;
    assert_true(n > 100);
}

static void test_clone_with_everything_and_a_fault_is_all_or_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (uint64_t n = 1; try_capture((struct fake_fault){.first = n, .status = faults[i]},
                                         MORE_FLAGS, (enum kind)(2 * i));
             n++)
            ;
}

/* A wait for a thread of our own that lives does not fail. */
static void test_clone_with_lasting_faults_is_all_or_nothing(void **state)
{
    uint32_t step = soak_step(3);

    (void)state;
    for (enum kind kind = 0; kind < KIND_COUNT; kind++)
        for (size_t i = kind % 3; i < FAULT_COUNT; i += 3)
            for (uint64_t n = 1 + i / 3 % step; try_capture(
                     (struct fake_fault){
                         .first = n, .is_lasting = 1, .spares_waits = 1, .status = faults[i]},
                     FLAGS, kind);
                 n += step)
                ;
}

static void test_clone_with_two_faults_is_all_or_nothing(void **state)
{
    static const uint64_t gaps[] = {1, 2, 5, 21, 100};

    (void)state;
    for (size_t j = 0; j < sizeof(gaps) / sizeof(gaps[0]); j++)
        for (uint64_t n = 1; try_capture(
                 (struct fake_fault){
                     .first = n, .second = n + gaps[j], .spares_waits = 1, .status = faults[j % 3]},
                 FLAGS, (enum kind)(j & 1));
             n++)
            ;
}

static void end_target(void *context)
{
    *(int *)context = 1;
    fake_process_end(world.target, 99);
}

/* Once there is one; before that it tries again. */
static void end_carrier(void *context)
{
    if (!fake.carrier) {
        fake.event_call++;
        return;
    }
    *(int *)context = 1;
    fake_process_end(fake.carrier, 99);
}

/* Answers whether the event has happened. */
static int try_event(void (*event)(void *), uint64_t n, uint32_t flags, enum kind kind,
                     NTSTATUS *status)
{
    HPSS snapshot = pointer_to(1);
    int has_happened = 0;

    snprintf(where, sizeof(where), "flags 0x%x, kind %d, event at call %llu", flags, kind,
             (unsigned long long)n);
    build(kind);
    fake.event_call = n;
    fake.event = event;
    fake.context = &has_happened;
    *status = pss_snapshot_capture(fake_nt(), world.process, flags, CONTEXT_EVERYTHING, &snapshot);
    fake.event = NULL;
    check_outcome(*status, snapshot);
    if (event != end_target)
        assert_target_is_as_it_was();
    tear_down();
    return has_happened;
}

/* Whatever the target was asked when it died: 299, unless all was captured. */
static void test_target_that_dies_at_any_call_is_a_partial_copy(void **state)
{
    static const uint32_t flags[] = {FLAGS, MORE_FLAGS, FLAGS};
    NTSTATUS status;

    (void)state;
    for (enum kind kind = 0; kind < SELF; kind++) {
        uint64_t n = 1;

        for (; try_event(end_target, n, flags[kind], kind, &status) && !NT_SUCCESS(status); n++)
            assert_same(status, STATUS_PARTIAL_COPY);
        assert_same(status, STATUS_SUCCESS); /* it had all it wanted by then */
        assert_true(n > 20);
    }
}

/* A dead clone is none: either it died after all was done, or the capture says so. */
static void test_carrier_that_dies_at_any_call_is_no_clone(void **state)
{
    uint64_t failures = 0;
    NTSTATUS status;

    (void)state;
    for (enum kind kind = 0; kind < KIND_COUNT; kind++)
        for (uint64_t n = 1; try_event(end_carrier, n, FLAGS, kind, &status); n++) {
            if (NT_SUCCESS(status))
                continue;
            failures++;
            if (status != STATUS_PARTIAL_COPY && status != STATUS_INTERNAL_ERROR &&
                status != STATUS_PROCESS_IS_TERMINATING)
                fail_run("the carrier died", status);
        }
    assert_true(failures > 100);
}

static uint32_t protections, last_protection;

static NTSTATUS NTAPI protect_and_end(HANDLE process, void **base, SIZE_T *size, ULONG protect,
                                      ULONG *old)
{
    NTSTATUS status = fake_nt()->protect_memory(process, base, size, protect, old);

    if (++protections == last_protection)
        fake_process_end(fake.carrier, 99);
    return status;
}

/* After the last thing that is done to it nobody would notice, but who looks. */
static void test_carrier_that_dies_when_all_is_done_is_no_clone(void **state)
{
    (void)state;
    last_protection = 0;
    for (int i = 0; i < 2; i++) {
        struct pss_nt nt;
        HPSS snapshot = NULL;

        build(BY_FILES);
        nt = *fake_nt();
        nt.protect_memory = protect_and_end;
        protections = 0;
        NTSTATUS status = pss_snapshot_capture(&nt, world.process, FLAGS, 0, &snapshot);
        assert_same(status, i ? STATUS_PROCESS_IS_TERMINATING : STATUS_SUCCESS);
        check_outcome(status, snapshot);
        last_protection = protections;
        tear_down();
    }
}

static enum fake_hang hang;

static void hang_carrier(void *context)
{
    if (!fake.carrier || fake.carrier->times.exit_time.QuadPart) {
        fake.event_call++;
        return;
    }
    *(int *)context = 1;
    fake.carrier->memory_hang = hang;
}

/* A call that does not come back is given up; the thread in it is ended. */
static void test_carrier_that_stops_answering_is_given_up(void **state)
{
    uint64_t failures = 0;
    NTSTATUS status;

    (void)state;
    hang = FAKE_HANGS;
    for (enum kind kind = 0; kind < KIND_COUNT; kind++)
        for (uint64_t n = 1; try_event(hang_carrier, n, FLAGS, kind, &status); n++) {
            if (NT_SUCCESS(status))
                continue;
            if (status != STATUS_IO_TIMEOUT)
                fail_run("the carrier hangs", status);
            failures++;
        }
    assert_true(failures > 100);
}

static void test_carrier_that_answers_slowly_is_waited_for(void **state)
{
    NTSTATUS status;

    (void)state;
    hang = FAKE_IS_SLOW;
    for (uint64_t n = 1; try_event(hang_carrier, n, FLAGS, BY_FILES, &status); n += 7)
        if (status != STATUS_SUCCESS)
            fail_run("the carrier is slow", status);
}

/*
 * A thread that cannot be ended keeps its memory and its events; everything else is given back, and
 * when the call returns after all, the thread touches nothing but that memory.
 */
static int try_hang_for_good(uint64_t n, int answers_at_last)
{
    HPSS snapshot = pointer_to(1);
    struct fake_ledger ledger;
    int has_happened = 0;
    NTSTATUS status;

    build(BY_FILES);
    hang = FAKE_HANGS_FOR_GOOD;
    fake.answers_at_last = (uint8_t)answers_at_last;
    fake.event_call = n;
    fake.event = hang_carrier;
    fake.context = &has_happened;
    status = pss_snapshot_capture(fake_nt(), world.process, FLAGS, 0, &snapshot);
    fake.event = NULL;
    if (NT_SUCCESS(status)) {
        use_and_free(snapshot);
        assert_true(fake_ledger_is_zero());
    } else {
        assert_same(status, STATUS_IO_TIMEOUT);
        assert_null(snapshot);
        ledger = fake_ledger_now();
        assert_same(ledger.carriers | ledger.suspensions | ledger.views | ledger.bad_closes, 0);
        assert_same(ledger.threads, 1);
        assert_true(ledger.allocations && ledger.allocations <= 6);
        assert_true(ledger.handles <= 8);
    }
    assert_target_is_as_it_was();
    fake_fini(); /* lets the thread go */
    memset(&world, 0, sizeof(world));
    return has_happened;
}

static void test_carrier_that_hangs_for_good_is_left_alone(void **state)
{
    (void)state;
    for (int answers = 0; answers < 2; answers++) {
        uint64_t n = 1;

        while (try_hang_for_good(n, answers))
            n++;
        assert_true(n > 100);
    }
}

/* No memory left for the carrier: with whatever status, and wherever it ends. */
/* Under Wine a new process may be stillborn; the next one is not. */
static void test_stillborn_carrier_is_made_again(void **state)
{
    HPSS snapshot = NULL;
    int was_stillborn = 0;

    (void)state;
    for (uint64_t n = 1; !was_stillborn; n++) {
        build(BY_FILES);
        fake.fault = (struct fake_fault){.first = n, .status = STATUS_INTERNAL_ERROR};
        NTSTATUS status = pss_snapshot_capture(fake_nt(), world.process, FLAGS, 0, &snapshot);
        assert_true(fake.faults);
        fake.fault.first = 0;
        was_stillborn = fake.faulty_call == FAKE_CREATE_USER_PROCESS;
        if (was_stillborn)
            assert_same(status, STATUS_SUCCESS);
        check_outcome(status, snapshot);
        tear_down();
    }
}

static uint32_t refusals;

/* The first read of the target that stands still. */
static NTSTATUS refuse_read(void *context, enum fake_call call)
{
    (void)context;
    if (call != FAKE_READ_MEMORY || !world.target->threads[0]->suspend_count || refusals)
        return STATUS_SUCCESS;
    refusals++;
    return STATUS_NO_MEMORY;
}

/* That says nothing of the page: no smaller part is tried, and none is missing. */
static void test_read_without_memory_fails_the_capture(void **state)
{
    HPSS snapshot = pointer_to(1);

    (void)state;
    build(BY_CALLS);
    refusals = 0;
    fake.refuse = refuse_read;
    assert_same(pss_snapshot_capture(fake_nt(), world.process, FLAGS, 0, &snapshot),
                STATUS_NO_MEMORY);
    fake.refuse = NULL;
    assert_same(refusals, 1);
    check_outcome(STATUS_NO_MEMORY, snapshot);
    tear_down();
}

static void test_commit_that_is_exhausted_fails_the_capture(void **state)
{
    static const NTSTATUS statuses[] = {STATUS_COMMITMENT_LIMIT, STATUS_NO_MEMORY};

    (void)state;
    for (int i = 0; i < 2; i++)
        for (uint64_t budget = 0, was_met = 1; was_met; budget += 0x3000) {
            HPSS snapshot = pointer_to(1);
            NTSTATUS status;

            build(BY_FILES);
            fake.commit_budget = budget;
            fake.commit_status = statuses[i];
            status = pss_snapshot_capture(fake_nt(), world.process, FLAGS, 0, &snapshot);
            was_met = !NT_SUCCESS(status);
            if (was_met)
                assert_same(status, statuses[i]);
            else
                assert_true(budget > 0x40000);
            check_outcome(status, snapshot);
            assert_target_is_as_it_was();
            tear_down();
        }
}

/* The library's own memory is bounded: it does not grow with the target's. */
static void test_clone_of_much_memory_needs_little(void **state)
{
    (void)state;
    build(BY_FILES);
    clone_world_add_large();
    world_capture(FLAGS);
    assert_true(fake.peak_memory < 12u << 20);
    tear_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clone_with_one_fault_is_all_or_nothing),
        cmocka_unit_test(test_clone_of_this_process_by_calls_and_a_fault_is_all_or_nothing),
        cmocka_unit_test(test_clone_with_everything_and_a_fault_is_all_or_nothing),
        cmocka_unit_test(test_clone_with_lasting_faults_is_all_or_nothing),
        cmocka_unit_test(test_clone_with_two_faults_is_all_or_nothing),
        cmocka_unit_test(test_target_that_dies_at_any_call_is_a_partial_copy),
        cmocka_unit_test(test_carrier_that_dies_at_any_call_is_no_clone),
        cmocka_unit_test(test_carrier_that_dies_when_all_is_done_is_no_clone),
        cmocka_unit_test(test_carrier_that_stops_answering_is_given_up),
        cmocka_unit_test(test_carrier_that_answers_slowly_is_waited_for),
        cmocka_unit_test(test_carrier_that_hangs_for_good_is_left_alone),
        cmocka_unit_test(test_stillborn_carrier_is_made_again),
        cmocka_unit_test(test_read_without_memory_fails_the_capture),
        cmocka_unit_test(test_commit_that_is_exhausted_fails_the_capture),
        cmocka_unit_test(test_clone_of_much_memory_needs_little),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
