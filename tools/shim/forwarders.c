/* SPDX-License-Identifier: MIT */
/* Finds modules by their names, and reads their export tables within the bounds of the module. */
#include "forwarders.h"

#include <winternl.h>

#include "image.h"

/** A module's export table, each part of it inside the module. */
struct export_table {
    char *module;
    DWORD limit; /* bytes of the module */
    IMAGE_DATA_DIRECTORY place;
    const IMAGE_EXPORT_DIRECTORY *header;
    const DWORD *functions;
    const DWORD *names;
    const WORD *ordinals;
};

static char lower(WCHAR letter)
{
    if (letter >= 0x80)
        return '\xff'; /* no letter of a name in an import table */
    return letter >= L'A' && letter <= L'Z' ? (char)(letter - L'A' + L'a') : (char)letter;
}

/** Whether a path ends with the file name, which may leave out its ".dll". */
static int is_named(const UNICODE_STRING *path, const char *name)
{
    static const char suffix[] = ".dll";
    USHORT count = path->Length / sizeof(WCHAR);
    USHORT i = count;
    int has_dot = 0;

    while (i > 0 && path->Buffer[i - 1] != L'\\')
        i--;
    for (; *name != '\0'; name++, i++) {
        has_dot |= *name == '.';
        if (i == count || lower(path->Buffer[i]) != lower((unsigned char)*name))
            return 0;
    }
    for (unsigned j = 0; !has_dot && suffix[j] != '\0'; j++, i++) {
        if (i == count || lower(path->Buffer[i]) != suffix[j])
            return 0;
    }
    return i == count;
}

char *forwarders_find_module(const char *name)
{
    const PEB_LDR_DATA *loader = NtCurrentTeb()->ProcessEnvironmentBlock->Ldr;
    const LIST_ENTRY *end = &loader->InMemoryOrderModuleList;

    for (const LIST_ENTRY *link = end->Flink; link != end; link = link->Flink) {
        const LDR_DATA_TABLE_ENTRY *entry =
            CONTAINING_RECORD(link, LDR_DATA_TABLE_ENTRY, InMemoryOrderLinks);

        if (entry->FullDllName.Buffer != NULL && is_named(&entry->FullDllName, name))
            return entry->DllBase;
    }
    return NULL;
}

/** Elements of a table in the module; NULL when it does not lie there as a whole, or between the
 * addresses that its elements may have. */
static const void *table_at(const struct export_table *table, DWORD rva, DWORD count, DWORD size)
{
    DWORD alignment = size % sizeof(DWORD) == 0 ? sizeof(DWORD) : size;

    if (rva >= table->limit || rva % alignment != 0 || count > (table->limit - rva) / size)
        return NULL;
    return table->module + rva;
}

static int open_table(char *module, struct export_table *table)
{
    const IMAGE_DATA_DIRECTORY *place = image_directory(module, IMAGE_DIRECTORY_ENTRY_EXPORT);

    if (place == NULL || place->VirtualAddress == 0)
        return 0;
    table->module = module;
    table->limit = image_size(module);
    table->place = *place;
    table->header = table_at(table, place->VirtualAddress, 1, sizeof *table->header);
    if (table->header == NULL || table_at(table, place->VirtualAddress, place->Size, 1) == NULL)
        return 0;
    table->functions = table_at(table, table->header->AddressOfFunctions,
                                table->header->NumberOfFunctions, sizeof(DWORD));
    table->names =
        table_at(table, table->header->AddressOfNames, table->header->NumberOfNames, sizeof(DWORD));
    table->ordinals = table_at(table, table->header->AddressOfNameOrdinals,
                               table->header->NumberOfNames, sizeof(WORD));
    return table->functions != NULL;
}

/** Compares a text with the one at an offset of the module, of which none is read beyond its end.
 */
static int compare_at(const struct export_table *table, const char *text, DWORD rva)
{
    for (; rva < table->limit; rva++, text++) {
        const char *other = table->module + rva;

        if (*text != *other || *text == '\0')
            return (unsigned char)*text - (unsigned char)*other;
    }
    return 1;
}

/* source: learn.microsoft.com, PE format: the names are sorted */
static int find_index(const struct export_table *table, const char *name, DWORD *index)
{
    DWORD first = 0;
    DWORD end = table->names != NULL && table->ordinals != NULL ? table->header->NumberOfNames : 0;

    while (first < end) {
        DWORD middle = first + (end - first) / 2;
        int order = compare_at(table, name, table->names[middle]);

        if (order == 0) {
            *index = table->ordinals[middle];
            return 1;
        }
        if (order < 0)
            end = middle;
        else
            first = middle + 1;
    }
    return 0;
}

/** Reads "library.name" or "library.#ordinal"; the library's own name may have a point, too. */
static int parse(const char *text, DWORD room, struct forwarder *forwarder)
{
    static const char suffix[] = ".dll";
    struct forwarder parsed = {.ordinal = 0};
    DWORD length = 0;
    DWORD point = 0;
    DWORD start;

    while (length < room && text[length] != '\0') {
        if (text[length] == '.')
            point = length;
        length++;
    }
    start = point + 1;
    if (length == room || point == 0 || point + sizeof suffix > FORWARDER_TEXT || start == length ||
        length - start >= FORWARDER_TEXT)
        return 0;
    memcpy(parsed.library, text, point);
    memcpy(parsed.library + point, suffix, sizeof suffix);
    if (text[start] == '#') {
        for (DWORD i = start + 1; i < length && parsed.ordinal <= 0xffff; i++)
            parsed.ordinal = parsed.ordinal * 10 + (DWORD)(unsigned char)text[i] - '0';
    } else {
        memcpy(parsed.name, text + start, length - start);
    }
    *forwarder = parsed;
    return 1;
}

int forwarders_read(char *module, const char *name, DWORD ordinal, struct forwarder *forwarder)
{
    struct export_table table;
    DWORD index;
    DWORD offset;

    if (!open_table(module, &table))
        return 0;
    if (name == NULL)
        index = ordinal - table.header->Base;
    else if (!find_index(&table, name, &index))
        return 0;
    if (index >= table.header->NumberOfFunctions)
        return 0;
    offset = table.functions[index] - table.place.VirtualAddress;
    return offset < table.place.Size &&
           parse(module + table.functions[index], table.place.Size - offset, forwarder);
}
