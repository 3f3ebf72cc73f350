/* SPDX-License-Identifier: MIT */
/* Free gives 0 whatever the client has done to the clone and its handle before, or does after. */
#include "clone.h"
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define MAX_TRIES 64

static HPSS capture(const struct target *target)
{
    return clone_capture(target->process, 0, 0);
}

static void test_free_after_the_client_ended_the_clone_succeeds(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = capture(target);
    HANDLE clone = clone_watch(clone_of(snapshot));

    (void)state;
    assert_true(TerminateProcess(clone_of(snapshot), 1));
    clone_assert_ended(clone);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_free_after_the_client_ended_the_clone_by_pid_succeeds(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = capture(target);
    HANDLE clone = OpenProcess(PROCESS_TERMINATE | SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION,
                               FALSE, GetProcessId(clone_of(snapshot)));

    (void)state;
    assert_non_null(clone);
    assert_true(TerminateProcess(clone, 1));
    free_snapshot(snapshot);
    clone_assert_ended(clone);
    target_destroy(target);
}

static void test_free_after_the_client_closed_the_handle_succeeds(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = capture(target);
    HANDLE clone = clone_watch(clone_of(snapshot));

    (void)state;
    assert_true(CloseHandle(clone_of(snapshot)));
    free_snapshot(snapshot);
    if (under_test_is_ours())
        clone_assert_ended(clone);
    else
        CloseHandle(clone);
    target_destroy(target);
}

static void test_free_after_the_client_ended_the_clone_and_closed_the_handle_succeeds(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = capture(target);

    (void)state;
    assert_true(TerminateProcess(clone_of(snapshot), 1));
    assert_true(CloseHandle(clone_of(snapshot)));
    free_snapshot(snapshot);
    target_destroy(target);
}

/* Duplicates a handle until one gets the wanted value; the others are closed again. */
static HANDLE duplicate_with_value(HANDLE object, HANDLE wanted)
{
    HANDLE self = GetCurrentProcess();
    HANDLE others[MAX_TRIES];
    HANDLE found = NULL;
    int count = 0;

    while (!found && count < MAX_TRIES) {
        HANDLE copy = NULL;
        assert_true(DuplicateHandle(self, object, self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS));
        if (copy == wanted)
            found = copy;
        else
            others[count++] = copy;
    }
    while (count > 0)
        CloseHandle(others[--count]);
    return found;
}

/* Closes the lent handle and gives its value to another object; that must survive the free. */
static void assert_reused_value_survives(HANDLE object, HPSS snapshot)
{
    HANDLE lent = clone_of(snapshot);
    HANDLE clone = clone_watch(lent);

    assert_true(CloseHandle(lent));
    HANDLE copy = duplicate_with_value(object, lent);
    free_snapshot(snapshot);
    clone_assert_ended(clone);
    if (!copy)
        print_message("no handle got the closed one's value\n");
    if (copy)
        assert_true(CloseHandle(copy));
}

static void test_free_leaves_an_object_that_got_the_closed_handles_value(void **state)
{
    (void)state;
    only_ours();
    struct target *target = target_start();
    HANDLE event = CreateEventW(NULL, TRUE, TRUE, NULL);
    assert_reused_value_survives(event, capture(target));
    CloseHandle(event);
    target_destroy(target);
}

/* The handles of processes look alike; these name other processes, one of them a clone, too. */
static void test_free_leaves_a_process_that_got_the_closed_handles_value(void **state)
{
    (void)state;
    only_ours();
    struct target *target = target_start();
    HPSS other = capture(target);
    assert_reused_value_survives(target->process, capture(target));
    assert_reused_value_survives(clone_of(other), capture(target));
    free_snapshot(other);
    target_destroy(target);
}

/* Opens a process until a handle gets the wanted value; the others are closed again. */
static HANDLE open_with_value(DWORD pid, DWORD access, HANDLE wanted)
{
    HANDLE others[MAX_TRIES];
    HANDLE found = NULL;
    int count = 0;

    while (!found && count < MAX_TRIES) {
        HANDLE opened = OpenProcess(access, FALSE, pid);
        assert_non_null(opened);
        if (opened == wanted)
            found = opened;
        else
            others[count++] = opened;
    }
    while (count > 0)
        CloseHandle(others[--count]);
    return found;
}

/* The client closes what he was lent, and opens the clone himself: that handle is his own. */
static void test_free_leaves_the_clients_own_handle_with_the_closed_handles_value(void **state)
{
    (void)state;
    only_ours();
    struct target *target = target_start();
    HPSS snapshot = capture(target);
    HANDLE lent = clone_of(snapshot);
    HANDLE clone = clone_watch(lent);
    DWORD pid = GetProcessId(lent);
    assert_true(CloseHandle(lent));
    HANDLE own = open_with_value(pid, PROCESS_VM_READ | PROCESS_QUERY_INFORMATION, lent);
    free_snapshot(snapshot);
    if (!own)
        print_message("no handle got the closed one's value\n");
    if (own) {
        assert_same(GetProcessId(own), pid);
        clone_assert_lives(clone);
        assert_true(CloseHandle(own));
    }
    clone_call_again();
    clone_assert_ended(clone);
    target_destroy(target);
}

/* A program may duplicate the handle, free the snapshot, and read on. */
static void test_clone_with_a_duplicated_handle_is_read_on_after_the_free(void **state)
{
    HANDLE self = GetCurrentProcess(), copy = NULL;
    MEMORY_BASIC_INFORMATION region;
    struct target *target = target_start();
    HPSS snapshot = capture(target);
    HANDLE lent = clone_of(snapshot);
    HANDLE clone = under_test_is_ours() ? clone_watch(lent) : NULL;

    (void)state;
    assert_true(DuplicateHandle(self, lent, self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS));
    free_snapshot(snapshot);
    for (int i = 0; i < 3; i++) {
        clone_call_again();
        assert_true(VirtualQueryEx(copy, NULL, &region, sizeof(region)) != 0);
        assert_same(WaitForSingleObject(copy, 0), WAIT_TIMEOUT);
    }
    if (!under_test_is_ours())
        assert_true(TerminateProcess(copy, 0));
    assert_true(CloseHandle(copy));
    clone_call_again();
    if (clone)
        clone_assert_ended(clone);
    target_destroy(target);
}

static void test_free_then_end_and_close_does_no_harm(void **state)
{
    (void)state;
    only_ours();
    struct target *target = target_start();
    HPSS snapshot = capture(target);
    HANDLE lent = clone_of(snapshot);
    DWORD pid = GetProcessId(lent);
    HANDLE clone = clone_watch(lent);
    free_snapshot(snapshot);
    clone_assert_ended(clone);
    assert_false(TerminateProcess(lent, 1));
    assert_false(CloseHandle(lent));
    HANDLE again = OpenProcess(PROCESS_TERMINATE, FALSE, pid);
    if (again)
        CloseHandle(again);
    target_destroy(target);
}

static void test_free_twice_of_a_clone_is_invalid_handle(void **state)
{
    (void)state;
    only_ours();
    struct target *target = target_start();
    HPSS snapshot = capture(target);
    free_snapshot(snapshot);
    assert_same(pss.free(GetCurrentProcess(), snapshot), ERROR_INVALID_HANDLE);
    target_destroy(target);
}

static void test_free_with_another_processes_handle_leaves_the_clone(void **state)
{
    (void)state;
    only_ours();
    struct target *target = target_start();
    HPSS snapshot = capture(target);
    HANDLE clone = clone_watch(clone_of(snapshot));
    assert_same(pss.free(target->process, snapshot), ERROR_INVALID_HANDLE);
    assert_same(pss.free(clone_of(snapshot), snapshot), ERROR_INVALID_HANDLE);
    clone_assert_lives(clone);
    free_snapshot(snapshot);
    clone_assert_ended(clone);
    target_destroy(target);
}

static void test_free_makes_room_for_the_next_clone_many_times(void **state)
{
    struct target *target = target_start();

    (void)state;
    for (int i = 0; i < 20; i++) {
        HPSS snapshot = capture(target);
        HANDLE clone = clone_watch(clone_of(snapshot));
        if (i % 2)
            TerminateProcess(clone_of(snapshot), 1);
        if (i % 3 == 1)
            CloseHandle(clone_of(snapshot));
        free_snapshot(snapshot);
        clone_assert_ended(clone);
    }
    target_destroy(target);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_free_after_the_client_ended_the_clone_succeeds),
        PSS_TEST(test_free_after_the_client_ended_the_clone_by_pid_succeeds),
        PSS_TEST(test_free_after_the_client_closed_the_handle_succeeds),
        PSS_TEST(test_free_after_the_client_ended_the_clone_and_closed_the_handle_succeeds),
        PSS_TEST(test_free_leaves_an_object_that_got_the_closed_handles_value),
        PSS_TEST(test_free_leaves_a_process_that_got_the_closed_handles_value),
        PSS_TEST(test_free_leaves_the_clients_own_handle_with_the_closed_handles_value),
        PSS_TEST(test_clone_with_a_duplicated_handle_is_read_on_after_the_free),
        PSS_TEST(test_free_then_end_and_close_does_no_harm),
        PSS_TEST(test_free_twice_of_a_clone_is_invalid_handle),
        PSS_TEST(test_free_with_another_processes_handle_leaves_the_clone),
        PSS_TEST(test_free_makes_room_for_the_next_clone_many_times),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clone_free", tests, ledger_warm_up, NULL);
}
