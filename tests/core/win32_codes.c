/* SPDX-License-Identifier: MIT */
/* The exports over the faulty system: which code each condition has, and the last-error value. */
#include "faulty_nt.h"

#define pss_nt_system faulty_nt
#include "../../exports/exports.c"
#undef pss_nt_system

#include "harness.h"
#include "subject.h"

#define LAST_ERROR 0x2BADCAFEu

static struct subject child;

static DWORD capture(DWORD flags, HPSS *snapshot)
{
    *snapshot = (HPSS)snapshot;
    SetLastError(LAST_ERROR);
    DWORD code = PssCaptureSnapshot(child.process, (PSS_CAPTURE_FLAGS)flags, CONTEXT_ALL, snapshot);
    assert_same(GetLastError(), LAST_ERROR);
    return code;
}

static const struct {
    NTSTATUS status;
    DWORD code;
} documented[] = {
    {STATUS_INVALID_HANDLE, ERROR_INVALID_HANDLE},
    {STATUS_OBJECT_TYPE_MISMATCH, ERROR_INVALID_HANDLE},
    {STATUS_ACCESS_DENIED, ERROR_ACCESS_DENIED},
    {STATUS_INVALID_PARAMETER, ERROR_INVALID_PARAMETER},
    {STATUS_NOT_SUPPORTED, ERROR_NOT_SUPPORTED},
    {STATUS_PROCESS_IS_TERMINATING, ERROR_PARTIAL_COPY},
    {STATUS_PARTIAL_COPY, ERROR_PARTIAL_COPY},
    {STATUS_NO_MEMORY, ERROR_NOT_ENOUGH_MEMORY},
    {STATUS_INSUFFICIENT_RESOURCES, ERROR_NOT_ENOUGH_MEMORY},
    {STATUS_COMMITMENT_LIMIT, ERROR_NOT_ENOUGH_MEMORY},
    {STATUS_COMMITMENT_MINIMUM, ERROR_NOT_ENOUGH_MEMORY},
    {STATUS_QUOTA_EXCEEDED, ERROR_NOT_ENOUGH_MEMORY},
    {STATUS_PAGEFILE_QUOTA, ERROR_NOT_ENOUGH_MEMORY},
    {STATUS_PAGEFILE_QUOTA_EXCEEDED, ERROR_NOT_ENOUGH_MEMORY},
    {STATUS_WORKING_SET_QUOTA, ERROR_NOT_ENOUGH_MEMORY},
};
#define DOCUMENTED (sizeof(documented) / sizeof(documented[0]))

/* Whichever call it is that fails. */
static void test_capture_answers_the_code_of_what_failed(void **state)
{
    HPSS snapshot;

    (void)state;
    for (size_t i = 0; i < DOCUMENTED; i++) {
        for (uint32_t number = 1; number < 12; number++) {
            faulty_reset();
            faulty_fail(number, true, documented[i].status);
            DWORD code = capture(PSS_CAPTURE_THREADS, &snapshot);
            if (code != documented[i].code)
                fail_msg("call %u fails with 0x%lx: code %lu", number,
                         (unsigned long)documented[i].status, code);
            assert_null(snapshot);
            faulty_fail(0, false, STATUS_SUCCESS);
            faulty_assert_clean("failed capture");
        }
    }
}

static void test_any_other_status_is_some_error(void **state)
{
    static const NTSTATUS others[] = {STATUS_UNSUCCESSFUL, STATUS_INTERNAL_ERROR,
                                      STATUS_NOT_IMPLEMENTED, (NTSTATUS)0xC0DEDEAD};
    HPSS snapshot;

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        faulty_reset();
        faulty_fail(1, false, others[i]);
        assert_int_not_equal(capture(PSS_CAPTURE_NONE, &snapshot), ERROR_SUCCESS);
        assert_null(snapshot);
    }
}

static void kill_target(void *argument)
{
    (void)argument;
    target_kill(child.target);
}

/* Never 6, though the handle values of the dead are invalid to every later call. */
static void test_death_during_the_capture_is_partial_copy(void **state)
{
    HPSS snapshot;

    (void)state;
    faulty_reset();
    faulty_plan_event(60, kill_target, NULL);
    assert_same(capture(SUBJECT_EVERYTHING, &snapshot), ERROR_PARTIAL_COPY);
    assert_null(snapshot);
    faulty_assert_clean("death");
    faulty_reset();
    assert_same(capture(SUBJECT_EVERYTHING, &snapshot), ERROR_PARTIAL_COPY);
    assert_null(snapshot);
}

static void test_markers_without_memory_answer_8(void **state)
{
    HPSSWALK marker = (HPSSWALK)state;

    faulty_reset();
    faulty_fail(1, false, STATUS_UNSUCCESSFUL);
    SetLastError(LAST_ERROR);
    assert_same(PssWalkMarkerCreate(NULL, &marker), ERROR_NOT_ENOUGH_MEMORY);
    assert_same(GetLastError(), LAST_ERROR);
    assert_null(marker);
}

static void test_walk_and_query_answer_their_codes(void **state)
{
    HPSS snapshot;
    HPSSWALK marker;
    PSS_THREAD_ENTRY thread;
    PSS_THREAD_INFORMATION threads;

    (void)state;
    faulty_reset();
    assert_same(capture(PSS_CAPTURE_THREADS, &snapshot), ERROR_SUCCESS);
    assert_same(PssWalkMarkerCreate(NULL, &marker), ERROR_SUCCESS);
    assert_same(PssWalkSnapshot(snapshot, PSS_WALK_THREADS, marker, NULL, 0), ERROR_MORE_DATA);
    assert_same(PssWalkSnapshot(snapshot, PSS_WALK_THREADS, marker, &thread, 1), ERROR_BAD_LENGTH);
    assert_same(PssWalkSnapshot(snapshot, PSS_WALK_HANDLES, marker, &thread, 1), ERROR_NOT_FOUND);
    assert_same(PssWalkMarkerSetPosition(marker, 1000), ERROR_SUCCESS);
    assert_same(PssWalkSnapshot(snapshot, PSS_WALK_THREADS, marker, &thread, sizeof(thread)),
                ERROR_NO_MORE_ITEMS);
    assert_same(PssQuerySnapshot(snapshot, PSS_QUERY_THREAD_INFORMATION, &threads, 1),
                ERROR_BAD_LENGTH);
    assert_same(PssQuerySnapshot(snapshot, PSS_QUERY_HANDLE_INFORMATION, &threads, 1),
                ERROR_BAD_LENGTH);
    assert_same(PssQuerySnapshot(snapshot, PSS_QUERY_HANDLE_INFORMATION, &threads,
                                 sizeof(PSS_HANDLE_INFORMATION)),
                ERROR_NOT_FOUND);
    assert_same(PssQuerySnapshot(snapshot, (PSS_QUERY_INFORMATION_CLASS)8, &threads, 1),
                ERROR_INVALID_PARAMETER);
    assert_same(PssFreeSnapshot(GetCurrentProcess(), snapshot), ERROR_SUCCESS);
    assert_same(PssFreeSnapshot(GetCurrentProcess(), snapshot), ERROR_INVALID_HANDLE);
    assert_same(PssWalkMarkerFree(marker), ERROR_SUCCESS);
    assert_same(PssWalkMarkerFree(marker), ERROR_INVALID_HANDLE);
    faulty_assert_clean("walk");
}

/* Who serves is decided at the first call of all, before anything fails: this library does. */
static int decide(void **state)
{
    (void)state;
    SetEnvironmentVariableA("PSS_FORWARD", "0");
    faulty_init();
    assert_same(PssWalkMarkerFree(NULL), ERROR_INVALID_HANDLE);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    faulty_init();
    subject_start_child(&child);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    subject_fini(&child);
    return 0;
}

#define CODE_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CODE_TEST(test_capture_answers_the_code_of_what_failed),
        CODE_TEST(test_any_other_status_is_some_error),
        CODE_TEST(test_death_during_the_capture_is_partial_copy),
        CODE_TEST(test_markers_without_memory_answer_8),
        CODE_TEST(test_walk_and_query_answer_their_codes),
    };

    return cmocka_run_group_tests(tests, decide, NULL);
}
