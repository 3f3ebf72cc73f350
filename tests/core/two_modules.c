/* SPDX-License-Identifier: MIT */
/* Two copies of the library in one process: each suspends the threads of the other, by turns. */
#include "api/api.h"

#include "harness.h"

#define CAPTURES      60
#define WAIT_LIMIT_MS 100000
#define CONTEXTS      (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)

typedef DWORD WINAPI capture_function(HANDLE, PSS_CAPTURE_FLAGS, DWORD, HPSS *);
typedef DWORD WINAPI free_function(HANDLE, HPSS);

static capture_function *dll_capture;
static free_function *dll_free;
static volatile LONG failures;

static DWORD WINAPI capture_with_dll(void *argument)
{
    (void)argument;
    for (int i = 0; i < CAPTURES; i++) {
        HPSS snapshot = NULL;

        if (dll_capture(GetCurrentProcess(), CONTEXTS, CONTEXT_ALL, &snapshot) ||
            dll_free(GetCurrentProcess(), snapshot))
            InterlockedIncrement(&failures);
    }
    return 0;
}

static DWORD WINAPI capture_with_own_copy(void *argument)
{
    (void)argument;
    for (int i = 0; i < CAPTURES; i++) {
        HPSS snapshot = NULL;

        if (!NT_SUCCESS(pss_snapshot_capture(pss_nt_system(), GetCurrentProcess(), CONTEXTS,
                                             CONTEXT_ALL, &snapshot)) ||
            !NT_SUCCESS(pss_snapshot_free(pss_nt_system(), GetCurrentProcess(), snapshot)))
            InterlockedIncrement(&failures);
    }
    return 0;
}

static void test_copies_that_capture_at_once_do_not_block_each_other(void **state)
{
    static DWORD(WINAPI *const routines[])(void *) = {capture_with_dll, capture_with_own_copy};
    HMODULE module = LoadLibraryA("pss.dll");
    HANDLE threads[2];

    (void)state;
    assert_non_null(module);
    assert_ptr_not_equal(module, GetModuleHandleA(NULL));
    dll_capture = (capture_function *)(uintptr_t)GetProcAddress(module, "PssCaptureSnapshot");
    dll_free = (free_function *)(uintptr_t)GetProcAddress(module, "PssFreeSnapshot");
    for (int i = 0; i < 2; i++) {
        threads[i] = CreateThread(NULL, 0, routines[i], NULL, 0, NULL);
        assert_non_null(threads[i]);
    }
    assert_same(WaitForMultipleObjects(2, threads, TRUE, WAIT_LIMIT_MS), WAIT_OBJECT_0);
    assert_same(failures, 0);
    for (int i = 0; i < 2; i++)
        CloseHandle(threads[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies_that_capture_at_once_do_not_block_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
