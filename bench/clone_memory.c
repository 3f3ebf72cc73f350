/* SPDX-License-Identifier: MIT */
/* The committed memory of a target: where it is, and a plain read of it. */
#include "clone.h"
#include "fail.h"

#include <stdlib.h>

static int is_readable(const MEMORY_BASIC_INFORMATION *region)
{
    return region->State == MEM_COMMIT && (region->Protect & (PAGE_GUARD | PAGE_NOACCESS)) == 0;
}

/* Nothing else that a target has is private and as large. */
static int is_filling(const MEMORY_BASIC_INFORMATION *region)
{
    return region->Type == MEM_PRIVATE && region->RegionSize >= FILL_LEAST;
}

static void add(struct memory_map *map, const MEMORY_BASIC_INFORMATION *region)
{
    struct committed *grown = realloc(map->regions, (map->count + 1) * sizeof *map->regions);

    if (grown == NULL)
        fail("realloc", ERROR_NOT_ENOUGH_MEMORY);
    map->regions = grown;
    map->regions[map->count++] = (struct committed){
        .base = region->BaseAddress, .size = region->RegionSize, .is_filling = is_filling(region)};
    map->bytes += region->RegionSize;
    if (is_filling(region))
        map->filling += region->RegionSize;
}

void map_read(HANDLE process, struct memory_map *map)
{
    MEMORY_BASIC_INFORMATION region;
    const char *address = NULL;

    *map = (struct memory_map){0};
    while (VirtualQueryEx(process, address, &region, sizeof region) == sizeof region) {
        if (is_readable(&region))
            add(map, &region);
        address = (const char *)region.BaseAddress + region.RegionSize;
    }
}

void map_free(struct memory_map *map)
{
    free(map->regions);
    *map = (struct memory_map){0};
}

static void read_all(HANDLE process, const char *address, void *buffer, size_t size)
{
    SIZE_T read;

    if (!ReadProcessMemory(process, address, buffer, size, &read) || read != size)
        fail_last("ReadProcessMemory");
}

void plain_read(HANDLE process, struct memory_map *map)
{
    for (unsigned i = 0; i < map->count; i++) {
        struct committed *region = &map->regions[i];

        region->buffer = VirtualAlloc(NULL, region->size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
        if (region->buffer == NULL)
            fail_last("VirtualAlloc");
        read_all(process, region->base, region->buffer, region->size);
    }
}

void plain_read_free(struct memory_map *map)
{
    for (unsigned i = 0; i < map->count; i++) {
        VirtualFree(map->regions[i].buffer, 0, MEM_RELEASE);
        map->regions[i].buffer = NULL;
    }
}
