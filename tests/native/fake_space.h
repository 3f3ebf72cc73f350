/* SPDX-License-Identifier: MIT */
/* The address space of a modelled process: regions that are cut and joined, and written pages. */
#ifndef PSS_FAKE_SPACE_H
#define PSS_FAKE_SPACE_H

#include "fake_kernel.h"

#define FAKE_PAGE        0x1000u
#define FAKE_GRANULARITY 0x10000u

static inline uint64_t fake_region_base(const struct fake_region *region)
{
    return (uint64_t)(ULONG_PTR)region->basic.BaseAddress;
}

static inline uint64_t fake_region_end(const struct fake_region *region)
{
    return fake_region_base(region) + region->basic.RegionSize;
}

static inline uint64_t fake_region_allocation(const struct fake_region *region)
{
    return (uint64_t)(ULONG_PTR)region->basic.AllocationBase;
}

/** The index of the first region that ends behind the address; region_count if there is none. */
uint32_t fake_space_find(const struct fake_process *process, uint64_t address);

/** Whether nothing is there. */
int fake_space_is_free(const struct fake_process *process, uint64_t base, uint64_t end);

/** Makes room for one more region. */
void fake_space_grow(struct fake_process *process);

/** Puts a region where nothing is. */
struct fake_region *fake_space_insert(struct fake_process *process,
                                      const struct fake_region *region);

/** Cuts the regions so that one begins at the address, unless nothing is there. */
void fake_space_cut(struct fake_process *process, uint64_t address);

/** Joins neighbours of one allocation that do not differ. */
void fake_space_join(struct fake_process *process);

/** Takes whole regions away, and their bytes. */
void fake_space_remove(struct fake_process *process, uint64_t base, uint64_t end);

/** Forgets what was written: it is zero, or as the region's bytes are, again. */
void fake_space_forget(struct fake_process *process, uint64_t base, uint64_t end);

/** The end of the allocation that begins at the base. */
uint64_t fake_space_allocation_end(const struct fake_process *process, uint64_t base);

/** Gives a process without memory a copy of another's. */
void fake_space_copy(struct fake_process *to, const struct fake_process *from);

/** Frees everything. */
void fake_space_fini(struct fake_process *process);

#endif
