/* SPDX-License-Identifier: MIT */
/* Uses a snapshot as far as a client can: every query, every walk, every byte behind a pointer. */
#ifndef PSS_BLOCK_WALK_H
#define PSS_BLOCK_WALK_H

#include "fake_kernel.h"

#include "api/api.h"

/**
 * Queries and walks everything, and ends the program where the API breaks a promise. The bytes
 * behind each pointer are read, so that the sanitizers see them.
 *
 * \return Entries walked in all.
 */
uint64_t block_use(HPSS snapshot);

/**
 * What a process does with a block that another one wrote here: its first use finds it, and if it
 * is sound it is used and freed. Needs fake_init.
 *
 * \return 1: it was accepted and used · 0: it was refused.
 */
int block_adopt_and_use(const void *bytes, SIZE_T size);

#endif
