/* SPDX-License-Identifier: MIT */
/* Growing memory: each growth doubles, so that appending costs constant time on average. */
#include "base/region.h"

#include <string.h>

#define FIRST_CAPACITY 0x10000u /* the allocation granularity: less would waste address space */

static NTSTATUS grow(const struct pss_nt *nt, struct pss_region *region, uint64_t capacity)
{
    uint64_t wanted = region->capacity ? region->capacity : FIRST_CAPACITY;
    struct pss_region grown = {.size = region->size, .dirty = region->size};
    NTSTATUS status;

    if (capacity <= region->capacity)
        return STATUS_SUCCESS;
    if (capacity > UINT32_MAX)
        return STATUS_NO_MEMORY;
    while (wanted < capacity)
        wanted *= 2;
    if (wanted > UINT32_MAX)
        wanted = UINT32_MAX & ~(uint64_t)(FIRST_CAPACITY - 1);
    if (wanted < capacity)
        return STATUS_NO_MEMORY;

    grown.capacity = (SIZE_T)wanted;
    status = nt->allocate_memory(PSS_CURRENT_PROCESS, &grown.base, 0, &grown.capacity,
                                 MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (!NT_SUCCESS(status))
        return status;
    if (region->size)
        memcpy(grown.base, region->base, region->size);
    pss_region_free(nt, region);
    *region = grown;
    return STATUS_SUCCESS;
}

NTSTATUS pss_region_reserve(const struct pss_nt *nt, struct pss_region *region, uint64_t capacity)
{
    NTSTATUS status = grow(nt, region, capacity);

    if (NT_SUCCESS(status))
        region->dirty = region->capacity;
    return status;
}

/* Fresh memory of the system is zero, and what was used before is cleared. */
static void clear(const struct pss_region *region, uint64_t end)
{
    uint64_t dirty_end = end < region->dirty ? end : region->dirty;

    if (region->size < dirty_end)
        memset(pss_region_at(region, region->size), 0, (size_t)(dirty_end - region->size));
}

NTSTATUS pss_region_append(const struct pss_nt *nt, struct pss_region *region, uint32_t size,
                           uint32_t alignment, uint32_t *offset)
{
    uint64_t start = ((uint64_t)region->size + alignment - 1) & ~(uint64_t)(alignment - 1);
    NTSTATUS status = grow(nt, region, start + size);

    if (!NT_SUCCESS(status))
        return status;
    clear(region, start + size);
    region->size = (uint32_t)(start + size);
    if (region->dirty < region->size)
        region->dirty = region->size;
    *offset = (uint32_t)start;
    return STATUS_SUCCESS;
}

void pss_region_free(const struct pss_nt *nt, struct pss_region *region)
{
    SIZE_T whole = 0;

    if (region->base) /* Memory of our own that we allocated: its release cannot fail. */
        nt->free_memory(PSS_CURRENT_PROCESS, &region->base, &whole, MEM_RELEASE);
    memset(region, 0, sizeof(*region));
}
