/* SPDX-License-Identifier: MIT */
/* The carrier's steps in their order, each a job of its worker. */
#include "clone/carrier.h"
#include "clone/strategy.h"

#include "pss.h"

#include <string.h>

#define PATIENCE_LIMIT 200u /* times the worker's patience, without a step */

struct carrier_clone {
    struct pss_clone clone; /* first */
    struct pss_carrier *carrier;
    struct pss_region memory; /* of the carrier */
    struct pss_worker worker;
    uint32_t seen, waited; /* the steps at the last look, and how often they were the same */
};

static int is_alive(const struct pss_nt *nt, HANDLE process)
{
    struct pss_nt_times times;

    return NT_SUCCESS(
               nt->query_process(process, PSS_NT_PROCESS_TIMES, &times, sizeof(times), NULL)) &&
           !times.exit_time.QuadPart;
}

/* While both processes live, an answer may still come. */
static int may_wait(void *context)
{
    struct carrier_clone *self = context;
    const struct pss_carrier *carrier = self->carrier;
    uint32_t steps = __atomic_load_n(&carrier->worker.errand.steps, __ATOMIC_ACQUIRE);

    self->waited = steps == self->seen ? self->waited + 1 : 0;
    self->seen = steps;
    return self->waited < PATIENCE_LIMIT && is_alive(carrier->nt, carrier->target.process) &&
           (!carrier->process || is_alive(carrier->nt, carrier->process));
}

/* ---- jobs of the worker ---- */

static NTSTATUS make_carrier(void *memory)
{
    struct pss_carrier *carrier = memory;
    NTSTATUS status = pss_carrier_create(carrier);

    if (!NT_SUCCESS(status))
        return status;
    carrier->to.process = carrier->process;
    status = pss_carrier_find_blocks(carrier);
    if (NT_SUCCESS(status))
        status = pss_carrier_find_files(carrier);
    if (NT_SUCCESS(status))
        status = pss_carrier_strip(carrier);
    return status;
}

static NTSTATUS prepare_layout(void *memory)
{
    return pss_carrier_lay_out(memory);
}

static NTSTATUS take_memory(void *memory)
{
    NTSTATUS status = pss_carrier_choose_file(memory);

    if (NT_SUCCESS(status))
        status = pss_carrier_lay_out(memory);
    if (NT_SUCCESS(status))
        status = pss_carrier_copy(memory);
    return NT_SUCCESS(status) ? pss_carrier_copy_peb(memory) : status;
}

static NTSTATUS finish_memory(void *memory)
{
    return pss_carrier_protect(memory);
}

/* ---- the strategy ---- */

static NTSTATUS run(struct carrier_clone *self, NTSTATUS (*job)(void *memory))
{
    self->waited = 0;
    return pss_worker_do(self->clone.nt, &self->worker, job);
}

/* The worker idles: its memory is ours for the moment. */
static NTSTATUS run_with_regions(struct carrier_clone *self, NTSTATUS (*job)(void *memory),
                                 const struct pss_region *regions)
{
    struct pss_region *own = &self->carrier->regions;
    uint32_t offset;
    NTSTATUS status;

    own->size = 0;
    status = pss_region_append(self->clone.nt, own, regions->size, 1, &offset);
    if (!NT_SUCCESS(status))
        return status;
    memcpy(own->base, regions->base, regions->size);
    return run(self, job);
}

static NTSTATUS lay_out(struct pss_clone *clone, const struct pss_region *regions)
{
    return run_with_regions((struct carrier_clone *)clone, prepare_layout, regions);
}

static NTSTATUS take(struct pss_clone *clone, const struct pss_region *regions)
{
    return run_with_regions((struct carrier_clone *)clone, take_memory, regions);
}

static NTSTATUS finish(struct pss_clone *clone, struct pss_clone_record *record)
{
    struct carrier_clone *self = (struct carrier_clone *)clone;
    struct pss_carrier *carrier = self->carrier;
    int is_by_files = carrier->from.file && carrier->to.file;
    HANDLE lent = NULL;
    NTSTATUS status = run(self, finish_memory);

    if (NT_SUCCESS(status) && !is_alive(clone->nt, carrier->process))
        status = STATUS_PROCESS_IS_TERMINATING;
    if (NT_SUCCESS(status))
        status = clone->nt->duplicate(PSS_CURRENT_PROCESS, carrier->process, PSS_CURRENT_PROCESS,
                                      &lent, PROCESS_ALL_ACCESS, 0, 0);
    if (!NT_SUCCESS(status))
        return status;
    *record = carrier->record;
    record->lent = (uint64_t)(ULONG_PTR)lent;
    record->kept = (uint64_t)(ULONG_PTR)carrier->process;
    record->job = (uint64_t)(ULONG_PTR)carrier->job;
    record->strategy = PSS_CLONE_CARRIER;
    record->route = is_by_files ? PSS_CLONE_ROUTE_FILES : PSS_CLONE_ROUTE_CALLS;
    carrier->process = carrier->job = NULL;
    return STATUS_SUCCESS;
}

static void close_handles(struct pss_carrier *carrier)
{
    const struct pss_nt *nt = carrier->nt;

    pss_carrier_close_files(carrier);
    if (carrier->process) {
        nt->terminate_process(carrier->process, STATUS_CANCELLED);
        nt->close(carrier->process);
    }
    if (carrier->thread)
        nt->close(carrier->thread);
    if (carrier->job)
        nt->close(carrier->job);
}

/* The memory of a worker that is stuck stays: it may come back and use it. */
static void end(struct pss_clone *clone)
{
    struct carrier_clone *self = (struct carrier_clone *)clone;
    const struct pss_nt *nt = clone->nt;
    struct pss_carrier *carrier = self->carrier;
    struct pss_region memory = self->memory;

    pss_worker_end(nt, &self->worker);
    close_handles(carrier);
    if (!pss_worker_keeps_memory(&self->worker)) {
        pss_region_free(nt, &carrier->kept);
        pss_region_free(nt, &carrier->regions);
        pss_region_free(nt, &carrier->pieces);
        pss_region_free(nt, &carrier->old_pieces);
        pss_region_free(nt, &memory);
    }
}

static uint32_t thread_id(const struct pss_clone *clone)
{
    return ((const struct carrier_clone *)clone)->carrier->worker.thread_id;
}

static const struct pss_strategy strategy = {.thread_id = thread_id,
                                             .lay_out = lay_out,
                                             .take = take,
                                             .finish = finish,
                                             .end = end,
                                             .is_copy = 1};

NTSTATUS pss_carrier_begin(const struct pss_nt *nt, const struct pss_clone_target *target,
                           struct pss_clone **clone)
{
    struct pss_region memory = {0};
    struct carrier_clone *self;
    uint32_t offset;
    NTSTATUS status = pss_region_append(
        nt, &memory, sizeof(struct carrier_clone) + sizeof(struct pss_carrier), 1, &offset);

    if (!NT_SUCCESS(status))
        return status;
    self = memory.base;
    self->clone = (struct pss_clone){&strategy, nt};
    self->memory = memory;
    self->carrier = (struct pss_carrier *)(void *)(self + 1);
    self->carrier->nt = nt;
    self->carrier->target = *target;
    status = pss_worker_start(nt, &self->worker, self->carrier, may_wait, self);
    if (NT_SUCCESS(status))
        status = run(self, make_carrier);
    if (NT_SUCCESS(status))
        *clone = &self->clone;
    else
        end(&self->clone);
    return status;
}
