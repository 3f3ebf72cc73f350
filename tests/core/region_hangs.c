/* SPDX-License-Identifier: MIT */
/* Regions that the target does not tell of: because it died with the question, or never answers. */
#include "api/api.h"

#include "faulty_nt.h"
#include "subject.h"

#define HELD_QUERY 10 /* the number of the region whose query is held */

static struct subject child;
static HANDLE release; /* lets the held query go */
static uint32_t queries, held;
static bool dies;          /* the target, with the question in its hands */
static bool is_terminated; /* the thread that asks was told to end */

/* As the real query; one of them does not come back until the release. */
static NTSTATUS NTAPI hold_region(HANDLE process, void *address, ULONG class_number, void *buffer,
                                  SIZE_T size, SIZE_T *returned)
{
    if (class_number == PSS_NT_MEMORY_BASIC &&
        __atomic_add_fetch(&queries, 1, __ATOMIC_RELAXED) == HELD_QUERY) {
        __atomic_add_fetch(&held, 1, __ATOMIC_RELAXED);
        if (dies)
            TerminateProcess(child.process, 99);
        WaitForSingleObject(release, INFINITE);
    }
    return pss_nt_system()->query_memory(process, address, class_number, buffer, size, returned);
}

/* A clock that runs fast: until the thread is told to end, patience runs out at once. */
static NTSTATUS NTAPI wait_impatiently(HANDLE handle, BOOLEAN alertable, LARGE_INTEGER *timeout)
{
    LARGE_INTEGER none = {.QuadPart = 0};

    if (!is_terminated && __atomic_load_n(&held, __ATOMIC_RELAXED))
        timeout = &none;
    return pss_nt_system()->wait(handle, alertable, timeout);
}

static NTSTATUS NTAPI terminate_thread(HANDLE thread, NTSTATUS exit_status)
{
    is_terminated = true;
    return pss_nt_system()->terminate_thread(thread, exit_status);
}

static NTSTATUS NTAPI terminate_nothing(HANDLE thread, NTSTATUS exit_status)
{
    (void)thread;
    is_terminated = true;
    return exit_status;
}

static void assert_capture_fails(uint32_t flags, NTSTATUS expected)
{
    HPSS snapshot = (HPSS)&child;

    faulty_reset();
    assert_int_equal(subject_capture(&child, flags, &snapshot), expected);
    assert_null(snapshot);
    assert_same(held, 1);
    assert_same(faulty_ledger().suspends, 0);
    assert_null(faulty_violation());
}

static void test_death_with_a_question_in_its_hands_is_partial_copy(void **state)
{
    (void)state;
    dies = true;
    assert_capture_fails(SUBJECT_EVERYTHING, STATUS_PARTIAL_COPY);
    faulty_assert_clean("death");
}

static void test_target_that_never_answers_is_given_up_and_runs_on(void **state)
{
    (void)state;
    faulty_inner()->wait = wait_impatiently;
    assert_capture_fails(SUBJECT_EVERYTHING, STATUS_IO_TIMEOUT);
    faulty_assert_clean("no answer");
    subject_assert_suspended(&child, 0, "no answer");
    assert_same(target_call(child.target, TARGET_PING, 0, 0, 0, 0), child.target->pid);
}

/* The memory stays with the thread, which does no more than end. */
static void test_thread_that_cannot_be_ended_keeps_its_memory(void **state)
{
    (void)state;
    faulty_inner()->wait = wait_impatiently;
    faulty_inner()->terminate_thread = terminate_nothing;
    assert_capture_fails(PSS_CAPTURE_VA_SPACE, STATUS_IO_TIMEOUT);
    assert_same(faulty_ledger().allocations, 1);
    assert_same(faulty_ledger().handles, 0);
    SetEvent(release);
    assert_true(faulty_threads_ended());
    assert_same(queries, HELD_QUERY);
    faulty_reclaim();
}

#define SLOW_WAITS 3 /* times that patience runs out before the answer comes */

static NTSTATUS NTAPI release_after_some_waits(HANDLE handle, BOOLEAN alertable,
                                               LARGE_INTEGER *timeout)
{
    static uint32_t waits;

    if (++waits <= SLOW_WAITS)
        return STATUS_TIMEOUT;
    SetEvent(release);
    return pss_nt_system()->wait(handle, alertable, timeout);
}

static void test_slow_answer_is_waited_for(void **state)
{
    HPSS snapshot;

    (void)state;
    faulty_inner()->wait = release_after_some_waits;
    assert_int_equal(subject_capture(&child, PSS_CAPTURE_VA_SPACE, &snapshot), STATUS_SUCCESS);
    assert_same(held, 1);
    assert_true(subject_count(snapshot, PSS_SECTION_REGIONS) > HELD_QUERY);
    subject_check_and_free(snapshot, "slow");
    faulty_assert_clean("slow");
}

static int set_up(void **state)
{
    (void)state;
    faulty_init();
    subject_start_child(&child);
    release = CreateEventW(NULL, TRUE, FALSE, NULL);
    queries = held = 0;
    dies = is_terminated = false;
    faulty_inner()->query_memory = hold_region;
    faulty_inner()->terminate_thread = terminate_thread;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    subject_fini(&child);
    CloseHandle(release);
    return 0;
}

#define HANG_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANG_TEST(test_death_with_a_question_in_its_hands_is_partial_copy),
        HANG_TEST(test_target_that_never_answers_is_given_up_and_runs_on),
        HANG_TEST(test_thread_that_cannot_be_ended_keeps_its_memory),
        HANG_TEST(test_slow_answer_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
