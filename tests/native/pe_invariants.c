/* SPDX-License-Identifier: MIT */
/* What must be true of each answer to any bytes; shared by the tests and the fuzzer. */
#include "pe_invariants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pe_imports.h"
#include "pe_list.h"
#include "pe_rebind.h"
#include "pe_trailing.h"

#define require(condition)                                                  \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            __builtin_trap();                                               \
        }                                                                   \
    } while (0)

/** Bytes of the old sections that may differ: delay-load descriptors, debug entries, and where DLLs
 * are looked for. */
static size_t count_changeable(const struct pe_file *file)
{
    struct pe_imports imports;
    size_t count;

    require(pe_imports_read(file, &imports) == PE_NOTHING);
    count = 1 + 8 * imports.lazy_count + 4 * (pe_directory(file, PE_DIRECTORY_DEBUG).size / 28);
    pe_imports_free(&imports);
    return count;
}

/** How far the sections' bytes moved back in the file: as many as the headers needed. */
static uint32_t find_shift(const struct pe_file *before, const struct pe_file *after)
{
    for (uint32_t i = 0; i < before->section_count; i++)
        if (before->sections[i].file_size)
            return after->sections[i].offset - before->sections[i].offset;
    return 0;
}

static void check_sections(const struct pe_file *before, const struct pe_file *after)
{
    uint32_t shift = find_shift(before, after);
    size_t changed = 0;

    require(after->section_count == before->section_count + 1);
    require(shift % before->file_alignment == 0 && shift <= before->file_alignment);
    for (uint32_t i = 0; i < before->section_count; i++) {
        const struct pe_section *old = &before->sections[i], *new = &after->sections[i];

        require(old->rva == new->rva && old->file_size == new->file_size &&
                old->memory_size == new->memory_size && old->flags == new->flags);
        if (old->file_size == 0)
            continue;
        require(new->offset == old->offset + shift);
        for (uint32_t j = 0; j < old->file_size; j++)
            changed += before->bytes[old->offset + j] != after->bytes[new->offset + j];
    }
    require(changed <= count_changeable(before));
}

static void check_new_section(const struct pe_file *before, const struct pe_file *after)
{
    const struct pe_section *added = &after->sections[before->section_count];

    require(strcmp(added->name, PE_NEW_SECTION) == 0);
    require(added->rva % after->section_alignment == 0 && added->rva >= before->image_size);
    require(added->offset % after->file_alignment == 0);
    require(added->file_size % after->file_alignment == 0);
    require(after->image_size % after->section_alignment == 0);
    require(after->image_size - added->rva >= added->memory_size);
}

static void check_new_form(const uint8_t *bytes, size_t size, const struct pe_result *result)
{
    static struct pe_file before, after;
    struct pe_imports imports;
    struct pe_result again;

    require(pe_open(bytes, size, &before) == PE_NOTHING);
    require(pe_open(result->bytes, result->size, &after) == PE_NOTHING);
    require(pe_imports_read(&after, &imports) == PE_NOTHING);
    require(pe_imports_moving(&imports) == 0 && imports.already > 0);
    pe_imports_free(&imports);
    check_sections(&before, &after);
    check_new_section(&before, &after);
    require(pe_rebind(result->bytes, result->size, &again) == PE_ALREADY && !again.bytes);
}

/** What else is read of a file must end, whatever is in it. */
static void look_up(void *context, const struct pe_import *import)
{
    struct pe_exports *exports = context;

    require(import->dll && (!import->name || strlen(import->name) < PE_SYMBOL_SIZE));
    if (exports->file && import->name)
        pe_exports_name(exports, import->name);
    else if (exports->file)
        pe_exports_ordinal(exports, import->ordinal);
}

static void check_lists(const uint8_t *bytes, size_t size)
{
    static struct pe_file file;
    struct pe_exports exports = {0};

    if (pe_open(bytes, size, &file) != PE_NOTHING)
        return;
    if (pe_exports_open(&file, &exports))
        pe_exports_all_moved(&exports);
    pe_list_imports(&file, look_up, &exports);
    require(pe_trailing(&file) <= size);
}

enum pe_verdict pe_invariants_check(const uint8_t *bytes, size_t size)
{
    struct pe_result result;
    uint8_t *copy = malloc(size ? size : 1); /* With nothing behind it that could be read. */
    enum pe_verdict verdict;

    require(copy);
    memcpy(copy, bytes, size);
    check_lists(copy, size);
    verdict = pe_rebind(copy, size, &result);
    require(memcmp(copy, bytes, size) == 0);
    require((verdict == PE_REBOUND) == (result.bytes != NULL));
    if (verdict == PE_REBOUND)
        check_new_form(copy, size, &result);
    free(result.bytes);
    free(copy);
    return verdict;
}
