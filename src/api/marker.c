/* SPDX-License-Identifier: MIT */
/* Walk markers: a place in a stream, and what keeps the pointers alive that a walk hands out. */
#include "api/adopt.h"
#include "api/api.h"

#include <string.h>

#define UNBOUND UINT32_MAX /* no information class */

/* A snapshot the marker has walked, and holds until it is freed. */
struct hold {
    struct pss_block *block; /* one reference */
    uint64_t instance;       /* of the block */
    int is_lasting;          /* nobody else can free the block */
    struct hold *next;
};

struct pss_marker {
    PSS_ALLOCATOR allocator; /* the client's, copied; no routines: the process heap */
    const struct pss_nt *nt; /* borrowed, outlives the marker */
    struct pss_block *block; /* of the stream; NULL while unbound; held below */
    uint64_t instance;       /* of the block */
    uint32_t information_class;
    ULONG_PTR position; /* entries before the next one */
    struct hold *holds; /* newest first; the oldest is first_hold */
    struct hold first_hold;
};

static void *allocate(const struct pss_nt *nt, const PSS_ALLOCATOR *allocator, DWORD size)
{
    if (allocator->AllocRoutine)
        return allocator->AllocRoutine(allocator->Context, size);
    return nt->allocate_heap(size);
}

static void release(const struct pss_nt *nt, const PSS_ALLOCATOR *allocator, void *address)
{
    if (allocator->AllocRoutine) {
        if (allocator->FreeRoutine)
            allocator->FreeRoutine(allocator->Context, address);
        return;
    }
    nt->free_heap(address);
}

NTSTATUS pss_marker_create(const struct pss_nt *nt, const PSS_ALLOCATOR *allocator,
                           HPSSWALK *handle)
{
    PSS_ALLOCATOR chosen = {NULL, NULL, NULL};
    struct pss_marker *marker;
    NTSTATUS status;

    if (!handle)
        return STATUS_INVALID_PARAMETER;
    *handle = NULL;
    if (allocator)
        chosen = *allocator;
    marker = allocate(nt, &chosen, sizeof(*marker));
    if (!marker)
        return STATUS_NO_MEMORY;
    memset(marker, 0, sizeof(*marker));
    marker->allocator = chosen;
    marker->nt = nt;
    marker->information_class = UNBOUND;
    status = pss_live_insert(nt, PSS_LIVE_MARKER, marker, 0);
    if (!NT_SUCCESS(status)) {
        release(nt, &chosen, marker);
        return status;
    }
    *handle = (HPSSWALK)marker;
    return STATUS_SUCCESS;
}

struct pss_marker *pss_marker_find(HPSSWALK handle)
{
    return pss_live_contains(PSS_LIVE_MARKER, handle, 0) ? (struct pss_marker *)handle : NULL;
}

/*
 * What was freed from another process is gone, references or not. Where the system does not tell,
 * it is left alone: better that memory stays than that somebody else's goes.
 */
static void let_go(const struct pss_nt *nt, const struct hold *hold)
{
    if (hold->is_lasting ||
        (NT_SUCCESS(pss_block_find(nt, hold->block)) && hold->block->instance == hold->instance))
        pss_block_release(nt, hold->block);
}

NTSTATUS pss_marker_free(const struct pss_nt *nt, HPSSWALK handle)
{
    struct pss_marker *marker = (struct pss_marker *)handle;
    PSS_ALLOCATOR allocator;
    struct hold *hold;

    if (!pss_live_remove(PSS_LIVE_MARKER, handle, 0))
        return STATUS_INVALID_HANDLE;
    allocator = marker->allocator;
    while ((hold = marker->holds)) {
        marker->holds = hold->next;
        let_go(nt, hold);
        if (hold != &marker->first_hold)
            release(nt, &allocator, hold);
    }
    release(nt, &allocator, marker);
    return STATUS_SUCCESS;
}

static int is_held(const struct pss_marker *marker, const struct pss_block *block)
{
    const struct hold *hold = marker->holds;

    while (hold && !(hold->block == block && hold->instance == block->instance))
        hold = hold->next;
    return hold != NULL;
}

static NTSTATUS hold_block(struct pss_marker *marker, struct pss_block *block)
{
    struct hold *hold = &marker->first_hold;

    if (marker->holds)
        hold = allocate(marker->nt, &marker->allocator, sizeof(*hold));
    if (!hold)
        return STATUS_NO_MEMORY;
    pss_block_reference(block);
    hold->block = block;
    hold->instance = block->instance;
    hold->is_lasting = !pss_block_is_shared(block);
    hold->next = marker->holds;
    marker->holds = hold;
    return STATUS_SUCCESS;
}

NTSTATUS pss_marker_bind(struct pss_marker *marker, struct pss_block *block,
                         uint32_t information_class)
{
    NTSTATUS status = STATUS_SUCCESS;

    if (marker->block == block && marker->instance == block->instance &&
        marker->information_class == information_class)
        return STATUS_SUCCESS;
    if (!is_held(marker, block))
        status = hold_block(marker, block);
    if (!NT_SUCCESS(status))
        return status;
    if (marker->block) /* elsewhere; a place set on an unbound marker counts for the next stream */
        marker->position = 0;
    marker->block = block;
    marker->instance = block->instance;
    marker->information_class = information_class;
    return STATUS_SUCCESS;
}

const struct pss_nt *pss_marker_nt(const struct pss_marker *marker)
{
    return marker->nt;
}

ULONG_PTR pss_marker_position(const struct pss_marker *marker)
{
    return marker->position;
}

void pss_marker_advance(struct pss_marker *marker)
{
    marker->position++;
}

NTSTATUS pss_marker_tell(HPSSWALK handle, ULONG_PTR *position)
{
    const struct pss_marker *marker = pss_marker_find(handle);

    if (!marker)
        return STATUS_INVALID_HANDLE;
    if (!position)
        return STATUS_INVALID_PARAMETER;
    *position = marker->position;
    return STATUS_SUCCESS;
}

NTSTATUS pss_marker_seek(HPSSWALK handle, ULONG_PTR position)
{
    struct pss_marker *marker = pss_marker_find(handle);

    if (!marker)
        return STATUS_INVALID_HANDLE;
    marker->position = position;
    return STATUS_SUCCESS;
}

NTSTATUS pss_marker_rewind(HPSSWALK handle)
{
    struct pss_marker *marker = pss_marker_find(handle);

    if (!marker)
        return STATUS_INVALID_HANDLE;
    marker->position = 0;
    marker->block = NULL;
    marker->information_class = UNBOUND;
    return STATUS_SUCCESS;
}
