/* SPDX-License-Identifier: MIT */
/* The commands of pss.exe with calls that fail: in the library behind it, and its own. */
#include "faulty_nt.h"

#define pss_nt_system faulty_nt
#include "../../exports/exports.c"
#undef pss_nt_system

#include <tlhelp32.h>

#include <jansson.h>

#include "faulty_calls.h"
#include "nt_calls.h"
#include "random.h"
#include "soak.h"
#include "subject.h"
#include "tool_stage.h"

#define ARGUMENTS 8
#define SAMPLES   12u /* runs of a command, and as many with calls of its own */
#define READ_SIZE 8192
#define REPORTS   10u

int wmain(int argc, WCHAR **wide); /* tools/pss/main.c */

/* A command line: PID, ADDRESS, FILE and PROGRAM stand for what the test has. */
struct command {
    const char *arguments[ARGUMENTS];
    int status; /* where nothing fails */
    bool is_json, makes_file;
};

static const struct command commands[] = {
    {{"--version"}, 0, false, false},
    {{"--help"}, 0, false, false},
    {{"help", "show"}, 0, false, false},
    {{"no-command"}, 2, false, false},
    {{"list"}, 0, false, false},
    {{"list", "--json"}, 0, true, false},
    {{"show", "PID"}, 0, false, false},
    {{"show", "PID", "--all"}, 0, false, false},
    {{"show", "PID", "--all", "--json"}, 0, true, false},
    {{"show", "PID", "--clone"}, 0, false, false},
    {{"show", "PID", "--clone", "--json"}, 0, true, false},
    {{"show", "self", "--threads"}, 0, false, false},
    {{"read", "PID", "ADDRESS", "64"}, 0, false, false},
    {{"read", "PID", "ADDRESS", "8192", "--output", "FILE"}, 0, false, true},
    {{"rebind", "PROGRAM", "--dry-run"}, 0, false, false},
    {{"rebind", "PROGRAM"}, 0, false, false},
    {{"rebind", "EQUIPPED"}, 0, false, false},
    {{"run", "cmd.exe", "/c", "exit", "7"}, 7, false, false},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const NTSTATUS statuses[] = {
    STATUS_NO_MEMORY,    STATUS_ACCESS_DENIED,          STATUS_INVALID_HANDLE,
    STATUS_PARTIAL_COPY, STATUS_PROCESS_IS_TERMINATING, STATUS_NOT_IMPLEMENTED,
    STATUS_UNSUCCESSFUL, STATUS_INVALID_PARAMETER,
};
#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

static const DWORD errors[] = {
    ERROR_ACCESS_DENIED, ERROR_NOT_ENOUGH_MEMORY, ERROR_INVALID_HANDLE,
    ERROR_DISK_FULL,     ERROR_GEN_FAILURE,       ERROR_INVALID_FUNCTION,
};
#define ERRORS (sizeof(errors) / sizeof(errors[0]))

static struct subject child;
static const struct command *command; /* of the run */
static WCHAR words[ARGUMENTS + 1][MAX_PATH];
static char where[400]; /* the run, for messages */
static uint32_t reported, stranded;
static bool is_lasting; /* the fault of the run */
static bool is_running; /* the program to rebind, as far as files tell */
static int last_status;

static void report_run(const char *what, int status)
{
    if (reported++ < REPORTS)
        print_error("%s: %s: %d\n", where, what, status);
}

/* ---- the program that is rebound ---- */

static bool rebinds(void)
{
    return !strcmp(command->arguments[0], "rebind");
}

/* Where no file can be renamed any more, the way back is barred, too: a message says where the
 * original is. */
static bool is_stranded(const char *messages)
{
    return is_lasting && faulty_calls_failed() &&
           GetFileAttributesW(stage.program) == INVALID_FILE_ATTRIBUTES &&
           stage_is_original(stage.backup) && strstr(messages, "the original is");
}

/* docs/rebind.md: if anything fails, the file is as it was. */
static void check_program(int status, const char *messages)
{
    bool is_dry = command->arguments[2] != NULL;

    if (status && is_stranded(messages))
        stranded++;
    else if (stage_is_original(stage.program) != (status || is_dry))
        report_run("the program is not what it should be", status);
    if (!status && !is_dry && !stage_is_original(stage.backup))
        report_run("there is no backup", status);
    if (!status && GetFileAttributesW(stage.half) != INVALID_FILE_ATTRIBUTES)
        report_run("a half program is left", status);
}

/* ---- one run of the program ---- */

static void write_word(const char *argument, WCHAR word[MAX_PATH])
{
    if (!strcmp(argument, "PID"))
        swprintf(word, MAX_PATH, L"%lu", child.target->pid);
    else if (!strcmp(argument, "ADDRESS"))
        swprintf(word, MAX_PATH, L"0x%I64x", child.memory);
    else if (!strcmp(argument, "FILE"))
        wcscpy(word, stage.file);
    else if (!strcmp(argument, "PROGRAM") || !strcmp(argument, "EQUIPPED"))
        wcscpy(word, stage.program);
    else
        swprintf(word, MAX_PATH, L"%hs", argument);
}

static int make_arguments(WCHAR *argv[ARGUMENTS + 2])
{
    int argc = 1;

    wcscpy(words[0], L"pss");
    argv[0] = words[0];
    for (; argc <= ARGUMENTS && command->arguments[argc - 1]; argc++) {
        write_word(command->arguments[argc - 1], words[argc]);
        argv[argc] = words[argc];
    }
    argv[argc] = NULL;
    return argc;
}

static int run_program(void)
{
    WCHAR *argv[ARGUMENTS + 2];
    int argc = make_arguments(argv), saved[2], status;
    WCHAR line[1024] = L"";
    HANDLE user = NULL;

    if (rebinds())
        stage_renew_program();
    if (rebinds() && !strcmp(command->arguments[1], "EQUIPPED"))
        stage_add_library();
    if (is_running)
        user = CreateFileW(stage.program, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL,
                           OPEN_EXISTING, 0, NULL);
    for (int i = 0; i < argc; i++) {
        wcscat(line, argv[i]);
        wcscat(line, L" ");
    }
    line[wcslen(line) - 1] = L'\0';
    faulty_calls_set_line(line);
    stage_redirect(saved);
    faulty_calls_begin();
    status = wmain(argc, argv);
    faulty_calls_end();
    stage_restore(saved);
    if (user)
        CloseHandle(user);
    return status;
}

/* ---- what has to hold ---- */

static void check_json(const char *text, int status)
{
    json_t *document = json_loads(text, 0, NULL);

    if (!document && (*text || !status))
        report_run("the document is not whole", status);
    if (document)
        json_decref(document);
}

/* A whole file, or a message that it is none. */
static void check_file(int status)
{
    WIN32_FILE_ATTRIBUTE_DATA data;

    if (!status && (!GetFileAttributesExW(stage.file, GetFileExInfoStandard, &data) ||
                    data.nFileSizeLow != READ_SIZE))
        report_run("the file is not whole", status);
    DeleteFileW(stage.file);
}

/*
 * A clone's handle stays with the client where it cannot be told that it is still the clone's, and
 * the clone remains as long as the handle does.
 */
static void close_lent(void)
{
    if (!faulty_failures_of(FAULTY_query_process) && !faulty_failures_of(FAULTY_query_object))
        return;
    faulty_close_lent();
    pss_clone_look(faulty_nt());
}

/* No program stays that was started. */
static void assert_no_program(void)
{
    PROCESSENTRY32W entry = {.dwSize = sizeof(entry)};
    HANDLE list;

    if (strcmp(command->arguments[0], "run") != 0)
        return;
    list = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);

    for (BOOL more = Process32FirstW(list, &entry); more; more = Process32NextW(list, &entry)) {
        HANDLE process;

        if (entry.th32ParentProcessID != GetCurrentProcessId() ||
            _wcsicmp(entry.szExeFile, L"cmd.exe") != 0)
            continue;
        process = OpenProcess(SYNCHRONIZE | PROCESS_TERMINATE, FALSE, entry.th32ProcessID);
        if (process && WaitForSingleObject(process, 60000) != WAIT_OBJECT_0) {
            report_run("a program is left", (int)entry.th32ProcessID);
            TerminateProcess(process, 1);
        }
        if (process)
            CloseHandle(process);
    }
    CloseHandle(list);
}

/* As documented: 125 to 127 are those of `pss run`. */
static bool is_failure(int status)
{
    return status == 1 || (!strcmp(command->arguments[0], "run") && status >= 125 && status <= 127);
}

static void check_run(int status, bool has_failed, DWORD handles)
{
    char *output = stage_read(0), *messages = stage_read(1);

    if (status != command->status && (!has_failed || !is_failure(status)))
        report_run("the exit status", status);
    if (status && status != 7 && !*messages)
        report_run("no message", status);
    if (!status && !*output && !command->makes_file && command->status != 7)
        report_run("no output", status);
    if (command->is_json)
        check_json(output, status);
    if (command->makes_file)
        check_file(status);
    if (rebinds())
        check_program(status, messages);
    if (faulty_calls_wrong_frees())
        report_run("memory is freed twice", status);
    close_lent();
    faulty_assert_clean(where);
    if (nt_handles_count(GetCurrentProcessId()) > handles)
        report_run("handles are left", (int)nt_handles_count(GetCurrentProcessId()));
    free(output);
    free(messages);
}

static void describe(const char *what, uint32_t number, bool is_persistent, unsigned long code)
{
    int length = 0;

    for (int i = 0; i < ARGUMENTS && command->arguments[i]; i++)
        length +=
            snprintf(where + length, sizeof(where) - (size_t)length, "%s ", command->arguments[i]);
    snprintf(where + length, sizeof(where) - (size_t)length, ": call %u (%s) fails %s with 0x%lx",
             number, what ? what : "none", is_persistent ? "on" : "once", code);
}

/* ---- faults in the library ---- */

static uint32_t run_library_fault(uint32_t number, bool is_persistent, NTSTATUS status)
{
    DWORD handles = number ? nt_handles_count(GetCurrentProcessId()) : MAXDWORD;

    faulty_calls_fail(0, false, ERROR_SUCCESS);
    faulty_reset();
    faulty_fail(number, is_persistent, status);
    if (is_persistent)
        faulty_spare_waits();
    int result = run_program();
    const struct faulty_call *call = faulty_failed();
    uint32_t calls = faulty_fallible_calls();
    describe(call ? faulty_name(call->service) : NULL, number, is_persistent,
             (unsigned long)status);
    faulty_fail(0, false, STATUS_SUCCESS);
    check_run(result, call != NULL, handles);
    assert_no_program();
    return calls;
}

static void test_commands_with_a_fault_in_the_library_end_well(void **state)
{
    (void)state;
    for (size_t i = 0; i < COMMANDS; i++) {
        uint32_t calls, runs;

        command = &commands[i];
        run_library_fault(0, false, 0); /* what the C runtime opens once is open then */
        calls = run_library_fault(0, false, 0);
        runs = calls ? soak_or(SAMPLES, 2 * calls) : 0;
        for (uint32_t j = 0; j < runs; j++)
            run_library_fault(soak_or(1 + random_below(calls), 1 + j / 2),
                              soak_or(j % 4 == 3, j % 2), statuses[random_below(STATUSES)]);
        print_message("%s: %u calls, %u runs\n", where, calls, runs);
    }
    assert_same(reported, 0);
}

/* ---- faults in the program's own calls ---- */

static uint32_t run_own_fault(uint32_t number, bool is_persistent, DWORD error)
{
    DWORD handles = number ? nt_handles_count(GetCurrentProcessId()) : MAXDWORD;

    is_lasting = is_persistent;
    faulty_reset();
    faulty_calls_fail(number, is_persistent, error);
    int result = run_program();
    uint32_t calls = faulty_calls_count();
    last_status = result;
    describe(faulty_calls_failed(), number, is_persistent, error);
    check_run(result, faulty_calls_failed() != NULL, handles);
    assert_no_program();
    return calls;
}

static void test_commands_with_a_fault_of_their_own_end_well(void **state)
{
    (void)state;
    for (size_t i = 0; i < COMMANDS; i++) {
        uint32_t calls, runs = 0;

        command = &commands[i];
        calls = run_own_fault(0, false, 0);
        for (uint32_t number = 1; number <= calls; number++)
            for (uint32_t j = 0; j < 2 * ERRORS; j++) {
                if (!soak_or(0, 1) && random_below(calls * 2 * ERRORS) >= SAMPLES)
                    continue;
                run_own_fault(number, j % 2, errors[j / 2]);
                runs++;
            }
        print_message("%s: %u calls, %u runs\n", where, calls, runs);
    }
    assert_same(reported, 0);
}

static const struct command rebind = {{"rebind", "PROGRAM"}, 0, false, false};

/** Has every call of a rebinding fail for good, one after the other; returns how often that left
 * the program under the name of its backup. */
static uint32_t strand(void)
{
    uint32_t calls;

    command = &rebind;
    stranded = 0;
    calls = run_own_fault(0, false, 0);
    for (uint32_t number = 1; number <= calls; number++)
        run_own_fault(number, true, ERROR_ACCESS_DENIED);
    assert_same(reported, 0);
    return stranded;
}

static void test_program_is_never_away_from_its_place(void **state)
{
    (void)state;
    assert_same(strand(), 0);
}

/* One that runs is renamed; where its name does not come back, a message tells the other one. */
static void test_running_program_that_cannot_be_renamed_back_is_the_backup(void **state)
{
    (void)state;
    is_running = true;
    assert_true(strand() > 0);
    is_running = false;
}

/* Each call once, so that the pss.dll that is there and ours cannot be read, one of them or both.
 */
static void test_library_that_cannot_be_read_is_freed_once(void **state)
{
    static const struct command equipped = {{"rebind", "EQUIPPED"}, 0, false, false};
    uint32_t calls;

    (void)state;
    command = &equipped;
    calls = run_own_fault(0, false, 0);
    for (uint32_t number = 1; number <= calls; number++)
        run_own_fault(number, false, ERROR_CRC);
    assert_same(reported, 0);
}

/* As scanners do, which look at each new file. */
static void test_file_that_is_in_use_for_a_moment_is_tried_again(void **state)
{
    uint32_t calls, tried = 0;

    (void)state;
    command = &rebind;
    calls = run_own_fault(0, false, 0);
    for (uint32_t number = 1; number <= calls; number++) {
        run_own_fault(number, false, ERROR_SHARING_VIOLATION);
        if (!faulty_calls_failed() || strcmp(faulty_calls_failed(), "MoveFileExW") != 0)
            continue;
        assert_same(last_status, 0);
        tried++;
    }
    assert_same(tried, 2); /* pss.dll and the program */
}

/* ---- `pss run` with a console ---- */

static const struct command seven = {{"run", "cmd.exe", "/c", "exit", "7"}, 7, false, false};

/* Nobody is left to let the program run: it ends, as it would by itself. */
static void test_ctrl_c_before_the_program_runs_ends_it(void **state)
{
    (void)state;
    command = &seven;
    faulty_calls_fail(0, false, ERROR_SUCCESS);
    faulty_calls_interrupt(true);
    int status = run_program();
    faulty_calls_interrupt(false);
    assert_no_program();
    assert_same((DWORD)status, (DWORD)STATUS_CONTROL_C_EXIT);
    assert_same(run_program(), 7); /* the next one is not meant */
    assert_same(reported, 0);
}

/* The value of no handle is also that of the calling process, which must not be copied. */
static void test_standard_handle_that_is_none_is_handed_on(void **state)
{
    static const intptr_t values[] = {-1, -2, -6, 0};

    (void)state;
    command = &seven;
    faulty_calls_fail(0, false, ERROR_SUCCESS);
    for (int i = 0; i < 4; i++) {
        faulty_calls_set_handle((HANDLE)values[i]);
        DWORD handles = nt_handles_count(GetCurrentProcessId());
        assert_same(run_program(), 7);
        assert_same((intptr_t)faulty_calls_startup()->hStdInput, values[i]);
        assert_same((intptr_t)faulty_calls_startup()->hStdOutput, values[i]);
        assert_same((intptr_t)faulty_calls_startup()->hStdError, values[i]);
        assert_same(nt_handles_count(GetCurrentProcessId()), handles);
    }
    faulty_calls_set_handle(NULL);
}

/* ---- fixtures ---- */

static int set_up(void **state)
{
    (void)state;
    SetEnvironmentVariableA("PSS_FORWARD", "0");
    faulty_init();
    assert_same(PssWalkMarkerFree(NULL), ERROR_INVALID_HANDLE); /* decides who serves */
    subject_start_child(&child);
    stage_init();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    subject_fini(&child);
    stage_fini();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_with_a_fault_in_the_library_end_well),
        cmocka_unit_test(test_commands_with_a_fault_of_their_own_end_well),
        cmocka_unit_test(test_ctrl_c_before_the_program_runs_ends_it),
        cmocka_unit_test(test_standard_handle_that_is_none_is_handed_on),
        cmocka_unit_test(test_program_is_never_away_from_its_place),
        cmocka_unit_test(test_running_program_that_cannot_be_renamed_back_is_the_backup),
        cmocka_unit_test(test_library_that_cannot_be_read_is_freed_once),
        cmocka_unit_test(test_file_that_is_in_use_for_a_moment_is_tried_again),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
