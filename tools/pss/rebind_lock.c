/* SPDX-License-Identifier: MIT */
/* One `pss rebind` at a time works in a directory. */
#include "rebind_lock.h"

#include <stdlib.h>

#include "file_path.h"
#include "rebind_file.h"

#define PATIENCE_BUSY   60000 /* ms: while another run has it; a run has it for one file only */
#define PATIENCE_DENIED 2000  /* ms: one that vanishes denies access, and so do directories */
#define PAUSE           20    /* ms */

/** Whether the path leads to this very file still: who had it may have removed it. */
static int is_at(HANDLE file, const WCHAR *path)
{
    BY_HANDLE_FILE_INFORMATION own, other;
    HANDLE found = CreateFileW(path, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                               NULL, OPEN_EXISTING, 0, NULL);
    int is_same;

    if (found == INVALID_HANDLE_VALUE)
        return 0;
    is_same = GetFileInformationByHandle(file, &own) && GetFileInformationByHandle(found, &other) &&
              own.nFileIndexHigh == other.nFileIndexHigh &&
              own.nFileIndexLow == other.nFileIndexLow;
    CloseHandle(found);
    return is_same;
}

/**
 * Tries to take the file. It is opened for nobody else, and locked: the one holds within a system,
 * the other one also between two Wine prefixes.
 *
 * \return ERROR_SUCCESS or what is against it.
 */
static DWORD try_once(const WCHAR *place, HANDLE *lock)
{
    FILE_DISPOSITION_INFO vanishes = {TRUE};
    LARGE_INTEGER size;
    OVERLAPPED start = {0};
    HANDLE file = CreateFileW(place, GENERIC_READ | GENERIC_WRITE | DELETE, 0, NULL, OPEN_ALWAYS,
                              FILE_ATTRIBUTE_HIDDEN, NULL);

    if (file == INVALID_HANDLE_VALUE)
        return GetLastError();
    if ((!LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &start) &&
         (GetLastError() == ERROR_LOCK_VIOLATION || GetLastError() == ERROR_IO_PENDING)) ||
        !is_at(file, place)) {
        CloseHandle(file);
        return ERROR_LOCK_VIOLATION;
    }
    /* Where that is not possible the empty file stays, and serves the next run. One that has
     * something in it is not of a run. */
    if (GetFileSizeEx(file, &size) && size.QuadPart == 0)
        SetFileInformationByHandle(file, FileDispositionInfo, &vanishes, sizeof vanishes);
    *lock = file;
    return ERROR_SUCCESS;
}

static enum pss_exit report_busy(const WCHAR *place, DWORD error)
{
    WCHAR *directory = path_parent(place);

    if (error == ERROR_SHARING_VIOLATION || error == ERROR_LOCK_VIOLATION)
        file_complain(directory,
                      "another pss rebind is at work there; try again when it has ended");
    else
        file_report("no file can be made there", directory, error);
    free(directory);
    return EXIT_RUNTIME;
}

enum pss_exit lock_take(const WCHAR *path, HANDLE *lock)
{
    WCHAR *directory = path_parent(path), *place = path_join(directory, LOCK_NAME);
    DWORD start = GetTickCount(), error;

    while ((error = try_once(place, lock)) != ERROR_SUCCESS) {
        int is_busy = error == ERROR_SHARING_VIOLATION || error == ERROR_LOCK_VIOLATION;
        DWORD patience = is_busy ? PATIENCE_BUSY : PATIENCE_DENIED;

        if ((!is_busy && error != ERROR_ACCESS_DENIED) || GetTickCount() - start > patience)
            break;
        Sleep(PAUSE);
    }
    free(directory);
    if (error != ERROR_SUCCESS)
        report_busy(place, error);
    free(place);
    return error == ERROR_SUCCESS ? EXIT_DONE : EXIT_RUNTIME;
}

void lock_release(HANDLE lock)
{
    CloseHandle(lock);
}
