/* SPDX-License-Identifier: MIT */
/* Inside the hostile process: how it becomes each kind. */
#ifndef PSS_HOSTILE_BECOME_H
#define PSS_HOSTILE_BECOME_H

#include <stdint.h>

#include <windows.h>

#include "hostile_kinds.h"

/** Becomes a kind; 0 when there is no such thing in this process. */
typedef int hostile_become(void);

#define HOSTILE_DECLARE(identifier, name, traits) hostile_become become_##identifier;
HOSTILE_KINDS(HOSTILE_DECLARE)

/** Starts a thread; returns when it runs. Its routine loops or waits for ever. */
HANDLE hostile_thread(LPTHREAD_START_ROUTINE routine);

/** What such a routine calls when it runs, and to wait for ever. */
void hostile_begun(void);
DWORD hostile_wait(void);

/**
 * A thread that suspends others says so once; it asks in each round, with nobody suspended, whether
 * to stop. Under Wine a process whose thread is suspended while it ends would never end.
 */
void hostile_suspends(void);
int hostile_may_suspend(void);

/** Returns when no thread suspends others any more. */
void hostile_calm_down(void);

/** Pseudo-random bytes, the same for a seed in each process. */
uint32_t hostile_random(void);
void hostile_seed(uint32_t seed);
void hostile_fill(void *memory, size_t size);

/** The module's handle as bytes. */
unsigned char *hostile_own_image(void);

#endif
