/* SPDX-License-Identifier: MIT */
/* A lookup table: the names that one descriptor imports, in the order of its slots. */
#include "pe_lookup.h"

#include "pe_names.h"

int pe_advance(uint32_t rva, uint32_t count, uint32_t size, uint32_t *result)
{
    uint64_t sum = (uint64_t)rva + (uint64_t)count * size;

    if (sum > UINT32_MAX)
        return 0;
    *result = (uint32_t)sum;
    return 1;
}

/** Whether an entry's name is to move; its first two bytes are a hint. */
static enum pe_entry judge_name(const struct pe_file *file, uint32_t rva)
{
    char name[PE_NAME_SIZE + 1];

    if (!pe_advance(rva, 1, 2, &rva) || !pe_load_text(file, rva, name, sizeof name))
        return PE_ENTRY_BAD;
    return pe_is_moved(name) ? PE_ENTRY_MOVES : PE_ENTRY_STAYS;
}

enum pe_entry pe_lookup_entry(const struct pe_file *file, uint32_t table, uint32_t index,
                              uint32_t base)
{
    uint8_t bytes[8] = {0};
    uint64_t value, ordinal = file->word_size == 8 ? UINT64_C(1) << 63 : UINT64_C(1) << 31;
    uint32_t rva;

    if (!pe_advance(table, index, file->word_size, &rva) ||
        !pe_load(file, rva, bytes, file->word_size))
        return PE_ENTRY_BAD;
    value = pe_get64(bytes);
    if (value == 0)
        return PE_ENTRY_END;
    if (value & ordinal)
        return PE_ENTRY_STAYS;
    if (value < base || value - base > INT32_MAX)
        return PE_ENTRY_BAD;
    return judge_name(file, (uint32_t)(value - base));
}
