/* SPDX-License-Identifier: MIT */
/* The handles of a clone: none to who made it, and never none at all while others list handles. */
#include "clone.h"
#include "ledger.h"
#include "nt_calls.h"
#include "records.h"
#include "soak.h"
#include "target.h"
#include "under_test.h"

#define LISTERS 2

static void test_clone_has_no_handle_to_a_process_or_thread(void **state)
{
    HPSS snapshot, of_clone = NULL;

    (void)state;
    only_ours();
    struct target *victim = target_start();
    snapshot = clone_capture(victim->process, 0, 0);
    assert_same(pss.capture(clone_of(snapshot),
                            PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION, 0,
                            &of_clone),
                ERROR_SUCCESS);
    struct records handles = records_read(of_clone, PSS_WALK_HANDLES);
    for (DWORD i = 0; i < handles.count; i++) {
        DWORD type = record_at(handles, PSS_HANDLE_ENTRY, i)->ObjectType;
        assert_true(type != PSS_OBJECT_TYPE_PROCESS && type != PSS_OBJECT_TYPE_THREAD);
    }
    records_free(&handles);
    free_snapshot(of_clone);
    free_snapshot(snapshot);
}

struct lister {
    volatile LONG is_over;
    HANDLE begun; /* semaphore */
};

static DWORD WINAPI run_lister(void *argument)
{
    struct lister *lister = (struct lister *)argument;

    while (!lister->is_over) {
        free(nt_handle_table_read());
        ReleaseSemaphore(lister->begun, 1, NULL);
    }
    return 0;
}

/* Wine's server (8.0) dies of a process without handles, and all programs with it. */
static void test_handles_may_be_listed_while_clones_are_made(void **state)
{
    struct lister lister = {0, CreateSemaphoreW(NULL, 0, MAXLONG, NULL)};
    HANDLE threads[LISTERS];

    (void)state;
    struct target *victim = target_start();
    for (int i = 0; i < LISTERS; i++)
        threads[i] = CreateThread(NULL, 0, run_lister, &lister, 0, NULL);
    for (uint32_t i = 0; i < soak_or(20, 1000); i++) {
        assert_same(WaitForSingleObject(lister.begun, CLONE_LIMIT_MS), WAIT_OBJECT_0);
        free_snapshot(clone_capture(victim->process, 0, 0));
    }
    lister.is_over = TRUE;
    for (int i = 0; i < LISTERS; i++) {
        assert_same(WaitForSingleObject(threads[i], CLONE_LIMIT_MS), WAIT_OBJECT_0);
        CloseHandle(threads[i]);
    }
    CloseHandle(lister.begun);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_clone_has_no_handle_to_a_process_or_thread),
        PSS_TEST(test_handles_may_be_listed_while_clones_are_made),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clone_handles", tests, ledger_warm_up, NULL);
}
