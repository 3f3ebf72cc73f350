/* SPDX-License-Identifier: MIT */
/* Calls one function of each kind with a handle that nobody made. */
#include <pss.h>

int main(void)
{
    PSS_THREAD_INFORMATION threads;
    HPSSWALK marker;

    if (PssQuerySnapshot(NULL, PSS_QUERY_THREAD_INFORMATION, &threads, sizeof threads) !=
        ERROR_INVALID_HANDLE)
        return 1;
    if (PssFreeSnapshot(GetCurrentProcess(), NULL) != ERROR_INVALID_HANDLE)
        return 2;
    if (PssWalkMarkerCreate(NULL, &marker) != ERROR_SUCCESS)
        return 3;
    return PssWalkMarkerFree(marker) == ERROR_SUCCESS ? 0 : 4;
}
