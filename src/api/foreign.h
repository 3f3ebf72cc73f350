/* SPDX-License-Identifier: MIT */
/* Snapshots in other processes: read with suspicion, and released there. */
#ifndef PSS_FOREIGN_H
#define PSS_FOREIGN_H

#include "descriptor/descriptor.h"

#define PSS_FOREIGN_CHUNK 0x100000u /* bytes that are read or written at once */

/* A process that may be another one. */
struct pss_party {
    HANDLE process; /* borrowed */
    int is_own;
};

/**
 * Learns whether a handle is one to the own process, and whether it has the rights for what is to
 * be done with another one.
 *
 * \return STATUS_SUCCESS · STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH: no process ·
 *         STATUS_ACCESS_DENIED.
 */
NTSTATUS pss_party_open(const struct pss_nt *nt, HANDLE process, ACCESS_MASK needed,
                        struct pss_party *party);

/**
 * Copies the block of a snapshot of another process, and validates the copy.
 *
 * \param address  [in]  In that process; may be anything.
 * \param block    [out] Memory of our own, as pss_builder_seal makes it; untouched on failure.
 * \return STATUS_SUCCESS · STATUS_INVALID_HANDLE: no snapshot is there · STATUS_NO_MEMORY.
 */
NTSTATUS pss_foreign_read(const struct pss_nt *nt, const struct pss_party *party, uint64_t address,
                          struct pss_block **block);

/**
 * Takes over the kept handles that a block of another process names, as handles of our own, and
 * looks whether they are what they should be.
 *
 * \param owned     [in]  As the block has it.
 * \param borrowed  [out] The same with our handles, for pss_foreign_give_back; untouched on
 *                        failure.
 * \return STATUS_SUCCESS · STATUS_INVALID_HANDLE: that is no snapshot.
 */
NTSTATUS pss_foreign_borrow(const struct pss_nt *nt, const struct pss_party *party,
                            const struct pss_owned_records *owned,
                            struct pss_owned_records *borrowed);

/**
 * Closes our handles.
 *
 * \param is_freed  [in] The other process has just lost its own: what pss_clone_let_go does for an
 *                       owner here is done for that one.
 */
void pss_foreign_give_back(const struct pss_nt *nt, const struct pss_owned_records *borrowed,
                           int is_freed);

/**
 * Frees a snapshot of another process, which owns these handles there.
 *
 * \return STATUS_SUCCESS · STATUS_INVALID_HANDLE: it was freed meanwhile · STATUS_IO_TIMEOUT.
 */
NTSTATUS pss_foreign_free(const struct pss_nt *nt, const struct pss_party *party, uint64_t address,
                          const struct pss_owned_records *owned);

#endif
