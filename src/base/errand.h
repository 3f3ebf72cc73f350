/* SPDX-License-Identifier: MIT */
/* An errand: work on a thread of its own, which is given up when it gets stuck in the system. */
#ifndef PSS_ERRAND_H
#define PSS_ERRAND_H

#include "nt/nt.h"

/* What the steps of an errand become when it is given up. */
#define PSS_ERRAND_GIVEN_UP UINT32_MAX

/* What the thread and its owner share: in the errand's memory, changed atomically. */
struct pss_errand_state {
    uint32_t steps; /* done so far; the owner sets the first value */
    uint32_t has_begun;
    uint32_t is_left; /* by one of the two, for good */
};

struct pss_errand {
    /* Calls pss_errand_begin first, pss_errand_step after each step, and pss_errand_leave last;
     * once one of the first two answers 0 its owner has gone, and it touches nothing but its
     * memory. */
    DWORD(NTAPI *routine)(void *memory);
    void *memory; /* of the errand alone; NULL afterwards if it had to be left to the thread */
    struct pss_errand_state *state;
    uint32_t patience;       /* milliseconds without a step */
    int (*may_wait)(void *); /* asked when patience has run out; NULL: never wait longer */
    void *context;           /* for may_wait */
    uint8_t is_ending;       /* afterwards: the thread has left the memory, but still has to end */
};

/**
 * Runs an errand on a new thread, which no DLL is told of where the system can do that, and waits
 * for it.
 *
 * \param steps  [out] Its steps at the end; untouched if no thread was made.
 * \return STATUS_SUCCESS: its thread has ended, of itself or by somebody else, or has left its
 *         memory and only has to end; whether its work is done is told by what it left there ·
 * STATUS_TIMEOUT: it was given up, and its thread has ended · STATUS_IO_TIMEOUT: it was given up,
 * and its thread sits in the system · STATUS_CANCELLED: it was given up before it began, as when
 * somebody keeps the loader's lock · why no thread could be made.
 */
NTSTATUS pss_errand_run(const struct pss_nt *nt, struct pss_errand *errand, uint32_t *steps);

/**
 * The parts of pss_errand_run, for a thread that runs more than one errand.
 *
 * start: makes the thread; \p thread is to be closed. wait: waits for an object that tells the end
 * of the work, or for the thread's end, while the work advances; 0 when it takes longer than its
 * owner's patience. give_up: as pss_errand_run returns it, when the wait has answered 0, and
 * STATUS_TIMEOUT of a thread that only has to end. finish: where a thread did not end, keeps the
 * module with the routine loaded for good, since the thread may come back into it, or begin there.
 * Not while threads of the own process are suspended: it takes the loader's lock. Harmless in any
 * other case.
 */
NTSTATUS pss_errand_start(const struct pss_nt *nt, const struct pss_errand *errand, HANDLE *thread);
int pss_errand_wait(const struct pss_nt *nt, const struct pss_errand *errand, HANDLE object,
                    HANDLE thread);
NTSTATUS pss_errand_give_up(const struct pss_nt *nt, struct pss_errand *errand, HANDLE thread,
                            uint32_t *steps);
void pss_errand_finish(const struct pss_nt *nt, struct pss_errand *errand);

/** Called by the routine before anything else. Answers 0 when the errand was given up. */
int pss_errand_begin(struct pss_errand_state *state);

/** Called by the routine after each step. Answers 0 when the errand was given up. */
int pss_errand_step(struct pss_errand_state *state);

/**
 * Called by the routine last, and by an owner who had to leave the memory to the thread, if the
 * routine can free it. Answers 0 to the first of them, who touches the memory no more, and 1 to the
 * other, who frees it.
 */
int pss_errand_leave(struct pss_errand_state *state);

#endif
