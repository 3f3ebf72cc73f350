/* SPDX-License-Identifier: MIT */
/* Sorting: compared with the C library's, over orders that are known to be hard. */
#include "base/sort.h"

#include "nt/nt.h"

#include "harness.h"
#include "random.h"
#include "subject.h"

#define MOST 3000

/* A record whose other fields tell whether it was moved whole. */
struct record {
    uint32_t key;
    uint32_t check[4];
};

static uint64_t comparisons;

static int compare(const void *left, const void *right)
{
    const struct record *a = left, *b = right;

    comparisons++;
    return a->key < b->key ? -1 : a->key > b->key;
}

static void set_record(struct record *record, uint32_t key)
{
    record->key = key;
    for (uint32_t i = 0; i < 4; i++)
        record->check[i] = key * 31 + i;
}

static void assert_sorted_as_by_qsort(struct record *records, uint32_t count)
{
    static struct record expected[MOST];

    memcpy(expected, records, count * sizeof(*records));
    qsort(expected, count, sizeof(*expected), compare);
    comparisons = 0;
    pss_sort(records, count, sizeof(*records), compare);
    if (count)
        assert_memory_equal(records, expected, count * sizeof(*records));
}

static void test_no_and_one_record_are_sorted(void **state)
{
    struct record one;

    (void)state;
    set_record(&one, 5);
    pss_sort(NULL, 0, sizeof(one), compare);
    assert_sorted_as_by_qsort(&one, 1);
}

static void test_random_records_become_sorted(void **state)
{
    static struct record records[MOST];

    (void)state;
    for (int round = 0; round < 300; round++) {
        uint32_t count = random_below(round % 3 ? 40 : MOST);
        uint32_t keys = 1 + random_below(round % 2 ? 10 : UINT32_MAX);

        for (uint32_t i = 0; i < count; i++)
            set_record(&records[i], random_below(keys));
        assert_sorted_as_by_qsort(records, count);
    }
}

static void test_every_order_of_few_records_becomes_sorted(void **state)
{
    struct record records[6];

    (void)state;
    for (uint32_t order = 0; order < 6 * 6 * 6 * 6 * 6 * 6; order++) {
        for (uint32_t i = 0, rest = order; i < 6; i++, rest /= 6)
            set_record(&records[i], rest % 6);
        assert_sorted_as_by_qsort(records, 6);
    }
}

static void test_sorted_records_cost_one_pass(void **state)
{
    static struct record records[MOST];

    (void)state;
    for (uint32_t i = 0; i < MOST; i++)
        set_record(&records[i], i / 2);
    assert_sorted_as_by_qsort(records, MOST);
    assert_same(comparisons, MOST - 1);
}

static void test_no_order_costs_more_than_n_log_n(void **state)
{
    static struct record records[MOST];

    (void)state;
    for (int shape = 0; shape < 4; shape++) {
        for (uint32_t i = 0; i < MOST; i++)
            set_record(&records[i], shape == 0   ? MOST - i
                                    : shape == 1 ? i % 2
                                    : shape == 2 ? (i < MOST / 2 ? i : MOST - i)
                                                 : i ^ 0x555);
        assert_sorted_as_by_qsort(records, MOST);
        assert_true(comparisons < (uint64_t)3 * MOST * 12); /* 2^12 > MOST */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_and_one_record_are_sorted),
        cmocka_unit_test(test_random_records_become_sorted),
        cmocka_unit_test(test_every_order_of_few_records_becomes_sorted),
        cmocka_unit_test(test_sorted_records_cost_one_pass),
        cmocka_unit_test(test_no_order_costs_more_than_n_log_n),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
