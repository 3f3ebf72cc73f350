/* SPDX-License-Identifier: MIT */
/* One run of the conformance kit. */
#ifndef PSS_CONFORMANCE_KIT_H
#define PSS_CONFORMANCE_KIT_H

#include <windows.h>

#include "files.h"
#include "table.h"

#define MAX_TOPICS 64

/** Zero-initialised, with the first of its members set, it is ready to be run. */
struct kit {
    struct table table;
    WCHAR root[PATH_SIZE];    /* the kit's directory */
    WCHAR results[PATH_SIZE]; /* where everything is written */
    WCHAR scratch[PATH_SIZE]; /* what the tests take for the directory of temporary files */
    DWORD limit;              /* seconds */
    int topics;
    const WCHAR *topic[MAX_TOPICS]; /* borrowed; none: everything */
    int used[MAX_TOPICS];
    int works[LIBRARIES]; /* in the bitness that is run now */
};

/**
 * Runs what is selected and writes the reports.
 *
 * \param kit [in,out] Root, results, limit and topics are set; its table is freed by the caller.
 * \return The exit code: 0 nothing new · 1 a difference that nobody knew, or a known one that is
 *         gone · 2 it could not run, and a message says why.
 */
int kit_run(struct kit *kit);

/** Removes what an earlier run wrote, and nothing else that lies there. */
void kit_results_remove(const struct kit *kit);

/** Writes the reports and prints the sums; 0, with a message, when they cannot be written. */
int kit_results_write(const struct kit *kit);

#endif
