/* SPDX-License-Identifier: MIT */
/* Memory and handles in another process, as an errand: given up with a process that dies. */
#include "base/remote.h"

#include "base/errand.h"
#include "base/low.h"
#include "base/region.h"

#include <string.h>

#define PATIENCE 2000u /* milliseconds for one call */

struct remote_errand {
    struct pss_errand_state state;
    const struct pss_nt *nt;
    void (*work)(struct remote_errand *errand);
    struct pss_remote_release what;
    uint32_t size; /* bytes to allocate */
    NTSTATUS status;
};

/* The handle moves here, where it can be closed: not all systems close it without a place to go. */
static void close_there(const struct remote_errand *errand, uint64_t handle)
{
    const struct pss_nt *nt = errand->nt;
    HANDLE moved = NULL;

    if (NT_SUCCESS(nt->duplicate(errand->what.process, (HANDLE)(ULONG_PTR)handle,
                                 PSS_CURRENT_PROCESS, &moved, 0, 0,
                                 DUPLICATE_CLOSE_SOURCE | DUPLICATE_SAME_ACCESS)))
        nt->close(moved);
}

static void release_all(struct remote_errand *errand)
{
    void *base = (void *)(ULONG_PTR)errand->what.address;
    NTSTATUS status = STATUS_SUCCESS;
    SIZE_T whole = 0;

    if (base)
        status = errand->nt->free_memory(errand->what.process, &base, &whole, MEM_RELEASE);
    errand->status = status;
    for (uint32_t i = 0; i < PSS_REMOTE_HANDLE_LIMIT && NT_SUCCESS(status); i++) {
        if (!pss_errand_step(&errand->state))
            return;
        if (errand->what.handles[i])
            close_there(errand, errand->what.handles[i]);
    }
}

static void allocate(struct remote_errand *errand)
{
    void *base = NULL;
    NTSTATUS status = pss_low_allocate(errand->nt, errand->what.process, errand->size, &base);

    errand->what.address = (uint64_t)(ULONG_PTR)base;
    __atomic_store_n(&errand->status, status, __ATOMIC_RELEASE); /* last: it vouches for the rest */
}

static DWORD NTAPI work(void *memory)
{
    struct remote_errand *errand = memory;

    if (pss_errand_begin(&errand->state))
        errand->work(errand);
    pss_errand_leave(&errand->state); /* The memory is the owner's. */
    return 0;
}

/* Runs an errand; \p remote comes back with its outcome. */
static NTSTATUS run(const struct pss_nt *nt, struct remote_errand *remote)
{
    struct pss_region memory = {0};
    struct pss_errand errand = {.routine = work, .patience = PATIENCE};
    uint32_t offset, steps;
    NTSTATUS status = pss_region_append(nt, &memory, sizeof(*remote), 1, &offset);

    if (!NT_SUCCESS(status))
        return status;
    remote->nt = nt;
    remote->status = STATUS_IO_TIMEOUT; /* until it is done */
    memcpy(memory.base, remote, sizeof(*remote));
    errand.memory = memory.base;
    errand.state = &((struct remote_errand *)memory.base)->state;
    status = pss_errand_run(nt, &errand, &steps);
    if (status == STATUS_CANCELLED && !errand.memory) {
        /* No thread can begin, as in a process that crashed with a lock in its hands. */
        remote->work(remote);
        return remote->status;
    }
    if (!errand.memory)
        return status;
    if (status == STATUS_TIMEOUT)
        status = STATUS_SUCCESS; /* The thread has ended: this is how far it got. */
    if (NT_SUCCESS(status))
        memcpy(remote, memory.base, sizeof(*remote));
    pss_region_free(nt, &memory);
    return NT_SUCCESS(status) ? remote->status : status;
}

NTSTATUS pss_remote_allocate(const struct pss_nt *nt, HANDLE process, uint32_t size,
                             uint64_t *address)
{
    struct remote_errand remote = {.what = {.process = process}, .size = size, .work = allocate};
    NTSTATUS status = run(nt, &remote);

    if (NT_SUCCESS(status))
        *address = remote.what.address;
    return status;
}

NTSTATUS pss_remote_release(const struct pss_nt *nt, const struct pss_remote_release *what)
{
    struct remote_errand remote = {.what = *what, .work = release_all};

    return run(nt, &remote);
}
