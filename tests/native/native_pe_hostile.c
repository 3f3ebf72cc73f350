/* SPDX-License-Identifier: MIT */
/* Files that lie: every promise holds for any bytes, and nothing takes long. */
#include "pe_lookup.h"
#include "pe_world.h"
#include "support/soak.h"

static struct pe_builder built;

/* Up to the last byte that a section needs, each shorter file is refused. */
static void test_truncated_at_every_length(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, every_kind);
        for (built.size = 0; built.size < BUILT_END; built.size++) {
            enum pe_verdict verdict = pe_invariants_check(built.bytes, built.size);

            if (verdict != (built.size < 2 ? PE_NOT_PE : PE_TRUNCATED))
                fail_msg("%zu bytes: %s", built.size, pe_verdict_text(verdict));
        }
        world_expect(&built, PE_REBOUND);
    }
}

/** Replaces 1 or 4 bytes by numbers that programs stumble over; by some of them in a sample. */
static void try_numbers(uint32_t offset, uint32_t size)
{
    static const uint32_t numbers[] = {0,          1,          2,          0x1fff,     0x7fff,
                                       0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 0xfffff000,
                                       BUILT_END,  0x2000,     0x3000,     0x4ffc};
    uint8_t *field = built.bytes + offset;
    uint32_t count = sizeof numbers / sizeof numbers[0];
    uint32_t step = soak_step(3);
    uint8_t saved[4];

    memcpy(saved, field, 4);
    for (uint32_t i = offset % step; i < count + 2; i += step) {
        uint32_t value =
            i < count ? numbers[i] : pe_builder_get32(saved, 0) + (i == count ? 1u : UINT32_MAX);

        for (uint32_t j = 0; j < size; j++)
            field[j] = (uint8_t)(value >> 8 * j);
        pe_invariants_check(built.bytes, built.size);
        memcpy(field, saved, 4);
    }
}

/* Headers, descriptors, and the first of the lookup tables and names, at every place. */
static void test_every_field_is_set_to_odd_numbers(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        world_build(&built, every_kind);
        for (uint32_t size = 1; size <= 4; size *= 4) {
            for (uint32_t at = 0; at < pe_builder_section(&built, 4); at += (size + 1) / 2)
                try_numbers(at, size);
            for (uint32_t at = BUILT_IMPORTS; at < pe_builder_offset(built.next_name); at += size)
                try_numbers(at, size);
        }
        world_expect(&built, PE_REBOUND);
    }
}

/* Every pair of the descriptors' and directories' fields with the same address. */
static void test_pairs_of_addresses_coincide(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        uint32_t first = pe_builder_directory(&built, 1);

        world_build(&built, every_kind);
        for (uint32_t i = 0; i < 2 * 15; i++) {
            for (uint32_t j = 0; j < 0x1c0; j += 4) {
                static struct pe_builder saved;

                memcpy(&saved, &built, sizeof saved);
                pe_builder_put32(built.bytes, first + 4 * i,
                                 pe_builder_get32(built.bytes, BUILT_IMPORTS + j));
                pe_builder_put32(built.bytes, BUILT_IMPORTS + j, BUILT_IMPORTS_RVA + j);
                pe_invariants_check(built.bytes, built.size);
                memcpy(&built, &saved, sizeof saved);
            }
        }
    }
}

/** A file whose last section is large and full of one number. */
static uint8_t *build_large(size_t size, uint32_t filler)
{
    uint8_t *bytes = malloc(size);
    uint32_t section = pe_builder_section(&built, 2), room = (uint32_t)size - BUILT_SLOTS;

    assert_non_null(bytes);
    world_build(&built, every_kind);
    memcpy(bytes, built.bytes, BUILT_SLOTS);
    for (size_t i = BUILT_SLOTS; i < size; i += 4)
        pe_builder_put32(bytes, (uint32_t)i, filler);
    pe_builder_put32(bytes, section + 8, room);
    pe_builder_put32(bytes, section + 16, room);
    pe_builder_put32(bytes, BUILT_OPTIONAL + 56, (BUILT_SLOTS_RVA + room + 0xfff) & ~0xfffu);
    return bytes;
}

/* A table of millions of names, and one of millions of DLLs, are given up. */
static void test_tables_without_end(void **state)
{
    size_t size = 16u << 20;

    (void)state;
    for_both_formats(built)
    {
        uint8_t *bytes = build_large(size, BUILT_NAMES_RVA);

        if (built.is_64)
            for (size_t i = BUILT_SLOTS + 4; i < size; i += 8)
                pe_builder_put32(bytes, (uint32_t)i, 0);
        pe_builder_put32(bytes, BUILT_IMPORTS + 20, BUILT_SLOTS_RVA);
        assert_int_equal(pe_invariants_check(bytes, size), PE_BAD_IMPORTS);
        for (size_t i = BUILT_SLOTS; i < size; i += 4)
            pe_builder_put32(bytes, (uint32_t)i, BUILT_NAMES_RVA);
        pe_builder_put32(bytes, pe_builder_directory(&built, 1), BUILT_SLOTS_RVA);
        assert_int_equal(pe_invariants_check(bytes, size), PE_BAD_IMPORTS);
        free(bytes);
    }
}

/* As many DLLs as a table may name, and one more; none has a function that moves. */
static void try_descriptors(uint32_t directory, uint32_t size, uint32_t name, uint32_t slots)
{
    uint32_t count = 4096;
    size_t all = BUILT_SLOTS + size * (size_t)(count + 2);
    uint8_t *bytes = build_large(all, 0);

    memset(bytes + pe_builder_directory(&built, 1), 0, 8);
    memset(bytes + pe_builder_directory(&built, 13), 0, 8);
    pe_builder_put32(bytes, pe_builder_directory(&built, directory), BUILT_SLOTS_RVA);
    memcpy(bytes + pe_builder_offset(BUILT_NAMES_RVA), "other.dll", 10);
    for (uint32_t i = 0; i <= count; i++) {
        if (i == count)
            assert_int_equal(pe_invariants_check(bytes, all), PE_NOTHING);
        pe_builder_put32(bytes, BUILT_SLOTS + size * i, 1);
        pe_builder_put32(bytes, BUILT_SLOTS + size * i + name, BUILT_NAMES_RVA);
        pe_builder_put32(bytes, BUILT_SLOTS + size * i + slots, BUILT_NAMES_RVA);
    }
    assert_int_equal(pe_invariants_check(bytes, all), PE_BAD_IMPORTS);
    free(bytes);
}

static void test_as_many_descriptors_as_can_be(void **state)
{
    (void)state;
    for_both_formats(built)
    {
        try_descriptors(1, 20, 12, 16);
        try_descriptors(13, 32, 4, 12);
    }
}

/* A table may be told to begin shortly before 4 GiB. */
static void test_sums_of_addresses_do_not_wrap(void **state)
{
    uint32_t sum = 1;

    (void)state;
    assert_false(pe_advance(UINT32_MAX, 1, 1, &sum));
    assert_false(pe_advance(0, UINT32_MAX, 8, &sum));
    assert_int_equal(sum, 1);
    assert_true(pe_advance(UINT32_MAX - 16, 2, 8, &sum));
    assert_int_equal(sum, UINT32_MAX);
}

/* As many pieces as a table may have, and one more. */
static void test_as_many_runs_as_can_be(void **state)
{
    uint32_t count = 4096;

    (void)state;
    for_both_formats(built)
    {
        uint32_t word = built.is_64 ? 8 : 4, names = pe_builder_offset(BUILT_NAMES_RVA);
        size_t size = BUILT_SLOTS + (size_t)word * (count + 512);
        uint8_t *bytes = build_large(size, 0);

        memset(bytes + pe_builder_directory(&built, 13), 0, 8);
        memset(bytes + BUILT_IMPORTS, 0, 0x100);
        pe_builder_put32(bytes, BUILT_IMPORTS + 12, BUILT_NAMES_RVA + 64);
        pe_builder_put32(bytes, BUILT_IMPORTS + 16, BUILT_SLOTS_RVA);
        memcpy(bytes + names, "\0\0PssFreeSnapshot", 18);
        memcpy(bytes + names + 32, "\0\0Sleep", 8);
        memcpy(bytes + names + 64, "kernel32", 9);
        for (uint32_t i = 0; i < count; i++)
            pe_builder_put32(bytes, BUILT_SLOTS + word * i, BUILT_NAMES_RVA + 32 * (i & 1));
        assert_int_equal(pe_invariants_check(bytes, size), PE_REBOUND);
        pe_builder_put32(bytes, BUILT_SLOTS + word * count, BUILT_NAMES_RVA);
        assert_int_equal(pe_invariants_check(bytes, size), PE_BAD_IMPORTS);
        free(bytes);
    }
}

/* More bytes than an offset can reach; only their count is ever looked at. */
static void test_files_beyond_two_gigabytes(void **state)
{
    struct pe_result result;

    (void)state;
    assert_int_equal(pe_rebind((const uint8_t *)"MZ", (size_t)UINT32_MAX + 3, &result),
                     PE_TOO_LARGE);
}

/* A file that has room for all of them, but not for what is added; hardly any of it is touched. */
static void test_files_that_would_grow_beyond_two_gigabytes(void **state)
{
    struct pe_result result;
    uint8_t *bytes = calloc(1, PE_MAX_SIZE);

    (void)state;
    assert_non_null(bytes);
    for_both_formats(built)
    {
        if (!built.is_64 && soak_or(1, 0))
            continue;
        world_build(&built, every_kind);
        memcpy(bytes, built.bytes, built.size);
        assert_int_equal(pe_rebind(bytes, PE_MAX_SIZE, &result), PE_TOO_LARGE);
        assert_null(result.bytes);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truncated_at_every_length),
        cmocka_unit_test(test_every_field_is_set_to_odd_numbers),
        cmocka_unit_test(test_pairs_of_addresses_coincide),
        cmocka_unit_test(test_tables_without_end),
        cmocka_unit_test(test_as_many_descriptors_as_can_be),
        cmocka_unit_test(test_sums_of_addresses_do_not_wrap),
        cmocka_unit_test(test_as_many_runs_as_can_be),
        cmocka_unit_test(test_files_beyond_two_gigabytes),
        cmocka_unit_test(test_files_that_would_grow_beyond_two_gigabytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
