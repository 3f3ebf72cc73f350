/* SPDX-License-Identifier: MIT */
/* Round trip: a random model is built, sealed, validated and read back as it was. */
#include "descriptor/descriptor.h"

#include "faulty_nt.h"
#include "harness.h"
#include "random.h"
#include "subject.h"

#define ROUNDS     200
#define MOST       40u     /* records of a section */
#define TEXT_LIMIT 0xFFFCu /* bytes: the longest text that is kept whole */
#define MOST_TEXTS 256u

/* A text as it was given, and where the builder put it. */
struct text_model {
    struct pss_text text;
    uint32_t length; /* bytes that must come back */
    WCHAR *source;   /* owned */
};

#define HANDLE_BITS 0x7FFFFFFCu /* that a handle value may have */

/* What was built; the records are copies of what the builder was told. */
struct model {
    struct pss_builder builder;
    uint32_t counts[PSS_SECTION_COUNT];
    bool is_present[PSS_SECTION_COUNT];
    unsigned char *records[PSS_SECTION_COUNT]; /* owned */
    struct text_model texts[MOST_TEXTS];
    uint32_t text_count;
};

static void fill_randomly(void *bytes, uint32_t size)
{
    unsigned char *to = bytes;

    while (size--)
        *to++ = (unsigned char)random_next();
}

/* Mostly short, now and then as long as texts get, and longer. */
static uint32_t random_length(void)
{
    switch (random_below(50)) {
    case 0:
        return TEXT_LIMIT - 2 + random_below(5);
    case 1:
        return 0x10000 + random_below(0x10000);
    case 2:
        return 0;
    default:
        return random_below(300);
    }
}

static struct pss_text add_text(struct model *model)
{
    struct text_model *added = &model->texts[model->text_count];
    uint32_t length = random_length();

    if (model->text_count == MOST_TEXTS)
        return (struct pss_text){0, 0};
    model->text_count++;
    added->source = malloc(length + 1);
    assert_non_null(added->source);
    fill_randomly(added->source, length);
    added->length = (length < TEXT_LIMIT ? length : TEXT_LIMIT) & ~1u;
    assert_int_equal(
        pss_builder_text(faulty_nt(), &model->builder, added->source, length, &added->text),
        STATUS_SUCCESS);
    return added->text;
}

static uint32_t random_index(const struct model *model, enum pss_section section)
{
    return random_below(model->counts[section] + 1); /* 0 is none */
}

/* Gives the fields with a meaning for other sections a value that holds. */
static void make_consistent(struct model *model, enum pss_section section, void *bytes)
{
    switch (section) {
    case PSS_SECTION_PROCESS:
        ((struct pss_process_record *)bytes)->image_file_name = add_text(model);
        break;
    case PSS_SECTION_AUXILIARY_PAGES: {
        struct pss_auxiliary_page_record *page = bytes;

        page->size = random_below(0x2000);
        assert_int_equal(
            pss_builder_data(faulty_nt(), &model->builder, page->size, &page->contents),
            STATUS_SUCCESS);
        break;
    }
    case PSS_SECTION_REGIONS:
        ((struct pss_region_record *)bytes)->mapping = random_index(model, PSS_SECTION_MAPPINGS);
        break;
    case PSS_SECTION_MAPPINGS:
        ((struct pss_mapping_record *)bytes)->file_name = add_text(model);
        break;
    case PSS_SECTION_HANDLES:
        ((struct pss_handle_record *)bytes)->type_name = add_text(model);
        ((struct pss_handle_record *)bytes)->object_name = add_text(model);
        break;
    case PSS_SECTION_THREADS:
        ((struct pss_thread_record *)bytes)->context = random_index(model, PSS_SECTION_CONTEXTS);
        ((struct pss_thread_record *)bytes)->name = add_text(model);
        break;
    case PSS_SECTION_TRACE: {
        struct pss_trace_record *trace = bytes;

        trace->lent &= HANDLE_BITS;
        trace->kept &= HANDLE_BITS;
        trace->size %= PSS_TRACE_SIZE_LIMIT;
        break;
    }
    case PSS_SECTION_CLONE: {
        struct pss_clone_record *clone = bytes;

        clone->lent &= HANDLE_BITS;
        clone->kept &= HANDLE_BITS;
        clone->job &= HANDLE_BITS;
        break;
    }
    default:
        break;
    }
}

static uint32_t random_count(enum pss_section section)
{
    switch (section) {
    case PSS_SECTION_PROCESS:
        return 1;
    case PSS_SECTION_PERFORMANCE:
    case PSS_SECTION_TRACE:
    case PSS_SECTION_CLONE:
        return random_below(2);
    default:
        return random_below(MOST);
    }
}

static void build_section(struct model *model, enum pss_section section)
{
    uint32_t stride = pss_section_stride(section, model->builder.context_stride);
    uint32_t count = random_count(section);
    void *record;

    model->records[section] = malloc((size_t)count * stride + 1);
    assert_non_null(model->records[section]);
    for (uint32_t i = 0; i < count; i++) {
        unsigned char *copy = model->records[section] + (size_t)i * stride;

        assert_int_equal(pss_builder_append(faulty_nt(), &model->builder, section, &record),
                         STATUS_SUCCESS);
        for (uint32_t j = 0; j < stride; j++)
            assert_same(((unsigned char *)record)[j], 0);
        fill_randomly(copy, stride);
        make_consistent(model, section, copy);
        memcpy(pss_builder_record(&model->builder, section, i), copy, stride);
        assert_same(pss_builder_count(&model->builder, section), i + 1);
    }
    model->counts[section] = count;
    model->is_present[section] = count != 0;
    if (!count && section != PSS_SECTION_PERFORMANCE && section != PSS_SECTION_TRACE &&
        section != PSS_SECTION_CLONE && random_below(2)) {
        pss_builder_begin(&model->builder, section);
        model->is_present[section] = true;
    }
}

static void build(struct model *model)
{
    /* What a record points at comes before it. */
    static const enum pss_section order[] = {
        PSS_SECTION_CONTEXTS,    PSS_SECTION_MAPPINGS,        PSS_SECTION_PROCESS,
        PSS_SECTION_PERFORMANCE, PSS_SECTION_AUXILIARY_PAGES, PSS_SECTION_REGIONS,
        PSS_SECTION_HANDLES,     PSS_SECTION_THREADS,         PSS_SECTION_TRACE,
        PSS_SECTION_CLONE,
    };

    memset(model, 0, sizeof(*model));
    model->builder.capture_flags = (uint32_t)random_next();
    model->builder.context_length = sizeof(CONTEXT) + random_below(2000);
    model->builder.context_stride =
        (model->builder.context_length + PSS_SECTION_ALIGNMENT - 1) & ~(PSS_SECTION_ALIGNMENT - 1);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        build_section(model, order[i]);
}

static void assert_sections_equal(const struct model *model, const struct pss_block *block)
{
    for (int i = 0; i < PSS_SECTION_COUNT; i++) {
        enum pss_section section = (enum pss_section)i;
        uint32_t stride = pss_section_stride(section, model->builder.context_stride);

        if (section == PSS_SECTION_DATA)
            continue;
        assert_same(block->sections[i].count, model->counts[i]);
        assert_same(pss_block_has(block, section), model->is_present[i]);
        assert_same(block->sections[i].stride, stride);
        assert_same(block->sections[i].offset % PSS_SECTION_ALIGNMENT, 0);
        for (uint32_t j = 0; j < model->counts[i]; j++)
            assert_memory_equal(pss_block_record(block, section, j),
                                model->records[i] + (size_t)j * stride, stride);
    }
}

static void assert_texts_equal(const struct model *model, const struct pss_block *block)
{
    for (uint32_t i = 0; i < model->text_count; i++) {
        const struct text_model *expected = &model->texts[i];
        const WCHAR *text = pss_block_data(block, expected->text.offset);

        assert_same(expected->text.length, expected->length);
        if (!expected->length) {
            assert_null(text);
            continue;
        }
        assert_same(expected->text.offset % PSS_DATA_ALIGNMENT, 0);
        assert_memory_equal(text, expected->source, expected->length);
        assert_same(text[expected->length / sizeof(WCHAR)], 0);
    }
}

static void assert_equals_model(const struct model *model, const struct pss_block *block)
{
    assert_same(block->magic, PSS_BLOCK_MAGIC);
    assert_same(block->capture_flags, model->builder.capture_flags);
    assert_same(block->context_length, model->builder.context_length);
    assert_same(block->live, 1);
    assert_same(block->references, 1);
    assert_sections_equal(model, block);
    assert_texts_equal(model, block);
}

/* It may be used wherever it is written. */
static void assert_position_independent(const struct model *model, const struct pss_block *block)
{
    char *copy = VirtualAlloc(NULL, block->size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    assert_non_null(copy);
    memcpy(copy, block, block->size);
    assert_int_equal(pss_block_validate(copy, block->size), STATUS_SUCCESS);
    assert_equals_model(model, (const struct pss_block *)(const void *)copy);
    assert_int_equal(pss_block_validate(copy, block->size - 1), STATUS_INVALID_HANDLE);
    VirtualFree(copy, 0, MEM_RELEASE);
}

static void free_model(struct model *model)
{
    pss_builder_fini(faulty_nt(), &model->builder);
    for (int i = 0; i < PSS_SECTION_COUNT; i++)
        free(model->records[i]);
    for (uint32_t i = 0; i < model->text_count; i++)
        free(model->texts[i].source);
}

static void test_model_comes_back_as_it_was_built(void **state)
{
    static struct model model;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct pss_block *block = NULL;

        build(&model);
        assert_int_equal(pss_builder_seal(faulty_nt(), &model.builder, &block), STATUS_SUCCESS);
        assert_int_equal(pss_block_validate(block, block->size), STATUS_SUCCESS);
        assert_equals_model(&model, block);
        assert_position_independent(&model, block);
        free_model(&model);
        pss_block_release(faulty_nt(), block);
        faulty_assert_clean("a round trip");
    }
}

static void test_seal_without_memory_leaves_builder_and_output(void **state)
{
    static struct model model;
    struct pss_block *const untouched = (struct pss_block *)(void *)&model, *block = untouched;

    (void)state;
    build(&model);
    faulty_reset();
    faulty_fail(1, true, STATUS_COMMITMENT_LIMIT);
    assert_int_equal(pss_builder_seal(faulty_nt(), &model.builder, &block),
                     STATUS_COMMITMENT_LIMIT);
    assert_ptr_equal(block, untouched);
    faulty_reset();
    assert_int_equal(pss_builder_seal(faulty_nt(), &model.builder, &block), STATUS_SUCCESS);
    assert_equals_model(&model, block);
    pss_block_release(faulty_nt(), block);
    free_model(&model);
}

static void test_text_without_memory_stays_untouched(void **state)
{
    struct pss_builder builder = {0};
    struct pss_text text = {7, 8};

    (void)state;
    faulty_reset();
    faulty_fail(1, false, STATUS_NO_MEMORY);
    assert_int_equal(pss_builder_text(faulty_nt(), &builder, L"name", 8, &text), STATUS_NO_MEMORY);
    assert_same(text.offset, 7);
    assert_same(text.length, 8);
    pss_builder_fini(faulty_nt(), &builder);
}

static void test_text_of_one_byte_is_none(void **state)
{
    struct pss_builder builder = {0};
    struct pss_text text = {0, 0};

    (void)state;
    assert_int_equal(pss_builder_text(faulty_nt(), &builder, L"x", 1, &text), STATUS_SUCCESS);
    assert_same(text.offset, 0);
    assert_same(text.length, 0);
    pss_builder_fini(faulty_nt(), &builder);
}

/* Who lets go last frees. */
static void test_block_lives_until_its_last_reference(void **state)
{
    static struct model model;
    struct pss_block *block = NULL;

    (void)state;
    build(&model);
    assert_int_equal(pss_builder_seal(faulty_nt(), &model.builder, &block), STATUS_SUCCESS);
    free_model(&model);
    pss_block_reference(block);
    pss_block_reference(block);
    pss_block_release(faulty_nt(), block);
    pss_block_release(faulty_nt(), block);
    assert_same(faulty_ledger().allocations, 1);
    assert_same(block->references, 1);
    pss_block_release(faulty_nt(), block);
    assert_same(faulty_ledger().allocations, 0);
}

/* Every number of the header and of the section table, each with what does not hold. */
static void test_header_that_does_not_hold_is_refused(void **state)
{
    static struct model model;
    struct pss_block *block = NULL;

    (void)state;
    build(&model);
    assert_int_equal(pss_builder_seal(faulty_nt(), &model.builder, &block), STATUS_SUCCESS);
    uint32_t *words = (uint32_t *)(void *)block, size = block->size;
    for (size_t i = 0; i < sizeof(*block) / sizeof(*words); i++) {
        uint32_t kept = words[i];
        bool is_free = &words[i] == &block->capture_flags || &words[i] == &block->references ||
                       &words[i] == &block->origin || &words[i] == &block->context_length ||
                       (uint32_t *)(void *)&block->instance == &words[i] ||
                       (uint32_t *)(void *)&block->instance + 1 == &words[i];

        words[i] = kept ^ 0x80000001u;
        if (!is_free && NT_SUCCESS(pss_block_validate(block, size)))
            fail_msg("word %u of the header may be anything", (unsigned)i);
        words[i] = kept;
    }
    assert_int_equal(pss_block_validate(block, block->size), STATUS_SUCCESS);
    pss_block_release(faulty_nt(), block);
    free_model(&model);
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

#define DESCRIPTOR_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DESCRIPTOR_TEST(test_model_comes_back_as_it_was_built),
        DESCRIPTOR_TEST(test_seal_without_memory_leaves_builder_and_output),
        DESCRIPTOR_TEST(test_text_without_memory_stays_untouched),
        DESCRIPTOR_TEST(test_text_of_one_byte_is_none),
        DESCRIPTOR_TEST(test_block_lives_until_its_last_reference),
        DESCRIPTOR_TEST(test_header_that_does_not_hold_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
