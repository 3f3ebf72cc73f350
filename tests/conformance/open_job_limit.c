/* SPDX-License-Identifier: MIT */
/* Open: what becomes of a clone whose target is in a job that is full with that one process? */
#include "answer.h"
#include "clone.h"
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

static HANDLE new_full_job(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    HANDLE job = CreateJobObjectW(NULL, NULL);

    assert_non_null(job);
    limits.BasicLimitInformation.LimitFlags =
        JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_ACTIVE_PROCESS;
    limits.BasicLimitInformation.ActiveProcessLimit = 1;
    assert_true(
        SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits)));
    return job;
}

static void test_clone_in_a_job_with_one_process_succeeds_or_leaves_nothing(void **state)
{
    HANDLE job = new_full_job();
    struct target *target = target_start_in_job(job);
    HPSS snapshot = NULL;

    (void)state;
    DWORD error = pss.capture(target->process, PSS_CAPTURE_VA_CLONE, 0, &snapshot);
    answer("a clone of the only process that a job permits: error %lu", error);
    if (error)
        assert_null(snapshot);
    else
        free_snapshot(snapshot);
    if (under_test_is_ours())
        assert_same(target_children_count(target->pid), 0);
    /* It lives, and is as obedient as before. */
    assert_same(target_call(target, TARGET_PING, 0, 0, 0, 0), target->pid);
    target_destroy(target);
    CloseHandle(job);
}

static void test_capture_without_clone_in_a_job_with_one_process_succeeds(void **state)
{
    HANDLE job = new_full_job();
    struct target *target = target_start_in_job(job);

    (void)state;
    free_snapshot(target_capture(target,
                                 PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT |
                                     PSS_CAPTURE_HANDLES | PSS_CAPTURE_VA_SPACE,
                                 CONTEXT_ALL));
    target_destroy(target);
    CloseHandle(job);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_clone_in_a_job_with_one_process_succeeds_or_leaves_nothing),
        PSS_TEST(test_capture_without_clone_in_a_job_with_one_process_succeeds),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("open_job_limit", tests, ledger_warm_up, NULL);
}
