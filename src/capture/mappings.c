/* SPDX-License-Identifier: MIT */
/* Section information: the file behind each mapped allocation, and the PE header of images. */
#include "base/unicode.h"
#include "capture/capture.h"

#include <string.h>

#define HEADER_SIZE 0x1000u /* bytes read at the base of an image: one page */

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
        if (region->type == MEM_IMAGE)
            read_header(capture, region, mapping);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS name_mapping(struct pss_capture *capture, const struct pss_region_record *region)
{
    const UNICODE_STRING *name = capture->scratch.base;
    struct pss_mapping_record *mapping =
        pss_builder_record(&capture->builder, PSS_SECTION_MAPPINGS, region->mapping - 1);
    NTSTATUS status = capture->nt->query_memory(capture->process, (void *)(ULONG_PTR)region->base,
                                                PSS_NT_MEMORY_MAPPED_FILE_NAME,
                                                capture->scratch.base, PSS_SCRATCH_SIZE, NULL);

    if (!NT_SUCCESS(status))
        return pss_status_soften(status); /* A pagefile section has no name. */
    return pss_builder_text(capture->nt, &capture->builder, name->Buffer,
                            pss_unicode_length(name, PSS_SCRATCH_SIZE), &mapping->file_name);
}

NTSTATUS pss_mappings_name(struct pss_capture *capture)
{
    uint32_t count = pss_builder_count(&capture->builder, PSS_SECTION_REGIONS);
    uint32_t named = 0;
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0; i < count && NT_SUCCESS(status); i++) {
        const struct pss_region_record *region = region_at(capture, i);

        if (region->mapping > named) {
            named = region->mapping;
            status = name_mapping(capture, region);
        }
    }
    return status;
}
