/* SPDX-License-Identifier: MIT */
/* The cost of one entry: a long walk through the library, and the same bytes copied. */
#include "bench.h"
#include "fail.h"

#include <string.h>

#define WALKED_ENTRIES 100000u

/* From the start again as often as it takes. */
unsigned ours_walk(const struct scene *scene)
{
    const struct comparison *comparison = scene->comparison;
    union entry entry;

    PssWalkMarkerSeekToBeginning(scene->marker);
    for (unsigned done = 0; done < WALKED_ENTRIES;) {
        DWORD error = PssWalkSnapshot(scene->snapshot, comparison->list, scene->marker, &entry,
                                      comparison->entry_size);

        if (error == ERROR_SUCCESS)
            done++;
        else if (error == ERROR_NO_MORE_ITEMS)
            PssWalkMarkerSeekToBeginning(scene->marker);
        else
            fail("PssWalkSnapshot", error);
    }
    return WALKED_ENTRIES;
}

/* The same entries out of an array: what no interface can beat. */
unsigned theirs_copy(const struct scene *scene)
{
    DWORD size = scene->comparison->entry_size;
    union entry entry;

    for (unsigned i = 0, at = 0; i < WALKED_ENTRIES; i++) {
        memcpy(&entry, scene->entries + (size_t)at * size, size);
        __asm__ volatile("" : : "r"(&entry) : "memory"); /* each copy counts as used */
        at = at + 1 == scene->entry_count ? 0 : at + 1;
    }
    return WALKED_ENTRIES;
}
