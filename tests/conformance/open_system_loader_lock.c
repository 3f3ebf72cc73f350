/* SPDX-License-Identifier: MIT */
/*
 * Open: does a thread that no DLL is told of, as pss.dll makes them for calls that may hang, begin
 * while another thread keeps the loader's lock? Where it does not, the caller asks himself.
 */
#include "answer.h"
#include "clone.h"
#include "ledger.h"
#include "nt_calls.h"
#include "target.h"
#include "under_test.h"

#define PATIENCE_MS 3000u
#define SKIP_ATTACH 0x2u /* source: phnt ntpsapi.h, THREAD_CREATE_FLAGS_SKIP_THREAD_ATTACH */

/* source: phnt ntldr.h; since Windows XP */
NTSTATUS NTAPI LdrLockLoaderLock(ULONG flags, ULONG *disposition, ULONG_PTR *cookie);
NTSTATUS NTAPI LdrUnlockLoaderLock(ULONG flags, ULONG_PTR cookie);

/* source: phnt ntpsapi.h; since Windows Vista */
typedef NTSTATUS(NTAPI *create_thread_ex)(HANDLE *thread, ACCESS_MASK access, void *attributes,
                                          HANDLE process, void *start, void *argument, ULONG flags,
                                          SIZE_T zero_bits, SIZE_T stack, SIZE_T stack_limit,
                                          void *list);

/* The test's own thread keeps the lock: what is begun under it is told after it was let go. */
static ULONG_PTR lock_loader(void)
{
    ULONG_PTR cookie = 0;

    assert_true(NT_SUCCESS(LdrLockLoaderLock(0, NULL, &cookie)));
    return cookie;
}

static DWORD WINAPI tell(void *begun)
{
    SetEvent((HANDLE)begun);
    return 0;
}

static HANDLE start_unattached(HANDLE begun)
{
    HANDLE thread = NULL;
    create_thread_ex create = (create_thread_ex)(uintptr_t)GetProcAddress(
        GetModuleHandleW(L"ntdll.dll"), "NtCreateThreadEx");

    if (create)
        create(&thread, THREAD_ALL_ACCESS, NULL, GetCurrentProcess(), (void *)(uintptr_t)tell,
               begun, SKIP_ATTACH, 0, 0, 0, NULL);
    return thread;
}

static DWORD wait_under_lock(bool is_attached, HANDLE *thread)
{
    HANDLE begun = CreateEventW(NULL, TRUE, FALSE, NULL);
    ULONG_PTR cookie = lock_loader();

    *thread = is_attached ? CreateThread(NULL, 0, tell, begun, 0, NULL) : start_unattached(begun);
    DWORD result = *thread ? WaitForSingleObject(begun, PATIENCE_MS) : WAIT_FAILED;
    LdrUnlockLoaderLock(0, cookie);
    if (*thread) {
        WaitForSingleObject(*thread, CLONE_LIMIT_MS);
        CloseHandle(*thread);
    }
    CloseHandle(begun);
    return result;
}

static void test_unattached_thread_under_the_loaders_lock(void **state)
{
    HANDLE thread;

    (void)state;
    DWORD result = wait_under_lock(false, &thread);
    if (!thread)
        skip_because("this system makes no threads by NtCreateThreadEx");
    answer("a thread that no DLL is told of %s under the loader's lock",
           result == WAIT_OBJECT_0 ? "begins" : "does not begin");
}

static void test_plain_thread_under_the_loaders_lock(void **state)
{
    HANDLE thread;

    (void)state;
    DWORD result = wait_under_lock(true, &thread);
    assert_non_null(thread);
    answer("a plain thread %s under the loader's lock",
           result == WAIT_OBJECT_0 ? "begins" : "does not begin");
}

struct holder {
    HANDLE holds, stop;
};

static DWORD WINAPI hold(void *argument)
{
    const struct holder *holder = (const struct holder *)argument;
    ULONG_PTR cookie = lock_loader();

    SetEvent(holder->holds);
    WaitForSingleObject(holder->stop, CLONE_LIMIT_MS);
    LdrUnlockLoaderLock(0, cookie);
    return 0;
}

/* What was given to a thread that did not begin stays with it, so this test is without the ledger.
 */
static void test_capture_of_regions_under_the_loaders_lock_ends(void **state)
{
    struct target *target = target_start();
    struct holder holder = {CreateEventW(NULL, TRUE, FALSE, NULL),
                            CreateEventW(NULL, TRUE, FALSE, NULL)};
    HANDLE thread = CreateThread(NULL, 0, hold, &holder, 0, NULL);
    HPSS snapshot = NULL;

    (void)state;
    assert_same(WaitForSingleObject(holder.holds, CLONE_LIMIT_MS), WAIT_OBJECT_0);
    DWORD start = GetTickCount();
    DWORD error = pss.capture(target->process, PSS_CAPTURE_VA_SPACE, 0, &snapshot);
    DWORD took = elapsed_since(start);
    SetEvent(holder.stop);
    assert_same(WaitForSingleObject(thread, CLONE_LIMIT_MS), WAIT_OBJECT_0);
    CloseHandle(thread);
    CloseHandle(holder.holds);
    CloseHandle(holder.stop);
    answer("a capture of another process's regions while another thread has the lock takes %lu ms, "
           "error %lu",
           took, error);
    assert_same(error, ERROR_SUCCESS);
    assert_same(pss.free(GetCurrentProcess(), snapshot), ERROR_SUCCESS);
    target_destroy(target);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unattached_thread_under_the_loaders_lock),
        cmocka_unit_test(test_plain_thread_under_the_loaders_lock),
        cmocka_unit_test(test_capture_of_regions_under_the_loaders_lock_ends),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("open_system_loader_lock", tests, ledger_warm_up, NULL);
}
