/* SPDX-License-Identifier: MIT */
/* The API behind the exports: the same functions, over any system, with statuses for results. */
#ifndef PSS_API_H
#define PSS_API_H

#include "api/live.h"
#include "descriptor/descriptor.h"

#include "pss.h"

/*
 * Arguments are those of the exports of pss.h, which explains them. The statuses stand for the
 * documented codes: STATUS_INVALID_HANDLE 6, STATUS_INVALID_PARAMETER 87, STATUS_NOT_FOUND 1168,
 * STATUS_INFO_LENGTH_MISMATCH 24, STATUS_MORE_ENTRIES 234, STATUS_NO_MORE_ENTRIES 259.
 */

NTSTATUS pss_snapshot_capture(const struct pss_nt *nt, HANDLE process, uint32_t flags,
                              uint32_t context_flags, HPSS *snapshot);
NTSTATUS pss_snapshot_free(const struct pss_nt *nt, HANDLE process, HPSS snapshot);

NTSTATUS pss_snapshot_query(const struct pss_nt *nt, HPSS snapshot, uint32_t information_class,
                            void *buffer, DWORD length);
NTSTATUS pss_snapshot_walk(HPSS snapshot, uint32_t information_class, HPSSWALK marker, void *buffer,
                           DWORD length);

/* The arguments of PssDuplicateSnapshot. */
struct pss_duplication {
    HANDLE source, target; /* processes */
    HPSS snapshot;
    uint32_t flags; /* PSS_DUPLICATE_FLAGS */
};

NTSTATUS pss_snapshot_duplicate(const struct pss_nt *nt, const struct pss_duplication *what,
                                HPSS *duplicate);

NTSTATUS pss_marker_create(const struct pss_nt *nt, const PSS_ALLOCATOR *allocator,
                           HPSSWALK *marker);
NTSTATUS pss_marker_free(const struct pss_nt *nt, HPSSWALK marker);
NTSTATUS pss_marker_tell(HPSSWALK marker, ULONG_PTR *position);
NTSTATUS pss_marker_seek(HPSSWALK marker, ULONG_PTR position);
NTSTATUS pss_marker_rewind(HPSSWALK marker);

/**
 * The block of a live snapshot, also of one that another process has written here; NULL for any
 * other value. The only way from a handle to a block: what comes of it is told from any other
 * block that ever was at its address by its instance, and was validated if somebody else wrote it.
 */
struct pss_block *pss_snapshot_block(const struct pss_nt *nt, HPSS snapshot);

/** Makes a block a live snapshot, with an instance of its own. */
NTSTATUS pss_snapshot_insert(const struct pss_nt *nt, struct pss_block *block);

/**
 * Ends this very snapshot of the own process, and never one that came in its place.
 *
 * \param instance  [in] Of its block, when it was found.
 * \return STATUS_SUCCESS · STATUS_INVALID_HANDLE: it is gone.
 */
NTSTATUS pss_snapshot_end(const struct pss_nt *nt, HPSS snapshot, uint64_t instance);

/* A stream is one list of one snapshot; a marker has a place in one at a time. */
struct pss_marker;

/** The live marker; NULL for any other value. */
struct pss_marker *pss_marker_find(HPSSWALK marker);

/**
 * Makes the marker's place one in this stream: where it was, or at the start if it was elsewhere.
 * Holds the snapshot's memory until the marker is freed.
 *
 * \return STATUS_SUCCESS · STATUS_NO_MEMORY, and nothing has changed.
 */
NTSTATUS pss_marker_bind(struct pss_marker *marker, struct pss_block *block,
                         uint32_t information_class);

/** The system the marker was made on. */
const struct pss_nt *pss_marker_nt(const struct pss_marker *marker);

/** Entries before the next one, in the stream the marker is bound to. */
ULONG_PTR pss_marker_position(const struct pss_marker *marker);

/** Moves a bound marker one entry on. */
void pss_marker_advance(struct pss_marker *marker);

#endif
