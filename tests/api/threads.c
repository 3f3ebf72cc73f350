/* SPDX-License-Identifier: MIT */
/* Walk class 3 without contexts: every field against the oracle and the target's own truth. */
#include "ledger.h"
#include "nt_calls.h"
#include "oracle.h"
#include "records.h"
#include "target.h"
#include "under_test.h"
#include "waiters.h"

static uint64_t now(void)
{
    FILETIME time;

    GetSystemTimeAsFileTime(&time);
    return filetime_value(time);
}

static struct records capture_threads(struct target *target, HPSS *snapshot)
{
    *snapshot = target_capture(target, PSS_CAPTURE_THREADS, 0);
    return records_read(*snapshot, PSS_WALK_THREADS);
}

static void assert_no_context(const PSS_THREAD_ENTRY *entry)
{
    assert_same(entry->SizeOfContextRecord, 0);
    assert_null(entry->ContextRecord);
}

/* Processor times may still be booked while the thread is already stopped. */
static void assert_like_oracle(const PSS_THREAD_ENTRY *entry, const struct oracle_thread *thread,
                               const struct oracle_thread *later)
{
    assert_same(entry->ThreadId, thread->id);
    assert_same(entry->ExitStatus, thread->exit_code);
    assert_same(address_of(entry->TebBaseAddress), thread->teb);
    assert_same(entry->AffinityMask, thread->affinity);
    assert_same(entry->Priority, thread->priority);
    assert_same(entry->BasePriority, thread->base_priority);
    assert_same(filetime_value(entry->CreateTime), thread->create_time);
    assert_same(filetime_value(entry->ExitTime), 0);
    assert_in_range(filetime_value(entry->KernelTime), thread->kernel_time, later->kernel_time);
    assert_in_range(filetime_value(entry->UserTime), thread->user_time, later->user_time);
    assert_same(address_of(entry->Win32StartAddress), thread->start_address);
    assert_same(entry->SuspendCount, thread->suspend_count);
    assert_same(entry->Flags, PSS_THREAD_FLAGS_NONE);
}

static void assert_threads_like_oracle(struct target *target)
{
    HPSS snapshot;

    target_freeze(target);
    struct oracle_threads before = oracle_threads_read(target->pid);
    struct records records = capture_threads(target, &snapshot);
    struct oracle_threads after = oracle_threads_read(target->pid);
    assert_same(records.count, before.count);
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_THREAD_ENTRY *entry = record_at(records, PSS_THREAD_ENTRY, i);
        assert_like_oracle(entry, &before.entries[i], &after.entries[i]);
        assert_same(entry->ProcessId, target->pid);
        assert_no_context(entry);
    }
    records_free(&records);
    free_snapshot(snapshot);
    free(before.entries);
    free(after.entries);
    target_thaw(target);
}

static void test_threads_of_frozen_target_equal_the_oracle(void **state)
{
    struct target *target = target_start();

    (void)state;
    target_call(target, TARGET_THREADS, 10, 0, 0, 0);
    target_call(target, TARGET_THREAD, TARGET_THREAD_WAITS, 0, TRUE, 0);
    target_call(target, TARGET_THREAD, TARGET_THREAD_WAITS, THREAD_PRIORITY_HIGHEST, 0, 0);
    target_call(target, TARGET_PARK, FALSE, 0, 0, 0);
    assert_threads_like_oracle(target);
    target_destroy(target);
}

static void test_threads_of_wow64_target_equal_the_oracle(void **state)
{
    struct target *target = sizeof(void *) == 8 ? target_start_foreign() : NULL;

    (void)state;
    if (!target)
        skip_because(NO_OTHER_BITNESS);
    target_call(target, TARGET_THREADS, 3, 0, 0, 0);
    assert_threads_like_oracle(target);
    target_destroy(target);
}

static void test_threads_are_oldest_first_and_begin_with_the_main_thread(void **state)
{
    struct target *target = target_start();
    HPSS snapshot;

    (void)state;
    target_call(target, TARGET_THREADS, 20, 0, 0, 0);
    DWORD last_started = (DWORD)target_value(target, 19);
    struct records records = capture_threads(target, &snapshot);
    assert_true(records.count >= 21);
    assert_same(record_at(records, PSS_THREAD_ENTRY, 0)->ThreadId, target->main_thread);
    for (DWORD i = 1; i < records.count; i++) {
        const PSS_THREAD_ENTRY *older = record_at(records, PSS_THREAD_ENTRY, i - 1);
        const PSS_THREAD_ENTRY *entry = record_at(records, PSS_THREAD_ENTRY, i);
        uint64_t before = filetime_value(older->CreateTime);
        uint64_t after = filetime_value(entry->CreateTime);
        assert_true(before < after || (before == after && older->ThreadId < entry->ThreadId));
    }
    find_thread(&records, last_started);
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_thread_reports_what_it_knows_of_itself(void **state)
{
    struct target *target = target_start();
    HPSS snapshot;

    (void)state;
    target_call(target, TARGET_THREAD, TARGET_THREAD_WAITS, 0, 0, 0);
    DWORD id = (DWORD)target_value(target, 0);
    uint64_t teb = target_value(target, 1);
    uint64_t start = target_value(target, 2);
    struct records records = capture_threads(target, &snapshot);
    const PSS_THREAD_ENTRY *entry = find_thread(&records, id);
    assert_same(address_of(entry->TebBaseAddress), teb);
    assert_same(address_of(entry->Win32StartAddress), start);
    assert_same(entry->ExitStatus, STILL_ACTIVE);
    assert_same(entry->ProcessId, target->pid);
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_thread_priority_is_the_kernels(void **state)
{
    static const int priorities[][2] = {
        {THREAD_PRIORITY_IDLE, 1},           {THREAD_PRIORITY_LOWEST, 6},
        {THREAD_PRIORITY_BELOW_NORMAL, 7},   {THREAD_PRIORITY_NORMAL, 8},
        {THREAD_PRIORITY_ABOVE_NORMAL, 9},   {THREAD_PRIORITY_HIGHEST, 10},
        {THREAD_PRIORITY_TIME_CRITICAL, 15},
    };
    struct target *target = target_start();

    (void)state;
    for (size_t i = 0; i < sizeof(priorities) / sizeof(priorities[0]); i++) {
        HPSS snapshot;
        target_call(target, TARGET_THREAD, TARGET_THREAD_WAITS, (uint64_t)(int64_t)priorities[i][0],
                    0, 0);
        DWORD id = (DWORD)target_value(target, 0);
        struct records records = capture_threads(target, &snapshot);
        const PSS_THREAD_ENTRY *entry = find_thread(&records, id);
        assert_same(entry->BasePriority, priorities[i][1]);
        assert_in_range(entry->Priority, entry->BasePriority, 31);
        records_free(&records);
        free_snapshot(snapshot);
    }
    target_destroy(target);
}

static void test_thread_suspend_count_is_the_targets_own(void **state)
{
    static const DWORD flags[] = {PSS_CAPTURE_THREADS,
                                  PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT};
    struct target *target = target_start();

    (void)state;
    target_call(target, TARGET_THREAD, TARGET_THREAD_WAITS, 0, TRUE, 0);
    DWORD id = (DWORD)target_value(target, 0);
    HANDLE thread = OpenThread(THREAD_ALL_ACCESS, FALSE, id);
    for (DWORD count = 1; count <= 3; count++) {
        for (int i = 0; i < 2; i++) {
            HPSS snapshot = target_capture(target, flags[i], CONTEXT_ALL);
            struct records records = records_read(snapshot, PSS_WALK_THREADS);
            assert_same(find_thread(&records, id)->SuspendCount, count);
            assert_same(find_thread(&records, target->main_thread)->SuspendCount, 0);
            records_free(&records);
            free_snapshot(snapshot);
        }
        assert_same(SuspendThread(thread), count);
    }
    CloseHandle(thread);
    target_destroy(target);
}

/* Whether this system enumerates a thread that has ended but is still open. */
static bool is_enumerated(const struct target *target, DWORD id)
{
    HANDLE thread = NULL;
    HANDLE next = NULL;
    bool found = false;

    while (NT_SUCCESS(NtGetNextThread(target->process, thread, THREAD_ALL_ACCESS, 0, 0, &next))) {
        if (thread)
            CloseHandle(thread);
        thread = next;
        found = found || GetThreadId(thread) == id;
    }
    if (thread)
        CloseHandle(thread);
    return found;
}

static void test_thread_ended_with_open_handle_is_listed_as_terminated(void **state)
{
    struct target *target = target_start();
    HPSS snapshot;

    (void)state;
    target_call(target, TARGET_THREAD, TARGET_THREAD_ENDS, 0, 0, 0);
    DWORD id = (DWORD)target_value(target, 0);
    if (!is_enumerated(target, id)) {
        skip_because("this system does not enumerate ended threads");
    }
    struct records records = capture_threads(target, &snapshot);
    const PSS_THREAD_ENTRY *entry = find_thread(&records, id);
    assert_same(entry->Flags, PSS_THREAD_FLAGS_TERMINATED);
    assert_same(entry->ExitStatus, 77);
    assert_true(filetime_value(entry->ExitTime) >= filetime_value(entry->CreateTime));
    assert_no_context(entry);
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_thread_ended_never_appears_as_alive(void **state)
{
    struct target *target = target_start();
    HPSS snapshot;

    (void)state;
    uint64_t handle = target_call(target, TARGET_THREAD, TARGET_THREAD_WAITS, 0, 0, 0);
    DWORD waiting = (DWORD)target_value(target, 0);
    target_call(target, TARGET_END_THREAD, handle, 5, 0, 0);
    struct records records = capture_threads(target, &snapshot);
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_THREAD_ENTRY *entry = record_at(records, PSS_THREAD_ENTRY, i);
        if (entry->ThreadId != waiting) {
            assert_same(entry->ExitStatus, STILL_ACTIVE);
            assert_same(entry->Flags, PSS_THREAD_FLAGS_NONE);
        } else {
            assert_same(entry->ExitStatus, 5);
            assert_same(entry->Flags, PSS_THREAD_FLAGS_TERMINATED);
        }
    }
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_thread_capture_time_lies_within_the_call(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = NULL;

    (void)state;
    uint64_t before = now();
    assert_same(pss.capture(target->process, PSS_CAPTURE_THREADS, 0, &snapshot), ERROR_SUCCESS);
    uint64_t after = now();
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    for (DWORD i = 0; i < records.count; i++)
        assert_in_range(filetime_value(record_at(records, PSS_THREAD_ENTRY, i)->CaptureTime),
                        before, after);
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_threads_of_self_are_exactly_ours(void **state)
{
    struct waiters waiters;
    HPSS snapshot = NULL;

    (void)state;
    waiters_start(&waiters);
    struct oracle_threads oracle = oracle_threads_read(GetCurrentProcessId());
    assert_same(pss.capture(GetCurrentProcess(), PSS_CAPTURE_THREADS, 0, &snapshot), ERROR_SUCCESS);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    assert_same(records.count, oracle.count);
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_THREAD_ENTRY *entry = record_at(records, PSS_THREAD_ENTRY, i);
        assert_same(entry->ThreadId, oracle.entries[i].id);
        assert_same(entry->ProcessId, GetCurrentProcessId());
        assert_same(address_of(entry->TebBaseAddress), oracle.entries[i].teb);
        assert_same(entry->SuspendCount, 0);
    }
    assert_ptr_equal(find_thread(&records, GetCurrentThreadId())->TebBaseAddress, NtCurrentTeb());
    for (int i = 0; i < WAITERS; i++)
        assert_ptr_equal(find_thread(&records, waiters.ids[i])->Win32StartAddress,
                         (void *)(uintptr_t)waiters_run);
    records_free(&records);
    free_snapshot(snapshot);
    free(oracle.entries);
    waiters_stop(&waiters);
}

static void test_thread_padding_is_zero(void **state)
{
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(), PSS_CAPTURE_THREADS, 0, &snapshot), ERROR_SUCCESS);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    const unsigned char *bytes = records.entries;
    for (size_t i = sizeof(DWORD); i < offsetof(PSS_THREAD_ENTRY, TebBaseAddress); i++)
        assert_same(bytes[i], 0);
    for (size_t i = offsetof(PSS_THREAD_ENTRY, LastSyscallNumber) + sizeof(WORD);
         i < offsetof(PSS_THREAD_ENTRY, CreateTime); i++)
        assert_same(bytes[i], 0);
    records_free(&records);
    free_snapshot(snapshot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_threads_of_frozen_target_equal_the_oracle),
        PSS_TEST(test_threads_of_wow64_target_equal_the_oracle),
        PSS_TEST(test_threads_are_oldest_first_and_begin_with_the_main_thread),
        PSS_TEST(test_thread_reports_what_it_knows_of_itself),
        PSS_TEST(test_thread_priority_is_the_kernels),
        PSS_TEST(test_thread_suspend_count_is_the_targets_own),
        PSS_TEST(test_thread_ended_with_open_handle_is_listed_as_terminated),
        PSS_TEST(test_thread_ended_never_appears_as_alive),
        PSS_TEST(test_thread_capture_time_lies_within_the_call),
        PSS_TEST(test_threads_of_self_are_exactly_ours),
        PSS_TEST(test_thread_padding_is_zero),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("threads", tests, ledger_warm_up, NULL);
}
