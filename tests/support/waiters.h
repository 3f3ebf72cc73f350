/* SPDX-License-Identifier: MIT */
/* Threads of the test itself that have begun and wait. */
#ifndef PSS_TEST_WAITERS_H
#define PSS_TEST_WAITERS_H

#include "harness.h"

#define WAITERS 5

struct waiters {
    HANDLE begun, stop;
    HANDLE threads[WAITERS];
    DWORD ids[WAITERS];
};

/** Starts them and returns when each of them runs: before that a thread has no TEB. */
void waiters_start(struct waiters *waiters);

/** Ends them. */
void waiters_stop(struct waiters *waiters);

/** What they run. */
DWORD WINAPI waiters_run(void *waiters);

#endif
