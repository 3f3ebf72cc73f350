/* SPDX-License-Identifier: MIT */
/* Whether a clone is one: a fast copy of the wrong bytes shall not count. */
#include "clone.h"
#include "fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 0x100000u

struct comparing {
    HANDLE process, clone; /* borrowed */
    char *here, *there;    /* chunks of both; owned */
    UINT64 filling, other; /* bytes that differ */
};

/* What cannot be read differs. */
static size_t count_differences(const struct comparing *comparing, const char *address, size_t size)
{
    SIZE_T read = 0;
    size_t count = 0;

    if (!ReadProcessMemory(comparing->process, address, comparing->here, size, &read) ||
        read != size)
        fail_last("ReadProcessMemory");
    if (!ReadProcessMemory(comparing->clone, address, comparing->there, size, &read) ||
        read != size)
        return size;
    if (memcmp(comparing->here, comparing->there, size) != 0)
        for (size_t i = 0; i < size; i++)
            count += comparing->here[i] != comparing->there[i];
    return count;
}

static void compare(struct comparing *comparing, const struct committed *region)
{
    for (size_t at = 0; at < region->size;) {
        size_t left = region->size - at;
        size_t size = left < CHUNK ? left : CHUNK;
        size_t count = count_differences(comparing, region->base + at, size);

        if (region->is_filling)
            comparing->filling += count;
        else
            comparing->other += count;
        at += size;
    }
}

void verify_clone(HANDLE process, HANDLE clone, const struct memory_map *map,
                  const PSS_VA_CLONE_DETAILS *details)
{
    struct comparing comparing = {process, clone, allocate(CHUNK, 1), allocate(CHUNK, 1), 0, 0};
    int is_copy = details->Strategy == PSS_CLONE_CARRIER; /* only of these the details tell bytes */

    for (unsigned i = 0; i < map->count; i++)
        compare(&comparing, &map->regions[i]);
    free(comparing.here);
    free(comparing.there);
    if (comparing.filling == 0 && (!is_copy || comparing.other <= details->BytesMissing))
        return;
    fprintf(stderr, "pss-bench: %llu bytes of the filling differ, %llu others, %llu are missing\n",
            (unsigned long long)comparing.filling, (unsigned long long)comparing.other,
            (unsigned long long)details->BytesMissing);
    fail("comparing the clone with the target", ERROR_INVALID_DATA);
}
