/* SPDX-License-Identifier: MIT */
/* A child whose headers are not what they should be: shim_hostile [foreign]. Nothing may change in
 * it. */
#include "faulty_nt.h"
#include "injection.h"

#define REFUSED    STATUS_INVALID_IMAGE_FORMAT
#define UNREADABLE ((NTSTATUS)1) /* any status of the system */

static struct child child;
static struct child_state before; /* with the headers as the program's file has them */

/* ---- fields of the headers ---- */

static LONG nt_offset(void)
{
    return ((const IMAGE_DOS_HEADER *)before.headers)->e_lfanew;
}

#define FIELD(name)                                                           \
    (nt_offset() + (LONG)(child.is_64bit ? offsetof(IMAGE_NT_HEADERS64, name) \
                                         : offsetof(IMAGE_NT_HEADERS32, name)))

static LONG directory_offset(unsigned index)
{
    return FIELD(OptionalHeader.DataDirectory) + (LONG)(index * sizeof(IMAGE_DATA_DIRECTORY));
}

static DWORD read_field(LONG offset)
{
    DWORD value;

    memcpy(&value, before.headers + offset, sizeof(value));
    return value;
}

static void put(LONG offset, DWORD value)
{
    child_write(&child, child.base + offset, &value, sizeof(value));
}

static void put_directory(unsigned index, DWORD rva, DWORD size)
{
    put(directory_offset(index), rva);
    put(directory_offset(index) + 4, size);
}

static void put_machine_and_magic(DWORD machine, DWORD magic)
{
    LONG offset = FIELD(OptionalHeader.Magic);

    put(FIELD(FileHeader.Machine), machine | (read_field(FIELD(FileHeader.Machine)) & 0xffff0000));
    put(offset, magic | (read_field(offset) & 0xffff0000));
}

static DWORD image_size(void)
{
    return read_field(FIELD(OptionalHeader.SizeOfImage));
}

/* ---- memory behind the image ---- */

/* Pages of the child behind its image; their RVA. */
static DWORD allocate_behind(SIZE_T size, char **pages)
{
    char *address = (char *)(((uintptr_t)child.base + image_size() + 0xffff) & ~(uintptr_t)0xffff);

    for (int i = 0; i < 4096; i++, address += 0x10000) {
        *pages =
            VirtualAllocEx(child.process, address, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
        if (*pages)
            return (DWORD)(*pages - child.base);
    }
    fail_msg("no memory behind the image of the child");
    return 0;
}

/* An import table of so many descriptors; without an end it fills its pages, behind which is
 * nothing. */
static DWORD put_descriptors(uint32_t count, bool has_end)
{
    SIZE_T size = ((count + has_end) * sizeof(IMAGE_IMPORT_DESCRIPTOR) + 0xfff) & ~(SIZE_T)0xfff;
    unsigned char *table = calloc(1, size);
    char *pages;
    DWORD rva = allocate_behind(size, &pages);

    assert_non_null(table);
    memset(table, 0x11, has_end ? count * sizeof(IMAGE_IMPORT_DESCRIPTOR) : size);
    assert_true(WriteProcessMemory(child.process, pages, table, size, NULL));
    free(table);
    put_directory(IMAGE_DIRECTORY_ENTRY_IMPORT, rva, (DWORD)size);
    return rva + (DWORD)(size - size % sizeof(IMAGE_IMPORT_DESCRIPTOR));
}

/* ---- the cases ---- */

/* Injects, and sees that a refusal changes nothing. */
static void check(NTSTATUS expected, const char *what)
{
    static struct child_state prepared;

    child_read_state(&child, &prepared);
    faulty_init();
    NTSTATUS status = injection_make(&child);
    faulty_assert_clean(what);
    if (expected == UNREADABLE ? NT_SUCCESS(status) : status != expected)
        fail_msg("%s: 0x%lx", what, (unsigned long)status);
    if (!NT_SUCCESS(status))
        child_assert_state(&child, &prepared, false, what);
}

/* The headers come back: the child still runs. */
static void check_and_run(NTSTATUS expected, const char *what)
{
    check(expected, what);
    child_write(&child, child.base, before.headers, CHILD_HEADERS);
    child_assert_state(&child, &before, false, what);
    assert_int_equal(child_finish(&child), CHILD_UNTOUCHED);
}

static int set_up(void **state)
{
    (void)state;
    child_start(&child);
    child_read_state(&child, &before);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (child.process)
        child_end(&child);
    return 0;
}

static void test_headers_elsewhere_are_refused(void **state)
{
    static const DWORD offsets[] = {0, 0x80000000, 0xffffffff, 0xfffff000};

    (void)state;
    for (int i = 0; i < 4; i++) {
        put(offsetof(IMAGE_DOS_HEADER, e_lfanew), offsets[i]);
        check(REFUSED, "e_lfanew that is not above 0");
    }
    put(offsetof(IMAGE_DOS_HEADER, e_lfanew), 0x7fffffff);
    check(UNREADABLE, "e_lfanew that is huge");
    put(offsetof(IMAGE_DOS_HEADER, e_lfanew), 2);
    check_and_run(REFUSED, "e_lfanew that leads to no signature");
}

static void test_wrong_signatures_are_refused(void **state)
{
    (void)state;
    put(0, 0x5a4e);
    check(REFUSED, "no MZ");
    put(0, read_field(0));
    put(nt_offset(), 0x4550 + 1);
    check_and_run(REFUSED, "no PE");
}

static void test_other_machine_is_not_supported(void **state)
{
    static const DWORD machines[] = {IMAGE_FILE_MACHINE_ARM64, IMAGE_FILE_MACHINE_ARMNT,
                                     IMAGE_FILE_MACHINE_IA64, 0, 0xffff};

    (void)state;
    for (int i = 0; i < 5; i++) {
        put_machine_and_magic(machines[i], IMAGE_NT_OPTIONAL_HDR64_MAGIC);
        check(STATUS_NOT_SUPPORTED, "a machine that is not ours");
    }
    check_and_run(STATUS_NOT_SUPPORTED, "a machine that is not ours");
}

static void test_magic_that_is_not_the_machines_is_refused(void **state)
{
    static const DWORD magics[] = {0, 0x107, 0xffff};
    DWORD machine = child.is_64bit ? IMAGE_FILE_MACHINE_AMD64 : IMAGE_FILE_MACHINE_I386;

    (void)state;
    for (int i = 0; i < 3; i++) {
        put_machine_and_magic(machine, magics[i]);
        check(REFUSED, "a magic number that is none");
    }
    put_machine_and_magic(machine, child.is_64bit ? IMAGE_NT_OPTIONAL_HDR32_MAGIC
                                                  : IMAGE_NT_OPTIONAL_HDR64_MAGIC);
    check_and_run(REFUSED, "the magic number of the other bitness");
}

static void test_headers_without_room_for_imports_are_refused(void **state)
{
    (void)state;
    put(FIELD(OptionalHeader.NumberOfRvaAndSizes), 0);
    check(REFUSED, "no directories");
    put(FIELD(OptionalHeader.NumberOfRvaAndSizes), 1);
    check_and_run(REFUSED, "one directory");
}

static void test_huge_number_of_directories_is_sixteen(void **state)
{
    (void)state;
    put(FIELD(OptionalHeader.NumberOfRvaAndSizes), 0xffffffff);
    check(STATUS_SUCCESS, "a huge number of directories");
}

static void test_two_directories_are_enough(void **state)
{
    (void)state;
    put(FIELD(OptionalHeader.NumberOfRvaAndSizes), 2);
    put_directory(IMAGE_DIRECTORY_ENTRY_BOUND_IMPORT, 0x11111111, 0x11111111);
    check(STATUS_SUCCESS, "two directories");
    put(FIELD(OptionalHeader.NumberOfRvaAndSizes), 16);
    child_read_state(&child, &before);
    assert_int_equal(read_field(directory_offset(IMAGE_DIRECTORY_ENTRY_BOUND_IMPORT)), 0x11111111);
}

/* Where nothing can be read, the imports are refused; Wine 8 reads zeros from free pages that it
 * keeps for itself, and that is the end of a table. */
static void check_outside(DWORD rva, const char *what)
{
    IMAGE_IMPORT_DESCRIPTOR found;
    const void *there = (const void *)((uintptr_t)child.base + rva);
    bool is_readable = ReadProcessMemory(child.process, there, &found, sizeof(found), NULL);

    check(is_readable ? STATUS_SUCCESS : UNREADABLE, what);
}

static void test_imports_outside_the_image_are_refused(void **state)
{
    DWORD size = image_size();
    const DWORD places[] = {0xf0000000, 0xffffffff, size, size - 1, size - 8};

    (void)state;
    for (int i = 0; i < 5; i++) {
        put_directory(IMAGE_DIRECTORY_ENTRY_IMPORT, places[i], i % 2 ? 0xffffffff : 0);
        check_outside(places[i], "imports outside the image");
    }
}

static void test_imports_without_end_are_refused(void **state)
{
    (void)state;
    check_outside(put_descriptors(1, false), "a page of descriptors and nothing behind it");
    check_outside(put_descriptors(500, false), "pages of descriptors and nothing behind them");
    put_descriptors(8000, false);
    check(REFUSED, "8000 descriptors");
}

/* An end is found wherever it lies among the pages, up to the last byte before nothing. */
static void test_end_of_imports_is_found_at_any_place(void **state)
{
    static const uint32_t counts[] = {0, 1, 30, 31, 32, 33, 203, 204, 205, 1023};

    (void)state;
    for (int i = 0; i < 10; i++) {
        put_descriptors(counts[i], true);
        check(STATUS_SUCCESS, "descriptors with an end");
    }
}

static void test_descriptors_are_bounded(void **state)
{
    (void)state;
    put_descriptors(4096, true);
    check(REFUSED, "4096 descriptors");
    put_descriptors(4095, true);
    check(STATUS_SUCCESS, "4095 descriptors");
}

/* The new table has the program's descriptors behind ours, and then an empty one. */
static void test_descriptors_are_all_there(void **state)
{
    IMAGE_IMPORT_DESCRIPTOR table[2 + 33 + 1];
    static const IMAGE_IMPORT_DESCRIPTOR empty;

    (void)state;
    put_descriptors(33, true);
    check(STATUS_SUCCESS, "33 descriptors");
    child_read_state(&child, &before);
    assert_true(ReadProcessMemory(
        child.process, child.base + read_field(directory_offset(IMAGE_DIRECTORY_ENTRY_IMPORT)),
        table, sizeof(table), NULL));
    for (int i = 2; i < 35; i++)
        assert_int_equal(table[i].Name, 0x11111111);
    assert_memory_equal(&table[35], &empty, sizeof(empty));
    assert_in_range(read_field(directory_offset(IMAGE_DIRECTORY_ENTRY_IMPORT) + 4), sizeof(table),
                    sizeof(table) + 7);
}

/* ---- imports that are looked at, since some may be taken over ---- */

/* One descriptor of kernel32.dll, whose lookup table is so many imports by a name at an RVA;
 * without an end there is nothing behind it. */
static void put_library(uint32_t count, DWORD name, bool has_end)
{
    uint32_t width = child.is_64bit ? 8 : 4;
    SIZE_T head = 0x1000, size = head + (((count + has_end) * width + 0xfff) & ~(SIZE_T)0xfff);
    char *table = calloc(1, size), *pages;
    DWORD rva = allocate_behind(size, &pages);
    IMAGE_IMPORT_DESCRIPTOR *descriptor = (IMAGE_IMPORT_DESCRIPTOR *)table;
    uint32_t all = has_end ? count : (uint32_t)((size - head) / width);

    assert_non_null(table);
    descriptor->Name = rva + 0x100;
    descriptor->OriginalFirstThunk = rva + (DWORD)head;
    descriptor->FirstThunk = rva + (DWORD)head;
    strcpy(table + 0x100, "KERNEL32.dll");
    strcpy(table + 0x202, "GetTickCount");
    for (uint32_t i = 0; i < all; i++)
        *(DWORD *)(table + head + i * width) = name ? name : rva + 0x200;
    assert_true(WriteProcessMemory(child.process, pages, table, size, NULL));
    free(table);
    put_directory(IMAGE_DIRECTORY_ENTRY_IMPORT, rva, 40);
}

/* The pieces of the one descriptor in the new table, behind that of our DLL. */
static uint32_t count_pieces(void)
{
    static struct child_state now;
    IMAGE_IMPORT_DESCRIPTOR descriptor;
    uint32_t count = 0;
    DWORD rva;

    child_read_state(&child, &now);
    memcpy(&rva, now.headers + directory_offset(IMAGE_DIRECTORY_ENTRY_IMPORT), sizeof(rva));
    for (;; count++, rva += sizeof(descriptor)) {
        assert_true(ReadProcessMemory(child.process, child.base + rva, &descriptor,
                                      sizeof(descriptor), NULL));
        if (!descriptor.Name)
            return count - 1;
    }
}

static void test_lookup_tables_are_bounded(void **state)
{
    (void)state;
    put_library(8192, 0, true);
    check(REFUSED, "8192 imports");
    put_library(8191, 0, true);
    check(STATUS_SUCCESS, "8191 imports");
    assert_int_equal(count_pieces(), 1);
    put_library(20000, 0, false);
    check(REFUSED, "imports without end");
}

static void test_lookup_table_before_nothing_is_refused(void **state)
{
    DWORD behind;

    (void)state;
    put_library(512, 0, false);
    child_read_state(&child, &before);
    behind = read_field(directory_offset(IMAGE_DIRECTORY_ENTRY_IMPORT)) + 0x2000;
    if (child.is_64bit)
        check_outside(behind, "a page of imports and nothing behind it");
}

static void test_names_outside_are_refused(void **state)
{
    static const DWORD names[] = {0x7ffffff0, 0x70000000};

    (void)state;
    for (int i = 0; i < 2; i++) {
        put_library(3, names[i], true);
        check_outside(names[i], "a name outside the image");
    }
}

static void test_imports_that_nobody_takes_over_stay_whole(void **state)
{
    (void)state;
    put_library(5, 0x10, true); /* a name that is none: part of the first header */
    check(STATUS_SUCCESS, "other imports");
    assert_int_equal(count_pieces(), 1);
    put_library(0, 0, true);
    check(STATUS_SUCCESS, "no imports");
    assert_int_equal(count_pieces(), 1);
}

static int set_up_redirecting(void **state)
{
    injection_redirects = true;
    return set_up(state);
}

static int tear_down_redirecting(void **state)
{
    injection_redirects = false;
    return tear_down(state);
}

static void test_program_without_imports_gets_both(void **state)
{
    (void)state;
    put_directory(IMAGE_DIRECTORY_ENTRY_IMPORT, 0, 0);
    check(STATUS_SUCCESS, "a program without imports");
    child_read_state(&child, &before);
    assert_in_range(read_field(directory_offset(IMAGE_DIRECTORY_ENTRY_IMPORT) + 4),
                    3 * sizeof(IMAGE_IMPORT_DESCRIPTOR), 3 * sizeof(IMAGE_IMPORT_DESCRIPTOR) + 7);
}

/* Writes a header of managed code into the child, and makes its directory name it. */
static void put_managed(DWORD flags)
{
    IMAGE_COR20_HEADER managed = {.cb = sizeof(managed), .Flags = flags};
    char *pages;
    DWORD rva = allocate_behind(sizeof(managed), &pages);

    assert_true(WriteProcessMemory(child.process, pages, &managed, sizeof(managed), NULL));
    put_directory(IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR, rva, sizeof(managed));
}

static void test_managed_code_only_is_not_supported(void **state)
{
    (void)state;
    put_managed(COMIMAGE_FLAGS_ILONLY | COMIMAGE_FLAGS_32BITREQUIRED);
    check(STATUS_NOT_SUPPORTED, "managed code only");
    put_managed(0);
    check(STATUS_SUCCESS, "managed code and other");
}

#define HOSTILE_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define REDIRECTING_TEST(function) \
    cmocka_unit_test_setup_teardown(function, set_up_redirecting, tear_down_redirecting)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        HOSTILE_TEST(test_headers_elsewhere_are_refused),
        HOSTILE_TEST(test_wrong_signatures_are_refused),
        HOSTILE_TEST(test_other_machine_is_not_supported),
        HOSTILE_TEST(test_magic_that_is_not_the_machines_is_refused),
        HOSTILE_TEST(test_headers_without_room_for_imports_are_refused),
        HOSTILE_TEST(test_huge_number_of_directories_is_sixteen),
        HOSTILE_TEST(test_two_directories_are_enough),
        HOSTILE_TEST(test_imports_outside_the_image_are_refused),
        HOSTILE_TEST(test_imports_without_end_are_refused),
        HOSTILE_TEST(test_end_of_imports_is_found_at_any_place),
        HOSTILE_TEST(test_descriptors_are_bounded),
        HOSTILE_TEST(test_descriptors_are_all_there),
        HOSTILE_TEST(test_program_without_imports_gets_both),
        HOSTILE_TEST(test_managed_code_only_is_not_supported),
        REDIRECTING_TEST(test_lookup_tables_are_bounded),
        REDIRECTING_TEST(test_lookup_table_before_nothing_is_refused),
        REDIRECTING_TEST(test_names_outside_are_refused),
        REDIRECTING_TEST(test_imports_that_nobody_takes_over_stay_whole),
        REDIRECTING_TEST(test_imports_without_end_are_refused),
    };

    if (argc > 1 && strcmp(argv[1], "foreign") == 0)
        child_use_foreign();
    if (!child_is_possible()) {
        puts("skipped: no program of the other bitness runs here");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
