/* SPDX-License-Identifier: MIT */
/* The guarded call: exceptions end in it, registers and handlers are as before, others' are left
 * alone. */
#include "nt/nt.h"

#include "harness.h"

#define LAST_ERROR 0x2BADCAFEu

struct raised {
    DWORD code, flags;
};

/* Wine tells of its own kind of exception, and takes these for the names of a DLL and a function.
 */
static const char *const stub_names[] = {"kernel32.dll", "PssCaptureSnapshot"};

static NTSTATUS guard(pss_nt_routine *routine, void *argument)
{
    SetLastError(LAST_ERROR);
    NTSTATUS status = pss_nt_system()->call_guarded(routine, argument);
    assert_same(GetLastError(), LAST_ERROR);
    return status;
}

static void NTAPI count_up(void *argument)
{
    ++*(uint32_t *)argument;
    SetLastError(1);
}

static void NTAPI raise(void *argument)
{
    const struct raised *raised = argument;

    SetLastError(2);
    for (;;)
        RaiseException(raised->code, raised->flags, 2, (const ULONG_PTR *)stub_names);
}

static void NTAPI read_null(void *argument)
{
    *(volatile DWORD *)argument = *(volatile DWORD *)0;
}

static void NTAPI divide(void *argument)
{
    volatile int *zero = argument;

    *zero = 1000 / *zero;
}

static void test_routine_that_returns_succeeds(void **state)
{
    uint32_t count = 0;

    (void)state;
    assert_int_equal(guard(count_up, &count), STATUS_SUCCESS);
    assert_same(count, 1);
}

static void test_exception_gives_its_code(void **state)
{
    static struct raised codes[] = {{0x80000100, EXCEPTION_NONCONTINUABLE},
                                    {0x80000100, 0},
                                    {STATUS_NOT_IMPLEMENTED, EXCEPTION_NONCONTINUABLE},
                                    {0xE06D7363, 0},
                                    {1, 0}};
    void *handlers = ((NT_TIB *)NtCurrentTeb())->ExceptionList;
    int zero = 0;

    (void)state;
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
            assert_int_equal(guard(raise, &codes[i]), (NTSTATUS)codes[i].code);
        assert_int_equal(guard(read_null, &zero), STATUS_ACCESS_VIOLATION);
        assert_int_equal(guard(divide, &zero), STATUS_INTEGER_DIVIDE_BY_ZERO);
        assert_ptr_equal(((NT_TIB *)NtCurrentTeb())->ExceptionList, handlers);
    }
}

/* An inner call ends its exception; the outer one goes on, and ends another. */
static void NTAPI guard_twice(void *argument)
{
    static struct raised inner = {0xE0000001, EXCEPTION_NONCONTINUABLE};
    static struct raised outer = {0xE0000002, EXCEPTION_NONCONTINUABLE};

    *(NTSTATUS *)argument = pss_nt_system()->call_guarded(raise, &inner);
    raise(&outer);
}

static void test_guarded_calls_nest(void **state)
{
    NTSTATUS inner = STATUS_SUCCESS;

    (void)state;
    assert_int_equal(guard(guard_twice, &inner), (NTSTATUS)0xE0000002);
    assert_int_equal(inner, (NTSTATUS)0xE0000001);
}

/* Values that the compiler keeps in registers over the call, as many as it likes. */
__attribute__((noinline)) static uint64_t mix_around(uint64_t seed, pss_nt_routine *routine,
                                                     void *argument)
{
    uint64_t a = seed * 3, b = seed * 5, c = seed * 7, d = seed * 11, e = seed * 13;
    double f = (double)seed / 3, g = (double)seed / 7;

    pss_nt_system()->call_guarded(routine, argument);
    return a + 2 * b + 3 * c + 4 * d + 5 * e + (uint64_t)(f * 100 + g * 1000);
}

/* What raises has changed every register that it has to give back. */
__attribute__((noinline)) static void NTAPI spoil_and_raise(void *argument)
{
#ifdef __x86_64__
    __asm__ volatile("xorl %%ebx, %%ebx\n\txorl %%esi, %%esi\n\txorl %%edi, %%edi\n\t"
                     "xorl %%r12d, %%r12d\n\txorl %%r13d, %%r13d\n\txorl %%r14d, %%r14d\n\t"
                     "xorl %%r15d, %%r15d\n\txorps %%xmm6, %%xmm6\n\txorps %%xmm7, %%xmm7"
                     :
                     :
                     : "rbx", "rsi", "rdi", "r12", "r13", "r14", "r15", "xmm6", "xmm7");
#else
    __asm__ volatile("xorl %%ebx, %%ebx\n\txorl %%esi, %%esi\n\txorl %%edi, %%edi"
                     :
                     :
                     : "ebx", "esi", "edi");
#endif
    raise(argument);
}

static void test_registers_are_as_before(void **state)
{
    struct raised raised = {0x80000100, EXCEPTION_NONCONTINUABLE};
    volatile uint64_t seed = 0x123456789;
    uint32_t count = 0;

    (void)state;
    assert_same(mix_around(seed, spoil_and_raise, &raised), mix_around(seed, count_up, &count));
}

static DWORD WINAPI raise_in_thread(void *argument)
{
    return (DWORD)pss_nt_system()->call_guarded(raise, argument);
}

static void test_threads_are_guarded_each_for_itself(void **state)
{
    struct raised raised[8];
    HANDLE threads[8];
    DWORD code;

    (void)state;
    for (DWORD i = 0; i < 8; i++) {
        raised[i] = (struct raised){0xE0000010 + i, EXCEPTION_NONCONTINUABLE};
        threads[i] = CreateThread(NULL, 0, raise_in_thread, &raised[i], 0, NULL);
        assert_non_null(threads[i]);
    }
    for (DWORD i = 0; i < 8; i++) {
        assert_same(WaitForSingleObject(threads[i], INFINITE), WAIT_OBJECT_0);
        assert_true(GetExitCodeThread(threads[i], &code));
        assert_same(code, 0xE0000010 + i);
        CloseHandle(threads[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routine_that_returns_succeeds),
        cmocka_unit_test(test_exception_gives_its_code),
        cmocka_unit_test(test_guarded_calls_nest),
        cmocka_unit_test(test_registers_are_as_before),
        cmocka_unit_test(test_threads_are_guarded_each_for_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
