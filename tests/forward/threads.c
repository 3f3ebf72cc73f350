/* SPDX-License-Identifier: MIT */
/* The decision with other threads about: at once, with the loader's lock, and stuck in the probe.
 */
#include "forward/forward.h"

#include "nt_calls.h"
#include "system.h"

#define THREADS 8

static struct pss_forward forward; /* of the test */
static HANDLE start;               /* manual: all begin at once */

static void prepare(enum stand_in_behaviour behaviour)
{
    memset(&forward, 0, sizeof(forward));
    system_init(behaviour);
    faulty_inner()->delay = pss_nt_system()->delay;
}

static DWORD WINAPI decide(void *argument)
{
    if (argument)
        WaitForSingleObject(start, INFINITE);
    if (pss_forward_decide(faulty_nt(), &forward))
        return 1;
    pss_forward_end(&forward, 0);
    return 0;
}

static HANDLE begin(LPTHREAD_START_ROUTINE routine, void *argument)
{
    HANDLE thread = CreateThread(NULL, 0, routine, argument, 0, NULL);

    assert_non_null(thread);
    return thread;
}

static DWORD result_of(HANDLE thread)
{
    DWORD result = 0;

    assert_same(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &result));
    CloseHandle(thread);
    return result;
}

static void decide_at_once(DWORD expected)
{
    HANDLE threads[THREADS];

    start = CreateEventA(NULL, TRUE, FALSE, NULL);
    for (int i = 0; i < THREADS; i++)
        threads[i] = begin(decide, &forward);
    SetEvent(start);
    for (int i = 0; i < THREADS; i++)
        assert_same(result_of(threads[i]), expected);
    CloseHandle(start);
}

static void test_threads_at_once_get_one_answer_from_one_probe(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        prepare(STAND_IN_WORKS);
        decide_at_once(1);
        assert_same(system_stand_in()->calls[STAND_IN_CAPTURE], 1);
        assert_same(system_stand_in()->snapshots, 0);
        prepare(STAND_IN_WALK_FAILS);
        decide_at_once(0);
        assert_same(system_stand_in()->calls[STAND_IN_CAPTURE], 1);
        assert_same(system_stand_in()->snapshots, 0);
        system_assert_clean("at once");
    }
}

/* A prober that stands still for good, as one does that is suspended. */
static void test_prober_that_is_stuck_is_not_waited_for_for_ever(void **state)
{
    struct stand_in *stand_in = system_stand_in();
    HANDLE prober;

    (void)state;
    prepare(STAND_IN_WAITS);
    stand_in->entered = CreateEventA(NULL, TRUE, FALSE, NULL);
    stand_in->leave = CreateEventA(NULL, TRUE, FALSE, NULL);
    prober = begin(decide, NULL);
    assert_same(WaitForSingleObject(stand_in->entered, INFINITE), WAIT_OBJECT_0);
    assert_null(pss_forward_decide(faulty_nt(), &forward));
    assert_same(WaitForSingleObject(prober, 0), WAIT_TIMEOUT);
    pss_forward_end(&forward, 1);

    /* It finds the system working at last, and that all is decided. */
    SetEvent(stand_in->leave);
    assert_same(result_of(prober), 0);
    assert_null(pss_forward_decide(faulty_nt(), &forward));
    assert_same(stand_in->snapshots, 0);
    CloseHandle(stand_in->entered);
    CloseHandle(stand_in->leave);
    system_assert_clean("stuck prober");
}

/* ---- a thread that has the lock of the loader ---- */

static struct {
    HANDLE is_locked, unlock;
} holder;

static DWORD WINAPI hold_loader(void *argument)
{
    ULONG_PTR cookie = 0;
    NTSTATUS status = pss_nt_system()->try_lock_loader(&cookie);

    (void)argument;
    SetEvent(holder.is_locked);
    WaitForSingleObject(holder.unlock, INFINITE);
    if (NT_SUCCESS(status))
        pss_nt_system()->unlock_loader(cookie);
    return NT_SUCCESS(status);
}

static HANDLE begin_holding(void)
{
    holder.is_locked = CreateEventA(NULL, TRUE, FALSE, NULL);
    holder.unlock = CreateEventA(NULL, TRUE, FALSE, NULL);
    HANDLE thread = begin(hold_loader, NULL);
    assert_same(WaitForSingleObject(holder.is_locked, INFINITE), WAIT_OBJECT_0);
    return thread;
}

static void end_holding(HANDLE thread)
{
    SetEvent(holder.unlock);
    assert_same(result_of(thread), 1);
    CloseHandle(holder.is_locked);
    CloseHandle(holder.unlock);
}

static void test_loader_locked_for_long_is_not_waited_for(void **state)
{
    HANDLE thread = (prepare(STAND_IN_WORKS), begin_holding());
    const struct pss_system_api *api = pss_forward_decide(faulty_nt(), &forward);
    bool is_held = WaitForSingleObject(thread, 0) == WAIT_TIMEOUT;

    (void)state;
    end_holding(thread);
    assert_true(is_held);
    assert_null(api);
    assert_same(faulty_calls_of(FAULTY_find_module), 0);
    pss_forward_end(&forward, 0);
    assert_non_null(pss_forward_decide(faulty_nt(), &forward));
    system_assert_clean("loader locked");
}

static void test_loader_lock_of_the_own_thread_is_no_hindrance(void **state)
{
    ULONG_PTR cookie = 0;

    (void)state;
    prepare(STAND_IN_WORKS);
    assert_int_equal(pss_nt_system()->try_lock_loader(&cookie), STATUS_SUCCESS);
    const struct pss_system_api *api = pss_forward_decide(faulty_nt(), &forward);
    pss_nt_system()->unlock_loader(cookie);
    assert_non_null(api);
}

/* ---- the lock of the environment ---- */

static DWORD WINAPI ask_environment(void *argument)
{
    WCHAR value[8];

    (void)argument;
    return pss_nt_system()->query_environment(L"PSS_FORWARD", value, sizeof(value)) !=
           STATUS_LOCK_NOT_GRANTED;
}

static void test_environment_is_free_again_for_other_threads(void **state)
{
    HANDLE thread;

    (void)state;
    assert_same(ask_environment(NULL), 1);
    thread = begin(ask_environment, NULL);
    assert_same(result_of(thread), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_at_once_get_one_answer_from_one_probe),
        cmocka_unit_test(test_prober_that_is_stuck_is_not_waited_for_for_ever),
        cmocka_unit_test(test_loader_locked_for_long_is_not_waited_for),
        cmocka_unit_test(test_loader_lock_of_the_own_thread_is_no_hindrance),
        cmocka_unit_test(test_environment_is_free_again_for_other_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
