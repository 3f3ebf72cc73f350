/* SPDX-License-Identifier: MIT */
/* Threads that the library creates in the fake kernel; all but the last two with the lock held. */
#ifndef PSS_FAKE_THREADS_H
#define PSS_FAKE_THREADS_H

#include "fake_kernel.h"

NTSTATUS fake_worker_create(HANDLE *handle, ACCESS_MASK access, void *routine, void *parameter);

/** Waits without a clock: what hangs has timed out. */
NTSTATUS fake_worker_wait(HANDLE handle);

NTSTATUS fake_worker_terminate(HANDLE handle);

/** Hangs the calling worker; returns only if the question is answered at last. */
void fake_worker_hang(enum fake_hang hang);

/** Workers that have not ended. */
uint64_t fake_threads_running(void);

/** Lets go of all workers that hang, waits for them and forgets them. */
void fake_threads_let_go(void);

#endif
