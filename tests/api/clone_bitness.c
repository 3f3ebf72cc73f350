/* SPDX-License-Identifier: MIT */
/* Clones of processes whose program file was replaced by one of the other bitness meanwhile. */
#include "clone.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

/* A process that has not run yet, of a file of our own. */
struct victim {
    char path[MAX_PATH], old_path[MAX_PATH];
    PROCESS_INFORMATION process;
};

static struct victim victim;

static void path_beside(const char *name, char path[MAX_PATH])
{
    DWORD length = GetModuleFileNameA(NULL, path, MAX_PATH);

    while (length && path[length - 1] != '\\')
        length--;
    snprintf(path + length, MAX_PATH - length, "%s", name);
}

static void copy_program(const char *name, const char *to)
{
    char path[MAX_PATH];

    path_beside(name, path);
    assert_true(CopyFileA(path, to, FALSE));
}

static void start(const char *program)
{
    STARTUPINFOA info = {.cb = sizeof(info)};
    char name[64];

    snprintf(name, sizeof(name), "pss-test-victim-%lu.exe", GetCurrentProcessId());
    path_beside(name, victim.path);
    snprintf(victim.old_path, MAX_PATH, "%s.old", victim.path);
    copy_program(program, victim.path);
    assert_true(CreateProcessA(victim.path, NULL, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL,
                               &info, &victim.process));
}

static void replace(const char *program)
{
    assert_true(MoveFileA(victim.path, victim.old_path));
    copy_program(program, victim.path);
}

static int end_victim(void **state)
{
    (void)state;
    if (victim.process.hProcess) {
        TerminateProcess(victim.process.hProcess, 0);
        assert_same(WaitForSingleObject(victim.process.hProcess, CLONE_LIMIT_MS), WAIT_OBJECT_0);
        CloseHandle(victim.process.hThread);
        CloseHandle(victim.process.hProcess);
        DeleteFileA(victim.path);
        DeleteFileA(victim.old_path);
    }
    memset(&victim, 0, sizeof(victim));
    return 0;
}

static BOOL is_wow64(HANDLE process)
{
    BOOL answer = FALSE;

    assert_true(IsWow64Process(process, &answer));
    return answer;
}

#define OWN     "pss-test-target.exe"
#define FOREIGN "pss-test-target-foreign.exe"

/* The caller's image does instead of the target's. */
static void test_clone_of_a_replaced_program_has_the_bitness_of_the_target(void **state)
{
    HPSS snapshot = NULL;

    (void)state;
    start(OWN);
    replace(FOREIGN);
    assert_same(pss.capture(victim.process.hProcess, PSS_CAPTURE_VA_CLONE, 0, &snapshot),
                ERROR_SUCCESS);
    assert_same(is_wow64(clone_of(snapshot)), is_wow64(victim.process.hProcess));
    free_snapshot(snapshot);
}

/* There is no image of that bitness at hand, unless the system clones by itself. */
static void test_clone_of_a_replaced_program_of_the_other_bitness_is_refused(void **state)
{
    HPSS snapshot = NULL;

    (void)state;
    if (sizeof(void *) == 4)
        skip_because("a 32-bit caller cannot capture a 64-bit target"); /* the target would be one
                                                                           with 64 bits */
    start(FOREIGN);
    replace(OWN);
    DWORD error = pss.capture(victim.process.hProcess, PSS_CAPTURE_VA_CLONE, 0, &snapshot);
    if (error) {
        assert_same(error, ERROR_BAD_EXE_FORMAT);
        assert_null(snapshot);
    } else {
        assert_true(is_wow64(clone_of(snapshot)));
        free_snapshot(snapshot);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_clone_of_a_replaced_program_has_the_bitness_of_the_target,
                                  end_victim),
        cmocka_unit_test_teardown(test_clone_of_a_replaced_program_of_the_other_bitness_is_refused,
                                  end_victim),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clone_bitness", tests, NULL, NULL);
}
