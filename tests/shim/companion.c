/* SPDX-License-Identifier: MIT */
/* Where companions are looked for, and which files count. The path of the module is the test's to
 * say. */
#include "companion.h"

#include "harness.h"
#include "module_path.h"

static WCHAR root[MAX_PATH]; /* of all directories; ends with a backslash */

/* ---- files ---- */

static const WCHAR *path_of(const WCHAR *name)
{
    static WCHAR path[4][2 * MAX_PATH];
    static int next;
    WCHAR *made = path[next++ % 4];

    swprintf(made, 2 * MAX_PATH, L"%ls%ls", root, name);
    return made;
}

static void write_file(const WCHAR *name, const void *bytes, DWORD size)
{
    HANDLE file = CreateFileW(path_of(name), GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    DWORD written;

    assert_true(file != INVALID_HANDLE_VALUE);
    assert_true(WriteFile(file, bytes, size, &written, NULL));
    CloseHandle(file);
}

/* As much of a PE file as tells the machine. */
struct image {
    IMAGE_DOS_HEADER dos;
    DWORD signature;
    WORD machine;
    WORD sections;
};

#define IMAGE_BYTES ((DWORD)sizeof(struct image))

static struct image make_image(WORD machine)
{
    return (struct image){.dos.e_magic = IMAGE_DOS_SIGNATURE,
                          .dos.e_lfanew = offsetof(struct image, signature),
                          .signature = IMAGE_NT_SIGNATURE,
                          .machine = machine};
}

static void write_image(const WCHAR *name, WORD machine)
{
    struct image image = make_image(machine);

    write_file(name, &image, IMAGE_BYTES);
}

static void delete_file(const WCHAR *name)
{
    assert_true(DeleteFileW(path_of(name)));
}

/* ---- looking ---- */

static const WCHAR *const directories[] = {L"up",     L"up\\x64",     L"up\\x86",
                                           L"up\\in", L"up\\in\\x64", L"up\\in\\x86"};

static void assert_found(WORD machine, const WCHAR *expected)
{
    WCHAR found[COMPANION_PATH] = L"untouched";

    module_path_set(path_of(L"up\\in\\module.dll"));
    assert_int_equal(companion_find(NULL, machine, L"c.dll", found), expected != NULL);
    if (wcscmp(found, expected ? path_of(expected) : L"untouched") != 0)
        fail_msg("found %ls", found);
}

static void test_four_places_are_searched_in_order(void **state)
{
    static const WCHAR *const places[] = {L"up\\in\\c.dll", L"up\\in\\x64\\c.dll",
                                          L"up\\x64\\c.dll", L"up\\c.dll"};

    (void)state;
    for (int i = 0; i < 4; i++)
        write_image(places[i], IMAGE_FILE_MACHINE_AMD64);
    write_image(L"up\\in\\x86\\c.dll", IMAGE_FILE_MACHINE_AMD64); /* none of the places */
    for (int i = 0; i < 4; i++) {
        assert_found(IMAGE_FILE_MACHINE_AMD64, places[i]);
        assert_found(IMAGE_FILE_MACHINE_I386, NULL);
        delete_file(places[i]);
    }
    assert_found(IMAGE_FILE_MACHINE_AMD64, NULL);
    delete_file(L"up\\in\\x86\\c.dll");
}

static void test_other_machines_file_is_passed_over(void **state)
{
    (void)state;
    write_image(L"up\\in\\c.dll", IMAGE_FILE_MACHINE_AMD64);
    write_image(L"up\\in\\x86\\c.dll", IMAGE_FILE_MACHINE_ARM64);
    write_image(L"up\\x86\\c.dll", IMAGE_FILE_MACHINE_I386);
    assert_found(IMAGE_FILE_MACHINE_I386, L"up\\x86\\c.dll");
    assert_found(IMAGE_FILE_MACHINE_AMD64, L"up\\in\\c.dll");
    delete_file(L"up\\in\\c.dll");
    delete_file(L"up\\in\\x86\\c.dll");
    delete_file(L"up\\x86\\c.dll");
}

static void test_directory_of_that_name_is_passed_over(void **state)
{
    (void)state;
    assert_true(CreateDirectoryW(path_of(L"up\\in\\c.dll"), NULL));
    assert_found(IMAGE_FILE_MACHINE_AMD64, NULL);
    write_image(L"up\\c.dll", IMAGE_FILE_MACHINE_AMD64);
    assert_found(IMAGE_FILE_MACHINE_AMD64, L"up\\c.dll");
    delete_file(L"up\\c.dll");
    assert_true(RemoveDirectoryW(path_of(L"up\\in\\c.dll")));
}

static void assert_not_found(const WCHAR *module)
{
    WCHAR found[COMPANION_PATH] = L"untouched";

    module_path_set(module);
    assert_int_equal(companion_find(NULL, IMAGE_FILE_MACHINE_AMD64, L"c.dll", found), 0);
    assert_int_equal(wcscmp(found, L"untouched"), 0);
}

/* The current directory is no place to look. */
static void test_module_without_directory_has_no_companions(void **state)
{
    WCHAR old[MAX_PATH];

    (void)state;
    GetCurrentDirectoryW(MAX_PATH, old);
    assert_true(SetCurrentDirectoryW(path_of(L"up")));
    write_image(L"up\\c.dll", IMAGE_FILE_MACHINE_AMD64);
    assert_not_found(L"module.dll");
    assert_not_found(L"");
    assert_true(SetCurrentDirectoryW(old));
    delete_file(L"up\\c.dll");
}

static void test_module_in_the_root_has_no_directory_above(void **state)
{
    (void)state;
    assert_not_found(L"\\module-of-no-use.dll");
    assert_not_found(L"C:\\module-of-no-use.dll");
}

/* A directory of so many characters, its last backslash included: up, through directories that are
 * themselves. */
static void make_long_directory(WCHAR *path, size_t length)
{
    wcscpy(path, path_of(L"up\\"));
    if (wcslen(path) % 2 != length % 2)
        wcscpy(path, path_of(L"up\\\\"));
    while (wcslen(path) < length)
        wcscat(path, L".\\");
}

static int is_found_below(size_t length)
{
    WCHAR module[COMPANION_PATH + 8], found[COMPANION_PATH] = L"untouched";

    make_long_directory(module, length);
    wcscat(module, L"m");
    module_path_set(module);
    int is_found = companion_find(NULL, IMAGE_FILE_MACHINE_AMD64, L"c.dll", found);
    assert_int_equal(wcscmp(found, L"untouched") != 0, is_found);
    if (is_found)
        assert_int_equal(companion_machine(found), IMAGE_FILE_MACHINE_AMD64);
    return is_found;
}

/* A name for which there is no room is not cut to that of another file. */
static void test_paths_are_found_as_long_as_there_is_room(void **state)
{
    static const WCHAR *const cut[] = {L"up\\c.dl", L"up\\c.d", L"up\\c"};
    size_t last = COMPANION_PATH - 1 - wcslen(L"c.dll") + wcslen(L".\\"); /* in the one above */

    (void)state;
    write_image(L"up\\c.dll", IMAGE_FILE_MACHINE_AMD64);
    for (int i = 0; i < 3; i++)
        write_image(cut[i], IMAGE_FILE_MACHINE_AMD64);
    for (size_t length = 400; length < COMPANION_PATH + 4; length++)
        assert_int_equal(is_found_below(length), length <= last);
    for (int i = 0; i < 3; i++)
        delete_file(cut[i]);
    delete_file(L"up\\c.dll");
}

/* ---- what is a PE file ---- */

static void assert_machine(const void *bytes, DWORD size, WORD expected)
{
    write_file(L"up\\file", bytes, size);
    assert_int_equal(companion_machine(path_of(L"up\\file")), expected);
}

static void test_truncated_files_have_no_machine(void **state)
{
    struct image image = make_image(IMAGE_FILE_MACHINE_I386);

    (void)state;
    for (DWORD size = 0; size < offsetof(struct image, sections); size++)
        assert_machine(&image, size, 0);
    assert_machine(&image, IMAGE_BYTES, IMAGE_FILE_MACHINE_I386);
    delete_file(L"up\\file");
}

static void test_foreign_files_have_no_machine(void **state)
{
    static const LONG offsets[] = {-1, (LONG)0x80000000, 0x7fffffff, 0x10000, 0, 1};
    struct image image = make_image(IMAGE_FILE_MACHINE_I386);

    (void)state;
    assert_machine("#!/bin/sh\nexit 0\n", 17, 0);
    for (int i = 0; i < 6; i++) {
        image.dos.e_lfanew = offsets[i];
        assert_machine(&image, IMAGE_BYTES, 0);
    }
    image = make_image(IMAGE_FILE_MACHINE_I386);
    image.dos.e_magic++;
    assert_machine(&image, IMAGE_BYTES, 0);
    image = make_image(IMAGE_FILE_MACHINE_I386);
    image.signature = IMAGE_OS2_SIGNATURE;
    assert_machine(&image, IMAGE_BYTES, 0);
    assert_int_equal(companion_machine(path_of(L"up")), 0);
    assert_int_equal(companion_machine(path_of(L"up\\nothing")), 0);
    delete_file(L"up\\file");
}

static void test_machine_of_real_files_is_told(void **state)
{
    WCHAR self[MAX_PATH];

    (void)state;
    assert_true(GetModuleFileNameW(NULL, self, MAX_PATH) < MAX_PATH);
    assert_int_equal(companion_machine(self),
                     sizeof(void *) == 8 ? IMAGE_FILE_MACHINE_AMD64 : IMAGE_FILE_MACHINE_I386);
}

/* ---- the directories ---- */

static int make_directories(void **state)
{
    WCHAR temporary[MAX_PATH];

    (void)state;
    if (!GetTempPathW(MAX_PATH - 32, temporary))
        return -1;
    swprintf(root, MAX_PATH, L"%lspss-companion-%lu\\", temporary, GetCurrentProcessId());
    if (!CreateDirectoryW(root, NULL))
        return -1;
    for (int i = 0; i < 6; i++)
        if (!CreateDirectoryW(path_of(directories[i]), NULL))
            return -1;
    return 0;
}

static int remove_directories(void **state)
{
    int failed = 0;

    (void)state;
    for (int i = 5; i >= 0; i--)
        failed |= !RemoveDirectoryW(path_of(directories[i]));
    return failed | !RemoveDirectoryW(root) ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_four_places_are_searched_in_order),
        cmocka_unit_test(test_other_machines_file_is_passed_over),
        cmocka_unit_test(test_directory_of_that_name_is_passed_over),
        cmocka_unit_test(test_module_without_directory_has_no_companions),
        cmocka_unit_test(test_module_in_the_root_has_no_directory_above),
        cmocka_unit_test(test_paths_are_found_as_long_as_there_is_room),
        cmocka_unit_test(test_truncated_files_have_no_machine),
        cmocka_unit_test(test_foreign_files_have_no_machine),
        cmocka_unit_test(test_machine_of_real_files_is_told),
    };

    return cmocka_run_group_tests(tests, make_directories, remove_directories);
}
