/* SPDX-License-Identifier: MIT */
/* Which imports of a file this system does not have, besides those that pss.dll serves. */
#include "rebind_missing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file_path.h"
#include "pe_list.h"
#include "pe_names.h"
#include "rebind_file.h"
#include "rebind_print.h"
#include "rebind_system.h"
#include "text.h"

#define MAX_LIBRARIES 256u /* that are looked into; programs load fewer */

/** A DLL that something imports from. */
struct library {
    char *name;  /* owned; as it is imported */
    WCHAR *path; /* owned; NULL: not looked into */
    unsigned char *bytes;
    struct pe_file *file;
    struct pe_exports exports; /* if \p is_known */
    int is_read;               /* \p file is open */
    int is_known;              /* what it exports is */
    int is_beside;             /* of the program: its own imports count, too */
    int is_missing;
};

struct search {
    struct rebind *rebind;
    WCHAR *directory;  /* of the program */
    const WCHAR *path; /* the file whose imports are looked for */
    uint32_t machine;
    struct library libraries[MAX_LIBRARIES];
    size_t count;
};

/** The file name of a DLL, which needs no ".dll" in imports, for free(). */
static WCHAR *make_file_name(const char *name)
{
    WCHAR *wide = text_to_wide(name), *result;

    if (wcschr(wide, L'.') != NULL)
        return wide;
    result = path_append(wide, L".dll");
    free(wide);
    return result;
}

/** Reads what the DLL exports; one that tells nothing may have anything. */
static void read_library(struct library *library)
{
    size_t size;

    if (file_load(library->path, PE_MAX_SIZE, &library->bytes, &size) != ERROR_SUCCESS)
        return;
    library->file = text_allocate(sizeof *library->file);
    library->is_read = pe_open(library->bytes, size, library->file) == PE_NOTHING;
    library->is_known = library->is_read && pe_exports_open(library->file, &library->exports);
}

/** Its functions depend on a manifest, which may lead to a newer one. */
static int is_versioned(const char *name)
{
    return _stricmp(name, "comctl32.dll") == 0 || _stricmp(name, "gdiplus.dll") == 0;
}

/** Finds a DLL as a loader would: beside the program, but for those that are always the system's.
 */
static void find_library(struct search *search, struct library *library)
{
    WCHAR *name = make_file_name(library->name);

    library->path = path_join(search->directory, name);
    library->is_beside = !pe_is_source(library->name) && file_exists(library->path);
    if (!library->is_beside) {
        free(library->path);
        library->is_missing = system_find(name, search->machine, &library->path) == SYSTEM_NOWHERE;
    }
    if (library->path != NULL)
        read_library(library);
    if (is_versioned(library->name) && !library->is_beside)
        library->is_known = 0;
    free(name);
}

/** The DLL of that name, looked for once; NULL where there are too many. */
static struct library *get_library(struct search *search, const char *name, int *is_new)
{
    struct library *library;

    *is_new = 0;
    for (size_t i = 0; i < search->count; i++)
        if (_stricmp(search->libraries[i].name, name) == 0)
            return &search->libraries[i];
    if (search->count == MAX_LIBRARIES || name[0] == '\0' || strpbrk(name, "\\/:*?\"<>|") != NULL)
        return NULL;
    library = &search->libraries[search->count++];
    memset(library, 0, sizeof *library);
    library->name = text_allocate(strlen(name) + 1);
    strcpy(library->name, name);
    find_library(search, library);
    *is_new = 1;
    return library;
}

static const char *describe_effect(const struct pe_import *import, int is_library)
{
    if (import->is_delayed)
        return "what needs it will fail";
    return !is_library && system_starts_without()
               ? "it starts under Wine, and ends when it calls that"
               : "it will not start";
}

static void visit(void *context, const struct pe_import *import)
{
    struct search *search = context;
    char ordinal[16];
    const char *function = import->name;
    struct library *library;
    int is_new;

    if (pe_is_target(import->dll))
        return;
    library = get_library(search, import->dll, &is_new);
    if (library == NULL)
        return;
    if (library->is_missing && is_new)
        print_missing(search->rebind, search->path, import->dll, NULL, describe_effect(import, 1));
    if (!library->is_known)
        return;
    if (function != NULL ? pe_exports_name(&library->exports, function)
                         : pe_exports_ordinal(&library->exports, import->ordinal))
        return;
    if (function == NULL) {
        snprintf(ordinal, sizeof ordinal, "#%u", (unsigned)import->ordinal);
        function = ordinal;
    }
    print_missing(search->rebind, search->path, import->dll, function, describe_effect(import, 0));
}

/** The DLLs beside the program import, too; those that they bring join the list. */
static void visit_libraries(struct search *search)
{
    for (size_t i = 0; i < search->count; i++) {
        const struct library *library = &search->libraries[i];

        if (!library->is_beside || !library->is_read || library->file->machine != search->machine)
            continue;
        search->path = library->path;
        pe_list_imports(library->file, visit, search);
    }
}

static void search_fini(struct search *search)
{
    for (size_t i = 0; i < search->count; i++) {
        free(search->libraries[i].name);
        free(search->libraries[i].path);
        free(search->libraries[i].bytes);
        free(search->libraries[i].file);
    }
    free(search->directory);
}

void missing_report(struct rebind *rebind, const WCHAR *path, const unsigned char *bytes,
                    size_t size)
{
    struct search *search = calloc(1, sizeof *search);
    struct pe_file *file = text_allocate(sizeof *file);

    if (search == NULL)
        report_out_of_memory();
    search->rebind = rebind;
    search->directory = path_parent(path);
    search->path = path;
    if (pe_open(bytes, size, file) == PE_NOTHING) {
        search->machine = file->machine;
        pe_list_imports(file, visit, search);
        visit_libraries(search);
    }
    search_fini(search);
    free(search);
    free(file);
}
