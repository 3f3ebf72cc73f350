/* SPDX-License-Identifier: MIT */
/* Makes a sound block of any bytes with few changes, so that what lies behind the reader is fuzzed.
 */
#ifndef PSS_BLOCK_MEND_H
#define PSS_BLOCK_MEND_H

#include "descriptor/descriptor.h"

/** Bytes that a block needs at least. */
#define BLOCK_MEND_LEAST 512u

/**
 * Brings every number that the reader looks at within its bounds, and leaves the others alone.
 *
 * \param bytes  [in,out] 8-byte aligned.
 * \param size   [in]     Bytes there, BLOCK_MEND_LEAST or more; the block will have this size.
 */
void block_mend(void *bytes, uint32_t size);

#endif
