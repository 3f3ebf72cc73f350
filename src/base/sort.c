/* SPDX-License-Identifier: MIT */
/* Heap sort: no recursion, no memory, no bad case. */
#include "base/sort.h"

struct records {
    char *base;
    uint32_t size;
    pss_compare *compare;
};

static char *record_at(const struct records *records, uint32_t index)
{
    return records->base + (size_t)index * records->size;
}

static int is_before(const struct records *records, uint32_t left, uint32_t right)
{
    return records->compare(record_at(records, left), record_at(records, right)) < 0;
}

static void swap_records(const struct records *records, uint32_t left, uint32_t right)
{
    uint32_t *a = (uint32_t *)(void *)record_at(records, left);
    uint32_t *b = (uint32_t *)(void *)record_at(records, right);

    for (uint32_t i = 0; i < records->size / sizeof(*a); i++) {
        uint32_t kept = a[i];

        a[i] = b[i];
        b[i] = kept;
    }
}

/* Lets the record at `root` sink until both records below it come no later. */
static void sift_down(const struct records *records, uint32_t root, uint32_t count)
{
    for (uint32_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && is_before(records, child, child + 1))
            child++;
        if (!is_before(records, root, child))
            return;
        swap_records(records, root, child);
    }
}

void pss_sort(void *base, uint32_t count, uint32_t size, pss_compare *compare)
{
    struct records records = {base, size, compare};
    uint32_t sorted = 1;

    while (sorted < count && !is_before(&records, sorted, sorted - 1))
        sorted++;
    if (sorted >= count)
        return;
    for (uint32_t i = count / 2; i > 0; i--)
        sift_down(&records, i - 1, count);
    for (uint32_t end = count - 1; end > 0; end--) {
        swap_records(&records, 0, end);
        sift_down(&records, 0, end);
    }
}
