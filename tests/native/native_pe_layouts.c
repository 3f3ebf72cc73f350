/* SPDX-License-Identifier: MIT */
/* Headers and layouts that cannot be rewritten, and those that just can. */
#include "pe_world.h"

static struct pe_builder built;

static const struct pe_builder_dll ordinary[PE_BUILDER_DLLS] = {
    {"kernel32.dll", BUILD_ORDINARY, {"PssCaptureSnapshot", "Sleep"}}};

static void test_directories_beyond_the_optional_header(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, ordinary);
        pe_builder_put16(built.bytes, BUILT_HEADER + 20, built.is_64 ? 232 : 216);
        world_expect(&built, PE_BAD_HEADER);
        pe_builder_put16(built.bytes, BUILT_HEADER + 20, built.is_64 ? 111 : 95);
        world_expect(&built, PE_BAD_HEADER);
    }
}

/* Fewer directories than the two that are needed are no lie, and more than 16 are not looked at. */
static void test_numbers_of_directories(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, ordinary);
        pe_builder_put32(built.bytes, pe_builder_directory(&built, 0) - 4, 1);
        world_expect(&built, PE_NOTHING);
        pe_builder_put32(built.bytes, pe_builder_directory(&built, 0) - 4, 2);
        pe_builder_set_section(&built, 2, 36, 0xc0000040);
        world_expect(&built, PE_REBOUND);
        pe_builder_put32(built.bytes, pe_builder_directory(&built, 0) - 4, 0xffffffff);
        world_expect(&built, PE_REBOUND);
    }
}

/* Where there are eleven directories, none tells of bound imports: other bytes are there. */
static void test_bytes_behind_the_last_directory_stay(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        struct pe_result result;
        uint32_t behind = pe_builder_directory(&built, 11);

        world_build(&built, ordinary);
        pe_builder_put32(built.bytes, pe_builder_directory(&built, 0) - 4, 11);
        pe_builder_put32(built.bytes, behind, 0x12345678);
        world_rebind(&built, &result);
        assert_int_equal(pe_builder_get32(result.bytes, behind), 0x12345678);
        free(result.bytes);
    }
}

/* What nobody knows lies where the header would go. */
static void test_no_room_for_a_section_header(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, every_kind);
        memset(built.bytes + pe_builder_section(&built, 3) + 39, 1, 1);
        world_expect(&built, PE_NO_HEADER_ROOM);
        world_build(&built, every_kind);
        pe_builder_put32(built.bytes, pe_builder_section(&built, 3) + 40, 1);
        world_expect(&built, PE_REBOUND);
        pe_builder_set_directory(&built, 11, pe_builder_section(&built, 3), 39);
        memset(built.bytes + pe_builder_section(&built, 3), 1, 40);
        world_expect(&built, PE_NO_HEADER_ROOM);
    }
}

/* Bound imports that are said to reach behind the headers: the rest of the file stays. */
static void test_bound_imports_without_end(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, ordinary);
        pe_builder_set_directory(&built, 11, pe_builder_section(&built, 3), 0x70000000);
        world_expect(&built, PE_REBOUND);
    }
}

/** Has the section headers end so many bytes before the sections' bytes, at the end of a page. */
static void fill_headers(uint32_t free)
{
    uint32_t shift = 0x1000 - BUILT_HEADER_SIZE, table = pe_builder_section(&built, 0);
    uint32_t gap = 0x1000 - free - pe_builder_section(&built, 3);

    memmove(built.bytes + 0x1000, built.bytes + BUILT_HEADER_SIZE, BUILT_END - BUILT_HEADER_SIZE);
    memset(built.bytes + BUILT_HEADER_SIZE, 0, shift);
    for (uint32_t i = 0; i < 3; i++)
        pe_builder_set_section(&built, i, 20,
                               pe_builder_get32(built.bytes, pe_builder_section(&built, i) + 20) +
                                   shift);
    pe_builder_set_optional(&built, 60, 0x1000);
    built.size += shift;
    memmove(built.bytes + table + gap, built.bytes + table, 120);
    memset(built.bytes + table, 0, gap < 120 ? gap : 120);
    pe_builder_put16(built.bytes, BUILT_HEADER + 20, (built.is_64 ? 240 : 224) + gap);
}

/* More of them than fit in front of the first section in memory. */
static void test_headers_that_fill_a_page(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, every_kind);
        fill_headers(39);
        world_expect(&built, PE_NO_HEADER_ROOM);
        world_build(&built, every_kind);
        fill_headers(40);
        world_expect(&built, PE_REBOUND);
    }
}

static void test_layouts_that_cannot_be_rewritten(void **state)
{
    static const struct {
        int section; /* or -1: the optional header */
        uint32_t field;
        uint32_t value;
    } changes[] = {
        {-1, 36, 0}, /* file alignment */
        {-1, 36, 0x201},
        {-1, 36, 0x100},
        {-1, 36, 0x2000},
        {-1, 32, 0x1001}, /* section alignment */
        {-1, 32, 0x2000},
        {-1, 56, BUILT_NEXT_RVA + 1}, /* size of the image */
        {-1, 56, BUILT_NEXT_RVA - 0x1000},
        {-1, 56, 0},
        {-1, 60, BUILT_HEADER_SIZE + 1}, /* size of the headers */
        {-1, 60, 0x100},
        {2, 12, 0x2000}, /* .data overlaps .idata in memory */
        {0, 16, 0x400},  /* .text reaches into .idata in the file */
        {0, 20, 0x200},  /* and into the headers */
        {2, 8, 0x3000},
        {2, 12, 0x4000}, /* a gap before .data */
        {2, 12, 0x3001},
        {2, 8, 0xfffff000},
    };

    (void)state;
    for_both_formats(built)
    {
        for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
            enum pe_verdict verdict;

            world_build(&built, ordinary);
            if (changes[i].section < 0)
                pe_builder_set_optional(&built, changes[i].field, changes[i].value);
            else
                pe_builder_set_section(&built, (uint32_t)changes[i].section, changes[i].field,
                                       changes[i].value);
            verdict = pe_invariants_check(built.bytes, built.size);
            if (verdict != PE_BAD_LAYOUT)
                fail_msg("change %zu: %s", i, pe_verdict_text(verdict));
        }
    }
}

/* Where the whole file is mapped as it is, no section can be added; but it can be read. */
static void test_low_alignment_is_read_and_refused(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        uint32_t i;

        world_build(&built, ordinary);
        pe_builder_set_optional(&built, 32, 0x200);
        world_expect(&built, PE_BAD_IMPORTS); /* The addresses are no offsets. */
        world_build(&built, every_kind);
        pe_builder_set_optional(&built, 32, 0x200);
        /* A table at an offset: kernel32, whose only name has no hint. */
        pe_builder_set_directory(&built, 1, BUILT_CODE, 40);
        pe_builder_set_directory(&built, 13, 0, 0);
        memset(built.bytes + BUILT_CODE, 0, 0x200);
        for (i = 0; i < 5; i++)
            pe_builder_put32(built.bytes, BUILT_CODE + 4 * i,
                             i == 1 || i == 2 ? 0 : BUILT_CODE + 64);
        pe_builder_put32(built.bytes, BUILT_CODE + 12, BUILT_CODE + 96);
        memcpy(built.bytes + BUILT_CODE + 96, "kernel32", 8);
        pe_builder_put32(built.bytes, BUILT_CODE + 64, BUILT_CODE + 128);
        memcpy(built.bytes + BUILT_CODE + 130, "PssFreeSnapshot", 16);
        world_expect(&built, PE_BAD_LAYOUT);
    }
}

/** Without .text, whose room the headers need; .idata, .data and some that are only memory. */
static void have_sections(uint32_t count)
{
    uint32_t shift = 0x1200 - BUILT_IMPORTS, more = count - 2;

    memmove(built.bytes + 0x1200, built.bytes + BUILT_IMPORTS, BUILT_END - BUILT_IMPORTS);
    memmove(built.bytes + pe_builder_section(&built, 0),
            built.bytes + pe_builder_section(&built, 1), 80);
    memset(built.bytes + pe_builder_section(&built, 2), 0, 0x1200 - pe_builder_section(&built, 2));
    pe_builder_set_section(&built, 0, 20, BUILT_IMPORTS + shift);
    pe_builder_set_section(&built, 1, 20, BUILT_SLOTS + shift);
    for (uint32_t i = 0; i < more; i++) {
        pe_builder_set_section(&built, i + 2, 8, 0x1000);
        pe_builder_set_section(&built, i + 2, 12, BUILT_NEXT_RVA + 0x1000 * i);
        pe_builder_set_section(&built, i + 2, 36, 0xc0000080);
    }
    pe_builder_put16(built.bytes, BUILT_HEADER + 6, count);
    pe_builder_set_optional(&built, 56, BUILT_NEXT_RVA + 0x1000 * more);
    pe_builder_set_optional(&built, 60, 0x1200);
    built.size += shift;
}

/* All loaders take 96, of which one is new. */
static void test_as_many_sections_as_loaders_take(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, ordinary);
        have_sections(95);
        world_expect(&built, PE_REBOUND);
        world_build(&built, ordinary);
        have_sections(96);
        world_expect(&built, PE_NO_HEADER_ROOM);
    }
}

static void test_too_many_sections(void **state)
{
    (void)state;
    built.is_64 = 1;
    world_build(&built, every_kind);
    pe_builder_put16(built.bytes, BUILT_HEADER + 6, 257);
    world_expect(&built, PE_BAD_HEADER);
    pe_builder_put16(built.bytes, BUILT_HEADER + 6, 0);
    world_expect(&built, PE_BAD_IMPORTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directories_beyond_the_optional_header),
        cmocka_unit_test(test_numbers_of_directories),
        cmocka_unit_test(test_bytes_behind_the_last_directory_stay),
        cmocka_unit_test(test_no_room_for_a_section_header),
        cmocka_unit_test(test_bound_imports_without_end),
        cmocka_unit_test(test_headers_that_fill_a_page),
        cmocka_unit_test(test_layouts_that_cannot_be_rewritten),
        cmocka_unit_test(test_low_alignment_is_read_and_refused),
        cmocka_unit_test(test_as_many_sections_as_loaders_take),
        cmocka_unit_test(test_too_many_sections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
