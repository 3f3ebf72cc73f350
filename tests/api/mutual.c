/* SPDX-License-Identifier: MIT */
/* Processes that capture each other with their threads standing still: none stands still for ever.
 */
#include "ledger.h"
#include "soak.h"
#include "target.h"
#include "under_test.h"

#define CONTEXTS (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)
#define CLONES   (PSS_CAPTURE_VA_CLONE | CONTEXTS)

/* How often each captures. */
static DWORD rounds_of(DWORD flags)
{
    return flags & PSS_CAPTURE_VA_CLONE ? 8 : 200;
}

static void repeat(void (*run)(DWORD flags), DWORD flags)
{
    for (uint32_t i = 0; i < soak_or(1, 25); i++)
        run(flags);
}

/** A target that has the DLL under test in it. */
static struct target *start_capturer(void)
{
    WCHAR path[MAX_PATH];
    struct target *target = target_start();

    assert_in_range(GetModuleFileNameW(under_test_module(), path, MAX_PATH), 1, MAX_PATH - 1);
    target_call_text(target, TARGET_SNAPSHOT_LOAD, path, 0, 0, 0, 0);
    return target;
}

static void begin_rounds(struct target *target, DWORD victim, DWORD flags)
{
    target_begin(target, TARGET_SNAPSHOT_ROUNDS, victim, flags, CONTEXT_ALL, rounds_of(flags));
}

static void end_rounds(struct target *target)
{
    assert_same(target_answer(target), 0);
}

static void capture_once(HANDLE process, DWORD flags)
{
    HPSS snapshot = NULL;

    assert_same(pss.capture(process, flags, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    assert_same(pss.free(GetCurrentProcess(), snapshot), ERROR_SUCCESS);
}

static void capture_rounds(HANDLE process, DWORD flags)
{
    for (DWORD i = 0; i < rounds_of(flags); i++)
        capture_once(process, flags);
}

static void capture_each_other(DWORD flags)
{
    struct target *other = start_capturer();

    begin_rounds(other, GetCurrentProcessId(), flags);
    capture_rounds(other->process, flags);
    end_rounds(other);
    target_destroy(other);
}

static void test_two_that_capture_each_other_go_on(void **state)
{
    (void)state;
    repeat(capture_each_other, CONTEXTS);
}

static void test_three_that_capture_in_a_ring_go_on(void **state)
{
    struct target *first = start_capturer();
    struct target *second = start_capturer();

    (void)state;
    begin_rounds(first, second->pid, CONTEXTS);
    begin_rounds(second, GetCurrentProcessId(), CONTEXTS);
    capture_rounds(first->process, CONTEXTS);
    end_rounds(first);
    end_rounds(second);
    target_destroy(first);
    target_destroy(second);
}

static void capture_one_that_captures_itself(DWORD flags)
{
    struct target *other = start_capturer();

    begin_rounds(other, 0, flags);
    capture_rounds(other->process, flags);
    end_rounds(other);
    target_destroy(other);
}

static void test_one_that_captures_itself_may_be_captured_meanwhile(void **state)
{
    (void)state;
    repeat(capture_one_that_captures_itself, CONTEXTS);
}

static void capture_one_twice(DWORD flags)
{
    struct target *victim = target_start();
    struct target *other = start_capturer();

    begin_rounds(other, victim->pid, flags);
    capture_rounds(victim->process, flags);
    end_rounds(other);
    assert_same(target_call(victim, TARGET_PING, 0, 0, 0, 0), victim->pid);
    target_destroy(other);
    target_destroy(victim);
}

static void test_two_may_capture_one(void **state)
{
    (void)state;
    repeat(capture_one_twice, CONTEXTS);
}

/* A clone is copied while its target stands still, and has one for its parent that copies, too. */
static void test_clones_are_made_of_each_other_and_of_one_at_once(void **state)
{
    (void)state;
    repeat(capture_each_other, CLONES);
    repeat(capture_one_that_captures_itself, CLONES);
    repeat(capture_one_twice, CLONES);
}

/** A lock of a target that another thread of this process opens, and perhaps keeps. */
struct lock {
    HANDLE mutex, kept, leave;
};

static DWORD WINAPI keep_lock(void *argument)
{
    struct lock *lock = argument;

    WaitForSingleObject(lock->mutex, INFINITE);
    SetEvent(lock->kept);
    WaitForSingleObject(lock->leave, INFINITE);
    return (DWORD)ReleaseMutex(lock->mutex);
}

static HANDLE open_lock(const WCHAR *kind, DWORD pid)
{
    WCHAR name[40];

    swprintf(name, 40, L"Global\\pss-%ls-%lu", kind, pid);
    HANDLE mutex = CreateMutexW(NULL, FALSE, name);
    assert_non_null(mutex);
    return mutex;
}

/* A holder who is suspended himself, or means harm, delays a capture, and no more. */
static void test_lock_that_is_never_given_back_only_delays(void **state)
{
    struct target *target = target_start();
    struct lock lock = {.mutex = open_lock(L"suspend", target->pid),
                        .kept = CreateEventW(NULL, FALSE, FALSE, NULL),
                        .leave = CreateEventW(NULL, FALSE, FALSE, NULL)};

    (void)state;
    only_ours();
    HANDLE keeper = CreateThread(NULL, 0, keep_lock, &lock, 0, NULL);
    assert_same(WaitForSingleObject(lock.kept, INFINITE), WAIT_OBJECT_0);
    capture_once(target->process, CONTEXTS);
    assert_same(WaitForSingleObject(lock.mutex, 0), WAIT_TIMEOUT); /* not ours to give back */
    SetEvent(lock.leave);
    assert_same(WaitForSingleObject(keeper, INFINITE), WAIT_OBJECT_0);
    CloseHandle(keeper);
    CloseHandle(lock.mutex);
    CloseHandle(lock.kept);
    CloseHandle(lock.leave);
    target_destroy(target);
}

static DWORD WINAPI try_lock(void *mutex)
{
    DWORD result = WaitForSingleObject((HANDLE)mutex, 0);

    return result == WAIT_OBJECT_0 && ReleaseMutex((HANDLE)mutex) ? WAIT_OBJECT_0 : WAIT_TIMEOUT;
}

/* Another thread looks: the one that has captured could have it twice. */
static void test_locks_are_given_back(void **state)
{
    struct target *target = target_start();
    DWORD result = WAIT_FAILED;

    (void)state;
    only_ours();
    HANDLE mutex = open_lock(L"suspend", target->pid);
    capture_once(target->process, CONTEXTS);
    HANDLE thread = CreateThread(NULL, 0, try_lock, mutex, 0, NULL);
    assert_same(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &result));
    assert_same(result, WAIT_OBJECT_0);
    CloseHandle(thread);
    CloseHandle(mutex);
    target_destroy(target);
}

/* Handles of the own process to its lock, as a capture lists them. */
static unsigned count_locks(HPSS snapshot)
{
    PSS_HANDLE_ENTRY entry;
    HPSSWALK marker;
    unsigned count = 0;

    assert_same(PssWalkMarkerCreate(NULL, &marker), ERROR_SUCCESS);
    while (PssWalkSnapshot(snapshot, PSS_WALK_HANDLES, marker, &entry, sizeof(entry)) ==
           ERROR_SUCCESS)
        count += entry.ObjectName && wcsstr(entry.ObjectName, L"pss-handles-");
    PssWalkMarkerFree(marker);
    return count;
}

static DWORD WINAPI list_own_handles(void *argument)
{
    static const DWORD flags[] = {PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION,
                                  CONTEXTS | PSS_CAPTURE_HANDLES |
                                      PSS_CAPTURE_HANDLE_NAME_INFORMATION};
    DWORD locks = 0;

    (void)argument;
    for (int i = 0; i < 2; i++) {
        HPSS snapshot = NULL;

        if (PssCaptureSnapshot(GetCurrentProcess(), (PSS_CAPTURE_FLAGS)flags[i], CONTEXT_ALL,
                               &snapshot) != ERROR_SUCCESS)
            return MAXDWORD;
        locks += count_locks(snapshot);
        PssFreeSnapshot(GetCurrentProcess(), snapshot);
    }
    return locks;
}

/* Each would list the other's duplicates, and duplicate them: more and more. */
static void test_handles_of_the_own_process_are_captured_one_at_a_time(void **state)
{
    struct lock lock = {.mutex = open_lock(L"handles", GetCurrentProcessId()),
                        .kept = CreateEventW(NULL, FALSE, FALSE, NULL),
                        .leave = CreateEventW(NULL, FALSE, FALSE, NULL)};
    DWORD locks = 0;

    (void)state;
    only_ours();
    HANDLE keeper = CreateThread(NULL, 0, keep_lock, &lock, 0, NULL);
    assert_same(WaitForSingleObject(lock.kept, INFINITE), WAIT_OBJECT_0);
    HANDLE lister = CreateThread(NULL, 0, list_own_handles, NULL, 0, NULL);
    assert_same(WaitForSingleObject(lister, 300), WAIT_TIMEOUT);
    SetEvent(lock.leave);
    assert_same(WaitForSingleObject(keeper, INFINITE), WAIT_OBJECT_0);
    assert_same(WaitForSingleObject(lister, INFINITE), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(lister, &locks));
    assert_same(locks, 2); /* the test's own, in each */
    CloseHandle(lister);
    CloseHandle(keeper);
    CloseHandle(lock.mutex);
    CloseHandle(lock.kept);
    CloseHandle(lock.leave);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_two_that_capture_each_other_go_on),
        PSS_TEST(test_three_that_capture_in_a_ring_go_on),
        PSS_TEST(test_one_that_captures_itself_may_be_captured_meanwhile),
        PSS_TEST(test_two_may_capture_one),
        PSS_TEST(test_clones_are_made_of_each_other_and_of_one_at_once),
        PSS_TEST(test_lock_that_is_never_given_back_only_delays),
        PSS_TEST(test_locks_are_given_back),
        PSS_TEST(test_handles_of_the_own_process_are_captured_one_at_a_time),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("mutual", tests, ledger_warm_up, NULL);
}
