/* SPDX-License-Identifier: MIT */
/* Files that are not rebound, each for its own reason. */
#include "pe_world.h"

static struct pe_builder built;

static const struct pe_builder_dll nothing_to_move[PE_BUILDER_DLLS] = {
    {"KERNEL32.dll", BUILD_ORDINARY, {"ExitProcess", "#", "Sleep"}},
    {"other.dll", BUILD_ORDINARY, {"PssCaptureSnapshot"}},
};

static const struct pe_builder_dll mixed_delayed[PE_BUILDER_DLLS] = {
    {"kernel32.dll", BUILD_DELAYED, {"PssCaptureSnapshot", "Sleep"}}};

static const struct pe_builder_dll ordinary[PE_BUILDER_DLLS] = {
    {"kernel32.dll", BUILD_ORDINARY, {"PssCaptureSnapshot", "Sleep"}}};

static void test_nothing_to_move(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        static const struct pe_builder_dll none[PE_BUILDER_DLLS];

        world_build(&built, nothing_to_move);
        world_expect(&built, PE_NOTHING);
        world_build(&built, none);
        world_expect(&built, PE_NOTHING);
    }
}

static void test_already_bound_to_pss_dll(void **state)
{
    struct pe_builder_dll dlls[PE_BUILDER_DLLS] = {
        {"PSS.dll", BUILD_ORDINARY, {"PssCaptureSnapshot"}}};

    (void)state;
    for_both_formats(built)
    {
        dlls[0].kind = BUILD_ORDINARY;
        world_build(&built, dlls);
        world_expect(&built, PE_USES_PSS);
        dlls[0].kind = BUILD_DELAYED;
        world_build(&built, dlls);
        world_expect(&built, PE_USES_PSS);
    }
}

static void test_other_kinds_of_files(void **state)
{
    static const uint16_t machines[] = {0, 0xaa64, 0x1c4, 0x200, 0x14d};

    (void)state;
    built.is_64 = 1;
    world_build(&built, every_kind);
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        pe_builder_put16(built.bytes, BUILT_HEADER + 4, machines[i]);
        world_expect(&built, PE_OTHER_MACHINE);
    }
    memcpy(built.bytes + BUILT_HEADER, "NE", 2);
    world_expect(&built, PE_16BIT);
    pe_builder_put32(built.bytes, 60, 0x70000000);
    world_expect(&built, PE_TRUNCATED);
    pe_builder_put16(built.bytes, 24, 28);
    world_expect(&built, PE_16BIT);
    memcpy(built.bytes, "\177ELF", 4);
    world_expect(&built, PE_NOT_PE);
    built.size = 0;
    world_expect(&built, PE_NOT_PE);
}

/* The format that a machine does not have. */
static void test_format_of_the_other_machine(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, every_kind);
        pe_builder_put16(built.bytes, BUILT_OPTIONAL, built.is_64 ? 0x10b : 0x20b);
        world_expect(&built, PE_BAD_HEADER);
    }
}

static void test_packed_and_managed(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, nothing_to_move);
        memcpy(built.bytes + pe_builder_section(&built, 0), "UPX0\0", 5);
        world_expect(&built, PE_PACKED);
        world_build(&built, nothing_to_move);
        pe_builder_set_directory(&built, 14, BUILT_MANAGED_RVA, 72);
        world_expect(&built, PE_NOTHING);
        pe_builder_put32(built.bytes, pe_builder_offset(BUILT_MANAGED_RVA) + 16, 9);
        world_expect(&built, PE_MANAGED);
    }
}

/* What a packer left visible can be moved, and so can the imports of code that is native as well.
 */
static void test_visible_imports_of_packed_files_move(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, every_kind);
        memcpy(built.bytes + pe_builder_section(&built, 0), "UPX0\0", 5);
        pe_builder_set_directory(&built, 14, BUILT_MANAGED_RVA, 72);
        world_expect(&built, PE_REBOUND);
    }
}

static void test_delayed_slots_that_are_read_only(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, mixed_delayed);
        pe_builder_set_section(&built, 2, 36, 0x40000040);
        world_expect(&built, PE_DELAY_READ_ONLY);
    }
}

/* Only a directory lets loaders write slots in a section that is read-only. */
static void test_read_only_slots_want_a_directory(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, ordinary);
        pe_builder_set_section(&built, 2, 36, 0x40000040);
        world_expect(&built, PE_REBOUND);
        pe_builder_set_directory(&built, 12, 0, 0);
        world_expect(&built, PE_NO_ADDRESS_TABLE);
        pe_builder_set_section(&built, 2, 36, 0xc0000040);
        world_expect(&built, PE_REBOUND);
    }
}

static void test_delay_loading_of_the_old_form(void **state)
{
    struct pe_builder_dll dlls[PE_BUILDER_DLLS] = {
        {"kernel32.dll", BUILD_DELAYED_ADDRESSES, {"PssCaptureSnapshot"}}};

    (void)state;
    built.is_64 = 0;
    world_build(&built, dlls);
    world_expect(&built, PE_DELAY_ADDRESSES);
    dlls[0].functions[0] = "Sleep";
    world_build(&built, dlls);
    world_expect(&built, PE_NOTHING);
}

static void test_bound_without_names(void **state)
{
    struct pe_builder_dll dlls[PE_BUILDER_DLLS] = {
        {"kernel32.dll", BUILD_ORDINARY, {"PssCaptureSnapshot"}},
        {"user32.dll", BUILD_BOUND, {"MessageBoxW"}}};

    (void)state;
    for_both_formats(built)
    {
        world_build(&built, dlls);
        pe_builder_put32(built.bytes, BUILT_IMPORTS + 20, 0);
        world_expect(&built, PE_NO_NAMES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_move),
        cmocka_unit_test(test_already_bound_to_pss_dll),
        cmocka_unit_test(test_other_kinds_of_files),
        cmocka_unit_test(test_format_of_the_other_machine),
        cmocka_unit_test(test_packed_and_managed),
        cmocka_unit_test(test_visible_imports_of_packed_files_move),
        cmocka_unit_test(test_delayed_slots_that_are_read_only),
        cmocka_unit_test(test_read_only_slots_want_a_directory),
        cmocka_unit_test(test_delay_loading_of_the_old_form),
        cmocka_unit_test(test_bound_without_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
