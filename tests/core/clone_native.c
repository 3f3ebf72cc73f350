/* SPDX-License-Identifier: MIT */
/* The native strategy with a stand-in for the service that the system may lack. */
#include "api/api.h"

#include "faulty_nt.h"
#include "subject.h"

#define FLAGS PSS_CAPTURE_VA_CLONE
#define BASE  PSS_NT_CREATE_NO_DEBUG_INHERIT
#define CALLS 4u /* that are remembered */

static struct subject child;

/* What the stand-in was called with, and what it refuses. */
static struct {
    uint32_t count;
    ULONG flags[CALLS];
    HANDLE parent;
    ULONG refused;
    NTSTATUS status;
    bool is_missing;   /* it says that it is not there */
    bool saw_a_freeze; /* the target stood still */
} stand_in;

/* A process that does nothing: this program, suspended. */
static NTSTATUS make_process(HANDLE *process)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION made;
    WCHAR path[MAX_PATH];

    GetModuleFileNameW(NULL, path, MAX_PATH);
    if (!CreateProcessW(path, NULL, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &startup,
                        &made))
        return STATUS_UNSUCCESSFUL;
    CloseHandle(made.hThread);
    *process = made.hProcess;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI create_process(HANDLE *process, ACCESS_MASK access, OBJECT_ATTRIBUTES *object,
                                     HANDLE parent, ULONG flags, HANDLE section, HANDLE debug_port,
                                     HANDLE token, ULONG reserved)
{
    if (stand_in.is_missing)
        return STATUS_NOT_IMPLEMENTED;
    if (!parent)
        return STATUS_INVALID_PARAMETER; /* as Windows says */
    assert_same(access, PROCESS_ALL_ACCESS);
    assert_true(!object && !section && !debug_port && !token && !reserved);
    stand_in.parent = parent;
    stand_in.saw_a_freeze = faulty_ledger().suspends != 0;
    if (stand_in.count < CALLS)
        stand_in.flags[stand_in.count] = flags;
    stand_in.count++;
    return flags & stand_in.refused ? stand_in.status : make_process(process);
}

static void *NTAPI find_service(const char *name)
{
    if (!strcmp(name, "NtCreateProcessEx"))
        return (void *)create_process;
    return pss_nt_system()->find_service(name);
}

static NTSTATUS capture(uint32_t flags, HPSS *snapshot)
{
    stand_in.count = 0;
    *snapshot = NULL;
    return subject_capture(&child, flags, snapshot);
}

static void free_clean(HPSS snapshot)
{
    subject_check_and_free(snapshot, "native");
    faulty_assert_clean("native");
}

static void test_native_clone_is_asked_for_once(void **state)
{
    PSS_VA_CLONE_DETAILS details;
    HPSS snapshot;

    (void)state;
    assert_int_equal(capture(FLAGS, &snapshot), STATUS_SUCCESS);
    assert_same(stand_in.count, 1);
    assert_same(stand_in.flags[0], BASE);
    assert_true(stand_in.parent == child.process);
    assert_int_equal(pss_snapshot_query(faulty_nt(), snapshot, PSS_QUERY_VA_CLONE_DETAILS, &details,
                                        sizeof(details)),
                     STATUS_SUCCESS);
    assert_same(details.Strategy, PSS_CLONE_NATIVE);
    assert_same(details.Route, PSS_CLONE_ROUTE_NONE);
    assert_same(details.BytesCommitted | details.BytesHeld | details.BytesMissing, 0);
    assert_same(faulty_calls_of(FAULTY_create_user_process), 0);
    free_clean(snapshot);
}

/* Without contexts the target is never stopped; with them it stands still for the clone. */
static void test_native_clone_stops_the_target_for_contexts_only(void **state)
{
    HPSS snapshot;

    (void)state;
    assert_int_equal(capture(FLAGS | PSS_CAPTURE_THREADS, &snapshot), STATUS_SUCCESS);
    assert_same(faulty_calls_of(FAULTY_suspend_thread), 0);
    free_clean(snapshot);
    assert_int_equal(capture(FLAGS | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT, &snapshot),
                     STATUS_SUCCESS);
    assert_true(stand_in.saw_a_freeze);
    free_clean(snapshot);
    subject_assert_suspended(&child, 0, "native");
}

static void test_flags_that_are_refused_fall_back_or_fail(void **state)
{
    static const struct {
        uint32_t flags;
        ULONG refused;
        NTSTATUS status, result;
        uint32_t count;
        ULONG expected[2];
    } cases[] = {
        {PSS_CREATE_BREAKAWAY,
         PSS_NT_CREATE_BREAKAWAY,
         STATUS_ACCESS_DENIED,
         STATUS_ACCESS_DENIED,
         1,
         {BASE | PSS_NT_CREATE_BREAKAWAY}},
        {PSS_CREATE_BREAKAWAY | PSS_CREATE_BREAKAWAY_OPTIONAL,
         PSS_NT_CREATE_BREAKAWAY,
         STATUS_ACCESS_DENIED,
         STATUS_SUCCESS,
         2,
         {BASE | PSS_NT_CREATE_BREAKAWAY, BASE}},
        {PSS_CREATE_FORCE_BREAKAWAY,
         PSS_NT_CREATE_FORCE_BREAKAWAY,
         STATUS_PRIVILEGE_NOT_HELD,
         STATUS_PRIVILEGE_NOT_HELD,
         1,
         {BASE | PSS_NT_CREATE_FORCE_BREAKAWAY}},
        {PSS_CREATE_FORCE_BREAKAWAY | PSS_CREATE_BREAKAWAY_OPTIONAL,
         PSS_NT_CREATE_FORCE_BREAKAWAY,
         STATUS_PRIVILEGE_NOT_HELD,
         STATUS_SUCCESS,
         2,
         {BASE | PSS_NT_CREATE_FORCE_BREAKAWAY, BASE}},
        {PSS_CREATE_RELEASE_SECTION,
         PSS_NT_CREATE_RELEASE_SECTION,
         STATUS_INVALID_PARAMETER,
         STATUS_SUCCESS,
         2,
         {BASE | PSS_NT_CREATE_RELEASE_SECTION, BASE}},
        {0, BASE, STATUS_COMMITMENT_LIMIT, STATUS_COMMITMENT_LIMIT, 1, {BASE}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        HPSS snapshot;

        stand_in.refused = cases[i].refused;
        stand_in.status = cases[i].status;
        assert_int_equal(capture(FLAGS | cases[i].flags, &snapshot), cases[i].result);
        assert_same(stand_in.count, cases[i].count);
        for (uint32_t j = 0; j < cases[i].count; j++)
            assert_same(stand_in.flags[j], cases[i].expected[j]);
        assert_same(snapshot != NULL, NT_SUCCESS(cases[i].result));
        if (snapshot)
            free_clean(snapshot);
        faulty_assert_clean("refused");
    }
}

static void test_service_that_says_it_is_missing_is_done_without(void **state)
{
    PSS_VA_CLONE_DETAILS details;
    HPSS snapshot;

    (void)state;
    stand_in.is_missing = true;
    assert_int_equal(capture(FLAGS, &snapshot), STATUS_SUCCESS);
    pss_snapshot_query(faulty_nt(), snapshot, PSS_QUERY_VA_CLONE_DETAILS, &details,
                       sizeof(details));
    assert_same(details.Strategy, PSS_CLONE_CARRIER);
    free_clean(snapshot);
}

/*
 * Where it cannot be put into a job, a real clone ends with the last handle to it, for want of
 * threads. The stand-in has one.
 */
static void end_what_has_no_job(void)
{
    if (faulty_failures_of(FAULTY_create_job) || faulty_failures_of(FAULTY_set_job) ||
        faulty_failures_of(FAULTY_assign_job))
        TerminateProcess(faulty_carrier(), 0);
}

/* Each call of the native way fails once. */
static void test_native_clone_with_a_fault_leaves_nothing(void **state)
{
    static const NTSTATUS statuses[] = {STATUS_NO_MEMORY, STATUS_ACCESS_DENIED,
                                        STATUS_INVALID_HANDLE};
    uint32_t number = 0;
    bool was_met = true;

    (void)state;
    while (was_met) {
        number++;
        for (int i = 0; i < 3; i++) {
            HPSS snapshot;
            char where[80];

            snprintf(where, sizeof(where), "call %u fails with 0x%lx", number,
                     (unsigned long)statuses[i]);
            faulty_reset();
            faulty_fail(number, false, statuses[i]);
            NTSTATUS status = capture(FLAGS, &snapshot);
            was_met = faulty_failed() != NULL;
            faulty_fail(0, false, STATUS_SUCCESS);
            if (NT_SUCCESS(status))
                subject_check_and_free(snapshot, where);
            else if (snapshot || !was_met)
                fail_msg("%s: the result is 0x%lx", where, (unsigned long)status);
            end_what_has_no_job();
            faulty_assert_clean(where);
        }
    }
    assert_true(number > 10);
}

static int set_up(void **state)
{
    (void)state;
    faulty_init();
    memset(&stand_in, 0, sizeof(stand_in));
    faulty_inner()->find_service = find_service;
    subject_start_child(&child);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    subject_fini(&child);
    return 0;
}

#define NATIVE_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NATIVE_TEST(test_native_clone_is_asked_for_once),
        NATIVE_TEST(test_native_clone_stops_the_target_for_contexts_only),
        NATIVE_TEST(test_flags_that_are_refused_fall_back_or_fail),
        NATIVE_TEST(test_service_that_says_it_is_missing_is_done_without),
        NATIVE_TEST(test_native_clone_with_a_fault_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
