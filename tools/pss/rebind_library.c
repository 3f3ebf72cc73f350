/* SPDX-License-Identifier: MIT */
/* The pss.dll that a rebound file needs beside it. */
#include "rebind_library.h"

#include <stdlib.h>
#include <string.h>

#include "companion.h"
#include "file_path.h"
#include "rebind_file.h"

#define NAME       L"pss.dll"
#define MAX_LENGTH ((size_t)1 << 26) /* bytes that are compared */

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

static int has_same_bytes(const WCHAR *path, const WCHAR *other)
{
    unsigned char *a = NULL, *b = NULL;
    size_t size = 0, other_size = 0;
    int is_same = file_read(path, MAX_LENGTH, &a, &size) == EXIT_DONE;

    if (is_same)
        is_same = file_read(other, MAX_LENGTH, &b, &other_size) == EXIT_DONE &&
                  size == other_size && memcmp(a, b, size) == 0;
    if (b != NULL)
        free(b);
    free(a);
    return is_same;
}

/** What is to be done about the one at \p place, which exists. */
static enum library_state compare(const WCHAR *path, const WCHAR *place, uint32_t machine,
                                  const WCHAR *ours)
{
    if (companion_machine(place) != machine) {
        report_with_path("%s: the pss.dll beside it is not a %s one; use 'pss run'", path,
                         machine_name(machine));
        return LIBRARY_UNUSABLE;
    }
    return ours != NULL && has_same_bytes(place, ours) ? LIBRARY_THERE : LIBRARY_OTHER;
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
    enum pss_exit status = EXIT_DONE;

    if (!companion_find(NULL, (WORD)machine, NAME, ours))
        status = file_report("CopyFile", place, ERROR_FILE_NOT_FOUND);
    else if (!CopyFileW(ours, place, TRUE))
        status = file_report("CopyFile", place, GetLastError());
    free(place);
    return status;
}

void library_remove(const WCHAR *path)
{
    WCHAR *place = place_beside(path);

    DeleteFileW(place); /* One that stays harms nobody. */
    free(place);
}

int library_is_beside(const WCHAR *path)
{
    WCHAR *place = place_beside(path);
    int is_there = file_exists(place);

    free(place);
    return is_there;
}
