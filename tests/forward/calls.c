/* SPDX-License-Identifier: MIT */
/* The exports over a system that works: each call arrives as it was made, each answer comes back.
 */
#include "system.h"

#define pss_nt_system faulty_nt
#include "../../exports/exports.c"
#undef pss_nt_system

#define CODE 0xABCD0000u /* what the stand-in answers, and more for each function */

/* The functions are told apart by the order of enum stand_in_function. */
#define HANDLE_1   ((HANDLE)(uintptr_t)0x11223344)
#define HANDLE_2   ((HANDLE)(uintptr_t)0x55667788)
#define SNAPSHOT   ((HPSS)(uintptr_t)0x9ABCDEF1)
#define MARKER     ((HPSSWALK)(uintptr_t)0x87654321)
#define POINTER(t) ((t *)(uintptr_t)0x0BADF00D)
#define POSITION   ((ULONG_PTR)-3)
#define FLAGS      0xFEDCBA98u
#define LENGTH     0x13572468u

static DWORD call(enum stand_in_function function)
{
    switch (function) {
    case STAND_IN_CAPTURE:
        return PssCaptureSnapshot(HANDLE_1, (PSS_CAPTURE_FLAGS)FLAGS, LENGTH, POINTER(HPSS));
    case STAND_IN_FREE:
        return PssFreeSnapshot(HANDLE_1, SNAPSHOT);
    case STAND_IN_QUERY:
        return PssQuerySnapshot(SNAPSHOT, (PSS_QUERY_INFORMATION_CLASS)FLAGS, POINTER(void),
                                LENGTH);
    case STAND_IN_WALK:
        return PssWalkSnapshot(SNAPSHOT, (PSS_WALK_INFORMATION_CLASS)FLAGS, MARKER, POINTER(void),
                               LENGTH);
    case STAND_IN_DUPLICATE:
        return PssDuplicateSnapshot(HANDLE_1, SNAPSHOT, HANDLE_2, POINTER(HPSS),
                                    (PSS_DUPLICATE_FLAGS)FLAGS);
    case STAND_IN_MARKER_CREATE:
        return PssWalkMarkerCreate(POINTER(const PSS_ALLOCATOR), POINTER(HPSSWALK));
    case STAND_IN_MARKER_FREE:
        return PssWalkMarkerFree(MARKER);
    case STAND_IN_MARKER_GET_POSITION:
        return PssWalkMarkerGetPosition(MARKER, POINTER(ULONG_PTR));
    case STAND_IN_MARKER_SET_POSITION:
        return PssWalkMarkerSetPosition(MARKER, POSITION);
    case STAND_IN_MARKER_SEEK_TO_BEGINNING:
        return PssWalkMarkerSeekToBeginning(MARKER);
    case STAND_IN_MARKER_TELL:
        return PssWalkMarkerTell(MARKER, POINTER(ULONG_PTR));
    case STAND_IN_MARKER_SEEK:
        return PssWalkMarkerSeek(MARKER, POSITION);
    default:
        return PssWalkMarkerRewind(MARKER);
    }
}

#define VALUE(x) ((uintptr_t)(x))
#define ADDRESS  VALUE(POINTER(void))

static const uintptr_t expected[STAND_IN_FUNCTIONS][5] = {
    [STAND_IN_CAPTURE] = {VALUE(HANDLE_1), FLAGS, LENGTH, ADDRESS},
    [STAND_IN_FREE] = {VALUE(HANDLE_1), VALUE(SNAPSHOT)},
    [STAND_IN_QUERY] = {VALUE(SNAPSHOT), FLAGS, ADDRESS, LENGTH},
    [STAND_IN_WALK] = {VALUE(SNAPSHOT), FLAGS, VALUE(MARKER), ADDRESS, LENGTH},
    [STAND_IN_DUPLICATE] = {VALUE(HANDLE_1), VALUE(SNAPSHOT), VALUE(HANDLE_2), ADDRESS, FLAGS},
    [STAND_IN_MARKER_CREATE] = {ADDRESS, ADDRESS},
    [STAND_IN_MARKER_FREE] = {VALUE(MARKER)},
    [STAND_IN_MARKER_GET_POSITION] = {VALUE(MARKER), ADDRESS},
    [STAND_IN_MARKER_SET_POSITION] = {VALUE(MARKER), POSITION},
    [STAND_IN_MARKER_SEEK_TO_BEGINNING] = {VALUE(MARKER)},
    [STAND_IN_MARKER_TELL] = {VALUE(MARKER), ADDRESS},
    [STAND_IN_MARKER_SEEK] = {VALUE(MARKER), POSITION},
    [STAND_IN_MARKER_REWIND] = {VALUE(MARKER)},
};

/* Decided by the first call of any function, by the probe alone. */
static void decide(void)
{
    struct stand_in *stand_in = system_stand_in();

    system_init(STAND_IN_WORKS);
    assert_same(PssQuerySnapshot(NULL, (PSS_QUERY_INFORMATION_CLASS)77, NULL, 0),
                ERROR_INVALID_PARAMETER);
    assert_same(stand_in->calls[STAND_IN_CAPTURE], 1);
    assert_same(stand_in->snapshots, 0);
    system_assert_clean("decided");
}

static void test_each_call_arrives_and_its_answer_comes_back(void **state)
{
    struct stand_in *stand_in = system_stand_in();

    (void)state;
    system_init(STAND_IN_RECORDS);
    for (int i = 0; i < STAND_IN_FUNCTIONS; i++) {
        memset(stand_in->calls, 0, sizeof(stand_in->calls));
        memset(stand_in->arguments, 0xEE, sizeof(stand_in->arguments));
        stand_in->results[i] = CODE + (DWORD)i;
        SetLastError(SYSTEM_LAST_ERROR);
        assert_same(call((enum stand_in_function)i), CODE + (DWORD)i);
        assert_same(GetLastError(), CODE + (DWORD)i);
        for (int j = 0; j < STAND_IN_FUNCTIONS; j++)
            assert_same(stand_in->calls[j], i == j);
        assert_memory_equal(stand_in->arguments[i], expected[i], sizeof(expected[i]));
    }
    assert_same(faulty_calls(), 0);
}

static void test_calls_work_through_the_exports(void **state)
{
    PSS_PROCESS_INFORMATION process;
    HPSS snapshot = NULL;

    (void)state;
    system_init(STAND_IN_WORKS);
    assert_same(PssCaptureSnapshot(GetCurrentProcess(), PSS_CAPTURE_NONE, 0, &snapshot),
                ERROR_SUCCESS);
    assert_same(system_stand_in()->snapshots, 1);
    assert_same(
        PssQuerySnapshot(snapshot, PSS_QUERY_PROCESS_INFORMATION, &process, sizeof(process)),
        ERROR_SUCCESS);
    assert_same(process.ProcessId, GetCurrentProcessId());
    assert_same(PssFreeSnapshot(GetCurrentProcess(), snapshot), ERROR_SUCCESS);
    assert_same(system_stand_in()->snapshots, 0);
    assert_same(faulty_calls(), 0);
}

/* What tells a program who serves: a class that the system does not know. */
static void test_extensions_answer_as_the_system_does(void **state)
{
    PSS_VA_CLONE_DETAILS details;
    HPSS snapshot = NULL;

    (void)state;
    system_init(STAND_IN_WORKS);
    assert_same(PssCaptureSnapshot(GetCurrentProcess(), PSS_CAPTURE_NONE, 0, &snapshot),
                ERROR_SUCCESS);
    assert_same(PssQuerySnapshot(snapshot, PSS_QUERY_VA_CLONE_DETAILS, &details, sizeof(details)),
                ERROR_INVALID_PARAMETER);
    assert_same(PssFreeSnapshot(GetCurrentProcess(), snapshot), ERROR_SUCCESS);
}

static int set_up(void **state)
{
    (void)state;
    decide();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_call_arrives_and_its_answer_comes_back),
        cmocka_unit_test(test_calls_work_through_the_exports),
        cmocka_unit_test(test_extensions_answer_as_the_system_does),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
