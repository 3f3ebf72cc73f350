/* SPDX-License-Identifier: MIT */
/* The fault loop over captures: each call fails, once or from then on, with each status. */
#include "api/api.h"
#include "capture/capture.h"

#include "expectation.h"
#include "faulty_nt.h"
#include "random.h"
#include "soak.h"
#include "subject.h"

static const NTSTATUS statuses[] = {
    STATUS_NO_MEMORY,
    STATUS_ACCESS_DENIED,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_IMPLEMENTED,
    STATUS_PROCESS_IS_TERMINATING,
    STATUS_INFO_LENGTH_MISMATCH,
    STATUS_UNSUCCESSFUL,
};
#define REPORTS 10

#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

/* One loop: which capture, and how many runs it is worth. */
struct loop {
    const struct subject *subject;
    struct expectation_case what;
    uint32_t flags;
    uint32_t limit;                     /* of runs; above it they are sampled */
    uint32_t calls;                     /* of a capture without faults */
    uint32_t counts[PSS_SECTION_COUNT]; /* of its records, where they do not change by themselves */
    uint32_t runs;
    uint32_t failures;
};

/* One run, and how it is told in a message. */
struct run {
    uint32_t number;
    bool is_persistent;
    NTSTATUS injected;
    struct expectation expected;
    char where[200];
};

static void describe(const struct loop *loop, struct run *run)
{
    const struct faulty_call *call = faulty_failed();

    snprintf(run->where, sizeof(run->where),
             "%s, flags 0x%x, call %u of %u (%s class %lu size %llu) fails %s with 0x%lx",
             loop->subject->name, loop->flags, run->number, loop->calls,
             call ? faulty_name(call->service) : "none", call ? call->class_number : 0,
             (unsigned long long)(call ? call->size : 0), run->is_persistent ? "on" : "once",
             (unsigned long)run->injected);
}

static struct expectation expect(const struct loop *loop, const struct run *run)
{
    if (!faulty_failed())
        return (struct expectation){VERDICT_ABSORBED, STATUS_SUCCESS};
    if (run->is_persistent && (faulty_failures_of(FAULTY_wait) || faulty_failed_a_look()))
        return (struct expectation){VERDICT_UNCLEAR, STATUS_CANCELLED}; /* a helper was given up */
    if (run->is_persistent)
        return (struct expectation){VERDICT_FAILS, STATUS_SUCCESS}; /* the last look fails, too */
    return expectation_of(&absorbed_by_capture, faulty_failed(), run->injected, &loop->what);
}

/* Goes on with the other runs: the first failures of a loop are told. */
static void report(struct loop *loop, const struct run *run, const char *what, NTSTATUS status)
{
    if (loop->failures++ < REPORTS)
        print_error("%s: %s; the result is 0x%lx\n", run->where, what, (unsigned long)status);
}

static void check_status(struct loop *loop, const struct run *run, NTSTATUS status)
{
    const char *difference = expectation_compare(run->expected, run->injected, status);

    if (difference)
        report(loop, run, difference, status);
}

/* A fault costs one thread, or its context, or the trace, at most; everything else is there. */
static uint32_t most_lost(enum pss_section section)
{
    return section == PSS_SECTION_THREADS || section == PSS_SECTION_CONTEXTS ||
           section == PSS_SECTION_TRACE;
}

/* What cannot be compared: records that come and go, and statuses with a meaning of their own. */
static bool is_comparable(const struct loop *loop, const struct run *run)
{
    const struct faulty_call *call = faulty_failed();

    if (!loop->subject->target || run->expected.verdict == VERDICT_UNCLEAR)
        return false; /* this process changes by itself */
    if (call && call->service == FAULTY_query_memory && run->injected == STATUS_INVALID_PARAMETER)
        return false; /* the end of the address space */
    return !call || !loop->what.has_ended || call->service != FAULTY_get_next_thread;
}

static void check_counts(struct loop *loop, const struct run *run, HPSS snapshot)
{
    for (int i = 0; i < PSS_SECTION_DATA && is_comparable(loop, run); i++) {
        uint32_t count = subject_count(snapshot, (enum pss_section)i);

        if (!run->number)
            loop->counts[i] = count;
        else if (count > loop->counts[i] ||
                 loop->counts[i] - count > most_lost((enum pss_section)i))
            report(loop, run, "entries are lost", STATUS_SUCCESS);
    }
}

/*
 * A helper thread that can neither be waited for nor ended keeps its memory and the handle it asks
 * about, or the three of a watcher: that is the one thing a capture may leave.
 */
static void reclaim_from_helper(void)
{
    struct faulty_ledger held = faulty_ledger();

    if (faulty_failures_of(FAULTY_wait) && held.allocations == 1 && held.handles <= 3)
        faulty_reclaim();
}

/* Answers whether the call number was reached. */
static bool run_once(struct loop *loop, struct run *run)
{
    HPSS snapshot = (HPSS)loop;

    faulty_reset();
    faulty_fail(run->number, run->is_persistent, run->injected);
    NTSTATUS status = subject_capture(loop->subject, loop->flags, &snapshot);
    bool is_reached = faulty_failed() != NULL;
    describe(loop, run);
    faulty_fail(0, false, STATUS_SUCCESS);
    run->expected = expect(loop, run);
    loop->runs++;
    check_status(loop, run, status);
    if (NT_SUCCESS(status)) {
        check_counts(loop, run, snapshot);
        subject_check_and_free(snapshot, run->where);
    } else if (snapshot) {
        report(loop, run, "the snapshot is not NULL", status);
    }
    reclaim_from_helper();
    faulty_assert_clean(run->where);
    subject_assert_suspended(loop->subject, 0, run->where);
    return is_reached;
}

static bool is_chosen(const struct loop *loop)
{
    uint64_t all = (uint64_t)loop->calls * STATUSES * 2;

    return all <= loop->limit || random_next() % all < loop->limit;
}

/* All runs, or the chosen ones, with this call number; answers whether it exists. */
static bool run_number(struct loop *loop, uint32_t number)
{
    bool is_reached = number <= loop->calls;

    for (uint32_t i = 0; i < 2 * STATUSES; i++) {
        struct run run = {.number = number, .is_persistent = i % 2, .injected = statuses[i / 2]};

        if (number > loop->calls || is_chosen(loop))
            is_reached = run_once(loop, &run);
    }
    return is_reached;
}

static void run_loop(const struct subject *subject, uint32_t flags, uint32_t limit, bool is_traced)
{
    struct loop loop = {.subject = subject, .flags = flags, .limit = limit};
    struct run clean = {0};

    loop.what.process = subject->process;
    loop.what.thread = GetCurrentThreadId();
    loop.what.flags = flags;
    loop.what.traces_handles = is_traced;
    loop.what.has_ended = WaitForSingleObject(subject->process, 0) == WAIT_OBJECT_0;
    run_once(&loop, &clean);
    loop.calls = faulty_fallible_calls();
    for (uint32_t number = 1; run_number(&loop, number);)
        number++;
    print_message("%s, flags 0x%x: %u calls, %u runs\n", subject->name, flags, loop.calls,
                  loop.runs);
    if (loop.failures)
        fail_msg("%u of %u runs went wrong", loop.failures, loop.runs);
}

/* Small captures get every run; what takes hundreds of calls is sampled. */
#define ALL_RUNS     100000u
#define SAMPLED_RUNS soak_or(240, UINT32_MAX)

static struct subject child, self, self_by_handle;

static void loop_over_all_subjects(uint32_t flags, uint32_t limit)
{
    run_loop(&child, flags, limit, false);
    run_loop(&self, flags, limit, false);
}

static void test_capture_none_with_faults_keeps_the_rules(void **state)
{
    (void)state;
    loop_over_all_subjects(PSS_CAPTURE_NONE, ALL_RUNS);
    run_loop(&self_by_handle, PSS_CAPTURE_NONE, ALL_RUNS, false);
}

static void test_capture_auxiliary_pages_with_faults_keeps_the_rules(void **state)
{
    (void)state;
    loop_over_all_subjects(PSS_CAPTURE_RESERVED_00000002, ALL_RUNS);
}

static void test_capture_performance_with_faults_keeps_the_rules(void **state)
{
    (void)state;
    loop_over_all_subjects(PSS_CREATE_MEASURE_PERFORMANCE, ALL_RUNS);
}

static void test_capture_threads_with_faults_keeps_the_rules(void **state)
{
    (void)state;
    loop_over_all_subjects(PSS_CAPTURE_THREADS, ALL_RUNS);
}

static void test_capture_contexts_with_faults_keeps_the_rules(void **state)
{
    (void)state;
    loop_over_all_subjects(PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT, ALL_RUNS);
    loop_over_all_subjects(PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT |
                               PSS_CAPTURE_THREAD_CONTEXT_EXTENDED,
                           ALL_RUNS);
}

static void test_capture_va_space_with_faults_keeps_the_rules(void **state)
{
    (void)state;
    loop_over_all_subjects(PSS_CAPTURE_VA_SPACE, SAMPLED_RUNS);
    loop_over_all_subjects(PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION,
                           SAMPLED_RUNS);
}

static void test_capture_handles_with_faults_keeps_the_rules(void **state)
{
    (void)state;
    loop_over_all_subjects(PSS_CAPTURE_HANDLES, SAMPLED_RUNS);
}

static void test_capture_handle_names_with_faults_keeps_the_rules(void **state)
{
    (void)state;
    loop_over_all_subjects(PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION, SAMPLED_RUNS);
}

static void test_capture_handle_details_with_faults_keeps_the_rules(void **state)
{
    (void)state;
    loop_over_all_subjects(PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_BASIC_INFORMATION,
                           SAMPLED_RUNS);
    loop_over_all_subjects(PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION,
                           SAMPLED_RUNS);
}

/* Systems that trace no handles are made to answer with an empty trace. */
static NTSTATUS NTAPI answer_trace(HANDLE process, ULONG class_number, void *buffer, ULONG size,
                                   ULONG *returned)
{
    if (class_number != PSS_NT_PROCESS_HANDLE_TRACING)
        return pss_nt_system()->query_process(process, class_number, buffer, size, returned);
    memset(buffer, 0, sizeof(struct pss_nt_handle_tracing));
    *returned = sizeof(struct pss_nt_handle_tracing);
    return STATUS_SUCCESS;
}

static void test_capture_handle_trace_with_faults_keeps_the_rules(void **state)
{
    (void)state;
    loop_over_all_subjects(PSS_CAPTURE_HANDLE_TRACE, ALL_RUNS);
    faulty_inner()->query_process = answer_trace;
    run_loop(&child, PSS_CAPTURE_HANDLE_TRACE, ALL_RUNS, true);
    run_loop(&self, PSS_CAPTURE_HANDLE_TRACE, ALL_RUNS, true);
}

static void test_capture_everything_with_faults_keeps_the_rules(void **state)
{
    (void)state;
    loop_over_all_subjects(SUBJECT_EVERYTHING, SAMPLED_RUNS);
}

static void test_capture_ended_process_with_faults_keeps_the_rules(void **state)
{
    struct subject ended;

    (void)state;
    subject_start_child(&ended);
    ended.name = "ended child";
    target_kill(ended.target);
    run_loop(&ended, PSS_CAPTURE_NONE, ALL_RUNS, false);
    run_loop(&ended, PSS_CAPTURE_THREADS, ALL_RUNS, false);
    subject_fini(&ended);
}

static void test_capture_suspended_process_with_faults_leaves_it_suspended(void **state)
{
    struct target *target = target_start_never_ran();
    struct subject never_ran = {
        .name = "child that never ran", .target = target, .process = target->process};

    (void)state;
    run_loop(&never_ran, PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT, ALL_RUNS, false);
    assert_same(SuspendThread(target->thread), 1);
    assert_same(ResumeThread(target->thread), 2);
    subject_fini(&never_ran);
}

static int set_up(void **state)
{
    (void)state;
    faulty_init();
    return 0;
}

static int start_subjects(void **state)
{
    set_up(state);
    subject_start_child(&child);
    subject_use_self(&self, false);
    subject_use_self(&self_by_handle, true);
    return 0;
}

static int end_subjects(void **state)
{
    (void)state;
    assert_same(target_call(child.target, TARGET_PING, 0, 0, 0, 0), child.target->pid);
    subject_fini(&child);
    subject_fini(&self);
    subject_fini(&self_by_handle);
    expectation_report(&absorbed_by_capture);
    return 0;
}

#define FAULT_TEST(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT_TEST(test_capture_none_with_faults_keeps_the_rules),
        FAULT_TEST(test_capture_auxiliary_pages_with_faults_keeps_the_rules),
        FAULT_TEST(test_capture_performance_with_faults_keeps_the_rules),
        FAULT_TEST(test_capture_threads_with_faults_keeps_the_rules),
        FAULT_TEST(test_capture_contexts_with_faults_keeps_the_rules),
        FAULT_TEST(test_capture_va_space_with_faults_keeps_the_rules),
        FAULT_TEST(test_capture_handles_with_faults_keeps_the_rules),
        FAULT_TEST(test_capture_handle_names_with_faults_keeps_the_rules),
        FAULT_TEST(test_capture_handle_details_with_faults_keeps_the_rules),
        FAULT_TEST(test_capture_handle_trace_with_faults_keeps_the_rules),
        FAULT_TEST(test_capture_everything_with_faults_keeps_the_rules),
        FAULT_TEST(test_capture_ended_process_with_faults_keeps_the_rules),
        FAULT_TEST(test_capture_suspended_process_with_faults_leaves_it_suspended),
    };

    return cmocka_run_group_tests(tests, start_subjects, end_subjects);
}
