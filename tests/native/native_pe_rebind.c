/* SPDX-License-Identifier: MIT */
/* Rebound files as a loader sees them: each slot is bound as before, but for the Pss functions. */
#include "pe_world.h"

static struct pe_builder built;
static struct pe_result result;

static void test_imports_of_every_kind_are_bound_to_the_same_slots(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, every_kind);
        world_rebind(&built, &result);
        assert_int_equal(world_compare_bindings(&built, &result), 10);
        assert_int_equal(result.linked, 6);
        assert_int_equal(result.delayed, 2);
        assert_int_equal(result.hastened, 2);
        assert_int_equal(result.machine, built.is_64 ? 0x8664 : 0x14c);
        assert_false(result.lost_signature);
        free(result.bytes);
    }
}

/* Each of the 63 ways to place Pss functions among six. */
static void test_runs_are_cut_wherever_they_are(void **state)
{
    struct pe_builder_dll dlls[PE_BUILDER_DLLS] = {{"kernel32", BUILD_ORDINARY, {NULL}}};

    (void)state;
    for_both_formats(built)
    {
        for (unsigned mask = 1; mask < 64; mask++) {
            for (unsigned kind = 0; kind < 2; kind++) {
                dlls[0].kind = kind ? BUILD_WITHOUT_LOOKUP : BUILD_ORDINARY;
                for (unsigned i = 0; i < 6; i++)
                    dlls[0].functions[i] = mask >> i & 1 ? "PssFreeSnapshot" : "Sleep";
                world_build(&built, dlls);
                world_rebind(&built, &result);
                assert_int_equal(world_compare_bindings(&built, &result), __builtin_popcount(mask));
                free(result.bytes);
            }
        }
    }
}

/* The loader overwrites the slots; names that were only there are copied, even all of them. */
static void test_names_that_were_only_in_slots_are_copied(void **state)
{
    static const struct pe_builder_dll dlls[PE_BUILDER_DLLS] = {
        {"kernel32.dll", BUILD_WITHOUT_LOOKUP, {"PssCaptureSnapshot", "PssFreeSnapshot"}}};

    (void)state;
    for_both_formats(built)
    {
        uint32_t table;

        world_build(&built, dlls);
        world_rebind(&built, &result);
        assert_int_equal(world_compare_bindings(&built, &result), 2);
        table = pe_builder_get32(result.bytes, pe_builder_section(&built, 3) + 20);
        assert_in_range(pe_builder_get32(result.bytes, table), BUILT_NEXT_RVA,
                        BUILT_NEXT_RVA + 0x1000);
        free(result.bytes);
    }
}

/* A file that only delays them keeps its import table, and one without any gets none. */
static void test_delayed_functions_alone_stay_delayed(void **state)
{
    static const struct pe_builder_dll dlls[PE_BUILDER_DLLS] = {
        {"kernel32.dll", BUILD_DELAYED, {"PssCaptureSnapshot", "PssFreeSnapshot"}}};
    static struct pe_loader loader;

    (void)state;
    for_both_formats(built)
    {
        uint32_t descriptor = pe_builder_offset(BUILT_DELAYED_RVA);

        world_build(&built, dlls);
        world_rebind(&built, &result);
        assert_int_equal(world_compare_bindings(&built, &result), 2);
        pe_loader_bind(&loader, result.bytes, result.size);
        assert_true(loader.bindings[0].is_delayed && loader.bindings[1].is_delayed);
        assert_int_equal(pe_builder_get32(result.bytes, pe_builder_directory(&built, 1)), 0);
        assert_int_equal(pe_builder_get32(result.bytes, descriptor + 28), 0);
        free(result.bytes);
    }
}

static void test_mixed_delayed_functions_are_bound_at_the_start(void **state)
{
    static const struct pe_builder_dll dlls[PE_BUILDER_DLLS] = {
        {"kernel32.dll", BUILD_DELAYED, {"PssCaptureSnapshot", "Sleep", "PssFreeSnapshot"}}};
    static struct pe_loader loader;

    (void)state;
    for_both_formats(built)
    {
        world_build(&built, dlls);
        world_rebind(&built, &result);
        assert_int_equal(world_compare_bindings(&built, &result), 2);
        pe_loader_bind(&loader, result.bytes, result.size);
        for (size_t i = 0; i < loader.count; i++)
            assert_int_equal(loader.bindings[i].is_delayed,
                             strstr(loader.bindings[i].function, "Sleep") != NULL);
        free(result.bytes);
    }
}

/* One that an updated program imports anew, in the slot behind those that have moved before. */
static void test_delayed_function_behind_moved_ones_moves(void **state)
{
    static const struct pe_builder_dll dlls[PE_BUILDER_DLLS] = {
        {"pss.dll", BUILD_ORDINARY, {"PssCaptureSnapshot"}},
        {"kernel32.dll", BUILD_DELAYED, {"PssFreeSnapshot"}}};

    (void)state;
    for_both_formats(built)
    {
        world_build(&built, dlls);
        pe_builder_put32(built.bytes, BUILT_IMPORTS + 16, BUILT_SLOTS_RVA + (built.is_64 ? 8 : 4));
        world_rebind(&built, &result);
        assert_int_equal(result.delayed, 1);
        assert_true(result.was_rebound);
        free(result.bytes);
    }
}

static void test_bound_imports_are_unbound(void **state)
{
    static const struct pe_builder_dll dlls[PE_BUILDER_DLLS] = {
        {"kernel32.dll", BUILD_BOUND, {"PssCaptureSnapshot", "Sleep"}},
        {"user32.dll", BUILD_BOUND, {"MessageBoxW"}}};

    (void)state;
    for_both_formats(built)
    {
        uint32_t table;

        world_build(&built, dlls);
        /* Their data lie right behind the section headers, as usual, where the new one goes. */
        pe_builder_set_directory(&built, 11, pe_builder_section(&built, 3), 64);
        memset(built.bytes + pe_builder_section(&built, 3), 0x33, 64);
        world_rebind(&built, &result);
        assert_int_equal(world_compare_bindings(&built, &result), 1);
        assert_int_equal(pe_builder_get32(result.bytes, pe_builder_directory(&built, 11)), 0);
        assert_int_equal(pe_builder_get32(result.bytes, pe_builder_section(&built, 4)), 0);
        table = pe_builder_get32(result.bytes, pe_builder_section(&built, 3) + 20);
        for (uint32_t i = 0; i < 3; i++) {
            assert_int_equal(pe_builder_get32(result.bytes, table + 20 * i + 4), 0);
            assert_int_equal(pe_builder_get32(result.bytes, table + 20 * i + 8), 0);
        }
        free(result.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_imports_of_every_kind_are_bound_to_the_same_slots),
        cmocka_unit_test(test_runs_are_cut_wherever_they_are),
        cmocka_unit_test(test_names_that_were_only_in_slots_are_copied),
        cmocka_unit_test(test_delayed_functions_alone_stay_delayed),
        cmocka_unit_test(test_mixed_delayed_functions_are_bound_at_the_start),
        cmocka_unit_test(test_delayed_function_behind_moved_ones_moves),
        cmocka_unit_test(test_bound_imports_are_unbound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
