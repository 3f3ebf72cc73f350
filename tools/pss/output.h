/* SPDX-License-Identifier: MIT */
/* Where `pss read` writes: a hex dump for people, or the bytes as they are. */
#ifndef PSS_TOOL_OUTPUT_H
#define PSS_TOOL_OUTPUT_H

#include <stddef.h>
#include <stdio.h>

#include "hexdump.h"
#include "report.h"

struct output {
    const char *path;    /* NULL: hex dump to stdout; "-": bytes to stdout; else bytes to a file */
    FILE *file;          /* NULL until the first bytes; owned unless it is stdout */
    struct hexdump dump; /* used without a path */
};

/** Prepares the output; \p address is that of the first byte. */
void output_init(struct output *output, const char *path, uint64_t address);

/**
 * Writes bytes. The first ones create the file, so that a read without any leaves an old file
 * alone.
 *
 * \return EXIT_DONE · EXIT_RUNTIME; what concerns stdout is for main() to report.
 */
enum pss_exit output_write(struct output *output, const unsigned char *bytes, size_t size);

/**
 * Writes what waits and closes the file.
 *
 * \return As output_write().
 */
enum pss_exit output_fini(struct output *output);

#endif
