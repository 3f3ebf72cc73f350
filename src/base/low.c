/* SPDX-License-Identifier: MIT */
/* Tries one limit of the address after the other, the lowest that all systems know included. */
#include "base/low.h"

#if UINTPTR_MAX > UINT32_MAX
static const ULONG_PTR limits[] = {PSS_NT_BELOW_4_GB, PSS_NT_BELOW_2_GB, PSS_NT_ANYWHERE};
#else
static const ULONG_PTR limits[] = {PSS_NT_ANYWHERE}; /* of a 32-bit caller: below 4 GB */
#endif

#define LIMIT_COUNT (sizeof(limits) / sizeof(limits[0]))

/* Whether a process can name what lies above 4 GB; asked by a 64-bit caller. */
static int is_wide(const struct pss_nt *nt, HANDLE process)
{
    ULONG_PTR peb32 = 0;

    if (process == PSS_CURRENT_PROCESS)
        return 1;
    return NT_SUCCESS(
               nt->query_process(process, PSS_NT_PROCESS_WOW64, &peb32, sizeof(peb32), NULL)) &&
           !peb32;
}

NTSTATUS pss_low_allocate(const struct pss_nt *nt, HANDLE process, SIZE_T size, void **base)
{
    NTSTATUS status = STATUS_NO_MEMORY;

    for (uint32_t i = 0; i < LIMIT_COUNT; i++) {
        SIZE_T allocated = size;
        void *memory = NULL;

        if (i && limits[i] == PSS_NT_ANYWHERE && !is_wide(nt, process))
            break;
        status = nt->allocate_memory(process, &memory, limits[i], &allocated,
                                     MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
        if (NT_SUCCESS(status)) {
            *base = memory;
            break;
        }
    }
    return status;
}
