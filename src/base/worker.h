/* SPDX-License-Identifier: MIT */
/* A worker: a thread that does one job after the other, and is given up when it gets stuck. */
#ifndef PSS_WORKER_H
#define PSS_WORKER_H

#include "base/errand.h"

/**
 * What the worker and its owner share, at the start of the worker's memory. A job works in that
 * memory alone, and calls pss_errand_step on `errand` after whatever may take long: once that
 * answers 0, its owner has gone, and the job returns without touching anything else.
 */
struct pss_worker_state {
    struct pss_errand_state errand;
    const struct pss_nt *nt;
    HANDLE go, done;               /* events that reset themselves */
    NTSTATUS (*job)(void *memory); /* the next one; NULL to end */
    NTSTATUS status;               /* of the last one; STATUS_CANCELLED until it is done */
    uint32_t thread_id;            /* as the thread itself knows it */
};

/* Zero-initialised is none. */
struct pss_worker {
    HANDLE thread; /* NULL: none */
    struct pss_errand errand;
    struct pss_worker_state *state; /* of its memory */
    uint32_t thread_id;             /* also of one that was given up; 0: there was none */
};

/**
 * Makes a worker, and waits until it has begun.
 *
 * \param memory    [in] Begins with struct pss_worker_state, zeroed.
 * \param may_wait  [in] As in struct pss_errand; for every job, with \p context.
 * \return STATUS_SUCCESS · as pss_errand_run. Only STATUS_SUCCESS leaves a worker to end.
 */
NTSTATUS pss_worker_start(const struct pss_nt *nt, struct pss_worker *worker, void *memory,
                          int (*may_wait)(void *), void *context);

/**
 * Has the worker do a job, and waits for it.
 *
 * \return the job's status · STATUS_IO_TIMEOUT: it got stuck, and the worker is no more ·
 *         STATUS_CANCELLED: somebody else has ended the worker's thread before the job was done.
 */
NTSTATUS pss_worker_do(const struct pss_nt *nt, struct pss_worker *worker,
                       NTSTATUS (*job)(void *memory));

/** The two halves of pss_worker_do, for an owner with something to do meanwhile. */
NTSTATUS pss_worker_post(const struct pss_nt *nt, struct pss_worker *worker,
                         NTSTATUS (*job)(void *memory));
NTSTATUS pss_worker_wait(const struct pss_nt *nt, struct pss_worker *worker);

/**
 * Ends the worker; harmless if there is none. To be called also for one that is no more, and not
 * while threads of the own process are suspended: it takes the loader's lock.
 */
void pss_worker_end(const struct pss_nt *nt, struct pss_worker *worker);

/** Whether a thread that is stuck in the system still uses the memory: it must stay for good. */
int pss_worker_keeps_memory(const struct pss_worker *worker);

#endif
