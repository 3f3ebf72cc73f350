/* SPDX-License-Identifier: MIT */
/* Memory for what processes of either bitness have to name: below 4 GB, if there is room. */
#ifndef PSS_LOW_H
#define PSS_LOW_H

#include "nt/nt.h"

/**
 * Allocates committed memory in a process, with PROCESS_VM_OPERATION: below 4 GB, or anywhere where
 * there is no room and the process can name that. Whether another process can is asked for with
 * PROCESS_QUERY_INFORMATION; one that does not tell is taken for a 32-bit process.
 *
 * \param size  [in]  Bytes.
 * \param base  [out] Released with free_memory; untouched on failure.
 * \return STATUS_SUCCESS · STATUS_NO_MEMORY and any other status of the allocator.
 */
NTSTATUS pss_low_allocate(const struct pss_nt *nt, HANDLE process, SIZE_T size, void **base);

#endif
