/* SPDX-License-Identifier: MIT */
/*
 * Open: does the library work in a process, and of a process, where the system checks indirect
 * calls (control flow guard), and what does a strict process say to it? The programs here are
 * built without the guard's tables; with them, a strict process might refuse pss.dll, which has
 * none. That can be judged on Windows only with an image of another compiler.
 */
#include "answer.h"
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define LIMIT_MS   60000u
#define EVERYTHING 0x00001BFFu /* a clone, too */

/* source: winnt.h and winbase.h of the Windows SDK; the guard since 8.1, strict since 10 1703 */
#define ATTRIBUTE_MITIGATION 0x20007u
#define GUARD_ALWAYS_ON      ((uint64_t)1 << 40)
#define STRICT_ALWAYS_ON     ((uint64_t)1 << 8) /* in the second word */
#define POLICY_GUARD         7
#define GUARD_IS_ON          1u
#define GUARD_IS_STRICT      4u

#define EXIT_NO_POLICY 100
#define EXIT_NO_GUARD  101
#define EXIT_NO_DLL    102
#define EXIT_CAPTURE   103
#define EXIT_STRICT    200

typedef BOOL(WINAPI *get_policy)(HANDLE process, int policy, void *buffer, SIZE_T size);

static DWORD guard_flags(HANDLE process)
{
    get_policy get = (get_policy)(uintptr_t)GetProcAddress(GetModuleHandleW(L"kernel32.dll"),
                                                           "GetProcessMitigationPolicy");
    DWORD flags = 0;

    return get && get(process, POLICY_GUARD, &flags, sizeof(flags)) ? flags : 0;
}

/* The child: what the harness cannot do for it, as a failed test would be printed nowhere. */
static int capture_in_child(const char *dll)
{
    HMODULE module = LoadLibraryA(dll);
    HPSS snapshot = NULL;
    int on = guard_flags(GetCurrentProcess()) & GUARD_IS_ON ? 0 : EXIT_NO_GUARD;
    int strict = guard_flags(GetCurrentProcess()) & GUARD_IS_STRICT ? EXIT_STRICT : 0;

    if (on)
        return on;
    if (!module)
        return strict + EXIT_NO_DLL;
    __typeof__(&PssCaptureSnapshot) capture =
        (__typeof__(&PssCaptureSnapshot))(uintptr_t)GetProcAddress(module, "PssCaptureSnapshot");
    __typeof__(&PssFreeSnapshot) release =
        (__typeof__(&PssFreeSnapshot))(uintptr_t)GetProcAddress(module, "PssFreeSnapshot");
    if (!capture || !release || capture(GetCurrentProcess(), EVERYTHING, CONTEXT_ALL, &snapshot) ||
        release(GetCurrentProcess(), snapshot))
        return strict + EXIT_CAPTURE;
    return strict;
}

struct attributes {
    uint64_t policy[2]; /* read when a process is made */
    char memory[256];
    STARTUPINFOEXA start;
};

/* Whether the system knows such a policy. */
static bool set_attributes(struct attributes *attributes, uint64_t first, uint64_t second)
{
    SIZE_T size = sizeof(attributes->memory);

    memset(attributes, 0, sizeof(*attributes));
    attributes->policy[0] = first;
    attributes->policy[1] = second;
    attributes->start.StartupInfo.cb = sizeof(attributes->start);
    attributes->start.lpAttributeList = (LPPROC_THREAD_ATTRIBUTE_LIST)(void *)attributes->memory;
    if (!InitializeProcThreadAttributeList(attributes->start.lpAttributeList, 1, 0, &size))
        return false;
    return UpdateProcThreadAttribute(attributes->start.lpAttributeList, 0, ATTRIBUTE_MITIGATION,
                                     attributes->policy, second ? 16 : 8, NULL, NULL);
}

static HANDLE start_child(uint64_t first, uint64_t second, const char *option)
{
    char program[MAX_PATH], dll[MAX_PATH], line[3 * MAX_PATH];
    struct attributes attributes;
    PROCESS_INFORMATION made = {0};

    if (!set_attributes(&attributes, first, second))
        return NULL;
    GetModuleFileNameA(NULL, program, MAX_PATH);
    GetModuleFileNameA(under_test_module(), dll, MAX_PATH);
    snprintf(line, sizeof(line), "\"%s\" %s \"%s\"", program, option, dll);
    if (!CreateProcessA(NULL, line, NULL, NULL, FALSE,
                        CREATE_SUSPENDED | EXTENDED_STARTUPINFO_PRESENT, NULL, NULL,
                        &attributes.start.StartupInfo, &made))
        return NULL;
    target_note_started(made.dwProcessId);
    assert_true(AssignProcessToJobObject(target_job(), made.hProcess));
    ResumeThread(made.hThread);
    CloseHandle(made.hThread);
    return made.hProcess;
}

static DWORD run_child(uint64_t first, uint64_t second)
{
    HANDLE child = start_child(first, second, "--capture-with");
    DWORD code = EXIT_NO_POLICY;

    if (!child)
        return code;
    assert_same(WaitForSingleObject(child, LIMIT_MS), WAIT_OBJECT_0);
    assert_true(GetExitCodeProcess(child, &code));
    CloseHandle(child);
    return code;
}

static void skip_without_guard(DWORD code)
{
    if (code == EXIT_NO_POLICY)
        skip_because("this system starts no process with that policy");
    if (code == EXIT_NO_GUARD)
        skip_because("this system did not turn the guard on for a program without its tables");
}

static void test_self_capture_with_control_flow_guard_succeeds(void **state)
{
    (void)state;
    DWORD code = run_child(GUARD_ALWAYS_ON, 0);
    skip_without_guard(code);
    answer("a self-capture with the guard ends with code %lu (0: all is well)", code);
    assert_same(code, 0);
}

static void test_self_capture_with_strict_control_flow_guard_is_told(void **state)
{
    (void)state;
    DWORD code = run_child(GUARD_ALWAYS_ON, STRICT_ALWAYS_ON);
    skip_without_guard(code);
    answer("a strict process ends with code %lu (%d: strict and all is well, %d: it does not load "
           "the library, 0xc0000606: it does not load its own program)",
           code, EXIT_STRICT, EXIT_STRICT + EXIT_NO_DLL);
    assert_true(code != EXIT_CAPTURE && code != EXIT_STRICT + EXIT_CAPTURE);
}

static void test_capture_of_a_process_with_control_flow_guard_succeeds(void **state)
{
    HANDLE child = start_child(GUARD_ALWAYS_ON, 0, "--wait");
    HPSS snapshot = NULL;

    (void)state;
    if (!child)
        skip_without_guard(EXIT_NO_POLICY);
    DWORD flags = guard_flags(child);
    DWORD error = flags & GUARD_IS_ON ? pss.capture(child, EVERYTHING, CONTEXT_ALL, &snapshot) : 0;
    if (snapshot)
        free_snapshot(snapshot);
    TerminateProcess(child, 0);
    WaitForSingleObject(child, LIMIT_MS);
    CloseHandle(child);
    if (!(flags & GUARD_IS_ON))
        skip_without_guard(EXIT_NO_GUARD);
    answer("a capture of a guarded process: error %lu", error);
    assert_same(error, ERROR_SUCCESS);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_self_capture_with_control_flow_guard_succeeds),
        PSS_TEST(test_self_capture_with_strict_control_flow_guard_is_told),
        PSS_TEST(test_capture_of_a_process_with_control_flow_guard_succeeds),
    };

    if (argc == 3 && !strcmp(argv[1], "--capture-with"))
        return capture_in_child(argv[2]);
    if (argc == 3 && !strcmp(argv[1], "--wait")) {
        Sleep(LIMIT_MS);
        return 0;
    }
    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("open_cfg", tests, ledger_warm_up, NULL);
}
