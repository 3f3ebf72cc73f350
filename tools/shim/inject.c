/* SPDX-License-Identifier: MIT */
/* Reads the program's headers and import table in the other process, and writes a longer table near
 * it. */
#include "inject.h"

#include "image.h"
#include "near.h"

#define MAX_DESCRIPTORS 4096u /* the empty last one included */
#define CHUNK           32u   /* descriptors read at a time */
#define PAGE            4096u

/** The new import table while it is made; its offsets become RVAs when its place is known. */
struct table {
    char *bytes;                   /* owned: pages of this process */
    SIZE_T size;                   /* bytes of it */
    const struct inject_dll *dlls; /* borrowed */
    uint32_t added;                /* of them */
    uint32_t count;                /* descriptors that the program has already */
    uint32_t descriptors;          /* bytes of all descriptors, the empty last one included */
};

/** An address that the other process has named. It may lead round the address space: what is there
 * is read or not, but no pointer of ours goes out of bounds. */
static char *address_at(const char *start, SIZE_T offset)
{
    return (char *)((uintptr_t)start + offset);
}

static NTSTATUS read_exactly(const struct pss_nt *nt, HANDLE process, const char *address,
                             void *buffer, SIZE_T size)
{
    SIZE_T read = 0;
    NTSTATUS status = nt->read_memory(process, address, buffer, size, &read);

    return NT_SUCCESS(status) && read != size ? STATUS_PARTIAL_COPY : status;
}

/* source: phnt ntpebteb.h, PEB.ImageBaseAddress, at the third pointer; a WoW64 process has it in
 * its 64-bit PEB too */
static NTSTATUS find_base(const struct pss_nt *nt, HANDLE process, char **base)
{
    struct pss_nt_process_basic basic;
    NTSTATUS status =
        nt->query_process(process, ProcessBasicInformation, &basic, sizeof basic, NULL);

    if (!NT_SUCCESS(status))
        return status;
    return read_exactly(nt, process, address_at(basic.peb, 2 * sizeof(void *)), base, sizeof *base);
}

static int is_64bit(const struct inject_image *image)
{
    return image->machine == IMAGE_FILE_MACHINE_AMD64;
}

/** A data directory in the copy of the headers; NULL when they have no room for it. */
static const IMAGE_DATA_DIRECTORY *directory(const struct inject_image *image, unsigned index)
{
    const IMAGE_OPTIONAL_HEADER32 *narrow = &image->copy.nt32.OptionalHeader;
    const IMAGE_OPTIONAL_HEADER64 *wide = &image->copy.nt64.OptionalHeader;

    if (is_64bit(image))
        return index < wide->NumberOfRvaAndSizes ? &wide->DataDirectory[index] : NULL;
    return index < narrow->NumberOfRvaAndSizes ? &narrow->DataDirectory[index] : NULL;
}

/* source: learn.microsoft.com, PE format: the magic number says which optional header it is */
static NTSTATUS check_headers(const struct inject_image *image)
{
    const IMAGE_NT_HEADERS32 *nt32 = &image->copy.nt32;
    WORD magic = nt32->OptionalHeader.Magic;

    if (nt32->Signature != IMAGE_NT_SIGNATURE)
        return STATUS_INVALID_IMAGE_FORMAT;
    if (image->machine != IMAGE_FILE_MACHINE_AMD64 && image->machine != IMAGE_FILE_MACHINE_I386)
        return STATUS_NOT_SUPPORTED;
    if (magic !=
            (is_64bit(image) ? IMAGE_NT_OPTIONAL_HDR64_MAGIC : IMAGE_NT_OPTIONAL_HDR32_MAGIC) ||
        directory(image, IMAGE_DIRECTORY_ENTRY_IMPORT) == NULL)
        return STATUS_INVALID_IMAGE_FORMAT;
    return STATUS_SUCCESS;
}

/** Whether no loader will read the imports, since all code is managed. */
static int is_managed(const struct pss_nt *nt, const struct inject_image *image)
{
    const IMAGE_DATA_DIRECTORY *found = directory(image, IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR);
    IMAGE_COR20_HEADER managed;

    return found != NULL && found->VirtualAddress != 0 &&
           NT_SUCCESS(read_exactly(nt, image->process,
                                   address_at(image->base, found->VirtualAddress), &managed,
                                   sizeof managed)) &&
           (managed.Flags & COMIMAGE_FLAGS_ILONLY);
}

NTSTATUS inject_open(const struct pss_nt *nt, HANDLE process, struct inject_image *image)
{
    struct inject_image opened = {.process = process};
    IMAGE_DOS_HEADER dos;
    NTSTATUS status = find_base(nt, process, &opened.base);

    if (!NT_SUCCESS(status))
        return status;
    status = read_exactly(nt, process, opened.base, &dos, sizeof dos);
    if (!NT_SUCCESS(status))
        return status;
    if (dos.e_magic != IMAGE_DOS_SIGNATURE || dos.e_lfanew <= 0)
        return STATUS_INVALID_IMAGE_FORMAT;
    opened.headers = address_at(opened.base, (uint32_t)dos.e_lfanew);
    status = read_exactly(nt, process, opened.headers, &opened.copy, sizeof opened.copy);
    if (!NT_SUCCESS(status))
        return status;
    opened.machine = opened.copy.nt32.FileHeader.Machine;
    status = check_headers(&opened);
    if (NT_SUCCESS(status) && is_managed(nt, &opened))
        status = STATUS_NOT_SUPPORTED;
    if (NT_SUCCESS(status))
        *image = opened;
    return status;
}

/** How many descriptors to read at once: those of one page, or one, since what comes behind the
 * table may be free. */
static uint32_t chunk_at(const char *address)
{
    uint32_t whole =
        (PAGE - (uint32_t)((uintptr_t)address % PAGE)) / (uint32_t)sizeof(IMAGE_IMPORT_DESCRIPTOR);

    return whole == 0 ? 1 : whole < CHUNK ? whole : CHUNK;
}

/** Counts the program's descriptors up to the empty one; the size in the directory is not always
 * true. */
static NTSTATUS count_descriptors(const struct pss_nt *nt, const struct inject_image *image,
                                  uint32_t *count)
{
    uint32_t rva = directory(image, IMAGE_DIRECTORY_ENTRY_IMPORT)->VirtualAddress;
    const char *next = address_at(image->base, rva);
    IMAGE_IMPORT_DESCRIPTOR chunk[CHUNK];
    uint32_t found = 0;

    if (rva == 0) {
        *count = 0;
        return STATUS_SUCCESS;
    }
    while (found < MAX_DESCRIPTORS) {
        uint32_t left = MAX_DESCRIPTORS - found;
        uint32_t part = chunk_at(next) < left ? chunk_at(next) : left;
        NTSTATUS status = read_exactly(nt, image->process, next, chunk, part * sizeof *chunk);

        if (!NT_SUCCESS(status))
            return status;
        for (uint32_t i = 0; i < part; i++, found++) {
            if (chunk[i].Name == 0 || chunk[i].FirstThunk == 0) {
                *count = found;
                return STATUS_SUCCESS;
            }
        }
        next = address_at(next, part * sizeof *chunk);
    }
    return STATUS_INVALID_IMAGE_FORMAT;
}

/** Bytes of the two lookup tables of a DLL: one import and the end, twice. */
static uint32_t thunks_size(const struct inject_image *image)
{
    return 4 * (is_64bit(image) ? 8 : 4);
}

static NTSTATUS allocate_table(const struct pss_nt *nt, const struct inject_image *image,
                               struct table *table)
{
    void *bytes = NULL;
    NTSTATUS status;

    /* Rounded up, so that the thunks behind the descriptors are aligned. */
    table->descriptors =
        ((table->count + table->added + 1) * (uint32_t)sizeof(IMAGE_IMPORT_DESCRIPTOR) + 7) & ~7u;
    table->size = table->descriptors;
    for (unsigned i = 0; i < table->added; i++) {
        const struct inject_dll *dll = &table->dlls[i];

        table->size += thunks_size(image) + image_text_size(dll->path) +
                       (dll->name != NULL ? sizeof(WORD) + image_text_size(dll->name) : 0);
    }
    status = nt->allocate_memory(PSS_CURRENT_PROCESS, &bytes, 0, &table->size,
                                 MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (NT_SUCCESS(status))
        table->bytes = bytes;
    return status;
}

/** The place of the new table among the offsets from the image, and where the next text goes. */
struct cursor {
    uint32_t rva;    /* of the table */
    uint32_t thunks; /* offset of the next DLL's lookup tables */
    uint32_t texts;  /* offset of the next text */
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

    if (is_64bit(image))
        memcpy(place, &value, sizeof value);
    else
        memcpy(place, &narrow, sizeof narrow);
}

/** Writes the descriptor of a DLL with its lookup table and its table of addresses. */
static void put_dll(const struct inject_image *image, struct table *table, struct cursor *cursor,
                    const struct inject_dll *dll, unsigned index)
{
    uint64_t by_ordinal = is_64bit(image) ? IMAGE_ORDINAL_FLAG64 : IMAGE_ORDINAL_FLAG32;
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
    cursor->thunks += 2 * half;
    memcpy(table->bytes + index * sizeof descriptor, &descriptor, sizeof descriptor);
}

static NTSTATUS fill_table(const struct pss_nt *nt, const struct inject_image *image,
                           struct table *table, uint32_t rva)
{
    struct cursor cursor = {.rva = rva,
                            .thunks = table->descriptors,
                            .texts = table->descriptors + table->added * thunks_size(image)};
    uint32_t old = directory(image, IMAGE_DIRECTORY_ENTRY_IMPORT)->VirtualAddress;

    for (unsigned i = 0; i < table->added; i++)
        put_dll(image, table, &cursor, &table->dlls[i], i);
    if (table->count == 0)
        return STATUS_SUCCESS;
    return read_exactly(nt, image->process, address_at(image->base, old),
                        table->bytes + table->added * sizeof(IMAGE_IMPORT_DESCRIPTOR),
                        table->count * sizeof(IMAGE_IMPORT_DESCRIPTOR));
}

/** Makes the headers name the new table. Bound imports, which would be believed first, are
 * forgotten by the same write: the headers change as a whole or not at all. */
static NTSTATUS publish(const struct pss_nt *nt, const struct inject_image *image,
                        const struct table *table, uint32_t rva)
{
    const IMAGE_DATA_DIRECTORY *import = directory(image, IMAGE_DIRECTORY_ENTRY_IMPORT);
    const IMAGE_DATA_DIRECTORY *bound = directory(image, IMAGE_DIRECTORY_ENTRY_BOUND_IMPORT);
    IMAGE_DATA_DIRECTORY entries[IMAGE_DIRECTORY_ENTRY_BOUND_IMPORT];
    SIZE_T size = sizeof *entries;
    SIZE_T offset = (SIZE_T)((const char *)import - (const char *)&image->copy);

    if (bound != NULL && bound->VirtualAddress != 0)
        size = sizeof entries; /* from the imports to the bound ones */
    memcpy(entries, import, size);
    entries[0].VirtualAddress = rva;
    entries[0].Size = table->descriptors;
    if (size == sizeof entries) {
        entries[IMAGE_DIRECTORY_ENTRY_BOUND_IMPORT - 1].VirtualAddress = 0;
        entries[IMAGE_DIRECTORY_ENTRY_BOUND_IMPORT - 1].Size = 0;
    }
    return near_write(nt, image->process, image->headers + offset, entries, size);
}

/** Bytes from the program's base in which the table may lie. */
static uint64_t reach_of(const struct inject_image *image)
{
    uint64_t base = (uintptr_t)image->base;

    if (is_64bit(image))
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
    status = fill_table(nt, image, table, rva);
    if (NT_SUCCESS(status))
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
                        const struct inject_dll *dlls, unsigned count)
{
    struct table table = {.dlls = dlls, .added = count};
    SIZE_T none = 0;
    void *bytes;
    NTSTATUS status = count_descriptors(nt, image, &table.count);

    if (NT_SUCCESS(status))
        status = allocate_table(nt, image, &table);
    if (!NT_SUCCESS(status))
        return status;
    status = place_table(nt, image, &table);
    bytes = table.bytes;
    nt->free_memory(PSS_CURRENT_PROCESS, &bytes, &none, MEM_RELEASE);
    return status;
}
