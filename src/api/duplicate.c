/* SPDX-License-Identifier: MIT */
/* PssDuplicateSnapshot: a block and its handles, from one process to another, whole or not at all.
 */
#include "api/api.h"
#include "api/foreign.h"
#include "base/low.h"
#include "base/remote.h"

#include <string.h>

/* A duplicate in the making. */
struct shipment {
    const struct pss_nt *nt;
    struct pss_party source, target;
    struct pss_block *block;          /* of the source: a live one of ours, or a validated copy */
    int is_copy;                      /* the block is memory of ours */
    uint64_t instance;                /* of the source, if it is a live one of ours */
    struct pss_owned_records theirs;  /* as the source has them */
    struct pss_owned_records ready;   /* the same, as handles of our own process */
    struct pss_owned_records ours;    /* as the target has them; their handles are opened there */
    struct pss_remote_release opened; /* all of these handles, to be taken back on failure */
    uint32_t opened_count;
};

#define SOURCE_ACCESS (PROCESS_VM_READ | PROCESS_DUP_HANDLE)
#define TARGET_ACCESS (PROCESS_VM_OPERATION | PROCESS_VM_WRITE | PROCESS_DUP_HANDLE)
#define CLOSE_ACCESS  (SOURCE_ACCESS | PROCESS_VM_OPERATION)

static NTSTATUS open_handle(struct shipment *shipment, uint64_t handle, ACCESS_MASK access,
                            uint64_t *opened)
{
    HANDLE there = NULL;
    NTSTATUS status;

    *opened = 0;
    if (!handle)
        return STATUS_SUCCESS;
    status = shipment->nt->duplicate(PSS_CURRENT_PROCESS, (HANDLE)(ULONG_PTR)handle,
                                     shipment->target.process, &there, access, 0,
                                     access ? 0 : DUPLICATE_SAME_ACCESS);
    if (!NT_SUCCESS(status))
        return status;
    *opened = (uint64_t)(ULONG_PTR)there;
    shipment->opened.handles[shipment->opened_count++] = *opened;
    return STATUS_SUCCESS;
}

/*
 * The client of the source may have closed what he was lent: both come from the kept one. That to
 * the job comes last, see pss_clone_let_go.
 */
static NTSTATUS open_handles(struct shipment *shipment)
{
    const struct pss_owned_records *ready = &shipment->ready;
    struct pss_owned_records *ours = &shipment->ours;
    NTSTATUS status;

    *ours = *ready;
    status = open_handle(shipment, ready->trace.kept, PSS_TRACE_LENT_ACCESS, &ours->trace.lent);
    if (NT_SUCCESS(status))
        status = open_handle(shipment, ready->trace.kept, 0, &ours->trace.kept);
    if (NT_SUCCESS(status))
        status = open_handle(shipment, ready->clone.kept, 0, &ours->clone.lent);
    if (NT_SUCCESS(status))
        status = open_handle(shipment, ready->clone.kept, 0, &ours->clone.kept);
    if (NT_SUCCESS(status))
        status = open_handle(shipment, ready->clone.job, 0, &ours->clone.job);
    return status;
}

static void take_back(struct shipment *shipment)
{
    const struct pss_nt *nt = shipment->nt;

    if (!shipment->target.is_own) {
        if (shipment->opened_count || shipment->opened.address)
            pss_remote_release(nt, &shipment->opened); /* There is nobody to tell. */
        return;
    }
    for (uint32_t i = 0; i < shipment->opened_count; i++)
        nt->close((HANDLE)(ULONG_PTR)shipment->opened.handles[i]);
}

/* What the duplicate is, apart from its records. */
static struct pss_block make_header(const struct shipment *shipment, enum pss_origin origin)
{
    struct pss_block header = *shipment->block;

    header.live = 1;
    header.references = 1;
    header.origin = origin;
    header.instance = shipment->nt->read_tsc();
    return header;
}

/* ---- into the own process ---- */

static NTSTATUS take_block(struct shipment *shipment, struct pss_block **block)
{
    void *base;
    NTSTATUS status;

    *block = shipment->block;
    if (shipment->is_copy)
        return STATUS_SUCCESS;
    status = pss_low_allocate(shipment->nt, PSS_CURRENT_PROCESS, shipment->block->size, &base);
    if (!NT_SUCCESS(status))
        return status;
    memcpy(base, shipment->block, shipment->block->size);
    *block = base;
    return STATUS_SUCCESS;
}

static void set_record(struct pss_block *block, enum pss_section section, const void *record,
                       uint32_t size)
{
    if (block->sections[section].count)
        memcpy((char *)block + block->sections[section].offset, record, size);
}

static NTSTATUS keep(struct shipment *shipment, HPSS *duplicate)
{
    enum pss_origin origin = shipment->source.is_own ? PSS_ORIGIN_CAPTURED : PSS_ORIGIN_ADOPTED;
    struct pss_block *block, header = make_header(shipment, origin);
    NTSTATUS status = take_block(shipment, &block);

    if (!NT_SUCCESS(status))
        return status;
    *block = header;
    set_record(block, PSS_SECTION_TRACE, &shipment->ours.trace, sizeof(shipment->ours.trace));
    set_record(block, PSS_SECTION_CLONE, &shipment->ours.clone, sizeof(shipment->ours.clone));
    status = pss_snapshot_insert(shipment->nt, block);
    if (NT_SUCCESS(status)) {
        shipment->is_copy = 0; /* It is the client's now. */
        *duplicate = (HPSS)block;
    } else if (!shipment->is_copy) {
        pss_block_release(shipment->nt, block);
    }
    return status;
}

/* ---- into another process ---- */

static NTSTATUS write_bytes(struct shipment *shipment, uint32_t offset, const void *bytes,
                            uint32_t size)
{
    uint64_t address = shipment->opened.address + offset;
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t done = 0, part; done < size && NT_SUCCESS(status); done += part) {
        SIZE_T written = 0;

        part = size - done < PSS_FOREIGN_CHUNK ? size - done : PSS_FOREIGN_CHUNK;
        status = shipment->nt->write_memory(shipment->target.process,
                                            (void *)(ULONG_PTR)(address + done),
                                            (const char *)bytes + done, part, &written);
        if (NT_SUCCESS(status) && written != part)
            status = STATUS_PARTIAL_COPY;
    }
    return status;
}

static NTSTATUS write_record(struct shipment *shipment, enum pss_section section,
                             const void *record, uint32_t size)
{
    const struct pss_section_entry *entry = &shipment->block->sections[section];

    return entry->count ? write_bytes(shipment, entry->offset, record, size) : STATUS_SUCCESS;
}

/* The header comes last: without it nothing there is a snapshot. */
static NTSTATUS write_block(struct shipment *shipment)
{
    struct pss_block header = make_header(shipment, PSS_ORIGIN_SHIPPED);
    NTSTATUS status = write_bytes(shipment, sizeof(header), shipment->block + 1,
                                  shipment->block->size - (uint32_t)sizeof(header));

    if (NT_SUCCESS(status))
        status = write_record(shipment, PSS_SECTION_TRACE, &shipment->ours.trace,
                              sizeof(shipment->ours.trace));
    if (NT_SUCCESS(status))
        status = write_record(shipment, PSS_SECTION_CLONE, &shipment->ours.clone,
                              sizeof(shipment->ours.clone));
    return NT_SUCCESS(status) ? write_bytes(shipment, 0, &header, sizeof(header)) : status;
}

static NTSTATUS send(struct shipment *shipment, HPSS *duplicate)
{
    NTSTATUS status = pss_remote_allocate(shipment->nt, shipment->target.process,
                                          shipment->block->size, &shipment->opened.address);

    if (NT_SUCCESS(status))
        status = write_block(shipment);
    if (NT_SUCCESS(status))
        *duplicate = (HPSS)(ULONG_PTR)shipment->opened.address;
    return status;
}

/* ---- all of it ---- */

static NTSTATUS deliver(struct shipment *shipment, HPSS *duplicate)
{
    NTSTATUS status = open_handles(shipment);

    if (NT_SUCCESS(status))
        status = shipment->target.is_own ? keep(shipment, duplicate) : send(shipment, duplicate);
    if (!NT_SUCCESS(status))
        take_back(shipment);
    return status;
}

static NTSTATUS find_block(struct shipment *shipment, HPSS snapshot)
{
    if (!shipment->source.is_own) {
        shipment->is_copy = 1;
        return pss_foreign_read(shipment->nt, &shipment->source, (uint64_t)(ULONG_PTR)snapshot,
                                &shipment->block);
    }
    shipment->block = pss_snapshot_block(shipment->nt, snapshot);
    if (!shipment->block)
        return STATUS_INVALID_HANDLE;
    shipment->instance = shipment->block->instance;
    return STATUS_SUCCESS;
}

static NTSTATUS open_parties(struct shipment *shipment, HANDLE source, HANDLE target,
                             uint32_t flags)
{
    ACCESS_MASK access = flags & PSS_DUPLICATE_CLOSE_SOURCE ? CLOSE_ACCESS : SOURCE_ACCESS;
    NTSTATUS status = pss_party_open(shipment->nt, source, access, &shipment->source);

    if (NT_SUCCESS(status))
        status = pss_party_open(shipment->nt, target, TARGET_ACCESS, &shipment->target);
    shipment->opened.process = shipment->target.process;
    return status;
}

/* What is documented: the source goes, even if nothing came of the duplicate. */
static NTSTATUS close_source(struct shipment *shipment, HPSS snapshot)
{
    if (shipment->source.is_own)
        return pss_snapshot_end(shipment->nt, snapshot, shipment->instance);
    return pss_foreign_free(shipment->nt, &shipment->source, (uint64_t)(ULONG_PTR)snapshot,
                            &shipment->theirs);
}

/* What the duplicate's handles are made of: looked at once, and held from then on. */
static NTSTATUS ready_handles(struct shipment *shipment)
{
    shipment->ready = shipment->theirs;
    if (shipment->source.is_own)
        return STATUS_SUCCESS;
    return pss_foreign_borrow(shipment->nt, &shipment->source, &shipment->theirs, &shipment->ready);
}

static NTSTATUS ship(struct shipment *shipment, HPSS snapshot, uint32_t flags, HPSS *duplicate)
{
    int closes = (flags & PSS_DUPLICATE_CLOSE_SOURCE) != 0;
    NTSTATUS status, of_close = STATUS_UNSUCCESSFUL;

    if (closes && !(shipment->block->capture_flags & PSS_CREATE_USE_VM_ALLOCATIONS))
        return STATUS_NOT_SUPPORTED;
    pss_owned_read(shipment->block, &shipment->theirs);
    status = ready_handles(shipment);
    if (!NT_SUCCESS(status))
        return status;
    status = deliver(shipment, duplicate);
    if (closes)
        of_close = close_source(shipment, snapshot);
    if (!shipment->source.is_own)
        pss_foreign_give_back(shipment->nt, &shipment->ready, NT_SUCCESS(of_close));
    return status;
}

NTSTATUS pss_snapshot_duplicate(const struct pss_nt *nt, const struct pss_duplication *what,
                                HPSS *duplicate)
{
    struct shipment shipment = {.nt = nt};
    NTSTATUS status;

    if (!duplicate)
        return STATUS_INVALID_PARAMETER;
    *duplicate = NULL;
    if (what->flags & ~(uint32_t)PSS_DUPLICATE_CLOSE_SOURCE)
        return STATUS_INVALID_PARAMETER;
    status = open_parties(&shipment, what->source, what->target, what->flags);
    if (NT_SUCCESS(status))
        status = find_block(&shipment, what->snapshot);
    if (!NT_SUCCESS(status))
        return status;
    status = ship(&shipment, what->snapshot, what->flags, duplicate);
    if (shipment.is_copy)
        pss_block_release(nt, shipment.block);
    return status;
}
