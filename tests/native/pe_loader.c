/* SPDX-License-Identifier: MIT */
/* A model of the loader: maps a well-formed PE file and tells what each slot is bound to. */
#include "pe_loader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint32_t get32(const struct pe_loader *loader, uint32_t rva)
{
    uint32_t value;

    assert_true(rva <= PE_LOADER_ROOM - 4);
    memcpy(&value, loader->image + rva, 4);
    return value;
}

static uint32_t get_file32(const uint8_t *bytes, size_t size, size_t offset)
{
    uint32_t value;

    assert_true(offset + 4 <= size);
    memcpy(&value, bytes + offset, 4);
    return value;
}

/** Copies the headers and sections to their places, which follow each other as Windows wants. */
static void map_sections(struct pe_loader *loader, const uint8_t *bytes, size_t size)
{
    uint32_t header = get_file32(bytes, size, 60), next = 0x1000;
    uint32_t sections = get_file32(bytes, size, header + 6) & 0xffff;
    uint32_t table = header + 24 + (get_file32(bytes, size, header + 20) & 0xffff);
    uint32_t header_size = get_file32(bytes, size, header + 24 + 60);

    assert_true(table + 40 * sections <= header_size && header_size <= size);
    memcpy(loader->image, bytes, header_size);
    for (uint32_t i = 0; i < sections; i++) {
        uint32_t memory = get_file32(bytes, size, table + 40 * i + 8);
        uint32_t rva = get_file32(bytes, size, table + 40 * i + 12);
        uint32_t data = get_file32(bytes, size, table + 40 * i + 16);
        uint32_t offset = get_file32(bytes, size, table + 40 * i + 20);

        assert_int_equal(rva, next);
        next = (rva + memory + 0xfff) & ~0xfffu;
        data = data < memory ? data : memory;
        assert_true(offset % 0x200 == 0 && offset + data <= size && next <= PE_LOADER_ROOM);
        memcpy(loader->image + rva, bytes + offset, data);
    }
    assert_int_equal(get_file32(bytes, size, header + 24 + 56), next);
    loader->is_64 = (get_file32(bytes, size, header + 24) & 0xffff) == 0x20b;
    loader->directory = header + 24 + (loader->is_64 ? 112 : 96);
}

const struct pe_binding *pe_loader_find(const struct pe_loader *loader, uint32_t slot)
{
    static const struct pe_binding none;

    for (size_t i = 0; i < loader->count; i++)
        if (loader->bindings[i].slot == slot)
            return &loader->bindings[i];
    return &none;
}

/** A slot that is bound when the program starts is never bound later. */
static void add_binding(struct pe_loader *loader, uint32_t slot, uint32_t dll, uint32_t entry,
                        int is_delayed)
{
    struct pe_binding *binding = &loader->bindings[loader->count];
    uint32_t low = get32(loader, entry);
    int is_ordinal = (get32(loader, loader->is_64 ? entry + 4 : entry) & 0x80000000u) != 0;
    const char *name = (const char *)loader->image + dll;

    if (pe_loader_find(loader, slot)->slot != 0) {
        assert_true(is_delayed);
        return;
    }
    assert_true(loader->count < PE_LOADER_BINDINGS);
    if (is_ordinal)
        snprintf(binding->function, sizeof binding->function, "%s!#%u", name, low & 0xffff);
    else
        snprintf(binding->function, sizeof binding->function, "%s!%s", name,
                 (const char *)loader->image + low + 2);
    binding->slot = slot;
    binding->is_delayed = is_delayed;
    loader->count++;
}

static void bind(struct pe_loader *loader, uint32_t dll, uint32_t lookup, uint32_t slots,
                 int is_delayed)
{
    uint32_t word = loader->is_64 ? 8 : 4;

    for (; get32(loader, lookup) != 0; lookup += word, slots += word)
        add_binding(loader, slots, dll, lookup, is_delayed);
}

void pe_loader_bind(struct pe_loader *loader, const uint8_t *bytes, size_t size)
{
    uint32_t at;

    memset(loader, 0, sizeof *loader);
    map_sections(loader, bytes, size);
    at = get32(loader, loader->directory + 8);
    for (; at != 0 && get32(loader, at + 12) != 0; at += 20) {
        uint32_t lookup = get32(loader, at), slots = get32(loader, at + 16);

        bind(loader, get32(loader, at + 12), lookup != 0 ? lookup : slots, slots, 0);
    }
    at = get32(loader, loader->directory + 8 * 13);
    for (; at != 0 && get32(loader, at + 4) != 0; at += 32)
        if (get32(loader, at) & 1)
            bind(loader, get32(loader, at + 4), get32(loader, at + 16), get32(loader, at + 12), 1);
}
