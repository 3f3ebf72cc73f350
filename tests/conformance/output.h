/* SPDX-License-Identifier: MIT */
/* Reads what a cmocka program printed: one result per test, also where the program did not end. */
#ifndef PSS_CONFORMANCE_OUTPUT_H
#define PSS_CONFORMANCE_OUTPUT_H

#include "table.h"

/** How a program ended, and what it was. */
struct program_end {
    const char *bitness; /* borrowed */
    const char *program; /* borrowed: its name in the table */
    enum library library;
    int timed_out;           /* it was ended after its limit */
    unsigned seconds;        /* the limit */
    unsigned long exit_code; /* if it ended by itself */
};

/**
 * Enters the results of a program's tests into the table. A line "skipped: ..." is the reason of a
 * skipped test, a line "answer: ..." one of its answers; what else it prints are the details of a
 * failure. A test that began and did not end takes the blame for the end of the program; a program
 * that fails without a failed test has a row of its own, "(the program)".
 *
 * \param text  [in] What it printed, of whatever kind; \p length bytes, NULs are ends of lines.
 * \return 0 when memory ran out.
 */
int output_read(struct table *table, const struct program_end *end, const char *text,
                size_t length);

#endif
