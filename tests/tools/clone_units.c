/* SPDX-License-Identifier: MIT */
/* How pss.exe compares the regions of a clone and reads its bytes, on made-up lists and on itself.
 */
#include "harness.h"

#include "compare.h"
#include "va_clone.h"

#define PAGE ((size_t)0x1000)

/** Adds a region; the addresses are pages. */
static void add(struct region_list *list, size_t first, size_t count, DWORD state, DWORD protect,
                DWORD type)
{
    MEMORY_BASIC_INFORMATION region;

    memset(&region, 0, sizeof region);
    region.BaseAddress = (void *)(uintptr_t)(first * PAGE);
    region.RegionSize = count * PAGE;
    region.State = state;
    region.Protect = protect;
    region.Type = type;
    region_list_add(list, &region);
}

static void add_private(struct region_list *list, size_t first, size_t count)
{
    add(list, first, count, MEM_COMMIT, PAGE_READWRITE, MEM_PRIVATE);
}

static void add_free(struct region_list *list, size_t first, size_t count)
{
    add(list, first, count, MEM_FREE, PAGE_NOACCESS, 0);
}

static void assert_difference(const struct difference *difference, size_t target, size_t first,
                              size_t count, unsigned kinds)
{
    assert_same(difference->target, target);
    assert_same(difference->first, first);
    assert_same(difference->count, count);
    assert_same(difference->kinds, kinds);
}

static void test_equal_lists_have_no_difference(void **state)
{
    struct comparison comparison = {.count = 0};

    (void)state;
    for (size_t i = 0; i < 200; i++) {
        add_private(&comparison.target, i, 1);
        add_private(&comparison.clone, i, 1);
    }
    compare_lists(&comparison);
    assert_same(comparison.count, 0);
    for (size_t i = 0; i < COMPARE_KIND_COUNT; i++)
        assert_same(comparison.kinds[i], 0);
    compare_fini(&comparison);
}

static void test_each_kind_is_found_and_counted(void **state)
{
    struct comparison comparison = {.count = 0};

    (void)state;
    add(&comparison.target, 0, 2, MEM_COMMIT, PAGE_WRITECOPY, MEM_IMAGE);
    add(&comparison.clone, 0, 2, MEM_COMMIT, PAGE_READWRITE, MEM_PRIVATE);
    add_private(&comparison.target, 2, 3);
    add_private(&comparison.clone, 2, 3);
    add(&comparison.target, 5, 1, MEM_RESERVE, 0, MEM_PRIVATE);
    add_free(&comparison.clone, 5, 1);
    add(&comparison.target, 6, 1, MEM_COMMIT, PAGE_READONLY, MEM_MAPPED);
    add(&comparison.clone, 6, 1, MEM_COMMIT, PAGE_READONLY, MEM_PRIVATE);
    compare_lists(&comparison);
    assert_same(comparison.count, 3);
    assert_difference(&comparison.items[0], 0, 0, 1, COMPARE_PROTECT | COMPARE_TYPE);
    assert_difference(&comparison.items[1], 2, 2, 1,
                      COMPARE_STATE | COMPARE_PROTECT | COMPARE_TYPE);
    assert_difference(&comparison.items[2], 3, 3, 1, COMPARE_TYPE);
    assert_same(comparison.kinds[0], 0);
    assert_same(comparison.kinds[1], 0);
    assert_same(comparison.kinds[2], 1);
    assert_same(comparison.kinds[3], 2);
    assert_same(comparison.kinds[4], 3);
    compare_fini(&comparison);
}

static void test_a_region_that_is_split_differs_in_size(void **state)
{
    struct comparison comparison = {.count = 0};

    (void)state;
    add_private(&comparison.target, 0, 4);
    add_free(&comparison.target, 4, 6);
    add_private(&comparison.clone, 0, 3);
    add_private(&comparison.clone, 3, 1);
    add_free(&comparison.clone, 4, 1);
    add_private(&comparison.clone, 5, 2);
    add_free(&comparison.clone, 7, 3);
    compare_lists(&comparison);
    assert_same(comparison.count, 2);
    assert_difference(&comparison.items[0], 0, 0, 2, COMPARE_SIZE);
    assert_difference(&comparison.items[1], 1, 2, 3,
                      COMPARE_SIZE | COMPARE_STATE | COMPARE_PROTECT | COMPARE_TYPE);
    compare_fini(&comparison);
}

static void test_regions_that_are_merged_differ_in_base_or_size(void **state)
{
    struct comparison comparison = {.count = 0};

    (void)state;
    add_private(&comparison.target, 0, 2);
    add_private(&comparison.target, 2, 2);
    add_private(&comparison.target, 4, 1);
    add_private(&comparison.clone, 0, 4);
    compare_lists(&comparison);
    assert_same(comparison.count, 3);
    assert_difference(&comparison.items[0], 0, 0, 1, COMPARE_SIZE);
    assert_difference(&comparison.items[1], 1, 0, 1, COMPARE_BASE | COMPARE_SIZE);
    assert_difference(&comparison.items[2], 2, 1, 0, COMPARE_STATE);
    compare_fini(&comparison);
}

static void test_a_range_shrinks_to_whole_pages_and_ends(void **state)
{
    (void)state;
    assert_same(clone_shrink(0x10000, 0x100000), 0x80000);
    assert_same(clone_shrink(0x10000, 3 * PAGE), PAGE);
    assert_same(clone_shrink(0x10000, PAGE + 1), PAGE);
    assert_same(clone_shrink(0x10ff0, 0x20), 0x10);
    assert_same(clone_shrink(0x10ff0, 0x10), 0);
    assert_same(clone_shrink(0x10000, PAGE), 0);
    assert_same(clone_shrink(0x10123, 1), 0);
    for (uint64_t address = 0x10000; address < 0x11000; address += 0x333) {
        for (size_t size = 0x123457; size != 0;) {
            size_t less = clone_shrink(address, size);
            assert_true(less < size);
            assert_true(less == 0 || (address + less) % PAGE == 0);
            size = less;
        }
    }
}

/** Eight pages: four with text, then NOACCESS, GUARD, two reserved. */
static unsigned char *make_pages(void)
{
    DWORD before;
    unsigned char *pages = VirtualAlloc(NULL, 8 * PAGE, MEM_RESERVE, PAGE_NOACCESS);

    assert_non_null(pages);
    assert_non_null(VirtualAlloc(pages, 6 * PAGE, MEM_COMMIT, PAGE_READWRITE));
    for (size_t i = 0; i < 4 * PAGE; i++)
        pages[i] = (unsigned char)(i * 7 + i / PAGE);
    assert_true(VirtualProtect(pages + 4 * PAGE, PAGE, PAGE_NOACCESS, &before));
    assert_true(VirtualProtect(pages + 5 * PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD, &before));
    return pages;
}

static void test_a_read_ends_where_memory_does(void **state)
{
    static unsigned char buffer[8 * 0x1000];
    unsigned char *pages = make_pages();
    HANDLE self = GetCurrentProcess();
    MEMORY_BASIC_INFORMATION guard;

    (void)state;
    assert_same(clone_read(self, address_of(pages), buffer, sizeof buffer), 4 * PAGE);
    assert_memory_equal(buffer, pages, 4 * PAGE);
    assert_same(clone_read(self, address_of(pages + 4 * PAGE - 3), buffer, 10), 3);
    assert_memory_equal(buffer, pages + 4 * PAGE - 3, 3);
    assert_same(clone_read(self, address_of(pages + 5), buffer, 6), 6);
    assert_memory_equal(buffer, pages + 5, 6);
    for (size_t page = 4; page < 8; page++)
        assert_same(clone_read(self, address_of(pages + page * PAGE), buffer, 1), 0);
    assert_true(VirtualQuery(pages + 5 * PAGE, &guard, sizeof guard) != 0);
    assert_same(guard.Protect, PAGE_READWRITE | PAGE_GUARD);
    assert_true(VirtualFree(pages, 0, MEM_RELEASE));
    assert_same(clone_read(self, address_of(pages), buffer, 1), 0);
    assert_same(clone_read(self, 0, buffer, 1), 0);
    assert_same(clone_read(self, UINTPTR_MAX, buffer, 1), 0);
    assert_same(clone_read(self, UINT64_MAX, buffer, 1), 0);
    assert_same(clone_read(NULL, address_of(buffer), buffer, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_lists_have_no_difference),
        cmocka_unit_test(test_each_kind_is_found_and_counted),
        cmocka_unit_test(test_a_region_that_is_split_differs_in_size),
        cmocka_unit_test(test_regions_that_are_merged_differ_in_base_or_size),
        cmocka_unit_test(test_a_range_shrinks_to_whole_pages_and_ends),
        cmocka_unit_test(test_a_read_ends_where_memory_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
