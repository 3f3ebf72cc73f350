/* SPDX-License-Identifier: MIT */
/* Query class 7: microseconds and cycles that fit together; how long anything takes is not judged.
 */
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define MEASURE PSS_CREATE_MEASURE_PERFORMANCE
#define EVERYTHING                                                                            \
    (MEASURE | PSS_CAPTURE_RESERVED_00000002 | PSS_CAPTURE_HANDLES |                          \
     PSS_CAPTURE_HANDLE_NAME_INFORMATION | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT | \
     PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION)

static PSS_PERFORMANCE_COUNTERS capture_counters(HANDLE process, DWORD flags)
{
    PSS_PERFORMANCE_COUNTERS counters;
    HPSS snapshot = NULL;

    assert_same(pss.capture(process, flags, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    query_fully(snapshot, PSS_QUERY_PERFORMANCE_COUNTERS, &counters, sizeof(counters));
    free_snapshot(snapshot);
    return counters;
}

static uint64_t elapsed_microseconds(LARGE_INTEGER start)
{
    LARGE_INTEGER end;
    LARGE_INTEGER frequency;

    QueryPerformanceCounter(&end);
    QueryPerformanceFrequency(&frequency);
    return (uint64_t)((end.QuadPart - start.QuadPart) * 1000000 / frequency.QuadPart);
}

static void test_performance_total_lies_within_the_call(void **state)
{
    struct target *target = target_start();
    LARGE_INTEGER start;

    (void)state;
    for (int i = 0; i < 5; i++) {
        QueryPerformanceCounter(&start);
        PSS_PERFORMANCE_COUNTERS counters = capture_counters(target->process, EVERYTHING);
        /* In other units it would be ten or a thousand times as much, or nothing. */
        assert_true(counters.TotalWallClockPeriod > 0);
        assert_true(counters.TotalWallClockPeriod <= elapsed_microseconds(start) + 1);
        assert_true(counters.TotalCycleCount > 0);
    }
    target_destroy(target);
}

static void test_performance_total_is_in_microseconds(void **state)
{
    struct target *target = target_start();
    uint64_t outside = 0;
    uint64_t inside = 0;

    (void)state;
    target_call(target, TARGET_REGIONS, 500, 0, 0, 0);
    for (int i = 0; i < 10; i++) {
        LARGE_INTEGER start;
        PSS_PERFORMANCE_COUNTERS counters;
        HPSS snapshot = NULL;
        QueryPerformanceCounter(&start);
        assert_same(pss.capture(target->process, MEASURE | PSS_CAPTURE_VA_SPACE, 0, &snapshot),
                    ERROR_SUCCESS);
        outside += elapsed_microseconds(start);
        query_fully(snapshot, PSS_QUERY_PERFORMANCE_COUNTERS, &counters, sizeof(counters));
        inside += counters.TotalWallClockPeriod;
        free_snapshot(snapshot);
    }
    /* The call is little else than the capture: milliseconds or 100 ns units would be far off. */
    assert_true(inside <= outside + 10);
    assert_true(inside * 4 > outside);
    target_destroy(target);
}

static void test_performance_phases_sum_up_to_no_more_than_the_total(void **state)
{
    struct target *target = target_start();

    (void)state;
    for (int i = 0; i < 5; i++) {
        PSS_PERFORMANCE_COUNTERS counters = capture_counters(target->process, EVERYTHING);
        assert_true(counters.VaCloneWallClockPeriod + counters.VaSpaceWallClockPeriod +
                        counters.AuxPagesWallClockPeriod + counters.HandlesWallClockPeriod +
                        counters.ThreadsWallClockPeriod <=
                    counters.TotalWallClockPeriod);
        assert_true(counters.VaCloneCycleCount + counters.VaSpaceCycleCount +
                        counters.AuxPagesCycleCount + counters.HandlesCycleCount +
                        counters.ThreadsCycleCount <=
                    counters.TotalCycleCount);
        assert_true(counters.VaSpaceCycleCount > 0);
        assert_true(counters.HandlesCycleCount > 0);
        assert_true(counters.ThreadsCycleCount > 0);
        assert_true(counters.AuxPagesCycleCount > 0);
        assert_same(counters.VaCloneCycleCount, 0);
    }
    target_destroy(target);
}

static void test_performance_phases_not_run_are_zero(void **state)
{
    static const struct {
        DWORD flag;
        size_t cycles; /* offset of the phase that runs, 0 for none */
    } rows[] = {
        {0, 0},
        {PSS_CAPTURE_VA_SPACE, offsetof(PSS_PERFORMANCE_COUNTERS, VaSpaceCycleCount)},
        {PSS_CAPTURE_RESERVED_00000002, offsetof(PSS_PERFORMANCE_COUNTERS, AuxPagesCycleCount)},
        {PSS_CAPTURE_HANDLES, offsetof(PSS_PERFORMANCE_COUNTERS, HandlesCycleCount)},
        {PSS_CAPTURE_THREADS, offsetof(PSS_PERFORMANCE_COUNTERS, ThreadsCycleCount)},
    };
    struct target *target = target_start();

    (void)state;
    only_ours();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        PSS_PERFORMANCE_COUNTERS counters =
            capture_counters(target->process, MEASURE | rows[i].flag);
        for (size_t phase = 16; phase < sizeof(counters); phase += 16) {
            const uint64_t *pair = (const uint64_t *)((const char *)&counters + phase);
            if (phase == rows[i].cycles) {
                assert_true(pair[0] > 0);
            } else {
                assert_same(pair[0], 0);
                assert_same(pair[1], 0);
            }
        }
    }
    target_destroy(target);
}

static void test_performance_not_measured_is_not_found(void **state)
{
    PSS_PERFORMANCE_COUNTERS counters;
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(), PSS_CAPTURE_THREADS, 0, &snapshot), ERROR_SUCCESS);
    assert_same(pss.query(snapshot, PSS_QUERY_PERFORMANCE_COUNTERS, &counters, sizeof(counters)),
                ERROR_NOT_FOUND);
    free_snapshot(snapshot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_performance_total_lies_within_the_call),
        PSS_TEST(test_performance_total_is_in_microseconds),
        PSS_TEST(test_performance_phases_sum_up_to_no_more_than_the_total),
        PSS_TEST(test_performance_phases_not_run_are_zero),
        PSS_TEST(test_performance_not_measured_is_not_found),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("performance", tests, ledger_warm_up, NULL);
}
