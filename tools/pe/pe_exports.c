/* SPDX-License-Identifier: MIT */
/* What a DLL exports, as its file tells. */
#include "pe_exports.h"

#include <string.h>

#include "pe_lookup.h"
#include "pe_names.h"

#define DIRECTORY_SIZE 40u
#define MAX_EXPORTS    (1u << 16)

int pe_exports_open(const struct pe_file *file, struct pe_exports *exports)
{
    struct pe_span place = pe_directory(file, PE_DIRECTORY_EXPORTS);
    uint8_t directory[DIRECTORY_SIZE];

    if (place.rva == 0 || !pe_load(file, place.rva, directory, sizeof directory))
        return 0;
    exports->file = file;
    exports->base = pe_get32(directory + 16);
    exports->functions = pe_get32(directory + 20);
    exports->names = pe_get32(directory + 24);
    exports->function_table = pe_get32(directory + 28);
    exports->name_table = pe_get32(directory + 32);
    return exports->functions <= MAX_EXPORTS && exports->names <= MAX_EXPORTS;
}

/** How a name compares with one of the table; a table that cannot be read has none behind it. */
static int compare(const struct pe_exports *exports, uint32_t index, const char *name)
{
    char text[PE_SYMBOL_SIZE];
    uint8_t entry[4];
    uint32_t rva;

    if (!pe_advance(exports->name_table, index, 4, &rva) ||
        !pe_load(exports->file, rva, entry, sizeof entry) ||
        !pe_load_text(exports->file, pe_get32(entry), text, sizeof text))
        return -1;
    return strcmp(name, text);
}

/** Linkers sort the names; loaders rely on it. */
int pe_exports_name(const struct pe_exports *exports, const char *name)
{
    uint32_t low = 0, high = exports->names;

    if (strlen(name) >= PE_SYMBOL_SIZE - 1)
        return 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare(exports, middle, name);

        if (order == 0)
            return 1;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return 0;
}

int pe_exports_ordinal(const struct pe_exports *exports, uint32_t ordinal)
{
    uint8_t entry[4];
    uint32_t rva;

    return ordinal >= exports->base && ordinal - exports->base < exports->functions &&
           pe_advance(exports->function_table, ordinal - exports->base, 4, &rva) &&
           pe_load(exports->file, rva, entry, sizeof entry) && pe_get32(entry) != 0;
}

int pe_exports_all_moved(const struct pe_exports *exports)
{
    for (unsigned i = 0; pe_moved_name(i) != NULL; i++)
        if (!pe_exports_name(exports, pe_moved_name(i)))
            return 0;
    return 1;
}
