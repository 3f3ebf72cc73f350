/* SPDX-License-Identifier: MIT */
/* Things that happen to a target in the middle of its capture: at each call, or at sampled ones. */
#include "event_cases.h"
#include "random.h"
#include "soak.h"

#define WAIT_LIMIT_MS 30000
#define KILL_CODE     99u /* target_kill's */
#define SAMPLES       soak_or(24, UINT32_MAX)
#define FEW_SAMPLES   soak_or(8, UINT32_MAX)
#define CONTEXTS      (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)

static bool has_happened, has_exit_pending;

static void test_handle_closed_during_capture_costs_its_entry_only(void **state)
{
    (void)state;
    event_run(EVENT_CLOSE, SUBJECT_EVERYTHING, SAMPLES);
}

static void test_thread_ended_during_capture_costs_its_entry_only(void **state)
{
    (void)state;
    event_run(EVENT_END_THREAD, CONTEXTS, SAMPLES);
    event_run(EVENT_END_THREAD, SUBJECT_EVERYTHING, SAMPLES);
}

static void test_thread_started_during_capture_is_left_running(void **state)
{
    (void)state;
    event_run(EVENT_START_THREAD, CONTEXTS, SAMPLES);
    event_run(EVENT_START_THREAD, SUBJECT_EVERYTHING, SAMPLES);
}

static void test_memory_freed_during_capture_does_not_matter(void **state)
{
    (void)state;
    event_run(EVENT_FREE, SUBJECT_EVERYTHING, SAMPLES);
}

static void test_memory_protected_during_capture_does_not_matter(void **state)
{
    (void)state;
    event_run(EVENT_PROTECT, SUBJECT_EVERYTHING, SAMPLES);
}

static void test_threads_suspended_during_capture_stay_suspended(void **state)
{
    (void)state;
    event_run(EVENT_SUSPEND, CONTEXTS, SAMPLES);
    event_run(EVENT_SUSPEND, SUBJECT_EVERYTHING, SAMPLES);
}

static void test_threads_resumed_during_capture_run(void **state)
{
    (void)state;
    event_run(EVENT_RESUME, CONTEXTS, SAMPLES);
    event_run(EVENT_RESUME, SUBJECT_EVERYTHING, FEW_SAMPLES);
}

static void test_handle_opened_during_capture_does_not_matter(void **state)
{
    (void)state;
    event_run(EVENT_OPEN, SUBJECT_EVERYTHING, FEW_SAMPLES);
}

static void test_view_mapped_or_unmapped_during_capture_does_not_matter(void **state)
{
    (void)state;
    event_run(EVENT_MAP, SUBJECT_EVERYTHING, FEW_SAMPLES);
    event_run(EVENT_UNMAP, SUBJECT_EVERYTHING, FEW_SAMPLES);
}

/* Where the death of the target falls among the looks that the library takes at its times. */
static HANDLE watched;
static uint32_t looks_before_death, looks_after_death;

static NTSTATUS NTAPI watch_looks(HANDLE process, ULONG class_number, void *buffer, ULONG size,
                                  ULONG *returned)
{
    if (process == watched && class_number == PSS_NT_PROCESS_TIMES)
        has_happened ? looks_after_death++ : looks_before_death++;
    return pss_nt_system()->query_process(process, class_number, buffer, size, returned);
}

static void kill_subject(void *argument)
{
    struct subject *subject = argument;

    has_happened = true;
    target_kill(subject->target);
}

/* It obeys at once, or when nobody has it suspended any more. */
static void let_subject_exit(void *argument)
{
    struct subject *subject = argument;

    if (faulty_ledger().suspends) {
        has_exit_pending = true;
        target_post(subject->target, TARGET_EXIT, KILL_CODE);
        return;
    }
    has_happened = true;
    target_call_fatal(subject->target, TARGET_EXIT, KILL_CODE);
}

/* Before the first look the target had ended before the capture: what is told must agree. */
static void check_ended(HPSS snapshot, const char *where)
{
    PSS_PROCESS_INFORMATION process;

    assert_int_equal(pss_snapshot_query(faulty_nt(), snapshot, PSS_QUERY_PROCESS_INFORMATION,
                                        &process, sizeof(process)),
                     STATUS_SUCCESS);
    if (!filetime_value(process.ExitTime) || process.ExitStatus != KILL_CODE)
        fail_msg("%s: exit status %lu, exit time %llu", where, process.ExitStatus,
                 (unsigned long long)filetime_value(process.ExitTime));
    for (uint32_t i = 0; i < subject_count(snapshot, PSS_SECTION_THREADS); i++) {
        const struct pss_thread_record *thread =
            subject_record(snapshot, struct pss_thread_record, PSS_SECTION_THREADS, i);

        if (thread->exit_status == STILL_ACTIVE || thread->context)
            fail_msg("%s: thread %u lives", where, thread->thread_id);
    }
}

static void check_death(HPSS snapshot, NTSTATUS status, bool needs_life, const char *where)
{
    bool had_begun = looks_before_death != 0, was_noticed = looks_after_death != 0;

    if (has_happened && (had_begun || needs_life) && was_noticed) {
        if (status != STATUS_PARTIAL_COPY || snapshot)
            fail_msg("%s: the result is 0x%lx", where, (unsigned long)status);
        return;
    }
    if (status != STATUS_SUCCESS)
        fail_msg("%s: the result is 0x%lx", where, (unsigned long)status);
    if (has_happened && !had_begun)
        check_ended(snapshot, where);
    subject_check_and_free(snapshot, where);
}

/* It exits as soon as it is thawed: the capture may have seen it or not, but it has to end. */
static void check_pending_exit(struct subject *subject, HPSS snapshot, NTSTATUS status,
                               const char *where)
{
    if (status != STATUS_SUCCESS && (status != STATUS_PARTIAL_COPY || snapshot))
        fail_msg("%s: the result is 0x%lx", where, (unsigned long)status);
    if (snapshot)
        subject_check_and_free(snapshot, where);
    assert_same(WaitForSingleObject(subject->process, WAIT_LIMIT_MS), WAIT_OBJECT_0);
}

static void run_death(void (*event)(void *subject), uint32_t flags, uint32_t number,
                      bool needs_life)
{
    struct subject subject;
    HPSS snapshot = NULL;
    char where[100];

    snprintf(where, sizeof(where), "flags 0x%x, %s at call %u", flags,
             event == kill_subject ? "killed" : "told to exit", number);
    subject_start_child(&subject);
    watched = subject.process;
    has_happened = has_exit_pending = false;
    looks_before_death = looks_after_death = 0;
    faulty_reset();
    faulty_inner()->query_process = watch_looks;
    faulty_plan_event(number, event, &subject);
    NTSTATUS status = subject_capture(&subject, flags, &snapshot);
    faulty_plan_event(0, NULL, NULL);
    if (has_exit_pending)
        check_pending_exit(&subject, snapshot, status, where);
    else
        check_death(snapshot, status, needs_life, where);
    faulty_assert_clean(where);
    subject_fini(&subject);
}

static void run_deaths(void (*event)(void *subject), uint32_t flags, uint32_t samples,
                       bool needs_life)
{
    struct subject subject;

    subject_start_child(&subject);
    uint32_t calls = event_count_calls(&subject, flags), runs = 0;
    subject_fini(&subject);
    for (uint32_t number = 1; number <= calls; number++) {
        if (calls > samples && random_below(calls) >= samples)
            continue;
        run_death(event, flags, number, needs_life);
        runs++;
    }
    print_message("flags 0x%x, death: %u of %u calls\n", flags, runs, calls);
}

static void test_death_during_capture_none_is_partial_copy(void **state)
{
    (void)state;
    run_deaths(kill_subject, PSS_CAPTURE_NONE, 100, false);
}

static void test_death_during_thread_capture_is_partial_copy(void **state)
{
    (void)state;
    run_deaths(kill_subject, PSS_CAPTURE_THREADS, 100, false);
    run_deaths(kill_subject, CONTEXTS, 100, false);
}

static void test_death_during_capture_of_everything_is_partial_copy(void **state)
{
    (void)state;
    run_deaths(kill_subject, SUBJECT_EVERYTHING, SAMPLES, true);
}

static void test_exit_during_capture_is_partial_copy(void **state)
{
    (void)state;
    run_deaths(let_subject_exit, PSS_CAPTURE_NONE, FEW_SAMPLES, false);
    run_deaths(let_subject_exit, CONTEXTS, FEW_SAMPLES, false);
    run_deaths(let_subject_exit, SUBJECT_EVERYTHING, FEW_SAMPLES, true);
}

static int set_up(void **state)
{
    (void)state;
    faulty_init();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    target_destroy_all();
    return 0;
}

#define EVENT_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVENT_TEST(test_handle_closed_during_capture_costs_its_entry_only),
        EVENT_TEST(test_thread_ended_during_capture_costs_its_entry_only),
        EVENT_TEST(test_thread_started_during_capture_is_left_running),
        EVENT_TEST(test_memory_freed_during_capture_does_not_matter),
        EVENT_TEST(test_memory_protected_during_capture_does_not_matter),
        EVENT_TEST(test_threads_suspended_during_capture_stay_suspended),
        EVENT_TEST(test_threads_resumed_during_capture_run),
        EVENT_TEST(test_handle_opened_during_capture_does_not_matter),
        EVENT_TEST(test_view_mapped_or_unmapped_during_capture_does_not_matter),
        EVENT_TEST(test_death_during_capture_none_is_partial_copy),
        EVENT_TEST(test_death_during_thread_capture_is_partial_copy),
        EVENT_TEST(test_death_during_capture_of_everything_is_partial_copy),
        EVENT_TEST(test_exit_during_capture_is_partial_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
