/* SPDX-License-Identifier: MIT */
/* Processes whose program has an odd name, or is no longer where it was. */
#include "clone.h"
#include "hostile.h"
#include "ledger.h"
#include "records.h"
#include "tally.h"
#include "under_test.h"

#define EVERYTHING 0x00001BFEu
#define ROOM       1024

/* Directories and a file below a directory of the test's own; each part is made. */
struct program {
    WCHAR directory[ROOM];
    WCHAR parts[4][ROOM]; /* longer and longer; the last one is the file */
    int count;
};

static void make_base(struct program *program)
{
    WCHAR name[64], temp[MAX_PATH];

    memset(program, 0, sizeof(*program));
    assert_true(GetTempPathW(MAX_PATH, temp) > 0);
    swprintf(program->directory, ROOM, L"\\\\?\\%ls%ls", temp, unique_name(name, L"odd"));
    for (WCHAR *at = program->directory + 4; *at; at++)
        if (*at == L'/')
            *at = L'\\';
    wcscpy(program->parts[0], program->directory);
    program->count = 1;
}

static void add_part(struct program *program, const WCHAR *name)
{
    swprintf(program->parts[program->count], ROOM, L"%ls\\%ls", program->parts[program->count - 1],
             name);
    program->count++;
}

static const WCHAR *path_of(const struct program *program)
{
    return program->parts[program->count - 1];
}

/* Whether the file system takes these names. */
static bool make_program(const struct program *program)
{
    WCHAR source[MAX_PATH];
    DWORD length = GetModuleFileNameW(NULL, source, MAX_PATH);

    while (length && source[length - 1] != L'\\')
        length--;
    wcscpy(source + length, L"" HOSTILE_PROGRAM);
    for (int i = 0; i + 1 < program->count; i++)
        CreateDirectoryW(program->parts[i], NULL);
    if (CopyFileW(source, path_of(program), FALSE))
        return true;
    print_message("no such file: error %lu\n", GetLastError());
    return false;
}

static void remove_program(const struct program *program)
{
    DeleteFileW(path_of(program));
    for (int i = program->count - 2; i >= 0; i--)
        RemoveDirectoryW(program->parts[i]);
}

/* The name is what the system tells, cut to 259 characters. */
static void check_name(const struct hostile *hostile, HPSS snapshot)
{
    PSS_PROCESS_INFORMATION process;
    WCHAR name[ROOM] = L"";
    DWORD length = ROOM;

    query_fully(snapshot, PSS_QUERY_PROCESS_INFORMATION, &process, sizeof(process));
    assert_same(process.ProcessId, hostile->target.pid);
    if (!QueryFullProcessImageNameW(hostile->target.process, 0, name, &length))
        name[0] = 0;
    name[MAX_PATH - 1] = 0;
    assert_memory_equal(process.ImageFileName, name, (wcslen(name) + 1) * sizeof(WCHAR));
}

static void check_captures(const struct hostile *hostile, DWORD allowed)
{
    static const DWORD flags[] = {PSS_CAPTURE_NONE, EVERYTHING, EVERYTHING | PSS_CAPTURE_VA_CLONE};
    struct target_state before = target_state_read(&hostile->target);

    for (int i = 0; i < 3; i++) {
        HPSS snapshot = NULL;
        DWORD error = pss.capture(hostile->target.process, flags[i], CONTEXT_ALL, &snapshot);
        if (error && error == allowed)
            continue;
        if (error)
            fail_msg("flags 0x%lx: error %lu", flags[i], error);
        check_name(hostile, snapshot);
        for (DWORD list = PSS_WALK_VA_SPACE; flags[i] && list <= PSS_WALK_THREADS; list++) {
            struct records records = records_read(snapshot, list);
            assert_true(records.count > 0);
            records_free(&records);
        }
        if (flags[i] & PSS_CAPTURE_VA_CLONE)
            clone_assert_pattern(clone_of(snapshot), hostile->pattern, HOSTILE_PATTERN_SIZE,
                                 hostile->target.pid);
        free_snapshot(snapshot);
    }
    struct target_state after = target_state_read(&hostile->target);
    assert_same(after.suspensions, before.suspensions);
    assert_same(after.handles, before.handles);
}

/* Starts it, lets something befall its file, and captures it. */
static void run_program(struct program *program, void (*befall)(const struct program *program))
{
    struct hostile hostile;

    if (!make_program(program) || !hostile_start(path_of(program), "quiet", 1, &hostile)) {
        remove_program(program);
        skip_because("a program of that name cannot be made or started here");
    }
    assert_true(hostile.is_here);
    tally(TALLY_HOSTILE_TARGETS, 1);
    if (befall)
        befall(program);
    check_captures(&hostile, ERROR_SUCCESS);
    hostile_finish(&hostile);
    hostile_end(&hostile);
    remove_program(program);
}

static void run_named(const WCHAR *first, const WCHAR *second)
{
    struct program program;

    make_base(&program);
    if (first)
        add_part(&program, first);
    add_part(&program, second);
    run_program(&program, NULL);
}

static void test_target_with_odd_characters_is_captured(void **state)
{
    (void)state;
    run_named(L" %s%n \x65e5\x672c \x202e gpj", L"\xd83d\xde00 'a' & ^b;[].c,exe .exe");
}

static void test_target_with_lone_surrogates_is_captured(void **state)
{
    (void)state;
    run_named(L"a\xd800"
              L"b",
              L"\xdc00\xd801.exe");
}

static void test_target_without_extension_is_captured(void **state)
{
    (void)state;
    run_named(NULL, L"program");
}

static void rename_file(const struct program *program)
{
    WCHAR other[ROOM];

    swprintf(other, ROOM, L"%ls-gone", path_of(program));
    assert_true(MoveFileW(path_of(program), other));
}

static void test_target_whose_program_is_renamed_is_captured(void **state)
{
    WCHAR other[ROOM];
    struct program program;

    (void)state;
    make_base(&program);
    add_part(&program, L"renamed.exe");
    run_program(&program, rename_file);
    swprintf(other, ROOM, L"%ls-gone", path_of(&program));
    DeleteFileW(other);
    remove_program(&program);
}

/* Another program has its name by now. */
static void replace_file(const struct program *program)
{
    WCHAR source[MAX_PATH];

    rename_file(program);
    assert_true(GetModuleFileNameW(NULL, source, MAX_PATH) > 0);
    assert_true(CopyFileW(source, path_of(program), FALSE));
}

static void test_target_whose_program_is_replaced_is_captured(void **state)
{
    WCHAR other[ROOM];
    struct program program;

    (void)state;
    make_base(&program);
    add_part(&program, L"replaced.exe");
    run_program(&program, replace_file);
    swprintf(other, ROOM, L"%ls-gone", path_of(&program));
    DeleteFileW(other);
    remove_program(&program);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_target_with_odd_characters_is_captured),
        PSS_TEST(test_target_with_lone_surrogates_is_captured),
        PSS_TEST(test_target_without_extension_is_captured),
        PSS_TEST(test_target_whose_program_is_renamed_is_captured),
        PSS_TEST(test_target_whose_program_is_replaced_is_captured),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("hostile_names", tests, hostile_warm_up, NULL);
}
