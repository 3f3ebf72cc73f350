/* SPDX-License-Identifier: MIT */
/* Files and streams of a run. */
#include "tool_stage.h"

#include <fcntl.h>
#include <io.h>
#include <sys/stat.h>

struct stage stage;

static WCHAR sink[2][MAX_PATH], original[MAX_PATH];

static void make_path(WCHAR path[MAX_PATH], const WCHAR *suffix)
{
    WCHAR temporary[MAX_PATH];

    GetTempPathW(MAX_PATH, temporary);
    swprintf(path, MAX_PATH, L"%lspss-faults-%lu%ls", temporary, GetCurrentProcessId(), suffix);
}

void stage_init(void)
{
    make_path(sink[0], L".out");
    make_path(sink[1], L".err");
    make_path(stage.file, L".bin");
    make_path(stage.directory, L"");
    make_path(stage.program, L"\\program.exe");
    make_path(stage.backup, L"\\program.exe.pss-backup");
    make_path(stage.half, L"\\program.exe.pss-new");
    make_path(stage.library, L"\\pss.dll");
    assert_true(CreateDirectoryW(stage.directory, NULL) || GetLastError() == ERROR_ALREADY_EXISTS);
    GetModuleFileNameW(NULL, original, MAX_PATH);
    wcscpy(wcsrchr(original, L'\\') + 1, L"kernel32\\pss-test-kernel32.exe");
}

static void delete_neighbours(void)
{
    DeleteFileW(stage.backup);
    DeleteFileW(stage.half);
    DeleteFileW(stage.library);
}

void stage_fini(void)
{
    delete_neighbours();
    DeleteFileW(stage.program);
    RemoveDirectoryW(stage.directory);
    DeleteFileW(stage.file);
    DeleteFileW(sink[0]);
    DeleteFileW(sink[1]);
}

void stage_renew_program(void)
{
    delete_neighbours();
    assert_true(CopyFileW(original, stage.program, FALSE));
}

void stage_add_library(void)
{
    WCHAR path[MAX_PATH];

    GetModuleFileNameW(NULL, path, MAX_PATH);
    wcscpy(wcsrchr(path, L'\\') + 1, L"pss.dll");
    assert_true(CopyFileW(path, stage.library, FALSE));
}

bool stage_is_original(const WCHAR *path)
{
    static char bytes[2][1 << 20];
    size_t sizes[2] = {0};

    for (int i = 0; i < 2; i++) {
        FILE *stream = _wfopen(i ? original : path, L"rb");

        if (!stream)
            return false;
        sizes[i] = fread(bytes[i], 1, sizeof(bytes[i]), stream);
        fclose(stream);
    }
    return sizes[0] && sizes[0] == sizes[1] && !memcmp(bytes[0], bytes[1], sizes[0]);
}

void stage_redirect(int saved[2])
{
    for (int i = 0; i < 2; i++) {
        int sunk;

        fflush(i ? stderr : stdout);
        saved[i] = _dup(i + 1);
        sunk = _wopen(sink[i], _O_CREAT | _O_TRUNC | _O_RDWR | _O_BINARY, _S_IREAD | _S_IWRITE);
        assert_true(saved[i] >= 0 && sunk >= 0);
        _dup2(sunk, i + 1);
        _close(sunk);
    }
}

void stage_restore(const int saved[2])
{
    for (int i = 0; i < 2; i++) {
        fflush(i ? stderr : stdout);
        clearerr(i ? stderr : stdout);
        _dup2(saved[i], i + 1);
        _close(saved[i]);
        _setmode(i + 1, _O_TEXT);
    }
    setvbuf(stdout, NULL, _IONBF, 0);
}

char *stage_read(int index)
{
    FILE *stream = _wfopen(sink[index], L"rb");
    char *text = calloc(1, 1 << 22);

    assert_true(stream && text);
    text[fread(text, 1, (1 << 22) - 1, stream)] = '\0';
    fclose(stream);
    return text;
}
