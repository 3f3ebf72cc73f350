/* SPDX-License-Identifier: MIT */
/* The parts of the JSON document of `pss show --json`. */
#ifndef PSS_TOOL_JSON_H
#define PSS_TOOL_JSON_H

#include <jansson.h>

#include "snapshot.h"
#include "stats.h"

/* Each returns a new reference. A walk that fails is reported and changes *status only. */

json_t *json_from_process(const struct snapshot *snapshot);
json_t *json_from_counts(const struct snapshot *snapshot);
json_t *json_from_threads(const struct snapshot *snapshot, enum pss_exit *status);
json_t *json_from_handles(const struct snapshot *snapshot, enum pss_exit *status);
json_t *json_from_memory(const struct snapshot *snapshot, enum pss_exit *status);
json_t *json_from_clone(const struct snapshot *snapshot, enum pss_exit *status);
json_t *json_from_pages(const struct snapshot *snapshot, enum pss_exit *status);
json_t *json_from_trace(const struct snapshot *snapshot);
json_t *json_from_counters(const PSS_PERFORMANCE_COUNTERS *counters);

/** A region as VirtualQueryEx() tells it. */
json_t *json_from_region(const MEMORY_BASIC_INFORMATION *region);

/** A thread's registers; null when the entry has none. */
json_t *json_from_context(const PSS_THREAD_ENTRY *thread);

/**
 * Prints the whole document to stdout.
 *
 * \param snapshot [in] The last capture.
 * \param sections [in] Bits of enum pss_section; 0 for process and counts.
 * \param stats    [in] Of all captures; printed with more than one.
 * \param count    [in] Number of captures.
 * \return EXIT_DONE · EXIT_RUNTIME, reported.
 */
enum pss_exit json_print(const struct snapshot *snapshot, unsigned sections,
                         const struct stats *stats, unsigned count);

/** Prints any document and releases it. */
enum pss_exit json_write(json_t *document);

#endif
