/* SPDX-License-Identifier: MIT */
/* Each owner of a snapshot lives his own life, and the clone lives as long as the last of them. */
#include "clone.h"
#include "ledger.h"
#include "nt_calls.h"
#include "records.h"
#include "shipping.h"
#include "under_test.h"

static void assert_still_there(HPSS snapshot)
{
    PSS_PROCESS_INFORMATION information;

    query_fully(snapshot, PSS_QUERY_PROCESS_INFORMATION, &information, sizeof(information));
}

static void assert_gone(HPSS snapshot)
{
    PSS_PROCESS_INFORMATION information;

    assert_same(pss.query(snapshot, 0, &information, sizeof(information)), ERROR_INVALID_HANDLE);
    assert_same(pss.free(GetCurrentProcess(), snapshot), ERROR_INVALID_HANDLE);
}

/* ---- Owners ---- */

#define OWNERS 3

/* The maker, a second owner in the same process, and one in another process. */
static void make_owners(struct target *subject, struct target *other, HPSS owners[OWNERS])
{
    owners[0] = clone_capture(subject->process, PSS_CAPTURE_THREADS, 0);
    owners[1] = ship_duplicate(GetCurrentProcess(), owners[0], GetCurrentProcess(), 0);
    owners[2] = ship_duplicate(GetCurrentProcess(), owners[0], other->process, 0);
}

static void free_owner(struct target *other, const HPSS owners[OWNERS], int owner)
{
    if (owner == 2)
        assert_same(ship_free_there(other, owners[2]), ERROR_SUCCESS);
    else
        free_snapshot(owners[owner]);
}

static void test_owners_free_in_any_order_and_the_last_one_ends_the_clone(void **state)
{
    static const int orders[][OWNERS] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

    (void)state;
    only_ours();
    struct target *subject = target_start();
    struct target *other = ship_start();
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        HPSS owners[OWNERS];
        bool is_freed = false; /* the one in the other process */
        make_owners(subject, other, owners);
        HANDLE watched = clone_watch(clone_of(owners[0]));
        for (int k = 0; k < OWNERS; k++) {
            clone_assert_lives(watched);
            assert_same(ship_query_there(other, owners[2]), is_freed ? ERROR_INVALID_HANDLE : 0);
            free_owner(other, owners, orders[i][k]);
            is_freed = is_freed || orders[i][k] == 2;
        }
        clone_assert_ended(watched);
    }
}

static void test_receiver_of_the_other_bitness_ends_the_clone(void **state)
{
    (void)state;
    only_ours();
    struct target *other = ship_start_foreign();
    if (!other)
        skip();
    struct target *subject = target_start();
    HPSS owners[OWNERS];
    make_owners(subject, other, owners);
    HANDLE watched = clone_watch(clone_of(owners[0]));

    free_snapshot(owners[0]);
    free_snapshot(owners[1]);
    clone_assert_lives(watched);
    assert_same(ship_free_there(other, owners[2]), ERROR_SUCCESS);
    clone_assert_ended(watched);
}

static void test_receiver_that_never_frees_takes_the_clone_with_it(void **state)
{
    (void)state;
    only_ours();
    struct target *subject = target_start();
    for (int exits = 0; exits < 2; exits++) {
        struct target *receiver = ship_start();
        HPSS snapshot = clone_capture(subject->process, 0, 0);
        HANDLE watched = clone_watch(clone_of(snapshot));
        ship_duplicate(GetCurrentProcess(), snapshot, receiver->process, 0);
        free_snapshot(snapshot);
        clone_assert_lives(watched);
        if (exits)
            target_call_fatal(receiver, TARGET_EXIT, 0);
        else
            target_kill(receiver);
        clone_assert_ended(watched);
        target_destroy(receiver);
    }
}

/* It does not even know: nothing of the DLL is in it. */
static void test_receiver_without_the_dll_takes_the_clone_with_it(void **state)
{
    (void)state;
    only_ours();
    struct target *receiver = target_start();
    HPSS snapshot = clone_capture(GetCurrentProcess(), PSS_CREATE_USE_VM_ALLOCATIONS, 0);
    HANDLE watched = clone_watch(clone_of(snapshot));

    ship_duplicate(GetCurrentProcess(), snapshot, receiver->process, PSS_DUPLICATE_CLOSE_SOURCE);
    clone_assert_lives(watched);
    target_kill(receiver);
    clone_assert_ended(watched);
}

static void test_snapshot_outlives_its_maker_and_its_subject(void **state)
{
    static const DWORD flags[] = {SHIP_EVERYTHING, SHIP_EVERYTHING | PSS_CREATE_USE_VM_ALLOCATIONS};

    (void)state;
    only_ours();
    for (DWORD i = 0; i < 2; i++) {
        struct target *maker = ship_start(); /* and subject */
        uint64_t marks =
            target_call(maker, TARGET_ALLOCATE, 0, 8192, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
        target_call(maker, TARGET_FILL, marks, 8192, 99, 0);
        HPSS there = ship_capture_there(maker, 0, flags[i], CONTEXT_ALL);
        struct ship_answers answers = ship_read(maker, there, false);
        HPSS here = ship_duplicate(maker->process, there, GetCurrentProcess(), i);
        HANDLE watched = clone_watch(clone_of(here));
        target_destroy(maker);
        ship_assert_same(ship_read(NULL, here, false), &answers);
        clone_assert_lives(watched);
        clone_assert_pattern(clone_of(here), marks, 8192, 99);
        HPSS again = ship_duplicate(GetCurrentProcess(), here, GetCurrentProcess(), 0);
        free_snapshot(here);
        ship_assert_same(ship_read(NULL, again, false), &answers);
        free_snapshot(again);
        clone_assert_ended(watched);
        free(answers.bytes);
    }
}

static void test_duplicate_of_a_dead_process_snapshot_is_complete(void **state)
{
    (void)state;
    only_ours();
    struct target *subject = ship_start_subject();
    struct target *receiver = ship_start();
    HPSS snapshot = target_capture(subject, SHIP_EVERYTHING, CONTEXT_ALL);
    struct ship_answers answers = ship_read(NULL, snapshot, false);

    target_destroy(subject);
    HPSS copy = ship_duplicate(GetCurrentProcess(), snapshot, receiver->process, 0);
    free_snapshot(snapshot);
    ship_assert_same(ship_read(receiver, copy, false), &answers);
    assert_same(pss.free(receiver->process, copy), ERROR_SUCCESS);
    free(answers.bytes);
}

static void test_duplicates_share_no_handle(void **state)
{
    (void)state;
    only_ours();
    HPSS snapshot = clone_capture(GetCurrentProcess(), 0, 0);
    HPSS copy = ship_duplicate(GetCurrentProcess(), snapshot, GetCurrentProcess(), 0);

    assert_true(snapshot != copy);
    assert_true(clone_of(snapshot) != clone_of(copy));
    assert_same(GetProcessId(clone_of(snapshot)), GetProcessId(clone_of(copy)));
    CloseHandle(clone_of(snapshot)); /* as clients do */
    free_snapshot(snapshot);
    assert_same(WaitForSingleObject(clone_of(copy), 0), WAIT_TIMEOUT);
    free_snapshot(copy);
}

/* What the client of the source has closed is whole again in the duplicate. */
static void test_duplicate_after_the_client_closed_the_clone_has_it(void **state)
{
    (void)state;
    only_ours();
    HPSS snapshot = clone_capture(GetCurrentProcess(), 0, 0);
    DWORD pid = GetProcessId(clone_of(snapshot));

    CloseHandle(clone_of(snapshot));
    HPSS copy = ship_duplicate(GetCurrentProcess(), snapshot, GetCurrentProcess(), 0);
    assert_same(GetProcessId(clone_of(copy)), pid);
    free_snapshot(snapshot);
    free_snapshot(copy);
}

/* As corsl's copy constructor does, its client then frees the original first. */
static void test_duplicate_to_self_outlives_the_original_and_the_clone(void **state)
{
    enum { CORSL_FLAGS = 0x1BFD };
    HPSS original = NULL;

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(), CORSL_FLAGS, CONTEXT_ALL, &original),
                ERROR_SUCCESS);
    HPSS copy = ship_duplicate(GetCurrentProcess(), original, GetCurrentProcess(), 0);
    struct records before = records_read(copy, PSS_WALK_THREADS);
    free_snapshot(original);
    struct records after = records_read(copy, PSS_WALK_THREADS);
    assert_same(after.count, before.count);
    records_free(&before);
    records_free(&after);
    assert_true(TerminateProcess(clone_of(copy), 0));
    free_snapshot(copy);
}

static void test_hundred_duplicates_leave_nothing(void **state)
{
    HPSS copies[100];

    (void)state;
    HPSS snapshot = clone_capture(GetCurrentProcess(), PSS_CAPTURE_THREADS, 0);
    for (int i = 0; i < 100; i++)
        copies[i] = ship_duplicate(GetCurrentProcess(), i ? copies[i - 1] : snapshot,
                                   GetCurrentProcess(), 0);
    HANDLE watched = clone_watch(clone_of(snapshot));
    free_snapshot(snapshot);
    for (int i = 0; i < 100; i++) {
        clone_assert_lives(watched);
        free_snapshot(copies[i * 37 % 100]);
    }
    clone_assert_ended(watched);
}

/* ---- CLOSE_SOURCE ---- */

static void test_close_source_frees_the_source_although_the_target_is_dead(void **state)
{
    (void)state;
    only_ours();
    struct target *target = target_start();
    HPSS snapshot = clone_capture(GetCurrentProcess(), PSS_CREATE_USE_VM_ALLOCATIONS, 0);
    HPSS other = clone_capture(GetCurrentProcess(), PSS_CREATE_USE_VM_ALLOCATIONS, 0);
    HANDLE watched = clone_watch(clone_of(snapshot));
    HPSS copy = snapshot;

    target_kill(target);
    assert_true(pss.duplicate(GetCurrentProcess(), other, target->process, &copy, 0) != 0);
    assert_null(copy);
    assert_still_there(other);
    copy = snapshot;
    DWORD error = pss.duplicate(GetCurrentProcess(), snapshot, target->process, &copy,
                                PSS_DUPLICATE_CLOSE_SOURCE);
    print_message("into a dead process: %lu\n", error);
    assert_true(error != 0);
    assert_null(copy);
    assert_gone(snapshot);
    clone_assert_ended(watched);
    free_snapshot(other);
}

static void test_close_source_frees_a_remote_source_although_the_target_is_dead(void **state)
{
    (void)state;
    only_ours();
    struct target *source = ship_start();
    struct target *target = target_start();
    DWORD handles = nt_handles_count(source->pid);
    HPSS snapshot =
        ship_capture_there(source, 0, PSS_CAPTURE_VA_CLONE | PSS_CREATE_USE_VM_ALLOCATIONS, 0);
    HPSS copy = snapshot;

    target_kill(target);
    assert_true(pss.duplicate(source->process, snapshot, target->process, &copy,
                              PSS_DUPLICATE_CLOSE_SOURCE) != 0);
    assert_null(copy);
    assert_same(ship_query_there(source, snapshot), ERROR_INVALID_HANDLE);
    assert_same(ship_free_there(source, snapshot), ERROR_INVALID_HANDLE);
    assert_same(nt_handles_count(source->pid), handles);
}

static void test_duplicate_from_a_dead_process_fails(void **state)
{
    (void)state;
    only_ours();
    struct target *source = ship_start();
    HPSS snapshot = ship_capture_there(source, 0, PSS_CREATE_USE_VM_ALLOCATIONS, 0);

    target_kill(source);
    for (DWORD flags = 0; flags < 2; flags++) {
        HPSS copy = snapshot;
        assert_true(pss.duplicate(source->process, snapshot, GetCurrentProcess(), &copy, flags));
        assert_null(copy);
    }
    assert_true(pss.free(source->process, snapshot) != 0);
}

/* ---- Markers ---- */

/* Walks to the last thread with a name and a context. */
static PSS_THREAD_ENTRY walk_threads(HPSS snapshot, HPSSWALK marker, PSS_HANDLE_ENTRY *handle)
{
    PSS_THREAD_ENTRY entry, last;

    memset(&last, 0, sizeof(last));
    while (!pss.walk(snapshot, PSS_WALK_THREADS, marker, &entry, sizeof(entry)))
        if (entry.ContextRecord)
            last = entry;
    assert_non_null(last.ContextRecord);
    do {
        assert_same(pss.walk(snapshot, PSS_WALK_HANDLES, marker, handle, sizeof(*handle)),
                    ERROR_SUCCESS);
    } while (!handle->ObjectName);
    return last;
}

/* What a marker has shown stays, whatever becomes of the snapshot. */
static void test_marker_outlives_a_source_that_was_closed(void **state)
{
    const DWORD flags = (SHIP_EVERYTHING & ~PSS_CAPTURE_VA_CLONE) | PSS_CREATE_USE_VM_ALLOCATIONS;

    (void)state;
    only_ours();
    struct target *receiver = ship_start();
    struct target *subject = ship_start_subject();
    for (int remote = 0; remote < 2; remote++) {
        HPSS snapshot = target_capture(subject, flags, CONTEXT_FULL);
        PSS_HANDLE_ENTRY handle;
        HPSSWALK marker = NULL;
        unsigned char context[sizeof(CONTEXT)];
        WCHAR name[600];
        assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
        PSS_THREAD_ENTRY thread = walk_threads(snapshot, marker, &handle);
        memcpy(context, thread.ContextRecord, sizeof(context));
        wcsncpy(name, handle.ObjectName, 599);
        name[599] = 0;
        HPSS copy = ship_duplicate(GetCurrentProcess(), snapshot,
                                   remote ? receiver->process : GetCurrentProcess(),
                                   PSS_DUPLICATE_CLOSE_SOURCE);
        assert_memory_equal(context, thread.ContextRecord, sizeof(context));
        assert_text_is(handle.ObjectName, handle.ObjectNameLength, name);
        assert_same(pss.walk(snapshot, PSS_WALK_HANDLES, marker, &handle, sizeof(handle)),
                    ERROR_INVALID_HANDLE);
        assert_same(pss.free(remote ? receiver->process : GetCurrentProcess(), copy),
                    ERROR_SUCCESS);
        assert_memory_equal(context, thread.ContextRecord, sizeof(context));
        assert_same(pss.marker_free(marker), ERROR_SUCCESS);
        assert_gone(snapshot);
    }
}

/* The memory goes at once there; the marker of the other process is just free. */
static void test_marker_of_a_remote_source_survives_that_it_was_closed(void **state)
{
    (void)state;
    only_ours();
    struct target *source = ship_start();
    HPSS there =
        ship_capture_there(source, 0, PSS_CAPTURE_THREADS | PSS_CREATE_USE_VM_ALLOCATIONS, 0);
    uint64_t marker = target_call(source, TARGET_SNAPSHOT_MARKER, 0, 0, 0, 0);
    assert_same(
        target_call(source, TARGET_SNAPSHOT_WALK, address_of(there), PSS_WALK_THREADS, marker, 0),
        ERROR_SUCCESS);

    HPSS here =
        ship_duplicate(source->process, there, GetCurrentProcess(), PSS_DUPLICATE_CLOSE_SOURCE);
    assert_same(
        target_call(source, TARGET_SNAPSHOT_WALK, address_of(there), PSS_WALK_THREADS, marker, 0),
        ERROR_INVALID_HANDLE);
    assert_same(ship_query_there(source, there), ERROR_INVALID_HANDLE);
    assert_same(target_call(source, TARGET_SNAPSHOT_UNMARK, marker, 0, 0, 0), ERROR_SUCCESS);
    assert_same(target_call(source, TARGET_PING, 0, 0, 0, 0), source->pid);
    free_snapshot(here);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_owners_free_in_any_order_and_the_last_one_ends_the_clone),
        PSS_TEST(test_receiver_of_the_other_bitness_ends_the_clone),
        PSS_TEST(test_receiver_that_never_frees_takes_the_clone_with_it),
        PSS_TEST(test_receiver_without_the_dll_takes_the_clone_with_it),
        PSS_TEST(test_snapshot_outlives_its_maker_and_its_subject),
        PSS_TEST(test_duplicate_of_a_dead_process_snapshot_is_complete),
        PSS_TEST(test_duplicates_share_no_handle),
        PSS_TEST(test_duplicate_after_the_client_closed_the_clone_has_it),
        PSS_TEST(test_duplicate_to_self_outlives_the_original_and_the_clone),
        PSS_TEST(test_hundred_duplicates_leave_nothing),
        PSS_TEST(test_close_source_frees_the_source_although_the_target_is_dead),
        PSS_TEST(test_close_source_frees_a_remote_source_although_the_target_is_dead),
        PSS_TEST(test_duplicate_from_a_dead_process_fails),
        PSS_TEST(test_marker_outlives_a_source_that_was_closed),
        PSS_TEST(test_marker_of_a_remote_source_survives_that_it_was_closed),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("duplicate_lifetime", tests, ledger_warm_up, NULL);
}
