/* SPDX-License-Identifier: MIT */
/* Targets that are large, restless or of the other bitness: captured completely all the same. */
#include "ledger.h"
#include "nt_calls.h"
#include "oracle.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define EVERYTHING 0x00001BFEu /* what a capture without a clone can hold */
#define SECTIONS   (PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION)
#define DETAILS                                                  \
    (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION | \
     PSS_CAPTURE_HANDLE_BASIC_INFORMATION | PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION)
#define CONTEXTS (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)
#define PAGE     4096u

static void test_target_with_3000_regions_is_complete(void **state)
{
    struct target *target = target_start();
    uint64_t base = target_call(target, TARGET_REGIONS, 3000, 0, 0, 0);
    HPSS snapshot = target_capture(target, SECTIONS, 0);
    struct records records = records_read(snapshot, PSS_WALK_VA_SPACE);
    DWORD found = 0;

    (void)state;
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_VA_SPACE_ENTRY *entry = record_at(records, PSS_VA_SPACE_ENTRY, i);
        if (address_of(entry->AllocationBase) != base)
            continue;
        assert_same(address_of(entry->BaseAddress), base + found * PAGE);
        assert_same(entry->RegionSize, PAGE);
        assert_same(entry->Protect, found % 2 ? PAGE_READWRITE : PAGE_READONLY);
        found++;
    }
    assert_same(found, 3000);
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_target_with_500_handles_of_each_kind_is_complete(void **state)
{
    static const struct {
        enum target_op op;
        PSS_OBJECT_TYPE type;
        const WCHAR *name;
    } kinds[] = {
        {TARGET_EVENT, PSS_OBJECT_TYPE_EVENT, L"Event"},
        {TARGET_MUTANT, PSS_OBJECT_TYPE_MUTANT, L"Mutant"},
        {TARGET_SEMAPHORE, PSS_OBJECT_TYPE_SEMAPHORE, L"Semaphore"},
        {TARGET_SECTION, PSS_OBJECT_TYPE_SECTION, L"Section"},
        {TARGET_PROCESS, PSS_OBJECT_TYPE_PROCESS, L"Process"},
        {TARGET_OPEN_THREAD, PSS_OBJECT_TYPE_THREAD, L"Thread"},
        {TARGET_TIMER, PSS_OBJECT_TYPE_UNKNOWN, L"Timer"},
    };
    enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), EACH = 500 };
    static uint64_t handles[KINDS][EACH];
    struct target *target = target_start();

    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        target_call(target, TARGET_MANY_HANDLES, kinds[kind].op, EACH, 0, 0);
        for (unsigned i = 0; i < EACH; i++)
            handles[kind][i] = target_value(target, i);
    }
    HPSS snapshot = target_capture(target, DETAILS, 0);
    struct records records = records_read(snapshot, PSS_WALK_HANDLES);
    assert_true(records.count >= KINDS * EACH);
    for (int kind = 0; kind < KINDS; kind++) {
        for (unsigned i = 0; i < EACH; i++) {
            const PSS_HANDLE_ENTRY *entry = find_handle(&records, handles[kind][i]);
            assert_same(entry->ObjectType, kinds[kind].type);
            assert_same(entry->HandleCount == 1, kinds[kind].type != PSS_OBJECT_TYPE_PROCESS &&
                                                     kinds[kind].type != PSS_OBJECT_TYPE_THREAD);
            assert_same((entry->Flags & PSS_HANDLE_HAVE_TYPE_SPECIFIC_INFORMATION) != 0,
                        kinds[kind].type != PSS_OBJECT_TYPE_UNKNOWN);
            assert_text_is(entry->TypeName, entry->TypeNameLength, kinds[kind].name);
        }
    }
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_target_with_200_threads_is_complete(void **state)
{
    struct target *target = target_start();
    DWORD ids[200];

    (void)state;
    target_call(target, TARGET_THREADS, 200, 0, 0, 0);
    for (unsigned i = 0; i < 200; i++)
        ids[i] = (DWORD)target_value(target, i);
    HPSS snapshot = target_capture(target, CONTEXTS, CONTEXT_ALL);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    assert_true(records.count >= 201);
    for (unsigned i = 0; i < 200; i++) {
        const PSS_THREAD_ENTRY *entry = find_thread(&records, ids[i]);
        assert_non_null(entry->ContextRecord);
        assert_same(entry->SuspendCount, 0);
    }
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void assert_sane_threads(const struct target *target, HPSS snapshot)
{
    struct records records = records_read(snapshot, PSS_WALK_THREADS);

    assert_same(record_at(records, PSS_THREAD_ENTRY, 0)->ThreadId, target->main_thread);
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_THREAD_ENTRY *entry = record_at(records, PSS_THREAD_ENTRY, i);
        assert_same(entry->ProcessId, target->pid);
        assert_true(entry->ThreadId != 0);
        assert_same(entry->ContextRecord == NULL, entry->SizeOfContextRecord == 0);
        if (entry->ExitStatus == STILL_ACTIVE)
            assert_same(entry->Flags, PSS_THREAD_FLAGS_NONE);
    }
    records_free(&records);
}

/* Threads, their stacks and handles come and go during each capture. */
static void test_target_that_starts_and_ends_threads_is_captured_every_time(void **state)
{
    struct target *target = target_start();

    (void)state;
    target_call(target, TARGET_CHURN, TRUE, 0, 0, 0);
    for (int i = 0; i < 25; i++) {
        HPSS snapshot = NULL;
        DWORD flags = i % 2 ? EVERYTHING : CONTEXTS;
        assert_same(pss.capture(target->process, flags, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
        assert_sane_threads(target, snapshot);
        free_snapshot(snapshot);
    }
    target_call(target, TARGET_CHURN, FALSE, 0, 0, 0);
    struct target_state state_after = target_state_read(target);
    assert_same(state_after.suspensions, 0);
    target_destroy(target);
}

static void test_target_that_starts_and_ends_threads_has_regions_without_gaps(void **state)
{
    struct target *target = target_start();

    (void)state;
    target_call(target, TARGET_CHURN, TRUE, 0, 0, 0);
    for (int i = 0; i < 10; i++) {
        HPSS snapshot = NULL;
        uint64_t next = 0;
        assert_same(pss.capture(target->process, SECTIONS, 0, &snapshot), ERROR_SUCCESS);
        struct records records = records_read(snapshot, PSS_WALK_VA_SPACE);
        for (DWORD r = 0; r < records.count; r++) {
            const PSS_VA_SPACE_ENTRY *entry = record_at(records, PSS_VA_SPACE_ENTRY, r);
            assert_same(address_of(entry->BaseAddress), next);
            next += entry->RegionSize;
        }
        records_free(&records);
        free_snapshot(snapshot);
    }
    target_call(target, TARGET_CHURN, FALSE, 0, 0, 0);
    target_destroy(target);
}

static void assert_complete(struct target *target)
{
    struct oracle_threads threads = oracle_threads_read(target->pid);
    struct oracle_handles handles = oracle_handles_read(target->process, target->pid);
    struct oracle_regions regions = oracle_regions_read(target->process);
    HPSS snapshot = target_capture(target, EVERYTHING, CONTEXT_FULL);

    assert_same(walk_count(snapshot, PSS_WALK_THREADS), threads.count);
    assert_same(walk_count(snapshot, PSS_WALK_HANDLES), handles.count);
    assert_same(walk_count(snapshot, PSS_WALK_VA_SPACE), regions.count);
    free_snapshot(snapshot);
    free(threads.entries);
    free(handles.entries);
    free(regions.entries);
}

static void test_target_of_the_other_bitness_is_complete(void **state)
{
    struct target *target = sizeof(void *) == 8 ? target_start_foreign() : NULL;

    (void)state;
    if (!target)
        skip_because(NO_OTHER_BITNESS);
    target_call(target, TARGET_THREADS, 10, 0, 0, 0);
    target_call(target, TARGET_MANY_HANDLES, TARGET_EVENT, 20, 0, 0);
    target_freeze(target);
    assert_complete(target);
    target_thaw(target);
    target_destroy(target);
}

static void test_target_captured_by_itself_is_complete(void **state)
{
    HPSS snapshot = NULL;

    (void)state;
    for (int i = 0; i < 20; i++) {
        struct oracle_threads threads = oracle_threads_read(GetCurrentProcessId());
        DWORD handles = nt_handles_count(GetCurrentProcessId());
        assert_same(pss.capture(GetCurrentProcess(), EVERYTHING, CONTEXT_ALL, &snapshot),
                    ERROR_SUCCESS);
        assert_same(walk_count(snapshot, PSS_WALK_THREADS), threads.count);
        assert_same(walk_count(snapshot, PSS_WALK_HANDLES), handles);
        free_snapshot(snapshot);
        free(threads.entries);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_target_with_3000_regions_is_complete),
        PSS_TEST(test_target_with_500_handles_of_each_kind_is_complete),
        PSS_TEST(test_target_with_200_threads_is_complete),
        PSS_TEST(test_target_that_starts_and_ends_threads_is_captured_every_time),
        PSS_TEST(test_target_that_starts_and_ends_threads_has_regions_without_gaps),
        PSS_TEST(test_target_of_the_other_bitness_is_complete),
        PSS_TEST(test_target_captured_by_itself_is_complete),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("odd_targets", tests, ledger_warm_up, NULL);
}
