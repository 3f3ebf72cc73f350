/* SPDX-License-Identifier: MIT */
/* Targets with very many handles, regions and threads: all are captured, walked and counted. */
#include "ledger.h"
#include "nt_calls.h"
#include "records.h"
#include "soak.h"
#include "target.h"
#include "under_test.h"

#define PAGE_BYTES      0x1000u
#define HANDLES_AT_ONCE 4000u
#define THREADS_AT_ONCE 200u
#define CONTEXTS        (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)
#define HANDLES_AND_NAMES                                        \
    (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION | \
     PSS_CAPTURE_HANDLE_BASIC_INFORMATION)

/* What a capture takes is told, and judged by nobody: machines differ. */
static HPSS capture(const struct target *target, const char *what, DWORD count, DWORD flags)
{
    LARGE_INTEGER begin, end, frequency;
    HPSS snapshot = NULL;

    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&begin);
    DWORD error = pss.capture(target->process, flags, CONTEXT_ALL, &snapshot);
    QueryPerformanceCounter(&end);
    if (error)
        fail_msg("a capture of %lu %s failed: %lu", count, what, error);
    double seconds = (double)(end.QuadPart - begin.QuadPart) / (double)frequency.QuadPart;
    print_message("%lu %s, flags 0x%lx: %.2f s, %.1f us each\n", count, what, flags, seconds,
                  seconds * 1e6 / count);
    return snapshot;
}

static void check_handles(HPSS snapshot, const struct target *target, DWORD count)
{
    static const DWORD types[] = {PSS_OBJECT_TYPE_EVENT, PSS_OBJECT_TYPE_MUTANT,
                                  PSS_OBJECT_TYPE_SEMAPHORE};
    struct records handles = records_read(snapshot, PSS_WALK_HANDLES);
    DWORD found[3] = {0};

    assert_same(handles.count, nt_handles_count(target->pid));
    for (DWORD i = 0; i < handles.count; i++) {
        const PSS_HANDLE_ENTRY *entry = record_at(handles, PSS_HANDLE_ENTRY, i);

        if (i)
            assert_true(address_of(entry->Handle) >
                        address_of(record_at(handles, PSS_HANDLE_ENTRY, i - 1)->Handle));
        for (int k = 0; k < 3; k++)
            found[k] += entry->ObjectType == types[k] ? 1 : 0;
    }
    for (int k = 0; k < 3; k++)
        assert_true(found[k] >= count / 3);
    records_free(&handles);
}

static void test_handles_in_very_large_number_are_all_listed(void **state)
{
    DWORD whole = soak_or(6000, 100000) / 3 * 3, made = 0;
    struct target *target = target_start();

    (void)state;
    for (DWORD i = 0; made < whole; i++) {
        static const enum target_op ops[] = {TARGET_EVENT, TARGET_MUTANT, TARGET_SEMAPHORE};
        DWORD rest = whole / 3 - made / 3, part = rest < HANDLES_AT_ONCE ? rest : HANDLES_AT_ONCE;

        for (int k = 0; k < 3; k++)
            target_call(target, TARGET_MANY_HANDLES, ops[k], part, 0, 0);
        made += 3 * part;
    }
    free_snapshot(capture(target, "handles", whole, PSS_CAPTURE_HANDLES));
    HPSS snapshot = capture(target, "handles", whole, HANDLES_AND_NAMES);
    check_handles(snapshot, target, whole);
    free_snapshot(snapshot);
}

/* They lie in one allocation, alternately committed and not. */
static void check_regions(HPSS snapshot, uint64_t base, DWORD count)
{
    struct records regions = records_read(snapshot, PSS_WALK_VA_SPACE);
    DWORD found = 0;

    for (DWORD i = 0; i < regions.count; i++) {
        const PSS_VA_SPACE_ENTRY *entry = record_at(regions, PSS_VA_SPACE_ENTRY, i);

        if (address_of(entry->AllocationBase) != base || entry->State == MEM_FREE)
            continue;
        assert_same(address_of(entry->BaseAddress), base + (uint64_t)found * PAGE_BYTES);
        assert_same(entry->State, found % 2 ? MEM_RESERVE : MEM_COMMIT);
        found++;
        assert_same(entry->RegionSize, PAGE_BYTES);
    }
    assert_same(found, count);
    records_free(&regions);
}

static void test_regions_in_very_large_number_are_all_listed(void **state)
{
    DWORD whole = soak_or(6000, 100000);
    struct target *target = target_start();
    uint64_t base = target_call(target, TARGET_REGIONS, whole, TRUE, 0, 0);

    (void)state;
    HPSS snapshot = capture(target, "regions", whole, PSS_CAPTURE_VA_SPACE);
    check_regions(snapshot, base, whole);
    free_snapshot(snapshot);
    free_snapshot(capture(target, "regions", whole,
                          PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION));
}

static void check_threads(HPSS snapshot, const DWORD *ids, DWORD count)
{
    struct records threads = records_read(snapshot, PSS_WALK_THREADS);

    assert_same(threads.count, count + 1); /* the main thread, and as they were started */
    for (DWORD i = 0; i < count; i++) {
        const PSS_THREAD_ENTRY *entry = record_at(threads, PSS_THREAD_ENTRY, i + 1);

        assert_same(find_thread(&threads, ids[i])->ThreadId, ids[i]);
        assert_non_null(entry->TebBaseAddress);
        assert_non_null(entry->ContextRecord);
        assert_same(entry->SuspendCount, 0);
    }
    records_free(&threads);
}

static void test_threads_in_very_large_number_are_all_listed_and_run_on(void **state)
{
    DWORD whole = soak_or(300, 2000);
    DWORD *ids = (DWORD *)calloc(whole, sizeof(*ids));
    struct target *target = target_start();

    (void)state;
    for (DWORD made = 0; made < whole; made += THREADS_AT_ONCE) {
        DWORD part = whole - made < THREADS_AT_ONCE ? whole - made : THREADS_AT_ONCE;

        target_call(target, TARGET_THREADS, part, 0, 0, 0);
        for (DWORD i = 0; i < part; i++)
            ids[made + i] = (DWORD)target_value(target, i);
    }
    struct target_state before = target_state_read(target);
    free_snapshot(capture(target, "threads", whole, PSS_CAPTURE_THREADS));
    HPSS snapshot = capture(target, "threads", whole, CONTEXTS);
    check_threads(snapshot, ids, whole);
    free_snapshot(snapshot);
    target_assert_unharmed(target, before);
    free(ids);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_handles_in_very_large_number_are_all_listed),
        PSS_TEST(test_regions_in_very_large_number_are_all_listed),
        PSS_TEST(test_threads_in_very_large_number_are_all_listed_and_run_on),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("load_large", tests, ledger_warm_up, NULL);
}
