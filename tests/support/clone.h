/* SPDX-License-Identifier: MIT */
/* A snapshot's clone as a client sees it: its handle, its bytes, its end. */
#ifndef PSS_TEST_CLONE_H
#define PSS_TEST_CLONE_H

#include "harness.h"

/** How long anything may take that has to happen. */
#define CLONE_LIMIT_MS 30000

/** The lent handle of a snapshot's clone, which must be there. */
HANDLE clone_of(HPSS snapshot);

/** Captures a process with a clone; \p flags are added to PSS_CAPTURE_VA_CLONE. */
HPSS clone_capture(HANDLE process, DWORD flags, DWORD context_flags);

/** How the clone was made; only for the DLL of this project. */
PSS_VA_CLONE_DETAILS clone_details(HPSS snapshot);

/** Whether the clone is a carrier, whose memory the contract tells more about. */
bool clone_is_carrier(HPSS snapshot);

/**
 * A handle of the test's own, to see the clone end: for clone_assert_ended. It is one to its thread
 * where the clone has one, since a handle to the clone itself would keep it.
 */
HANDLE clone_watch(HANDLE clone);

/** Asserts that the watched process ends within bounds, or that it lives; the first closes it. */
void clone_assert_ended(HANDLE watched);
void clone_assert_lives(HANDLE watched);

/** Any call of the API: clones end that were kept for handles which are closed by now. */
void clone_call_again(void);

/** Reads memory of another process; fails the test when that fails. */
void clone_read(HANDLE process, uint64_t address, void *buffer, size_t size);

/** Asserts that a range of another process holds the pattern of a seed: see pattern.h. */
void clone_assert_pattern(HANDLE process, uint64_t address, uint64_t size, uint64_t seed);

/** The region of another process that contains an address. */
MEMORY_BASIC_INFORMATION clone_region(HANDLE process, uint64_t address);

#endif
