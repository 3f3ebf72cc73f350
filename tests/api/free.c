/* SPDX-License-Identifier: MIT */
/* PssFreeSnapshot: which process it means, what it refuses, and that it frees once. */
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define FREE_RIGHTS (PROCESS_VM_READ | PROCESS_VM_OPERATION | PROCESS_DUP_HANDLE)

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

static void test_free_twice_is_invalid_handle(void **state)
{
    HPSS snapshot = snapshot_with(PSS_CAPTURE_THREADS);

    (void)state;
    only_ours();
    assert_same(pss.free(GetCurrentProcess(), snapshot), ERROR_SUCCESS);
    assert_same(pss.free(GetCurrentProcess(), snapshot), ERROR_INVALID_HANDLE);
    assert_same(pss.free(GetCurrentProcess(), snapshot), ERROR_INVALID_HANDLE);
}

static void test_free_twice_with_a_live_marker_is_invalid_handle(void **state)
{
    HPSS snapshot = snapshot_with(PSS_CAPTURE_THREADS);
    PSS_THREAD_ENTRY entry;
    HPSSWALK marker = NULL;

    (void)state;
    only_ours();
    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    assert_same(pss.walk(snapshot, PSS_WALK_THREADS, marker, &entry, sizeof(entry)), ERROR_SUCCESS);
    assert_same(pss.free(GetCurrentProcess(), snapshot), ERROR_SUCCESS);
    assert_same(pss.free(GetCurrentProcess(), snapshot), ERROR_INVALID_HANDLE);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    assert_same(pss.free(GetCurrentProcess(), snapshot), ERROR_INVALID_HANDLE);
}

static void test_free_garbage_is_invalid_handle(void **state)
{
    HPSS snapshot = snapshot_with(PSS_CAPTURE_THREADS);
    static char zeros[8192];
    const HPSS garbage[] = {NULL,
                            (HPSS)(intptr_t)-1,
                            (HPSS)(uintptr_t)0x10000,
                            (HPSS)(uintptr_t)0xCCCCCCCC,
                            (HPSS)zeros,
                            (HPSS)((char *)snapshot + 1),
                            (HPSS)((char *)snapshot + 16),
                            (HPSS)((char *)snapshot - 0x10000)};

    (void)state;
    only_ours();
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
        assert_same(pss.free(GetCurrentProcess(), garbage[i]), ERROR_INVALID_HANDLE);
    assert_still_there(snapshot);
    free_snapshot(snapshot);
}

static void test_free_marker_as_snapshot_is_invalid_handle(void **state)
{
    HPSSWALK marker = NULL;

    (void)state;
    only_ours();
    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    assert_same(pss.free(GetCurrentProcess(), (HPSS)marker), ERROR_INVALID_HANDLE);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
}

static void test_free_with_real_handle_to_self_succeeds(void **state)
{
    static const DWORD rights[] = {PROCESS_ALL_ACCESS, FREE_RIGHTS};

    (void)state;
    for (int i = 0; i < 2; i++) {
        HANDLE self = OpenProcess(rights[i], FALSE, GetCurrentProcessId());
        HPSS snapshot = snapshot_with(PSS_CAPTURE_THREADS);
        PSS_PROCESS_INFORMATION information;
        assert_non_null(self);
        assert_same(pss.free(self, snapshot), ERROR_SUCCESS);
        if (under_test_is_ours())
            assert_same(pss.query(snapshot, 0, &information, sizeof(information)),
                        ERROR_INVALID_HANDLE);
        CloseHandle(self);
    }
}

static void test_free_with_bad_process_handle_is_invalid_handle(void **state)
{
    HPSS snapshot = snapshot_with(PSS_CAPTURE_THREADS);
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

    (void)state;
    only_ours();
    assert_same(pss.free(NULL, snapshot), ERROR_INVALID_HANDLE);
    assert_same(pss.free(event, snapshot), ERROR_INVALID_HANDLE);
    assert_same(pss.free((HANDLE)(uintptr_t)0xDEADBEE1, snapshot), ERROR_INVALID_HANDLE);
    assert_still_there(snapshot);
    free_snapshot(snapshot);
    CloseHandle(event);
}

static void test_free_with_the_targets_handle_is_invalid_and_frees_nothing(void **state)
{
    static const DWORD flags[] = {PSS_CAPTURE_THREADS,
                                  PSS_CAPTURE_THREADS | PSS_CREATE_USE_VM_ALLOCATIONS};
    struct target *target = target_start();

    (void)state;
    only_ours();
    for (int i = 0; i < 2; i++) {
        HPSS snapshot = target_capture(target, flags[i], 0);
        struct target_state before = target_state_read(target);
        assert_same(pss.free(target->process, snapshot), ERROR_INVALID_HANDLE);
        assert_still_there(snapshot);
        target_assert_unharmed(target, before);
        free_snapshot(snapshot);
    }
    target_destroy(target);
}

static void test_free_with_remote_handle_without_rights_is_access_denied(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = snapshot_with(PSS_CAPTURE_THREADS | PSS_CREATE_USE_VM_ALLOCATIONS);
    static const DWORD rights[] = {PROCESS_VM_READ, PROCESS_VM_OPERATION, PROCESS_DUP_HANDLE};

    (void)state;
    only_ours();
    for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
        DWORD lacking = (FREE_RIGHTS & ~rights[i]) | PROCESS_QUERY_INFORMATION;
        HANDLE process = OpenProcess(lacking, FALSE, target->pid);
        assert_non_null(process);
        assert_same(pss.free(process, snapshot), ERROR_ACCESS_DENIED);
        CloseHandle(process);
    }
    assert_still_there(snapshot);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_free_with_remote_handle_with_just_the_rights_is_invalid_handle(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = snapshot_with(PSS_CAPTURE_THREADS);
    HANDLE process = OpenProcess(FREE_RIGHTS, FALSE, target->pid);

    (void)state;
    only_ours();
    assert_non_null(process);
    assert_same(pss.free(process, snapshot), ERROR_INVALID_HANDLE);
    assert_still_there(snapshot);
    CloseHandle(process);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_free_gives_all_memory_back(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        free_snapshot(snapshot_with(PSS_CAPTURE_THREADS | PSS_CAPTURE_HANDLES));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_free_twice_is_invalid_handle),
        PSS_TEST(test_free_twice_with_a_live_marker_is_invalid_handle),
        PSS_TEST(test_free_garbage_is_invalid_handle),
        PSS_TEST(test_free_marker_as_snapshot_is_invalid_handle),
        PSS_TEST(test_free_with_real_handle_to_self_succeeds),
        PSS_TEST(test_free_with_bad_process_handle_is_invalid_handle),
        PSS_TEST(test_free_with_the_targets_handle_is_invalid_and_frees_nothing),
        PSS_TEST(test_free_with_remote_handle_without_rights_is_access_denied),
        PSS_TEST(test_free_with_remote_handle_with_just_the_rights_is_invalid_handle),
        PSS_TEST(test_free_gives_all_memory_back),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("free", tests, ledger_warm_up, NULL);
}
