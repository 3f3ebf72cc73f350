/* SPDX-License-Identifier: MIT */
/* Things that happen to a target in the middle of its capture: at each call, or at sampled ones. */
#include "api/api.h"

#include "faulty_nt.h"
#include "subject.h"

#define PAGE_BYTES    0x1000u
#define WAIT_LIMIT_MS 30000
#define KILL_CODE     99u /* target_kill's */

/* What happens, and how the target is made as before. */
struct event_case {
    const char *name;
    void (*happen)(struct subject *subject);
    void (*undo)(struct subject *subject);
    DWORD suspend_count; /* of the target's threads between the two */
};

static HANDLE newborn;
static bool has_happened;

static void close_event(struct subject *subject)
{
    HANDLE taken = NULL;

    assert_true(DuplicateHandle(subject->process, (HANDLE)(uintptr_t)subject->event,
                                GetCurrentProcess(), &taken, 0, FALSE,
                                DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE));
    CloseHandle(taken);
}

static void make_event(struct subject *subject)
{
    WCHAR name[64];

    subject->event =
        target_call_text(subject->target, TARGET_EVENT, unique_name(name, L"event"), 1, 1, 0, 0);
}

static void end_thread(struct subject *subject)
{
    assert_true(TerminateThread(subject->threads[1], 5));
    assert_same(WaitForSingleObject(subject->threads[1], WAIT_LIMIT_MS), WAIT_OBJECT_0);
}

static void restart_thread(struct subject *subject)
{
    target_call(subject->target, TARGET_END_THREAD, subject->worker, 0, 0, 0);
    target_call(subject->target, TARGET_CLOSE, subject->worker, 0, 0, 0);
    subject->worker = target_call(subject->target, TARGET_THREAD, TARGET_THREAD_WAITS, 0, 0, 0);
    subject->worker_id = (DWORD)target_value(subject->target, 0);
    CloseHandle(subject->threads[1]);
    subject->threads[1] = OpenThread(THREAD_ALL_ACCESS, FALSE, subject->worker_id);
    assert_non_null(subject->threads[1]);
}

#define NAP_MS 20

/* It sleeps a little and ends. A thread that is ended from outside may take a process with it. */
static void start_thread(struct subject *subject)
{
    FARPROC sleep = GetProcAddress(GetModuleHandleA("kernel32.dll"), "Sleep");

    newborn =
        CreateRemoteThread(subject->process, NULL, 0, (LPTHREAD_START_ROUTINE)(void (*)(void))sleep,
                           (void *)(uintptr_t)NAP_MS, 0, NULL);
    if (!newborn)
        fail_msg("no thread could be started in the target: error %lu", GetLastError());
    subject->threads[subject->thread_count++] = newborn;
}

/* That it ends by itself proves that nobody left it suspended. */
static void await_newborn(struct subject *subject)
{
    assert_same(WaitForSingleObject(newborn, WAIT_LIMIT_MS), WAIT_OBJECT_0);
    CloseHandle(newborn);
    subject->thread_count--;
}

static void *memory_of(const struct subject *subject)
{
    return (void *)(uintptr_t)subject->memory;
}

static void free_memory(struct subject *subject)
{
    assert_true(VirtualFreeEx(subject->process, memory_of(subject), 0, MEM_RELEASE));
}

static void allocate_memory(struct subject *subject)
{
    subject->memory = target_call(subject->target, TARGET_ALLOCATE, 0, 4 * PAGE_BYTES,
                                  MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

static void protect_memory(struct subject *subject)
{
    DWORD before;

    assert_true(VirtualProtectEx(subject->process, (char *)memory_of(subject) + PAGE_BYTES,
                                 PAGE_BYTES, PAGE_NOACCESS, &before));
}

static void unprotect_memory(struct subject *subject)
{
    DWORD before;

    assert_true(VirtualProtectEx(subject->process, memory_of(subject), 4 * PAGE_BYTES,
                                 PAGE_READWRITE, &before));
}

static void suspend_threads(struct subject *subject)
{
    for (DWORD i = 0; i < subject->thread_count; i++)
        assert_int_not_equal(SuspendThread(subject->threads[i]), (DWORD)-1);
}

static void resume_threads(struct subject *subject)
{
    for (DWORD i = 0; i < subject->thread_count; i++)
        assert_int_not_equal(ResumeThread(subject->threads[i]), (DWORD)-1);
}

static const struct event_case close_case = {"a handle is closed", close_event, make_event, 0};
static const struct event_case end_case = {"a thread ends", end_thread, restart_thread, 0};
static const struct event_case start_case = {"a thread starts", start_thread, await_newborn, 0};
static const struct event_case free_case = {"memory is freed", free_memory, allocate_memory, 0};
static const struct event_case protect_case = {"memory is protected", protect_memory,
                                               unprotect_memory, 0};
static const struct event_case suspend_case = {"its threads are suspended", suspend_threads,
                                               resume_threads, 1};

/* An event on its way. */
struct happening {
    const struct event_case *event;
    struct subject *subject;
};

static void happen(void *argument)
{
    const struct happening *happening = argument;

    has_happened = true;
    happening->event->happen(happening->subject);
}

static uint32_t count_calls(const struct subject *subject, uint32_t flags)
{
    HPSS snapshot = NULL;

    faulty_reset();
    assert_int_equal(subject_capture(subject, flags, &snapshot), STATUS_SUCCESS);
    uint32_t calls = faulty_calls();
    subject_check_and_free(snapshot, "undisturbed");
    return calls;
}

/* The capture must succeed whatever happens to an item. */
static void run_event(struct subject *subject, const struct event_case *event, uint32_t flags,
                      uint32_t number)
{
    struct happening happening = {event, subject};
    HPSS snapshot = NULL;
    char where[160];

    snprintf(where, sizeof(where), "flags 0x%x, %s at call %u", flags, event->name, number);
    has_happened = false;
    faulty_reset();
    faulty_plan_event(number, happen, &happening);
    NTSTATUS status = subject_capture(subject, flags, &snapshot);
    faulty_plan_event(0, NULL, NULL);
    if (status != STATUS_SUCCESS)
        fail_msg("%s: the result is 0x%lx", where, (unsigned long)status);
    subject_check_and_free(snapshot, where);
    faulty_assert_clean(where);
    if (!has_happened)
        return;
    subject_assert_suspended(subject, event->suspend_count, where);
    event->undo(subject);
    subject_assert_suspended(subject, 0, where);
}

#define SAMPLES 40

static void run_events(const struct event_case *event, uint32_t flags)
{
    struct subject subject;

    subject_start_child(&subject);
    uint32_t calls = count_calls(&subject, flags), runs = 0;
    for (uint32_t number = 1; number <= calls; number++) {
        if (calls > SAMPLES && subject_random() % calls >= SAMPLES)
            continue;
        run_event(&subject, event, flags, number);
        runs++;
    }
    print_message("%s: %u of %u calls\n", event->name, runs, calls);
    assert_same(target_call(subject.target, TARGET_PING, 0, 0, 0, 0), subject.target->pid);
    subject_fini(&subject);
}

static void test_handle_closed_during_capture_costs_its_entry_only(void **state)
{
    (void)state;
    run_events(&close_case, SUBJECT_EVERYTHING);
}

static void test_thread_ended_during_capture_costs_its_entry_only(void **state)
{
    (void)state;
    run_events(&end_case, PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
    run_events(&end_case, SUBJECT_EVERYTHING);
}

static void test_thread_started_during_capture_is_left_running(void **state)
{
    (void)state;
    run_events(&start_case, PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
    run_events(&start_case, SUBJECT_EVERYTHING);
}

static void test_memory_freed_during_capture_does_not_matter(void **state)
{
    (void)state;
    run_events(&free_case, SUBJECT_EVERYTHING);
}

static void test_memory_protected_during_capture_does_not_matter(void **state)
{
    (void)state;
    run_events(&protect_case, SUBJECT_EVERYTHING);
}

static void test_threads_suspended_during_capture_stay_suspended(void **state)
{
    (void)state;
    run_events(&suspend_case, PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
    run_events(&suspend_case, SUBJECT_EVERYTHING);
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

static void run_death(uint32_t flags, uint32_t number, bool needs_life)
{
    struct subject subject;
    HPSS snapshot = NULL;
    char where[100];

    snprintf(where, sizeof(where), "flags 0x%x, killed at call %u", flags, number);
    subject_start_child(&subject);
    watched = subject.process;
    has_happened = false;
    looks_before_death = looks_after_death = 0;
    faulty_reset();
    faulty_inner()->query_process = watch_looks;
    faulty_plan_event(number, kill_subject, &subject);
    NTSTATUS status = subject_capture(&subject, flags, &snapshot);
    faulty_plan_event(0, NULL, NULL);
    check_death(snapshot, status, needs_life, where);
    faulty_assert_clean(where);
    subject_fini(&subject);
}

static void run_deaths(uint32_t flags, uint32_t samples, bool needs_life)
{
    struct subject subject;

    subject_start_child(&subject);
    uint32_t calls = count_calls(&subject, flags), runs = 0;
    subject_fini(&subject);
    for (uint32_t number = 1; number <= calls; number++) {
        if (calls > samples && subject_random() % calls >= samples)
            continue;
        run_death(flags, number, needs_life);
        runs++;
    }
    print_message("flags 0x%x, death: %u of %u calls\n", flags, runs, calls);
}

static void test_death_during_capture_none_is_partial_copy(void **state)
{
    (void)state;
    run_deaths(PSS_CAPTURE_NONE, 100, false);
}

static void test_death_during_thread_capture_is_partial_copy(void **state)
{
    (void)state;
    run_deaths(PSS_CAPTURE_THREADS, 100, false);
    run_deaths(PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT, 100, false);
}

static void test_death_during_capture_of_everything_is_partial_copy(void **state)
{
    (void)state;
    run_deaths(SUBJECT_EVERYTHING, SAMPLES, true);
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
        EVENT_TEST(test_death_during_capture_none_is_partial_copy),
        EVENT_TEST(test_death_during_thread_capture_is_partial_copy),
        EVENT_TEST(test_death_during_capture_of_everything_is_partial_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
