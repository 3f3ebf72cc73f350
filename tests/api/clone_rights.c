/* SPDX-License-Identifier: MIT */
/* What a clone needs and where it lives: access rights, jobs and breakaway, the measurement. */
#include "clone.h"
#include "ledger.h"
#include "pattern.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define SIZE      0x8000u
#define MEASURE   PSS_CREATE_MEASURE_PERFORMANCE
#define LEAVE     PSS_CREATE_BREAKAWAY
#define IF_IT_CAN PSS_CREATE_BREAKAWAY_OPTIONAL
#define WEAKEST   (PROCESS_CREATE_PROCESS | PROCESS_QUERY_LIMITED_INFORMATION)

static void assert_capture_fails(HANDLE process, DWORD flags, DWORD expected)
{
    HPSS snapshot = (HPSS)(uintptr_t)0x5A5A5A58;

    assert_same(pss.capture(process, PSS_CAPTURE_VA_CLONE | flags, 0, &snapshot), expected);
    assert_null(snapshot);
}

static uint64_t filled(struct target *target)
{
    uint64_t memory =
        target_call(target, TARGET_ALLOCATE, 0, SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    target_call(target, TARGET_FILL, memory, SIZE, 5, 0);
    return memory;
}

static void test_clone_without_create_process_is_access_denied(void **state)
{
    static const DWORD rights[] = {PROCESS_QUERY_LIMITED_INFORMATION,
                                   PROCESS_QUERY_INFORMATION | PROCESS_VM_READ,
                                   PROCESS_ALL_ACCESS & ~PROCESS_CREATE_PROCESS};
    struct target *target = target_start();

    (void)state;
    for (int i = 0; i < 3; i++) {
        HANDLE process = OpenProcess(rights[i], FALSE, target->pid);
        assert_non_null(process);
        assert_capture_fails(process, 0, ERROR_ACCESS_DENIED);
        CloseHandle(process);
    }
    assert_same(target_children_count(target->pid), 0);
    target_destroy(target);
}

static void test_clone_with_create_process_alone_holds_the_memory(void **state)
{
    struct target *target = target_start();
    uint64_t memory = filled(target);
    HANDLE process = OpenProcess(WEAKEST, FALSE, target->pid);

    (void)state;
    assert_non_null(process);
    HPSS snapshot = clone_capture(process, 0, 0);
    CloseHandle(process);
    clone_assert_pattern(clone_of(snapshot), memory, SIZE, 5);
    free_snapshot(snapshot);
    target_destroy(target);
}

/* What the other flags need is not given by the clone's needs. */
static void test_clone_with_create_process_alone_and_handles_is_access_denied(void **state)
{
    struct target *target = target_start();
    HANDLE process = OpenProcess(WEAKEST, FALSE, target->pid);

    (void)state;
    if (under_test_is_ours())
        assert_capture_fails(process, PSS_CAPTURE_HANDLES, ERROR_ACCESS_DENIED);
    CloseHandle(process);
    assert_same(target_children_count(target->pid), 0);
    target_destroy(target);
}

static void test_clone_of_pseudo_and_real_handles_to_the_caller_succeeds(void **state)
{
    HANDLE processes[] = {GetCurrentProcess(),
                          OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId())};

    (void)state;
    for (int i = 0; i < 2; i++) {
        HPSS snapshot = clone_capture(processes[i], 0, 0);
        assert_true(GetProcessId(clone_of(snapshot)) != GetCurrentProcessId());
        free_snapshot(snapshot);
    }
    CloseHandle(processes[1]);
}

static void test_clone_of_what_is_no_process_is_invalid_handle(void **state)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

    (void)state;
    assert_capture_fails(event, 0, ERROR_INVALID_HANDLE);
    assert_capture_fails(NULL, 0, ERROR_INVALID_HANDLE);
    CloseHandle(event);
}

static void test_clone_of_a_64_bit_target_by_a_32_bit_caller_is_not_supported(void **state)
{
    struct target *target = sizeof(void *) == 4 ? target_start_foreign() : NULL;

    (void)state;
    if (!target)
        skip_because(NO_OTHER_BITNESS);
    assert_capture_fails(target->process, 0, ERROR_NOT_SUPPORTED);
    assert_same(target_children_count(target->pid), 0);
    target_destroy(target);
}

/* ---- Jobs ---- */

static HANDLE new_job(DWORD limits)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION information = {0};
    HANDLE job = CreateJobObjectW(NULL, NULL);

    assert_non_null(job);
    information.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | limits;
    assert_true(SetInformationJobObject(job, JobObjectExtendedLimitInformation, &information,
                                        sizeof(information)));
    return job;
}

static BOOL is_in_job(HANDLE process, HANDLE job)
{
    BOOL result = 2;

    assert_true(IsProcessInJob(process, job, &result));
    assert_true(result == TRUE || result == FALSE);
    return result;
}

/* Captures a target in a new job and asserts whether its clone is in that job, too. */
static void assert_clone_in_job(DWORD limits, DWORD flags, BOOL expected)
{
    HANDLE job = new_job(limits);
    struct target *target = target_start_in_job(job);
    uint64_t memory = filled(target);
    HPSS snapshot = clone_capture(target->process, flags, 0);

    assert_same(is_in_job(target->process, job), TRUE);
    assert_same(is_in_job(clone_of(snapshot), job), expected);
    clone_assert_pattern(clone_of(snapshot), memory, SIZE, 5);
    HANDLE clone = clone_watch(clone_of(snapshot));
    free_snapshot(snapshot);
    clone_assert_ended(clone);
    target_destroy(target);
    CloseHandle(job);
}

static void test_clone_is_in_the_targets_job(void **state)
{
    (void)state;
    assert_clone_in_job(0, 0, TRUE);
    assert_clone_in_job(JOB_OBJECT_LIMIT_BREAKAWAY_OK, 0, TRUE);
}

static void test_clone_breaks_away_where_the_job_permits_it(void **state)
{
    (void)state;
    assert_clone_in_job(JOB_OBJECT_LIMIT_BREAKAWAY_OK, LEAVE, FALSE);
    assert_clone_in_job(JOB_OBJECT_LIMIT_BREAKAWAY_OK, LEAVE | IF_IT_CAN, FALSE);
}

static void test_clone_breakaway_that_the_job_forbids_is_access_denied(void **state)
{
    HANDLE job = new_job(0);
    struct target *target = target_start_in_job(job);

    (void)state;
    assert_capture_fails(target->process, LEAVE, ERROR_ACCESS_DENIED);
    assert_same(target_children_count(target->pid), 0);
    assert_same(target_call(target, TARGET_PING, 0, 0, 0, 0), target->pid);
    target_destroy(target);
    CloseHandle(job);
}

static void test_clone_optional_breakaway_that_the_job_forbids_stays_in_it(void **state)
{
    (void)state;
    assert_clone_in_job(0, LEAVE | IF_IT_CAN, TRUE);
}

static void test_clone_optional_alone_is_ignored(void **state)
{
    (void)state;
    assert_clone_in_job(JOB_OBJECT_LIMIT_BREAKAWAY_OK, IF_IT_CAN, TRUE);
}

/* Creates a child that leaves the caller's jobs, if it is in any; returns the error. */
static DWORD try_breakaway(void)
{
    STARTUPINFOA startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION made = {0};
    char path[MAX_PATH];

    assert_true(GetModuleFileNameA(NULL, path, MAX_PATH) > 0);
    if (!CreateProcessA(path, NULL, NULL, NULL, FALSE, CREATE_SUSPENDED | CREATE_BREAKAWAY_FROM_JOB,
                        NULL, NULL, &startup, &made))
        return GetLastError();
    TerminateProcess(made.hProcess, 0);
    assert_same(WaitForSingleObject(made.hProcess, CLONE_LIMIT_MS), WAIT_OBJECT_0);
    CloseHandle(made.hThread);
    CloseHandle(made.hProcess);
    return ERROR_SUCCESS;
}

/* The tests themselves are mostly in no job, and then there is nothing to break away from. */
static void test_clone_of_the_caller_breaks_away_as_its_children_do(void **state)
{
    HPSS snapshot = NULL;
    DWORD expected = try_breakaway();

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(), PSS_CAPTURE_VA_CLONE | LEAVE, 0, &snapshot),
                expected);
    if (!expected)
        free_snapshot(snapshot);
}

/* Breakaway does not loosen the clone from its owner. */
static void test_clone_that_broke_away_survives_the_targets_job(void **state)
{
    HANDLE job = new_job(JOB_OBJECT_LIMIT_BREAKAWAY_OK);
    struct target *target = target_start_in_job(job);
    uint64_t memory = filled(target);
    HPSS snapshot = clone_capture(target->process, LEAVE, 0);
    HANDLE clone = clone_watch(clone_of(snapshot));

    (void)state;
    assert_true(TerminateJobObject(job, 1));
    assert_same(WaitForSingleObject(target->process, CLONE_LIMIT_MS), WAIT_OBJECT_0);
    clone_assert_lives(clone);
    clone_assert_pattern(clone_of(snapshot), memory, SIZE, 5);
    free_snapshot(snapshot);
    clone_assert_ended(clone);
    target_destroy(target);
    CloseHandle(job);
}

static void test_clone_that_ended_with_the_targets_job_is_freed_all_the_same(void **state)
{
    HANDLE job = new_job(0);
    struct target *target = target_start_in_job(job);
    HPSS snapshot = clone_capture(target->process, 0, 0);
    HANDLE clone = clone_watch(clone_of(snapshot));

    (void)state;
    assert_true(TerminateJobObject(job, 1));
    clone_assert_ended(clone);
    free_snapshot(snapshot);
    target_destroy(target);
    CloseHandle(job);
}

static void test_clone_bits_without_a_clone_are_ignored(void **state)
{
    HANDLE job = new_job(0);
    struct target *target = target_start_in_job(job);
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(target->process, LEAVE | PSS_CREATE_RELEASE_SECTION, 0, &snapshot),
                ERROR_SUCCESS);
    free_snapshot(snapshot);
    target_destroy(target);
    CloseHandle(job);
}

/* ---- Measurement ---- */

static PSS_PERFORMANCE_COUNTERS measure(HANDLE process, DWORD flags)
{
    PSS_PERFORMANCE_COUNTERS counters;
    HPSS snapshot = NULL;

    assert_same(pss.capture(process, MEASURE | flags, 0, &snapshot), ERROR_SUCCESS);
    query_fully(snapshot, PSS_QUERY_PERFORMANCE_COUNTERS, &counters, sizeof(counters));
    free_snapshot(snapshot);
    return counters;
}

static void test_clone_is_measured(void **state)
{
    struct target *target = target_start();
    PSS_PERFORMANCE_COUNTERS with = measure(target->process, PSS_CAPTURE_VA_CLONE);
    PSS_PERFORMANCE_COUNTERS without = measure(target->process, PSS_CAPTURE_THREADS);

    (void)state;
    assert_true(with.VaCloneWallClockPeriod > 0);
    assert_true(with.VaCloneWallClockPeriod <= with.TotalWallClockPeriod);
    if (under_test_is_ours())
        assert_true(with.VaCloneCycleCount > 0);
    assert_same(without.VaCloneWallClockPeriod, 0);
    assert_same(without.VaCloneCycleCount, 0);
    target_destroy(target);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_clone_without_create_process_is_access_denied),
        PSS_TEST(test_clone_with_create_process_alone_holds_the_memory),
        PSS_TEST(test_clone_with_create_process_alone_and_handles_is_access_denied),
        PSS_TEST(test_clone_of_pseudo_and_real_handles_to_the_caller_succeeds),
        PSS_TEST(test_clone_of_what_is_no_process_is_invalid_handle),
        PSS_TEST(test_clone_of_a_64_bit_target_by_a_32_bit_caller_is_not_supported),
        PSS_TEST(test_clone_is_in_the_targets_job),
        PSS_TEST(test_clone_breaks_away_where_the_job_permits_it),
        PSS_TEST(test_clone_breakaway_that_the_job_forbids_is_access_denied),
        PSS_TEST(test_clone_optional_breakaway_that_the_job_forbids_stays_in_it),
        PSS_TEST(test_clone_optional_alone_is_ignored),
        PSS_TEST(test_clone_of_the_caller_breaks_away_as_its_children_do),
        PSS_TEST(test_clone_that_broke_away_survives_the_targets_job),
        PSS_TEST(test_clone_that_ended_with_the_targets_job_is_freed_all_the_same),
        PSS_TEST(test_clone_bits_without_a_clone_are_ignored),
        PSS_TEST(test_clone_is_measured),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clone_rights", tests, ledger_warm_up, NULL);
}
