/* SPDX-License-Identifier: MIT */
/* Who is attached to, and with which files; nothing is left open here, whatever comes of it:
 * shim_attach [foreign]. */
#include "attach.h"

#include "child.h"
#include "identity.h"
#include "ledger.h"
#include "nt_calls.h"
#include "under_test.h"

#define MEMORY_RIGHTS (PROCESS_VM_OPERATION | PROCESS_VM_READ | PROCESS_VM_WRITE)

static struct child child;
static struct child_state before;

static DWORD attach(HMODULE self, HANDLE process)
{
    return attach_to(pss_nt_system(), self, process);
}

static HANDLE open_child(DWORD access)
{
    HANDLE process = OpenProcess(access, FALSE, child.pid);

    assert_non_null(process);
    return process;
}

static int start(void **state)
{
    (void)state;
    child_start(&child);
    child_read_state(&child, &before);
    return 0;
}

static int end(void **state)
{
    (void)state;
    if (child.process)
        child_end(&child);
    return 0;
}

/* ---- the whole ---- */

static void test_child_that_is_attached_to_runs_to_its_end(void **state)
{
    (void)state;
    assert_int_equal(attach(NULL, child.process), ERROR_SUCCESS);
    assert_int_equal(child_finish(&child), CHILD_UNTOUCHED); /* other DLLs than it looks for */
}

static void test_rights_of_the_helper_are_enough(void **state)
{
    HANDLE process = open_child(PROCESS_QUERY_INFORMATION | PROCESS_VM_OPERATION | PROCESS_VM_READ |
                                PROCESS_VM_WRITE);

    (void)state;
    assert_int_equal(attach(NULL, process), ERROR_SUCCESS);
    CloseHandle(process);
    assert_int_equal(child_finish(&child), CHILD_UNTOUCHED);
}

/* As by a parent with the shim, and then by pss run in that parent. */
static void test_child_may_be_attached_to_twice(void **state)
{
    (void)state;
    assert_int_equal(attach(NULL, child.process), ERROR_SUCCESS);
    assert_int_equal(attach(NULL, child.process), ERROR_SUCCESS);
    assert_int_equal(child_finish(&child), CHILD_UNTOUCHED);
}

/* ---- rights ---- */

static void assert_refused(DWORD access)
{
    HANDLE process = open_child(access);
    char where[60];

    snprintf(where, sizeof(where), "a handle with the rights 0x%lx", access);
    DWORD error = attach(NULL, process);
    CloseHandle(process);
    if (error != ERROR_ACCESS_DENIED)
        fail_msg("%s: %lu", where, error);
    child_assert_state(&child, &before, false, where);
}

static bool tells_where_peb_is(DWORD access)
{
    HANDLE process = open_child(access);
    struct nt_process_basic basic;
    NTSTATUS status = NtQueryInformationProcess(process, (PROCESSINFOCLASS)NT_PROCESS_BASIC, &basic,
                                                sizeof(basic), NULL);

    CloseHandle(process);
    return NT_SUCCESS(status);
}

static void test_handles_without_rights_are_refused(void **state)
{
    (void)state;
    assert_refused(SYNCHRONIZE);
    if (!tells_where_peb_is(MEMORY_RIGHTS))
        assert_refused(MEMORY_RIGHTS);
    assert_refused(PROCESS_QUERY_INFORMATION);
    assert_refused(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ | PROCESS_VM_OPERATION);
    assert_refused(PROCESS_QUERY_INFORMATION | PROCESS_VM_WRITE | PROCESS_VM_OPERATION);
    assert_int_equal(child_finish(&child), CHILD_UNTOUCHED);
}

/* Wine 8 tells it for a right to query only, Wine 10 also for these. */
static void test_rights_on_memory_are_enough_where_they_tell_the_rest(void **state)
{
    HANDLE process;

    (void)state;
    if (!tells_where_peb_is(MEMORY_RIGHTS))
        skip();
    process = open_child(MEMORY_RIGHTS);
    assert_int_equal(attach(NULL, process), ERROR_SUCCESS);
    CloseHandle(process);
    assert_int_equal(child_finish(&child), CHILD_UNTOUCHED);
}

/* The place is found, and nothing can be put there: that is no memory. */
static void test_handle_that_cannot_allocate_fails(void **state)
{
    HANDLE process = open_child(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ | PROCESS_VM_WRITE);

    (void)state;
    assert_int_not_equal(attach(NULL, process), ERROR_SUCCESS);
    CloseHandle(process);
    child_assert_state(&child, &before, false, "no right to allocate");
    assert_int_equal(child_finish(&child), CHILD_UNTOUCHED);
}

static void test_bad_handles_fail(void **state)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

    (void)state;
    assert_int_not_equal(attach(NULL, NULL), ERROR_SUCCESS);
    assert_int_not_equal(attach(NULL, (HANDLE)0x7ffffffc), ERROR_SUCCESS);
    assert_int_not_equal(attach(NULL, event), ERROR_SUCCESS);
    CloseHandle(event);
}

static void test_own_processes_are_told_by_handles_with_the_right(void **state)
{
    HANDLE weak = open_child(SYNCHRONIZE | PROCESS_VM_READ);

    (void)state;
    assert_true(identity_is_own(GetCurrentProcess()));
    assert_true(identity_is_own(child.process));
    known_difference(ON_WINE, !identity_is_own(weak)); /* Wine 8 asks for no right */
    assert_false(identity_is_own(NULL));
    CloseHandle(weak);
}

static void test_child_that_has_ended_fails(void **state)
{
    (void)state;
    TerminateProcess(child.process, 1);
    assert_int_equal(WaitForSingleObject(child.process, 30000), WAIT_OBJECT_0);
    assert_int_not_equal(attach(NULL, child.process), ERROR_SUCCESS);
}

/* ---- files ---- */

static WCHAR directory[MAX_PATH];

static const WCHAR *file_in_directory(const WCHAR *name)
{
    static WCHAR path[MAX_PATH];

    swprintf(path, MAX_PATH, L"%ls\\%ls", directory, name);
    return path;
}

/* Copies a file of the test's directory to the other one. */
static void copy(const WCHAR *name)
{
    WCHAR path[MAX_PATH];

    GetModuleFileNameW(NULL, path, MAX_PATH);
    wcscpy(wcsrchr(path, L'\\') + 1, name);
    assert_true(CopyFileW(path, file_in_directory(name), FALSE));
}

/* A directory with a module of ours in it, which asks from there. */
static HMODULE load_from_directory(const WCHAR *name)
{
    WCHAR temporary[MAX_PATH];

    assert_true(GetTempPathW(MAX_PATH - 64, temporary) != 0);
    swprintf(directory, MAX_PATH, L"%lspss-%ls-%lu", temporary, name, GetCurrentProcessId());
    assert_true(CreateDirectoryW(directory, NULL));
    copy(L"shim-other.dll");
    HMODULE module = LoadLibraryW(file_in_directory(L"shim-other.dll"));
    assert_non_null(module);
    return module;
}

static void remove_directory(HMODULE module)
{
    assert_true(FreeLibrary(module));
    assert_true(DeleteFileW(file_in_directory(L"shim-other.dll")));
    DeleteFileW(file_in_directory(L"pss.dll"));
    DeleteFileW(file_in_directory(L"pss-shim.dll"));
    assert_true(RemoveDirectoryW(directory));
}

/* From 32 bits, a helper does it: it has to be there, and the process, too. */
static void test_missing_helper_is_told(void **state)
{
    HMODULE module = load_from_directory(L"helper");

    (void)state;
    assert_int_equal(attach(module, child.process), ERROR_FILE_NOT_FOUND);
    remove_directory(module);
    assert_int_equal(child_finish(&child), CHILD_UNTOUCHED);
}

static void test_missing_file_is_told(void **state)
{
    HMODULE module = load_from_directory(L"files");

    (void)state;
    assert_int_equal(attach(module, child.process), ERROR_FILE_NOT_FOUND);
    copy(L"pss.dll");
    assert_int_equal(attach(module, child.process), ERROR_FILE_NOT_FOUND);
    child_assert_state(&child, &before, false, "the file is missing");
    copy(L"pss-shim.dll");
    assert_int_equal(attach(module, child.process), ERROR_SUCCESS);
    assert_int_equal(child_finish(&child), CHILD_UNTOUCHED);
    remove_directory(module);
}

/* By its short name, where it has one. */
static void test_directory_with_other_letters_is_reached_or_told(void **state)
{
    HMODULE module = load_from_directory(L"\x00fc\x043f\x20ac");
    WCHAR name[MAX_PATH];
    int is_ascii = 1;

    (void)state;
    copy(L"pss-shim.dll");
    assert_true(GetShortPathNameW(file_in_directory(L"pss-shim.dll"), name, MAX_PATH) != 0);
    for (int i = 0; name[i]; i++)
        is_ascii &= name[i] < 0x80;
    DWORD error = attach(module, child.process);
    print_message("short name: %s\n", is_ascii ? "yes" : "no");
    if (is_ascii) {
        assert_int_equal(error, ERROR_SUCCESS);
    } else {
        assert_int_equal(error, ERROR_INVALID_NAME);
        child_assert_state(&child, &before, false, "a directory without short name");
    }
    assert_int_equal(child_finish(&child), CHILD_UNTOUCHED);
    remove_directory(module);
}

/* ---- what is left ---- */

static void test_no_handle_stays_open(void **state)
{
    HANDLE weak = open_child(PROCESS_QUERY_INFORMATION);

    (void)state;
    attach(NULL, weak);
    DWORD handles = nt_handles_count(GetCurrentProcessId());
    for (int i = 0; i < 5; i++) {
        attach(NULL, weak);
        assert_int_equal(attach(GetModuleHandleW(L"ntdll.dll"), child.process),
                         ERROR_FILE_NOT_FOUND);
        assert_int_equal(attach(NULL, child.process), ERROR_SUCCESS);
    }
    assert_int_equal(nt_handles_count(GetCurrentProcessId()), handles);
    CloseHandle(weak);
}

#define ATTACH_TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

/* Of a process that this one can see. */
static const struct CMUnitTest in_reach[] = {
    ATTACH_TEST(test_child_that_is_attached_to_runs_to_its_end),
    ATTACH_TEST(test_rights_of_the_helper_are_enough),
    ATTACH_TEST(test_child_may_be_attached_to_twice),
    ATTACH_TEST(test_handles_without_rights_are_refused),
    ATTACH_TEST(test_rights_on_memory_are_enough_where_they_tell_the_rest),
    ATTACH_TEST(test_handle_that_cannot_allocate_fails),
    ATTACH_TEST(test_bad_handles_fail),
    ATTACH_TEST(test_own_processes_are_told_by_handles_with_the_right),
    ATTACH_TEST(test_child_that_has_ended_fails),
    ATTACH_TEST(test_no_handle_stays_open),
};

/* With the files for the machine of this one. */
static const struct CMUnitTest own_files[] = {
    ATTACH_TEST(test_missing_file_is_told),
    ATTACH_TEST(test_directory_with_other_letters_is_reached_or_told),
};

static const struct CMUnitTest out_of_reach[] = {
    ATTACH_TEST(test_child_that_is_attached_to_runs_to_its_end),
    ATTACH_TEST(test_child_may_be_attached_to_twice),
    ATTACH_TEST(test_bad_handles_fail),
    ATTACH_TEST(test_child_that_has_ended_fails),
    ATTACH_TEST(test_missing_helper_is_told),
    ATTACH_TEST(test_no_handle_stays_open),
};

int main(int argc, char **argv)
{
    bool is_foreign = argc > 1 && strcmp(argv[1], "foreign") == 0;

    if (is_foreign)
        child_use_foreign();
    if (!child_is_possible()) {
        puts("skipped: no program of the other bitness runs here");
        return 77;
    }
    if (is_foreign && sizeof(void *) == 4)
        return cmocka_run_group_tests(out_of_reach, NULL, NULL);
    int failed = cmocka_run_group_tests(in_reach, NULL, NULL);
    return is_foreign ? failed : failed + cmocka_run_group_tests(own_files, NULL, NULL);
}
