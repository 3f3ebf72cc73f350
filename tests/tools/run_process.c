/* SPDX-License-Identifier: MIT */
/* pss.exe as another program starts it: its own name with quotes anywhere, odd handles, its end.
 * This program is also the one that pss.exe runs: --handles, --wait NAME, --start NAME, --keep
 * NAME. */
#include "harness.h"

#define WAIT_LIMIT_MS 60000u

static WCHAR program[MAX_PATH];   /* this one */
static WCHAR directory[MAX_PATH]; /* of the programs, without its last backslash */

/* Starts pss.exe with a command line as it is, suspended if need be. */
static void start(const WCHAR *line, STARTUPINFOW *startup, PROCESS_INFORMATION *pss)
{
    WCHAR path[MAX_PATH + 16], copy[4 * MAX_PATH];

    swprintf(path, MAX_PATH + 16, L"%ls\\pss.exe", directory);
    wcscpy(copy, line);
    startup->cb = sizeof(*startup);
    assert_true(CreateProcessW(path, copy, NULL, NULL, TRUE, 0, NULL, NULL, startup, pss));
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

/* ---- standard handles ---- */

/* As the program that is run: which of the three are handles, a bit each. */
static int count_handles(void)
{
    static const DWORD which[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    int handles = 0;

    for (int i = 0; i < 3; i++) {
        HANDLE handle = GetStdHandle(which[i]);

        if (handle != NULL && handle != INVALID_HANDLE_VALUE)
            handles |= 1 << i;
    }
    return handles;
}

static DWORD run_with_handles(HANDLE input, HANDLE output, HANDLE error)
{
    STARTUPINFOW startup = {.dwFlags = STARTF_USESTDHANDLES,
                            .hStdInput = input,
                            .hStdOutput = output,
                            .hStdError = error};
    PROCESS_INFORMATION pss;
    WCHAR line[2 * MAX_PATH];

    swprintf(line, 2 * MAX_PATH, L"pss run %ls --handles", program);
    start(line, &startup, &pss);
    return finish(&pss);
}

/* The value that is no handle is also that of the calling process itself. */
static void test_what_is_no_handle_is_none_in_the_program(void **state)
{
    HANDLE none = INVALID_HANDLE_VALUE;
    HANDLE process = GetCurrentProcess(), thread = GetCurrentThread();
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};
    HANDLE file =
        CreateFileW(L"NUL", GENERIC_WRITE, FILE_SHARE_WRITE, &inherited, OPEN_EXISTING, 0, NULL);

    (void)state;
    assert_ptr_equal(process, none);
    assert_int_equal(run_with_handles(none, none, none), 0);
    assert_int_equal(run_with_handles(NULL, NULL, NULL), 0);
    assert_int_equal(run_with_handles(none, file, NULL), 2);
    assert_int_equal(run_with_handles(NULL, file, thread), run_with_handles(none, file, thread));
    CloseHandle(file);
}

/* ---- the end of pss.exe ---- */

/* Named objects that a program holds while it lives, and is ended by. */
struct life {
    HANDLE alive; /* a mutex that the program owns */
    HANDLE begun; /* events */
    HANDLE end;
};

static struct life open_life(const char *prefix)
{
    char text[64];
    struct life life;

    snprintf(text, sizeof(text), "%s-alive", prefix);
    life.alive = CreateMutexA(NULL, FALSE, text);
    snprintf(text, sizeof(text), "%s-begun", prefix);
    life.begun = CreateEventA(NULL, TRUE, FALSE, text);
    snprintf(text, sizeof(text), "%s-end", prefix);
    life.end = CreateEventA(NULL, TRUE, FALSE, text);
    return life;
}

static void close_life(struct life *life)
{
    CloseHandle(life->alive);
    CloseHandle(life->begun);
    CloseHandle(life->end);
}

/* As the program that is run. */
static int wait_for_end(const char *prefix)
{
    struct life life = open_life(prefix);

    WaitForSingleObject(life.alive, WAIT_LIMIT_MS);
    SetEvent(life.begun);
    WaitForSingleObject(life.end, WAIT_LIMIT_MS);
    ReleaseMutex(life.alive);
    return 0;
}

/* As the program that is run: has a child that waits, and may wait itself. */
static int start_child(const char *prefix, bool keeps)
{
    char path[MAX_PATH], line[2 * MAX_PATH];
    STARTUPINFOA startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION child;
    struct life life = open_life(prefix);

    GetModuleFileNameA(NULL, path, MAX_PATH);
    snprintf(line, sizeof(line), "child --wait %s", prefix);
    if (!CreateProcessA(path, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &child) ||
        WaitForSingleObject(life.begun, WAIT_LIMIT_MS) != WAIT_OBJECT_0)
        return 1;
    if (keeps) {
        snprintf(line, sizeof(line), "%s-parent", prefix);
        return wait_for_end(line);
    }
    return 0;
}

static char name[48]; /* of the life that a test looks at */

static struct life open_new_life(void)
{
    static int number;

    snprintf(name, sizeof(name), "pss-run-%lu-%d", GetCurrentProcessId(), number++);
    return open_life(name);
}

static void start_program(const char *option, PROCESS_INFORMATION *pss)
{
    STARTUPINFOW startup = {0};
    WCHAR line[2 * MAX_PATH];

    swprintf(line, 2 * MAX_PATH, L"pss run %ls %hs %hs", program, option, name);
    start(line, &startup, pss);
}

static void end_pss(PROCESS_INFORMATION *pss)
{
    assert_true(TerminateProcess(pss->hProcess, 99));
    assert_int_equal(finish(pss), 99);
}

static void test_program_ends_when_pss_is_ended(void **state)
{
    struct life life = open_new_life();
    PROCESS_INFORMATION pss;

    (void)state;
    start_program("--wait", &pss);
    assert_int_equal(WaitForSingleObject(life.begun, WAIT_LIMIT_MS), WAIT_OBJECT_0);
    end_pss(&pss);
    DWORD waited = WaitForSingleObject(life.alive, WAIT_LIMIT_MS);
    SetEvent(life.end);
    assert_int_equal(waited, WAIT_ABANDONED);
    ReleaseMutex(life.alive);
    close_life(&life);
}

/* What the program has started lives on: a service's helper, a build server. */
static void check_child(const char *option, bool ends_pss)
{
    struct life life = open_new_life();
    char parent[64];
    PROCESS_INFORMATION pss;

    start_program(option, &pss);
    if (ends_pss) {
        snprintf(parent, sizeof(parent), "%s-parent", name);
        struct life other = open_life(parent);
        assert_int_equal(WaitForSingleObject(other.begun, WAIT_LIMIT_MS), WAIT_OBJECT_0);
        end_pss(&pss);
        assert_int_equal(WaitForSingleObject(other.alive, WAIT_LIMIT_MS), WAIT_ABANDONED);
        ReleaseMutex(other.alive);
        close_life(&other);
    } else {
        assert_int_equal(finish(&pss), 0);
    }
    DWORD waited = WaitForSingleObject(life.alive, 300);
    SetEvent(life.end);
    assert_int_equal(waited, WAIT_TIMEOUT);
    assert_int_equal(WaitForSingleObject(life.alive, WAIT_LIMIT_MS), WAIT_OBJECT_0);
    ReleaseMutex(life.alive);
    close_life(&life);
}

static void test_children_of_the_program_live_on(void **state)
{
    (void)state;
    check_child("--start", false);
    check_child("--keep", true);
}

/* A job of somebody else's: where the two cannot be nested, the program runs all the same. */
static void test_pss_in_a_job_runs_the_program(void **state)
{
    WCHAR path[MAX_PATH + 16], line[] = L"pss run cmd.exe /c exit 7";
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    HANDLE job = CreateJobObjectW(NULL, NULL);
    PROCESS_INFORMATION pss;

    (void)state;
    swprintf(path, MAX_PATH + 16, L"%ls\\pss.exe", directory);
    assert_true(CreateProcessW(path, line, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL,
                               &startup, &pss));
    assert_true(AssignProcessToJobObject(job, pss.hProcess));
    ResumeThread(pss.hThread);
    assert_int_equal(finish(&pss), 7);
    CloseHandle(job);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quotes_may_stand_anywhere_in_its_own_name),
        cmocka_unit_test(test_what_is_no_handle_is_none_in_the_program),
        cmocka_unit_test(test_program_ends_when_pss_is_ended),
        cmocka_unit_test(test_children_of_the_program_live_on),
        cmocka_unit_test(test_pss_in_a_job_runs_the_program),
    };

    if (argc > 1 && strcmp(argv[1], "--handles") == 0)
        return count_handles();
    if (argc > 2 && strcmp(argv[1], "--wait") == 0)
        return wait_for_end(argv[2]);
    if (argc > 2)
        return start_child(argv[2], strcmp(argv[1], "--keep") == 0);
    GetModuleFileNameW(NULL, program, MAX_PATH);
    wcscpy(directory, program);
    *wcsrchr(directory, L'\\') = L'\0';
    return cmocka_run_group_tests_name("run_process", tests, NULL, NULL);
}
