/* SPDX-License-Identifier: MIT */
/* Rebound files byte by byte: headers, what follows the sections, offsets, checksum and signature.
 */
#include "pe_world.h"

#include "pe_checksum.h"

static struct pe_builder built;
static struct pe_result result;

static void test_sizes_in_the_headers_agree(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        uint32_t data, section;

        world_build(&built, every_kind);
        world_rebind(&built, &result);
        section = pe_builder_section(&built, 3);
        data = pe_builder_get32(result.bytes, section + 16);
        assert_memory_equal(result.bytes + section, PE_NEW_SECTION, 8);
        assert_int_equal(pe_builder_get32(result.bytes, section + 12), BUILT_NEXT_RVA);
        assert_int_equal(pe_builder_get32(result.bytes, section + 20), BUILT_END);
        assert_int_equal(pe_builder_get32(result.bytes, section + 36), 0x40000040);
        assert_int_equal(pe_builder_get32(result.bytes, BUILT_OPTIONAL + 8),
                         BUILT_END - BUILT_IMPORTS + data);
        assert_int_equal(pe_builder_get32(result.bytes, BUILT_OPTIONAL + 56),
                         BUILT_NEXT_RVA + 0x1000);
        assert_int_equal(pe_builder_get32(result.bytes, BUILT_OPTIONAL + 60), BUILT_HEADER_SIZE);
        assert_int_equal(pe_builder_get32(result.bytes, BUILT_OPTIONAL + 64), 0);
        assert_int_equal(result.size, BUILT_END + data);
        free(result.bytes);
    }
}

/* The headers may end right behind the section headers, and have to grow for one more. */
static void test_headers_grow_into_the_gap(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, every_kind);
        pe_builder_put32(built.bytes, BUILT_OPTIONAL + 60, pe_builder_section(&built, 3));
        world_expect(&built, PE_REBOUND);
    }
}

/* As many section headers as the file has room for: its sections' bytes move back. */
static void test_headers_grow_where_there_is_no_gap(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        uint32_t table = pe_builder_section(&built, 0), gap, debug;

        world_build(&built, every_kind);
        pe_builder_append(&built, "symbols", 7);
        pe_builder_put32(built.bytes, BUILT_HEADER + 12, BUILT_END);
        pe_builder_set_directory(&built, 6, BUILT_DEBUG_RVA, 28);
        debug = pe_builder_offset(BUILT_DEBUG_RVA);
        pe_builder_put32(built.bytes, debug + 24, BUILT_CODE + 16);
        gap = BUILT_HEADER_SIZE - pe_builder_section(&built, 3);
        memmove(built.bytes + table + gap, built.bytes + table, 120);
        pe_builder_put16(built.bytes, BUILT_HEADER + 20, (built.is_64 ? 240 : 224) + gap);
        world_rebind(&built, &result);
        assert_int_equal(world_compare_bindings(&built, &result), 10);
        assert_int_equal(pe_builder_get32(result.bytes, BUILT_OPTIONAL + 60),
                         BUILT_HEADER_SIZE + 0x200);
        assert_int_equal(pe_builder_get32(result.bytes, debug + 0x200 + 24), BUILT_CODE + 0x210);
        assert_memory_equal(result.bytes + pe_builder_get32(result.bytes, BUILT_HEADER + 12),
                            "symbols", 7);
        free(result.bytes);
    }
}

static void test_checksum_is_made_again_where_there_was_one(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, every_kind);
        pe_builder_append(&built, "odd", 3);
        pe_builder_put32(built.bytes, BUILT_OPTIONAL + 64, 1);
        world_rebind(&built, &result);
        assert_int_equal(pe_builder_get32(result.bytes, BUILT_OPTIONAL + 64),
                         pe_checksum(result.bytes, result.size, BUILT_OPTIONAL + 64));
        free(result.bytes);
    }
}

/* Words 0x0201 + 0xffff + 0x0003 with one carry, and the size. */
static void test_checksum_of_known_bytes(void **state)
{
    static const uint8_t bytes[] = {0x01, 0x02, 9, 9, 9, 9, 0xff, 0xff, 0x03};

    (void)state;
    assert_int_equal(pe_checksum(bytes, sizeof bytes, 2), 0x0204 + sizeof bytes);
}

static void test_what_follows_the_sections_stays_at_the_end(void **state)
{
    static const char overlay[] = "an archive that is looked for from the end of the file";

    (void)state;
    for_both_formats(built)
    {
        world_build(&built, every_kind);
        pe_builder_append(&built, overlay, sizeof overlay);
        world_rebind(&built, &result);
        assert_memory_equal(result.bytes + result.size - sizeof overlay, overlay, sizeof overlay);
        assert_int_equal((result.size - built.size) % 0x200, 0);
        assert_int_equal(world_compare_bindings(&built, &result), 10);
        free(result.bytes);
    }
}

/* Sections whose data do not fill their last unit: what follows begins in the middle of one. */
static void test_an_overlay_in_the_last_unit_is_kept_whole(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, every_kind);
        pe_builder_put32(built.bytes, pe_builder_section(&built, 2) + 16, 0x1f0);
        memcpy(built.bytes + BUILT_END - 16, "sixteen bytes...", 16);
        world_rebind(&built, &result);
        assert_memory_equal(result.bytes + result.size - 16, "sixteen bytes...", 16);
        assert_int_equal(pe_builder_get32(result.bytes, pe_builder_section(&built, 3) + 20),
                         BUILT_END);
        free(result.bytes);
    }
}

static void test_symbols_and_debug_data_are_found_again(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        uint32_t debug = pe_builder_offset(BUILT_DEBUG_RVA), growth;

        world_build(&built, every_kind);
        pe_builder_append(&built, "symbols.debug...", 16);
        pe_builder_put32(built.bytes, BUILT_HEADER + 12, BUILT_END);
        pe_builder_put32(built.bytes, pe_builder_section(&built, 0) + 28, BUILT_END + 4);
        pe_builder_set_directory(&built, 6, BUILT_DEBUG_RVA, 28);
        pe_builder_put32(built.bytes, debug + 24, BUILT_END + 8);
        world_rebind(&built, &result);
        growth = (uint32_t)(result.size - built.size);
        assert_memory_equal(result.bytes + pe_builder_get32(result.bytes, BUILT_HEADER + 12),
                            "symbols.", 8);
        assert_memory_equal(result.bytes + pe_builder_get32(result.bytes, debug + 24), "debug...",
                            8);
        assert_int_equal(pe_builder_get32(result.bytes, pe_builder_section(&built, 0) + 28),
                         BUILT_END + 4 + growth);
        free(result.bytes);
    }
}

static void test_debug_data_within_a_section_stay(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        uint32_t debug = pe_builder_offset(BUILT_DEBUG_RVA);

        world_build(&built, every_kind);
        pe_builder_set_directory(&built, 6, BUILT_DEBUG_RVA, 28);
        pe_builder_put32(built.bytes, debug + 24, BUILT_CODE + 16);
        world_rebind(&built, &result);
        assert_int_equal(pe_builder_get32(result.bytes, debug + 24), BUILT_CODE + 16);
        free(result.bytes);
    }
}

/* One that claims to be among the section headers changes none of them. */
static void test_debug_entries_in_the_headers_are_left_alone(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        uint32_t section = pe_builder_section(&built, 0);

        world_build(&built, every_kind);
        pe_builder_append(&built, "overlay", 7);
        pe_builder_set_directory(&built, 6, section + 32 - 24, 28);
        pe_builder_put32(built.bytes, section + 32, BUILT_END); /* their counts, of old symbols */
        world_rebind(&built, &result);
        assert_int_equal(pe_builder_get32(result.bytes, section + 32), BUILT_END);
        free(result.bytes);
    }
}

/* Symbols before it, and an archive behind it, stay. */
static void test_signature_is_left_out_with_the_demand_for_it(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, every_kind);
        pe_builder_append(&built, "symbols.", 8);
        pe_builder_append(&built, "the signature...", 16);
        pe_builder_append(&built, "archive", 7);
        pe_builder_set_directory(&built, 4, BUILT_END + 8, 16);
        pe_builder_put32(built.bytes, BUILT_HEADER + 12, BUILT_END + 24);
        pe_builder_put16(built.bytes, BUILT_OPTIONAL + 70, 0x81c0);
        world_rebind(&built, &result);
        assert_true(result.lost_signature);
        assert_memory_equal(result.bytes + result.size - 15, "symbols.archive", 15);
        assert_memory_equal(result.bytes + pe_builder_get32(result.bytes, BUILT_HEADER + 12),
                            "archive", 7);
        assert_int_equal(pe_builder_get32(result.bytes, pe_builder_directory(&built, 4)), 0);
        assert_int_equal(pe_builder_get32(result.bytes, BUILT_OPTIONAL + 70) & 0xffff, 0x8140);
        free(result.bytes);
    }
}

static void test_a_signature_that_is_not_there_is_forgotten(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, every_kind);
        pe_builder_append(&built, "overlay", 7);
        pe_builder_set_directory(&built, 4, BUILT_END, 8);
        world_rebind(&built, &result);
        assert_true(result.lost_signature);
        assert_int_equal(pe_builder_get32(result.bytes, pe_builder_directory(&built, 4)), 0);
        assert_memory_equal(result.bytes + result.size - 7, "overlay", 7);
        free(result.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_in_the_headers_agree),
        cmocka_unit_test(test_headers_grow_into_the_gap),
        cmocka_unit_test(test_headers_grow_where_there_is_no_gap),
        cmocka_unit_test(test_checksum_is_made_again_where_there_was_one),
        cmocka_unit_test(test_checksum_of_known_bytes),
        cmocka_unit_test(test_what_follows_the_sections_stays_at_the_end),
        cmocka_unit_test(test_an_overlay_in_the_last_unit_is_kept_whole),
        cmocka_unit_test(test_symbols_and_debug_data_are_found_again),
        cmocka_unit_test(test_debug_data_within_a_section_stay),
        cmocka_unit_test(test_debug_entries_in_the_headers_are_left_alone),
        cmocka_unit_test(test_signature_is_left_out_with_the_demand_for_it),
        cmocka_unit_test(test_a_signature_that_is_not_there_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
