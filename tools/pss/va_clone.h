/* SPDX-License-Identifier: MIT */
/* The clone of a snapshot: its regions and its bytes. */
#ifndef PSS_TOOL_VA_CLONE_H
#define PSS_TOOL_VA_CLONE_H

#include <stddef.h>
#include <stdint.h>

#include "compare.h"
#include "snapshot.h"

/**
 * Compares the regions that the snapshot lists with those the clone has.
 *
 * \param snapshot   [in]  With a clone and PSS_WALK_VA_SPACE.
 * \param comparison [out] Filled also after a failure, with what was read; for compare_fini().
 * \return EXIT_DONE · EXIT_RUNTIME, reported.
 */
enum pss_exit clone_compare(const struct snapshot *snapshot, struct comparison *comparison);

/**
 * Reads bytes of the clone at an address, as many as can be read at once.
 *
 * Never reads where the clone has no memory or no access to it: some systems answer with zeros
 * there.
 *
 * \param clone   [in]  The clone.
 * \param address [in]  Of the first byte.
 * \param buffer  [out] The bytes.
 * \param size    [in]  Bytes wanted, at least 1.
 * \return Bytes read; 0 when there is none at the address.
 */
size_t clone_read(HANDLE clone, uint64_t address, unsigned char *buffer, size_t size);

/**
 * Cuts a range at the start of a page, to half or less where it can.
 *
 * \return 0 for a single page.
 */
size_t clone_shrink(uint64_t address, size_t size);

/** Reports why clone_read() gives nothing at an address, and how many bytes there were before. */
void clone_report_unreadable(HANDLE clone, uint64_t address, uint64_t done, uint64_t length);

#endif
