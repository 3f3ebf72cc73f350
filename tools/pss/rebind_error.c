/* SPDX-License-Identifier: MIT */
/* Says in plain words what `pss rebind` could not do with a file, and what helps. */
#include "rebind_error.h"

#include <stdlib.h>
#include <string.h>

#include "file_path.h"
#include "text.h"

#define MAX_PATH_LENGTH 32000u /* characters that the system takes, with some for our suffixes */
#define MAX_NAME_LENGTH 243u   /* the same for each part, 255 less our longest suffix */
#define MESSAGE_LENGTH  512

static const struct {
    DWORD error;
    const char *meaning;
} known[] = {
    {ERROR_FILE_NOT_FOUND, "there is no such file"},
    {ERROR_PATH_NOT_FOUND, "there is no such directory"},
    {ERROR_ACCESS_DENIED, "access is denied; it or its directory is another user's or "
                          "write-protected, or it is running"},
    {ERROR_SHARING_VIOLATION, "another program has it open; close that one and try again"},
    {ERROR_LOCK_VIOLATION, "another program has locked it; close that one and try again"},
    {ERROR_USER_MAPPED_FILE, "another program uses it; close that one and try again"},
    {ERROR_HANDLE_DISK_FULL, "the disk is full; make room and try again"},
    {ERROR_DISK_FULL, "the disk is full; make room and try again"},
    {ERROR_WRITE_PROTECT, "the disk is write-protected"},
    {ERROR_NOT_READY, "the disk is not ready"},
    {ERROR_FILE_EXISTS, "a file of that name is there already"},
    {ERROR_ALREADY_EXISTS, "a file of that name is there already"},
    {ERROR_INVALID_NAME, "no file can have that name"},
    {ERROR_BAD_PATHNAME, "no file can have that name"},
    {ERROR_BAD_NETPATH, "there is no such computer or share"},
    {ERROR_BAD_NET_NAME, "there is no such share"},
    {ERROR_NOT_ENOUGH_MEMORY, "there is not enough memory"},
    {ERROR_OUTOFMEMORY, "there is not enough memory"},
    {ERROR_FILENAME_EXCED_RANGE, "its path is too long; move it to a directory with a shorter one"},
};

/** Whether the path, or one name in it, is longer than file systems take. */
static int is_too_long(const WCHAR *path)
{
    size_t length = 0;

    if (wcslen(path) > MAX_PATH_LENGTH)
        return 1;
    for (; *path != L'\0'; path++) {
        length = *path == L'\\' ? 0 : length + 1;
        if (length > MAX_NAME_LENGTH)
            return 1;
    }
    return 0;
}

/** Systems answer differently to a name that is too long. */
static DWORD explain(DWORD error, const WCHAR *path)
{
    int is_of_name = error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND ||
                     error == ERROR_INVALID_NAME || error == ERROR_BAD_PATHNAME ||
                     error == ERROR_INVALID_PARAMETER;

    return is_of_name && is_too_long(path) ? ERROR_FILENAME_EXCED_RANGE : error;
}

/** The system's own words with the path in their place, in one line, for free(). */
static char *describe(DWORD error, const WCHAR *path)
{
    DWORD_PTR arguments[] = {(DWORD_PTR)path, (DWORD_PTR)L"", (DWORD_PTR)L""};
    WCHAR message[MESSAGE_LENGTH];
    DWORD count = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_ARGUMENT_ARRAY, NULL,
                                 error, 0, message, MESSAGE_LENGTH, (va_list *)arguments);

    while (count > 0 && (message[count - 1] <= L' ' || message[count - 1] == L'.'))
        count--;
    for (DWORD i = 0; i < count; i++)
        if (message[i] < L' ')
            message[i] = L' ';
    if (count == 0)
        return text_from_wide(L"the system does not say why", 27, NULL);
    return text_from_wide(message, count, NULL);
}

enum pss_exit file_report(const char *failure, const WCHAR *path, DWORD error)
{
    DWORD meant = explain(error, path);
    char *shown = path_show(path), *words;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].error == meant) {
            report("%.300s%s: %s: %s (error %lu)", shown, strlen(shown) > 300 ? "..." : "", failure,
                   known[i].meaning, error);
            free(shown);
            return EXIT_RUNTIME;
        }
    }
    words = describe(error, path);
    report("%s: %s: %s (error %lu)", shown, failure, words, error);
    free(words);
    free(shown);
    return EXIT_RUNTIME;
}

void file_complain(const WCHAR *path, const char *message)
{
    char *shown = path_show(path);

    report("%s: %s", shown, message);
    free(shown);
}

void file_complain_of(const WCHAR *path, const char *message, const WCHAR *other)
{
    char *shown = path_show(path), *named = path_show(other);

    report("%s: %s %s", shown, message, named);
    free(named);
    free(shown);
}
