/* SPDX-License-Identifier: MIT */
/* The files of a directory that `pss rebind` looks at. */
#include "rebind_walk.h"

#include <stdlib.h>
#include <string.h>

#include "file_path.h"
#include "rebind_file.h"

#define MAX_DEPTH 64 /* directories below each other; Unix links may make a circle */

void walk_add(struct file_list *walk, WCHAR *name)
{
    if (walk->count == walk->room) {
        walk->room = walk->room != 0 ? walk->room * 2 : 64;
        walk->names = realloc(walk->names, walk->room * sizeof *walk->names);
        if (walk->names == NULL)
            report_out_of_memory();
    }
    walk->names[walk->count++] = name;
}

static int is_dots(const WCHAR *name)
{
    return wcscmp(name, L".") == 0 || wcscmp(name, L"..") == 0;
}

static int depth_of(const WCHAR *name)
{
    int depth = 0;

    for (; *name != L'\0'; name++)
        depth += *name == L'\\';
    return depth;
}

/** Adds an entry's path below the top: to the directories still to be read, or to the files. */
static void add_entry(const WCHAR *below, const WIN32_FIND_DATAW *entry,
                      int (*is_wanted)(const WCHAR *), struct file_list *files,
                      struct file_list *directories)
{
    const WCHAR *name = entry->cFileName;

    if (entry->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) {
        if (directories != NULL && !is_dots(name) && depth_of(below) < MAX_DEPTH &&
            !(entry->dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT))
            walk_add(directories,
                     below[0] != L'\0' ? path_join(below, name) : path_append(name, L""));
    } else if (is_wanted(name)) {
        walk_add(files, below[0] != L'\0' ? path_join(below, name) : path_append(name, L""));
    }
}

static enum pss_exit read_directory(const WCHAR *top, const WCHAR *below,
                                    int (*is_wanted)(const WCHAR *), struct file_list *files,
                                    struct file_list *directories)
{
    WCHAR *directory = below[0] != L'\0' ? path_join(top, below) : path_append(top, L"");
    WCHAR *pattern = path_join(directory, L"*");
    WIN32_FIND_DATAW entry;
    HANDLE search = FindFirstFileW(pattern, &entry);
    DWORD error;

    free(pattern);
    if (search != INVALID_HANDLE_VALUE) {
        do
            add_entry(below, &entry, is_wanted, files, directories);
        while (FindNextFileW(search, &entry));
        error = GetLastError();
        FindClose(search);
    } else {
        error = GetLastError();
    }
    if (error != ERROR_NO_MORE_FILES && error != ERROR_FILE_NOT_FOUND)
        file_report("cannot be listed", directory, error);
    free(directory);
    return error == ERROR_NO_MORE_FILES || error == ERROR_FILE_NOT_FOUND ? EXIT_DONE : EXIT_RUNTIME;
}

static int compare_names(const void *a, const void *b)
{
    return wcscmp(*(WCHAR *const *)a, *(WCHAR *const *)b);
}

enum pss_exit walk_list(const WCHAR *directory, int is_recursive, int (*is_wanted)(const WCHAR *),
                        struct file_list *walk)
{
    struct file_list directories = {0};
    enum pss_exit status;

    memset(walk, 0, sizeof *walk);
    status = read_directory(directory, L"", is_wanted, walk, is_recursive ? &directories : NULL);
    for (size_t i = 0; i < directories.count; i++)
        if (read_directory(directory, directories.names[i], is_wanted, walk, &directories) !=
            EXIT_DONE)
            status = EXIT_RUNTIME;
    walk_free(&directories);
    if (walk->count > 0)
        qsort(walk->names, walk->count, sizeof *walk->names, compare_names);
    return status;
}

void walk_free(struct file_list *walk)
{
    for (size_t i = 0; i < walk->count; i++)
        free(walk->names[i]);
    free(walk->names);
    memset(walk, 0, sizeof *walk);
}
