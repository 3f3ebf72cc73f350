/* SPDX-License-Identifier: MIT */
/* The account behind the faulty system: each thing the library opens, and each it lets go of. */
#ifndef PSS_FAULTY_ACCOUNT_H
#define PSS_FAULTY_ACCOUNT_H

#include "faulty_nt.h"

/* Called by the wrappers; releases before the real call is made, the rest after it. */

void faulty_account_init(void);

/** Notes a call that must not be made while something is suspended. */
void faulty_account_check_call(const struct faulty_call *call);

/** Notes a buffer of a process query that Windows would refuse, since it is not 4-byte aligned. */
void faulty_account_check_buffer(const void *buffer);

void faulty_account_open(HANDLE handle);
void faulty_account_close(HANDLE handle);
void faulty_account_suspend(HANDLE thread);
void faulty_account_resume(HANDLE thread);
void faulty_account_allocate(void *base);
void faulty_account_free(void *base);
void faulty_account_map(void *base);
void faulty_account_unmap(void *base);
void faulty_account_allocate_heap(void *address);
void faulty_account_free_heap(void *address);

/** Remembers a thread by a handle of our own, to see later that it has ended. */
void faulty_account_thread(HANDLE thread);

/** Remembers a process by a handle of our own, likewise. */
void faulty_account_carrier(HANDLE process);

/** Remembers the last duplicate of a process that is remembered: it is lent to the client. */
void faulty_account_duplicate(HANDLE source, HANDLE duplicate);

/** The handles of our own to a process that is remembered: it is not the library that counts them.
 */
uint32_t faulty_account_handles_to(HANDLE object);

/** Notes a release that failed; answers its status. */
NTSTATUS faulty_account_released(const char *what, NTSTATUS status);

#endif
