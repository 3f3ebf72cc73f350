/* SPDX-License-Identifier: MIT */
/* Writes a longer import table near the program in the other process. */
#include "inject.h"

#include "image.h"
#include "imports.h"
#include "inject_image.h"
#include "near.h"

/** The new import table while it is made; its offsets become RVAs when its place is known. */
struct table {
    char *bytes;                    /* owned: pages of this process */
    SIZE_T size;                    /* bytes of it */
    const struct inject_plan *plan; /* borrowed */
    struct imports old;             /* owned: what the program has already */
    uint32_t descriptors;           /* bytes of all descriptors, the empty last one included */
    uint32_t cut_thunks;            /* bytes of the lookup tables of those that are cut */
};

static uint32_t thunk_size(const struct inject_image *image)
{
    return inject_is_64bit(image) ? 8 : 4;
}

/** Bytes of the two lookup tables of a DLL: one import and the end, twice. */
static uint32_t thunks_size(const struct inject_image *image)
{
    return 4 * thunk_size(image);
}

/** All descriptors but the empty last one. */
static uint32_t descriptor_count(const struct table *table)
{
    return table->plan->count + table->old.count - table->old.cuts + table->old.runs;
}

static NTSTATUS allocate_table(const struct pss_nt *nt, const struct inject_image *image,
                               struct table *table)
{
    void *bytes = NULL;
    NTSTATUS status;

    /* Rounded up, so that the thunks behind the descriptors are aligned. */
    table->descriptors =
        ((descriptor_count(table) + 1) * (uint32_t)sizeof(IMAGE_IMPORT_DESCRIPTOR) + 7) & ~7u;
    table->cut_thunks = (table->old.thunk_count + table->old.runs) * thunk_size(image);
    table->size = table->descriptors + table->cut_thunks;
    for (unsigned i = 0; i < table->plan->count; i++) {
        const struct inject_dll *dll = &table->plan->dlls[i];

        table->size += thunks_size(image) + image_text_size(dll->path) +
                       (dll->name != NULL ? sizeof(WORD) + image_text_size(dll->name) : 0);
    }
    status = nt->allocate_memory(PSS_CURRENT_PROCESS, &bytes, 0, &table->size,
                                 MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (NT_SUCCESS(status))
        table->bytes = bytes;
    return status;
}

/** The place of the new table among the offsets from the image, and where the next things go. */
struct cursor {
    uint32_t rva;    /* of the table */
    uint32_t index;  /* of the next descriptor */
    uint32_t thunks; /* offset of the next lookup table */
    uint32_t texts;  /* offset of the next text */
    uint32_t path;   /* RVA of the first DLL's */
};

static uint32_t put_text(struct table *table, struct cursor *cursor, const char *text)
{
    uint32_t offset = cursor->texts;
    uint32_t size = (uint32_t)image_text_size(text);

    memcpy(table->bytes + offset, text, size);
    cursor->texts += size;
    return cursor->rva + offset;
}

static void put_thunk(const struct inject_image *image, char *place, uint64_t value)
{
    uint32_t narrow = (uint32_t)value;

    if (inject_is_64bit(image))
        memcpy(place, &value, sizeof value);
    else
        memcpy(place, &narrow, sizeof narrow);
}

static void put_descriptor(struct table *table, struct cursor *cursor,
                           const IMAGE_IMPORT_DESCRIPTOR *descriptor)
{
    memcpy(table->bytes + cursor->index++ * sizeof *descriptor, descriptor, sizeof *descriptor);
}

/** Writes the descriptor of a DLL with its lookup table and its table of addresses. */
static void put_dll(const struct inject_image *image, struct table *table, struct cursor *cursor,
                    const struct inject_dll *dll)
{
    uint64_t by_ordinal = inject_is_64bit(image) ? IMAGE_ORDINAL_FLAG64 : IMAGE_ORDINAL_FLAG32;
    uint32_t half = thunks_size(image) / 2;
    IMAGE_IMPORT_DESCRIPTOR descriptor = {0};
    uint64_t import = by_ordinal | 1;

    if (dll->name != NULL) {
        import = cursor->rva + cursor->texts; /* its hint stays 0 */
        cursor->texts += sizeof(WORD);
        put_text(table, cursor, dll->name);
    }
    put_thunk(image, table->bytes + cursor->thunks, import);
    put_thunk(image, table->bytes + cursor->thunks + half, import);
    descriptor.OriginalFirstThunk = cursor->rva + cursor->thunks;
    descriptor.FirstThunk = cursor->rva + cursor->thunks + half;
    descriptor.Name = put_text(table, cursor, dll->path);
    if (cursor->path == 0)
        cursor->path = descriptor.Name;
    cursor->thunks += 2 * half;
    put_descriptor(table, cursor, &descriptor);
}

/** Writes a piece of a descriptor: some imports, whose addresses go where they went before. */
static void put_run(const struct inject_image *image, struct table *table, struct cursor *cursor,
                    IMAGE_IMPORT_DESCRIPTOR *piece, const uint64_t *thunks, uint32_t count)
{
    piece->OriginalFirstThunk = cursor->rva + cursor->thunks;
    piece->TimeDateStamp = 0; /* not bound */
    piece->ForwarderChain = 0;
    for (uint32_t i = 0; i < count; i++)
        put_thunk(image, table->bytes + cursor->thunks + i * thunk_size(image), thunks[i]);
    cursor->thunks += (count + 1) * thunk_size(image);
    put_descriptor(table, cursor, piece);
    piece->FirstThunk += count * thunk_size(image);
}

/** Writes a descriptor in pieces: those of its own DLL, and those of ours. */
static void put_cut(const struct inject_image *image, struct table *table, struct cursor *cursor,
                    uint32_t index, uint32_t first)
{
    const struct imports *old = &table->old;
    uint32_t end = first + old->cut_counts[index];
    IMAGE_IMPORT_DESCRIPTOR piece = old->descriptors[index];

    while (first < end) {
        uint32_t count = 1;

        while (first + count < end && old->ours[first + count] == old->ours[first])
            count++;
        piece.Name = old->ours[first] ? cursor->path : old->descriptors[index].Name;
        put_run(image, table, cursor, &piece, old->thunks + first, count);
        first += count;
    }
}

static void fill_table(const struct inject_image *image, struct table *table, uint32_t rva)
{
    uint32_t dll_thunks = table->plan->count * thunks_size(image);
    struct cursor cursor = {.rva = rva,
                            .thunks = table->descriptors,
                            .texts = table->descriptors + dll_thunks + table->cut_thunks};
    uint32_t first = 0;

    for (unsigned i = 0; i < table->plan->count; i++)
        put_dll(image, table, &cursor, &table->plan->dlls[i]);
    for (uint32_t i = 0; i < table->old.count; i++) {
        if (table->old.cut_counts[i] == 0)
            put_descriptor(table, &cursor, &table->old.descriptors[i]);
        else
            put_cut(image, table, &cursor, i, first);
        first += table->old.cut_counts[i];
    }
}

#define ENTRIES (IMAGE_DIRECTORY_ENTRY_IAT - IMAGE_DIRECTORY_ENTRY_IMPORT + 1)

/** The place of a directory among those from the imports on. */
static unsigned entry_of(unsigned index)
{
    return index - IMAGE_DIRECTORY_ENTRY_IMPORT;
}

/** Makes the headers name the new table. Bound imports, which would be believed first, are
 * forgotten by the same write: the headers change as a whole or not at all.
 *
 * source: Detours 4.0.1, uimports.cpp (MIT): where the headers name no table of addresses, they are
 * made to name the new memory; a loader that has to find out itself looks for the section of the
 * imports, and refuses a program whose imports lie in none (capemon issue 53, Windows 10) */
static NTSTATUS publish(const struct pss_nt *nt, const struct inject_image *image,
                        const struct table *table, uint32_t rva)
{
    const IMAGE_DATA_DIRECTORY *import = inject_directory(image, IMAGE_DIRECTORY_ENTRY_IMPORT);
    const IMAGE_DATA_DIRECTORY *bound = inject_directory(image, IMAGE_DIRECTORY_ENTRY_BOUND_IMPORT);
    const IMAGE_DATA_DIRECTORY *addresses = inject_directory(image, IMAGE_DIRECTORY_ENTRY_IAT);
    IMAGE_DATA_DIRECTORY entries[ENTRIES];
    SIZE_T offset = (SIZE_T)((const char *)import - (const char *)&image->copy);
    unsigned count = 1;

    memcpy(entries, import, sizeof entries);
    entries[0] = (IMAGE_DATA_DIRECTORY){rva, table->descriptors};
    if (bound != NULL && bound->VirtualAddress != 0) {
        count = entry_of(IMAGE_DIRECTORY_ENTRY_BOUND_IMPORT) + 1;
        entries[count - 1] = (IMAGE_DATA_DIRECTORY){0, 0};
    }
    if (addresses != NULL && addresses->VirtualAddress == 0) {
        count = entry_of(IMAGE_DIRECTORY_ENTRY_IAT) + 1;
        entries[count - 1] = (IMAGE_DATA_DIRECTORY){rva, (DWORD)table->size};
    }
    return near_write(nt, image->process, image->headers + offset, entries,
                      count * sizeof *entries);
}

/** Bytes from the program's base in which the table may lie. */
static uint64_t reach_of(const struct inject_image *image)
{
    uint64_t base = (uintptr_t)image->base;

    if (inject_is_64bit(image))
        return 0xffff0000u;
    /* A 32-bit program may be unable to see the upper half of its address space, unless it lies
     * there itself. */
    return (base < 0x7fff0000u ? 0x7fff0000u : 0xffff0000u) - base;
}

/** Puts the table where the program can name it. */
static NTSTATUS place_table(const struct pss_nt *nt, const struct inject_image *image,
                            struct table *table)
{
    SIZE_T none = 0;
    void *release;
    uint32_t rva;
    char *place;
    NTSTATUS status =
        near_allocate(nt, image->process, image->base, reach_of(image), table->size, &place);

    if (!NT_SUCCESS(status))
        return status;
    rva = (uint32_t)((uintptr_t)place - (uintptr_t)image->base);
    fill_table(image, table, rva);
    status = nt->write_memory(image->process, place, table->bytes, table->size, NULL);
    if (NT_SUCCESS(status))
        status = publish(nt, image, table, rva);
    if (!NT_SUCCESS(status)) {
        release = place;
        nt->free_memory(image->process, &release, &none, MEM_RELEASE);
    }
    return status;
}

NTSTATUS inject_imports(const struct pss_nt *nt, const struct inject_image *image,
                        const struct inject_plan *plan)
{
    struct table table = {.plan = plan};
    SIZE_T none = 0;
    void *bytes;
    NTSTATUS status = imports_read(nt, image, plan, &table.old);

    if (!NT_SUCCESS(status))
        return status;
    status = allocate_table(nt, image, &table);
    if (NT_SUCCESS(status)) {
        status = place_table(nt, image, &table);
        bytes = table.bytes;
        nt->free_memory(PSS_CURRENT_PROCESS, &bytes, &none, MEM_RELEASE);
    }
    imports_free(nt, &table.old);
    return status;
}
