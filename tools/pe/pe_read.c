/* SPDX-License-Identifier: MIT */
/* Reads a PE file that nobody vouches for: headers, sections, and what a relative address holds. */
#include "pe_read.h"

#include <string.h>

uint16_t pe_get16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

uint32_t pe_get32(const uint8_t *bytes)
{
    return (uint32_t)pe_get16(bytes) | (uint32_t)pe_get16(bytes + 2) << 16;
}

uint64_t pe_get64(const uint8_t *bytes)
{
    return (uint64_t)pe_get32(bytes) | (uint64_t)pe_get32(bytes + 4) << 32;
}

static int is_within(uint64_t offset, uint64_t size, uint64_t total)
{
    return offset <= total && size <= total - offset;
}

/** Finds the signature, and tells other kinds of programs apart. */
static enum pe_verdict find_header(struct pe_file *file)
{
    uint32_t header;

    if (file->size < 2 || memcmp(file->bytes, "MZ", 2) != 0)
        return PE_NOT_PE;
    if (file->size < 64)
        return PE_TRUNCATED;
    header = pe_get32(file->bytes + 60);
    if (!is_within(header, 4, file->size)) /* Programs for DOS have anything in this field. */
        return pe_get16(file->bytes + 24) >= 64 ? PE_TRUNCATED : PE_16BIT;
    if (memcmp(file->bytes + header, "PE\0\0", 4) != 0)
        return PE_16BIT;
    file->header = header;
    return is_within(header, PE_FILE_HEADER_SIZE, file->size) ? PE_NOTHING : PE_TRUNCATED;
}

/** The fields of the file header, and how large an optional header has to be. */
static enum pe_verdict read_file_header(struct pe_file *file, uint32_t *optional_size)
{
    const uint8_t *header = file->bytes + file->header;

    file->machine = pe_get16(header + 4);
    if (file->machine != PE_MACHINE_X86 && file->machine != PE_MACHINE_X64)
        return PE_OTHER_MACHINE;
    file->word_size = file->machine == PE_MACHINE_X64 ? 8 : 4;
    file->section_count = pe_get16(header + 6);
    *optional_size = pe_get16(header + 20);
    file->optional = file->header + PE_FILE_HEADER_SIZE;
    file->section_table = file->optional + *optional_size;
    if (file->section_count > PE_MAX_SECTIONS)
        return PE_BAD_HEADER;
    return is_within(file->optional, *optional_size + file->section_count * PE_SECTION_HEADER_SIZE,
                     file->size)
               ? PE_NOTHING
               : PE_TRUNCATED;
}

static enum pe_verdict read_optional_header(struct pe_file *file, uint32_t size)
{
    const uint8_t *optional = file->bytes + file->optional;
    uint32_t fixed = file->word_size == 8 ? 112 : 96;

    if (size < fixed || pe_get16(optional) != (file->word_size == 8 ? 0x20b : 0x10b))
        return PE_BAD_HEADER;
    file->image_base = file->word_size == 8 ? pe_get64(optional + 24) : pe_get32(optional + 28);
    file->section_alignment = pe_get32(optional + 32);
    file->file_alignment = pe_get32(optional + 36);
    file->image_size = pe_get32(optional + 56);
    file->header_size = pe_get32(optional + 60);
    file->directory = file->optional + fixed;
    file->directory_count = pe_get32(optional + fixed - 4);
    if (file->directory_count > PE_MAX_DIRECTORIES)
        file->directory_count = PE_MAX_DIRECTORIES;
    return file->directory_count <= (size - fixed) / 8 ? PE_NOTHING : PE_BAD_HEADER;
}

/** A loader takes the bytes from the start of a sector. */
static void read_section(const uint8_t *header, struct pe_section *section)
{
    memcpy(section->name, header, 8);
    section->name[8] = '\0';
    section->memory_size = pe_get32(header + 8);
    section->rva = pe_get32(header + 12);
    section->file_size = pe_get32(header + 16);
    section->offset = pe_get32(header + 20);
    section->flags = pe_get32(header + 36);
    if (section->offset == 0)
        section->file_size = 0; /* Old linkers give the size of zeros here. */
}

static enum pe_verdict read_sections(struct pe_file *file)
{
    for (uint32_t i = 0; i < file->section_count; i++) {
        struct pe_section *section = &file->sections[i];

        read_section(file->bytes + file->section_table + i * PE_SECTION_HEADER_SIZE, section);
        if (section->file_size == 0)
            continue;
        if (!is_within(section->offset, section->file_size, file->size))
            return PE_TRUNCATED;
        if (file->section_alignment >= PE_PAGE) {
            section->file_size += section->offset % PE_SECTOR;
            section->offset -= section->offset % PE_SECTOR;
        }
    }
    return PE_NOTHING;
}

enum pe_verdict pe_open(const uint8_t *bytes, size_t size, struct pe_file *file)
{
    enum pe_verdict verdict;
    uint32_t optional_size = 0;

    memset(file, 0, sizeof *file);
    file->bytes = bytes;
    file->size = size;
    if (size > PE_MAX_SIZE)
        return PE_TOO_LARGE;
    verdict = find_header(file);
    if (verdict == PE_NOTHING)
        verdict = read_file_header(file, &optional_size);
    if (verdict == PE_NOTHING)
        verdict = read_optional_header(file, optional_size);
    if (verdict == PE_NOTHING)
        verdict = read_sections(file);
    return verdict;
}

struct pe_span pe_directory(const struct pe_file *file, enum pe_directory index)
{
    struct pe_span span = {0, 0};
    const uint8_t *entry;

    if ((uint32_t)index >= file->directory_count)
        return span;
    entry = file->bytes + file->directory + 8 * (uint32_t)index;
    span.rva = pe_get32(entry);
    span.size = pe_get32(entry + 4);
    return span;
}

const struct pe_section *pe_section_at(const struct pe_file *file, uint32_t rva)
{
    for (uint32_t i = 0; i < file->section_count; i++) {
        const struct pe_section *section = &file->sections[i];
        uint64_t size = section->memory_size != 0 ? section->memory_size : section->file_size;

        size = (size + PE_PAGE - 1) & ~(uint64_t)(PE_PAGE - 1);
        if (rva >= section->rva && rva - section->rva < size)
            return section;
    }
    return NULL;
}

/** The bytes from \p rva on that lie together: in the file, or as zeros behind what is there. */
static uint32_t find_part(const struct pe_file *file, uint32_t rva, uint32_t *offset, int *is_zero)
{
    const struct pe_section *section;
    uint64_t memory, within;

    *is_zero = 0;
    *offset = rva;
    if (file->section_alignment < PE_PAGE || rva < file->header_size) {
        uint32_t end = (uint32_t)file->size;

        if (file->section_alignment >= PE_PAGE && file->header_size < end)
            end = file->header_size;
        return rva < end ? end - rva : 0;
    }
    section = pe_section_at(file, rva);
    if (section == NULL)
        return 0;
    within = rva - section->rva;
    memory = section->memory_size != 0 ? section->memory_size : section->file_size;
    memory = (memory + PE_PAGE - 1) & ~(uint64_t)(PE_PAGE - 1);
    if (within < section->file_size) {
        *offset = section->offset + (uint32_t)within;
        memory = section->file_size < memory ? section->file_size : memory;
    } else {
        *is_zero = 1;
    }
    return memory - within < UINT32_MAX ? (uint32_t)(memory - within) : UINT32_MAX;
}

int pe_load(const struct pe_file *file, uint32_t rva, void *buffer, uint32_t size)
{
    uint8_t *to = buffer;

    while (size > 0) {
        uint32_t offset, part;
        int is_zero;

        part = find_part(file, rva, &offset, &is_zero);
        if (part == 0)
            return 0;
        part = part < size ? part : size;
        if (is_zero)
            memset(to, 0, part);
        else
            memcpy(to, file->bytes + offset, part);
        if (part < size && rva > UINT32_MAX - part)
            return 0;
        to += part;
        rva += part;
        size -= part;
    }
    return 1;
}

int pe_find(const struct pe_file *file, uint32_t rva, uint32_t size, uint32_t *offset)
{
    uint32_t found;
    int is_zero;

    if (find_part(file, rva, &found, &is_zero) < size || is_zero)
        return 0;
    *offset = found;
    return 1;
}

int pe_load_text(const struct pe_file *file, uint32_t rva, char *text, uint32_t size)
{
    uint32_t length = 0;

    while (length + 1 < size) {
        uint32_t offset, part;
        int is_zero;

        part = find_part(file, rva, &offset, &is_zero);
        if (part == 0)
            return 0;
        if (is_zero)
            break;
        for (; part > 0 && length + 1 < size; part--, length++, offset++) {
            text[length] = (char)file->bytes[offset];
            if (text[length] == '\0')
                return 1;
            if (rva == UINT32_MAX)
                return 0;
            rva++;
        }
    }
    text[length] = '\0';
    return 1;
}
