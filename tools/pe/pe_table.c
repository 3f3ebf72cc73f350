/* SPDX-License-Identifier: MIT */
/* The new section: import descriptors, lookup tables and the name of pss.dll. */
#include "pe_table.h"

#include <string.h>

#include "pe_layout.h"
#include "pe_names.h"

#define MAX_SIZE (1u << 28)

void pe_put16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

void pe_put32(uint8_t *bytes, uint32_t value)
{
    pe_put16(bytes, (uint16_t)value);
    pe_put16(bytes + 2, (uint16_t)(value >> 16));
}

/** The descriptors change only if a name of theirs, or one more of them, is wanted. */
static int needs_descriptors(const struct pe_imports *imports)
{
    return imports->linked + imports->hastened > 0;
}

int pe_table_plan(const struct pe_file *file, const struct pe_imports *imports, uint32_t rva,
                  struct pe_table *table)
{
    uint64_t descriptors = 0, size = 0;

    if (needs_descriptors(imports)) {
        descriptors = ((uint64_t)imports->piece_count + 1) * PE_IMPORT_SIZE;
        size = pe_align(descriptors, 8);
        for (size_t i = 0; i < imports->piece_count; i++)
            if (imports->pieces[i].count != 0)
                size += ((uint64_t)imports->pieces[i].count + 1) * file->word_size;
    }
    if (size > MAX_SIZE)
        return 0;
    table->rva = rva;
    table->descriptors = (uint32_t)descriptors;
    table->name = (uint32_t)size;
    table->size = (uint32_t)size + sizeof PE_TARGET_DLL;
    return 1;
}

int pe_table_write(const struct pe_file *file, const struct pe_imports *imports,
                   const struct pe_table *table, uint8_t *section)
{
    uint32_t at = (uint32_t)pe_align(table->descriptors, 8);

    memcpy(section + table->name, PE_TARGET_DLL, sizeof PE_TARGET_DLL);
    for (size_t i = 0; table->descriptors != 0 && i < imports->piece_count; i++) {
        const struct pe_piece *piece = &imports->pieces[i];
        uint8_t *descriptor = section + i * PE_IMPORT_SIZE;

        pe_put32(descriptor, piece->count != 0 ? table->rva + at : piece->lookup);
        pe_put32(descriptor + 4, piece->stamp);
        pe_put32(descriptor + 8, piece->forwarder);
        pe_put32(descriptor + 12, piece->moves ? table->rva + table->name : piece->name);
        pe_put32(descriptor + 16, piece->slots);
        if (piece->count == 0)
            continue;
        if (!pe_load(file, piece->lookup, section + at, piece->count * file->word_size))
            return 0;
        at += (piece->count + 1) * file->word_size;
    }
    return 1;
}
