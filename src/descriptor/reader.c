/* SPDX-License-Identifier: MIT */
/* Reads a block: what must hold before one from elsewhere may be used, and how long one lives. */
#include "descriptor/descriptor.h"

#include <string.h>

/* The header and the section table: everything within the block, in order, without overlap. */
static int is_layout_sound(const struct pss_block *block, SIZE_T size)
{
    uint64_t end = sizeof(*block);
    uint32_t context_stride = block->sections[PSS_SECTION_CONTEXTS].stride;

    if (block->magic != PSS_BLOCK_MAGIC || block->version != PSS_BLOCK_VERSION ||
        block->size != size || block->live != 1)
        return 0;
    for (int i = 0; i < PSS_SECTION_COUNT; i++) {
        const struct pss_section_entry *entry = &block->sections[i];

        if (entry->offset < end || entry->offset % PSS_SECTION_ALIGNMENT || entry->present > 1 ||
            entry->stride != pss_section_stride((enum pss_section)i, context_stride))
            return 0;
        end = entry->offset + (uint64_t)entry->count * entry->stride;
        if (i == PSS_SECTION_CONTEXTS && entry->count)
            end += PSS_CONTEXT_SLACK;
        if (end > size || (entry->count && !entry->present && i != PSS_SECTION_DATA))
            return 0;
    }
    return 1;
}

#define SMALLEST_CONTEXT 716u /* bytes; the x86 one. A client copies a whole CONTEXT. */

static int are_contexts_sound(const struct pss_block *block)
{
    const struct pss_section_entry *contexts = &block->sections[PSS_SECTION_CONTEXTS];

    if (contexts->count && block->context_length < SMALLEST_CONTEXT)
        return 0;
    return block->context_length <= UINT16_MAX && block->context_length <= contexts->stride &&
           contexts->stride <= UINT16_MAX + PSS_SECTION_ALIGNMENT &&
           contexts->stride % PSS_SECTION_ALIGNMENT == 0;
}

/* A query reads the only record of these if they are present at all. */
static int is_single(const struct pss_section_entry *entry)
{
    return entry->count == entry->present;
}

/* The promises between sections that a query or a walk relies on. */
static int is_content_consistent(const struct pss_block *block)
{
    const struct pss_section_entry *sections = block->sections;

    return sections[PSS_SECTION_PROCESS].count == 1 &&
           is_single(&sections[PSS_SECTION_PERFORMANCE]) &&
           is_single(&sections[PSS_SECTION_TRACE]) && is_single(&sections[PSS_SECTION_CLONE]) &&
           are_contexts_sound(block);
}

static int is_data_sound(const struct pss_block *block, uint32_t offset, uint32_t size)
{
    uint32_t total = block->sections[PSS_SECTION_DATA].count;

    return offset % PSS_DATA_ALIGNMENT == 0 && offset <= total && size <= total - offset;
}

static int is_text_sound(const struct pss_block *block, struct pss_text text)
{
    const char *start;

    if (!text.offset)
        return !text.length;
    if (text.length % sizeof(WCHAR) || text.length > UINT16_MAX ||
        !is_data_sound(block, text.offset, text.length + (uint32_t)sizeof(WCHAR)))
        return 0;
    start = pss_block_data(block, text.offset);
    return start[text.length] == 0 && start[text.length + 1] == 0;
}

static int is_index_sound(const struct pss_block *block, enum pss_section section, uint32_t index)
{
    return index <= block->sections[section].count; /* it counts from 1, 0 is none */
}

/* Handle values are multiples of 4, and the same in 32 bits; a pseudo handle would be the reader.
 */
static int is_handle_value(uint64_t value)
{
    return value < 0x80000000u && value % 4 == 0;
}

static int is_trace_sound(const struct pss_block *block, const void *bytes)
{
    const struct pss_trace_record *record = bytes;

    (void)block;
    return is_handle_value(record->lent) && is_handle_value(record->kept) &&
           record->size <= PSS_TRACE_SIZE_LIMIT;
}

static int is_clone_sound(const struct pss_block *block, const void *bytes)
{
    const struct pss_clone_record *record = bytes;

    (void)block;
    return is_handle_value(record->lent) && is_handle_value(record->kept) &&
           is_handle_value(record->job);
}

static int is_process_sound(const struct pss_block *block, const void *bytes)
{
    const struct pss_process_record *record = bytes;

    return is_text_sound(block, record->image_file_name);
}

static int is_page_sound(const struct pss_block *block, const void *bytes)
{
    const struct pss_auxiliary_page_record *record = bytes;

    return !record->contents || is_data_sound(block, record->contents, record->size);
}

static int is_region_sound(const struct pss_block *block, const void *bytes)
{
    const struct pss_region_record *record = bytes;

    return is_index_sound(block, PSS_SECTION_MAPPINGS, record->mapping);
}

static int is_mapping_sound(const struct pss_block *block, const void *bytes)
{
    const struct pss_mapping_record *record = bytes;

    return is_text_sound(block, record->file_name);
}

static int is_handle_sound(const struct pss_block *block, const void *bytes)
{
    const struct pss_handle_record *record = bytes;

    return is_text_sound(block, record->type_name) && is_text_sound(block, record->object_name);
}

static int is_thread_sound(const struct pss_block *block, const void *bytes)
{
    const struct pss_thread_record *record = bytes;

    return is_index_sound(block, PSS_SECTION_CONTEXTS, record->context) &&
           is_text_sound(block, record->name);
}

NTSTATUS pss_block_validate(const void *bytes, SIZE_T size)
{
    static int (*const checks[PSS_SECTION_COUNT])(const struct pss_block *, const void *) = {
        [PSS_SECTION_PROCESS] = is_process_sound, [PSS_SECTION_AUXILIARY_PAGES] = is_page_sound,
        [PSS_SECTION_REGIONS] = is_region_sound,  [PSS_SECTION_MAPPINGS] = is_mapping_sound,
        [PSS_SECTION_HANDLES] = is_handle_sound,  [PSS_SECTION_THREADS] = is_thread_sound,
        [PSS_SECTION_TRACE] = is_trace_sound,     [PSS_SECTION_CLONE] = is_clone_sound,
    };
    const struct pss_block *block = bytes;

    if (size < sizeof(*block) || !is_layout_sound(block, size) || !is_content_consistent(block))
        return STATUS_INVALID_HANDLE;
    for (int i = 0; i < PSS_SECTION_COUNT; i++)
        for (uint32_t j = 0; checks[i] && j < block->sections[i].count; j++)
            if (!checks[i](block, pss_block_record(block, (enum pss_section)i, j)))
                return STATUS_INVALID_HANDLE;
    return STATUS_SUCCESS;
}

void pss_block_reference(struct pss_block *block)
{
    __atomic_add_fetch(&block->references, 1, __ATOMIC_RELAXED);
}

void pss_block_release(const struct pss_nt *nt, struct pss_block *block)
{
    void *base = block;
    SIZE_T whole = 0;

    if (__atomic_sub_fetch(&block->references, 1, __ATOMIC_ACQ_REL) == 0)
        nt->free_memory(PSS_CURRENT_PROCESS, &base, &whole, MEM_RELEASE);
}
