/* SPDX-License-Identifier: MIT */
/* Forwarders of loaded modules, and of tables made up in memory, which lie. */
#include "forwarders.h"

#include "harness.h"
#include "random.h"

static void expect(const char *name, DWORD ordinal, const char *library, const char *function)
{
    struct forwarder forwarder;

    char *module = forwarders_find_module("shim-sample.dll");
    assert_non_null(module);
    assert_int_equal(forwarders_read(module, name, ordinal, &forwarder), 1);
    assert_string_equal(forwarder.library, library);
    assert_string_equal(forwarder.name, function);
    assert_int_equal(forwarder.ordinal, 0);
}

static void test_forwarder_is_read_by_name_and_ordinal(void **state)
{
    (void)state;
    expect("sample_forward", 0, "kernel32.dll", "GetCurrentProcessId");
    expect(NULL, 12, "kernel32.dll", "GetCurrentProcessId");
    expect("sample_to_added", 0, "shim-other.dll", "other_added");
}

static void test_what_is_none_has_none(void **state)
{
    static const struct forwarder untouched = {"library", "name", 7};
    static const DWORD ordinals[] = {0, 3, 4, 13, 21, 0xffff, 0xffffffff};
    char *module = forwarders_find_module("shim-sample.dll");
    struct forwarder forwarder = untouched;

    (void)state;
    assert_int_equal(forwarders_read(module, "sample_first", 0, &forwarder), 0);
    assert_int_equal(forwarders_read(module, "sample_data", 0, &forwarder), 0);
    assert_int_equal(forwarders_read(module, "no_such_name", 0, &forwarder), 0);
    assert_int_equal(forwarders_read(module, "", 0, &forwarder), 0);
    for (int i = 0; i < 7; i++)
        assert_int_equal(forwarders_read(module, NULL, ordinals[i], &forwarder), 0);
    module = (char *)GetModuleHandleW(NULL); /* no exports at all */
    assert_int_equal(forwarders_read(module, "main", 0, &forwarder), 0);
    assert_memory_equal(&forwarder, &untouched, sizeof(untouched));
}

static void test_modules_are_found_by_their_names(void **state)
{
    char *kernel32 = (char *)GetModuleHandleW(L"kernel32.dll");

    (void)state;
    assert_ptr_equal(forwarders_find_module("KERNEL32.dll"), kernel32);
    assert_ptr_equal(forwarders_find_module("kernel32"), kernel32);
    assert_null(forwarders_find_module("kernel3"));
    assert_null(forwarders_find_module("kernel32."));
    assert_null(forwarders_find_module("kernel32.dllx"));
    assert_null(forwarders_find_module("ernel32.dll"));
    assert_null(forwarders_find_module(""));
}

/* ---- tables that lie ---- */

#define SIZE     0x2000u
#define HEADER   0x1000u
#define ATTEMPTS 20000

static char *pages; /* behind them is nothing */

static IMAGE_NT_HEADERS *make_module(void)
{
    IMAGE_DOS_HEADER *dos = (IMAGE_DOS_HEADER *)pages;
    IMAGE_NT_HEADERS *headers = (IMAGE_NT_HEADERS *)(pages + 0x80);

    memset(pages, 0, SIZE);
    dos->e_lfanew = 0x80;
    headers->OptionalHeader.SizeOfImage = SIZE;
    headers->OptionalHeader.NumberOfRvaAndSizes = 16;
    return headers;
}

/* Offsets at the edges, and anywhere. */
static DWORD odd_number(void)
{
    static const DWORD numbers[] = {0,        1,          HEADER,     SIZE - 4,   SIZE - 1,
                                    SIZE,     SIZE + 1,   0x7fffffff, 0x80000000, 0xfffffffc,
                                    0xffffff, 0xffffffff, HEADER + 40};
    uint32_t chosen = random_below(20);

    return chosen < 13 ? numbers[chosen] : random_below(SIZE);
}

static void test_tables_that_lie_have_no_forwarder_outside_the_module(void **state)
{
    uint32_t found = 0;

    (void)state;
    for (int i = 0; i < ATTEMPTS; i++) {
        IMAGE_DATA_DIRECTORY *place = make_module()->OptionalHeader.DataDirectory;
        DWORD *fields = (DWORD *)(pages + HEADER);
        struct forwarder forwarder;

        for (uint32_t j = 0; j < (SIZE - HEADER) / 4; j++)
            fields[j] = random_below(4) ? 0x612e6162 : odd_number(); /* "ba.a" */
        for (uint32_t j = 4; j < 10; j++)
            fields[j] = odd_number();
        place->VirtualAddress = random_below(4) ? HEADER : odd_number();
        place->Size = odd_number();
        found +=
            forwarders_read(pages, random_below(2) ? "ba.aba" : NULL, odd_number(), &forwarder);
        found += forwarders_read(pages, NULL, fields[4], &forwarder);
    }
    print_message("%u forwarders\n", found);
}

/* A module with one export, whose address goes to the place returned; the first ordinal is 7. */
static DWORD *make_export(void)
{
    IMAGE_DATA_DIRECTORY *place = make_module()->OptionalHeader.DataDirectory;
    IMAGE_EXPORT_DIRECTORY *header = (IMAGE_EXPORT_DIRECTORY *)(pages + HEADER);

    place->VirtualAddress = HEADER;
    place->Size = SIZE - HEADER;
    header->Base = 7;
    header->NumberOfFunctions = 1;
    header->AddressOfFunctions = HEADER + sizeof(*header);
    return (DWORD *)(header + 1);
}

static void test_last_byte_of_a_forwarder_is_its_end(void **state)
{
    DWORD *function = make_export();
    struct forwarder forwarder;

    (void)state;
    *function = SIZE - 4;
    memcpy(pages + SIZE - 4, "a.b", 4);
    assert_int_equal(forwarders_read(pages, NULL, 7, &forwarder), 1);
    assert_string_equal(forwarder.library, "a.dll");
    pages[SIZE - 1] = 'c';
    assert_int_equal(forwarders_read(pages, NULL, 7, &forwarder), 0);
    memcpy(pages + SIZE - 4, ".bc", 4); /* no library */
    assert_int_equal(forwarders_read(pages, NULL, 7, &forwarder), 0);
    memcpy(pages + SIZE - 4, "bc.", 4); /* no function */
    assert_int_equal(forwarders_read(pages, NULL, 7, &forwarder), 0);
}

static void test_ordinal_of_a_forwarder_is_read(void **state)
{
    DWORD *function = make_export();
    struct forwarder forwarder;

    (void)state;
    *function = HEADER + sizeof(IMAGE_EXPORT_DIRECTORY) + sizeof(*function);
    strcpy(pages + *function, "lib.a.#65535");
    assert_int_equal(forwarders_read(pages, NULL, 7, &forwarder), 1);
    assert_string_equal(forwarder.library, "lib.a.dll");
    assert_string_equal(forwarder.name, "");
    assert_int_equal(forwarder.ordinal, 65535);
}

static int set_up(void **state)
{
    (void)state;
    pages = VirtualAlloc(NULL, 2 * SIZE, MEM_RESERVE, PAGE_NOACCESS);
    return LoadLibraryA("shim-sample.dll") && LoadLibraryA("shim-other.dll") && pages &&
                   VirtualAlloc(pages, SIZE, MEM_COMMIT, PAGE_READWRITE)
               ? 0
               : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forwarder_is_read_by_name_and_ordinal),
        cmocka_unit_test(test_what_is_none_has_none),
        cmocka_unit_test(test_ordinal_of_a_forwarder_is_read),
        cmocka_unit_test(test_modules_are_found_by_their_names),
        cmocka_unit_test(test_tables_that_lie_have_no_forwarder_outside_the_module),
        cmocka_unit_test(test_last_byte_of_a_forwarder_is_its_end),
    };

    random_init();
    return cmocka_run_group_tests(tests, set_up, NULL);
}
