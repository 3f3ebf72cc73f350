/* SPDX-License-Identifier: MIT */
/* Paths of files: long ones too, in UTF-16 for the system and in UTF-8 for people. */
#include "file_path.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "text.h"

#define LONG_PREFIX  L"\\\\?\\"
#define SHARE_PREFIX L"\\\\?\\UNC"

/** Both texts in one. */
static WCHAR *concatenate(const WCHAR *first, const WCHAR *second)
{
    size_t length = wcslen(first), rest = wcslen(second);
    WCHAR *result = text_allocate((length + rest + 1) * sizeof *result);

    memcpy(result, first, length * sizeof *result);
    memcpy(result + length, second, (rest + 1) * sizeof *result);
    return result;
}

static WCHAR *copy(const WCHAR *text)
{
    return concatenate(text, L"");
}

/** The absolute path; what the system cannot make sense of stays, for it to complain about. */
static WCHAR *make_absolute(const WCHAR *path)
{
    DWORD size = GetFullPathNameW(path, 0, NULL, NULL), length;
    WCHAR *full;

    if (size == 0)
        return copy(path);
    full = text_allocate(size * sizeof *full);
    length = GetFullPathNameW(path, size, full, NULL);
    if (length == 0 || length >= size) {
        free(full);
        return copy(path);
    }
    return full;
}

static void strip_end(WCHAR *path)
{
    size_t length = wcslen(path);

    while (length > 3 && path[length - 1] == L'\\' && path[length - 2] != L':')
        path[--length] = L'\0';
}

WCHAR *path_full(const char *path)
{
    WCHAR *wide = text_to_wide(path);
    WCHAR *full = make_absolute(wide);
    WCHAR *result;

    free(wide);
    strip_end(full);
    if (wcsncmp(full, LONG_PREFIX, 4) == 0 || wcsncmp(full, L"\\\\.\\", 4) == 0)
        return full;
    if (wcsncmp(full, L"\\\\", 2) == 0)
        result = concatenate(SHARE_PREFIX, full + 1);
    else
        result = full[0] != L'\0' ? concatenate(LONG_PREFIX, full) : copy(full);
    free(full);
    return result;
}

char *path_show(const WCHAR *full)
{
    const WCHAR *shown = full;
    char *text;

    if (wcsncmp(full, SHARE_PREFIX L"\\", 8) == 0)
        shown = full + 6; /* A backslash is missing, and put back below. */
    else if (wcsncmp(full, LONG_PREFIX, 4) == 0)
        shown = full + 4;
    text = text_from_wide(shown, wcslen(shown), NULL);
    if (shown == full + 6)
        text[0] = '\\';
    return text;
}

WCHAR *path_join(const WCHAR *directory, const WCHAR *name)
{
    size_t length = wcslen(directory);
    int is_ended = length > 0 && directory[length - 1] == L'\\';
    WCHAR *start = concatenate(directory, is_ended ? L"" : L"\\");
    WCHAR *result = concatenate(start, name);

    free(start);
    return result;
}

WCHAR *path_append(const WCHAR *path, const WCHAR *suffix)
{
    return concatenate(path, suffix);
}

const WCHAR *path_name(const WCHAR *full)
{
    const WCHAR *end = wcsrchr(full, L'\\');

    return end != NULL ? end + 1 : full;
}

WCHAR *path_parent(const WCHAR *full)
{
    WCHAR *parent = copy(full);
    WCHAR *end = wcsrchr(parent, L'\\');

    if (end != NULL)
        end[end > parent && end[-1] == L':'] = L'\0';
    return parent;
}

int path_ends_with(const WCHAR *name, const WCHAR *end)
{
    size_t length = wcslen(name), wanted = wcslen(end);

    return length > wanted && _wcsicmp(name + length - wanted, end) == 0;
}
