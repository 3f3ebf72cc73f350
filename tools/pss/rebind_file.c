/* SPDX-License-Identifier: MIT */
/* Files as `pss rebind` treats them: read whole, and replaced so that no failure costs one. */
#include "rebind_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file_path.h"
#include "text.h"

#define CHUNK_BYTES ((DWORD)1 << 24)
#define NEW_SUFFIX  L".pss-new"
#define KEPT_ATTRIBUTES                                                        \
    (FILE_ATTRIBUTE_READONLY | FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM | \
     FILE_ATTRIBUTE_ARCHIVE)

enum pss_exit file_report(const char *function, const WCHAR *path, DWORD error)
{
    char *shown = path_show(path);

    report_failure_of(function, shown, error);
    free(shown);
    return EXIT_RUNTIME;
}

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

enum pss_exit file_read(const WCHAR *path, size_t limit, unsigned char **bytes, size_t *size)
{
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL,
                              OPEN_EXISTING, FILE_FLAG_SEQUENTIAL_SCAN, NULL);
    LARGE_INTEGER length;
    DWORD error;

    if (file == INVALID_HANDLE_VALUE)
        return file_report("CreateFile", path, GetLastError());
    if (!GetFileSizeEx(file, &length)) {
        error = GetLastError();
        CloseHandle(file);
        return file_report("GetFileSizeEx", path, error);
    }
    *size = (uint64_t)length.QuadPart <= limit ? (size_t)length.QuadPart : limit + 1;
    *bytes = malloc(*size != 0 ? *size : 1);
    error = *bytes != NULL ? read_handle(file, *bytes, size) : ERROR_NOT_ENOUGH_MEMORY;
    CloseHandle(file);
    if (error == ERROR_SUCCESS)
        return EXIT_DONE;
    free(*bytes);
    return file_report("ReadFile", path, error);
}

static DWORD write_handle(HANDLE file, const unsigned char *bytes, size_t size)
{
    while (size > 0) {
        DWORD part = size < CHUNK_BYTES ? (DWORD)size : CHUNK_BYTES, done;

        if (!WriteFile(file, bytes, part, &done, NULL))
            return GetLastError();
        if (done == 0)
            return ERROR_WRITE_FAULT;
        bytes += done;
        size -= done;
    }
    return FlushFileBuffers(file) ? ERROR_SUCCESS : GetLastError();
}

/** The new file is as old as the one it replaces; when it was changed is told by itself. */
static void keep_creation_time(HANDLE file, const WCHAR *path)
{
    WIN32_FILE_ATTRIBUTE_DATA data;

    if (GetFileAttributesExW(path, GetFileExInfoStandard, &data))
        SetFileTime(file, &data.ftCreationTime, NULL, NULL);
}

static enum pss_exit write_new(const WCHAR *new_path, const unsigned char *bytes, size_t size,
                               const WCHAR *path)
{
    DWORD attributes = GetFileAttributesW(path), error;
    HANDLE file =
        CreateFileW(new_path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);

    if (file == INVALID_HANDLE_VALUE)
        return file_report("CreateFile", new_path, GetLastError());
    error = write_handle(file, bytes, size);
    keep_creation_time(file, path);
    CloseHandle(file);
    if (error != ERROR_SUCCESS) {
        DeleteFileW(new_path);
        return file_report("WriteFile", new_path, error);
    }
    if (attributes != INVALID_FILE_ATTRIBUTES)
        SetFileAttributesW(new_path, attributes & KEPT_ATTRIBUTES);
    return EXIT_DONE;
}

/**
 * Renames over a file, which must not be read-only.
 *
 * \return The error; all is as before then.
 */
static DWORD rename_over(const WCHAR *from, const WCHAR *to)
{
    DWORD attributes = GetFileAttributesW(to), error;
    int is_locked = attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_READONLY);

    if (is_locked)
        SetFileAttributesW(to, attributes & ~(DWORD)FILE_ATTRIBUTE_READONLY);
    if (MoveFileExW(from, to, MOVEFILE_REPLACE_EXISTING))
        return ERROR_SUCCESS;
    error = GetLastError();
    if (is_locked)
        SetFileAttributesW(to, attributes);
    return error;
}

/** Tells where the program is, which cannot be renamed back. */
static void report_stranded(const WCHAR *path, const WCHAR *backup)
{
    char *shown = path_show(path), *now = path_show(backup);

    report("%s: nothing is there now, and the original is %s", shown, now);
    free(shown);
    free(now);
}

/** Puts the new file into place. */
static DWORD swap(const WCHAR *new_path, const WCHAR *path, const WCHAR *backup)
{
    DWORD error;

    if (backup == NULL)
        return rename_over(new_path, path);
    error = rename_over(path, backup);
    if (error != ERROR_SUCCESS)
        return error;
    if (MoveFileExW(new_path, path, 0))
        return ERROR_SUCCESS;
    error = GetLastError();
    if (rename_over(backup, path) != ERROR_SUCCESS)
        report_stranded(path, backup);
    return error;
}

enum pss_exit file_replace(const WCHAR *path, const unsigned char *bytes, size_t size,
                           const WCHAR *backup)
{
    WCHAR *new_path = path_append(path, NEW_SUFFIX);
    enum pss_exit status = write_new(new_path, bytes, size, path);

    if (status == EXIT_DONE) {
        DWORD error = swap(new_path, path, backup);

        if (error != ERROR_SUCCESS) {
            SetFileAttributesW(new_path, FILE_ATTRIBUTE_NORMAL);
            DeleteFileW(new_path);
            status = file_report("MoveFileEx", path, error);
        }
    }
    free(new_path);
    return status;
}

enum pss_exit file_put_back(const WCHAR *backup, const WCHAR *path)
{
    DWORD error = rename_over(backup, path);

    return error == ERROR_SUCCESS ? EXIT_DONE : file_report("MoveFileEx", path, error);
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
    return file_is_directory(path) ? EXIT_DONE : file_report("CreateDirectory", path, error);
}
