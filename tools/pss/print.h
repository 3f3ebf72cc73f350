/* SPDX-License-Identifier: MIT */
/* The sections of `pss show` as text on stdout. Each returns EXIT_RUNTIME when a walk failed. */
#ifndef PSS_TOOL_PRINT_H
#define PSS_TOOL_PRINT_H

#include "snapshot.h"
#include "stats.h"

/** Prints one line: a label in its column, then the value. */
void print_row(const char *label, const char *format, ...)
    __attribute__((format(gnu_printf, 2, 3)));

void print_title(const struct snapshot *snapshot);
void print_process(const struct snapshot *snapshot);
void print_counts(const struct snapshot *snapshot);
enum pss_exit print_threads(const struct snapshot *snapshot);
enum pss_exit print_contexts(const struct snapshot *snapshot);
enum pss_exit print_handles(const struct snapshot *snapshot);
enum pss_exit print_memory(const struct snapshot *snapshot);
enum pss_exit print_clone(const struct snapshot *snapshot);
enum pss_exit print_extras(const struct snapshot *snapshot);

/**
 * Prints what the captures cost.
 *
 * \param snapshot [in] The last capture.
 * \param stats    [in] Of all captures; used with more than one.
 * \param count    [in] Number of captures.
 */
void print_counters(const struct snapshot *snapshot, const struct stats *stats, unsigned count);

#endif
