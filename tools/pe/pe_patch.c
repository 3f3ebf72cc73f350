/* SPDX-License-Identifier: MIT */
/* Changes the old parts of a rebound file: headers, directories, and offsets of what moved. */
#include "pe_patch.h"

#include <string.h>

#include "pe_checksum.h"

#define DEBUG_ENTRY_SIZE  28u
#define MAX_DEBUG_ENTRIES 1024u
#define FORCE_INTEGRITY   0x80u       /* a loader refuses the file without a signature */
#define READABLE_DATA     0x40000040u /* flags of the new section */
#define CHECKSUM          64u         /* offsets in the optional header */
#define DLL_FLAGS         70u
#define DELAY_NAME        4u /* offsets in a delay-load descriptor */
#define DELAY_BOUND_STAMP 28u

/* DependentLoadFlags in the load configuration: where its offset is, and its LOAD_LIBRARY_SEARCH_
 * bits. Without one that names the program's directory, static imports are not looked for there.
 * source: learn.microsoft.com/windows/win32/api/winnt/ns-winnt-image_load_config_directory64 and
 * .../cpp/build/reference/dependentloadflag */
#define SEARCH_FIELD_32 54u
#define SEARCH_FIELD_64 78u
#define SEARCH_ANYWHERE 0x1f00u /* any of them */
#define SEARCH_PROGRAM  0x0200u /* LOAD_LIBRARY_SEARCH_APPLICATION_DIR */
#define SEARCH_OWN      0x1200u /* that, or LOAD_LIBRARY_SEARCH_DEFAULT_DIRS */

/** All that the parts of the change need. */
struct patch {
    const struct pe_file *file;
    const struct pe_layout *layout;
    const struct pe_table *table;
    uint8_t *bytes;     /* of the new file */
    uint32_t data_size; /* of the new section in the file */
    uint32_t growth;    /* how far back that goes which follows the old sections */
};

static void add32(uint8_t *field, uint32_t value)
{
    pe_put32(field, pe_get32(field) + value);
}

static void set_directory(const struct patch *patch, enum pe_directory index, uint32_t rva,
                          uint32_t size)
{
    uint8_t *entry = patch->bytes + patch->file->directory + 8 * (uint32_t)index;

    if ((uint32_t)index >= patch->file->directory_count)
        return;
    pe_put32(entry, rva);
    pe_put32(entry + 4, size);
}

/** Adjusts an offset of the file, where 0 stands for none. */
static void move_offset(const struct patch *patch, uint8_t *field)
{
    if (pe_get32(field) != 0)
        pe_put32(field, pe_layout_moved(patch->layout, patch->growth, pe_get32(field)));
}

/** Old bound-import data in the headers are void; a section header may come over them. */
static void clear_bound_imports(const struct patch *patch)
{
    struct pe_span bound = pe_directory(patch->file, PE_DIRECTORY_BOUND_IMPORTS);

    set_directory(patch, PE_DIRECTORY_BOUND_IMPORTS, 0, 0);
    if (bound.rva >= patch->layout->section_header && bound.rva <= patch->file->header_size &&
        bound.size <= patch->file->header_size - bound.rva)
        memset(patch->bytes + bound.rva, 0, bound.size);
}

static void patch_headers(const struct patch *patch)
{
    uint8_t *header = patch->bytes + patch->file->header;
    uint8_t *optional = patch->bytes + patch->file->optional;
    uint32_t memory = (uint32_t)pe_align(patch->table->size, patch->file->section_alignment);

    pe_put16(header + 6, (uint16_t)(patch->file->section_count + 1));
    move_offset(patch, header + 12); /* COFF symbols */
    add32(optional + 8, patch->data_size);
    pe_put32(optional + 56, patch->layout->rva + memory);
    pe_put32(optional + 60, patch->layout->header_size);
    if (patch->table->descriptors != 0)
        set_directory(patch, PE_DIRECTORY_IMPORTS, patch->table->rva, patch->table->descriptors);
}

static void patch_sections(const struct patch *patch)
{
    uint8_t *section = patch->bytes + patch->layout->section_header;

    for (uint32_t i = 0; i < patch->file->section_count; i++) {
        uint8_t *old = patch->bytes + patch->file->section_table + i * PE_SECTION_HEADER_SIZE;

        if (pe_get32(old + 20) >= patch->layout->data_start)
            add32(old + 20, patch->layout->data_growth);
        move_offset(patch, old + 24); /* relocations */
        move_offset(patch, old + 28); /* line numbers */
    }
    memset(section, 0, PE_SECTION_HEADER_SIZE);
    memcpy(section, PE_NEW_SECTION, sizeof PE_NEW_SECTION - 1);
    pe_put32(section + 8, patch->table->size);
    pe_put32(section + 12, patch->layout->rva);
    pe_put32(section + 16, patch->data_size);
    pe_put32(section + 20, patch->layout->data);
    pe_put32(section + 36, READABLE_DATA);
}

/** The place of something in the new file; what claims to be in the headers stays as it is. */
static uint8_t *find_in_sections(const struct patch *patch, uint32_t rva, uint32_t size)
{
    uint32_t offset;

    if (!pe_find(patch->file, rva, size, &offset) || offset < patch->file->header_size)
        return NULL;
    return patch->bytes + offset + patch->layout->data_growth;
}

/** Debug data may lie behind the sections; entries that cannot be found are nobody's loss. */
static void patch_debug_entries(const struct patch *patch)
{
    struct pe_span place = pe_directory(patch->file, PE_DIRECTORY_DEBUG);
    uint32_t count = place.size / DEBUG_ENTRY_SIZE;

    for (uint32_t i = 0; place.rva != 0 && i < count && i < MAX_DEBUG_ENTRIES; i++) {
        uint64_t rva = (uint64_t)place.rva + i * DEBUG_ENTRY_SIZE;
        uint8_t *entry;

        if (rva > UINT32_MAX)
            return;
        entry = find_in_sections(patch, (uint32_t)rva, DEBUG_ENTRY_SIZE);
        if (entry == NULL)
            return;
        move_offset(patch, entry + 24);
    }
}

/** Delay-load descriptors whose names all move get the other DLL's name, where they are. */
static int patch_delayed(const struct patch *patch, const struct pe_imports *imports)
{
    for (size_t i = 0; i < imports->lazy_count; i++) {
        uint8_t *descriptor = find_in_sections(patch, imports->lazy[i], PE_DELAY_SIZE);

        if (descriptor == NULL)
            return 0;
        pe_put32(descriptor + DELAY_NAME, patch->table->rva + patch->table->name);
        pe_put32(descriptor + DELAY_BOUND_STAMP, 0);
    }
    return 1;
}

/** What a load configuration says of the search for imports must not leave pss.dll out. */
static int patch_search(const struct patch *patch, struct pe_result *result)
{
    struct pe_span place = pe_directory(patch->file, PE_DIRECTORY_LOAD_CONFIGURATION);
    uint32_t field = patch->file->word_size == 8 ? SEARCH_FIELD_64 : SEARCH_FIELD_32;
    uint8_t size[4], *flags;

    if (place.rva == 0 || !pe_load(patch->file, place.rva, size, sizeof size) ||
        pe_get32(size) < field + 2 || place.rva > UINT32_MAX - field)
        return 1;
    flags = find_in_sections(patch, place.rva + field, 2);
    if (flags == NULL)
        return 0;
    if ((pe_get16(flags) & SEARCH_ANYWHERE) == 0 || (pe_get16(flags) & SEARCH_OWN) != 0)
        return 1;
    pe_put16(flags, (uint16_t)(pe_get16(flags) | SEARCH_PROGRAM));
    result->searches_own = 1;
    return 1;
}

/** The signature goes, and with it the demand for one, which may stand there without one. */
static void drop_signature(const struct patch *patch, struct pe_result *result)
{
    struct pe_span place = pe_directory(patch->file, PE_DIRECTORY_CERTIFICATES);
    uint8_t *flags = patch->bytes + patch->file->optional + DLL_FLAGS;

    result->lost_signature = place.rva != 0;
    result->lost_integrity = (pe_get16(flags) & FORCE_INTEGRITY) != 0;
    set_directory(patch, PE_DIRECTORY_CERTIFICATES, 0, 0);
    pe_put16(flags, (uint16_t)(pe_get16(flags) & ~FORCE_INTEGRITY));
}

int pe_patch(const struct pe_file *file, const struct pe_imports *imports,
             const struct pe_layout *layout, const struct pe_table *table, struct pe_result *result)
{
    struct patch patch = {file, layout, table, result->bytes, 0, 0};
    uint8_t *checksum = result->bytes + file->optional + CHECKSUM;

    patch.data_size = (uint32_t)pe_align(table->size, file->file_alignment);
    patch.growth = layout->data + patch.data_size - layout->data_end;
    clear_bound_imports(&patch);
    if (!patch_delayed(&patch, imports) || !patch_search(&patch, result))
        return 0;
    patch_debug_entries(&patch);
    drop_signature(&patch, result);
    patch_headers(&patch);
    patch_sections(&patch);
    if (pe_get32(checksum) != 0)
        pe_put32(checksum, pe_checksum(result->bytes, result->size, file->optional + CHECKSUM));
    return 1;
}
