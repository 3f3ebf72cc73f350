/* SPDX-License-Identifier: MIT */
/* Query class 6: a trace where the system keeps one, and 1168 where it does not. */
#include "ledger.h"
#include "nt_calls.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

static DWORD query_trace(HANDLE process, PSS_HANDLE_TRACE_INFORMATION *trace, HPSS *snapshot)
{
    assert_same(pss.capture(process, PSS_CAPTURE_HANDLE_TRACE, 0, snapshot), ERROR_SUCCESS);
    memset(trace, 0x5C, sizeof(*trace));
    return pss.query(*snapshot, PSS_QUERY_HANDLE_TRACE_INFORMATION, trace, sizeof(*trace));
}

static void test_handle_trace_of_untraced_process_is_not_found(void **state)
{
    struct target *target = target_start();
    PSS_HANDLE_TRACE_INFORMATION trace;
    PSS_HANDLE_TRACE_INFORMATION untouched;
    HPSS snapshot;

    (void)state;
    memset(&untouched, 0x5C, sizeof(untouched));
    assert_same(query_trace(target->process, &trace, &snapshot), ERROR_NOT_FOUND);
    assert_memory_equal(&trace, &untouched, sizeof(trace));
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_handle_trace_of_traced_process_is_a_section(void **state)
{
    /* source: phnt ntpsapi.h, PROCESS_HANDLE_TRACING_ENABLE_EX */
    struct {
        ULONG flags;
        ULONG slots;
    } enable = {0, 128};
    struct target *target = target_start();
    PSS_HANDLE_TRACE_INFORMATION trace;
    HPSS snapshot;

    (void)state;
    if (!NT_SUCCESS(NtSetInformationProcess(target->process,
                                            (PROCESSINFOCLASS)NT_PROCESS_HANDLE_TRACING, &enable,
                                            sizeof(enable)))) {
        target_destroy(target);
        skip_because("this system does not trace handles");
    }
    target_call(target, TARGET_EVENT, 0, 0, 0, 0);
    assert_same(query_trace(target->process, &trace, &snapshot), ERROR_SUCCESS);
    assert_non_null(trace.SectionHandle);
    assert_true(trace.Size > 0);
    void *view = MapViewOfFile(trace.SectionHandle, FILE_MAP_READ, 0, 0, trace.Size);
    assert_non_null(view);
    UnmapViewOfFile(view);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_handle_trace_captured_with_everything_does_not_fail_the_capture(void **state)
{
    PSS_HANDLE_TRACE_INFORMATION trace;
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(),
                            PSS_CAPTURE_HANDLE_TRACE | PSS_CAPTURE_HANDLES | PSS_CAPTURE_THREADS, 0,
                            &snapshot),
                ERROR_SUCCESS);
    assert_same(pss.query(snapshot, PSS_QUERY_HANDLE_TRACE_INFORMATION, &trace, sizeof(trace)),
                ERROR_NOT_FOUND);
    assert_true(walk_count(snapshot, PSS_WALK_HANDLES) > 0);
    free_snapshot(snapshot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_handle_trace_of_untraced_process_is_not_found),
        PSS_TEST(test_handle_trace_of_traced_process_is_a_section),
        PSS_TEST(test_handle_trace_captured_with_everything_does_not_fail_the_capture),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("handle_trace", tests, ledger_warm_up, NULL);
}
