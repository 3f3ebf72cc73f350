/* SPDX-License-Identifier: MIT */
/* The results as a table and as JSON. */
#ifndef PSS_BENCH_REPORT_H
#define PSS_BENCH_REPORT_H

#include "measure.h"

#include <stdio.h>

/** The heading of the table, then a row for each result as it comes. */
void print_heading(FILE *out);
void print_row(FILE *out, const struct result *result);

/**
 * Writes one JSON document.
 *
 * \param path  [in] A file, or "-" for standard output.
 * \return 1 · 0 with the reason printed.
 */
int write_json(const char *path, const struct result *results, unsigned count, unsigned repeat);

#endif
