/* SPDX-License-Identifier: MIT */
/* Mends a block: the section table from its start to its end, then the records of each section. */
#include "block_mend.h"

#define SMALLEST_CONTEXT  716u
#define LONGEST_CONTEXT   0xFFFFu
#define LONGEST_TEXT      0xFFFCu
#define LARGEST_HANDLE    0x7FFFFFFCu
#define STRIDE_OF_CONTEXT 0x4D0u /* what a broken one becomes: bytes, 64 bits, rounded up */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t align_up(uint32_t offset)
{
    return (offset + PSS_SECTION_ALIGNMENT - 1) & ~(PSS_SECTION_ALIGNMENT - 1);
}

static int is_single(uint32_t section)
{
    return section == PSS_SECTION_PERFORMANCE || section == PSS_SECTION_TRACE ||
           section == PSS_SECTION_CLONE;
}

static uint32_t mend_stride(uint32_t section, uint32_t stride)
{
    if (section != PSS_SECTION_CONTEXTS)
        return pss_section_stride((enum pss_section)section, 0);
    if (stride % PSS_SECTION_ALIGNMENT || stride > LONGEST_CONTEXT + 1)
        return align_up(STRIDE_OF_CONTEXT);
    return stride;
}

/* Records of a section that has this much room. */
static uint32_t mend_count(uint32_t section, const struct pss_section_entry *entry, uint32_t room)
{
    uint32_t slack = section == PSS_SECTION_CONTEXTS ? PSS_CONTEXT_SLACK : 0, most = 0;

    if (entry->stride && room > slack)
        most = (room - slack) / entry->stride;
    if (section == PSS_SECTION_CONTEXTS && entry->stride < SMALLEST_CONTEXT)
        most = 0;
    if (section == PSS_SECTION_PROCESS)
        return 1;
    if (is_single(section))
        return least(entry->present, most);
    return least(entry->count, most);
}

/* The process record always fits; whatever comes behind it has the room that is left. */
static void mend_layout(struct pss_block *block, uint32_t size)
{
    uint32_t end = align_up(sizeof(*block));

    size &= ~(PSS_SECTION_ALIGNMENT - 1); /* so that a section that is full ends aligned */
    for (uint32_t i = 0; i < PSS_SECTION_COUNT; i++) {
        struct pss_section_entry *entry = &block->sections[i];

        if (entry->offset < end || entry->offset % PSS_SECTION_ALIGNMENT || entry->offset > size ||
            i == PSS_SECTION_PROCESS)
            entry->offset = end;
        entry->present &= 1;
        entry->stride = mend_stride(i, entry->stride);
        entry->count = mend_count(i, entry, size - entry->offset);
        if (i != PSS_SECTION_DATA && (entry->count || is_single(i)))
            entry->present = entry->count != 0;
        end = entry->offset + entry->count * entry->stride;
        if (i == PSS_SECTION_CONTEXTS && entry->count)
            end += PSS_CONTEXT_SLACK;
        end = align_up(end);
    }
}

static void mend_contexts(struct pss_block *block)
{
    const struct pss_section_entry *entry = &block->sections[PSS_SECTION_CONTEXTS];

    block->context_length = least(block->context_length, least(LONGEST_CONTEXT, entry->stride));
    if (entry->count && block->context_length < SMALLEST_CONTEXT)
        block->context_length = SMALLEST_CONTEXT;
}

static void mend_text(struct pss_block *block, struct pss_text *text)
{
    const struct pss_section_entry *data = &block->sections[PSS_SECTION_DATA];
    char *end;

    text->offset &= ~(PSS_DATA_ALIGNMENT - 1);
    if (!text->offset || data->count < sizeof(WCHAR) ||
        text->offset > data->count - sizeof(WCHAR)) {
        *text = (struct pss_text){0, 0};
        return;
    }
    text->length = least(text->length, data->count - text->offset - (uint32_t)sizeof(WCHAR));
    text->length = least(text->length, LONGEST_TEXT) & ~1u;
    end = (char *)block + data->offset + text->offset + text->length;
    end[0] = 0;
    end[1] = 0;
}

static void mend_index(const struct pss_block *block, enum pss_section section, uint32_t *index)
{
    *index %= block->sections[section].count + 1;
}

static void mend_page(struct pss_block *block, struct pss_auxiliary_page_record *record)
{
    uint32_t total = block->sections[PSS_SECTION_DATA].count;

    record->contents &= ~(PSS_DATA_ALIGNMENT - 1);
    if (record->contents > total)
        record->contents = 0;
    if (record->contents)
        record->size = least(record->size, total - record->contents);
}

static void mend_handle_value(uint64_t *value)
{
    *value &= LARGEST_HANDLE;
}

static void mend_owned(void *record, enum pss_section section)
{
    struct pss_clone_record *clone = record;
    struct pss_trace_record *trace = record;

    if (section == PSS_SECTION_CLONE) {
        mend_handle_value(&clone->lent);
        mend_handle_value(&clone->kept);
        mend_handle_value(&clone->job);
    } else {
        mend_handle_value(&trace->lent);
        mend_handle_value(&trace->kept);
        if (trace->size > PSS_TRACE_SIZE_LIMIT)
            trace->size %= PSS_TRACE_SIZE_LIMIT;
    }
}

static void mend_record(struct pss_block *block, enum pss_section section, void *record)
{
    switch (section) {
    case PSS_SECTION_PROCESS:
        mend_text(block, &((struct pss_process_record *)record)->image_file_name);
        break;
    case PSS_SECTION_AUXILIARY_PAGES:
        mend_page(block, record);
        break;
    case PSS_SECTION_REGIONS:
        mend_index(block, PSS_SECTION_MAPPINGS, &((struct pss_region_record *)record)->mapping);
        break;
    case PSS_SECTION_MAPPINGS:
        mend_text(block, &((struct pss_mapping_record *)record)->file_name);
        break;
    case PSS_SECTION_HANDLES:
        mend_text(block, &((struct pss_handle_record *)record)->type_name);
        mend_text(block, &((struct pss_handle_record *)record)->object_name);
        break;
    case PSS_SECTION_THREADS:
        mend_index(block, PSS_SECTION_CONTEXTS, &((struct pss_thread_record *)record)->context);
        mend_text(block, &((struct pss_thread_record *)record)->name);
        break;
    case PSS_SECTION_TRACE:
    case PSS_SECTION_CLONE:
        mend_owned(record, section);
        break;
    default:
        break;
    }
}

void block_mend(void *bytes, uint32_t size)
{
    struct pss_block *block = bytes;

    block->magic = PSS_BLOCK_MAGIC;
    block->version = PSS_BLOCK_VERSION;
    block->size = size;
    block->live = 1;
    mend_layout(block, size);
    mend_contexts(block);
    for (uint32_t i = 0; i < PSS_SECTION_COUNT; i++)
        for (uint32_t j = 0; i != PSS_SECTION_DATA && j < block->sections[i].count; j++)
            mend_record(block, (enum pss_section)i,
                        (char *)block + block->sections[i].offset +
                            (size_t)j * block->sections[i].stride);
}
