/* SPDX-License-Identifier: MIT */
/* What the kit needs of the file system. */
#include "files.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define FILE_MAX  0x4000000u /* bytes */
#define MAX_DEPTH 16

int path_join(WCHAR path[PATH_SIZE], const WCHAR *directory, const WCHAR *name)
{
    size_t first = wcslen(directory), second = wcslen(name);

    if (first >= PATH_SIZE || second >= PATH_SIZE || first + second + 2 > PATH_SIZE)
        return 0;
    wmemmove(path, directory, first);
    if (first && path[first - 1] != L'\\' && path[first - 1] != L'/')
        path[first++] = L'\\';
    wmemmove(path + first, name, second + 1);
    return 1;
}

void path_cut(WCHAR *path)
{
    size_t length = wcslen(path);

    while (length && path[length - 1] != L'\\' && path[length - 1] != L'/')
        length--;
    path[length ? length - 1 : 0] = 0;
}

int directory_make(const WCHAR *path)
{
    WCHAR part[PATH_SIZE];

    for (size_t i = 0; i < PATH_SIZE - 1; i++) {
        if (!path[i] || path[i] == L'\\' || path[i] == L'/') {
            part[i] = 0;
            CreateDirectoryW(part, NULL); /* the last one tells */
        }
        if (!path[i])
            break;
        part[i] = path[i];
    }
    DWORD attributes = GetFileAttributesW(path);
    return attributes != INVALID_FILE_ATTRIBUTES && attributes & FILE_ATTRIBUTE_DIRECTORY;
}

static int is_dots(const WCHAR *name)
{
    return !wcscmp(name, L".") || !wcscmp(name, L"..");
}

/* Directories in directories to a bound; what lies deeper stays. */
static unsigned empty(const WCHAR *path, unsigned depth);

static unsigned remove_entry(const WCHAR *path, const WIN32_FIND_DATAW *entry, unsigned depth)
{
    WCHAR name[PATH_SIZE];
    unsigned count = 1;

    if (is_dots(entry->cFileName) || !path_join(name, path, entry->cFileName))
        return 0;
    if (!(entry->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)) {
        SetFileAttributesW(name, FILE_ATTRIBUTE_NORMAL);
        DeleteFileW(name);
        return 1;
    }
    /* What a link leads to is not ours. */
    if (!(entry->dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) && depth < MAX_DEPTH)
        count += empty(name, depth + 1);
    RemoveDirectoryW(name);
    return count;
}

static unsigned empty(const WCHAR *path, unsigned depth)
{
    WCHAR pattern[PATH_SIZE];
    WIN32_FIND_DATAW entry;
    unsigned count = 0;

    if (!path_join(pattern, path, L"*"))
        return 0;
    HANDLE found = FindFirstFileW(pattern, &entry);
    if (found == INVALID_HANDLE_VALUE)
        return 0;
    do
        count += remove_entry(path, &entry, depth);
    while (FindNextFileW(found, &entry));
    FindClose(found);
    return count;
}

unsigned directory_remove(const WCHAR *path)
{
    if (!path[0])
        return 0; /* it would be the current directory */
    unsigned count = empty(path, 0);

    RemoveDirectoryW(path);
    return count;
}

static int read_all(HANDLE file, DWORD size, struct buffer *content)
{
    char *bytes = (char *)malloc(size ? size : 1);
    DWORD done = 0;
    int ok = bytes && ReadFile(file, bytes, size, &done, NULL) && done == size;

    if (ok)
        buffer_append(content, bytes, size);
    free(bytes);
    return ok && !content->failed;
}

int file_read(const WCHAR *path, struct buffer *content)
{
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                              OPEN_EXISTING, 0, NULL);
    LARGE_INTEGER size = {0};
    int ok = file != INVALID_HANDLE_VALUE && GetFileSizeEx(file, &size) &&
             size.QuadPart <= FILE_MAX && read_all(file, (DWORD)size.QuadPart, content);

    if (file != INVALID_HANDLE_VALUE)
        CloseHandle(file);
    return ok;
}

int file_write(const WCHAR *path, const struct buffer *content)
{
    HANDLE file = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    DWORD done = 0, size = (DWORD)content->length;

    if (file == INVALID_HANDLE_VALUE)
        return 0;
    BOOL ok = !size || WriteFile(file, content->text, size, &done, NULL);
    CloseHandle(file);
    return ok && done == size && !content->failed;
}

void buffer_add_wide(struct buffer *buffer, const WCHAR *text)
{
    int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    char *bytes = size > 0 ? (char *)malloc((size_t)size) : NULL;

    if (!bytes)
        return;
    WideCharToMultiByte(CP_UTF8, 0, text, -1, bytes, size, NULL, NULL);
    buffer_add(buffer, bytes);
    free(bytes);
}
