/* SPDX-License-Identifier: MIT */
/*
 * Open: is the kernel's own fork, which the native strategy is built on, what docs/clone.md takes
 * it for, also of and from 32-bit processes on a 64-bit system?
 */
#include "answer.h"
#include "clone.h"
#include "ledger.h"
#include "nt_calls.h"
#include "target.h"
#include "under_test.h"

#define SIZE 0x10000u

/* source: phnt ntpsapi.h, NtCreateProcessEx and PROCESS_CREATE_FLAGS_NO_DEBUG_INHERIT */
typedef NTSTATUS(NTAPI *create_process_ex)(HANDLE *process, ACCESS_MASK access, void *attributes,
                                           HANDLE parent, ULONG flags, HANDLE section,
                                           HANDLE debug_port, HANDLE token, ULONG member);
#define NO_DEBUG_INHERIT 0x2u

static create_process_ex find_fork(void)
{
    return (create_process_ex)(uintptr_t)GetProcAddress(GetModuleHandleW(L"ntdll.dll"),
                                                        "NtCreateProcessEx");
}

static void require_fork(void)
{
    if (!find_fork())
        skip_because("this system has no NtCreateProcessEx, so pss.dll copies the memory instead");
}

static HANDLE fork_process(HANDLE process)
{
    HANDLE clone = NULL;
    NTSTATUS status = find_fork()(&clone, PROCESS_ALL_ACCESS, NULL, process, NO_DEBUG_INHERIT, NULL,
                                  NULL, NULL, 0);

    if (!NT_SUCCESS(status)) {
        answer("a fork is refused with status 0x%lx", (unsigned long)status);
        fail();
    }
    return clone;
}

static uint64_t filled(struct target *target, uint64_t seed)
{
    uint64_t memory =
        target_call(target, TARGET_ALLOCATE, 0, SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    target_call(target, TARGET_FILL, memory, SIZE, seed, 0);
    return memory;
}

static void assert_clone_keeps_memory(struct target *target)
{
    uint64_t memory = filled(target, 5);
    HANDLE clone = fork_process(target->process);

    target_call(target, TARGET_FILL, memory, SIZE, 6, 0);
    clone_assert_pattern(clone, memory, SIZE, 5);
    clone_assert_pattern(target->process, memory, SIZE, 6);
    answer("%s: a fork shows its target's memory as it was",
           sizeof(void *) == 8 ? "from 64 bits" : "from 32 bits");
    TerminateProcess(clone, 0);
    CloseHandle(clone);
    target_destroy(target);
}

static void test_fork_keeps_the_memory_of_its_target(void **state)
{
    (void)state;
    require_fork();
    assert_clone_keeps_memory(target_start());
}

static void test_fork_keeps_the_memory_of_a_target_of_the_other_bitness(void **state)
{
    (void)state;
    require_fork();
    struct target *target = sizeof(void *) == 8 ? target_start_foreign() : NULL;
    if (!target)
        skip_because(NO_OTHER_BITNESS);
    assert_clone_keeps_memory(target);
}

static void test_fork_of_the_caller_keeps_its_memory(void **state)
{
    static volatile uint64_t word;
    uint64_t seen = 0;

    (void)state;
    require_fork();
    word = 77;
    HANDLE clone = fork_process(GetCurrentProcess());
    word = 78;
    clone_read(clone, address_of(&word), &seen, sizeof(seen));
    TerminateProcess(clone, 0);
    CloseHandle(clone);
    assert_same(seen, 77);
}

/* Whether a process of this id is listed, or can be opened. */
static bool is_id_in_use(DWORD pid)
{
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);

    if (process)
        CloseHandle(process);
    return process || GetLastError() != ERROR_INVALID_PARAMETER;
}

static DWORD wait_until_free(DWORD pid)
{
    DWORD start = GetTickCount();

    while (is_id_in_use(pid) && elapsed_since(start) < CLONE_LIMIT_MS)
        Sleep(1);
    return elapsed_since(start);
}

static void test_fork_ends_with_its_last_handle(void **state)
{
    (void)state;
    require_fork();
    HANDLE clone = fork_process(GetCurrentProcess());
    DWORD pid = GetProcessId(clone);

    assert_true(is_id_in_use(pid));
    CloseHandle(clone);
    DWORD waited = wait_until_free(pid);
    bool ended = !is_id_in_use(pid);
    answer("a fork without threads %s with its last handle, after %lu ms",
           ended ? "ends" : "does not end", waited);
    assert_true(ended);
}

static void test_fork_is_signalled_by_its_end(void **state)
{
    (void)state;
    require_fork();
    HANDLE clone = fork_process(GetCurrentProcess());

    assert_same(WaitForSingleObject(clone, 0), WAIT_TIMEOUT);
    assert_true(TerminateProcess(clone, 9));
    DWORD result = WaitForSingleObject(clone, CLONE_LIMIT_MS);
    answer("an ended fork is %s", result == WAIT_OBJECT_0 ? "signalled" : "never signalled");
    CloseHandle(clone);
    assert_same(result, WAIT_OBJECT_0);
}

static void test_fork_that_ended_leaves_its_id_free(void **state)
{
    (void)state;
    require_fork();
    HANDLE clone = fork_process(GetCurrentProcess());
    DWORD pid = GetProcessId(clone);

    assert_true(TerminateProcess(clone, 9));
    WaitForSingleObject(clone, CLONE_LIMIT_MS);
    CloseHandle(clone);
    DWORD waited = wait_until_free(pid);
    answer("the id of an ended fork is %s after %lu ms", is_id_in_use(pid) ? "kept" : "free",
           waited);
    assert_false(is_id_in_use(pid));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_fork_keeps_the_memory_of_its_target),
        PSS_TEST(test_fork_keeps_the_memory_of_a_target_of_the_other_bitness),
        PSS_TEST(test_fork_of_the_caller_keeps_its_memory),
        PSS_TEST(test_fork_ends_with_its_last_handle),
        PSS_TEST(test_fork_is_signalled_by_its_end),
        PSS_TEST(test_fork_that_ended_leaves_its_id_free),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("open_system_clone", tests, ledger_warm_up, NULL);
}
