/* SPDX-License-Identifier: MIT */
/* Memory that a 32-bit offset from an image can name. */
#ifndef PSS_SHIM_NEAR_H
#define PSS_SHIM_NEAR_H

#include "nt/nt.h"

/**
 * Commits readable and writable pages above an image, less than 4 GB from its base.
 *
 * \param nt      [in]  Services.
 * \param process [in]  Its process: PROCESS_VM_OPERATION and PROCESS_QUERY_INFORMATION.
 * \param base    [in]  Where the image begins there.
 * \param limit   [in]  No page at or above base + limit; at most 4 GB.
 * \param size    [in]  Bytes, not 0.
 * \param address [out] The pages, for free_memory; untouched on failure.
 * \return STATUS_SUCCESS · STATUS_NO_MEMORY when no place is left.
 */
NTSTATUS near_allocate(const struct pss_nt *nt, HANDLE process, char *base, uint64_t limit,
                       SIZE_T size, char **address);

/**
 * Writes to pages of an image whatever their protection is, which they keep.
 *
 * \param process [in] PROCESS_VM_OPERATION and PROCESS_VM_WRITE.
 * \return STATUS_SUCCESS · the system's status, and nothing was written.
 */
NTSTATUS near_write(const struct pss_nt *nt, HANDLE process, char *address, const void *bytes,
                    SIZE_T size);

#endif
