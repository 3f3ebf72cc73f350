/* SPDX-License-Identifier: MIT */
/* Snapshots that another process has written here, or may free here. */
#ifndef PSS_ADOPT_H
#define PSS_ADOPT_H

#include "descriptor/descriptor.h"

/** Whether another process may free the block. */
int pss_block_is_shared(const struct pss_block *block);

/**
 * Looks for a block in our memory.
 *
 * \return STATUS_SUCCESS: one is there, live or not · STATUS_NOT_FOUND: there is none · why
 * the system does not tell.
 */
NTSTATUS pss_block_find(const struct pss_nt *nt, const struct pss_block *block);

/**
 * Makes a block that another process has written here a live snapshot.
 *
 * \param block  [in] Any address.
 * \return 1: it is one now · 0: it is no such block.
 */
int pss_block_adopt(const struct pss_nt *nt, struct pss_block *block);

#endif
