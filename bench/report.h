/* SPDX-License-Identifier: MIT */
/* The results as a table and as JSON. */
#ifndef PSS_BENCH_REPORT_H
#define PSS_BENCH_REPORT_H

#include "clone.h"
#include "measure.h"
#include "ship.h"

#include <stdio.h>

/* All there is to tell. */
struct report {
    struct result *results;
    struct clone_result *clones;
    struct ship_result *ships;
    unsigned count, clone_count, ship_count; /* of each */
    unsigned repeat;                         /* of the results and of the ships */
};

/** The heading of the table, then a row for each result as it comes. */
void print_heading(FILE *out);
void print_row(FILE *out, const struct result *result);

/** The same for clones. */
void print_clone_heading(FILE *out);
void print_clone_row(FILE *out, const struct clone_result *result);

/** The same for shipping. */
void print_ship_heading(FILE *out);
void print_ship_row(FILE *out, const struct ship_result *result);

/**
 * Writes one JSON document.
 *
 * \param path  [in] A file, or "-" for standard output.
 * \return 1 · 0 with the reason printed.
 */
int write_json(const char *path, const struct report *report);

#endif
