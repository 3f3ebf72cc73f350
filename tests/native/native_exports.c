/* SPDX-License-Identifier: MIT */
/* The thirteen exports where this library serves: what each does, and which code each status has.
 */
#include "world.h"

#define UNKNOWN_STATUS ((NTSTATUS)0xC0DEDEAD)

/* Of the whole program: the first call of any export decides who serves. */
static int decide(void **state)
{
    int is_ours;

    world_setup(state);
    fake.forward_setting = L"0";
    is_ours = PssWalkMarkerFree(NULL) == ERROR_INVALID_HANDLE && !fake.calls_of[FAKE_LOCK_LOADER];
    return world_teardown(state) || !is_ours;
}

static HPSS capture(uint32_t flags)
{
    HPSS snapshot = NULL;

    assert_same(
        PssCaptureSnapshot(world.process, (PSS_CAPTURE_FLAGS)flags, CONTEXT_EVERYTHING, &snapshot),
        ERROR_SUCCESS);
    assert_non_null(snapshot);
    return snapshot;
}

static HPSSWALK create_marker(void)
{
    HPSSWALK marker = NULL;

    assert_same(PssWalkMarkerCreate(NULL, &marker), ERROR_SUCCESS);
    assert_non_null(marker);
    return marker;
}

static void assert_position(HPSSWALK marker, ULONG_PTR expected)
{
    ULONG_PTR got = ~expected, told = ~expected;

    assert_same(PssWalkMarkerGetPosition(marker, &got), ERROR_SUCCESS);
    assert_same(PssWalkMarkerTell(marker, &told), ERROR_SUCCESS);
    assert_same(got, expected);
    assert_same(told, expected);
}

static void test_snapshot_is_captured_queried_walked_and_freed(void **state)
{
    PSS_PROCESS_INFORMATION process;
    PSS_THREAD_ENTRY thread;
    HPSSWALK marker;
    HPSS snapshot;

    (void)state;
    fake_thread_add(world.target, 2004);
    snapshot = capture(PSS_CAPTURE_THREADS);
    marker = create_marker();
    assert_same(
        PssQuerySnapshot(snapshot, PSS_QUERY_PROCESS_INFORMATION, &process, sizeof(process)),
        ERROR_SUCCESS);
    assert_same(process.ProcessId, TARGET_ID);
    assert_same(PssWalkSnapshot(snapshot, PSS_WALK_THREADS, marker, &thread, sizeof(thread)),
                ERROR_SUCCESS);
    assert_same(thread.ThreadId, 2004);
    assert_same(PssFreeSnapshot(PSS_CURRENT_PROCESS, snapshot), ERROR_SUCCESS);
    assert_same(PssFreeSnapshot(PSS_CURRENT_PROCESS, snapshot), ERROR_INVALID_HANDLE);
    assert_same(PssWalkMarkerFree(marker), ERROR_SUCCESS);
    assert_same(PssWalkMarkerFree(marker), ERROR_INVALID_HANDLE);
}

static void test_duplicate_is_another_snapshot_of_the_same(void **state)
{
    PSS_PROCESS_INFORMATION process;
    HPSS snapshot, duplicate = NULL;

    (void)state;
    snapshot = capture(PSS_CAPTURE_NONE);
    assert_same(PssDuplicateSnapshot(PSS_CURRENT_PROCESS, snapshot, PSS_CURRENT_PROCESS, &duplicate,
                                     PSS_DUPLICATE_NONE),
                ERROR_SUCCESS);
    assert_true(duplicate && duplicate != snapshot);
    assert_same(PssFreeSnapshot(PSS_CURRENT_PROCESS, snapshot), ERROR_SUCCESS);
    assert_same(
        PssQuerySnapshot(duplicate, PSS_QUERY_PROCESS_INFORMATION, &process, sizeof(process)),
        ERROR_SUCCESS);
    assert_same(process.ProcessId, TARGET_ID);
    assert_same(PssDuplicateSnapshot(PSS_CURRENT_PROCESS, duplicate, PSS_CURRENT_PROCESS, &snapshot,
                                     (PSS_DUPLICATE_FLAGS)2),
                ERROR_INVALID_PARAMETER);
    assert_same(PssFreeSnapshot(PSS_CURRENT_PROCESS, duplicate), ERROR_SUCCESS);
}

/* Each under both of its names. */
static void test_marker_is_set_and_told_and_rewound(void **state)
{
    HPSSWALK marker = create_marker();

    (void)state;
    assert_position(marker, 0);
    assert_same(PssWalkMarkerSetPosition(marker, 7), ERROR_SUCCESS);
    assert_position(marker, 7);
    assert_same(PssWalkMarkerSeek(marker, 9), ERROR_SUCCESS);
    assert_position(marker, 9);
    assert_same(PssWalkMarkerSeekToBeginning(marker), ERROR_SUCCESS);
    assert_position(marker, 0);
    assert_same(PssWalkMarkerSeek(marker, 9), ERROR_SUCCESS);
    assert_same(PssWalkMarkerRewind(marker), ERROR_SUCCESS);
    assert_position(marker, 0);
    assert_same(PssWalkMarkerFree(marker), ERROR_SUCCESS);
}

static void test_marker_that_is_none_and_place_that_is_none_are_refused(void **state)
{
    HPSSWALK none = pointer_to(0x1230), marker = create_marker();
    ULONG_PTR position = 5;

    (void)state;
    assert_same(PssWalkMarkerCreate(NULL, NULL), ERROR_INVALID_PARAMETER);
    assert_same(PssWalkMarkerGetPosition(none, &position), ERROR_INVALID_HANDLE);
    assert_same(PssWalkMarkerTell(none, &position), ERROR_INVALID_HANDLE);
    assert_same(position, 5);
    assert_same(PssWalkMarkerSetPosition(none, 1), ERROR_INVALID_HANDLE);
    assert_same(PssWalkMarkerSeek(none, 1), ERROR_INVALID_HANDLE);
    assert_same(PssWalkMarkerSeekToBeginning(none), ERROR_INVALID_HANDLE);
    assert_same(PssWalkMarkerRewind(none), ERROR_INVALID_HANDLE);
    assert_same(PssWalkMarkerGetPosition(marker, NULL), ERROR_INVALID_PARAMETER);
    assert_same(PssWalkMarkerTell(marker, NULL), ERROR_INVALID_PARAMETER);
    assert_same(PssWalkMarkerFree(marker), ERROR_SUCCESS);
}

static void test_capture_refuses_what_it_does_not_know(void **state)
{
    HANDLE event = fake_handle_open(fake.own, fake_object_add(FAKE_EVENT), GENERIC_ALL, 0);
    HPSS snapshot;

    (void)state;
    assert_same(PssCaptureSnapshot(world.process, PSS_CAPTURE_NONE, 0, NULL),
                ERROR_INVALID_PARAMETER);
    for (uint32_t flag = 0x8000; flag < PSS_CREATE_BREAKAWAY_OPTIONAL; flag <<= 1) {
        snapshot = pointer_to(1);
        assert_same(PssCaptureSnapshot(world.process, (PSS_CAPTURE_FLAGS)flag, 0, &snapshot),
                    ERROR_INVALID_PARAMETER);
        assert_null(snapshot);
    }
    snapshot = pointer_to(1);
    assert_same(PssCaptureSnapshot(NULL, PSS_CAPTURE_NONE, 0, &snapshot), ERROR_INVALID_HANDLE);
    assert_null(snapshot);
    snapshot = pointer_to(1);
    assert_same(PssCaptureSnapshot(event, PSS_CAPTURE_NONE, 0, &snapshot), ERROR_INVALID_HANDLE);
    assert_null(snapshot);
    assert_same(fake.calls_of[FAKE_QUERY_PROCESS], 1); /* of the event */
}

static void test_query_checks_handle_class_length_capture_and_buffer(void **state)
{
    PSS_THREAD_INFORMATION threads;
    HPSS snapshot = capture(PSS_CAPTURE_THREADS);

    (void)state;
    assert_same(PssQuerySnapshot(NULL, (PSS_QUERY_INFORMATION_CLASS)8, NULL, 1),
                ERROR_INVALID_HANDLE);
    assert_same(PssQuerySnapshot(snapshot, (PSS_QUERY_INFORMATION_CLASS)8, NULL, 1),
                ERROR_INVALID_PARAMETER);
    assert_same(PssQuerySnapshot(snapshot, PSS_QUERY_HANDLE_INFORMATION, NULL, 1),
                ERROR_BAD_LENGTH);
    assert_same(PssQuerySnapshot(snapshot, PSS_QUERY_HANDLE_INFORMATION, NULL,
                                 sizeof(PSS_HANDLE_INFORMATION)),
                ERROR_NOT_FOUND);
    assert_same(PssQuerySnapshot(snapshot, PSS_QUERY_THREAD_INFORMATION, NULL, 1),
                ERROR_BAD_LENGTH);
    assert_same(PssQuerySnapshot(snapshot, PSS_QUERY_THREAD_INFORMATION, NULL, sizeof(threads)),
                ERROR_INVALID_PARAMETER);
    assert_same(PssQuerySnapshot(snapshot, PSS_QUERY_THREAD_INFORMATION, &threads, sizeof(threads)),
                ERROR_SUCCESS);
    assert_same(PssFreeSnapshot(PSS_CURRENT_PROCESS, snapshot), ERROR_SUCCESS);
}

/* Without a buffer the length does not matter, and the marker stays where it is. */
static void test_walk_checks_handles_class_capture_buffer_and_length(void **state)
{
    PSS_THREAD_ENTRY thread;
    HPSS snapshot;
    HPSSWALK marker = create_marker();

    (void)state;
    fake_thread_add(world.target, 2004);
    snapshot = capture(PSS_CAPTURE_THREADS);
    assert_same(PssWalkSnapshot(snapshot, PSS_WALK_THREADS, NULL, &thread, sizeof(thread)),
                ERROR_INVALID_HANDLE);
    assert_same(PssWalkSnapshot(NULL, PSS_WALK_THREADS, marker, &thread, sizeof(thread)),
                ERROR_INVALID_HANDLE);
    assert_same(PssWalkSnapshot(snapshot, (PSS_WALK_INFORMATION_CLASS)5, marker, &thread, 1),
                ERROR_INVALID_PARAMETER);
    assert_same(PssWalkSnapshot(snapshot, PSS_WALK_HANDLES, marker, &thread, 1), ERROR_NOT_FOUND);
    assert_same(PssWalkSnapshot(snapshot, PSS_WALK_THREADS, marker, NULL, 1), ERROR_MORE_DATA);
    assert_same(PssWalkSnapshot(snapshot, PSS_WALK_THREADS, marker, &thread, 1), ERROR_BAD_LENGTH);
    assert_position(marker, 0);
    assert_same(PssWalkSnapshot(snapshot, PSS_WALK_THREADS, marker, &thread, sizeof(thread)),
                ERROR_SUCCESS);
    assert_same(PssWalkSnapshot(snapshot, PSS_WALK_THREADS, marker, &thread, sizeof(thread)),
                ERROR_NO_MORE_ITEMS);
    assert_same(PssWalkSnapshot(snapshot, PSS_WALK_THREADS, marker, NULL, 1), ERROR_NO_MORE_ITEMS);
    assert_same(PssFreeSnapshot(PSS_CURRENT_PROCESS, snapshot), ERROR_SUCCESS);
    assert_same(PssWalkMarkerFree(marker), ERROR_SUCCESS);
}

static const struct {
    NTSTATUS status;
    DWORD code;
} codes[] = {
    {STATUS_INVALID_HANDLE, ERROR_INVALID_HANDLE},
    {STATUS_OBJECT_TYPE_MISMATCH, ERROR_INVALID_HANDLE},
    {STATUS_INVALID_PARAMETER, ERROR_INVALID_PARAMETER},
    {STATUS_NOT_SUPPORTED, ERROR_NOT_SUPPORTED},
    {STATUS_PARTIAL_COPY, ERROR_PARTIAL_COPY},
    {STATUS_PROCESS_IS_TERMINATING, ERROR_PARTIAL_COPY},
    {STATUS_ACCESS_DENIED, ERROR_ACCESS_DENIED},
    {STATUS_NOT_IMPLEMENTED, ERROR_INVALID_FUNCTION},
    {UNKNOWN_STATUS, ERROR_MR_MID_NOT_FOUND},
    {STATUS_NO_MEMORY, ERROR_NOT_ENOUGH_MEMORY},
    {STATUS_INSUFFICIENT_RESOURCES, ERROR_NOT_ENOUGH_MEMORY},
    {STATUS_COMMITMENT_LIMIT, ERROR_NOT_ENOUGH_MEMORY},
    {STATUS_COMMITMENT_MINIMUM, ERROR_NOT_ENOUGH_MEMORY},
    {STATUS_QUOTA_EXCEEDED, ERROR_NOT_ENOUGH_MEMORY},
    {STATUS_PAGEFILE_QUOTA, ERROR_NOT_ENOUGH_MEMORY},
    {STATUS_PAGEFILE_QUOTA_EXCEEDED, ERROR_NOT_ENOUGH_MEMORY},
    {STATUS_WORKING_SET_QUOTA, ERROR_NOT_ENOUGH_MEMORY},
};

static void test_what_the_system_answers_has_its_code(void **state)
{
    HPSS snapshot;

    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        fake.fault = (struct fake_fault){.first = fake.calls + 1, .status = codes[i].status};
        snapshot = pointer_to(1);
        assert_same(PssCaptureSnapshot(world.process, PSS_CAPTURE_NONE, 0, &snapshot),
                    codes[i].code);
        assert_null(snapshot);
    }
    assert_same(fake.faults, sizeof(codes) / sizeof(codes[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_snapshot_is_captured_queried_walked_and_freed),
        fixture_test(test_duplicate_is_another_snapshot_of_the_same),
        fixture_test(test_marker_is_set_and_told_and_rewound),
        fixture_test(test_marker_that_is_none_and_place_that_is_none_are_refused),
        fixture_test(test_capture_refuses_what_it_does_not_know),
        fixture_test(test_query_checks_handle_class_length_capture_and_buffer),
        fixture_test(test_walk_checks_handles_class_capture_buffer_and_length),
        fixture_test(test_what_the_system_answers_has_its_code),
    };

    return cmocka_run_group_tests(tests, decide, NULL);
}
