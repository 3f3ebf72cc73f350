/* SPDX-License-Identifier: MIT */
/* Files whose import table does not tell what they import: packed ones and managed ones. */
#include "pe_kind.h"

#include <string.h>

#define MANAGED_HEADER_SIZE 72u
#define MANAGED_FLAGS       16u /* offset in it */
#define MANAGED_IL_ONLY     1u
#define MANAGED_IL_LIBRARY  4u /* compiled ahead of time, but still managed */

/* Sections that packers make, whatever they hold. */
static const char *const packers[] = {
    "UPX0",  "UPX1",  "UPX2",     ".UPX0", ".UPX1", ".MPRESS1", ".MPRESS2", ".aspack", ".petite",
    ".nsp0", ".nsp1", ".themida", ".vmp0", ".vmp1", "PEC2",     "PEC2TO",   "pec1",    ".enigma1"};

static int is_packed(const struct pe_file *file)
{
    for (uint32_t i = 0; i < file->section_count; i++)
        for (size_t j = 0; j < sizeof packers / sizeof packers[0]; j++)
            if (strcmp(file->sections[i].name, packers[j]) == 0)
                return 1;
    return 0;
}

static int is_managed(const struct pe_file *file)
{
    struct pe_span place = pe_directory(file, PE_DIRECTORY_MANAGED);
    uint8_t header[MANAGED_HEADER_SIZE];

    if (place.rva == 0 || !pe_load(file, place.rva, header, sizeof header))
        return 0;
    return (pe_get32(header + MANAGED_FLAGS) & (MANAGED_IL_ONLY | MANAGED_IL_LIBRARY)) != 0;
}

enum pe_verdict pe_kind(const struct pe_file *file)
{
    if (is_managed(file))
        return PE_MANAGED;
    return is_packed(file) ? PE_PACKED : PE_NOTHING;
}
