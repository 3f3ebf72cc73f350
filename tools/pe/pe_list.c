/* SPDX-License-Identifier: MIT */
/* Lists all that a PE file imports. */
#include "pe_list.h"

#include "pe_imports.h"
#include "pe_lookup.h"

/** One kind of descriptors: where they are, and offsets of their fields. */
struct kind {
    enum pe_directory directory;
    uint32_t size;
    uint32_t name;
    uint32_t lookup;
    uint32_t slots; /* which have the names where there is no lookup table */
    int is_delayed;
};

struct list {
    const struct pe_file *file;
    pe_import_visit *visit;
    void *context;
    uint32_t left; /* names that may still be read */
};

/** Visits one entry of a lookup table; 0 at its end. */
static int visit_entry(const struct list *list, uint32_t rva, uint32_t base,
                       struct pe_import *import)
{
    const struct pe_file *file = list->file;
    uint64_t ordinal = UINT64_C(1) << (file->word_size * 8 - 1), value;
    uint8_t bytes[8] = {0};
    char name[PE_SYMBOL_SIZE];

    if (!pe_load(file, rva, bytes, file->word_size))
        return 0;
    value = pe_get64(bytes);
    if (value == 0)
        return 0;
    import->name = NULL;
    import->ordinal = (uint32_t)(value & 0xffff);
    if ((value & ordinal) == 0) {
        if (value < base || value - base > INT32_MAX ||
            !pe_load_text(file, (uint32_t)(value - base) + 2, name, sizeof name))
            return 0;
        import->name = name;
    }
    list->visit(list->context, import);
    return 1;
}

static void visit_descriptor(struct list *list, const struct kind *kind, const uint8_t *descriptor)
{
    uint32_t base = kind->is_delayed && !(descriptor[0] & 1) ? (uint32_t)list->file->image_base : 0;
    uint32_t lookup = pe_get32(descriptor + kind->lookup), rva;
    char dll[PE_SYMBOL_SIZE];
    struct pe_import import = {.dll = dll, .is_delayed = kind->is_delayed};

    if (lookup == 0)
        lookup = pe_get32(descriptor + kind->slots);
    if (!pe_load_text(list->file, pe_get32(descriptor + kind->name) - base, dll, sizeof dll))
        return;
    for (uint32_t i = 0; list->left > 0; i++, list->left--)
        if (!pe_advance(lookup - base, i, list->file->word_size, &rva) ||
            !visit_entry(list, rva, base, &import))
            return;
}

static void visit_table(struct list *list, const struct kind *kind)
{
    uint32_t start = pe_directory(list->file, kind->directory).rva;

    for (uint32_t i = 0; start != 0 && i < PE_MAX_DESCRIPTORS; i++) {
        uint8_t descriptor[PE_DELAY_SIZE];
        uint32_t rva;

        if (!pe_advance(start, i, kind->size, &rva) ||
            !pe_load(list->file, rva, descriptor, kind->size) ||
            pe_get32(descriptor + kind->name) == 0)
            return;
        visit_descriptor(list, kind, descriptor);
    }
}

void pe_list_imports(const struct pe_file *file, pe_import_visit *visit, void *context)
{
    static const struct kind ordinary = {PE_DIRECTORY_IMPORTS, PE_IMPORT_SIZE, 12, 0, 16, 0};
    static const struct kind delayed = {PE_DIRECTORY_DELAY_IMPORTS, PE_DELAY_SIZE, 4, 16, 12, 1};
    struct list list = {file, visit, context, PE_MAX_NAMES};

    visit_table(&list, &ordinary);
    visit_table(&list, &delayed);
}
