/* SPDX-License-Identifier: MIT */
/* A program that crashes as it is told: `crash_handler crasher null|stack|heap|none`. */
#include <stdio.h>
#include <string.h>

#include "crash_client.h"

#define MARKER 0x70737321u /* lies on the stack of every crash: something to look for */

static int *volatile nowhere;

static void write_null(void)
{
    volatile ULONG_PTR marker[2] = {MARKER, MARKER};

    *nowhere = (int)marker[0];
}

/* The sum after the call keeps it a call. */
static ULONG_PTR overflow_stack(ULONG_PTR depth)
{
    volatile ULONG_PTR marker[16] = {MARKER, depth};

    return depth == 0 ? 0 : overflow_stack(depth - 1) + marker[1];
}

/* The dead thread never unlocks the heap: whoever allocates from now on waits for ever. */
static void crash_with_heap_locked(void)
{
    HeapLock(GetProcessHeap());
    write_null();
}

int main(int argc, char **argv)
{
    const char *how = argc == 2 ? argv[1] : "";
    DWORD error = crash_client_start();

    if (error != ERROR_SUCCESS)
        fprintf(stderr, "crasher: runs without a crash handler: error %lu\n", error);
    if (strcmp(how, "null") == 0)
        write_null();
    else if (strcmp(how, "stack") == 0)
        overflow_stack((ULONG_PTR)-1);
    else if (strcmp(how, "heap") == 0)
        crash_with_heap_locked();
    else if (strcmp(how, "none") == 0)
        return 0;
    fprintf(stderr, "usage: crasher null|stack|heap|none\n");
    return 2;
}
