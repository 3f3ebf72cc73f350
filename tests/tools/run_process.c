/* SPDX-License-Identifier: MIT */
/* pss.exe as another program starts it: its own name with quotes anywhere, odd handles, its end. */
#include "harness.h"

#define WAIT_LIMIT_MS 60000u

static WCHAR directory[MAX_PATH]; /* of the programs, without its last backslash */

/* Starts pss.exe with a command line as it is, suspended if need be. */
static void start(const WCHAR *line, STARTUPINFOW *startup, PROCESS_INFORMATION *pss)
{
    WCHAR program[MAX_PATH + 16], copy[4 * MAX_PATH];

    swprintf(program, MAX_PATH + 16, L"%ls\\pss.exe", directory);
    wcscpy(copy, line);
    startup->cb = sizeof(*startup);
    assert_true(CreateProcessW(program, copy, NULL, NULL, TRUE, 0, NULL, NULL, startup, pss));
}

static DWORD finish(const PROCESS_INFORMATION *pss)
{
    DWORD code = 0;

    assert_int_equal(WaitForSingleObject(pss->hProcess, WAIT_LIMIT_MS), WAIT_OBJECT_0);
    assert_true(GetExitCodeProcess(pss->hProcess, &code));
    CloseHandle(pss->hThread);
    CloseHandle(pss->hProcess);
    return code;
}

static DWORD run(const WCHAR *line)
{
    STARTUPINFOW startup = {0};
    PROCESS_INFORMATION pss;

    start(line, &startup, &pss);
    return finish(&pss);
}

/* ---- its own name ---- */

static void check_name(const WCHAR *name)
{
    WCHAR line[2 * MAX_PATH];

    swprintf(line, 2 * MAX_PATH, L"%ls --version", name);
    if (run(line) != 0)
        fail_msg("[%ls] fails", line);
    swprintf(line, 2 * MAX_PATH, L"%ls no-command", name);
    if (run(line) != 2)
        fail_msg("[%ls] is not refused", line);
    swprintf(line, 2 * MAX_PATH, L"%ls run cmd.exe /c exit 7", name);
    if (run(line) != 7)
        fail_msg("[%ls] does not run the program", line);
}

static void test_quotes_may_stand_anywhere_in_its_own_name(void **state)
{
    WCHAR name[MAX_PATH + 32];

    (void)state;
    swprintf(name, MAX_PATH + 32, L"\"%ls\"\\pss.exe", directory);
    check_name(name);
    swprintf(name, MAX_PATH + 32, L"\"%ls\\\"pss.exe", directory);
    check_name(name);
    swprintf(name, MAX_PATH + 32, L"\"%ls\\pss.exe\"", directory);
    check_name(name);
    check_name(L"p\"s\"s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quotes_may_stand_anywhere_in_its_own_name),
    };

    GetModuleFileNameW(NULL, directory, MAX_PATH);
    *wcsrchr(directory, L'\\') = L'\0';
    return cmocka_run_group_tests_name("run_process", tests, NULL, NULL);
}
