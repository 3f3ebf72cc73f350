/* SPDX-License-Identifier: MIT */
/* The guard that protected functions keep on their stack. gcc's own library would import advapi32
 * for its number. */
#include <stdint.h>

#include <windows.h>
#include <winternl.h>

/* source: phnt ntpsapi.h, ProcessCookie: a number that the system makes at random for each process.
 * since: Windows XP SP2 */
#define PROCESS_COOKIE ((PROCESSINFOCLASS)36)

/* source: ntstatus.h */
#define STATUS_STACK_BUFFER_OVERRUN_CODE 0xC0000409u

uintptr_t __stack_chk_guard = 0xFF0A0D00u; /* what no text holds, until there is a better one */

_Noreturn void __stack_chk_fail(void);
_Noreturn void __chk_fail(void);

/* Nothing on this stack can be trusted any more. */
_Noreturn void __stack_chk_fail(void)
{
    TerminateProcess(GetCurrentProcess(), STATUS_STACK_BUFFER_OVERRUN_CODE);
    __builtin_trap();
}

/* What the checked functions of _FORTIFY_SOURCE call. */
_Noreturn void __chk_fail(void)
{
    __stack_chk_fail();
}

/* Its lowest byte is zero, which ends a text before it gets there. */
__attribute__((constructor, optimize("no-stack-protector"))) static void choose_guard(void)
{
    LARGE_INTEGER counter = {.QuadPart = 0};
    ULONG cookie = 0;

    /* Without the number there is still the counter, and where the stack is. */
    NtQueryInformationProcess(GetCurrentProcess(), PROCESS_COOKIE, &cookie, sizeof(cookie), NULL);
    QueryPerformanceCounter(&counter);
    __stack_chk_guard =
        (uintptr_t)((((uint64_t)cookie << 24) ^ (uint64_t)counter.QuadPart ^ (uintptr_t)&counter) *
                    0x9E3779B97F4A7C15u)
        << 8;
}
