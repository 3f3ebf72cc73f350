/* SPDX-License-Identifier: MIT */
/* What a user is told of a rebound file, and what keeps it from being rebound though it could be
 * rewritten: load configurations, demands for signatures, bundles, trailing data, other libraries.
 */
#include "pe_world.h"

#include "pe_list.h"
#include "pe_names.h"
#include "pe_trailing.h"

#define CONFIGURATION_SIZE 96u

static struct pe_builder built;
static struct pe_result result;

/** A load configuration in .text that says so much of itself. */
static uint32_t set_configuration(uint32_t size, uint32_t flags)
{
    uint32_t field = BUILT_CODE + (built.is_64 ? 78 : 54);

    world_build(&built, every_kind);
    pe_builder_set_directory(&built, 10, BUILT_CODE_RVA, CONFIGURATION_SIZE);
    pe_builder_put32(built.bytes, BUILT_CODE, size);
    pe_builder_put16(built.bytes, field, flags);
    return field;
}

static void test_imports_from_system32_only_are_looked_for_in_the_directory_too(void **state)
{
    static const uint16_t before[] = {0x800, 0x100, 0x900, 0xa00, 0x1000, 0x1800, 0, 0x8};
    static const uint16_t after[] = {0xa00, 0x300, 0xb00, 0xa00, 0x1000, 0x1800, 0, 0x8};

    (void)state;
    for_both_formats(built)
    {
        for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
            uint32_t field = set_configuration(CONFIGURATION_SIZE, before[i]);

            world_rebind(&built, &result);
            assert_int_equal(pe_get16(result.bytes + field), after[i]);
            assert_int_equal(result.searches_own, before[i] != after[i]);
            free(result.bytes);
        }
    }
}

static void test_load_configuration_that_is_too_short_has_no_flags(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        uint32_t field = set_configuration(built.is_64 ? 79 : 55, 0x800);

        world_rebind(&built, &result);
        assert_int_equal(pe_get16(result.bytes + field), 0x800);
        assert_false(result.searches_own);
        free(result.bytes);
    }
}

static void test_demand_for_a_signature_goes_without_one(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, every_kind);
        pe_builder_put16(built.bytes, BUILT_OPTIONAL + 70, 0x81c0);
        world_rebind(&built, &result);
        assert_int_equal(pe_get16(result.bytes + BUILT_OPTIONAL + 70), 0x8140);
        assert_true(result.lost_integrity);
        assert_false(result.lost_signature);
        free(result.bytes);
    }
}

static void test_bundle_is_refused(void **state)
{
    static const uint8_t mark[40] = {0,    1,    0,    0,    0,    0,    0,    0,    0x8b, 0x12,
                                     0x02, 0xb9, 0x6a, 0x61, 0x20, 0x38, 0x72, 0x7b, 0x93, 0x02,
                                     0x14, 0xd7, 0xa0, 0x32, 0x13, 0xf5, 0xb9, 0xe6, 0xef, 0xae,
                                     0x33, 0x18, 0xee, 0x3b, 0x2d, 0xce, 0x24, 0xb3, 0x6a, 0xae};

    (void)state;
    for_both_formats(built)
    {
        world_build(&built, every_kind);
        memcpy(built.bytes + BUILT_CODE + 32, mark, sizeof mark);
        world_expect(&built, PE_BUNDLE);
        built.bytes[BUILT_CODE + 33] = 0; /* A host without a bundle: its header is nowhere. */
        world_expect(&built, PE_REBOUND);
    }
}

static void test_trailing_data_is_counted_but_for_symbols_and_signature(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, every_kind);
        assert_int_equal(pe_rebind(built.bytes, built.size, &result), PE_REBOUND);
        assert_int_equal(result.trailing, 0);
        assert_true(result.is_program);
        free(result.bytes);
        pe_builder_append(&built, "\4\0\0\0archive\0", 12);
        assert_int_equal(pe_rebind(built.bytes, built.size, &result), PE_REBOUND);
        assert_int_equal(result.trailing, 11);
        free(result.bytes);
        pe_builder_put32(built.bytes, BUILT_HEADER + 12, BUILT_END); /* no symbols, but names */
        assert_int_equal(pe_rebind(built.bytes, built.size, &result), PE_REBOUND);
        assert_int_equal(result.trailing, 7);
        free(result.bytes);
        pe_builder_set_directory(&built, 4, BUILT_END + 4, 8);
        assert_int_equal(pe_rebind(built.bytes, built.size, &result), PE_REBOUND);
        assert_int_equal(result.trailing, 0);
        free(result.bytes);
    }
}

static void test_other_library_of_that_name_is_told(void **state)
{
    struct pe_builder_dll dlls[PE_BUILDER_DLLS] = {{"pss.dll", BUILD_ORDINARY, {"PsslibOpen"}},
                                                   {"user32.dll", BUILD_ORDINARY, {"Beep"}}};

    (void)state;
    for_both_formats(built)
    {
        for (int kind = 0; kind < 2; kind++) {
            dlls[0].kind = kind ? BUILD_DELAYED : BUILD_ORDINARY;
            dlls[1].name = "user32.dll";
            dlls[1].functions[0] = "Beep";
            world_build(&built, dlls);
            assert_int_equal(pe_rebind(built.bytes, built.size, &result), PE_NOTHING);
            assert_true(result.has_other_library);
            assert_false(result.was_rebound);
            dlls[1].name = "kernel32.dll";
            dlls[1].functions[0] = "PssFreeSnapshot";
            world_build(&built, dlls);
            world_expect(&built, PE_OTHER_PSS);
        }
    }
}

/** Counts the imports that the model of the loader finds, too. */
static void count_import(void *context, const struct pe_import *import)
{
    uint32_t *counts = context;

    counts[import->is_delayed]++;
    counts[2] += import->name && pe_is_moved(import->name);
    counts[3] += import->name == NULL;
}

static void test_all_imports_are_listed(void **state)
{
    static struct pe_file file;

    (void)state;
    for_both_formats(built)
    {
        uint32_t counts[4] = {0};

        world_build(&built, every_kind);
        assert_int_equal(pe_open(built.bytes, built.size, &file), PE_NOTHING);
        pe_list_imports(&file, count_import, counts);
        assert_int_equal(counts[0], 11);
        assert_int_equal(counts[1], 7);
        assert_int_equal(counts[2], 10);
        assert_int_equal(counts[3], 2);
    }
}

/** Exports in .text: the thirteen names, but for one that may be left out. */
static void build_exports(unsigned left_out)
{
    uint32_t names = 0, at = BUILT_CODE_RVA + 100;

    world_build(&built, every_kind);
    pe_builder_set_directory(&built, 0, BUILT_CODE_RVA, 40);
    for (unsigned i = 0; pe_moved_name(i) != NULL; i++) {
        uint32_t length = (uint32_t)strlen(pe_moved_name(i)) + 1;

        if (i == left_out)
            continue;
        memcpy(built.bytes + BUILT_CODE + at - BUILT_CODE_RVA, pe_moved_name(i), length);
        pe_builder_put32(built.bytes, BUILT_CODE + 40 + 4 * names++, at);
        at += length;
    }
    pe_builder_put32(built.bytes, BUILT_CODE + 16, 7);
    pe_builder_put32(built.bytes, BUILT_CODE + 20, names);
    pe_builder_put32(built.bytes, BUILT_CODE + 24, names);
    pe_builder_put32(built.bytes, BUILT_CODE + 28, BUILT_CODE_RVA + 40); /* any but 0 will do */
    pe_builder_put32(built.bytes, BUILT_CODE + 32, BUILT_CODE_RVA + 40);
}

static void test_exports_are_found_by_name_and_ordinal(void **state)
{
    static struct pe_file file;
    struct pe_exports exports;

    (void)state;
    for_both_formats(built)
    {
        build_exports(13);
        assert_int_equal(pe_open(built.bytes, built.size, &file), PE_NOTHING);
        assert_true(pe_exports_open(&file, &exports));
        assert_true(pe_exports_all_moved(&exports));
        assert_false(pe_exports_name(&exports, "Beep"));
        assert_false(pe_exports_name(&exports, "PssWalkSnapshots"));
        assert_false(pe_exports_name(&exports, ""));
        assert_false(pe_exports_ordinal(&exports, 6));
        assert_true(pe_exports_ordinal(&exports, 7));
        assert_true(pe_exports_ordinal(&exports, 19));
        assert_false(pe_exports_ordinal(&exports, 20));
        for (unsigned i = 0; i < 13; i++) {
            build_exports(i);
            assert_int_equal(pe_open(built.bytes, built.size, &file), PE_NOTHING);
            assert_true(pe_exports_open(&file, &exports));
            assert_false(pe_exports_all_moved(&exports));
        }
        world_build(&built, every_kind);
        assert_int_equal(pe_open(built.bytes, built.size, &file), PE_NOTHING);
        assert_false(pe_exports_open(&file, &exports));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_imports_from_system32_only_are_looked_for_in_the_directory_too),
        cmocka_unit_test(test_load_configuration_that_is_too_short_has_no_flags),
        cmocka_unit_test(test_demand_for_a_signature_goes_without_one),
        cmocka_unit_test(test_bundle_is_refused),
        cmocka_unit_test(test_trailing_data_is_counted_but_for_symbols_and_signature),
        cmocka_unit_test(test_other_library_of_that_name_is_told),
        cmocka_unit_test(test_all_imports_are_listed),
        cmocka_unit_test(test_exports_are_found_by_name_and_ordinal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
