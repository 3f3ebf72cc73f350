/* SPDX-License-Identifier: MIT */
/* Finds the Pss imports of a PE file, and cuts its import descriptors so that they can move. */
#include "pe_imports.h"

#include <stdlib.h>
#include <string.h>

#include "pe_cut.h"
#include "pe_lookup.h"
#include "pe_names.h"

/** The function that reads one descriptor at an address, and its number of bytes. */
struct table {
    enum pe_verdict (*read)(const struct pe_file *file, struct pe_imports *imports,
                            const uint8_t *descriptor, uint32_t rva);
    uint32_t size;
    uint32_t end[2]; /* offsets of fields in a descriptor: the table ends where one of them is 0 */
};

/** What a descriptor's DLL is. */
enum origin { ORIGIN_BAD, ORIGIN_OTHER, ORIGIN_SOURCE, ORIGIN_TARGET };

static enum origin find_origin(const struct pe_file *file, uint32_t name)
{
    char dll[PE_NAME_SIZE + 1];

    if (!pe_load_text(file, name, dll, sizeof dll))
        return ORIGIN_BAD;
    if (pe_is_target(dll))
        return ORIGIN_TARGET;
    return pe_is_source(dll) ? ORIGIN_SOURCE : ORIGIN_OTHER;
}

/** Whether what is imported from a pss.dll is none of ours. */
static int is_foreign(struct pe_count count)
{
    return count.names > 0 && count.moving == 0;
}

/** A descriptor that is not to be cut. */
static enum pe_verdict keep(const struct pe_file *file, struct pe_imports *imports,
                            const struct pe_source *source, enum origin origin)
{
    struct pe_count count;
    enum pe_verdict verdict = PE_NOTHING;
    uint32_t end;

    if (origin == ORIGIN_TARGET) {
        imports->already++;
        verdict = pe_count_names(file, imports, source, &count);
        if (verdict == PE_NOTHING)
            imports->foreign += is_foreign(count);
        if (verdict == PE_NOTHING &&
            !pe_advance(source->whole.slots, count.names, file->word_size, &end))
            verdict = PE_BAD_IMPORTS;
        if (verdict == PE_NOTHING)
            verdict = pe_add_taken(imports, source->whole.slots, end);
    }
    return verdict == PE_NOTHING ? pe_add_piece(imports, &source->whole) : verdict;
}

static enum pe_verdict read_ordinary(const struct pe_file *file, struct pe_imports *imports,
                                     const uint8_t *descriptor, uint32_t rva)
{
    struct pe_source source = {
        .whole = {.lookup = pe_get32(descriptor),
                  .stamp = pe_get32(descriptor + 4),
                  .forwarder = pe_get32(descriptor + 8),
                  .name = pe_get32(descriptor + 12),
                  .slots = pe_get32(descriptor + 16)},
    };
    enum origin origin = find_origin(file, source.whole.name);
    struct pe_count count;
    enum pe_verdict verdict;

    (void)rva;
    if (origin == ORIGIN_BAD)
        return PE_BAD_IMPORTS;
    if (source.whole.lookup == 0 && source.whole.stamp != 0) {
        imports->has_nameless = 1; /* Its slots may hold addresses instead. */
        return pe_add_piece(imports, &source.whole);
    }
    if (source.whole.lookup != 0)
        source.whole.stamp = source.whole.forwarder = 0; /* What it was bound to is forgotten. */
    if (origin != ORIGIN_SOURCE)
        return keep(file, imports, &source, origin);
    verdict = pe_count_names(file, imports, &source, &count);
    if (verdict != PE_NOTHING)
        return verdict;
    imports->linked += count.moving;
    return count.moving != 0 ? pe_cut(file, imports, &source, count.names)
                             : pe_add_piece(imports, &source.whole);
}

/** Chooses how the names of a delay-load descriptor move: all of them later, or some at once. */
static enum pe_verdict move_delayed(const struct pe_file *file, struct pe_imports *imports,
                                    const struct pe_source *source, struct pe_count count,
                                    uint32_t rva)
{
    const struct pe_section *section = pe_section_at(file, source->whole.slots);

    if (count.moving == count.names) {
        imports->delayed += count.moving;
        return pe_add_lazy(imports, rva);
    }
    imports->hastened += count.moving;
    if (section == NULL || !(section->flags & PE_SECTION_WRITABLE))
        imports->has_read_only = 1;
    return pe_cut(file, imports, source, count.names);
}

static enum pe_verdict read_delayed(const struct pe_file *file, struct pe_imports *imports,
                                    const uint8_t *descriptor, uint32_t rva)
{
    uint32_t base = descriptor[0] & 1 ? 0 : (uint32_t)file->image_base;
    struct pe_source source = {.whole = {.lookup = pe_get32(descriptor + 16) - base,
                                         .slots = pe_get32(descriptor + 12) - base},
                               .base = base,
                               .is_delayed = 1};
    enum origin origin = find_origin(file, pe_get32(descriptor + 4) - base);
    struct pe_count count;
    enum pe_verdict verdict;

    if (origin == ORIGIN_BAD)
        return PE_BAD_IMPORTS;
    imports->already += origin == ORIGIN_TARGET;
    if (origin == ORIGIN_OTHER)
        return PE_NOTHING;
    verdict = pe_count_names(file, imports, &source, &count);
    if (origin == ORIGIN_TARGET) {
        imports->foreign += verdict == PE_NOTHING && is_foreign(count);
        return verdict;
    }
    if (verdict != PE_NOTHING || count.moving == 0)
        return verdict;
    if (base != 0) {
        imports->has_addresses = 1;
        return PE_NOTHING;
    }
    return move_delayed(file, imports, &source, count, rva);
}

/** Reads descriptor after descriptor up to the one that ends the table. */
static enum pe_verdict read_table(const struct pe_file *file, struct pe_imports *imports,
                                  enum pe_directory directory, const struct table *table)
{
    uint32_t start = pe_directory(file, directory).rva;

    for (uint32_t i = 0; start != 0; i++) {
        uint8_t descriptor[PE_DELAY_SIZE];
        enum pe_verdict verdict;
        uint32_t rva;

        if (!pe_advance(start, i, table->size, &rva) ||
            !pe_load(file, rva, descriptor, table->size))
            return PE_BAD_IMPORTS;
        if (pe_get32(descriptor + table->end[0]) == 0 || pe_get32(descriptor + table->end[1]) == 0)
            break;
        verdict =
            i < PE_MAX_DESCRIPTORS ? table->read(file, imports, descriptor, rva) : PE_BAD_IMPORTS;
        if (verdict != PE_NOTHING)
            return verdict;
    }
    return PE_NOTHING;
}

enum pe_verdict pe_imports_read(const struct pe_file *file, struct pe_imports *imports)
{
    static const struct table ordinary = {read_ordinary, PE_IMPORT_SIZE, {12, 16}};
    static const struct table delayed = {read_delayed, PE_DELAY_SIZE, {4, 4}};
    struct pe_imports read = {0};
    enum pe_verdict verdict = read_table(file, &read, PE_DIRECTORY_IMPORTS, &ordinary);

    if (verdict == PE_NOTHING)
        verdict = read_table(file, &read, PE_DIRECTORY_DELAY_IMPORTS, &delayed);
    if (verdict == PE_NOTHING)
        *imports = read;
    else
        pe_imports_free(&read);
    return verdict;
}

void pe_imports_free(struct pe_imports *imports)
{
    free(imports->pieces);
    free(imports->lazy);
    free(imports->taken);
    memset(imports, 0, sizeof *imports);
}

uint32_t pe_imports_moving(const struct pe_imports *imports)
{
    return imports->linked + imports->delayed + imports->hastened;
}

int pe_imports_are_writable(const struct pe_file *file, const struct pe_imports *imports)
{
    for (size_t i = 0; i < imports->piece_count; i++) {
        const struct pe_section *section = pe_section_at(file, imports->pieces[i].slots);

        if (section == NULL || !(section->flags & PE_SECTION_WRITABLE))
            return 0;
    }
    return 1;
}
