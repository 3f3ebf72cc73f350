/* SPDX-License-Identifier: MIT */
/* The file of known differences: paragraphs of "word text" lines. */
#ifndef PSS_CONFORMANCE_KNOWN_H
#define PSS_CONFORMANCE_KNOWN_H

#include "table.h"

/**
 * Reads the file of known differences into the table. A paragraph begins with "test NAME" and has
 * "library kernel32|pss.dll|both", "system windows|wine", "why TEXT" and "source TEXT"; lines that
 * begin with # and empty ones are left out.
 *
 * \param text   [in] The file; \p length bytes.
 * \param line   [out] Where it is wrong, counted from 1; untouched if it is right.
 * \return 0 when the file is wrong, or memory ran out.
 */
int known_read(struct table *table, const char *text, size_t length, unsigned *line);

#endif
