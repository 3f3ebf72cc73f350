/* SPDX-License-Identifier: MIT */
/* Looks for a companion in the directories where a release or a build puts it. */
#include "companion.h"

static DWORD read_at(HANDLE file, DWORD offset, void *buffer, DWORD size)
{
    OVERLAPPED place = {.Offset = offset};
    DWORD read = 0;

    return ReadFile(file, buffer, size, &read, &place) && read == size;
}

static WORD read_machine(HANDLE file)
{
    IMAGE_DOS_HEADER dos;
    struct {
        DWORD signature;
        WORD machine;
    } nt;

    if (!read_at(file, 0, &dos, sizeof dos) || dos.e_magic != IMAGE_DOS_SIGNATURE)
        return 0;
    if (dos.e_lfanew < 0 || !read_at(file, (DWORD)dos.e_lfanew, &nt, sizeof nt) ||
        nt.signature != IMAGE_NT_SIGNATURE)
        return 0;
    return nt.machine;
}

WORD companion_machine(const WCHAR *path)
{
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL,
                              OPEN_EXISTING, 0, NULL);
    WORD machine;

    if (file == INVALID_HANDLE_VALUE)
        return 0;
    machine = read_machine(file);
    CloseHandle(file);
    return machine;
}

/** Appends a text to a path of \p length characters; returns the new length, 0 when there is no
 * room. */
static size_t append(WCHAR *path, size_t length, const WCHAR *text)
{
    while (*text != L'\0' && length + 1 < COMPANION_PATH)
        path[length++] = *text++;
    path[length] = L'\0';
    return *text == L'\0' ? length : 0;
}

/** The length of the directory in a path, its last backslash included; 0 for none. */
static size_t directory_length(const WCHAR *path, size_t length)
{
    while (length > 0 && path[length - 1] != L'\\')
        length--;
    return length;
}

/** Whether \p directory (so many characters of \p path), a subdirectory and a name make a file of
 * that machine. */
static int is_there(WCHAR *path, size_t directory, const WCHAR *below, const WCHAR *name,
                    WORD machine)
{
    size_t length = append(path, directory, below);

    return length > 0 && append(path, length, name) > 0 && companion_machine(path) == machine;
}

int companion_find(HMODULE module, WORD machine, const WCHAR *name, WCHAR *path)
{
    const WCHAR *below = machine == IMAGE_FILE_MACHINE_AMD64 ? L"x64\\" : L"x86\\";
    WCHAR found[COMPANION_PATH];
    DWORD length = GetModuleFileNameW(module, found, COMPANION_PATH);
    size_t own;
    size_t above;

    if (length == 0 || length >= COMPANION_PATH)
        return 0;
    own = directory_length(found, length);
    if (own == 0)
        return 0;
    above = directory_length(found, own - 1);
    if (!is_there(found, own, L"", name, machine) && !is_there(found, own, below, name, machine) &&
        (above == 0 || (!is_there(found, above, below, name, machine) &&
                        !is_there(found, above, L"", name, machine))))
        return 0;
    append(path, 0, found);
    return 1;
}
