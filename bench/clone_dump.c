/* SPDX-License-Identifier: MIT */
/* Without the library: the memory of a process, by way of a minidump. */
#include "clone.h"
#include "fail.h"

#include <dbghelp.h>
#include <stdio.h>

typedef BOOL(WINAPI *write_minidump)(HANDLE process, DWORD process_id, HANDLE file,
                                     MINIDUMP_TYPE type, MINIDUMP_EXCEPTION_INFORMATION *exception,
                                     MINIDUMP_USER_STREAM_INFORMATION *user_streams,
                                     MINIDUMP_CALLBACK_INFORMATION *callback);

/* Loaded when it is needed: no other case, and no target, shall have it. */
static write_minidump load_dbghelp(void)
{
    HMODULE module = LoadLibraryW(L"dbghelp.dll");
    write_minidump found = NULL;

    if (module != NULL)
        found = (write_minidump)(void *)GetProcAddress(module, "MiniDumpWriteDump");
    if (found == NULL)
        fail_last("loading dbghelp.dll");
    return found;
}

/* It is gone when its handle is closed, however the bench ends. */
static HANDLE create_temporary_file(void)
{
    WCHAR directory[MAX_PATH], path[MAX_PATH];
    DWORD length = GetTempPathW(MAX_PATH, directory);
    HANDLE file;

    if (length == 0 || length >= MAX_PATH || GetTempFileNameW(directory, L"pss", 0, path) == 0)
        fail_last("GetTempFileName");
    file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE | DELETE, 0, NULL, CREATE_ALWAYS,
                       FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    if (file == INVALID_HANDLE_VALUE)
        fail_last("CreateFile");
    return file;
}

/* Some systems cannot dump every process, as Wine 8.0 no 32-bit one on a 64-bit system. */
double write_dump(const struct target *target, UINT64 bytes)
{
    write_minidump write = load_dbghelp();
    HANDLE file = create_temporary_file();
    double start = now_in_microseconds(), duration = 0;
    LARGE_INTEGER size;

    if (!write(target->process, target->id, file, MiniDumpWithFullMemory, NULL, NULL, NULL))
        fprintf(stderr, "pss-bench: MiniDumpWriteDump failed: error %lu\n", GetLastError());
    else
        duration = now_in_microseconds() - start;
    if (!GetFileSizeEx(file, &size))
        fail_last("GetFileSizeEx");
    CloseHandle(file);
    if (duration != 0 && (UINT64)size.QuadPart < bytes)
        fail("writing all memory into the minidump", ERROR_INVALID_DATA);
    return duration;
}
