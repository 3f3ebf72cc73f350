/* SPDX-License-Identifier: MIT */
/* The carrier's steps in their order, each a job of its worker. */
#include "clone/carrier.h"
#include "clone/strategy.h"

#include "pss.h"

#include <string.h>

#define CHUNKS_SIZE (2 * PSS_COPIER_COUNT * PSS_COPY_CHUNK) /* bytes */

#define PATIENCE_LIMIT 200u /* times the worker's patience, without a step */

/* The wait for one worker. */
struct vigil {
    struct pss_worker worker;
    const struct pss_carrier *carrier;
    uint32_t seen, count; /* the steps at the last look, and how often they were the same */
};

struct carrier_clone {
    struct pss_clone clone; /* first */
    struct pss_carrier *carrier;
    struct pss_region memory; /* of the carrier and this structure */
    struct vigil vigils[PSS_COPIER_COUNT];
    int has_worker;
};

/* One allocation; the chunks follow. */
struct carrier_memory {
    struct carrier_clone clone; /* first */
    struct pss_carrier carrier;
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
    struct vigil *vigil = context;
    const struct pss_carrier *carrier = vigil->carrier;
    uint32_t steps = __atomic_load_n(&vigil->worker.errand.state->steps, __ATOMIC_ACQUIRE);

    vigil->count = steps == vigil->seen ? vigil->count + 1 : 0;
    vigil->seen = steps;
    return vigil->count < PATIENCE_LIMIT && is_alive(carrier->nt, carrier->target.process) &&
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

static NTSTATUS update_layout(void *memory)
{
    NTSTATUS status = pss_carrier_choose_file(memory);

    return NT_SUCCESS(status) ? pss_carrier_lay_out(memory) : status;
}

/* Of the carrier's worker. */
static NTSTATUS copy_first(void *memory)
{
    struct pss_carrier *carrier = memory;
    NTSTATUS status = pss_carrier_copy(&carrier->copiers[0]);

    return NT_SUCCESS(status) ? pss_carrier_copy_peb(carrier) : status;
}

/* Of the second copier's. */
static NTSTATUS copy_second(void *memory)
{
    return pss_carrier_copy(memory);
}

static NTSTATUS finish_layout(void *memory)
{
    return pss_carrier_protect(memory);
}

/* ---- the strategy ---- */

static NTSTATUS run(struct carrier_clone *self, NTSTATUS (*job)(void *memory))
{
    if (!self->has_worker)
        return job(self->carrier);
    return pss_worker_do(self->clone.nt, &self->vigils[0].worker, job);
}

/* The worker idles, if there is one: its memory is ours for the moment. */
static NTSTATUS run_with_regions(struct carrier_clone *self, NTSTATUS (*job)(void *memory),
                                 const struct pss_region *regions)
{
    struct pss_region *own = &self->carrier->regions;
    uint32_t offset;
    NTSTATUS status;

    own->size = 0;
    if (!regions->size)
        return STATUS_INTERNAL_ERROR; /* no process is without memory */
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
    struct carrier_clone *self = (struct carrier_clone *)clone;
    struct pss_worker *second = &self->vigils[1].worker;
    NTSTATUS status = run_with_regions(self, update_layout, regions), second_status;
    int is_shared = second->thread != NULL;

    if (NT_SUCCESS(status) && is_shared)
        status = pss_worker_post(clone->nt, second, copy_second);
    if (!NT_SUCCESS(status))
        return status;
    status = run(self, copy_first);
    second_status = is_shared ? pss_worker_wait(clone->nt, second) : STATUS_SUCCESS;
    if (NT_SUCCESS(status))
        pss_carrier_count(self->carrier);
    return NT_SUCCESS(status) ? second_status : status;
}

static NTSTATUS finish(struct pss_clone *clone, struct pss_clone_record *record)
{
    struct carrier_clone *self = (struct carrier_clone *)clone;
    struct pss_carrier *carrier = self->carrier;
    HANDLE lent = NULL;
    NTSTATUS status = run(self, finish_layout);

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
    record->route = pss_carrier_uses_files(carrier) ? PSS_CLONE_ROUTE_FILES : PSS_CLONE_ROUTE_CALLS;
    carrier->process = carrier->job = NULL;
    return STATUS_SUCCESS;
}

static void free_all(struct pss_carrier *carrier)
{
    const struct pss_nt *nt = carrier->nt;

    if (carrier->process)
        nt->close(carrier->process);
    if (carrier->thread)
        nt->close(carrier->thread);
    if (carrier->job)
        nt->close(carrier->job);
    pss_carrier_close_files(carrier);
    if (carrier->section)
        nt->close(carrier->section);
    pss_region_free(nt, &carrier->kept);
    pss_region_free(nt, &carrier->regions);
    pss_region_free(nt, &carrier->pieces);
    pss_region_free(nt, &carrier->old_pieces);
}

/*
 * What a worker has that is stuck stays, handles, too: it may come back and use them, and they must
 * not have become another process's by then.
 */
static void end(struct pss_clone *clone)
{
    struct carrier_clone *self = (struct carrier_clone *)clone;
    const struct pss_nt *nt = clone->nt;
    struct pss_region memory = self->memory;
    int is_kept = 0;

    for (int i = 0; i < PSS_COPIER_COUNT; i++) {
        pss_worker_end(nt, &self->vigils[i].worker);
        is_kept |= pss_worker_keeps_memory(&self->vigils[i].worker);
    }
    if (self->carrier->process)
        nt->terminate_process(self->carrier->process, STATUS_CANCELLED);
    if (!is_kept) {
        free_all(self->carrier);
        pss_region_free(nt, &memory);
    }
}

static int has_threads(const struct pss_clone *clone)
{
    return ((const struct carrier_clone *)clone)->has_worker;
}

static int owns_thread(const struct pss_clone *clone, uint32_t id)
{
    const struct carrier_clone *self = (const struct carrier_clone *)clone;

    for (int i = 0; i < PSS_COPIER_COUNT; i++)
        if (id && self->vigils[i].worker.thread_id == id)
            return 1;
    return 0;
}

static const struct pss_strategy strategy = {.has_threads = has_threads,
                                             .owns_thread = owns_thread,
                                             .lay_out = lay_out,
                                             .take = take,
                                             .finish = finish,
                                             .end = end,
                                             .is_copy = 1};

static NTSTATUS start_worker(struct carrier_clone *self, int index, void *memory)
{
    struct vigil *vigil = &self->vigils[index];

    vigil->carrier = self->carrier;
    return pss_worker_start(self->clone.nt, &vigil->worker, memory, may_wait, vigil);
}

/*
 * A process that crashed with a lock in its hands may not let a thread begin, and is most worth
 * cloning then. It does not die under a capture of its own.
 */
static NTSTATUS start_first(struct carrier_clone *self)
{
    struct pss_carrier *carrier = self->carrier;
    NTSTATUS status = start_worker(self, 0, carrier);

    self->has_worker = NT_SUCCESS(status);
    if (status != STATUS_CANCELLED || !carrier->target.is_self)
        return status;
    carrier->errand = carrier->copiers[0].errand = &carrier->no_errand;
    return STATUS_SUCCESS;
}

/* While one waits for the system, the other one works. It can be done without. */
static void start_second(struct carrier_clone *self)
{
    if (self->has_worker)
        start_worker(self, 1, &self->carrier->copiers[1]);
}

static void init_carrier(struct pss_carrier *carrier, const struct pss_nt *nt,
                         const struct pss_clone_target *target)
{
    carrier->nt = nt;
    carrier->target = *target;
    carrier->errand = &carrier->worker.errand;
    carrier->copiers[0].errand = carrier->errand;
    carrier->copiers[1].errand = &carrier->copiers[1].worker.errand;
    for (int i = 0; i < PSS_COPIER_COUNT; i++) {
        struct pss_copier *copier = &carrier->copiers[i];

        copier->carrier = carrier;
        copier->chunk = (unsigned char *)(carrier + 1) + 2 * i * PSS_COPY_CHUNK;
        copier->other = copier->chunk + PSS_COPY_CHUNK;
    }
}

NTSTATUS pss_carrier_begin(const struct pss_nt *nt, const struct pss_clone_target *target,
                           struct pss_clone **clone)
{
    struct pss_region memory = {0};
    struct carrier_clone *self;
    uint32_t offset;
    NTSTATUS status =
        pss_region_append(nt, &memory, sizeof(struct carrier_memory) + CHUNKS_SIZE, 1, &offset);

    if (!NT_SUCCESS(status))
        return status;
    self = memory.base;
    self->clone = (struct pss_clone){&strategy, nt};
    self->memory = memory;
    self->carrier = &((struct carrier_memory *)memory.base)->carrier;
    init_carrier(self->carrier, nt, target);
    status = start_first(self);
    if (NT_SUCCESS(status))
        status = run(self, make_carrier);
    if (NT_SUCCESS(status)) {
        start_second(self);
        *clone = &self->clone;
    } else {
        end(&self->clone);
    }
    return status;
}
