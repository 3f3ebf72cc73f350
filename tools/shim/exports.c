/* SPDX-License-Identifier: MIT */
/* Merges a module's export table with the added names, in new memory that the headers are made to
 * name. */
#include "exports.h"

#include "image.h"
#include "near.h"

/** A module's export table, or the new one. */
struct table {
    IMAGE_EXPORT_DIRECTORY *header;
    DWORD *functions; /* RVAs by ordinal */
    DWORD *names;     /* RVAs, sorted by what they name */
    WORD *ordinals;   /* of the names */
    char *texts;      /* of the new table: where the next text goes */
};

static int open_table(char *module, struct table *table)
{
    IMAGE_DATA_DIRECTORY *entry = image_directory(module, IMAGE_DIRECTORY_ENTRY_EXPORT);

    if (entry == NULL || entry->VirtualAddress == 0)
        return 0;
    table->header = (IMAGE_EXPORT_DIRECTORY *)(module + entry->VirtualAddress);
    table->functions = (DWORD *)(module + table->header->AddressOfFunctions);
    table->names = (DWORD *)(module + table->header->AddressOfNames);
    table->ordinals = (WORD *)(module + table->header->AddressOfNameOrdinals);
    return 1;
}

/** Whether an export names another module's: its RVA is a text inside the directory. */
static int is_forwarder(char *module, DWORD rva)
{
    const IMAGE_DATA_DIRECTORY *entry = image_directory(module, IMAGE_DIRECTORY_ENTRY_EXPORT);

    return rva >= entry->VirtualAddress && rva - entry->VirtualAddress < entry->Size;
}

/** Bytes of the new table; all its texts must lie in it, or they were no forwarders any more. */
static SIZE_T measure(char *module, const struct table *old, const struct shim_export *added,
                      unsigned count)
{
    SIZE_T size = sizeof *old->header + (old->header->NumberOfFunctions + count) * sizeof(DWORD) +
                  (old->header->NumberOfNames + count) * (sizeof(DWORD) + sizeof(WORD));

    for (DWORD i = 0; i < old->header->NumberOfFunctions; i++) {
        if (is_forwarder(module, old->functions[i]))
            size += image_text_size(module + old->functions[i]);
    }
    for (unsigned i = 0; i < count; i++)
        size += image_text_size(added[i].name) + image_text_size(added[i].forwarder);
    return size;
}

static DWORD put_text(struct table *table, const char *module, const char *text)
{
    char *place = table->texts;
    SIZE_T size = image_text_size(text);

    memcpy(place, text, size);
    table->texts += size;
    return (DWORD)(place - module);
}

static void lay_out(struct table *table, char *module, char *memory, const struct table *old,
                    unsigned count)
{
    table->header = (IMAGE_EXPORT_DIRECTORY *)memory;
    *table->header = *old->header;
    table->functions = (DWORD *)(memory + sizeof *table->header);
    table->names = table->functions + old->header->NumberOfFunctions + count;
    table->ordinals = (WORD *)(table->names + old->header->NumberOfNames + count);
    table->texts = (char *)(table->ordinals + old->header->NumberOfNames + count);
    table->header->AddressOfFunctions = (DWORD)((char *)table->functions - module);
    table->header->AddressOfNames = (DWORD)((char *)table->names - module);
    table->header->AddressOfNameOrdinals = (DWORD)((char *)table->ordinals - module);
    table->header->NumberOfNames = 0;
}

static void put_functions(struct table *table, char *module, const struct table *old)
{
    for (DWORD i = 0; i < old->header->NumberOfFunctions; i++) {
        DWORD rva = old->functions[i];

        table->functions[i] =
            is_forwarder(module, rva) ? put_text(table, module, module + rva) : rva;
    }
}

static void put_name(struct table *table, DWORD name, WORD ordinal)
{
    table->names[table->header->NumberOfNames] = name;
    table->ordinals[table->header->NumberOfNames++] = ordinal;
}

static void put_added(struct table *table, const char *module, const struct shim_export *added)
{
    DWORD ordinal = table->header->NumberOfFunctions++;

    table->functions[ordinal] = put_text(table, module, added->forwarder);
    put_name(table, put_text(table, module, added->name), (WORD)ordinal);
}

static void merge_names(struct table *table, char *module, const struct table *old,
                        const struct shim_export *added, unsigned count)
{
    unsigned next = 0;

    for (DWORD i = 0; i < old->header->NumberOfNames; i++) {
        const char *name = module + old->names[i];
        int order = -1;

        while (next < count && (order = image_text_compare(added[next].name, name)) < 0)
            put_added(table, module, &added[next++]);
        if (next < count && order == 0)
            put_added(table, module, &added[next++]);
        else
            put_name(table, old->names[i], old->ordinals[i]);
    }
    while (next < count)
        put_added(table, module, &added[next++]);
}

NTSTATUS exports_add(const struct pss_nt *nt, char *module, const struct shim_export *added,
                     unsigned count)
{
    IMAGE_DATA_DIRECTORY entry;
    struct table table;
    struct table old;
    SIZE_T none = 0;
    void *release;
    char *memory;
    NTSTATUS status;

    if (!open_table(module, &old) || old.header->NumberOfFunctions > 0xffff - count)
        return STATUS_INVALID_IMAGE_FORMAT;
    entry.Size = (DWORD)measure(module, &old, added, count);
    status = near_allocate(nt, PSS_CURRENT_PROCESS, module, 0xffff0000u, entry.Size, &memory);
    if (!NT_SUCCESS(status))
        return status;
    lay_out(&table, module, memory, &old, count);
    put_functions(&table, module, &old);
    merge_names(&table, module, &old, added, count);
    entry.VirtualAddress = (DWORD)(memory - module);
    status = near_write(nt, PSS_CURRENT_PROCESS,
                        (char *)image_directory(module, IMAGE_DIRECTORY_ENTRY_EXPORT), &entry,
                        sizeof entry);
    if (!NT_SUCCESS(status)) {
        release = memory;
        nt->free_memory(PSS_CURRENT_PROCESS, &release, &none, MEM_RELEASE);
    }
    return status;
}
