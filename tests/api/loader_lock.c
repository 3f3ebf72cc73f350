/* SPDX-License-Identifier: MIT */
/* Captures while a thread holds the loader's lock, as one that crashed in a DllMain does. */
#include "clone.h"
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#include <winternl.h>

#define EXTENDED \
    (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT | PSS_CAPTURE_THREAD_CONTEXT_EXTENDED)

/* source: phnt ntldr.h; since Windows XP */
NTSTATUS NTAPI LdrLockLoaderLock(ULONG flags, ULONG *disposition, ULONG_PTR *cookie);
NTSTATUS NTAPI LdrUnlockLoaderLock(ULONG flags, ULONG_PTR cookie);

struct holder {
    HANDLE thread, holds, stop;
};

static DWORD WINAPI run_holder(void *argument)
{
    const struct holder *holder = (const struct holder *)argument;
    ULONG_PTR cookie = 0;

    LdrLockLoaderLock(0, NULL, &cookie);
    SetEvent(holder->holds);
    WaitForSingleObject(holder->stop, INFINITE);
    LdrUnlockLoaderLock(0, cookie);
    return 0;
}

static struct holder hold_lock(void)
{
    static struct holder holder;

    holder.holds = CreateEventW(NULL, TRUE, FALSE, NULL);
    holder.stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    holder.thread = CreateThread(NULL, 0, run_holder, &holder, 0, NULL);
    assert_same(WaitForSingleObject(holder.holds, CLONE_LIMIT_MS), WAIT_OBJECT_0);
    return holder;
}

static void let_go(struct holder holder)
{
    SetEvent(holder.stop);
    assert_same(WaitForSingleObject(holder.thread, CLONE_LIMIT_MS), WAIT_OBJECT_0);
    CloseHandle(holder.thread);
    CloseHandle(holder.stop);
    CloseHandle(holder.holds);
}

static DWORD context_length(HPSS snapshot)
{
    PSS_THREAD_INFORMATION information;

    assert_same(
        pss.query(snapshot, PSS_QUERY_THREAD_INFORMATION, &information, sizeof(information)),
        ERROR_SUCCESS);
    return information.ContextLength;
}

/*
 * They have their extended part all the same. A thread of the library's own that cannot begin is
 * given up here, too, and the caller asks for the contexts himself.
 */
static void test_extended_contexts_are_not_waited_for(void **state)
{
    struct target *target = target_start();
    HPSS without = target_capture(target, EXTENDED, CONTEXT_ALL), snapshot = NULL;

    (void)state;
    struct holder holder = hold_lock();
    DWORD error = pss.capture(target->process, EXTENDED, CONTEXT_ALL, &snapshot);
    let_go(holder);
    assert_same(error, ERROR_SUCCESS);
    assert_same(context_length(snapshot), context_length(without));
    free_snapshot(without);
    struct records threads = records_read(snapshot, PSS_WALK_THREADS);
    for (DWORD i = 0; i < threads.count; i++)
        assert_non_null(record_at(threads, PSS_THREAD_ENTRY, i)->ContextRecord);
    records_free(&threads);
    free_snapshot(snapshot);
    target_destroy(target);
}

/*
 * A thread of the library's own that cannot begin is given up, and the caller asks for the regions
 * himself. What that thread was given stays with it, so this test is without the ledger.
 */
static void test_regions_of_another_process_are_told(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = NULL;

    (void)state;
    target_freeze(target);
    struct holder holder = hold_lock();
    DWORD error =
        pss.capture(target->process,
                    PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION, 0, &snapshot);
    let_go(holder);
    assert_same(error, ERROR_SUCCESS);
    HPSS expected =
        target_capture(target, PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION, 0);
    struct records regions = records_read(snapshot, PSS_WALK_VA_SPACE);
    struct records others = records_read(expected, PSS_WALK_VA_SPACE);
    assert_same(regions.count, others.count);
    for (DWORD i = 0; i < regions.count; i++) {
        const PSS_VA_SPACE_ENTRY *entry = record_at(regions, PSS_VA_SPACE_ENTRY, i);
        const PSS_VA_SPACE_ENTRY *other = record_at(others, PSS_VA_SPACE_ENTRY, i);
        assert_same(address_of(entry->BaseAddress), address_of(other->BaseAddress));
        assert_same(entry->RegionSize, other->RegionSize);
        assert_same(entry->TimeDateStamp, other->TimeDateStamp);
        assert_same(entry->MappedFileNameLength, other->MappedFileNameLength);
    }
    records_free(&regions);
    records_free(&others);
    free_snapshot(snapshot);
    free_snapshot(expected);
    target_thaw(target);
    target_destroy(target);
}

/*
 * A new thread of the library may need the lock to begin, and it is copied on one. What that thread
 * was given stays with it when it was given up, so this test is without the ledger.
 */
static void test_clone_is_made_or_given_up(void **state)
{
    struct target *target = target_start();
    struct target_state before = target_state_read(target);
    HPSS snapshot = NULL;

    (void)state;
    struct holder holder = hold_lock();
    DWORD error = pss.capture(target->process, PSS_CAPTURE_VA_CLONE, 0, &snapshot);
    let_go(holder);
    print_message("a clone: error %lu\n", error);
    if (error) {
        assert_same(error, ERROR_OPERATION_ABORTED);
        assert_null(snapshot);
    } else {
        free_snapshot(snapshot);
    }
    target_assert_unharmed(target, before);
    target_destroy(target);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_extended_contexts_are_not_waited_for),
        cmocka_unit_test(test_regions_of_another_process_are_told),
        cmocka_unit_test(test_clone_is_made_or_given_up),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("loader_lock", tests, ledger_warm_up, NULL);
}
