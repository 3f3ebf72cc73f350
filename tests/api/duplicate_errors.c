/* SPDX-License-Identifier: MIT */
/* PssDuplicateSnapshot: what it refuses, in which order, and that nothing is changed by that. */
#include "clone.h"
#include "ledger.h"
#include "records.h"
#include "shipping.h"
#include "under_test.h"

#define SOURCE_RIGHTS (PROCESS_VM_READ | PROCESS_DUP_HANDLE)
#define TARGET_RIGHTS (PROCESS_VM_OPERATION | PROCESS_VM_WRITE | PROCESS_DUP_HANDLE)
#define CLOSE_RIGHTS  (SOURCE_RIGHTS | PROCESS_VM_OPERATION)
#define BAD_HANDLE    ((HANDLE)(uintptr_t)0xDEADBEE1)
#define MARK          ((HPSS)(uintptr_t)0x5A5A5A58)

static HPSS snapshot_with(DWORD flags)
{
    HPSS snapshot = NULL;

    assert_same(pss.capture(GetCurrentProcess(), flags, 0, &snapshot), ERROR_SUCCESS);
    return snapshot;
}

static void assert_still_there(HPSS snapshot)
{
    PSS_PROCESS_INFORMATION information;

    query_fully(snapshot, PSS_QUERY_PROCESS_INFORMATION, &information, sizeof(information));
}

/* The code, after the result has been seen to be NULL. */
static DWORD refused(HANDLE source, HPSS snapshot, HANDLE target, DWORD flags)
{
    HPSS copy = MARK;
    DWORD error = pss.duplicate(source, snapshot, target, &copy, flags);

    assert_null(copy);
    return error;
}

static void test_duplicate_without_a_result_is_invalid_parameter(void **state)
{
    HPSS snapshot = snapshot_with(PSS_CREATE_USE_VM_ALLOCATIONS);

    (void)state;
    only_ours();
    assert_same(pss.duplicate(GetCurrentProcess(), snapshot, GetCurrentProcess(), NULL, 0),
                ERROR_INVALID_PARAMETER);
    assert_same(pss.duplicate(GetCurrentProcess(), snapshot, GetCurrentProcess(), NULL,
                              PSS_DUPLICATE_CLOSE_SOURCE),
                ERROR_INVALID_PARAMETER);
    assert_same(pss.duplicate(NULL, NULL, NULL, NULL, 0xFFFFFFFF), ERROR_INVALID_PARAMETER);
    assert_still_there(snapshot);
    free_snapshot(snapshot);
}

static void test_duplicate_with_undefined_flags_is_invalid_parameter(void **state)
{
    HPSS snapshot = snapshot_with(PSS_CREATE_USE_VM_ALLOCATIONS);

    (void)state;
    only_ours();
    for (DWORD bit = 1; bit < 32; bit++) {
        DWORD flags = 1ul << bit;
        assert_same(refused(GetCurrentProcess(), snapshot, GetCurrentProcess(), flags),
                    ERROR_INVALID_PARAMETER);
        assert_same(refused(GetCurrentProcess(), snapshot, GetCurrentProcess(), flags | 1),
                    ERROR_INVALID_PARAMETER);
        assert_same(refused(BAD_HANDLE, NULL, BAD_HANDLE, flags), ERROR_INVALID_PARAMETER);
    }
    assert_still_there(snapshot);
    free_snapshot(snapshot);
}

static void test_duplicate_with_bad_process_handles_is_invalid_handle(void **state)
{
    HPSS snapshot = snapshot_with(PSS_CREATE_USE_VM_ALLOCATIONS);
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    const HANDLE bad[] = {NULL, event, BAD_HANDLE, GetCurrentThread()};

    (void)state;
    only_ours();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        for (DWORD flags = 0; flags < 2; flags++) {
            assert_same(refused(bad[i], snapshot, GetCurrentProcess(), flags),
                        ERROR_INVALID_HANDLE);
            assert_same(refused(GetCurrentProcess(), snapshot, bad[i], flags),
                        ERROR_INVALID_HANDLE);
            assert_same(refused(bad[i], snapshot, bad[i], flags), ERROR_INVALID_HANDLE);
        }
    }
    assert_still_there(snapshot);
    free_snapshot(snapshot);
    CloseHandle(event);
}

/* ---- Rights ---- */

/* Tries each of the rights' complements; all of them must be refused, and change nothing. */
static void assert_each_right_is_needed(struct target *target, bool is_source, HPSS snapshot,
                                        DWORD rights, DWORD flags)
{
    struct target_state before = target_state_read(target);

    for (DWORD right = 1; right <= rights; right <<= 1) {
        if (!(rights & right))
            continue;
        HANDLE process =
            OpenProcess((PROCESS_ALL_ACCESS & 0xFFFF & ~right) | SYNCHRONIZE, FALSE, target->pid);
        assert_non_null(process);
        HANDLE source = is_source ? process : GetCurrentProcess();
        HANDLE receiver = is_source ? GetCurrentProcess() : process;
        assert_same(refused(source, snapshot, receiver, flags), ERROR_ACCESS_DENIED);
        CloseHandle(process);
    }
    target_assert_unharmed(target, before);
}

static void test_duplicate_without_a_right_to_the_target_is_access_denied(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HPSS snapshot = snapshot_with(PSS_CAPTURE_THREADS | PSS_CREATE_USE_VM_ALLOCATIONS);

    for (DWORD flags = 0; flags < 2; flags++)
        assert_each_right_is_needed(target, false, snapshot, TARGET_RIGHTS, flags);
    assert_still_there(snapshot);
    free_snapshot(snapshot);
}

static void test_duplicate_without_a_right_to_the_source_is_access_denied(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HPSS snapshot =
        ship_capture_there(target, 0, PSS_CAPTURE_THREADS | PSS_CREATE_USE_VM_ALLOCATIONS, 0);

    assert_each_right_is_needed(target, true, snapshot, SOURCE_RIGHTS, 0);
    assert_each_right_is_needed(target, true, snapshot, CLOSE_RIGHTS, PSS_DUPLICATE_CLOSE_SOURCE);
    assert_same(ship_query_there(target, snapshot), ERROR_SUCCESS);
    assert_same(ship_free_there(target, snapshot), ERROR_SUCCESS);
}

static void test_duplicate_with_just_the_rights_succeeds(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HANDLE receiver = OpenProcess(TARGET_RIGHTS, FALSE, target->pid);
    HANDLE source = OpenProcess(SOURCE_RIGHTS, FALSE, target->pid);
    HANDLE closer = OpenProcess(CLOSE_RIGHTS, FALSE, target->pid);
    assert_true(receiver && source && closer);

    for (DWORD flags = 0; flags < 2; flags++) {
        HPSS snapshot = clone_capture(GetCurrentProcess(), PSS_CREATE_USE_VM_ALLOCATIONS, 0);
        HPSS there = ship_duplicate(GetCurrentProcess(), snapshot, receiver, flags);
        HPSS back = ship_duplicate(flags ? closer : source, there, GetCurrentProcess(), flags);
        assert_same(ship_query_there(target, there), flags ? ERROR_INVALID_HANDLE : 0);
        assert_still_there(back);
        free_snapshot(back);
        if (!flags) {
            free_snapshot(snapshot);
            assert_same(ship_free_there(target, there), ERROR_SUCCESS);
        }
    }
    CloseHandle(receiver);
    CloseHandle(source);
    CloseHandle(closer);
}

static void test_duplicate_with_a_real_handle_to_self_succeeds(void **state)
{
    static const DWORD rights[] = {PROCESS_ALL_ACCESS, SOURCE_RIGHTS | TARGET_RIGHTS};

    (void)state;
    for (int i = 0; i < 2; i++) {
        HANDLE self = OpenProcess(rights[i], FALSE, GetCurrentProcessId());
        assert_non_null(self);
        HPSS snapshot = snapshot_with(PSS_CAPTURE_THREADS | PSS_CREATE_USE_VM_ALLOCATIONS);
        HPSS copy = ship_duplicate(self, snapshot, self, PSS_DUPLICATE_CLOSE_SOURCE);
        assert_still_there(copy);
        free_snapshot(copy);
        CloseHandle(self);
    }
}

static void test_duplicate_checks_rights_before_the_snapshot(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HANDLE process = OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, target->pid);
    HPSS snapshot = snapshot_with(0);
    assert_non_null(process);

    assert_same(refused(process, NULL, GetCurrentProcess(), 0), ERROR_ACCESS_DENIED);
    assert_same(refused(GetCurrentProcess(), NULL, process, 0), ERROR_ACCESS_DENIED);
    /* Before CLOSE_SOURCE finds that it is not possible, too. */
    assert_same(refused(GetCurrentProcess(), snapshot, process, 1), ERROR_ACCESS_DENIED);
    assert_same(refused(NULL, snapshot, process, 0), ERROR_INVALID_HANDLE);
    CloseHandle(process);
    free_snapshot(snapshot);
}

/* ---- The snapshot ---- */

static void assert_garbage(HANDLE source, HANDLE target, HPSS garbage)
{
    for (DWORD flags = 0; flags < 2; flags++)
        assert_same(refused(source, garbage, target, flags), ERROR_INVALID_HANDLE);
}

static void test_duplicate_of_garbage_is_invalid_handle(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HPSS snapshot = snapshot_with(PSS_CAPTURE_THREADS | PSS_CREATE_USE_VM_ALLOCATIONS);
    HPSS freed = snapshot_with(PSS_CREATE_USE_VM_ALLOCATIONS);
    HPSSWALK marker = NULL;
    static char zeros[8192];
    free_snapshot(freed);
    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    const HPSS garbage[] = {NULL,
                            (HPSS)(intptr_t)-1,
                            (HPSS)(uintptr_t)0x10000,
                            (HPSS)(uintptr_t)0xCCCCCCCC,
                            (HPSS)zeros,
                            freed,
                            (HPSS)marker,
                            (HPSS)((char *)snapshot + 1),
                            (HPSS)((char *)snapshot + 16),
                            (HPSS)((char *)snapshot - 0x10000)};

    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        assert_garbage(GetCurrentProcess(), GetCurrentProcess(), garbage[i]);
        assert_garbage(GetCurrentProcess(), target->process, garbage[i]);
    }
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    assert_still_there(snapshot);
    free_snapshot(snapshot);
}

static void test_duplicate_of_remote_garbage_is_invalid_handle(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    struct target *third = ship_start();
    HPSS snapshot = ship_capture_there(target, 0, PSS_CREATE_USE_VM_ALLOCATIONS, 0);
    HPSS freed = ship_capture_there(target, 0, PSS_CREATE_USE_VM_ALLOCATIONS, 0);
    HPSS mine = snapshot_with(PSS_CREATE_USE_VM_ALLOCATIONS);
    assert_same(ship_free_there(target, freed), ERROR_SUCCESS);
    uint64_t marker = target_call(target, TARGET_SNAPSHOT_MARKER, 0, 0, 0, 0);
    uint64_t zeros =
        target_call(target, TARGET_ALLOCATE, 0, 8192, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    const HPSS garbage[] = {NULL,
                            (HPSS)(intptr_t)-1,
                            (HPSS)(uintptr_t)0x10000,
                            (HPSS)(uintptr_t)0xCCCCCCCC,
                            freed,
                            mine == snapshot ? NULL : mine,
                            (HPSS)(uintptr_t)marker,
                            (HPSS)(uintptr_t)zeros,
                            (HPSS)((char *)snapshot + 1),
                            (HPSS)((char *)snapshot + 16),
                            (HPSS)((char *)snapshot - 0x10000)};

    struct target_state before = target_state_read(target);
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        assert_garbage(target->process, GetCurrentProcess(), garbage[i]);
        assert_garbage(target->process, third->process, garbage[i]);
    }
    target_assert_unharmed(target, before);
    assert_same(ship_query_there(target, snapshot), ERROR_SUCCESS);
    assert_same(ship_free_there(target, snapshot), ERROR_SUCCESS);
    assert_same(target_call(target, TARGET_SNAPSHOT_UNMARK, marker, 0, 0, 0), ERROR_SUCCESS);
    free_snapshot(mine);
}

/* The captured process is not the one that holds the snapshot. */
static void test_duplicate_with_the_captured_process_as_source_is_invalid_handle(void **state)
{
    (void)state;
    only_ours();
    struct target *target = target_start();
    HPSS snapshot = target_capture(target, PSS_CREATE_USE_VM_ALLOCATIONS, 0);

    assert_garbage(target->process, GetCurrentProcess(), snapshot);
    assert_still_there(snapshot);
    free_snapshot(snapshot);
}

/* ---- CLOSE_SOURCE without USE_VM_ALLOCATIONS ---- */

static void test_close_source_of_a_plain_snapshot_is_not_supported(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HPSS snapshot = clone_capture(GetCurrentProcess(), PSS_CAPTURE_THREADS, 0);
    HANDLE watched = clone_watch(clone_of(snapshot));
    struct target_state before = target_state_read(target);

    assert_same(refused(GetCurrentProcess(), snapshot, GetCurrentProcess(), 1),
                ERROR_NOT_SUPPORTED);
    assert_same(refused(GetCurrentProcess(), snapshot, target->process, 1), ERROR_NOT_SUPPORTED);
    target_assert_unharmed(target, before);
    assert_still_there(snapshot);
    free_snapshot(snapshot);
    clone_assert_ended(watched);
}

static void test_close_source_of_a_remote_plain_snapshot_is_not_supported(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HPSS snapshot = ship_capture_there(target, 0, PSS_CAPTURE_THREADS, 0);
    HPSS shipped_from = snapshot_with(PSS_CAPTURE_THREADS);
    HPSS shipped = ship_duplicate(GetCurrentProcess(), shipped_from, target->process, 0);
    struct target_state before = target_state_read(target);

    assert_same(refused(target->process, snapshot, GetCurrentProcess(), 1), ERROR_NOT_SUPPORTED);
    /* It can be freed from outside, but the flag of the capture decides. */
    assert_same(refused(target->process, shipped, GetCurrentProcess(), 1), ERROR_NOT_SUPPORTED);
    target_assert_unharmed(target, before);
    assert_same(ship_query_there(target, snapshot), ERROR_SUCCESS);
    assert_same(ship_query_there(target, shipped), ERROR_SUCCESS);
    assert_same(ship_free_there(target, snapshot), ERROR_SUCCESS);
    assert_same(ship_free_there(target, shipped), ERROR_SUCCESS);
    free_snapshot(shipped_from);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_duplicate_without_a_result_is_invalid_parameter),
        PSS_TEST(test_duplicate_with_undefined_flags_is_invalid_parameter),
        PSS_TEST(test_duplicate_with_bad_process_handles_is_invalid_handle),
        PSS_TEST(test_duplicate_without_a_right_to_the_target_is_access_denied),
        PSS_TEST(test_duplicate_without_a_right_to_the_source_is_access_denied),
        PSS_TEST(test_duplicate_with_just_the_rights_succeeds),
        PSS_TEST(test_duplicate_with_a_real_handle_to_self_succeeds),
        PSS_TEST(test_duplicate_checks_rights_before_the_snapshot),
        PSS_TEST(test_duplicate_of_garbage_is_invalid_handle),
        PSS_TEST(test_duplicate_of_remote_garbage_is_invalid_handle),
        PSS_TEST(test_duplicate_with_the_captured_process_as_source_is_invalid_handle),
        PSS_TEST(test_close_source_of_a_plain_snapshot_is_not_supported),
        PSS_TEST(test_close_source_of_a_remote_plain_snapshot_is_not_supported),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("duplicate_errors", tests, ledger_warm_up, NULL);
}
