/* SPDX-License-Identifier: MIT */
/* Threads that the library creates in the fake kernel; all but the last with the lock held. */
#ifndef PSS_FAKE_THREADS_H
#define PSS_FAKE_THREADS_H

#include "fake_kernel.h"

NTSTATUS fake_worker_create(HANDLE *handle, ACCESS_MASK access, void *routine, void *parameter);

/**
 * Waits without a clock: what hangs, and what nobody is left to do, has timed out. A created thread
 * may wait without end; then it goes on when it is its turn, is terminated, or is let go.
 */
NTSTATUS fake_worker_wait(HANDLE handle, const LARGE_INTEGER *timeout);

NTSTATUS fake_worker_terminate(HANDLE handle);

/** Hangs the calling worker; returns only if the question is answered at last. */
void fake_worker_hang(enum fake_hang hang);

/** Holds the caller until a thread runs again, as where that has a lock of the system. */
void fake_wait_for_thread(const struct fake_thread *thread);

/** Before a call: holds the caller while fake.suspender has it suspended. */
void fake_caller_suspended(void);

/** Ends the calling worker in the middle of a call, as somebody else would; with the lock held. */
void fake_worker_die(void);

/** The id of the calling worker; 0 for a thread of the test's. */
uint32_t fake_worker_id(void);

/** Whether a thread of the own process is a worker that has not ended. */
int fake_worker_lives(const struct fake_object *thread);

/** Workers that have not ended. */
uint64_t fake_threads_running(void);

/** Lets go of all workers that hang or wait, waits for them and forgets them. */
void fake_threads_let_go(void);

#endif
