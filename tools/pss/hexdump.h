/* SPDX-License-Identifier: MIT */
/* Bytes as text: lines of an address, 16 bytes in hexadecimal and the same in ASCII. */
#ifndef PSS_TOOL_HEXDUMP_H
#define PSS_TOOL_HEXDUMP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define HEXDUMP_BYTES 16 /* in a line */
#define HEXDUMP_SIZE  80 /* characters of the longest line, with its newline and NUL */

/**
 * Makes one line as xxd writes it, but for the address, which has as many digits as a pointer.
 *
 * \param address [in]  Of the first byte.
 * \param bytes   [in]  The bytes.
 * \param count   [in]  1 to HEXDUMP_BYTES; a shorter line keeps its ASCII in the same column.
 * \param line    [out] The text with a newline and a NUL, at most HEXDUMP_SIZE characters.
 */
void hexdump_line(uint64_t address, const unsigned char *bytes, size_t count, char *line);

/** A dump that gets its bytes in pieces of any size. */
struct hexdump {
    uint64_t address; /* of the first byte that is not printed yet */
    unsigned char bytes[HEXDUMP_BYTES];
    size_t count; /* bytes that wait for their line to be full */
};

/** Prints the lines that the bytes complete. */
void hexdump_add(struct hexdump *dump, const unsigned char *bytes, size_t size, FILE *file);

/** Prints the last line, if it is not full. */
void hexdump_end(struct hexdump *dump, FILE *file);

#endif
