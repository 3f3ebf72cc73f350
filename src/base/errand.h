/* SPDX-License-Identifier: MIT */
/* An errand: work on a thread of its own, which is given up when it gets stuck in the system. */
#ifndef PSS_ERRAND_H
#define PSS_ERRAND_H

#include "nt/nt.h"

/* What the progress of an errand becomes when it is given up. */
#define PSS_ERRAND_GIVEN_UP UINT32_MAX

/*
 * The thread counts its steps in `progress` with pss_errand_step, and touches nothing but its own
 * memory once that fails: its owner has gone.
 */
struct pss_errand {
    DWORD(NTAPI *routine)(void *memory);
    void *memory;            /* of the errand alone; left to a thread that cannot be ended */
    uint32_t *progress;      /* in that memory; atomic */
    uint32_t patience;       /* milliseconds without a step */
    int (*may_wait)(void *); /* asked when patience has run out; NULL: never wait longer */
    void *context;           /* for may_wait */
};

/**
 * Runs an errand on a new thread, which no DLL is told of, and waits for it.
 *
 * \param reached  [out] Its progress at the end; untouched if no thread was made.
 * \return STATUS_SUCCESS: it ended by itself · STATUS_TIMEOUT: it was given up, and its thread has
 *         ended · STATUS_IO_TIMEOUT: it was given up, and its thread could not be ended: it sits in
 *         the system, and the memory is no longer ours · why no thread could be made.
 */
NTSTATUS pss_errand_run(const struct pss_nt *nt, const struct pss_errand *errand,
                        uint32_t *reached);

/** Called by the routine: one step more. Answers 0 when the errand was given up. */
int pss_errand_step(uint32_t *progress);

#endif
