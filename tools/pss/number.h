/* SPDX-License-Identifier: MIT */
/* Addresses and lengths as people write them. */
#ifndef PSS_TOOL_NUMBER_H
#define PSS_TOOL_NUMBER_H

#include <stdint.h>

/**
 * Reads a number, all of the text: decimal digits, or "0x" and hexadecimal ones.
 *
 * \param text  [in]  Such as "4096" or "0x7ffe0000".
 * \param value [out] Filled on success.
 * \return 1, or 0 when it is something else or needs more than 64 bits.
 */
int number_read(const char *text, uint64_t *value);

/** The same with an optional K, M or G at the end, in any case: 1024, 1024^2 and 1024^3. */
int number_read_size(const char *text, uint64_t *value);

/** Whether there is a byte in the range, and none of it beyond the last address. */
int number_is_range(uint64_t address, uint64_t length, uint64_t last);

#endif
