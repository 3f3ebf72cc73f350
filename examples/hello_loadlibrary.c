/* SPDX-License-Identifier: MIT */
/* The smallest program that finds pss.dll at run time, and so starts without it too. */
#include <stdio.h>

#include "pss.h"

typedef DWORD(WINAPI *capture_snapshot)(HANDLE, PSS_CAPTURE_FLAGS, DWORD, HPSS *);
typedef DWORD(WINAPI *query_snapshot)(HPSS, PSS_QUERY_INFORMATION_CLASS, void *, DWORD);
typedef DWORD(WINAPI *free_snapshot)(HANDLE, HPSS);

/** The cast in the middle keeps compilers calm that warn of the direct one. */
#define FIND(library, type, name) ((type)(void (*)(void))GetProcAddress(library, name))

static DWORD count_threads(HMODULE library, DWORD *count)
{
    capture_snapshot capture = FIND(library, capture_snapshot, "PssCaptureSnapshot");
    query_snapshot query = FIND(library, query_snapshot, "PssQuerySnapshot");
    free_snapshot release = FIND(library, free_snapshot, "PssFreeSnapshot");
    PSS_THREAD_INFORMATION threads = {0, 0};
    HPSS snapshot;
    DWORD error;

    if (capture == NULL || query == NULL || release == NULL)
        return ERROR_PROC_NOT_FOUND;
    error = capture(GetCurrentProcess(), PSS_CAPTURE_THREADS, 0, &snapshot);
    if (error != ERROR_SUCCESS)
        return error;
    error = query(snapshot, PSS_QUERY_THREAD_INFORMATION, &threads, sizeof threads);
    release(GetCurrentProcess(), snapshot);
    *count = threads.ThreadsCaptured;
    return error;
}

int main(void)
{
    HMODULE library = LoadLibraryW(L"pss.dll");
    DWORD count = 0;
    DWORD error = library != NULL ? count_threads(library, &count) : GetLastError();

    if (error != ERROR_SUCCESS) {
        fprintf(stderr, "error %lu\n", error);
        return 1;
    }
    printf("threads: %lu\n", count);
    return 0;
}
