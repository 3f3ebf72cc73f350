/* SPDX-License-Identifier: MIT */
/* Memory and handles in another process: some systems let it do that itself, and it may die. */
#ifndef PSS_REMOTE_H
#define PSS_REMOTE_H

#include "nt/nt.h"

#define PSS_REMOTE_HANDLE_LIMIT 8u

/* What is to be released in another process. */
struct pss_remote_release {
    HANDLE process;   /* borrowed. Rights: PROCESS_VM_OPERATION for memory, PROCESS_DUP_HANDLE */
    uint64_t address; /* of a whole allocation; 0: none */
    uint64_t handles[PSS_REMOTE_HANDLE_LIMIT]; /* 0: none */
};

/**
 * Allocates memory in another process as pss_low_allocate does, with PROCESS_VM_OPERATION.
 *
 * \param address  [out] Untouched on failure.
 * \return STATUS_SUCCESS · STATUS_IO_TIMEOUT: the process did not do it in time · any status of the
 *         system.
 */
NTSTATUS pss_remote_allocate(const struct pss_nt *nt, HANDLE process, uint32_t size,
                             uint64_t *address);

/**
 * Releases the memory, and then the handles unless the memory could not be released.
 *
 * \return of the memory: STATUS_SUCCESS · any status of the system. STATUS_IO_TIMEOUT: the process
 *         did not do it in time. What becomes of the handles is told nobody.
 */
NTSTATUS pss_remote_release(const struct pss_nt *nt, const struct pss_remote_release *what);

#endif
