/* SPDX-License-Identifier: MIT */
/* What follows the sections of a PE file: archives, bundles, data of self-extractors. */
#include "pe_trailing.h"

#include <string.h>

#define SYMBOL_SIZE 18u
#define DLL         0x2000u /* a flag in the file header */
#define MARK_SIZE   32u

/** SHA-256 of ".net core bundle\n", which a compiler has put into the program's data. */
static const uint8_t mark[MARK_SIZE] = {
    0x8b, 0x12, 0x02, 0xb9, 0x6a, 0x61, 0x20, 0x38, 0x72, 0x7b, 0x93, 0x02, 0x14, 0xd7, 0xa0, 0x32,
    0x13, 0xf5, 0xb9, 0xe6, 0xef, 0xae, 0x33, 0x18, 0xee, 0x3b, 0x2d, 0xce, 0x24, 0xb3, 0x6a, 0xae};

/** Where the sections' bytes end, and the symbols that may follow them. */
static uint64_t find_end(const struct pe_file *file)
{
    const uint8_t *header = file->bytes + file->header;
    uint64_t end = file->header_size, symbols = pe_get32(header + 12), behind;

    for (uint32_t i = 0; i < file->section_count; i++) {
        const struct pe_section *section = &file->sections[i];
        uint64_t section_end = (uint64_t)section->offset + section->file_size;

        if (section->file_size != 0 && section_end > end)
            end = section_end;
    }
    behind = symbols + (uint64_t)pe_get32(header + 16) * SYMBOL_SIZE;
    if (symbols < end || behind + 4 > file->size)
        return end;
    behind += pe_get32(file->bytes + behind); /* the symbols' names, with their size */
    return behind <= file->size ? behind : end;
}

uint32_t pe_trailing(const struct pe_file *file)
{
    struct pe_span signature = pe_directory(file, PE_DIRECTORY_CERTIFICATES);
    uint64_t start = find_end(file), end = file->size;

    if (signature.rva >= start && signature.rva < end)
        end = signature.rva;
    while (start < end && file->bytes[end - 1] == 0)
        end--;
    return start < end ? (uint32_t)(end - start) : 0;
}

int pe_is_bundle(const struct pe_file *file)
{
    const uint8_t *from = file->bytes + 8, *end = file->bytes + file->size;

    if (file->size < 8 + MARK_SIZE)
        return 0;
    while ((size_t)(end - from) >= MARK_SIZE) {
        from = memchr(from, mark[0], (size_t)(end - from) - MARK_SIZE + 1);
        if (from == NULL)
            return 0;
        if (memcmp(from, mark, MARK_SIZE) == 0)
            return pe_get64(from - 8) != 0;
        from++;
    }
    return 0;
}

int pe_is_program(const struct pe_file *file)
{
    return (pe_get16(file->bytes + file->header + 22) & DLL) == 0;
}
