/* SPDX-License-Identifier: MIT */
/* The table as three kinds of file. */
#ifndef PSS_CONFORMANCE_REPORTS_H
#define PSS_CONFORMANCE_REPORTS_H

#include "table.h"

/** A plain table: facts, sums, one line per test, and under it what is to be said of it. */
void report_text(const struct table *table, struct buffer *out);

/** One page, complete in itself: no script, nothing from elsewhere. */
void report_html(const struct table *table, struct buffer *out);

/** JUnit's XML: a suite per program and library; a known difference is a skipped test. */
void report_junit(const struct table *table, struct buffer *out);

#endif
