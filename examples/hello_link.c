/* SPDX-License-Identifier: MIT */
/* The smallest program that links with pss.dll: gcc hello_link.c -lpss; it prints its parent's id.
 */
#include <stdio.h>

#include "pss.h"

int main(void)
{
    HPSS snapshot;
    PSS_PROCESS_INFORMATION process;
    DWORD error = PssCaptureSnapshot(GetCurrentProcess(), PSS_CAPTURE_NONE, 0, &snapshot);

    if (error == ERROR_SUCCESS) {
        error = PssQuerySnapshot(snapshot, PSS_QUERY_PROCESS_INFORMATION, &process, sizeof process);
        PssFreeSnapshot(GetCurrentProcess(), snapshot);
    }
    if (error != ERROR_SUCCESS) {
        fprintf(stderr, "error %lu\n", error);
        return 1;
    }
    printf("parent process: %lu\n", process.ParentProcessId);
    return 0;
}
