/* SPDX-License-Identifier: MIT */
/* What ends the bench early. */
#include "fail.h"

#include <stdio.h>
#include <stdlib.h>

void fail(const char *function, DWORD error)
{
    fflush(stdout);
    fprintf(stderr, "pss-bench: %s failed: error %lu\n", function, error);
    exit(EXIT_FAILURE);
}

void fail_last(const char *function)
{
    fail(function, GetLastError());
}

void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL)
        fail("calloc", ERROR_NOT_ENOUGH_MEMORY);
    return memory;
}
