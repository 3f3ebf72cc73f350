/* SPDX-License-Identifier: MIT */
/* Snapshots that another process has written here: recognised on their first use. */
#include "api/adopt.h"

#include "api/live.h"

#include "pss.h"

#define GRANULARITY 0x10000u /* bytes; where an allocation begins */
#define PATIENCE    1000u    /* milliseconds, for another thread to adopt the same block */

int pss_block_is_shared(const struct pss_block *block)
{
    return block->origin != PSS_ORIGIN_CAPTURED ||
           block->capture_flags & PSS_CREATE_USE_VM_ALLOCATIONS;
}

static int holds_block(const MEMORY_BASIC_INFORMATION *region, const struct pss_block *block)
{
    return region->State == MEM_COMMIT && region->Type == MEM_PRIVATE &&
           region->AllocationBase == (const void *)block && region->Protect == PAGE_READWRITE &&
           region->RegionSize >= sizeof(*block) && block->magic == PSS_BLOCK_MAGIC &&
           block->size <= region->RegionSize;
}

NTSTATUS pss_block_find(const struct pss_nt *nt, const struct pss_block *block)
{
    MEMORY_BASIC_INFORMATION region;
    NTSTATUS status;

    if ((uintptr_t)block % GRANULARITY || !block)
        return STATUS_NOT_FOUND;
    status = nt->query_memory(PSS_CURRENT_PROCESS, (void *)block, PSS_NT_MEMORY_BASIC, &region,
                              sizeof(region), NULL);
    if (!NT_SUCCESS(status)) /* nothing is known: no status of the system means that it is gone */
        return status == STATUS_NOT_FOUND ? STATUS_UNSUCCESSFUL : status;
    return holds_block(&region, block) ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

static int insert(const struct pss_nt *nt, struct pss_block *block)
{
    block->references = 1;
    if (NT_SUCCESS(pss_live_insert(nt, PSS_LIVE_SHARED_SNAPSHOT, block, block->instance)))
        return 1;
    __atomic_store_n(&block->origin, PSS_ORIGIN_SHIPPED, __ATOMIC_RELEASE);
    return 0;
}

/* Another thread is at it: it will be done, or has failed. */
static int wait_for_other(const struct pss_nt *nt, const struct pss_block *block)
{
    LARGE_INTEGER pause = {.QuadPart = -10000}; /* 1 ms; 100 ns, negative is from now on */

    for (uint32_t i = 0; i < PATIENCE; i++) {
        if (pss_live_contains(PSS_LIVE_SHARED_SNAPSHOT, block, block->instance))
            return 1;
        if (__atomic_load_n(&block->origin, __ATOMIC_ACQUIRE) == PSS_ORIGIN_SHIPPED)
            return 0;
        nt->wait(PSS_CURRENT_THREAD, FALSE, &pause); /* a thread outlives its own wait */
    }
    return 0;
}

int pss_block_adopt(const struct pss_nt *nt, struct pss_block *block)
{
    uint32_t shipped = PSS_ORIGIN_SHIPPED, origin;

    if (!NT_SUCCESS(pss_block_find(nt, block)) || block->live != 1)
        return 0;
    origin = __atomic_load_n(&block->origin, __ATOMIC_ACQUIRE); /* once: another may be at it */
    if (origin == PSS_ORIGIN_ADOPTED)
        return wait_for_other(nt, block);
    if (origin != PSS_ORIGIN_SHIPPED || !NT_SUCCESS(pss_block_validate(block, block->size)))
        return 0;
    if (!__atomic_compare_exchange_n(&block->origin, &shipped, PSS_ORIGIN_ADOPTED, 0,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return wait_for_other(nt, block);
    return insert(nt, block);
}
