/* SPDX-License-Identifier: MIT */
/* PssFreeSnapshot in another process: what may be freed there, what not, and that nothing else is.
 */
#include "clone.h"
#include "ledger.h"
#include "nt_calls.h"
#include "records.h"
#include "shipping.h"
#include "under_test.h"

#define FREE_RIGHTS (PROCESS_VM_READ | PROCESS_VM_OPERATION | PROCESS_DUP_HANDLE)

static HPSS ship_from_here(struct target *target, DWORD flags)
{
    HPSS snapshot = clone_capture(GetCurrentProcess(), flags, 0);
    HPSS there = ship_duplicate(GetCurrentProcess(), snapshot, target->process, 0);

    free_snapshot(snapshot);
    return there;
}

static void test_free_of_a_duplicate_in_another_process(void **state)
{
    static const DWORD flags[] = {PSS_CAPTURE_THREADS,
                                  PSS_CAPTURE_THREADS | PSS_CREATE_USE_VM_ALLOCATIONS};

    (void)state;
    only_ours();
    struct target *target = ship_start();
    for (int used = 0; used < 2; used++) {
        struct target_state before = target_state_read(target);
        HPSS there = ship_from_here(target, flags[used]);
        if (used)
            assert_same(ship_query_there(target, there), ERROR_SUCCESS);
        assert_same(pss.free(target->process, there), ERROR_SUCCESS);
        assert_same(pss.free(target->process, there), ERROR_INVALID_HANDLE);
        target_assert_unharmed(target, before);
        assert_same(ship_query_there(target, there), ERROR_INVALID_HANDLE);
        assert_same(ship_free_there(target, there), ERROR_INVALID_HANDLE);
        assert_same(pss.free(target->process, there), ERROR_INVALID_HANDLE);
    }
}

static void test_free_in_another_process_ends_the_clone(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HPSS snapshot = clone_capture(GetCurrentProcess(), 0, 0);
    HPSS there = ship_duplicate(GetCurrentProcess(), snapshot, target->process, 0);
    HANDLE watched = clone_watch(clone_of(snapshot));

    free_snapshot(snapshot);
    clone_assert_lives(watched);
    assert_same(pss.free(target->process, there), ERROR_SUCCESS);
    clone_assert_ended(watched);
}

static void test_free_in_a_process_of_the_other_bitness(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start_foreign();
    if (!target)
        skip();
    struct target_state before = target_state_read(target);
    HPSS there = ship_from_here(target, PSS_CAPTURE_THREADS);

    assert_same(pss.free(target->process, there), ERROR_SUCCESS);
    target_assert_unharmed(target, before);
    assert_same(pss.free(target->process, there), ERROR_INVALID_HANDLE);
    assert_same(ship_query_there(target, there), ERROR_INVALID_HANDLE);
}

/* Two others: the one holds it, the other one frees it. */
static void test_free_by_a_third_process(void **state)
{
    (void)state;
    only_ours();
    struct target *holder = ship_start();
    struct target *other = ship_start();
    HPSS there = ship_from_here(holder, PSS_CAPTURE_THREADS);

    assert_same(target_call(other, TARGET_SNAPSHOT_FREE, holder->pid, address_of(there), 0, 0),
                ERROR_SUCCESS);
    assert_same(target_call(other, TARGET_SNAPSHOT_FREE, holder->pid, address_of(there), 0, 0),
                ERROR_INVALID_HANDLE);
    assert_same(ship_query_there(holder, there), ERROR_INVALID_HANDLE);
}

static void test_free_of_what_a_process_captured_with_vm_allocations(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    DWORD handles = nt_handles_count(target->pid);
    HPSS there = ship_capture_there(
        target, 0, PSS_CAPTURE_THREADS | PSS_CAPTURE_VA_CLONE | PSS_CREATE_USE_VM_ALLOCATIONS, 0);
    HPSS copy =
        (HPSS)(uintptr_t)target_call(target, TARGET_SNAPSHOT_DUPLICATE, 0, address_of(there), 0, 0);
    assert_same(target_value(target, 0), ERROR_SUCCESS);

    assert_same(pss.free(target->process, there), ERROR_SUCCESS);
    assert_same(ship_query_there(target, there), ERROR_INVALID_HANDLE);
    assert_same(pss.free(target->process, there), ERROR_INVALID_HANDLE);
    assert_same(ship_query_there(target, copy), ERROR_SUCCESS);
    assert_same(pss.free(target->process, copy), ERROR_SUCCESS);
    assert_same(ship_free_there(target, copy), ERROR_INVALID_HANDLE);
    assert_same(nt_handles_count(target->pid), handles);
}

/* Neither captured with VM allocations nor duplicated there from outside. */
static void test_free_of_what_a_process_keeps_to_itself_is_not_supported(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HPSS there = ship_capture_there(target, 0, PSS_CAPTURE_THREADS, 0);
    HPSS copy =
        (HPSS)(uintptr_t)target_call(target, TARGET_SNAPSHOT_DUPLICATE, 0, address_of(there), 0, 0);
    assert_same(target_value(target, 0), ERROR_SUCCESS);
    struct target_state before = target_state_read(target);

    assert_same(pss.free(target->process, there), ERROR_NOT_SUPPORTED);
    assert_same(pss.free(target->process, copy), ERROR_NOT_SUPPORTED);
    target_assert_unharmed(target, before);
    assert_same(ship_query_there(target, there), ERROR_SUCCESS);
    assert_same(ship_query_there(target, copy), ERROR_SUCCESS);
    assert_same(ship_free_there(target, there), ERROR_SUCCESS);
    assert_same(ship_free_there(target, copy), ERROR_SUCCESS);
}

static void test_free_of_remote_garbage_is_invalid_handle(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HPSS there = ship_from_here(target, PSS_CAPTURE_THREADS);
    HPSS mine = clone_capture(GetCurrentProcess(), PSS_CREATE_USE_VM_ALLOCATIONS, 0);
    uint64_t marker = target_call(target, TARGET_SNAPSHOT_MARKER, 0, 0, 0, 0);
    uint64_t zeros =
        target_call(target, TARGET_ALLOCATE, 0, 8192, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    uint64_t reserved = target_call(target, TARGET_ALLOCATE, 0, 8192, MEM_RESERVE, PAGE_READWRITE);
    uint64_t image = address_of(GetModuleHandleA("ntdll.dll"));
    const uint64_t garbage[] = {0,
                                address_of((void *)(intptr_t)-1),
                                0x10000,
                                0xCCCCCCCC,
                                marker,
                                zeros,
                                reserved,
                                image,
                                mine == there ? 0 : address_of(mine),
                                address_of(there) + 1,
                                address_of(there) + 16,
                                address_of(there) + 0x1000,
                                address_of(there) - 0x10000};

    struct target_state before = target_state_read(target);
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
        assert_same(pss.free(target->process, (HPSS)(uintptr_t)garbage[i]), ERROR_INVALID_HANDLE);
    target_assert_unharmed(target, before);
    assert_same(ship_query_there(target, there), ERROR_SUCCESS);
    assert_same(pss.free(target->process, there), ERROR_SUCCESS);
    assert_same(target_call(target, TARGET_SNAPSHOT_UNMARK, marker, 0, 0, 0), ERROR_SUCCESS);
    free_snapshot(mine);
}

/* The address of a snapshot is anybody's again. */
static void test_free_of_a_snapshot_whose_memory_was_taken_over_harms_nothing(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HPSS there = ship_from_here(target, PSS_CAPTURE_THREADS);

    assert_same(ship_query_there(target, there), ERROR_SUCCESS);
    assert_same(pss.free(target->process, there), ERROR_SUCCESS);
    assert_same(target_call(target, TARGET_ALLOCATE, address_of(there), 0x1000,
                            MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE),
                address_of(there));
    target_call(target, TARGET_FILL, address_of(there), 0x1000, 5, 0);

    assert_same(pss.free(target->process, there), ERROR_INVALID_HANDLE);
    assert_same(ship_query_there(target, there), ERROR_INVALID_HANDLE);
    assert_same(ship_free_there(target, there), ERROR_INVALID_HANDLE);
    clone_assert_pattern(target->process, address_of(there), 0x1000, 5);
}

static void test_free_there_without_a_right_is_access_denied(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HPSS there = ship_from_here(target, PSS_CAPTURE_THREADS);
    struct target_state before = target_state_read(target);

    for (DWORD right = 1; right <= FREE_RIGHTS; right <<= 1) {
        if (!(FREE_RIGHTS & right))
            continue;
        HANDLE process =
            OpenProcess((PROCESS_ALL_ACCESS & 0xFFFF & ~right) | SYNCHRONIZE, FALSE, target->pid);
        assert_non_null(process);
        assert_same(pss.free(process, there), ERROR_ACCESS_DENIED);
        assert_same(pss.free(process, NULL), ERROR_ACCESS_DENIED);
        CloseHandle(process);
    }
    target_assert_unharmed(target, before);
    assert_same(ship_query_there(target, there), ERROR_SUCCESS);
    HANDLE process = OpenProcess(FREE_RIGHTS, FALSE, target->pid);
    assert_same(pss.free(process, there), ERROR_SUCCESS);
    CloseHandle(process);
    assert_same(ship_query_there(target, there), ERROR_INVALID_HANDLE);
}

static void test_free_of_a_snapshot_that_a_marker_is_in(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    for (int i = 0; i < 3; i++) {
        HPSS there = ship_from_here(target, PSS_CAPTURE_THREADS);
        uint64_t marker = target_call(target, TARGET_SNAPSHOT_MARKER, 0, 0, 0, 0);
        assert_same(target_call(target, TARGET_SNAPSHOT_WALK, address_of(there), PSS_WALK_THREADS,
                                marker, 0),
                    ERROR_SUCCESS);
        assert_same(pss.free(target->process, there), ERROR_SUCCESS);
        if (i)
            assert_same(target_call(target, TARGET_SNAPSHOT_WALK, address_of(there),
                                    PSS_WALK_THREADS, marker, 0),
                        ERROR_INVALID_HANDLE);
        if (i != 2)
            assert_same(ship_query_there(target, there), ERROR_INVALID_HANDLE);
        assert_same(target_call(target, TARGET_SNAPSHOT_UNMARK, marker, 0, 0, 0), ERROR_SUCCESS);
        assert_same(ship_query_there(target, there), ERROR_INVALID_HANDLE);
    }
}

/* Another snapshot may come to lie where the marker's one was: it is none of the marker's. */
static void test_marker_of_a_freed_snapshot_does_no_harm_to_the_next_one(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HPSS first = ship_from_here(target, PSS_CAPTURE_THREADS);
    uint64_t marker = target_call(target, TARGET_SNAPSHOT_MARKER, 0, 0, 0, 0);
    assert_same(
        target_call(target, TARGET_SNAPSHOT_WALK, address_of(first), PSS_WALK_THREADS, marker, 0),
        ERROR_SUCCESS);
    assert_same(pss.free(target->process, first), ERROR_SUCCESS);
    HPSS second = ship_from_here(target, PSS_CAPTURE_THREADS);
    print_message("the next one is at %s address\n", first == second ? "the same" : "another");

    struct ship_answers answers = ship_read(target, second, false);
    assert_same(target_call(target, TARGET_SNAPSHOT_UNMARK, marker, 0, 0, 0), ERROR_SUCCESS);
    ship_assert_same(ship_read(target, second, false), &answers);
    free(answers.bytes);
    assert_same(ship_free_there(target, second), ERROR_SUCCESS);
    assert_same(ship_free_there(target, second), ERROR_INVALID_HANDLE);
}

/* What a target makes of its snapshot for the test itself. */
static HPSS receive(struct target *target, HPSS there)
{
    HPSS copy = (HPSS)(uintptr_t)target_call(target, TARGET_SNAPSHOT_DUPLICATE, 0,
                                             address_of(there), GetCurrentProcessId(), 0);

    assert_same(target_value(target, 0), ERROR_SUCCESS);
    return copy;
}

/* The one that comes to lie there is walked from its beginning, and held as any other. */
static void test_marker_of_a_freed_snapshot_starts_the_next_one_at_its_beginning(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HPSS there = ship_capture_there(target, 0, PSS_CAPTURE_VA_SPACE, 0);
    HPSS first = receive(target, there);
    PSS_VA_SPACE_ENTRY begin, entry;
    ULONG_PTR position = 0;
    HPSSWALK marker;

    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    assert_same(pss.walk(first, PSS_WALK_VA_SPACE, marker, &begin, sizeof(begin)), ERROR_SUCCESS);
    for (int i = 0; i < 5; i++)
        assert_same(pss.walk(first, PSS_WALK_VA_SPACE, marker, &entry, sizeof(entry)),
                    ERROR_SUCCESS);
    assert_same(
        target_call(target, TARGET_SNAPSHOT_FREE, GetCurrentProcessId(), address_of(first), 0, 0),
        ERROR_SUCCESS);
    HPSS second = receive(target, there);
    print_message("the next one is at %s address\n", first == second ? "the same" : "another");
    assert_same(pss.walk(second, PSS_WALK_VA_SPACE, marker, &entry, sizeof(entry)), ERROR_SUCCESS);
    assert_memory_equal(&entry, &begin, sizeof(entry));
    assert_same(pss.marker_get(marker, &position), ERROR_SUCCESS);
    assert_same(position, 1);
    assert_same(pss.free(GetCurrentProcess(), second), ERROR_SUCCESS);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    assert_same(ship_free_there(target, there), ERROR_SUCCESS);
}

/* The client there has closed what he was lent, and the value names something else by now. */
static void test_free_there_spares_a_handle_in_the_place_of_the_lent_one(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HPSS there = ship_from_here(target, 0);
    assert_same(target_call(target, TARGET_SNAPSHOT_QUERY, address_of(there),
                            PSS_QUERY_VA_CLONE_INFORMATION, 0, 0),
                ERROR_SUCCESS);
    uint64_t lent = target_value(target, 0);
    target_call(target, TARGET_CLOSE, lent, 0, 0, 0);
    uint64_t event = target_call(target, TARGET_EVENT, TRUE, FALSE, 0, 0);
    if (under_test_on_wine())
        assert_same(event, lent);
    DWORD handles = nt_handles_count(target->pid);

    assert_same(pss.free(target->process, there), ERROR_SUCCESS);
    assert_same(nt_handles_count(target->pid), handles - 2); /* the kept one and the job */
    target_call(target, TARGET_SIGNAL, event, TRUE, 0, 0);
}

static void test_free_of_a_dead_process_fails(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HPSS there = ship_from_here(target, PSS_CAPTURE_THREADS);

    target_kill(target);
    DWORD error = pss.free(target->process, there);
    print_message("in a dead process: %lu\n", error);
    assert_true(error != ERROR_SUCCESS);
}

static void test_hundred_duplicates_freed_from_outside_leave_nothing(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HPSS snapshot = clone_capture(GetCurrentProcess(), PSS_CAPTURE_THREADS, 0);
    struct target_state before = target_state_read(target);

    for (int i = 0; i < 100; i++) {
        HPSS there = ship_duplicate(GetCurrentProcess(), snapshot, target->process, 0);
        assert_same(pss.free(target->process, there), ERROR_SUCCESS);
    }
    target_assert_unharmed(target, before);
    free_snapshot(snapshot);
}

struct rival {
    struct target *target;
    HPSS snapshot;
    HANDLE go; /* event */
    DWORD error;
};

static DWORD WINAPI run_rival(void *argument)
{
    struct rival *rival = (struct rival *)argument;

    WaitForSingleObject(rival->go, CLONE_LIMIT_MS);
    rival->error = pss.free(rival->target->process, rival->snapshot);
    return 0;
}

static void test_of_two_that_free_at_once_one_succeeds(void **state)
{
    (void)state;
    only_ours();
    struct target *target = ship_start();
    HPSS snapshot = clone_capture(GetCurrentProcess(), PSS_CAPTURE_THREADS, 0);
    struct target_state before = target_state_read(target);

    for (int i = 0; i < 40; i++) {
        HPSS there = ship_duplicate(GetCurrentProcess(), snapshot, target->process, 0);
        struct rival rival = {target, there, CreateEventW(NULL, TRUE, FALSE, NULL), 1};
        HANDLE thread = CreateThread(NULL, 0, run_rival, &rival, 0, NULL);
        assert_true(thread && rival.go);
        SetEvent(rival.go);
        DWORD error = pss.free(target->process, there);
        assert_same(WaitForSingleObject(thread, CLONE_LIMIT_MS), WAIT_OBJECT_0);
        CloseHandle(thread);
        CloseHandle(rival.go);
        assert_same(error + rival.error, ERROR_INVALID_HANDLE);
        assert_true(!error || !rival.error);
    }
    target_assert_unharmed(target, before);
    free_snapshot(snapshot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_free_of_a_duplicate_in_another_process),
        PSS_TEST(test_free_in_another_process_ends_the_clone),
        PSS_TEST(test_free_in_a_process_of_the_other_bitness),
        PSS_TEST(test_free_by_a_third_process),
        PSS_TEST(test_free_of_what_a_process_captured_with_vm_allocations),
        PSS_TEST(test_free_of_what_a_process_keeps_to_itself_is_not_supported),
        PSS_TEST(test_free_of_remote_garbage_is_invalid_handle),
        PSS_TEST(test_free_of_a_snapshot_whose_memory_was_taken_over_harms_nothing),
        PSS_TEST(test_free_there_without_a_right_is_access_denied),
        PSS_TEST(test_free_of_a_snapshot_that_a_marker_is_in),
        PSS_TEST(test_marker_of_a_freed_snapshot_does_no_harm_to_the_next_one),
        PSS_TEST(test_marker_of_a_freed_snapshot_starts_the_next_one_at_its_beginning),
        PSS_TEST(test_free_there_spares_a_handle_in_the_place_of_the_lent_one),
        PSS_TEST(test_free_of_a_dead_process_fails),
        PSS_TEST(test_of_two_that_free_at_once_one_succeeds),
        PSS_TEST(test_hundred_duplicates_freed_from_outside_leave_nothing),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("duplicate_remote_free", tests, ledger_warm_up, NULL);
}
