/* SPDX-License-Identifier: MIT */
/* What known clients of the API do with threads, one client per test. */
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#include <winternl.h>

#define THREADS PSS_CAPTURE_THREADS

static HPSS capture_self(DWORD flags)
{
    HPSS snapshot = NULL;

    assert_same(pss.capture(GetCurrentProcess(), flags, 0, &snapshot), ERROR_SUCCESS);
    return snapshot;
}

/* The source of a worker thread that does a client's work while the main thread waits. */
static void run_on_thread(DWORD(WINAPI *run)(void *), void *argument)
{
    HANDLE thread = CreateThread(NULL, 0, run, argument, 0, NULL);

    assert_non_null(thread);
    assert_same(WaitForSingleObject(thread, 30000), WAIT_OBJECT_0);
    CloseHandle(thread);
}

static void test_client_bad_access_guards_reads_stack_limits_from_each_teb(void **state)
{
    HPSS snapshot = capture_self(THREADS);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    const void *here = &records;
    DWORD found = 0;

    (void)state;
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_THREAD_ENTRY *entry = record_at(records, PSS_THREAD_ENTRY, i);
        if ((entry->Flags & PSS_THREAD_FLAGS_TERMINATED) || entry->ExitStatus != STILL_ACTIVE)
            continue;
        const NT_TIB *block = (const NT_TIB *)entry->TebBaseAddress;
        assert_non_null(block);
        assert_true(block->StackLimit < block->StackBase);
        found += here >= block->StackLimit && here < block->StackBase;
    }
    assert_same(found, 1);
    records_free(&records);
    free_snapshot(snapshot);
}

static void test_client_libportable_finds_its_own_pid_everywhere_and_ends_with_259(void **state)
{
    HPSS snapshot = capture_self(THREADS);
    PSS_THREAD_ENTRY entry;
    HPSSWALK marker = NULL;
    DWORD error;

    (void)state;
    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    while (!(error = pss.walk(snapshot, PSS_WALK_THREADS, marker, &entry, sizeof(entry))))
        assert_same(entry.ProcessId, GetCurrentProcessId());
    assert_same(error, ERROR_NO_MORE_ITEMS);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    free_snapshot(snapshot);
}

/* The main thread is the first entry that is not the caller. */
static DWORD WINAPI find_first_foreign(void *result)
{
    PSS_THREAD_ENTRY entry;
    HPSSWALK marker = NULL;
    HPSS snapshot = NULL;

    if (pss.capture(GetCurrentProcess(), THREADS, 0, &snapshot) || pss.marker_create(NULL, &marker))
        return 1;
    while (!*(DWORD *)result &&
           !pss.walk(snapshot, PSS_WALK_THREADS, marker, &entry, sizeof(entry)))
        if (entry.ThreadId != GetCurrentThreadId())
            *(DWORD *)result = entry.ThreadId;
    pss.marker_free(marker);
    pss.free(GetCurrentProcess(), snapshot);
    return 0;
}

static void test_client_translucent_flyouts_takes_the_first_foreign_thread_for_main(void **state)
{
    DWORD found = 0;

    (void)state;
    run_on_thread(find_first_foreign, &found);
    assert_same(found, GetCurrentThreadId());
}

static void test_client_main_thread_finder_takes_the_lowest_create_time(void **state)
{
    struct target *target = target_start();
    uint64_t lowest = UINT64_MAX;
    DWORD main_thread = 0;

    (void)state;
    target_call(target, TARGET_THREADS, 8, 0, 0, 0);
    HPSS snapshot = target_capture(target, THREADS, 0);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_THREAD_ENTRY *entry = record_at(records, PSS_THREAD_ENTRY, i);
        if (filetime_value(entry->CreateTime) < lowest) {
            lowest = filetime_value(entry->CreateTime);
            main_thread = entry->ThreadId;
        }
    }
    assert_same(main_thread, target->main_thread);
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_client_job_launcher_finds_the_initial_thread_and_resumes_it(void **state)
{
    struct target *target = target_start_never_ran();
    HPSS snapshot = target_capture(target, THREADS, 0);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);

    (void)state;
    DWORD id = record_at(records, PSS_THREAD_ENTRY, 0)->ThreadId;
    records_free(&records);
    free_snapshot(snapshot);
    assert_same(id, target->main_thread);
    target_run(target);
    target_destroy(target);
}

static void test_client_dotnet_fills_an_array_of_the_counted_length_unchecked(void **state)
{
    struct target *target = target_start();
    PSS_THREAD_INFORMATION information;
    HPSSWALK marker = NULL;
    HPSS snapshot = NULL;

    (void)state;
    target_call(target, TARGET_THREADS, 12, 0, 0, 0);
    HANDLE process = OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, target->pid);
    assert_same(pss.capture(process, THREADS, 0, &snapshot), ERROR_SUCCESS);
    query_fully(snapshot, 5, &information, sizeof(information));
    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    for (DWORD i = 0; i < information.ThreadsCaptured; i++) {
        PSS_THREAD_ENTRY entry;
        assert_same(pss.walk(snapshot, PSS_WALK_THREADS, marker, &entry, sizeof(entry)),
                    ERROR_SUCCESS);
        assert_in_range(entry.BasePriority, 0, 31);
        assert_in_range(entry.Priority, 0, 31);
        assert_non_null(entry.Win32StartAddress);
    }
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    free_snapshot(snapshot);
    CloseHandle(process);
    target_destroy(target);
}

static void test_client_datadog_walks_exactly_as_often_as_counted(void **state)
{
    const HANDLE self = (HANDLE)(intptr_t)-1;
    PSS_THREAD_INFORMATION threads;
    PSS_PROCESS_INFORMATION process;
    HPSSWALK marker = NULL;
    HPSS snapshot = NULL;
    DWORD alive = 0;

    (void)state;
    assert_same(pss.capture(self, THREADS, 0, &snapshot), ERROR_SUCCESS);
    query_fully(snapshot, 5, &threads, sizeof(threads));
    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    for (DWORD i = 0; i < threads.ThreadsCaptured; i++) {
        PSS_THREAD_ENTRY entry;
        assert_same(pss.walk(snapshot, PSS_WALK_THREADS, marker, &entry, sizeof(entry)),
                    ERROR_SUCCESS);
        alive += entry.Flags != PSS_THREAD_FLAGS_TERMINATED;
    }
    query_fully(snapshot, 0, &process, sizeof(process));
    assert_same(alive, 1);
    assert_true(process.PrivateUsage > 0);
    assert_true(filetime_value(process.CreateTime) > 0);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    assert_same(pss.free(self, snapshot), ERROR_SUCCESS);
}

/* The clients that capture stacks copy sizeof(CONTEXT) bytes and read from the stack pointer. */
static void test_client_hang_reporter_copies_each_context_and_reads_the_stack(void **state)
{
    struct target *target = target_start();
    DWORD copied = 0;

    (void)state;
    target_call(target, TARGET_THREADS, 3, 0, 0, 0);
    target_freeze(target);
    HPSS snapshot = target_capture(target, THREADS | PSS_CAPTURE_THREAD_CONTEXT, CONTEXT_FULL);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_THREAD_ENTRY *entry = record_at(records, PSS_THREAD_ENTRY, i);
        uint64_t top[4];
        if (!entry->ContextRecord)
            continue;
        CONTEXT context = *entry->ContextRecord;
#ifdef _WIN64
        const void *stack = (const void *)(uintptr_t)context.Rsp;
#else
        const void *stack = (const void *)(uintptr_t)context.Esp;
#endif
        assert_true(ReadProcessMemory(target->process, stack, top, sizeof(top), NULL));
        copied++;
    }
    assert_same(copied, records.count);
    records_free(&records);
    free_snapshot(snapshot);
    target_thaw(target);
    target_destroy(target);
}

static void test_client_leak_test_counts_threads_before_and_after(void **state)
{
    struct target *target = target_start();

    (void)state;
    HPSS before = target_capture(target, THREADS, 0);
    target_call(target, TARGET_THREADS, 7, 0, 0, 0);
    HPSS after = target_capture(target, THREADS, 0);
    assert_same(walk_count(after, PSS_WALK_THREADS), walk_count(before, PSS_WALK_THREADS) + 7);
    free_snapshot(before);
    free_snapshot(after);
    target_destroy(target);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_client_bad_access_guards_reads_stack_limits_from_each_teb),
        PSS_TEST(test_client_libportable_finds_its_own_pid_everywhere_and_ends_with_259),
        PSS_TEST(test_client_translucent_flyouts_takes_the_first_foreign_thread_for_main),
        PSS_TEST(test_client_main_thread_finder_takes_the_lowest_create_time),
        PSS_TEST(test_client_job_launcher_finds_the_initial_thread_and_resumes_it),
        PSS_TEST(test_client_dotnet_fills_an_array_of_the_counted_length_unchecked),
        PSS_TEST(test_client_datadog_walks_exactly_as_often_as_counted),
        PSS_TEST(test_client_hang_reporter_copies_each_context_and_reads_the_stack),
        PSS_TEST(test_client_leak_test_counts_threads_before_and_after),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clients_threads", tests, ledger_warm_up, NULL);
}
