/* SPDX-License-Identifier: MIT */
/* The fault loop over clones of a real process: calls fail, the target dies, the carrier dies. */
#include "api/api.h"
#include "base/status.h"

#include "expectation.h"
#include "faulty_nt.h"
#include "random.h"
#include "soak.h"
#include "subject.h"

#define FLAGS   PSS_CAPTURE_VA_CLONE
#define FIRST   10u /* calls that are all tried */
#define SAMPLES 16u /* of the others, at random */
#define REPORTS 10u

static struct subject child, self;
static const struct subject *current = &child; /* what is captured */
static uint32_t reported;
static uint32_t first_calls, sampled_calls; /* of the test */

/* The run, for messages. */
static char where[200];

static void report(const char *what, NTSTATUS status)
{
    if (reported++ < REPORTS)
        print_error("%s: %s: 0x%lx\n", where, what, (unsigned long)status);
}

/* ---- which calls are tried ---- */

struct calls {
    uint32_t count;
    uint8_t is_chosen[8192];
};

/* The first ones, each service's first, second and last, and some more. */
static void choose(struct calls *calls)
{
    uint32_t seen[FAULTY_SERVICE_COUNT + 1] = {0}, last[FAULTY_SERVICE_COUNT + 1] = {0};

    memset(calls, 0, sizeof(*calls));
    calls->count = faulty_fallible_calls();
    assert_true(calls->count > FIRST && calls->count < sizeof(calls->is_chosen));
    for (uint32_t number = 1; number <= calls->count; number++) {
        enum faulty_service service = faulty_service_of(number);

        last[service] = number;
        calls->is_chosen[number] = soak_or(0, 1) || number <= first_calls || ++seen[service] <= 2 ||
                                   random_below(calls->count) < sampled_calls;
    }
    for (int i = 0; i < FAULTY_SERVICE_COUNT; i++)
        calls->is_chosen[last[i]] = 1;
}

static void check_and_free(HPSS snapshot)
{
    PSS_VA_CLONE_INFORMATION information;
    PSS_VA_CLONE_DETAILS details;

    assert_int_equal(pss_snapshot_query(faulty_nt(), snapshot, PSS_QUERY_VA_CLONE_INFORMATION,
                                        &information, sizeof(information)),
                     STATUS_SUCCESS);
    assert_true(faulty_holds(information.VaCloneHandle));
    assert_int_equal(pss_snapshot_query(faulty_nt(), snapshot, PSS_QUERY_VA_CLONE_DETAILS, &details,
                                        sizeof(details)),
                     STATUS_SUCCESS);
    assert_same(details.BytesHeld + details.BytesMissing, details.BytesCommitted);
    subject_check_and_free(snapshot, where);
}

/* Learns the calls of a capture in which nothing happens. */
static void run_clean(struct calls *calls)
{
    HPSS snapshot = NULL;

    snprintf(where, sizeof(where), "undisturbed");
    faulty_reset();
    assert_int_equal(subject_capture(current, FLAGS, &snapshot), STATUS_SUCCESS);
    choose(calls);
    check_and_free(snapshot);
    faulty_assert_clean(where);
}

/* A thread that cannot be waited for keeps its memory and its events. */
static void reclaim_from_workers(void)
{
    struct faulty_ledger held = faulty_ledger();

    if (faulty_failures_of(FAULTY_wait) && !held.views && !held.suspends && !held.heap_blocks)
        faulty_reclaim();
}

/* Nothing may be left, whatever the result is. */
static void check_outcome(NTSTATUS status, HPSS snapshot)
{
    if (NT_SUCCESS(status) != (snapshot != NULL))
        report("a snapshot without success, or none with it", status);
    if (snapshot)
        check_and_free(snapshot);
    reclaim_from_workers();
    faulty_assert_clean(where);
}

/* ---- faults ---- */

/* Where all fails from a call on, the last look at the target does: the capture cannot succeed. */
static const char *compare(bool is_persistent, NTSTATUS injected, NTSTATUS status)
{
    const struct expectation_case what = {
        .process = current->process, .thread = GetCurrentThreadId(), .flags = FLAGS};
    const struct faulty_call *call = faulty_failed();

    if (!call)
        return NT_SUCCESS(status) ? NULL : "nothing has failed";
    if (is_persistent)
        return NT_SUCCESS(status) ? "it must fail" : NULL; /* which thread came first? */
    return expectation_compare(expectation_of(&absorbed_by_clone, call, injected, &what), injected,
                               status);
}

static void run_fault(uint32_t number, bool is_persistent, NTSTATUS injected)
{
    HPSS snapshot = (HPSS)&child;
    const char *difference;

    faulty_reset();
    faulty_fail(number, is_persistent, injected);
    faulty_spare_waits(); /* else a thread of ours would work on while its owner takes all away */
    NTSTATUS status = subject_capture(current, FLAGS, &snapshot);
    const struct faulty_call *call = faulty_failed();
    snprintf(where, sizeof(where), "%s: call %u (%s, class %lu, size %llu) fails %s with 0x%lx",
             current->name, number, call ? faulty_name(call->service) : "none",
             call ? call->class_number : 0, (unsigned long long)(call ? call->size : 0),
             is_persistent ? "on" : "once", (unsigned long)injected);
    difference = compare(is_persistent, injected, status);
    faulty_fail(0, false, STATUS_SUCCESS);
    if (difference)
        report(difference, status);
    check_outcome(status, snapshot);
    subject_assert_suspended(current, 0, where);
}

/* The statuses by turns; each with each call in a whole run. */
static void run_faults(bool is_persistent, const NTSTATUS *statuses, uint32_t status_count)
{
    struct calls calls;
    uint32_t runs = 0, at_once = soak_or(1, status_count);

    run_clean(&calls);
    for (uint32_t number = 1; number <= calls.count; number++)
        for (uint32_t i = 0; i < at_once && calls.is_chosen[number]; i++)
            run_fault(number, is_persistent, statuses[runs++ % status_count]);
    print_message("%u runs, %u calls\n", runs, calls.count);
    assert_same(reported, 0);
    if (current == &child)
        assert_same(target_call(child.target, TARGET_PING, 0, 0, 0, 0), child.target->pid);
}

static const NTSTATUS soft_statuses[] = {
    STATUS_ACCESS_DENIED,         STATUS_NOT_IMPLEMENTED,        STATUS_INVALID_HANDLE,
    STATUS_PARTIAL_COPY,          STATUS_INVALID_PARAMETER,      STATUS_OBJECT_NAME_NOT_FOUND,
    STATUS_CONFLICTING_ADDRESSES, STATUS_PROCESS_IS_TERMINATING, STATUS_INTERNAL_ERROR,
};
#define SOFT_STATUSES (sizeof(soft_statuses) / sizeof(soft_statuses[0]))

static void test_clone_without_memory_fails_or_is_whole(void **state)
{
    static const NTSTATUS statuses[] = {STATUS_NO_MEMORY};

    (void)state;
    run_faults(false, statuses, 1);
}

static void test_clone_with_a_fault_fails_or_is_whole(void **state)
{
    (void)state;
    run_faults(false, soft_statuses, SOFT_STATUSES);
}

static NTSTATUS NTAPI open_no_file(HANDLE *file, ACCESS_MASK access, OBJECT_ATTRIBUTES *object,
                                   IO_STATUS_BLOCK *io, ULONG share, ULONG options)
{
    (void)file, (void)access, (void)object, (void)io, (void)share, (void)options;
    return STATUS_ACCESS_DENIED;
}

/* As on systems that show no memory as files; the images are copied, too. */
static void test_clone_by_calls_with_a_fault_fails_or_is_whole(void **state)
{
    NTSTATUS all[SOFT_STATUSES + 1] = {STATUS_NO_MEMORY};

    (void)state;
    memcpy(all + 1, soft_statuses, sizeof(soft_statuses));
    first_calls = 0; /* as in the other tests, up to the first file */
    sampled_calls = SAMPLES / 4;
    faulty_inner()->open_file = open_no_file;
    run_faults(false, all, SOFT_STATUSES + 1);
}

static void test_clone_with_faults_from_a_call_on_fails_or_is_whole(void **state)
{
    static const NTSTATUS statuses[] = {STATUS_NO_MEMORY, STATUS_UNSUCCESSFUL,
                                        STATUS_ACCESS_DENIED};

    (void)state;
    run_faults(true, statuses, 3);
}

/* While this process stands still, nothing may use its heap or its loader: the account sees it. */
static void test_clone_of_this_process_with_a_fault_fails_or_is_whole(void **state)
{
    static const NTSTATUS statuses[] = {STATUS_NO_MEMORY, STATUS_ACCESS_DENIED};

    (void)state;
    current = &self;
    run_faults(false, statuses, 2);
    current = &child;
}

/* ---- events ---- */

static bool has_happened;

static void kill_target(void *argument)
{
    has_happened = true;
    target_kill(((struct subject *)argument)->target);
}

static void kill_carrier(void *argument)
{
    (void)argument;
    if (!faulty_carrier())
        return;
    has_happened = true;
    TerminateProcess(faulty_carrier(), 99);
}

/* The target is gone: the next one takes its place. */
static void replace_child(void)
{
    subject_fini(&child);
    subject_start_child(&child);
}

static NTSTATUS run_event(void (*event)(void *), const char *name, uint32_t number)
{
    HPSS snapshot = (HPSS)&child;

    snprintf(where, sizeof(where), "%s at call %u", name, number);
    has_happened = false;
    faulty_init();
    faulty_plan_event(number, event, &child);
    NTSTATUS status = subject_capture(current, FLAGS, &snapshot);
    faulty_plan_event(0, NULL, NULL);
    check_outcome(status, snapshot);
    return status;
}

static void test_death_of_the_target_is_a_partial_copy(void **state)
{
    struct calls calls;
    uint32_t runs = 0;

    (void)state;
    run_clean(&calls);
    for (uint32_t number = 1; number <= calls.count; number++) {
        if (!calls.is_chosen[number] || number % 3)
            continue;
        NTSTATUS status = run_event(kill_target, "the target dies", number);
        if (status != STATUS_PARTIAL_COPY && status != STATUS_SUCCESS)
            report(has_happened ? "it must be a partial copy" : "it did not, and yet", status);
        if (has_happened)
            replace_child();
        runs++;
    }
    print_message("%u of %u calls\n", runs, calls.count);
    assert_same(reported, 0);
}

static void test_death_of_the_carrier_leaves_nothing(void **state)
{
    struct calls calls;
    uint32_t runs = 0;

    (void)state;
    run_clean(&calls);
    for (uint32_t number = 1; number <= calls.count; number++) {
        if (!calls.is_chosen[number])
            continue;
        NTSTATUS status = run_event(kill_carrier, "the carrier dies", number);
        if (!NT_SUCCESS(status) && !has_happened)
            report("nothing has happened", status);
        subject_assert_suspended(current, 0, where);
        runs += has_happened;
    }
    print_message("%u of %u calls\n", runs, calls.count);
    assert_true(runs > 10);
    assert_same(reported, 0);
    assert_same(target_call(child.target, TARGET_PING, 0, 0, 0, 0), child.target->pid);
}

/* ---- no memory left for the carrier ---- */

static uint32_t left; /* allocations in the carrier that still succeed */
static NTSTATUS out_of_memory;

static NTSTATUS NTAPI allocate_a_few(HANDLE process, void **base, ULONG_PTR zero_bits, SIZE_T *size,
                                     ULONG type, ULONG protect)
{
    if (process != PSS_CURRENT_PROCESS && type & MEM_COMMIT && !left--) {
        left = 0;
        return out_of_memory;
    }
    return pss_nt_system()->allocate_memory(process, base, zero_bits, size, type, protect);
}

static void test_commit_that_is_exhausted_fails_the_capture(void **state)
{
    static const NTSTATUS statuses[] = {STATUS_COMMITMENT_LIMIT, STATUS_NO_MEMORY};

    (void)state;
    for (uint32_t allocations = 0; allocations < 8; allocations++) {
        HPSS snapshot = (HPSS)&child;

        snprintf(where, sizeof(where), "out of memory after %u allocations", allocations);
        left = allocations;
        out_of_memory = statuses[allocations % 2];
        faulty_reset();
        faulty_inner()->allocate_memory = allocate_a_few;
        NTSTATUS status = subject_capture(current, FLAGS, &snapshot);
        assert_int_equal(status, out_of_memory);
        assert_true(pss_status_is_hard(status));
        check_outcome(status, snapshot);
        subject_assert_suspended(current, 0, where);
    }
    assert_same(reported, 0);
}

/* ---- routes ---- */

static const char secret[] = "what a clone of the target has to have";

/* Whatever becomes of the target, its clone has what was there. */
static void check_memory(bool may_open_files)
{
    HPSS snapshot = NULL;
    PSS_VA_CLONE_INFORMATION information;
    PSS_VA_CLONE_DETAILS details;
    char bytes[sizeof(secret)] = "";
    void *address = (void *)(ULONG_PTR)child.memory;

    assert_true(WriteProcessMemory(child.process, address, secret, sizeof(secret), NULL));
    if (!may_open_files)
        faulty_inner()->open_file = open_no_file;
    assert_int_equal(subject_capture(current, FLAGS, &snapshot), STATUS_SUCCESS);
    assert_true(WriteProcessMemory(child.process, address, bytes, sizeof(bytes), NULL));
    pss_snapshot_query(faulty_nt(), snapshot, PSS_QUERY_VA_CLONE_INFORMATION, &information,
                       sizeof(information));
    pss_snapshot_query(faulty_nt(), snapshot, PSS_QUERY_VA_CLONE_DETAILS, &details,
                       sizeof(details));
    assert_true(ReadProcessMemory(information.VaCloneHandle, address, bytes, sizeof(bytes), NULL));
    assert_string_equal(bytes, secret);
    assert_same(details.Strategy, PSS_CLONE_CARRIER);
    print_message("by %s\n", details.Route == PSS_CLONE_ROUTE_FILES ? "files" : "calls");
    if (!may_open_files)
        assert_same(details.Route, PSS_CLONE_ROUTE_CALLS);
    check_and_free(snapshot);
    faulty_assert_clean("routes");
}

static void test_clone_by_any_route_has_the_bytes(void **state)
{
    (void)state;
    check_memory(true);
    check_memory(false);
}

/* ---- fixtures ---- */

static int set_up(void **state)
{
    (void)state;
    first_calls = FIRST;
    sampled_calls = SAMPLES;
    faulty_init();
    reported = 0;
    return 0;
}

static int start_subjects(void **state)
{
    set_up(state);
    subject_start_child(&child);
    subject_use_self(&self, false);
    return 0;
}

static int end_subjects(void **state)
{
    (void)state;
    subject_fini(&child);
    subject_fini(&self);
    expectation_report(&absorbed_by_clone);
    return 0;
}

#define FAULT_TEST(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT_TEST(test_clone_by_any_route_has_the_bytes),
        FAULT_TEST(test_clone_without_memory_fails_or_is_whole),
        FAULT_TEST(test_clone_with_a_fault_fails_or_is_whole),
        FAULT_TEST(test_clone_by_calls_with_a_fault_fails_or_is_whole),
        FAULT_TEST(test_clone_with_faults_from_a_call_on_fails_or_is_whole),
        FAULT_TEST(test_clone_of_this_process_with_a_fault_fails_or_is_whole),
        FAULT_TEST(test_death_of_the_carrier_leaves_nothing),
        FAULT_TEST(test_death_of_the_target_is_a_partial_copy),
        FAULT_TEST(test_commit_that_is_exhausted_fails_the_capture),
    };

    return cmocka_run_group_tests(tests, start_subjects, end_subjects);
}
