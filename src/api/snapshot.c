/* SPDX-License-Identifier: MIT */
/* The life of a snapshot: captured, live, freed. */
#include "api/adopt.h"
#include "api/api.h"
#include "api/foreign.h"
#include "capture/capture.h"

#define UNDEFINED_FLAGS 0x03FF8000u

#define FREE_ACCESS (PROCESS_VM_READ | PROCESS_VM_OPERATION | PROCESS_DUP_HANDLE)

NTSTATUS pss_snapshot_insert(const struct pss_nt *nt, struct pss_block *block)
{
    if (!pss_block_is_shared(block))
        return pss_live_insert(nt, PSS_LIVE_SNAPSHOT, block);
    block->instance = nt->read_tsc();
    return pss_live_insert(nt, PSS_LIVE_SHARED_SNAPSHOT, block);
}

struct pss_block *pss_snapshot_block(const struct pss_nt *nt, HPSS snapshot)
{
    struct pss_block *block = (struct pss_block *)snapshot;
    NTSTATUS status;

    if (pss_live_contains(PSS_LIVE_SNAPSHOT, block))
        return block;
    if (!pss_live_contains(PSS_LIVE_SHARED_SNAPSHOT, block))
        return pss_block_adopt(nt, block) ? block : NULL;
    status = pss_block_find(nt, block);
    if (NT_SUCCESS(status) && block->live == 1)
        return block;
    if (NT_SUCCESS(status) || status == STATUS_NOT_FOUND)
        pss_live_remove(PSS_LIVE_SHARED_SNAPSHOT, block); /* Another process has freed it. */
    return NULL;
}

static void destroy_block(const struct pss_nt *nt, struct pss_block *block)
{
    block->live = 0;
    pss_block_release(nt, block);
}

NTSTATUS pss_snapshot_capture(const struct pss_nt *nt, HANDLE process, uint32_t flags,
                              uint32_t context_flags, HPSS *snapshot)
{
    struct pss_block *block;
    NTSTATUS status;

    if (!snapshot)
        return STATUS_INVALID_PARAMETER;
    *snapshot = NULL;
    if (flags & UNDEFINED_FLAGS)
        return STATUS_INVALID_PARAMETER;
    status = pss_capture_process(nt, process, flags, context_flags, &block);
    if (!NT_SUCCESS(status))
        return status;
    status = pss_snapshot_insert(nt, block);
    if (!NT_SUCCESS(status)) {
        pss_owned_discard(nt, block);
        destroy_block(nt, block);
        return status;
    }
    *snapshot = (HPSS)block;
    return STATUS_SUCCESS;
}

static NTSTATUS free_foreign(const struct pss_nt *nt, const struct pss_party *party, HPSS snapshot)
{
    uint64_t address = (uint64_t)(ULONG_PTR)snapshot;
    struct pss_owned_records owned, borrowed;
    struct pss_block *copy;
    NTSTATUS status = pss_foreign_read(nt, party, address, &copy);

    if (!NT_SUCCESS(status))
        return status;
    pss_owned_read(copy, &owned);
    status = pss_foreign_borrow(nt, party, &owned, &borrowed);
    if (NT_SUCCESS(status)) {
        pss_foreign_give_back(nt, &borrowed);
        status = pss_block_is_shared(copy) ? pss_foreign_free(nt, party, address, &owned)
                                           : STATUS_NOT_SUPPORTED;
    }
    pss_block_release(nt, copy);
    return status;
}

static NTSTATUS free_own(const struct pss_nt *nt, HPSS snapshot)
{
    struct pss_block *block = pss_snapshot_block(nt, snapshot);

    if (!block || !(pss_live_remove(PSS_LIVE_SNAPSHOT, block) ||
                    pss_live_remove(PSS_LIVE_SHARED_SNAPSHOT, block)))
        return STATUS_INVALID_HANDLE;
    pss_owned_close(nt, block);
    destroy_block(nt, block);
    return STATUS_SUCCESS;
}

NTSTATUS pss_snapshot_free(const struct pss_nt *nt, HANDLE process, HPSS snapshot)
{
    struct pss_party party;
    NTSTATUS status = pss_party_open(nt, process, FREE_ACCESS, &party);

    if (!NT_SUCCESS(status))
        return status;
    return party.is_own ? free_own(nt, snapshot) : free_foreign(nt, &party, snapshot);
}
