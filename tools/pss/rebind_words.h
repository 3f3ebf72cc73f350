/* SPDX-License-Identifier: MIT */
/* The sentence that says what changes in a file. */
#ifndef PSS_TOOL_REBIND_WORDS_H
#define PSS_TOOL_REBIND_WORDS_H

#include "pe_rebind.h"

/** Room for any sentence, with its NUL. */
#define SENTENCE_SIZE 512

/**
 * Adds to a sentence of SENTENCE_SIZE bytes, as far as there is room.
 *
 * \param format [in] With at most one %u, for \p number.
 */
void words_append(char *sentence, const char *format, unsigned number);

/** Says how many functions move, and what else changes in the file. */
void words_changes(const struct pe_result *result, const char *verb, char *sentence);

#endif
