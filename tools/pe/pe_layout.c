/* SPDX-License-Identifier: MIT */
/* Where one more section of a PE file goes: its header, its bytes, and its place in memory. */
#include "pe_layout.h"

#define LOADER_SECTIONS 96u /* as many as all loaders of Windows take */

uint64_t pe_align(uint64_t value, uint32_t alignment)
{
    return (value + alignment - 1) & ~(uint64_t)(alignment - 1);
}

static int is_power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/** Sections follow each other in memory without gaps up to the end of the image. */
static int has_loadable_sections(const struct pe_file *file)
{
    uint64_t end = pe_align(file->header_size, file->section_alignment);

    for (uint32_t i = 0; i < file->section_count; i++) {
        const struct pe_section *section = &file->sections[i];
        uint32_t size = section->memory_size != 0 ? section->memory_size : section->file_size;

        if (section->rva % file->section_alignment != 0 || size == 0)
            return 0;
        if (i == 0 ? section->rva < end : section->rva != end)
            return 0;
        end = pe_align((uint64_t)section->rva + size, file->section_alignment);
    }
    return end == pe_align(file->image_size, file->section_alignment);
}

/** No two sections, nor one and the headers, have bytes of the file in common. */
static int has_separate_bytes(const struct pe_file *file)
{
    for (uint32_t i = 0; i < file->section_count; i++) {
        const struct pe_section *a = &file->sections[i];

        if (a->file_size == 0)
            continue;
        if (a->offset < file->header_size || a->offset % file->file_alignment != 0)
            return 0;
        for (uint32_t j = 0; j < i; j++) {
            const struct pe_section *b = &file->sections[j];

            if (b->file_size != 0 && a->offset < b->offset + b->file_size &&
                b->offset < a->offset + a->file_size)
                return 0;
        }
    }
    return 1;
}

static int is_usual(const struct pe_file *file)
{
    return file->section_count > 0 && is_power_of_two(file->section_alignment) &&
           is_power_of_two(file->file_alignment) && file->section_alignment >= PE_PAGE &&
           file->file_alignment >= PE_SECTOR && file->file_alignment <= file->section_alignment &&
           file->header_size >= file->section_table && file->header_size <= file->size &&
           has_loadable_sections(file) && has_separate_bytes(file);
}

/** The end of the old sections' bytes, and the start of the first ones. */
static void find_data(const struct pe_file *file, uint32_t *start, uint32_t *end)
{
    *start = UINT32_MAX;
    *end = file->header_size;
    for (uint32_t i = 0; i < file->section_count; i++) {
        const struct pe_section *section = &file->sections[i];

        if (section->file_size == 0)
            continue;
        if (section->offset < *start)
            *start = section->offset;
        if (section->offset + section->file_size > *end)
            *end = section->offset + section->file_size;
    }
    if (*start == UINT32_MAX)
        *start = *end;
}

/** The room may hold zeros, or data of bound imports, which are void anyway. */
static int is_free(const struct pe_file *file, uint32_t offset, uint32_t end)
{
    struct pe_span bound = pe_directory(file, PE_DIRECTORY_BOUND_IMPORTS);

    for (uint32_t i = offset; i < end; i++)
        if (file->bytes[i] != 0 && (i < bound.rva || i - bound.rva >= bound.size))
            return 0;
    return 1;
}

/** One more section header; the headers grow as far as memory goes, and the sections' bytes make
 * room in the file. */
static int find_header_room(const struct pe_file *file, struct pe_layout *layout)
{
    uint32_t offset = file->section_table + file->section_count * PE_SECTION_HEADER_SIZE;
    uint32_t end = offset + PE_SECTION_HEADER_SIZE, start = layout->data_start;

    if (file->section_count >= LOADER_SECTIONS || offset > start ||
        !is_free(file, offset, end < start ? end : start))
        return 0;
    layout->section_header = offset;
    if (end > start)
        layout->data_growth = (uint32_t)pe_align(end - start, file->file_alignment);
    layout->header_size = file->header_size;
    if (end > file->header_size)
        layout->header_size = (uint32_t)pe_align(end, file->file_alignment);
    return layout->header_size <= file->sections[0].rva;
}

/** A signature covers all bytes of a file and so is void. */
static void find_certificates(const struct pe_file *file, struct pe_layout *layout)
{
    struct pe_span place = pe_directory(file, PE_DIRECTORY_CERTIFICATES);

    layout->certificates = 0;
    layout->certificates_size = 0;
    if (place.rva < layout->data_end || place.rva > file->size ||
        place.size > file->size - place.rva)
        return;
    layout->certificates = place.rva;
    layout->certificates_size = place.size;
}

enum pe_verdict pe_layout_make(const struct pe_file *file, struct pe_layout *layout)
{
    struct pe_layout made = {0};

    if (!is_usual(file))
        return PE_BAD_LAYOUT;
    find_data(file, &made.data_start, &made.data_end);
    if (!find_header_room(file, &made))
        return PE_NO_HEADER_ROOM;
    made.rva = (uint32_t)pe_align(file->image_size, file->section_alignment);
    made.data = (uint32_t)pe_align(made.data_end, file->file_alignment) + made.data_growth;
    if (made.rva == 0 || made.rva > INT32_MAX || made.data < made.data_end)
        return PE_BAD_LAYOUT;
    find_certificates(file, &made);
    *layout = made;
    return PE_NOTHING;
}

uint32_t pe_layout_moved(const struct pe_layout *layout, uint32_t growth, uint32_t offset)
{
    if (offset < layout->data_start)
        return offset;
    if (offset < layout->data_end)
        return offset + layout->data_growth;
    if (layout->certificates_size != 0 &&
        offset >= layout->certificates + layout->certificates_size)
        offset -= layout->certificates_size;
    return offset + growth;
}
