/* SPDX-License-Identifier: MIT */
/* Section information: the file behind each mapped allocation, and the PE header of images. */
#include "base/unicode.h"
#include "capture/capture.h"

#include <string.h>

#define HEADER_SIZE 0x1000u /* bytes read at the base of an image: one page */
#define PAGE_BYTES  0x1000u

/* What is known of an allocation before its name is asked for. */
struct mapped {
    const struct pss_region_record *first; /* of its regions */
    uint64_t end;                          /* the first byte behind it */
    int is_followed;                       /* by another mapping */
    int is_mixed; /* of regions of two types: it changed while they were listed */
};

/* Whether the whole range is committed and may be read: a read that succeeds does not tell. */
static int is_readable(const struct pss_region_record *region, uint64_t offset, uint64_t size)
{
    if (region->state != MEM_COMMIT || region->protect & (PAGE_NOACCESS | PAGE_GUARD))
        return 0;
    return offset < region->size && size <= region->size - offset;
}

/* Reads from the first region of an image; answers whether all bytes came. */
static int read_image(const struct pss_capture *capture, const struct pss_region_record *region,
                      uint64_t offset, void *buffer, SIZE_T size)
{
    SIZE_T read = 0;
    const void *address = (const void *)(ULONG_PTR)(region->base + offset);

    if (!is_readable(region, offset, size))
        return 0;
    return NT_SUCCESS(capture->nt->read_memory(capture->process, address, buffer, size, &read)) &&
           read == size;
}

/* The fields have the same places in both kinds but for the base. source: winnt.h */
static void record_header(const IMAGE_NT_HEADERS64 *header, struct pss_mapping_record *mapping)
{
    const IMAGE_NT_HEADERS32 *header32 = (const void *)header;

    switch (header->OptionalHeader.Magic) {
    case IMAGE_NT_OPTIONAL_HDR64_MAGIC:
        mapping->image_base = header->OptionalHeader.ImageBase;
        mapping->size_of_image = header->OptionalHeader.SizeOfImage;
        mapping->check_sum = header->OptionalHeader.CheckSum;
        break;
    case IMAGE_NT_OPTIONAL_HDR32_MAGIC:
        mapping->image_base = header32->OptionalHeader.ImageBase;
        mapping->size_of_image = header32->OptionalHeader.SizeOfImage;
        mapping->check_sum = header32->OptionalHeader.CheckSum;
        break;
    default:
        return;
    }
    mapping->time_date_stamp = header->FileHeader.TimeDateStamp;
}

/* Unreadable or nonsensical headers leave zeros. */
static void read_header(const struct pss_capture *capture, const struct pss_region_record *region,
                        struct pss_mapping_record *mapping)
{
    const char *page = capture->scratch.base;
    const IMAGE_DOS_HEADER *dos = (const void *)page;
    IMAGE_NT_HEADERS64 header;
    ULONG offset;

    if (!read_image(capture, region, 0, capture->scratch.base, HEADER_SIZE) ||
        dos->e_magic != IMAGE_DOS_SIGNATURE || (LONG)dos->e_lfanew < 0)
        return;
    offset = (ULONG)dos->e_lfanew;
    if (offset <= HEADER_SIZE - sizeof(header))
        memcpy(&header, page + offset, sizeof(header));
    else if (!read_image(capture, region, offset, &header, sizeof(header)))
        return;
    if (header.Signature == IMAGE_NT_SIGNATURE)
        record_header(&header, mapping);
}

static struct pss_region_record *region_at(const struct pss_capture *capture, uint32_t index)
{
    return pss_builder_record(&capture->builder, PSS_SECTION_REGIONS, index);
}

static int is_mapped(const struct pss_region_record *region)
{
    return region->state != MEM_FREE && (region->type == MEM_IMAGE || region->type == MEM_MAPPED);
}

/* The first region of an allocation makes its mapping, the others share it. */
NTSTATUS pss_mappings_capture(struct pss_capture *capture)
{
    uint32_t count = pss_builder_count(&capture->builder, PSS_SECTION_REGIONS);
    struct pss_mapping_record *mapping;

    pss_builder_begin(&capture->builder, PSS_SECTION_MAPPINGS);
    for (uint32_t i = 0; i < count; i++) {
        struct pss_region_record *region = region_at(capture, i);
        const struct pss_region_record *before = i ? region_at(capture, i - 1) : NULL;
        NTSTATUS status;

        if (!is_mapped(region))
            continue;
        if (before && before->mapping && before->allocation_base == region->allocation_base) {
            region->mapping = before->mapping;
            continue;
        }
        status = pss_builder_append(capture->nt, &capture->builder, PSS_SECTION_MAPPINGS, &mapping);
        if (!NT_SUCCESS(status))
            return status;
        region->mapping = pss_builder_count(&capture->builder, PSS_SECTION_MAPPINGS);
        pss_freeze_step(capture);
        if (region->type == MEM_IMAGE)
            read_header(capture, region, mapping);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS query_name(const struct pss_capture *capture, uint64_t address)
{
    return capture->nt->query_memory(capture->process, (void *)(ULONG_PTR)address,
                                     PSS_NT_MEMORY_MAPPED_FILE_NAME, capture->scratch.base,
                                     PSS_SCRATCH_SIZE, NULL);
}

/* Whether the file at an address has the name; a name that was cut is compared as far as it goes.
 */
static NTSTATUS compare_name(const struct pss_capture *capture, uint64_t address,
                             const struct pss_text *text, int *is_equal)
{
    const UNICODE_STRING *name = capture->scratch.base;
    const void *kept = pss_region_at(&capture->builder.sections[PSS_SECTION_DATA], text->offset);
    NTSTATUS status = query_name(capture, address);
    SIZE_T length;

    *is_equal = 0;
    if (!NT_SUCCESS(status))
        return pss_status_soften(status); /* There is no such file: another name. */
    length = pss_unicode_length(name, PSS_SCRATCH_SIZE);
    if (length > PSS_TEXT_LIMIT)
        length = PSS_TEXT_LIMIT;
    *is_equal = length == text->length && !memcmp(name->Buffer, kept, length);
    return STATUS_SUCCESS;
}

/* Whether an image still has the header that was recorded. */
static int has_header(const struct pss_capture *capture, const struct mapped *mapped,
                      const struct pss_mapping_record *mapping)
{
    struct pss_mapping_record now = {0};

    if (mapped->first->type == MEM_IMAGE)
        read_header(capture, mapped->first, &now);
    return now.image_base == mapping->image_base && now.size_of_image == mapping->size_of_image &&
           now.check_sum == mapping->check_sum && now.time_date_stamp == mapping->time_date_stamp;
}

/* Whether the header tells that the file fills the allocation. */
static int is_size_told(const struct mapped *mapped, const struct pss_mapping_record *mapping)
{
    uint64_t size =
        ((uint64_t)mapping->size_of_image + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);

    return size == mapped->end - mapped->first->allocation_base;
}

/*
 * The name is asked for after the target runs again, and something else may be mapped there by
 * then. It counts if before and after another look at the header the same file is named: at both
 * ends of the allocation and, where no header tells its size, not behind it.
 */
static NTSTATUS check_name(const struct pss_capture *capture, const struct mapped *mapped,
                           const struct pss_mapping_record *mapping, int *is_right)
{
    const struct pss_text *name = &mapping->file_name;
    int is_longer = 0;
    NTSTATUS status;

    *is_right = !mapped->is_mixed && has_header(capture, mapped, mapping);
    if (!*is_right)
        return STATUS_SUCCESS;
    status = compare_name(capture, mapped->end - 1, name, is_right);
    if (NT_SUCCESS(status) && *is_right && !mapped->is_followed && !is_size_told(mapped, mapping))
        status = compare_name(capture, mapped->end, name, &is_longer);
    *is_right = *is_right && !is_longer;
    return status;
}

static NTSTATUS name_mapping(struct pss_capture *capture, const struct mapped *mapped)
{
    const UNICODE_STRING *name = capture->scratch.base;
    struct pss_mapping_record *mapping =
        pss_builder_record(&capture->builder, PSS_SECTION_MAPPINGS, mapped->first->mapping - 1);
    NTSTATUS status = query_name(capture, mapped->first->base);
    int is_right;

    if (!NT_SUCCESS(status))
        return pss_status_soften(status); /* A pagefile section has no name. */
    status = pss_builder_text(capture->nt, &capture->builder, name->Buffer,
                              pss_unicode_length(name, PSS_SCRATCH_SIZE), &mapping->file_name);
    if (!NT_SUCCESS(status) || !mapping->file_name.offset)
        return status;
    status = check_name(capture, mapped, mapping, &is_right);
    if (!is_right)
        mapping->file_name = (struct pss_text){0};
    return status;
}

/* Answers the index behind the regions of an allocation. */
static uint32_t find_end(const struct pss_capture *capture, uint32_t index, struct mapped *mapped)
{
    uint32_t count = pss_builder_count(&capture->builder, PSS_SECTION_REGIONS);
    uint32_t mapping = region_at(capture, index)->mapping;

    mapped->first = region_at(capture, index);
    mapped->is_mixed = 0;
    for (; index < count && region_at(capture, index)->mapping == mapping; index++)
        mapped->is_mixed |= region_at(capture, index)->type != mapped->first->type;
    mapped->end = region_at(capture, index - 1)->base + region_at(capture, index - 1)->size;
    mapped->is_followed = index < count && region_at(capture, index)->mapping;
    return index;
}

NTSTATUS pss_mappings_name(struct pss_capture *capture)
{
    uint32_t count = pss_builder_count(&capture->builder, PSS_SECTION_REGIONS);
    NTSTATUS status = STATUS_SUCCESS;
    uint32_t index = 0;

    while (index < count && NT_SUCCESS(status)) {
        struct mapped mapped;

        if (!region_at(capture, index)->mapping) {
            index++;
            continue;
        }
        index = find_end(capture, index, &mapped);
        status = name_mapping(capture, &mapped);
    }
    return status;
}
