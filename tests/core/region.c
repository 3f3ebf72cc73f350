/* SPDX-License-Identifier: MIT */
/* Growing memory: what was written stays, what is new is zero, and a failure changes nothing. */
#include "base/region.h"

#include "faulty_nt.h"
#include "harness.h"
#include "random.h"
#include "subject.h"

#define FIRST_CAPACITY 0x10000u

static void test_new_region_is_empty_and_free_of_it_does_nothing(void **state)
{
    struct pss_region region = {0};

    (void)state;
    pss_region_free(faulty_nt(), &region);
    assert_same(faulty_calls(), 0);
}

static void test_append_gives_zeroed_bytes_and_keeps_the_others(void **state)
{
    struct pss_region region = {0};
    uint32_t offset;

    (void)state;
    for (uint32_t i = 0; i < 100000; i++) {
        assert_int_equal(pss_region_append(faulty_nt(), &region, 8, 8, &offset), STATUS_SUCCESS);
        assert_same(offset, 8 * i);
        uint64_t *value = pss_region_at(&region, offset);
        assert_same(*value, 0);
        *value = i * 0x9E3779B97F4A7C15u;
    }
    for (uint32_t i = 0; i < 100000; i++)
        assert_same(*(uint64_t *)pss_region_at(&region, 8 * i), i * 0x9E3779B97F4A7C15u);
    assert_same(faulty_ledger().allocations, 1);
    assert_true(faulty_calls_of(FAULTY_allocate_memory) < 8); /* it doubles */
    pss_region_free(faulty_nt(), &region);
    assert_null(region.base);
    assert_same(region.size, 0);
    assert_same(region.capacity, 0);
}

static void test_append_aligns_and_zeroes_the_gap(void **state)
{
    struct pss_region region = {0};

    (void)state;
    for (uint32_t i = 0; i < 2000; i++) {
        uint32_t alignment = 1u << random_below(13), size = random_below(100);
        uint32_t before = region.size, offset;

        assert_int_equal(pss_region_append(faulty_nt(), &region, size, alignment, &offset),
                         STATUS_SUCCESS);
        assert_same(offset % alignment, 0);
        assert_true(offset >= before && offset - before < alignment);
        assert_same(region.size, offset + size);
        for (uint32_t j = before; j < region.size; j++)
            assert_same(*(unsigned char *)pss_region_at(&region, j), 0);
        if (region.size != before) /* an empty region has no memory at all */
            memset(pss_region_at(&region, before), 0xA5, region.size - before);
    }
    pss_region_free(faulty_nt(), &region);
}

static void assert_appends_zeroes(struct pss_region *region, uint32_t size)
{
    uint32_t before = region->size, offset;

    assert_int_equal(pss_region_append(faulty_nt(), region, size, 8, &offset), STATUS_SUCCESS);
    for (uint32_t i = before; i < region->size; i++)
        assert_same(*(unsigned char *)pss_region_at(region, i), 0);
    memset(pss_region_at(region, before), 0xA5, region->size - before);
}

static void test_append_gives_zeroed_bytes_where_others_were_dropped(void **state)
{
    struct pss_region region = {0};

    (void)state;
    assert_appends_zeroes(&region, 5000);
    region.size = 0;
    assert_appends_zeroes(&region, 3000);
    region.size -= 1003;
    assert_appends_zeroes(&region, 500);
    region.size = 100;
    assert_appends_zeroes(&region, FIRST_CAPACITY); /* in another place */
    region.size = 0;
    assert_appends_zeroes(&region, 2 * FIRST_CAPACITY - 8);
    pss_region_free(faulty_nt(), &region);
}

static void test_append_gives_zeroed_bytes_where_there_was_room_to_write(void **state)
{
    struct pss_region region = {0};

    (void)state;
    assert_int_equal(pss_region_reserve(faulty_nt(), &region, 100), STATUS_SUCCESS);
    memset(region.base, 0xA5, region.capacity);
    region.size = 50;
    assert_appends_zeroes(&region, 1000);
    pss_region_free(faulty_nt(), &region);
}

static void test_reserve_keeps_the_size(void **state)
{
    struct pss_region region = {0};
    uint32_t offset;

    (void)state;
    assert_int_equal(pss_region_append(faulty_nt(), &region, 3, 1, &offset), STATUS_SUCCESS);
    memcpy(region.base, "abc", 3);
    assert_int_equal(pss_region_reserve(faulty_nt(), &region, 5 * FIRST_CAPACITY), STATUS_SUCCESS);
    assert_same(region.size, 3);
    assert_true(region.capacity >= 5 * FIRST_CAPACITY);
    assert_memory_equal(region.base, "abc", 3);
    void *base = region.base;
    assert_int_equal(pss_region_reserve(faulty_nt(), &region, 1), STATUS_SUCCESS);
    assert_ptr_equal(region.base, base);
    pss_region_free(faulty_nt(), &region);
}

static void test_growth_that_fails_changes_nothing(void **state)
{
    struct pss_region region = {0}, before;
    uint32_t offset;

    (void)state;
    assert_int_equal(pss_region_append(faulty_nt(), &region, FIRST_CAPACITY, 1, &offset),
                     STATUS_SUCCESS);
    memset(region.base, 0x5A, FIRST_CAPACITY);
    before = region;
    offset = 77;
    faulty_reset();
    faulty_fail(1, false, STATUS_COMMITMENT_LIMIT);
    assert_int_equal(pss_region_append(faulty_nt(), &region, 1, 1, &offset),
                     STATUS_COMMITMENT_LIMIT);
    assert_same(offset, 77);
    assert_memory_equal(&region, &before, sizeof(region));
    for (uint32_t i = 0; i < FIRST_CAPACITY; i++)
        assert_same(*(unsigned char *)pss_region_at(&region, i), 0x5A);
    pss_region_free(faulty_nt(), &region);
}

static void test_sizes_past_4_gib_are_refused_without_a_call(void **state)
{
    struct pss_region region = {0};
    uint32_t offset = 77;

    (void)state;
    assert_int_equal(pss_region_reserve(faulty_nt(), &region, (uint64_t)UINT32_MAX + 1),
                     STATUS_NO_MEMORY);
    assert_int_equal(pss_region_reserve(faulty_nt(), &region, UINT64_MAX), STATUS_NO_MEMORY);
    assert_int_equal(pss_region_reserve(faulty_nt(), &region, UINT32_MAX), STATUS_NO_MEMORY);
    assert_int_equal(pss_region_append(faulty_nt(), &region, UINT32_MAX, 1, &offset),
                     STATUS_NO_MEMORY);
    assert_same(offset, 77);
    assert_null(region.base);
    assert_same(faulty_calls(), 0);
}

/* An allocator whose memory nobody can touch: growth is a matter of arithmetic. */
static SIZE_T asked_for;

static NTSTATUS NTAPI refuse_but_remember(HANDLE process, void **base, ULONG_PTR zero_bits,
                                          SIZE_T *size, ULONG type, ULONG protect)
{
    (void)process, (void)base, (void)zero_bits, (void)type, (void)protect;
    asked_for = *size;
    return STATUS_NO_MEMORY;
}

static void test_growth_doubles_and_stops_at_4_gib(void **state)
{
    static const struct {
        uint64_t capacity;
        SIZE_T expected;
    } cases[] = {
        {1, 0x10000},
        {0x10000, 0x10000},
        {0x10001, 0x20000},
        {0x7FFFFFFF, 0x80000000},
        {0x80000001, 0xFFFF0000},
        {0xFFFF0000, 0xFFFF0000},
    };

    (void)state;
    faulty_inner()->allocate_memory = refuse_but_remember;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pss_region region = {0};

        asked_for = 0;
        assert_int_equal(pss_region_reserve(faulty_nt(), &region, cases[i].capacity),
                         STATUS_NO_MEMORY);
        assert_same(asked_for, cases[i].expected);
    }
}

static int set_up(void **state)
{
    (void)state;
    faulty_init();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    faulty_assert_clean("after the test");
    return 0;
}

#define REGION_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REGION_TEST(test_new_region_is_empty_and_free_of_it_does_nothing),
        REGION_TEST(test_append_gives_zeroed_bytes_and_keeps_the_others),
        REGION_TEST(test_append_aligns_and_zeroes_the_gap),
        REGION_TEST(test_append_gives_zeroed_bytes_where_others_were_dropped),
        REGION_TEST(test_append_gives_zeroed_bytes_where_there_was_room_to_write),
        REGION_TEST(test_reserve_keeps_the_size),
        REGION_TEST(test_growth_that_fails_changes_nothing),
        REGION_TEST(test_sizes_past_4_gib_are_refused_without_a_call),
        REGION_TEST(test_growth_doubles_and_stops_at_4_gib),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
