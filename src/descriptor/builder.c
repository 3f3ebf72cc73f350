/* SPDX-License-Identifier: MIT */
/* Builds a block: appends to one region per section, then lays them out side by side. */
#include "descriptor/descriptor.h"

#include "base/low.h"

#include <string.h>

uint32_t pss_section_stride(enum pss_section section, uint32_t context_stride)
{
    static const uint16_t strides[PSS_SECTION_COUNT] = {
        [PSS_SECTION_PROCESS] = sizeof(struct pss_process_record),
        [PSS_SECTION_PERFORMANCE] = sizeof(struct pss_performance_record),
        [PSS_SECTION_AUXILIARY_PAGES] = sizeof(struct pss_auxiliary_page_record),
        [PSS_SECTION_REGIONS] = sizeof(struct pss_region_record),
        [PSS_SECTION_MAPPINGS] = sizeof(struct pss_mapping_record),
        [PSS_SECTION_HANDLES] = sizeof(struct pss_handle_record),
        [PSS_SECTION_THREADS] = sizeof(struct pss_thread_record),
        [PSS_SECTION_TRACE] = sizeof(struct pss_trace_record),
        [PSS_SECTION_CLONE] = sizeof(struct pss_clone_record),
        [PSS_SECTION_DATA] = 1,
    };

    return section == PSS_SECTION_CONTEXTS ? context_stride : strides[section];
}

void pss_builder_begin(struct pss_builder *builder, enum pss_section section)
{
    builder->present |= 1u << section;
}

NTSTATUS pss_builder_append(const struct pss_nt *nt, struct pss_builder *builder,
                            enum pss_section section, void *record)
{
    struct pss_region *region = &builder->sections[section];
    uint32_t stride = pss_section_stride(section, builder->context_stride);
    uint32_t offset;
    NTSTATUS status = pss_region_append(nt, region, stride, 1, &offset);

    if (!NT_SUCCESS(status))
        return status;
    pss_builder_begin(builder, section);
    *(void **)record = pss_region_at(region, offset);
    return STATUS_SUCCESS;
}

uint32_t pss_builder_count(const struct pss_builder *builder, enum pss_section section)
{
    uint32_t stride = pss_section_stride(section, builder->context_stride);

    return stride ? builder->sections[section].size / stride : 0;
}

void *pss_builder_record(const struct pss_builder *builder, enum pss_section section,
                         uint32_t index)
{
    return pss_region_at(&builder->sections[section],
                         index * pss_section_stride(section, builder->context_stride));
}

NTSTATUS pss_builder_data(const struct pss_nt *nt, struct pss_builder *builder, uint32_t size,
                          uint32_t *offset)
{
    struct pss_region *region = &builder->sections[PSS_SECTION_DATA];
    NTSTATUS status = STATUS_SUCCESS;
    uint32_t unused;

    if (!region->size) /* Offset 0 means nothing: keep it free. */
        status = pss_region_append(nt, region, PSS_DATA_ALIGNMENT, 1, &unused);
    if (NT_SUCCESS(status))
        status = pss_region_append(nt, region, size, PSS_DATA_ALIGNMENT, offset);
    return status;
}

NTSTATUS pss_builder_text(const struct pss_nt *nt, struct pss_builder *builder, const WCHAR *source,
                          SIZE_T length, struct pss_text *text)
{
    uint32_t size = (uint32_t)(length < PSS_TEXT_LIMIT ? length : PSS_TEXT_LIMIT) & ~1u;
    uint32_t offset;
    NTSTATUS status;

    if (!size)
        return STATUS_SUCCESS;
    status = pss_builder_data(nt, builder, size + (uint32_t)sizeof(WCHAR), &offset);
    if (!NT_SUCCESS(status))
        return status;
    memcpy(pss_region_at(&builder->sections[PSS_SECTION_DATA], offset), source, size);
    text->offset = offset;
    text->length = size;
    return STATUS_SUCCESS;
}

/* Gives each section its place; answers the bytes of the whole block. */
static uint64_t lay_out(const struct pss_builder *builder, struct pss_block *header)
{
    uint64_t end = sizeof(*header);

    for (int i = 0; i < PSS_SECTION_COUNT; i++) {
        struct pss_section_entry *entry = &header->sections[i];

        end = (end + PSS_SECTION_ALIGNMENT - 1) & ~(uint64_t)(PSS_SECTION_ALIGNMENT - 1);
        entry->offset = (uint32_t)end; /* past 4 GiB the block is refused below */
        entry->count = pss_builder_count(builder, (enum pss_section)i);
        entry->stride = pss_section_stride((enum pss_section)i, builder->context_stride);
        entry->present = builder->present >> i & 1;
        end += builder->sections[i].size;
        if (i == PSS_SECTION_CONTEXTS && entry->count)
            end += PSS_CONTEXT_SLACK;
    }
    return end;
}

NTSTATUS pss_builder_seal(const struct pss_nt *nt, const struct pss_builder *builder,
                          struct pss_block **block)
{
    struct pss_block header = {
        .magic = PSS_BLOCK_MAGIC,
        .version = PSS_BLOCK_VERSION,
        .capture_flags = builder->capture_flags,
        .context_length = builder->context_length,
        .live = 1,
        .references = 1,
    };
    uint64_t end = lay_out(builder, &header);
    void *base;
    NTSTATUS status;

    if (end > UINT32_MAX)
        return STATUS_NO_MEMORY;
    header.size = (uint32_t)end;
    status = pss_low_allocate(nt, PSS_CURRENT_PROCESS, header.size, &base);
    if (!NT_SUCCESS(status))
        return status;
    memcpy(base, &header, sizeof(header));
    for (int i = 0; i < PSS_SECTION_COUNT; i++)
        if (builder->sections[i].size)
            memcpy((char *)base + header.sections[i].offset, builder->sections[i].base,
                   builder->sections[i].size);
    *block = base;
    return STATUS_SUCCESS;
}

void pss_builder_fini(const struct pss_nt *nt, struct pss_builder *builder)
{
    for (int i = 0; i < PSS_SECTION_COUNT; i++)
        pss_region_free(nt, &builder->sections[i]);
    memset(builder, 0, sizeof(*builder));
}
