/* SPDX-License-Identifier: MIT */
/* The life of a snapshot: captured, live, freed. */
#include "api/api.h"
#include "capture/capture.h"

#define UNDEFINED_FLAGS 0x03FF8000u

struct pss_block *pss_snapshot_block(HPSS snapshot)
{
    return pss_live_contains(PSS_LIVE_SNAPSHOT, snapshot) ? (struct pss_block *)snapshot : NULL;
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
    status = pss_live_insert(nt, PSS_LIVE_SNAPSHOT, block);
    if (!NT_SUCCESS(status)) {
        pss_owned_discard(nt, block);
        destroy_block(nt, block);
        return status;
    }
    *snapshot = (HPSS)block;
    return STATUS_SUCCESS;
}

/* What a read answers where the other process has nothing. */
static int is_unreadable(NTSTATUS status)
{
    return status == STATUS_PARTIAL_COPY || status == STATUS_ACCESS_VIOLATION ||
           status == STATUS_INVALID_ADDRESS || status == STATUS_PROCESS_IS_TERMINATING;
}

/*
 * Whether a handle that may not be queried is one to this process: what this thread writes to its
 * stack now, and only now, can be read through it.
 */
static NTSTATUS is_own_memory(const struct pss_nt *nt, HANDLE process, int *is_own)
{
    volatile uint64_t probe = nt->read_tsc();

    *is_own = 1;
    for (int i = 0; i < 2 && *is_own; i++) {
        uint64_t seen = 0;
        SIZE_T read = 0;
        NTSTATUS status =
            nt->read_memory(process, (const void *)(uintptr_t)&probe, &seen, sizeof(seen), &read);

        if (!NT_SUCCESS(status) && !is_unreadable(status))
            return status;
        *is_own = NT_SUCCESS(status) && read == sizeof(seen) && seen == probe;
        probe = ~probe;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS is_own_process(const struct pss_nt *nt, HANDLE process, int *is_own)
{
    struct pss_nt_process_basic basic;
    NTSTATUS status;

    if (process == PSS_CURRENT_PROCESS) {
        *is_own = 1;
        return STATUS_SUCCESS;
    }
    status = nt->query_process(process, PSS_NT_PROCESS_BASIC, &basic, sizeof(basic), NULL);
    if (status == STATUS_ACCESS_DENIED)
        return is_own_memory(nt, process, is_own);
    if (NT_SUCCESS(status))
        *is_own = basic.process_id == (ULONG_PTR)nt->current_id().UniqueProcess;
    return status;
}

/* Freeing where another process keeps its snapshots is not supported yet. */
static NTSTATUS free_remote(const struct pss_nt *nt, HANDLE process, HPSS snapshot)
{
    static const ACCESS_MASK needed = PROCESS_VM_READ | PROCESS_VM_OPERATION | PROCESS_DUP_HANDLE;
    struct pss_nt_object_basic object;
    uint32_t magic = 0;
    SIZE_T read = 0;
    NTSTATUS status = nt->query_object(process, PSS_NT_OBJECT_BASIC, &object, sizeof(object), NULL);

    if (!NT_SUCCESS(status))
        return status;
    if ((object.granted_access & needed) != needed)
        return STATUS_ACCESS_DENIED;
    status = nt->read_memory(process, snapshot, &magic, sizeof(magic), &read);
    if (!NT_SUCCESS(status) || read != sizeof(magic) || magic != PSS_BLOCK_MAGIC)
        return STATUS_INVALID_HANDLE;
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS pss_snapshot_free(const struct pss_nt *nt, HANDLE process, HPSS snapshot)
{
    int is_own = 0;
    NTSTATUS status = is_own_process(nt, process, &is_own);

    if (!NT_SUCCESS(status))
        return status;
    if (!is_own)
        return free_remote(nt, process, snapshot);
    if (!pss_live_remove(PSS_LIVE_SNAPSHOT, snapshot))
        return STATUS_INVALID_HANDLE;
    pss_owned_close(nt, (struct pss_block *)snapshot);
    destroy_block(nt, (struct pss_block *)snapshot);
    return STATUS_SUCCESS;
}
