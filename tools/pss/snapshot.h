/* SPDX-License-Identifier: MIT */
/* One capture: the snapshot, everything that can be queried from it, and walking its lists. */
#ifndef PSS_TOOL_SNAPSHOT_H
#define PSS_TOOL_SNAPSHOT_H

#include "pss.h"
#include "report.h"

/** A snapshot with the answers of all its queries. */
struct snapshot {
    HPSS handle; /* owned */
    PSS_CAPTURE_FLAGS flags;
    DWORD context_flags;
    unsigned has;    /* bit (1 << class) for each PSS_QUERY_* class that answered */
    int has_details; /* the library told them; they are no bit of its own numbers */
    PSS_PROCESS_INFORMATION process;
    PSS_VA_CLONE_INFORMATION clone;
    PSS_VA_CLONE_DETAILS details;
    PSS_AUXILIARY_PAGES_INFORMATION pages;
    PSS_VA_SPACE_INFORMATION regions;
    PSS_HANDLE_INFORMATION handles;
    PSS_THREAD_INFORMATION threads;
    PSS_HANDLE_TRACE_INFORMATION trace;
    PSS_PERFORMANCE_COUNTERS counters;
};

/** The rights to a process that PssCaptureSnapshot() documents for the flags. */
DWORD snapshot_access(PSS_CAPTURE_FLAGS flags);

/**
 * Captures a process and queries every class. A class that was not captured leaves zeros.
 *
 * \param process       [in]  The process.
 * \param flags         [in]  PSS_CAPTURE_*; PSS_CREATE_MEASURE_PERFORMANCE is added.
 * \param context_flags [in]  CONTEXT_*.
 * \param snapshot      [out] Filled on success; for snapshot_free().
 * \return EXIT_DONE · EXIT_RUNTIME, reported.
 */
enum pss_exit snapshot_take(HANDLE process, PSS_CAPTURE_FLAGS flags, DWORD context_flags,
                            struct snapshot *snapshot);

/** Frees it; an error is reported but changes nothing. Safe when empty. */
void snapshot_free(struct snapshot *snapshot);

/** Whether a query class answered. */
int snapshot_has(const struct snapshot *snapshot, PSS_QUERY_INFORMATION_CLASS query);

/** A walk over one list. Pointers in its entries live until walk_end(). */
struct walk {
    HPSS snapshot; /* borrowed */
    PSS_WALK_INFORMATION_CLASS list;
    HPSSWALK marker; /* owned; NULL when it could not be made */
    DWORD error;     /* of the last call */
};

/** Starts a walk; a failure shows in the next two functions. */
struct walk walk_begin(const struct snapshot *snapshot, PSS_WALK_INFORMATION_CLASS list);

/**
 * Reads the next entry.
 *
 * \return 1 with the entry filled, 0 at the end or after a failure.
 */
int walk_next(struct walk *walk, void *entry, DWORD size);

/**
 * Frees the marker.
 *
 * \return EXIT_DONE: the end was reached or not yet · EXIT_RUNTIME, reported.
 */
enum pss_exit walk_end(struct walk *walk);

/** Frees the marker of a walk that may fail: thread names, which kernel32 does not walk. */
void walk_drop(struct walk *walk);

#endif
