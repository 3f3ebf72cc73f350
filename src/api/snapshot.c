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
    enum pss_live_kind kind =
        pss_block_is_shared(block) ? PSS_LIVE_SHARED_SNAPSHOT : PSS_LIVE_SNAPSHOT;

    block->instance = nt->read_tsc();
    return pss_live_insert(nt, kind, block, block->instance);
}

/*
 * What another process has freed is gone, and what lies at its address now is looked at as if it
 * was never seen before.
 */
struct pss_block *pss_snapshot_block(const struct pss_nt *nt, HPSS snapshot)
{
    struct pss_block *block = (struct pss_block *)snapshot;
    uint64_t instance;

    if (pss_live_find(PSS_LIVE_SNAPSHOT, block, &instance))
        return block;
    while (pss_live_find(PSS_LIVE_SHARED_SNAPSHOT, block, &instance)) {
        NTSTATUS status = pss_block_find(nt, block);

        if (NT_SUCCESS(status) && block->live == 1 && block->instance == instance)
            return block;
        if (!NT_SUCCESS(status) && status != STATUS_NOT_FOUND)
            return NULL;
        pss_live_remove(PSS_LIVE_SHARED_SNAPSHOT, block, instance); /* or another thread did */
    }
    return pss_block_adopt(nt, block) ? block : NULL;
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
        status = pss_block_is_shared(copy) ? pss_foreign_free(nt, party, address, &owned)
                                           : STATUS_NOT_SUPPORTED;
        pss_foreign_give_back(nt, &borrowed, NT_SUCCESS(status));
    }
    pss_block_release(nt, copy);
    return status;
}

NTSTATUS pss_snapshot_end(const struct pss_nt *nt, HPSS snapshot, uint64_t instance)
{
    struct pss_block *block = pss_snapshot_block(nt, snapshot);

    if (!block || !(pss_live_remove(PSS_LIVE_SNAPSHOT, block, instance) ||
                    pss_live_remove(PSS_LIVE_SHARED_SNAPSHOT, block, instance)))
        return STATUS_INVALID_HANDLE;
    pss_owned_close(nt, block);
    destroy_block(nt, block);
    return STATUS_SUCCESS;
}

static NTSTATUS free_own(const struct pss_nt *nt, HPSS snapshot)
{
    const struct pss_block *block = pss_snapshot_block(nt, snapshot);

    return block ? pss_snapshot_end(nt, snapshot, block->instance) : STATUS_INVALID_HANDLE;
}

NTSTATUS pss_snapshot_free(const struct pss_nt *nt, HANDLE process, HPSS snapshot)
{
    struct pss_party party;
    NTSTATUS status = pss_party_open(nt, process, FREE_ACCESS, &party);

    if (!NT_SUCCESS(status))
        return status;
    return party.is_own ? free_own(nt, snapshot) : free_foreign(nt, &party, snapshot);
}
