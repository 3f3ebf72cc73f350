/* SPDX-License-Identifier: MIT */
/* Exports of a module by name, without the loader, from images that are made up, and spoilt. */
#include "nt/exports.h"

#include "world.h"

#define SIZE      0x4000u
#define HEADER    0x80u
#define DIRECTORY 0x1000u
#define LENGTH    0x800u /* of the directory with all that belongs to it */
#define FUNCTIONS 0x1100u
#define NAMES     0x1200u
#define ORDINALS  0x1300u
#define OWN_NAME  0x1400u
#define TEXTS     0x1500u
#define CODE      0x3000u

/* The function of each name; the order is that of no system. */
static const struct {
    const char *name;
    uint32_t place;
} exported[] = {
    {"NtSecond", CODE + 0x20}, {"NtFirst", CODE + 0x10}, {"Nt", CODE + 0x30},
    {"NtForwarded", TEXTS},    {"NtNowhere", 0},         {"NtOutside", SIZE},
};

#define COUNT (sizeof(exported) / sizeof(exported[0]))

static unsigned char *image; /* SIZE bytes, and nothing behind them */

static IMAGE_NT_HEADERS *header(void)
{
    return (IMAGE_NT_HEADERS *)(void *)(image + HEADER);
}

static IMAGE_EXPORT_DIRECTORY *directory(void)
{
    return (IMAGE_EXPORT_DIRECTORY *)(void *)(image + DIRECTORY);
}

static uint32_t *numbers(uint32_t offset)
{
    return (uint32_t *)(void *)(image + offset);
}

static void build(void)
{
    IMAGE_DATA_DIRECTORY entry = {DIRECTORY, LENGTH};

    memset(image, 0, SIZE);
    ((IMAGE_DOS_HEADER *)(void *)image)->e_magic = IMAGE_DOS_SIGNATURE;
    ((IMAGE_DOS_HEADER *)(void *)image)->e_lfanew = HEADER;
    header()->Signature = IMAGE_NT_SIGNATURE;
    header()->OptionalHeader.Magic = IMAGE_NT_OPTIONAL_HDR_MAGIC;
    header()->OptionalHeader.SizeOfImage = SIZE;
    header()->OptionalHeader.NumberOfRvaAndSizes = 16;
    header()->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_EXPORT] = entry;
    directory()->Name = OWN_NAME;
    directory()->NumberOfFunctions = directory()->NumberOfNames = COUNT;
    directory()->AddressOfFunctions = FUNCTIONS;
    directory()->AddressOfNames = NAMES;
    directory()->AddressOfNameOrdinals = ORDINALS;
    strcpy((char *)image + OWN_NAME, "NTDLL.dll");
    for (uint32_t i = 0; i < COUNT; i++) {
        uint16_t ordinal = (uint16_t)(COUNT - 1 - i);

        numbers(NAMES)[i] = TEXTS + i * 0x20;
        strcpy((char *)image + TEXTS + i * 0x20, exported[i].name);
        memcpy(image + ORDINALS + i * sizeof(ordinal), &ordinal, sizeof(ordinal));
        numbers(FUNCTIONS)[ordinal] = exported[i].place;
    }
}

static int set_up(void **state)
{
    (void)state;
    image = malloc(SIZE);
    assert_non_null(image);
    build();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(image);
    return 0;
}

/* The place of a function; 0: there is none. */
static uint32_t find_within(SIZE_T limit, const char *name)
{
    struct pss_module module;
    const unsigned char *found;

    if (!pss_module_open(image, limit, &module))
        return 0;
    found = pss_module_find_export(&module, name);
    return found ? (uint32_t)(found - image) : 0;
}

static uint32_t find(const char *name)
{
    return find_within(SIZE, name);
}

static void test_exports_are_found_by_their_whole_names(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        assert_same(find(exported[i].name), exported[i].place);
    assert_same(find("N"), 0);
    assert_same(find("NtFirs"), 0);
    assert_same(find("NtFirst2"), 0);
    assert_same(find("ntfirst"), 0);
    assert_same(find(""), 0);
}

static void test_forwarders_and_functions_elsewhere_are_not_found(void **state)
{
    (void)state;
    for (uint32_t i = 3; i < COUNT; i++)
        assert_same(find(exported[i].name), 0);
}

static void test_module_knows_its_name(void **state)
{
    struct pss_module module;

    (void)state;
    assert_true(pss_module_open(image, SIZE, &module));
    assert_true(pss_module_is_named(&module, "ntdll.dll"));
    assert_false(pss_module_is_named(&module, "ntdll.dl"));
    assert_false(pss_module_is_named(&module, "kernel32.dll"));
    directory()->Name = SIZE - 4; /* and goes on behind the end */
    memcpy(image + SIZE - 4, "NTDL", 4);
    assert_false(pss_module_is_named(&module, "ntdll.dll"));
    directory()->Name = UINT32_MAX;
    assert_false(pss_module_is_named(&module, "ntdll.dll"));
}

static void test_what_is_no_image_with_exports_is_not_opened(void **state)
{
    struct pss_module module = {.size = 4711};

    (void)state;
    for (int i = 0; i < 9; i++) {
        build();
        switch (i) {
        case 0:
            image[0] = 0;
            break;
        case 1:
            header()->Signature = 0;
            break;
        case 2:
            header()->OptionalHeader.Magic ^= 0x300; /* of the other bitness */
            break;
        case 3:
            header()->OptionalHeader.NumberOfRvaAndSizes = 0;
            break;
        case 4:
            header()->OptionalHeader.DataDirectory[0].Size = 0;
            break;
        case 5:
            header()->OptionalHeader.DataDirectory[0].VirtualAddress = SIZE - LENGTH + 1;
            break;
        case 6:
            header()->OptionalHeader.DataDirectory[0].VirtualAddress = UINT32_MAX;
            break;
        case 7:
            ((IMAGE_DOS_HEADER *)(void *)image)->e_lfanew = -1;
            break;
        default:
            ((IMAGE_DOS_HEADER *)(void *)image)->e_lfanew = SIZE - 8;
        }
        assert_false(pss_module_open(image, SIZE, &module));
    }
    assert_same(module.size, 4711);
}

/* Tables that do not lie wholly within the module. */
static void test_tables_out_of_reach_have_no_exports(void **state)
{
    static const uint32_t places[] = {SIZE - 1, SIZE, 0x7FFFFFFF, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        build();
        directory()->AddressOfNames = places[i];
        assert_same(find("NtFirst"), 0);
        build();
        directory()->AddressOfNameOrdinals = places[i];
        assert_same(find("NtFirst"), 0);
        build();
        directory()->AddressOfFunctions = places[i];
        assert_same(find("NtFirst"), 0);
        build();
        directory()->NumberOfNames = places[i];
        assert_same(find("NtFirst"), 0);
        build();
        directory()->NumberOfFunctions = places[i];
        assert_same(find("NtFirst"), 0);
        build();
        numbers(NAMES)[1] = places[i];
        assert_same(find("NtFirst"), 0);
        assert_same(find("Nt"), CODE + 0x30);
    }
    build();
    directory()->NumberOfFunctions = 1;
    assert_same(find("NtFirst"), 0); /* its ordinal is none */
}

/* However much of it can be read, and whatever it says its size is: nothing behind that is read. */
static void test_nothing_is_read_behind_what_can_be_read(void **state)
{
    unsigned char *whole = image;
    uint32_t found = 0;

    (void)state;
    header()->OptionalHeader.SizeOfImage = UINT32_MAX;
    for (uint32_t limit = 0; limit <= SIZE; limit += limit < 0x1800 ? 1 : 0x100) {
        image = malloc(limit ? limit : 1); /* the sanitizer watches its end */
        assert_non_null(image);
        memcpy(image, whole, limit);
        found += find_within(limit, "NtFirst") == exported[1].place;
        free(image);
    }
    image = whole;
    assert_same(found, (SIZE - CODE) / 0x100);
}

/* Each byte of what is told about the exports, spoilt: nothing outside is read, or found. */
static void test_spoilt_images_are_harmless(void **state)
{
    static const unsigned char values[] = {0, 1, 0x7F, 0x80, 0xFF};

    (void)state;
    for (uint32_t offset = 0; offset < TEXTS + 0x40; offset++) {
        unsigned char was = image[offset];

        for (size_t i = 0; i < sizeof(values); i++) {
            image[offset] = values[i];
            assert_true(find("NtFirst") < SIZE);
        }
        image[offset] = was;
        if (offset == 0x400)
            offset = DIRECTORY - 1; /* what lies between is nothing */
    }
    assert_same(find("NtFirst"), exported[1].place);
}

#define MODULE_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODULE_TEST(test_exports_are_found_by_their_whole_names),
        MODULE_TEST(test_forwarders_and_functions_elsewhere_are_not_found),
        MODULE_TEST(test_module_knows_its_name),
        MODULE_TEST(test_what_is_no_image_with_exports_is_not_opened),
        MODULE_TEST(test_tables_out_of_reach_have_no_exports),
        MODULE_TEST(test_nothing_is_read_behind_what_can_be_read),
        MODULE_TEST(test_spoilt_images_are_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
