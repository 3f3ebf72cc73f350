/* SPDX-License-Identifier: MIT */
/* Replaces a file so that no failure, and no end of this process, costs one. */
#include "rebind_replace.h"

#include <stdlib.h>
#include <string.h>

#include "file_path.h"

#define CHUNK_BYTES ((DWORD)1 << 24)
#define PATIENCE    2000 /* ms: as long as a scanner may have a fresh file open */
#define PAUSE       50   /* ms */
#define KEPT_ATTRIBUTES                                                        \
    (FILE_ATTRIBUTE_READONLY | FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM | \
     FILE_ATTRIBUTE_ARCHIVE)

static DWORD write_handle(HANDLE file, const unsigned char *bytes, size_t size)
{
    while (size > 0) {
        DWORD part = size < CHUNK_BYTES ? (DWORD)size : CHUNK_BYTES, done;

        if (!WriteFile(file, bytes, part, &done, NULL))
            return GetLastError();
        if (done == 0)
            return ERROR_DISK_FULL;
        bytes += done;
        size -= done;
    }
    return FlushFileBuffers(file) ? ERROR_SUCCESS : GetLastError();
}

/** Whether the file goes when its last handle is closed, as it does when this process ends. */
static int set_vanishing(HANDLE file, int vanishes)
{
    FILE_DISPOSITION_INFO disposition = {(BOOLEAN)vanishes};

    return SetFileInformationByHandle(file, FileDispositionInfo, &disposition, sizeof disposition);
}

void file_remove(const WCHAR *path)
{
    SetFileAttributesW(path, FILE_ATTRIBUTE_NORMAL);
    DeleteFileW(path);
}

/** Whether the file holds the start of these bytes, or all of them: an earlier run wrote it. */
static int is_leftover(const WCHAR *path, const unsigned char *bytes, size_t size)
{
    unsigned char *found;
    size_t count;
    int is_start;

    if (file_load(path, size, &found, &count) != ERROR_SUCCESS)
        return 0;
    is_start = count <= size && memcmp(found, bytes, count) == 0;
    free(found);
    return is_start;
}

/** Opens a new file, in the place of one that an earlier run has left there. */
static HANDLE open_new(const WCHAR *path, const unsigned char *bytes, size_t size)
{
    for (int is_second = 0;; is_second = 1) {
        HANDLE file = CreateFileW(path, GENERIC_WRITE | DELETE, 0, NULL, CREATE_NEW,
                                  FILE_ATTRIBUTE_NORMAL, NULL);
        DWORD error = GetLastError();

        if (file != INVALID_HANDLE_VALUE)
            return file;
        if (error != ERROR_FILE_EXISTS && error != ERROR_ALREADY_EXISTS) {
            file_report("cannot be written", path, error);
            return file;
        }
        if (is_second || !is_leftover(path, bytes, size)) {
            file_complain(path, "is in the way, and not known to be of this file; move it away, or "
                                "delete it if an interrupted pss rebind has left it");
            return file;
        }
        file_remove(path);
    }
}

/** Writes a file; what is left of it vanishes when something fails, or this process ends. */
static enum pss_exit write_new(const WCHAR *path, const unsigned char *bytes, size_t size,
                               const FILETIME *created, const FILETIME *changed)
{
    HANDLE file = open_new(path, bytes, size);
    int is_vanishing;
    DWORD error;

    if (file == INVALID_HANDLE_VALUE)
        return EXIT_RUNTIME;
    is_vanishing = set_vanishing(file, 1);
    error = write_handle(file, bytes, size);
    if (error == ERROR_SUCCESS && created != NULL)
        SetFileTime(file, created, NULL, changed);
    if (error == ERROR_SUCCESS && is_vanishing && !set_vanishing(file, 0))
        error = GetLastError();
    CloseHandle(file);
    if (error == ERROR_SUCCESS)
        return EXIT_DONE;
    file_remove(path);
    return file_report("cannot be written", path, error);
}

/** Errors that go away when another program closes the file. */
static int is_passing(DWORD error)
{
    return error == ERROR_ACCESS_DENIED || error == ERROR_SHARING_VIOLATION ||
           error == ERROR_LOCK_VIOLATION || error == ERROR_USER_MAPPED_FILE;
}

/** Renames, and tries again for a while. */
static DWORD rename_patiently(const WCHAR *from, const WCHAR *to, DWORD flags)
{
    DWORD start = GetTickCount();

    for (;;) {
        DWORD error;

        if (MoveFileExW(from, to, flags))
            return ERROR_SUCCESS;
        error = GetLastError();
        if (!is_passing(error) || GetTickCount() - start > PATIENCE)
            return error;
        Sleep(PAUSE);
    }
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
    error = rename_patiently(from, to, MOVEFILE_REPLACE_EXISTING);
    if (error != ERROR_SUCCESS && is_locked)
        SetFileAttributesW(to, attributes);
    return error;
}

/** What opening a file for an access answers, where others may do anything with it. */
static DWORD try_access(const WCHAR *path, DWORD access)
{
    HANDLE file = CreateFileW(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                              NULL, OPEN_EXISTING, 0, NULL);

    if (file == INVALID_HANDLE_VALUE)
        return GetLastError();
    CloseHandle(file);
    return ERROR_SUCCESS;
}

/** Waits for a while until nobody keeps a file from being renamed. */
static DWORD wait_until_free(const WCHAR *path)
{
    DWORD start = GetTickCount(), error;

    while ((error = try_access(path, DELETE)) == ERROR_SHARING_VIOLATION) {
        if (GetTickCount() - start > PATIENCE)
            return error;
        Sleep(PAUSE);
    }
    return ERROR_SUCCESS; /* Whatever else there is, renaming tells. */
}

static enum pss_exit report_changed(const struct replacement *wanted)
{
    file_complain(wanted->path, "was changed by another program meanwhile; try again");
    return EXIT_RUNTIME;
}

static enum pss_exit report_failed(const struct replacement *wanted, DWORD error)
{
    return file_report("cannot be replaced", wanted->path, error);
}

/** Gives the old file its other name; a copy serves where a file can have one name only. */
static enum pss_exit keep_old(const struct replacement *wanted,
                              const WIN32_FILE_ATTRIBUTE_DATA *data)
{
    enum pss_exit status = EXIT_DONE;

    if (!CreateHardLinkW(wanted->backup, wanted->path, NULL))
        status = write_new(wanted->backup, wanted->old, wanted->old_size, &data->ftCreationTime,
                           &data->ftLastWriteTime);
    if (status != EXIT_DONE || file_holds(wanted->backup, wanted->old, wanted->old_size))
        return status;
    file_remove(wanted->backup);
    return report_changed(wanted);
}

/** Puts the new file into place in one step. */
static enum pss_exit replace_at_once(const WCHAR *new_path, const struct replacement *wanted,
                                     const WIN32_FILE_ATTRIBUTE_DATA *data)
{
    enum pss_exit status = EXIT_DONE;
    DWORD error;

    if (wanted->backup != NULL)
        status = keep_old(wanted, data);
    else if (wanted->old != NULL && !file_holds(wanted->path, wanted->old, wanted->old_size))
        status = report_changed(wanted);
    if (status != EXIT_DONE)
        return status;
    error = rename_over(new_path, wanted->path);
    if (error == ERROR_SUCCESS)
        return EXIT_DONE;
    if (wanted->backup != NULL)
        file_remove(wanted->backup);
    return report_failed(wanted, error);
}

/** Renames a program that runs, which can be neither replaced nor removed. */
static enum pss_exit replace_running(const WCHAR *new_path, const struct replacement *wanted)
{
    DWORD error = rename_patiently(wanted->path, wanted->backup, 0);
    int is_same;

    if (error != ERROR_SUCCESS)
        return report_failed(wanted, error);
    is_same = file_holds(wanted->backup, wanted->old, wanted->old_size);
    if (is_same)
        error = rename_patiently(new_path, wanted->path, 0);
    if (is_same && error == ERROR_SUCCESS)
        return EXIT_DONE;
    if (rename_patiently(wanted->backup, wanted->path, 0) != ERROR_SUCCESS)
        file_complain_of(wanted->path, "nothing is there now, and the original is", wanted->backup);
    return is_same ? report_failed(wanted, error) : report_changed(wanted);
}

static enum pss_exit put_in_place(const WCHAR *new_path, const struct replacement *wanted,
                                  const WIN32_FILE_ATTRIBUTE_DATA *data)
{
    DWORD error = wait_until_free(wanted->path);

    if (error != ERROR_SUCCESS)
        return report_failed(wanted, error);
    if (wanted->backup != NULL &&
        try_access(wanted->path, FILE_WRITE_DATA) == ERROR_SHARING_VIOLATION)
        return replace_running(new_path, wanted);
    return replace_at_once(new_path, wanted, data);
}

enum pss_exit file_replace(const struct replacement *wanted)
{
    WCHAR *new_path = path_append(wanted->path, NEW_SUFFIX);
    WIN32_FILE_ATTRIBUTE_DATA data;
    int is_there = GetFileAttributesExW(wanted->path, GetFileExInfoStandard, &data);
    enum pss_exit status = write_new(new_path, wanted->bytes, wanted->size,
                                     is_there ? &data.ftCreationTime : NULL, NULL);

    if (status == EXIT_DONE) {
        status = put_in_place(new_path, wanted, &data);
        if (status != EXIT_DONE)
            file_remove(new_path);
    }
    if (is_there && wanted->backup != NULL) /* One file at first: what one lost, both have. */
        SetFileAttributesW(wanted->backup, data.dwFileAttributes & KEPT_ATTRIBUTES);
    if (is_there)
        SetFileAttributesW(wanted->path, data.dwFileAttributes & KEPT_ATTRIBUTES);
    free(new_path);
    return status;
}

enum pss_exit file_create(const WCHAR *path, const unsigned char *bytes, size_t size)
{
    WCHAR *new_path = path_append(path, NEW_SUFFIX);
    enum pss_exit status = write_new(new_path, bytes, size, NULL, NULL);

    if (status == EXIT_DONE) {
        DWORD error = rename_patiently(new_path, path, 0);

        if (error != ERROR_SUCCESS)
            file_remove(new_path);
        if (error != ERROR_SUCCESS && error != ERROR_ALREADY_EXISTS && error != ERROR_FILE_EXISTS)
            status = file_report("cannot be written", path, error);
    }
    free(new_path);
    return status;
}

enum pss_exit file_put_back(const WCHAR *backup, const WCHAR *path)
{
    DWORD attributes = GetFileAttributesW(path), error;

    if (file_is_same(backup, path)) { /* Two names of one file, which a renaming would leave. */
        file_remove(backup);
        SetFileAttributesW(path, attributes & KEPT_ATTRIBUTES);
        return EXIT_DONE;
    }
    error = rename_over(backup, path);
    return error == ERROR_SUCCESS ? EXIT_DONE : file_report("cannot be replaced", path, error);
}
