/* SPDX-License-Identifier: MIT */
/* Cuts one import descriptor into pieces that move to pss.dll and pieces that stay. */
#include "pe_cut.h"

#include <stdlib.h>

#include "pe_lookup.h"

/**
 * Makes room for one more element.
 *
 * \return The array · NULL, the old one unchanged.
 */
static void *grow(void *array, size_t count, size_t *room, size_t size)
{
    size_t wanted = *room != 0 ? *room * 2 : 16;
    void *grown;

    if (count < *room)
        return array;
    grown = realloc(array, wanted * size);
    if (grown != NULL)
        *room = wanted;
    return grown;
}

enum pe_verdict pe_add_piece(struct pe_imports *imports, const struct pe_piece *piece)
{
    struct pe_piece *pieces;

    if (imports->piece_count == PE_MAX_DESCRIPTORS)
        return PE_BAD_IMPORTS;
    pieces = grow(imports->pieces, imports->piece_count, &imports->piece_room, sizeof *pieces);
    if (pieces == NULL)
        return PE_NO_MEMORY;
    imports->pieces = pieces;
    pieces[imports->piece_count++] = *piece;
    return PE_NOTHING;
}

enum pe_verdict pe_add_lazy(struct pe_imports *imports, uint32_t descriptor)
{
    uint32_t *lazy = grow(imports->lazy, imports->lazy_count, &imports->lazy_room, sizeof *lazy);

    if (lazy == NULL)
        return PE_NO_MEMORY;
    imports->lazy = lazy;
    lazy[imports->lazy_count++] = descriptor;
    return PE_NOTHING;
}

enum pe_verdict pe_add_taken(struct pe_imports *imports, uint32_t slots, uint32_t end)
{
    struct pe_range *taken =
        grow(imports->taken, imports->taken_count, &imports->taken_room, sizeof *taken);

    if (taken == NULL)
        return PE_NO_MEMORY;
    imports->taken = taken;
    taken[imports->taken_count].start = slots;
    taken[imports->taken_count++].end = end;
    return PE_NOTHING;
}

static int is_taken(const struct pe_imports *imports, uint32_t slot)
{
    for (size_t i = 0; i < imports->taken_count; i++)
        if (slot >= imports->taken[i].start && slot < imports->taken[i].end)
            return 1;
    return 0;
}

static uint32_t table_of(const struct pe_source *source)
{
    return source->whole.lookup != 0 ? source->whole.lookup : source->whole.slots;
}

/** A delayed function whose slot is bound when the program starts has moved before. */
static enum pe_entry judge(const struct pe_file *file, const struct pe_imports *imports,
                           const struct pe_source *source, uint32_t index)
{
    enum pe_entry entry = pe_lookup_entry(file, table_of(source), index, source->base);
    uint32_t slot;

    if (entry != PE_ENTRY_MOVES || !source->is_delayed)
        return entry;
    if (!pe_advance(source->whole.slots, index, file->word_size, &slot))
        return PE_ENTRY_BAD;
    return is_taken(imports, slot) ? PE_ENTRY_STAYS : PE_ENTRY_MOVES;
}

enum pe_verdict pe_count_names(const struct pe_file *file, struct pe_imports *imports,
                               const struct pe_source *source, struct pe_count *count)
{
    struct pe_count counted = {0, 0};
    enum pe_entry entry;

    while ((entry = judge(file, imports, source, counted.names)) != PE_ENTRY_END) {
        if (entry == PE_ENTRY_BAD || ++imports->names_read > PE_MAX_NAMES)
            return PE_BAD_IMPORTS;
        counted.names++;
        counted.moving += entry == PE_ENTRY_MOVES;
    }
    *count = counted;
    return PE_NOTHING;
}

enum pe_verdict pe_cut(const struct pe_file *file, struct pe_imports *imports,
                       const struct pe_source *source, uint32_t total)
{
    enum pe_verdict verdict = PE_NOTHING;

    for (uint32_t start = 0, end; start < total && verdict == PE_NOTHING; start = end) {
        enum pe_entry kind = judge(file, imports, source, start);
        struct pe_piece piece = source->whole;

        for (end = start + 1; end < total && judge(file, imports, source, end) == kind;)
            end++;
        piece.moves = kind == PE_ENTRY_MOVES;
        piece.count = end - start;
        if (!pe_advance(table_of(source), start, file->word_size, &piece.lookup) ||
            !pe_advance(source->whole.slots, start, file->word_size, &piece.slots))
            return PE_BAD_IMPORTS;
        if (piece.count == total && source->whole.lookup != 0)
            piece.count = 0; /* A table that needs no cutting serves as it is. */
        if (piece.moves || !source->is_delayed)
            verdict = pe_add_piece(imports, &piece);
    }
    return verdict;
}
