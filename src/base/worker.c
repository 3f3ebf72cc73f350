/* SPDX-License-Identifier: MIT */
/* Workers: a thread that waits for one event, and answers with another. */
#include "base/worker.h"

#define PATIENCE 50u /* milliseconds without a step, until the work is looked after */

static void do_jobs(struct pss_worker_state *state)
{
    const struct pss_nt *nt = state->nt;

    if (!pss_errand_begin(&state->errand))
        return;
    state->thread_id = (uint32_t)(ULONG_PTR)nt->current_id().UniqueThread;
    for (;;) {
        if (!pss_errand_step(&state->errand))
            return;
        nt->set_event(state->done, NULL);
        if (!NT_SUCCESS(nt->wait(state->go, FALSE, NULL)) || !state->job)
            return;
        __atomic_store_n(&state->status, state->job(state), __ATOMIC_RELEASE);
    }
}

static DWORD NTAPI work(void *memory)
{
    struct pss_worker_state *state = memory;

    do_jobs(state);
    pss_errand_leave(&state->errand); /* The memory is the owner's. */
    return 0;
}

static void close_all(const struct pss_nt *nt, struct pss_worker *worker)
{
    if (worker->thread)
        nt->close(worker->thread);
    worker->thread = NULL;
    if (pss_worker_keeps_memory(worker))
        return; /* The events are the thread's now. */
    if (worker->state->go)
        nt->close(worker->state->go);
    if (worker->state->done)
        nt->close(worker->state->done);
    worker->state->go = worker->state->done = NULL;
}

static uint32_t query_id(const struct pss_nt *nt, HANDLE thread)
{
    struct pss_nt_thread_basic basic;
    NTSTATUS status = nt->query_thread(thread, PSS_NT_THREAD_BASIC, &basic, sizeof(basic), NULL);

    return NT_SUCCESS(status) ? (uint32_t)(ULONG_PTR)basic.id.UniqueThread : 0;
}

/* It may wait for its next job, or be in the middle of one. */
static NTSTATUS lose(const struct pss_nt *nt, struct pss_worker *worker)
{
    uint32_t steps;
    NTSTATUS status;

    worker->state->job = NULL;
    nt->set_event(worker->state->go, NULL);
    status = pss_errand_give_up(nt, &worker->errand, worker->thread, &steps);
    close_all(nt, worker);
    return status == STATUS_TIMEOUT ? STATUS_IO_TIMEOUT : status;
}

NTSTATUS pss_worker_start(const struct pss_nt *nt, struct pss_worker *worker, void *memory,
                          int (*may_wait)(void *), void *context)
{
    struct pss_worker_state *state = memory;
    NTSTATUS status;

    worker->state = state;
    worker->errand = (struct pss_errand){.routine = work,
                                         .memory = memory,
                                         .state = &state->errand,
                                         .patience = PATIENCE,
                                         .may_wait = may_wait,
                                         .context = context};
    state->nt = nt;
    status = nt->create_event(&state->go, EVENT_ALL_ACCESS, NULL, PSS_NT_EVENT_SYNCHRONIZATION, 0);
    if (NT_SUCCESS(status))
        status =
            nt->create_event(&state->done, EVENT_ALL_ACCESS, NULL, PSS_NT_EVENT_SYNCHRONIZATION, 0);
    if (NT_SUCCESS(status))
        status = pss_errand_start(nt, &worker->errand, &worker->thread);
    if (!NT_SUCCESS(status)) {
        close_all(nt, worker);
        return status;
    }
    if (!pss_errand_wait(nt, &worker->errand, state->done, worker->thread)) {
        worker->thread_id = query_id(nt, worker->thread); /* It may not have begun. */
        status = lose(nt, worker);
        pss_errand_finish(nt, &worker->errand);
        return status;
    }
    worker->thread_id = state->thread_id;
    return STATUS_SUCCESS;
}

NTSTATUS pss_worker_post(const struct pss_nt *nt, struct pss_worker *worker,
                         NTSTATUS (*job)(void *memory))
{
    worker->state->job = job;
    worker->state->status = STATUS_CANCELLED; /* unless the job itself says something else */
    return nt->set_event(worker->state->go, NULL);
}

NTSTATUS pss_worker_wait(const struct pss_nt *nt, struct pss_worker *worker)
{
    if (!pss_errand_wait(nt, &worker->errand, worker->state->done, worker->thread))
        return lose(nt, worker);
    return worker->state->status;
}

NTSTATUS pss_worker_do(const struct pss_nt *nt, struct pss_worker *worker,
                       NTSTATUS (*job)(void *memory))
{
    NTSTATUS status = pss_worker_post(nt, worker, job);

    return NT_SUCCESS(status) ? pss_worker_wait(nt, worker) : status;
}

static void end_thread(const struct pss_nt *nt, struct pss_worker *worker)
{
    worker->state->job = NULL;
    nt->set_event(worker->state->go, NULL);
    if (pss_errand_wait(nt, &worker->errand, worker->thread, worker->thread))
        close_all(nt, worker);
    else
        lose(nt, worker);
}

void pss_worker_end(const struct pss_nt *nt, struct pss_worker *worker)
{
    if (worker->thread)
        end_thread(nt, worker);
    pss_errand_finish(nt, &worker->errand); /* also of one that got stuck before */
}

int pss_worker_keeps_memory(const struct pss_worker *worker)
{
    return worker->state && !worker->errand.memory;
}
