/* SPDX-License-Identifier: MIT */
/* Makes the form of a PE file that imports its Pss functions from pss.dll. */
#include "pe_rebind.h"

#include <stdlib.h>
#include <string.h>

#include "pe_imports.h"
#include "pe_kind.h"
#include "pe_layout.h"
#include "pe_patch.h"
#include "pe_table.h"
#include "pe_trailing.h"

/** Whether the file was rebound before. */
static int has_section(const struct pe_file *file)
{
    for (uint32_t i = 0; i < file->section_count; i++)
        if (strcmp(file->sections[i].name, PE_NEW_SECTION) == 0)
            return 1;
    return 0;
}

/** Whether the imports, if any are to move, can be moved. */
static enum pe_verdict judge(const struct pe_file *file, const struct pe_imports *imports)
{
    if (imports->has_addresses)
        return PE_DELAY_ADDRESSES;
    if (pe_imports_moving(imports) == 0 && imports->already > imports->foreign)
        return has_section(file) ? PE_ALREADY : PE_USES_PSS;
    if (pe_imports_moving(imports) == 0)
        return pe_kind(file);
    if (imports->foreign > 0)
        return PE_OTHER_PSS;
    if (pe_is_bundle(file))
        return PE_BUNDLE;
    if (imports->has_read_only)
        return PE_DELAY_READ_ONLY;
    if (imports->has_nameless)
        return PE_NO_NAMES;
    /* Some loaders unlock the section of the import table instead, which is another one then. */
    if (pe_directory(file, PE_DIRECTORY_ADDRESS_TABLE).rva == 0 &&
        !pe_imports_are_writable(file, imports))
        return PE_NO_ADDRESS_TABLE;
    return PE_REBOUND;
}

static enum pe_verdict read_imports(const uint8_t *bytes, size_t size, struct pe_file *file,
                                    struct pe_imports *imports)
{
    enum pe_verdict verdict = pe_open(bytes, size, file);

    if (verdict == PE_NOTHING)
        verdict = pe_imports_read(file, imports);
    return verdict == PE_NOTHING ? judge(file, imports) : verdict;
}

/** What was made must be readable, and import from pss.dll. */
static int is_rebound(const uint8_t *bytes, size_t size, struct pe_file *file)
{
    struct pe_imports imports = {0};
    enum pe_verdict verdict = read_imports(bytes, size, file, &imports);

    pe_imports_free(&imports);
    return verdict == PE_ALREADY;
}

/** Puts the old parts in place: headers, sections, and what follows them. */
static void copy_parts(const struct pe_file *file, const struct pe_layout *layout, uint32_t growth,
                       uint8_t *bytes)
{
    uint32_t rest = layout->data_end, cut = (uint32_t)file->size;
    uint8_t *to = bytes + layout->data_end + growth;

    if (layout->certificates_size != 0)
        cut = layout->certificates;
    memcpy(bytes, file->bytes, layout->data_start);
    memcpy(bytes + layout->data_start + layout->data_growth, file->bytes + layout->data_start,
           rest - layout->data_start);
    memcpy(to, file->bytes + rest, cut - rest);
    to += cut - rest;
    cut += layout->certificates_size;
    memcpy(to, file->bytes + cut, file->size - cut);
}

static enum pe_verdict assemble(struct pe_file *file, const struct pe_imports *imports,
                                struct pe_result *result)
{
    struct pe_layout layout;
    struct pe_table table;
    enum pe_verdict verdict = pe_layout_make(file, &layout);
    uint64_t size;
    uint32_t growth;

    if (verdict != PE_NOTHING)
        return verdict;
    if (!pe_table_plan(file, imports, layout.rva, &table))
        return PE_TOO_LARGE;
    growth = (uint32_t)pe_align((uint64_t)layout.data + table.size, file->file_alignment) -
             layout.data_end;
    size = (uint64_t)file->size + growth - layout.certificates_size;
    if (size > PE_MAX_SIZE || (uint64_t)layout.rva + table.size > INT32_MAX)
        return PE_TOO_LARGE;
    result->bytes = calloc(1, (size_t)size);
    if (result->bytes == NULL)
        return PE_NO_MEMORY;
    result->size = (size_t)size;
    copy_parts(file, &layout, growth, result->bytes);
    if (!pe_table_write(file, imports, &table, result->bytes + layout.data) ||
        !pe_patch(file, imports, &layout, &table, result))
        return PE_BAD_LAYOUT;
    return is_rebound(result->bytes, result->size, file) ? PE_REBOUND : PE_BAD_LAYOUT;
}

/** Whether the headers and the imports could be read. */
static int is_read(const struct pe_file *file, enum pe_verdict verdict)
{
    if (file->directory == 0)
        return 0;
    return verdict < PE_NOT_PE || verdict > PE_BAD_IMPORTS;
}

/** Tells what was found. */
static void describe(const struct pe_file *file, enum pe_verdict verdict,
                     const struct pe_imports *imports, struct pe_result *result)
{
    result->machine = file->word_size != 0 ? file->machine : 0;
    result->linked = imports->linked;
    result->delayed = imports->delayed;
    result->hastened = imports->hastened;
    if (!is_read(file, verdict))
        return;
    result->was_rebound = imports->already > imports->foreign;
    result->has_other_library = imports->foreign > 0;
    result->has_section = has_section(file);
    result->is_program = pe_is_program(file);
    result->trailing = pe_trailing(file);
}

enum pe_verdict pe_rebind(const uint8_t *bytes, size_t size, struct pe_result *result)
{
    struct pe_file *file = malloc(sizeof *file);
    struct pe_imports imports = {0};
    enum pe_verdict verdict;

    memset(result, 0, sizeof *result);
    if (file == NULL)
        return PE_NO_MEMORY;
    verdict = read_imports(bytes, size, file, &imports);
    describe(file, verdict, &imports, result);
    if (verdict == PE_REBOUND)
        verdict = assemble(file, &imports, result);
    if (verdict != PE_REBOUND) {
        free(result->bytes);
        result->bytes = NULL;
        result->size = 0;
    }
    pe_imports_free(&imports);
    free(file);
    return verdict;
}
