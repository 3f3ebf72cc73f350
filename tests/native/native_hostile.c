/* SPDX-License-Identifier: MIT */
/* Blocks that somebody else wrote: each is refused, or can be used to the end without harm. */
#include "block_walk.h"
#include "clone_world.h"

static unsigned char *block;
static uint32_t block_size;

/* A real block of everything, as the bytes another process would find. */
static int make_block(void **state)
{
    const struct pss_block *sealed;

    clone_world_setup(state);
    clone_world_furnish_details();
    world_capture(EVERYTHING | PSS_CAPTURE_VA_CLONE);
    sealed = (const struct pss_block *)world.snapshot;
    block_size = sealed->size;
    block = test_malloc(block_size);
    memcpy(block, sealed, block_size);
    world_release();
    return 0;
}

static int free_block(void **state)
{
    test_free(block);
    return clone_world_teardown(state);
}

static struct pss_block *header(void)
{
    return (struct pss_block *)(void *)block;
}

static void test_block_as_it_was_is_accepted(void **state)
{
    (void)state;
    assert_same(block_adopt_and_use(block, block_size), 1);
}

static void test_block_of_another_size_is_refused(void **state)
{
    (void)state;
    for (uint32_t size = 0; size < block_size; size++)
        assert_same(block_adopt_and_use(block, size), 0);
}

/* Each byte of the header and of the section table, with every value. */
static void test_block_with_any_byte_of_its_table_changed_is_safe(void **state)
{
    uint32_t accepted = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(struct pss_block); i++) {
        unsigned char before = block[i];

        for (int value = 0; value < 256; value++) {
            block[i] = (unsigned char)value;
            accepted += (uint32_t)block_adopt_and_use(block, block_size);
        }
        block[i] = before;
    }
    assert_true(accepted < 256 * sizeof(struct pss_block) / 2);
}

/* Each 32-bit number of the header and the table, with the values arithmetic stumbles over. */
static void test_block_with_any_number_of_its_table_changed_is_safe(void **state)
{
    static const uint32_t values[] = {0,          1,          2,          0x3F,       0x40,
                                      0xFFFF,     0x10000,    0x7FFFFFFF, 0x80000000, 0xFFFFFFC0,
                                      0xFFFFFFF0, 0xFFFFFFFE, 0xFFFFFFFF};
    uint32_t *numbers = (uint32_t *)(void *)block;

    (void)state;
    for (size_t i = 0; i < sizeof(struct pss_block) / sizeof(*numbers); i++) {
        for (size_t j = i; j < sizeof(struct pss_block) / sizeof(*numbers); j++) {
            uint32_t first = numbers[i], second = numbers[j];

            for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
                numbers[i] = values[k];
                numbers[j] = values[(k * 5 + i + j) % (sizeof(values) / sizeof(values[0]))];
                block_adopt_and_use(block, block_size);
            }
            numbers[j] = second;
            numbers[i] = first;
        }
    }
}

/* Each byte of each record: offsets of texts, indices, kinds. */
static void test_block_with_any_byte_of_its_records_changed_is_safe(void **state)
{
    static const unsigned char values[] = {0, 1, 0x10, 0x7F, 0x80, 0xFF};
    uint32_t end = header()->sections[PSS_SECTION_DATA].offset;

    (void)state;
    for (uint32_t i = sizeof(struct pss_block); i < end; i++) {
        unsigned char before = block[i];

        for (size_t j = 0; j < sizeof(values); j++) {
            block[i] = values[j];
            block_adopt_and_use(block, block_size);
        }
        block[i] = before;
    }
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void test_block_with_random_changes_is_safe(void **state)
{
    uint64_t seed = world_seed();
    unsigned char *copy = test_malloc(block_size);

    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint64_t changes = next_random(&seed) % 4 + 1;

        memcpy(copy, block, block_size);
        while (changes--) {
            uint64_t where = next_random(&seed);
            uint32_t range = where & 1 ? (uint32_t)sizeof(struct pss_block) : block_size;

            copy[(where >> 8) % range] = (unsigned char)next_random(&seed);
        }
        block_adopt_and_use(copy, block_size);
    }
    test_free(copy);
}

/* The block with one number changed is refused, and is changed back. */
#define assert_refused(number, value)                           \
    do {                                                        \
        __typeof__(number) before = (number);                   \
        (number) = (value);                                     \
        assert_same(block_adopt_and_use(block, block_size), 0); \
        (number) = before;                                      \
    } while (0)

static void *record(enum pss_section section, uint32_t index)
{
    return (void *)(uintptr_t)pss_block_record(header(), section, index);
}

static void test_block_with_a_wrong_header_is_refused(void **state)
{
    (void)state;
    assert_refused(header()->magic, PSS_BLOCK_MAGIC + 1);
    assert_refused(header()->version, PSS_BLOCK_VERSION + 1);
    assert_refused(header()->size, block_size - 1);
    assert_refused(header()->size, block_size + 1);
    assert_refused(header()->live, 0);
    assert_refused(header()->live, 2);
    assert_refused(header()->context_length, 0);
    assert_refused(header()->context_length, 715);
    assert_refused(header()->context_length, UINT32_MAX);
    assert_refused(header()->context_length, header()->sections[PSS_SECTION_CONTEXTS].stride + 1);
    assert_same(block_adopt_and_use(block, block_size), 1);
}

static void test_block_with_a_wrong_section_is_refused(void **state)
{
    (void)state;
    for (int i = 0; i < PSS_SECTION_COUNT; i++) {
        struct pss_section_entry *section = &header()->sections[i];

        assert_refused(section->offset, 0);
        assert_refused(section->offset, section->offset + 1);
        assert_refused(section->offset, section->offset - PSS_SECTION_ALIGNMENT);
        assert_refused(section->offset, 0xFFFFFFC0);
        assert_refused(section->count, UINT32_MAX);
        assert_refused(section->stride, 0);
        assert_refused(section->stride, section->stride + 1);
        assert_refused(section->stride, UINT32_MAX);
        assert_refused(section->present, 2);
        if (i != PSS_SECTION_DATA && section->count)
            assert_refused(section->present, 0);
    }
    assert_refused(header()->sections[PSS_SECTION_PROCESS].count, 0);
    assert_refused(header()->sections[PSS_SECTION_PERFORMANCE].count, 0);
    assert_refused(header()->sections[PSS_SECTION_TRACE].count, 0);
    assert_refused(header()->sections[PSS_SECTION_CLONE].count, 0);
    assert_refused(header()->sections[PSS_SECTION_CLONE].count, 2);
    assert_same(block_adopt_and_use(block, block_size), 1);
}

static void check_text(struct pss_text *text)
{
    uint32_t total = header()->sections[PSS_SECTION_DATA].count;
    WCHAR *terminator = (WCHAR *)(void *)(block + header()->sections[PSS_SECTION_DATA].offset +
                                          text->offset + text->length);

    assert_true(text->length > 0);
    assert_refused(text->offset, 0);
    assert_refused(text->offset, text->offset + 1);
    assert_refused(text->offset, text->offset + 8);
    assert_refused(text->offset, total & ~15u);
    assert_refused(text->offset, 0xFFFFFFF0);
    assert_refused(text->length, text->length + 1);
    assert_refused(text->length, total - text->offset);
    assert_refused(text->length, 0x10000);
    assert_refused(text->length, 0xFFFFFFFE);
    assert_refused(*terminator, 1);
    assert_refused(*terminator, 0x100);
}

static void test_block_with_a_wrong_text_is_refused(void **state)
{
    struct pss_process_record *process = record(PSS_SECTION_PROCESS, 0);
    struct pss_mapping_record *mapping = record(PSS_SECTION_MAPPINGS, 0);
    struct pss_handle_record *handle = record(PSS_SECTION_HANDLES, 0);
    struct pss_thread_record *thread = record(PSS_SECTION_THREADS, 0);

    (void)state;
    check_text(&process->image_file_name);
    check_text(&mapping->file_name);
    check_text(&handle->type_name);
    check_text(&handle->object_name);
    check_text(&thread->name);
    assert_same(block_adopt_and_use(block, block_size), 1);
}

static void test_block_with_a_wrong_reference_is_refused(void **state)
{
    struct pss_region_record *region = record(PSS_SECTION_REGIONS, 0);
    struct pss_thread_record *thread = record(PSS_SECTION_THREADS, 0);
    struct pss_auxiliary_page_record *page = record(PSS_SECTION_AUXILIARY_PAGES, 0);
    uint32_t total = header()->sections[PSS_SECTION_DATA].count;

    (void)state;
    assert_refused(region->mapping, header()->sections[PSS_SECTION_MAPPINGS].count + 1);
    assert_refused(region->mapping, UINT32_MAX);
    assert_refused(thread->context, header()->sections[PSS_SECTION_CONTEXTS].count + 1);
    assert_refused(thread->context, UINT32_MAX);
    assert_refused(page->contents, page->contents + 1);
    assert_refused(page->contents, (total & ~15u) + 16);
    assert_refused(page->contents, 0xFFFFFFF0);
    assert_refused(page->size, total - page->contents + 1);
    assert_refused(page->size, UINT32_MAX);
    assert_same(block_adopt_and_use(block, block_size), 1);
}

#define block_test(function) cmocka_unit_test_setup_teardown(function, make_block, free_block)

int main(void)
{
    const struct CMUnitTest tests[] = {
        block_test(test_block_as_it_was_is_accepted),
        block_test(test_block_of_another_size_is_refused),
        block_test(test_block_with_any_byte_of_its_table_changed_is_safe),
        block_test(test_block_with_any_number_of_its_table_changed_is_safe),
        block_test(test_block_with_any_byte_of_its_records_changed_is_safe),
        block_test(test_block_with_random_changes_is_safe),
        block_test(test_block_with_a_wrong_header_is_refused),
        block_test(test_block_with_a_wrong_section_is_refused),
        block_test(test_block_with_a_wrong_text_is_refused),
        block_test(test_block_with_a_wrong_reference_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
