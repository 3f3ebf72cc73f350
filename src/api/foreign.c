/* SPDX-License-Identifier: MIT */
/* Snapshots in other processes: one read into memory of our own, then the copy alone is used. */
#include "api/foreign.h"

#include "base/low.h"
#include "base/remote.h"

#define TRUSTED_SIZE 0x10000u /* bytes of memory that are asked for because somebody says so */

/* What a read answers where the other process has nothing. */
static int is_unreadable(NTSTATUS status)
{
    return status == STATUS_PARTIAL_COPY || status == STATUS_ACCESS_VIOLATION ||
           status == STATUS_INVALID_ADDRESS || status == STATUS_PROCESS_IS_TERMINATING;
}

/* What a release answers for memory that is not, or no longer, the start of an allocation. */
static int is_gone(NTSTATUS status)
{
    return status == STATUS_MEMORY_NOT_ALLOCATED || status == STATUS_INVALID_PARAMETER ||
           status == STATUS_FREE_VM_NOT_AT_BASE || status == STATUS_UNABLE_TO_DELETE_SECTION ||
           status == STATUS_UNABLE_TO_FREE_VM || status == STATUS_INVALID_ADDRESS ||
           status == STATUS_PROCESS_IS_TERMINATING;
}

/*
 * Whether a handle that may not be queried is one to this process: what this thread writes to its
 * stack now, and only now, can be read through it. If it may not be read through either, it is
 * treated as another's.
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

        if (!NT_SUCCESS(status) && status != STATUS_ACCESS_DENIED && !is_unreadable(status))
            return status;
        *is_own = NT_SUCCESS(status) && read == sizeof(seen) && seen == probe;
        probe = ~probe;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS is_own_process(const struct pss_nt *nt, HANDLE process, int *is_own)
{
    struct pss_nt_process_basic basic;
    NTSTATUS status = nt->query_process(process, PSS_NT_PROCESS_BASIC, &basic, sizeof(basic), NULL);

    if (status == STATUS_ACCESS_DENIED)
        return is_own_memory(nt, process, is_own);
    if (NT_SUCCESS(status))
        *is_own = basic.process_id == (ULONG_PTR)nt->current_id().UniqueProcess;
    return status;
}

NTSTATUS pss_party_open(const struct pss_nt *nt, HANDLE process, ACCESS_MASK needed,
                        struct pss_party *party)
{
    struct pss_nt_object_basic object;
    NTSTATUS status;

    *party = (struct pss_party){process, process == PSS_CURRENT_PROCESS};
    if (party->is_own)
        return STATUS_SUCCESS;
    if (!process)
        return STATUS_INVALID_HANDLE;
    status = is_own_process(nt, process, &party->is_own);
    if (party->is_own)
        party->process = PSS_CURRENT_PROCESS; /* the client's handle need not have any right */
    if (!NT_SUCCESS(status) || party->is_own)
        return status;
    status = nt->query_object(process, PSS_NT_OBJECT_BASIC, &object, sizeof(object), NULL);
    if (!NT_SUCCESS(status))
        return status;
    return (object.granted_access & needed) == needed ? STATUS_SUCCESS : STATUS_ACCESS_DENIED;
}

/* All of it, or it is no snapshot. */
static NTSTATUS read_exactly(const struct pss_nt *nt, HANDLE process, uint64_t address,
                             void *buffer, uint32_t size)
{
    NTSTATUS status = STATUS_SUCCESS;

    if (address > UINTPTR_MAX || size > UINTPTR_MAX - address)
        return STATUS_INVALID_HANDLE;
    for (uint32_t done = 0, part; done < size && NT_SUCCESS(status); done += part) {
        SIZE_T read = 0;

        part = size - done < PSS_FOREIGN_CHUNK ? size - done : PSS_FOREIGN_CHUNK;
        status = nt->read_memory(process, (const void *)(ULONG_PTR)(address + done),
                                 (char *)buffer + done, part, &read);
        if (is_unreadable(status) || (NT_SUCCESS(status) && read != part))
            status = STATUS_INVALID_HANDLE;
    }
    return status;
}

/* The size is looked at again before much is read because of it. */
static NTSTATUS read_copy(const struct pss_nt *nt, HANDLE process, uint64_t address, void *copy,
                          uint32_t size)
{
    uint32_t first = size < PSS_FOREIGN_CHUNK ? size : PSS_FOREIGN_CHUNK;
    NTSTATUS status = read_exactly(nt, process, address, copy, first);

    if (NT_SUCCESS(status) && ((struct pss_block *)copy)->size != size)
        status = STATUS_INVALID_HANDLE;
    if (NT_SUCCESS(status))
        status = read_exactly(nt, process, address + first, (char *)copy + first, size - first);
    return NT_SUCCESS(status) ? pss_block_validate(copy, size) : status;
}

/*
 * The header is read twice, and believed the second time only: the size it had at first is how much
 * is read and checked. Before memory is asked for, the last byte of the block has to be there.
 */
NTSTATUS pss_foreign_read(const struct pss_nt *nt, const struct pss_party *party, uint64_t address,
                          struct pss_block **block)
{
    struct pss_block header;
    SIZE_T whole = 0;
    void *copy;
    char last;
    NTSTATUS status = read_exactly(nt, party->process, address, &header, sizeof(header));

    if (!NT_SUCCESS(status))
        return status;
    if (header.magic != PSS_BLOCK_MAGIC || header.size < sizeof(header))
        return STATUS_INVALID_HANDLE;
    if (header.size > TRUSTED_SIZE)
        status = read_exactly(nt, party->process, address + header.size - 1, &last, 1);
    if (!NT_SUCCESS(status))
        return status;
    status = pss_low_allocate(nt, PSS_CURRENT_PROCESS, header.size, &copy);
    if (!NT_SUCCESS(status))
        return status;
    status = read_copy(nt, party->process, address, copy, header.size);
    if (NT_SUCCESS(status)) {
        *block = copy;
        (*block)->references = 1; /* ours; whoever holds the other one does not hold this */
    } else {
        nt->free_memory(PSS_CURRENT_PROCESS, &copy, &whole, MEM_RELEASE);
    }
    return status;
}

/* A handle of the other process, as one of ours for a look at it; NULL if there is none. */
static HANDLE borrow(const struct pss_nt *nt, HANDLE process, uint64_t handle)
{
    HANDLE ours = NULL;

    if (handle)
        nt->duplicate(process, (HANDLE)(ULONG_PTR)handle, PSS_CURRENT_PROCESS, &ours, 0, 0,
                      DUPLICATE_SAME_ACCESS);
    return ours;
}

static void give_back(const struct pss_nt *nt, HANDLE handle)
{
    if (handle)
        nt->close(handle);
}

NTSTATUS pss_foreign_borrow(const struct pss_nt *nt, const struct pss_party *party,
                            const struct pss_owned_records *owned,
                            struct pss_owned_records *borrowed)
{
    struct pss_owned_records ours = *owned;
    HANDLE section = borrow(nt, party->process, owned->trace.kept);
    HANDLE clone = borrow(nt, party->process, owned->clone.kept);
    HANDLE job = borrow(nt, party->process, owned->clone.job);

    ours.trace.kept = (uint64_t)(ULONG_PTR)section;
    ours.clone.kept = (uint64_t)(ULONG_PTR)clone;
    ours.clone.job = (uint64_t)(ULONG_PTR)job;
    if ((owned->trace.kept && !(section && pss_trace_is_ours(nt, section, &owned->trace))) ||
        (owned->clone.kept && !(clone && pss_clone_is_process(nt, clone))) ||
        (owned->clone.job && !job)) {
        pss_foreign_give_back(nt, &ours, 0);
        return STATUS_INVALID_HANDLE;
    }
    *borrowed = ours;
    return STATUS_SUCCESS;
}

void pss_foreign_give_back(const struct pss_nt *nt, const struct pss_owned_records *borrowed,
                           int is_freed)
{
    HANDLE clone = (HANDLE)(ULONG_PTR)borrowed->clone.kept;
    HANDLE job = (HANDLE)(ULONG_PTR)borrowed->clone.job;

    give_back(nt, (HANDLE)(ULONG_PTR)borrowed->trace.kept);
    if (is_freed) {
        pss_clone_let_go(nt, clone, job);
    } else {
        give_back(nt, job);
        give_back(nt, clone);
    }
}

static int is_lent_section(const struct pss_nt *nt, HANDLE process,
                           const struct pss_trace_record *record)
{
    HANDLE lent = borrow(nt, process, record->lent);
    int is_ours = lent && pss_trace_is_lent(nt, lent, record);

    give_back(nt, lent);
    return is_ours;
}

static int is_lent_clone(const struct pss_nt *nt, HANDLE process,
                         const struct pss_clone_record *record)
{
    HANDLE lent = borrow(nt, process, record->lent), kept = borrow(nt, process, record->kept);
    int is_ours = lent && kept && pss_clone_is_lent(nt, lent, kept);

    give_back(nt, lent);
    give_back(nt, kept);
    return is_ours;
}

NTSTATUS pss_foreign_free(const struct pss_nt *nt, const struct pss_party *party, uint64_t address,
                          const struct pss_owned_records *owned)
{
    const struct pss_trace_record *trace = &owned->trace;
    const struct pss_clone_record *clone = &owned->clone;
    struct pss_remote_release release = {
        .process = party->process,
        .address = address,
        .handles = {trace->kept, is_lent_section(nt, party->process, trace) ? trace->lent : 0,
                    is_lent_clone(nt, party->process, clone) ? clone->lent : 0, clone->job,
                    clone->kept}, /* that to the job first, see pss_clone_let_go */
    };
    NTSTATUS status = pss_remote_release(nt, &release);

    return is_gone(status) ? STATUS_INVALID_HANDLE : status;
}
