/* SPDX-License-Identifier: MIT */
/* Threads that this module has suspended: they run again whatever becomes of the one that did it.
 */
#ifndef PSS_SUSPENSION_H
#define PSS_SUSPENSION_H

#include "nt/nt.h"

/*
 * A list of suspended threads, in memory that outlives the stack of the thread that fills it, and
 * in a table of this module. Any thread can resume them at any time: each is resumed once.
 */
struct pss_suspension;

/**
 * Makes an empty list and enters it into the table.
 *
 * \param suspension  [out] For pss_suspension_end; untouched on failure.
 * \return STATUS_SUCCESS · STATUS_NO_MEMORY, also with 64 lists at once · the allocator's status.
 */
NTSTATUS pss_suspension_begin(const struct pss_nt *nt, struct pss_suspension **suspension);

/**
 * Suspends a thread, and enters it into the list.
 *
 * \param thread    [in]  Stays open until the thread is resumed. Rights: THREAD_SUSPEND_RESUME.
 * \param previous  [out] How often it was suspended before.
 * \return STATUS_SUCCESS, also if the list was interrupted meanwhile: then the thread runs ·
 *         STATUS_CANCELLED: it was before · STATUS_NO_MEMORY · the status of NtSuspendThread; the
 *         list is as before.
 */
NTSTATUS pss_suspension_add(const struct pss_nt *nt, struct pss_suspension *suspension,
                            HANDLE thread, ULONG *previous);

/** Resumes what is in the list; harmless when that was done. */
void pss_suspension_resume(const struct pss_nt *nt, struct pss_suspension *suspension);

/**
 * The same from another thread than the one that fills the list, which can see it afterwards. That
 * one may be about to suspend a thread just then, and stand still again when it has: called again,
 * this resumes that thread.
 */
void pss_suspension_interrupt(const struct pss_nt *nt, struct pss_suspension *suspension);
int pss_suspension_is_interrupted(const struct pss_suspension *suspension);

/** Threads that were entered so far. */
uint32_t pss_suspension_count(const struct pss_suspension *suspension);

/** Called by the thread that fills the list whenever it has come further, by whoever looks. */
void pss_suspension_step(struct pss_suspension *suspension);
uint32_t pss_suspension_steps(const struct pss_suspension *suspension);

/** The same for a wait for a thread of our own, which is watched by itself. */
void pss_suspension_set_waiting(struct pss_suspension *suspension, int is_waiting);
int pss_suspension_is_waiting(const struct pss_suspension *suspension);

/** Resumes what is in the list, and frees it. NULL is ignored. */
void pss_suspension_end(const struct pss_nt *nt, struct pss_suspension *suspension);

/** Interrupts every list of the table: the threads that filled them have ended. */
void pss_suspension_interrupt_all(const struct pss_nt *nt);

#endif
