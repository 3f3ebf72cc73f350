/* SPDX-License-Identifier: MIT */
/* Files as `pss rebind` reads and compares them. */
#include "rebind_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file_path.h"
#include "text.h"

#define CHUNK_BYTES ((DWORD)1 << 24)

int file_exists(const WCHAR *path)
{
    return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

int file_is_directory(const WCHAR *path)
{
    DWORD attributes = GetFileAttributesW(path);

    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY);
}

static int read_identity(const WCHAR *path, BY_HANDLE_FILE_INFORMATION *identity)
{
    HANDLE file = CreateFileW(path, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                              OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    int is_read;

    if (file == INVALID_HANDLE_VALUE)
        return 0;
    is_read = GetFileInformationByHandle(file, identity) != 0;
    CloseHandle(file);
    return is_read;
}

int file_is_same(const WCHAR *path, const WCHAR *other)
{
    BY_HANDLE_FILE_INFORMATION a, b;

    return read_identity(path, &a) && read_identity(other, &b) &&
           a.dwVolumeSerialNumber == b.dwVolumeSerialNumber &&
           a.nFileIndexHigh == b.nFileIndexHigh && a.nFileIndexLow == b.nFileIndexLow;
}

/** The path without links that leads to a file or directory, for free(); NULL if nobody knows. */
static WCHAR *find_true_path(const WCHAR *path)
{
    HANDLE file = CreateFileW(path, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                              OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    DWORD size = 0, length = 0;
    WCHAR *found = NULL;

    if (file == INVALID_HANDLE_VALUE)
        return NULL;
    size = GetFinalPathNameByHandleW(file, NULL, 0, FILE_NAME_NORMALIZED);
    if (size != 0) {
        found = text_allocate((size + 1) * sizeof *found);
        length = GetFinalPathNameByHandleW(file, found, size + 1, FILE_NAME_NORMALIZED);
    }
    CloseHandle(file);
    if (length != 0 && length <= size)
        return found;
    free(found);
    return NULL;
}

/** Where a file would truly be if it were no link: its directory's true path, and its long name. */
static WCHAR *find_expected_path(const WCHAR *path)
{
    WCHAR *directory = path_parent(path), *place = find_true_path(directory), *expected = NULL;
    WIN32_FIND_DATAW entry;
    HANDLE search = FindFirstFileW(path, &entry);

    if (search != INVALID_HANDLE_VALUE) {
        FindClose(search);
        if (place != NULL)
            expected = path_join(place, entry.cFileName);
    }
    free(place);
    free(directory);
    return expected;
}

WCHAR *file_follow(const WCHAR *path)
{
    WCHAR *place = find_true_path(path), *expected = find_expected_path(path);

    if (place != NULL && (expected == NULL || _wcsicmp(place, expected) == 0)) {
        free(place);
        place = NULL;
    }
    free(expected);
    return place;
}

static DWORD read_handle(HANDLE file, unsigned char *bytes, size_t *size)
{
    size_t done = 0;
    DWORD part = 1;

    while (part > 0 && done < *size) {
        size_t rest = *size - done;

        if (!ReadFile(file, bytes + done, rest < CHUNK_BYTES ? (DWORD)rest : CHUNK_BYTES, &part,
                      NULL))
            return GetLastError();
        done += part;
    }
    *size = done; /* It may have become shorter meanwhile. */
    return ERROR_SUCCESS;
}

DWORD file_load(const WCHAR *path, size_t limit, unsigned char **bytes, size_t *size)
{
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL,
                              OPEN_EXISTING, FILE_FLAG_SEQUENTIAL_SCAN, NULL);
    unsigned char *read = NULL;
    LARGE_INTEGER length;
    size_t count = 0;
    DWORD error;

    if (file == INVALID_HANDLE_VALUE)
        return GetLastError();
    error = GetFileSizeEx(file, &length) ? ERROR_SUCCESS : GetLastError();
    if (error == ERROR_SUCCESS) {
        count = (uint64_t)length.QuadPart <= limit ? (size_t)length.QuadPart : limit + 1;
        read = malloc(count != 0 ? count : 1);
        error = read != NULL ? read_handle(file, read, &count) : ERROR_NOT_ENOUGH_MEMORY;
    }
    CloseHandle(file);
    if (error != ERROR_SUCCESS) {
        free(read);
        return error;
    }
    *bytes = read;
    *size = count;
    return ERROR_SUCCESS;
}

enum pss_exit file_read(const WCHAR *path, size_t limit, unsigned char **bytes, size_t *size)
{
    DWORD error = file_load(path, limit, bytes, size);

    return error == ERROR_SUCCESS ? EXIT_DONE : file_report("cannot be read", path, error);
}

int file_holds(const WCHAR *path, const unsigned char *bytes, size_t size)
{
    unsigned char *found;
    size_t count;
    int is_same;

    if (file_load(path, size, &found, &count) != ERROR_SUCCESS)
        return 0;
    is_same = count == size && memcmp(found, bytes, size) == 0;
    free(found);
    return is_same;
}

enum pss_exit file_make_directory(const WCHAR *path)
{
    size_t length = wcslen(path);
    WCHAR *part = path_append(path, L"");
    DWORD error = ERROR_SUCCESS;

    /* The upper ones exist, or are volumes that cannot be made; only the last one has to be there.
     */
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != L'\\' && path[i] != L'\0')
            continue;
        part[i] = L'\0';
        error = CreateDirectoryW(part, NULL) ? ERROR_SUCCESS : GetLastError();
        part[i] = path[i];
    }
    free(part);
    return file_is_directory(path) ? EXIT_DONE : file_report("cannot be made", path, error);
}
