/* SPDX-License-Identifier: MIT */
/* A region: memory of our own, straight from the system, that grows. */
#ifndef PSS_REGION_H
#define PSS_REGION_H

#include "nt/nt.h"

/* Zero-initialised is empty and valid. */
struct pss_region {
    void *base;      /* owned; NULL while empty */
    uint32_t size;   /* bytes used */
    SIZE_T capacity; /* bytes allocated */
    SIZE_T dirty;    /* bytes that may have been written to: the rest is zero */
};

/**
 * Makes room for at least \p capacity bytes in all. What is used stays, but may move. The caller
 * may write to all of the room.
 *
 * \return STATUS_SUCCESS · STATUS_NO_MEMORY past 4 GiB · the allocator's status.
 */
NTSTATUS pss_region_reserve(const struct pss_nt *nt, struct pss_region *region, uint64_t capacity);

/**
 * Appends \p size zeroed bytes, aligned to \p alignment; also where the size was reduced before.
 *
 * \param region     [in,out] May move: keep offsets.
 * \param alignment  [in]     A power of two, 64 KiB at most.
 * \param offset     [out]    Bytes from the start of the region; untouched on failure.
 * \return as pss_region_reserve.
 */
NTSTATUS pss_region_append(const struct pss_nt *nt, struct pss_region *region, uint32_t size,
                           uint32_t alignment, uint32_t *offset);

/** Releases the memory and leaves an empty region; an empty one may be given. */
void pss_region_free(const struct pss_nt *nt, struct pss_region *region);

/** The byte at \p offset, which must have been appended. */
static inline void *pss_region_at(const struct pss_region *region, uint32_t offset)
{
    return (char *)region->base + offset;
}

#endif
