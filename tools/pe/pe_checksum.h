/* SPDX-License-Identifier: MIT */
/* The checksum in the optional header of a PE file. */
#ifndef PSS_PE_CHECKSUM_H
#define PSS_PE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/**
 * Computes it: all 16-bit words but those of the checksum, carries added again, and the file's
 * size.
 *
 * \param field [in] Offset of the checksum itself, within the file.
 * \source learn.microsoft.com/windows/win32/debug/pe-format (CheckSum); osslsigncode computes the
 *         same, which a test compares.
 */
uint32_t pe_checksum(const uint8_t *bytes, size_t size, size_t field);

#endif
