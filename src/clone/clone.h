/* SPDX-License-Identifier: MIT */
/* A clone of a process: one contract, and two strategies behind it. */
#ifndef PSS_CLONE_H
#define PSS_CLONE_H

#include "descriptor/descriptor.h"

/* What is cloned. */
struct pss_clone_target {
    HANDLE process; /* borrowed. Rights: PROCESS_CREATE_PROCESS; to copy also
                     * PROCESS_QUERY_INFORMATION and PROCESS_VM_READ */
    uint32_t flags; /* PSS_CAPTURE_FLAGS; those of the clone are read */
    uint8_t is_self, is_wow64;
    uint64_t peb;
};

struct pss_clone;

/**
 * Prepares a clone in the way the system offers: a native one, or a carrier process, which is made
 * here and still holds nothing.
 *
 * \param clone  [out] For pss_clone_end; NULL on failure.
 * \return STATUS_SUCCESS · STATUS_ACCESS_DENIED: a job forbids the breakaway that is asked for ·
 *         STATUS_IO_TIMEOUT: the system does not answer · STATUS_INVALID_IMAGE_FORMAT: no image of
 *         the target's bitness is at hand · any status of the system.
 */
NTSTATUS pss_clone_begin(const struct pss_nt *nt, const struct pss_clone_target *target,
                         struct pss_clone **clone);

/** Whether the memory is copied: the target has to stand still for pss_clone_take. */
int pss_clone_is_copy(const struct pss_clone *clone);

/** Whether threads of the own process work for the clone; where none can begin, the caller does. */
int pss_clone_has_threads(const struct pss_clone *clone);

/** Whether a thread of the own process works for the clone, and must not be suspended. */
int pss_clone_owns_thread(const struct pss_clone *clone, uint32_t id);

/**
 * Lays out the address space, so that less is to be done while the target stands still. Only for a
 * copy.
 *
 * \param regions  [in] struct pss_region_record, ascending: the whole target.
 */
NTSTATUS pss_clone_lay_out(struct pss_clone *clone, const struct pss_region *regions);

/**
 * Takes the memory as it is now.
 *
 * \param regions  [in] As for pss_clone_lay_out, of this moment; not read unless it is a copy.
 */
NTSTATUS pss_clone_take(struct pss_clone *clone, const struct pss_region *regions);

/**
 * Does what was left for after the thaw, and hands the clone over.
 *
 * \param record  [out] Its handles are owned by the caller from now on; untouched on failure.
 */
NTSTATUS pss_clone_finish(struct pss_clone *clone, struct pss_clone_record *record);

/** Ends what pss_clone_begin began; a clone that was not handed over dies. NULL is ignored. */
void pss_clone_end(struct pss_clone *clone);

#endif
