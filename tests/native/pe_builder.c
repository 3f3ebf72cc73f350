/* SPDX-License-Identifier: MIT */
/* Builds small PE files in memory, of both formats, for the tests of what reads them. */
#include "pe_builder.h"

#include <assert.h>
#include <string.h>

uint32_t pe_builder_get32(const uint8_t *bytes, uint32_t offset)
{
    return (uint32_t)bytes[offset] | (uint32_t)bytes[offset + 1] << 8 |
           (uint32_t)bytes[offset + 2] << 16 | (uint32_t)bytes[offset + 3] << 24;
}

void pe_builder_put16(uint8_t *bytes, uint32_t offset, uint32_t value)
{
    bytes[offset] = (uint8_t)value;
    bytes[offset + 1] = (uint8_t)(value >> 8);
}

void pe_builder_put32(uint8_t *bytes, uint32_t offset, uint32_t value)
{
    pe_builder_put16(bytes, offset, value & 0xffff);
    pe_builder_put16(bytes, offset + 2, value >> 16);
}

uint32_t pe_builder_directory(const struct pe_builder *built, uint32_t index)
{
    return BUILT_OPTIONAL + (built->is_64 ? 112u : 96u) + 8 * index;
}

void pe_builder_set_directory(struct pe_builder *built, uint32_t index, uint32_t rva, uint32_t size)
{
    pe_builder_put32(built->bytes, pe_builder_directory(built, index), rva);
    pe_builder_put32(built->bytes, pe_builder_directory(built, index) + 4, size);
}

uint32_t pe_builder_section(const struct pe_builder *built, uint32_t index)
{
    return pe_builder_directory(built, 16) + 40 * index;
}

void pe_builder_set_section(struct pe_builder *built, uint32_t index, uint32_t field,
                            uint32_t value)
{
    pe_builder_put32(built->bytes, pe_builder_section(built, index) + field, value);
}

void pe_builder_set_optional(struct pe_builder *built, uint32_t field, uint32_t value)
{
    pe_builder_put32(built->bytes, BUILT_OPTIONAL + field, value);
}

uint32_t pe_builder_offset(uint32_t rva)
{
    return rva >= BUILT_SLOTS_RVA ? rva - BUILT_SLOTS_RVA + BUILT_SLOTS
                                  : rva - BUILT_IMPORTS_RVA + BUILT_IMPORTS;
}

void pe_builder_append(struct pe_builder *built, const void *bytes, size_t size)
{
    assert(size <= PE_BUILDER_ROOM - built->size);
    memcpy(built->bytes + built->size, bytes, size);
    built->size += size;
}

static void put_word(struct pe_builder *built, uint32_t rva, uint32_t low, uint32_t high)
{
    pe_builder_put32(built->bytes, pe_builder_offset(rva), low);
    if (built->is_64)
        pe_builder_put32(built->bytes, pe_builder_offset(rva) + 4, high);
}

static uint32_t put_text(struct pe_builder *built, const char *text, uint32_t hint)
{
    uint32_t rva = built->next_name;
    size_t size = strlen(text) + 1;

    assert(pe_builder_offset(rva) + hint + size + 2 <= BUILT_IMPORTS_END);
    memcpy(built->bytes + pe_builder_offset(rva) + hint, text, size);
    built->next_name += (uint32_t)(hint + size + 1) & ~1u;
    return rva;
}

static uint32_t count_functions(const struct pe_builder_dll *dll)
{
    uint32_t count = 0;

    while (count < PE_BUILDER_FUNCTIONS && dll->functions[count])
        count++;
    return count;
}

/** Writes names and entries to a table that is there already. */
static void put_entries(struct pe_builder *built, const struct pe_builder_dll *dll, uint32_t table,
                        uint32_t base)
{
    uint32_t word = built->is_64 ? 8 : 4;

    for (uint32_t i = 0; i < count_functions(dll); i++) {
        if (dll->functions[i][0] == '#')
            put_word(built, table + i * word, built->is_64 ? 7 + i : 0x80000007u + i, 0x80000000u);
        else
            put_word(built, table + i * word, base + put_text(built, dll->functions[i], 2), 0);
    }
}

static uint32_t reserve(uint32_t *next, uint32_t size)
{
    uint32_t rva = (*next + 7) & ~7u;

    *next = rva + size;
    return rva;
}

static void put_ordinary(struct pe_builder *built, const struct pe_builder_dll *dll, uint32_t index)
{
    uint32_t at = pe_builder_offset(BUILT_IMPORTS_RVA) + 20 * index;
    uint32_t size = (count_functions(dll) + 1) * (built->is_64 ? 8 : 4);
    uint32_t slots = reserve(&built->next_slot, size), lookup = 0;

    if (dll->kind != BUILD_WITHOUT_LOOKUP) {
        lookup = reserve(&built->next_name, size);
        put_entries(built, dll, lookup, 0);
    }
    if (dll->kind == BUILD_BOUND)
        memset(built->bytes + pe_builder_offset(slots), 0x71, size);
    else
        put_entries(built, dll, slots, 0);
    pe_builder_put32(built->bytes, at, lookup);
    pe_builder_put32(built->bytes, at + 4, dll->kind == BUILD_BOUND ? 0xffffffffu : 0);
    pe_builder_put32(built->bytes, at + 8, dll->kind == BUILD_BOUND ? 0xffffffffu : 0);
    pe_builder_put32(built->bytes, at + 12, put_text(built, dll->name, 0));
    pe_builder_put32(built->bytes, at + 16, slots);
}

static void put_delayed(struct pe_builder *built, const struct pe_builder_dll *dll, uint32_t index)
{
    uint32_t at = pe_builder_offset(BUILT_DELAYED_RVA) + 32 * index;
    uint32_t size = (count_functions(dll) + 1) * (built->is_64 ? 8 : 4);
    uint32_t base = dll->kind == BUILD_DELAYED_ADDRESSES ? 0x400000 : 0;
    uint32_t slots = reserve(&built->next_slot, size);
    uint32_t lookup = reserve(&built->next_name, size);

    put_entries(built, dll, lookup, base);
    memset(built->bytes + pe_builder_offset(slots), 0x72, size);
    pe_builder_put32(built->bytes, at, base ? 0 : 1);
    pe_builder_put32(built->bytes, at + 4, base + put_text(built, dll->name, 0));
    pe_builder_put32(built->bytes, at + 8, base + reserve(&built->next_slot, 8));
    pe_builder_put32(built->bytes, at + 12, base + slots);
    pe_builder_put32(built->bytes, at + 16, base + lookup);
    pe_builder_put32(built->bytes, at + 28, 0x12345678);
}

static void put_dlls(struct pe_builder *built)
{
    uint32_t ordinary = 0, delayed = 0;

    for (uint32_t i = 0; i < PE_BUILDER_DLLS && built->dlls[i].name; i++) {
        if (built->dlls[i].kind >= BUILD_DELAYED)
            put_delayed(built, &built->dlls[i], delayed++);
        else
            put_ordinary(built, &built->dlls[i], ordinary++);
    }
    if (ordinary)
        pe_builder_set_directory(built, 1, BUILT_IMPORTS_RVA, 20 * (ordinary + 1));
    if (delayed)
        pe_builder_set_directory(built, 13, BUILT_DELAYED_RVA, 32 * (delayed + 1));
    pe_builder_set_directory(built, 12, BUILT_SLOTS_RVA, built->next_slot - BUILT_SLOTS_RVA);
    assert(pe_builder_offset(built->next_slot) <= BUILT_END);
}

static void put_section(struct pe_builder *built, uint32_t index, const char *name,
                        const uint32_t fields[5])
{
    uint32_t at = pe_builder_section(built, index);

    memcpy(built->bytes + at, name, strlen(name));
    for (uint32_t i = 0; i < 4; i++)
        pe_builder_put32(built->bytes, at + 8 + 4 * i, fields[i]);
    pe_builder_put32(built->bytes, at + 36, fields[4]);
}

static void put_headers(struct pe_builder *built)
{
    uint8_t *bytes = built->bytes;

    memcpy(bytes, "MZ", 2);
    pe_builder_put16(bytes, 24, 64);
    pe_builder_put32(bytes, 60, BUILT_HEADER);
    memcpy(bytes + BUILT_HEADER, "PE", 2);
    pe_builder_put16(bytes, BUILT_HEADER + 4, built->is_64 ? 0x8664 : 0x14c);
    pe_builder_put16(bytes, BUILT_HEADER + 6, 3);
    pe_builder_put16(bytes, BUILT_HEADER + 20, built->is_64 ? 240 : 224);
    pe_builder_put16(bytes, BUILT_HEADER + 22, 0x102);
    pe_builder_put16(bytes, BUILT_OPTIONAL, built->is_64 ? 0x20b : 0x10b);
    pe_builder_put32(bytes, BUILT_OPTIONAL + 8, BUILT_END - BUILT_IMPORTS);
    pe_builder_put32(bytes, BUILT_OPTIONAL + 16, BUILT_CODE_RVA);
    pe_builder_put32(bytes, BUILT_OPTIONAL + (built->is_64 ? 24 : 28), 0x400000);
    pe_builder_put32(bytes, BUILT_OPTIONAL + 32, 0x1000);
    pe_builder_put32(bytes, BUILT_OPTIONAL + 36, 0x200);
    pe_builder_put32(bytes, BUILT_OPTIONAL + 56, BUILT_NEXT_RVA);
    pe_builder_put32(bytes, BUILT_OPTIONAL + 60, BUILT_HEADER_SIZE);
    pe_builder_put16(bytes, BUILT_OPTIONAL + 68, 3);
    pe_builder_put32(bytes, pe_builder_directory(built, 0) - 4, 16);
}

void pe_builder_build(struct pe_builder *built)
{
    static const uint32_t text[] = {0x180, BUILT_CODE_RVA, 0x200, BUILT_CODE, 0x60000020};
    static const uint32_t idata[] = {0x800, BUILT_IMPORTS_RVA, 0x800, BUILT_IMPORTS, 0x40000040};
    static const uint32_t data[] = {0x1800, BUILT_SLOTS_RVA, 0x200, BUILT_SLOTS, 0xc0000040};

    memset(built->bytes, 0, sizeof built->bytes);
    built->size = BUILT_END;
    built->next_name = BUILT_NAMES_RVA;
    built->next_slot = BUILT_SLOTS_RVA;
    put_headers(built);
    put_section(built, 0, ".text", text);
    put_section(built, 1, ".idata", idata);
    put_section(built, 2, ".data", data);
    memset(built->bytes + BUILT_CODE, 0xc3, 0x200);
    put_dlls(built);
}
