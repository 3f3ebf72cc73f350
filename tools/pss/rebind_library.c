/* SPDX-License-Identifier: MIT */
/* The pss.dll that a rebound file needs beside it. */
#include "rebind_library.h"

#include <stdlib.h>

#include "companion.h"
#include "file_path.h"
#include "pe_exports.h"
#include "rebind_replace.h"
#include "text.h"

#define NAME       L"pss.dll"
#define MAX_LENGTH ((size_t)1 << 26) /* bytes of one that is read */

/** Where it belongs, for free(). */
static WCHAR *place_beside(const WCHAR *path)
{
    WCHAR *directory = path_parent(path);
    WCHAR *place = path_join(directory, NAME);

    free(directory);
    return place;
}

static void report_with_path(const char *format, const WCHAR *path, const char *machine)
{
    char *shown = path_show(path);

    report(format, shown, machine);
    free(shown);
}

static const char *machine_name(uint32_t machine)
{
    return machine == IMAGE_FILE_MACHINE_AMD64 ? "64-bit" : "32-bit";
}

/** What is wrong with a pss.dll; NULL if it serves programs of that machine. */
static const char *find_fault(const unsigned char *bytes, size_t size, uint32_t machine)
{
    struct pe_file *file = text_allocate(sizeof *file);
    enum pe_verdict verdict = pe_open(bytes, size, file);
    const char *fault = NULL;
    struct pe_exports exports;

    if (verdict == PE_TRUNCATED)
        fault = "the pss.dll beside it is cut short; remove it and try again";
    else if (verdict != PE_NOTHING && verdict != PE_OTHER_MACHINE)
        fault = "the pss.dll beside it is no DLL; remove it, or use 'pss run'";
    else if (verdict == PE_OTHER_MACHINE || file->machine != machine)
        fault = machine == PE_MACHINE_X64
                    ? "the pss.dll beside it is not a 64-bit one; use 'pss run'"
                    : "the pss.dll beside it is not a 32-bit one; use 'pss run'";
    else if (!pe_exports_open(file, &exports) || !pe_exports_all_moved(&exports))
        fault = "the pss.dll beside it is another library, or an old one, without the Pss "
                "functions; use 'pss run'";
    free(file);
    return fault;
}

/** What is to be done about the one at \p place, which exists. */
static enum library_state compare(const WCHAR *path, const WCHAR *place, uint32_t machine,
                                  const WCHAR *ours)
{
    unsigned char *bytes;
    size_t size;
    const char *fault;
    enum library_state state = LIBRARY_OTHER;

    if (file_read(place, MAX_LENGTH, &bytes, &size) != EXIT_DONE)
        return LIBRARY_UNUSABLE;
    fault = find_fault(bytes, size, machine);
    if (fault != NULL) {
        file_complain(path, fault);
        state = LIBRARY_UNUSABLE;
    } else if (ours != NULL && file_holds(ours, bytes, size)) {
        state = LIBRARY_THERE;
    }
    free(bytes);
    return state;
}

enum library_state library_check(const WCHAR *path, uint32_t machine)
{
    WCHAR *place = place_beside(path);
    WCHAR ours[COMPANION_PATH];
    int is_found = companion_find(NULL, (WORD)machine, NAME, ours);
    enum library_state state = LIBRARY_MISSING;

    if (file_exists(place)) {
        state = compare(path, place, machine, is_found ? ours : NULL);
    } else if (!is_found) {
        report_with_path("%s: no %s pss.dll came with pss.exe; see --no-copy", path,
                         machine_name(machine));
        state = LIBRARY_UNUSABLE;
    }
    free(place);
    return state;
}

enum pss_exit library_copy(const WCHAR *path, uint32_t machine)
{
    WCHAR *place = place_beside(path);
    WCHAR ours[COMPANION_PATH];
    unsigned char *bytes;
    size_t size;
    enum pss_exit status;

    if (!companion_find(NULL, (WORD)machine, NAME, ours)) {
        status = file_report("cannot be copied", place, ERROR_FILE_NOT_FOUND);
    } else {
        status = file_read(ours, MAX_LENGTH, &bytes, &size);
        if (status == EXIT_DONE) {
            status = file_create(place, bytes, size);
            free(bytes);
        }
    }
    free(place);
    return status;
}

void library_remove(const WCHAR *path)
{
    WCHAR *place = place_beside(path);

    file_remove(place);
    free(place);
}

int library_is_beside(const WCHAR *path)
{
    WCHAR *place = place_beside(path);
    int is_there = file_exists(place);

    free(place);
    return is_there;
}
