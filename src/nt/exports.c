/* SPDX-License-Identifier: MIT */
/* Export directories: each place a module tells is compared with its size before it is looked at.
 */
#include "nt/exports.h"

#include <string.h>

/* Bytes of a name with its terminator. */
static uint32_t size_of_name(const char *name)
{
    uint32_t size = 1;

    while (name[size - 1])
        size++;
    return size;
}

/* The bytes at an offset, or NULL if not all of them are within the module. */
static const void *bytes_at(const struct pss_module *module, uint32_t offset, uint64_t size)
{
    if (offset > module->size || size > module->size - offset)
        return NULL;
    return module->base + offset;
}

/* Copies what may lie at any address. */
static int read_at(const struct pss_module *module, uint32_t offset, void *buffer, uint32_t size)
{
    const void *bytes = bytes_at(module, offset, size);

    if (bytes)
        memcpy(buffer, bytes, size);
    return bytes != NULL;
}

int pss_module_open(const void *base, SIZE_T limit, struct pss_module *module)
{
    struct pss_module found = {.base = base};
    const IMAGE_DATA_DIRECTORY *directory;
    IMAGE_DOS_HEADER dos;
    IMAGE_NT_HEADERS header;

    found.size = limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX;
    if (!read_at(&found, 0, &dos, sizeof(dos)) || dos.e_magic != IMAGE_DOS_SIGNATURE ||
        dos.e_lfanew < 0 || !read_at(&found, (uint32_t)dos.e_lfanew, &header, sizeof(header)))
        return 0;
    if (header.Signature != IMAGE_NT_SIGNATURE ||
        header.OptionalHeader.Magic != IMAGE_NT_OPTIONAL_HDR_MAGIC ||
        header.OptionalHeader.NumberOfRvaAndSizes <= IMAGE_DIRECTORY_ENTRY_EXPORT)
        return 0;
    if (found.size > header.OptionalHeader.SizeOfImage)
        found.size = header.OptionalHeader.SizeOfImage;
    directory = &header.OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_EXPORT];
    if (directory->Size < sizeof(IMAGE_EXPORT_DIRECTORY) ||
        !bytes_at(&found, directory->VirtualAddress, directory->Size))
        return 0;
    found.exports = directory->VirtualAddress;
    found.exports_size = directory->Size;
    *module = found;
    return 1;
}

static void read_directory(const struct pss_module *module, IMAGE_EXPORT_DIRECTORY *directory)
{
    memset(directory, 0, sizeof(*directory));
    read_at(module, module->exports, directory, sizeof(*directory)); /* Opened: it is there. */
}

static unsigned char lower(unsigned char character)
{
    return character >= 'A' && character <= 'Z' ? (unsigned char)(character | 0x20) : character;
}

int pss_module_is_named(const struct pss_module *module, const char *name)
{
    const unsigned char *own;
    IMAGE_EXPORT_DIRECTORY directory;
    uint32_t size = size_of_name(name);

    read_directory(module, &directory);
    own = bytes_at(module, directory.Name, size);
    for (uint32_t i = 0; own && i < size; i++)
        if (lower(own[i]) != lower((unsigned char)name[i]))
            return 0;
    return own != NULL;
}

/* The index of a name, or the count of names, whose table is within the module. */
static uint32_t find_name(const struct pss_module *module, const IMAGE_EXPORT_DIRECTORY *directory,
                          const char *name)
{
    uint32_t size = size_of_name(name);

    for (uint32_t i = 0; i < directory->NumberOfNames; i++) {
        const void *other;
        uint32_t place = 0;

        read_at(module, directory->AddressOfNames + i * (uint32_t)sizeof(place), &place,
                sizeof(place));
        other = bytes_at(module, place, size);
        if (other && !memcmp(other, name, size))
            return i;
    }
    return directory->NumberOfNames;
}

void *pss_module_find_export(const struct pss_module *module, const char *name)
{
    IMAGE_EXPORT_DIRECTORY directory;
    uint32_t index, place = 0;
    uint16_t ordinal = 0;

    read_directory(module, &directory);
    if (!bytes_at(module, directory.AddressOfNames,
                  (uint64_t)directory.NumberOfNames * sizeof(place)) ||
        !bytes_at(module, directory.AddressOfNameOrdinals,
                  (uint64_t)directory.NumberOfNames * sizeof(ordinal)) ||
        !bytes_at(module, directory.AddressOfFunctions,
                  (uint64_t)directory.NumberOfFunctions * sizeof(place)))
        return NULL;
    index = find_name(module, &directory, name);
    if (index == directory.NumberOfNames)
        return NULL;
    read_at(module, directory.AddressOfNameOrdinals + index * (uint32_t)sizeof(ordinal), &ordinal,
            sizeof(ordinal));
    if (ordinal >= directory.NumberOfFunctions)
        return NULL;
    read_at(module, directory.AddressOfFunctions + ordinal * (uint32_t)sizeof(place), &place,
            sizeof(place));
    /* What lies within the directory is the text of a forwarder. source: the PE format, "Export
     * Address Table" */
    if (!place || place >= module->size || place - module->exports < module->exports_size)
        return NULL;
    return (void *)(uintptr_t)(module->base + place);
}
