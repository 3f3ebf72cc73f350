/* SPDX-License-Identifier: MIT */
/* The table of live handles: an HPSS or HPSSWALK is recognised before it is dereferenced. */
#ifndef PSS_LIVE_H
#define PSS_LIVE_H

#include "nt/nt.h"

/*
 * State of the process. Lock-free: it works in any thread at any time, also while other
 * threads stand still in the middle of it.
 *
 * An entry is an address and an instance: another process may free what lies at an address, and
 * something else comes to lie there while the entry is still in the table. What nobody else can
 * free needs no instance of its own; 0 will do.
 */
enum pss_live_kind {
    PSS_LIVE_SNAPSHOT,
    PSS_LIVE_SHARED_SNAPSHOT, /* another process may free it here */
    PSS_LIVE_MARKER,
    PSS_LIVE_KIND_COUNT
};

/**
 * Enters an address and an instance that are not in the table together.
 *
 * \return STATUS_SUCCESS · the allocator's status, when the table has to grow.
 */
NTSTATUS pss_live_insert(const struct pss_nt *nt, enum pss_live_kind kind, const void *address,
                         uint64_t instance);

/**
 * Takes this very entry out, and never another one of the same address. Answers 1 to one caller
 * only, 0 to any other and for what is not there.
 */
int pss_live_remove(enum pss_live_kind kind, const void *address, uint64_t instance);

/**
 * Answers whether the address is in the table; any value may be given.
 *
 * \param instance  [out] Of one entry of that address; untouched if there is none.
 */
int pss_live_find(enum pss_live_kind kind, const void *address, uint64_t *instance);

/** Answers whether this very entry is in the table; any values may be given. */
int pss_live_contains(enum pss_live_kind kind, const void *address, uint64_t instance);

#endif
