/* SPDX-License-Identifier: MIT */
/* Without the library: the address space, by VirtualQueryEx and GetMappedFileName. */
#include "bench.h"

#define PSAPI_VERSION 2 /* the names of kernel32, without psapi.dll */
#include <psapi.h>

static unsigned walk_regions(HANDLE process, int are_names_wanted)
{
    MEMORY_BASIC_INFORMATION region;
    const char *address = NULL;
    WCHAR name[MAX_PATH];
    unsigned count = 0;

    while (VirtualQueryEx(process, address, &region, sizeof region) == sizeof region) {
        if (are_names_wanted && region.State != MEM_FREE && region.Type != MEM_PRIVATE)
            GetMappedFileNameW(process, region.BaseAddress, name, MAX_PATH);
        address = (const char *)region.BaseAddress + region.RegionSize;
        count++;
    }
    return count;
}

unsigned theirs_regions(const struct scene *scene)
{
    return walk_regions(scene->target.process, 0);
}

unsigned theirs_named_regions(const struct scene *scene)
{
    return walk_regions(scene->target.process, 1);
}
