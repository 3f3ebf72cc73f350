/* SPDX-License-Identifier: MIT */
/* From the fixed-width values of a block to the types of the public structures. */
#ifndef PSS_PUBLIC_H
#define PSS_PUBLIC_H

#include "descriptor/descriptor.h"

/*
 * A 32-bit reader of a 64-bit capture gets the low halves of addresses, sizes and handles.
 */

static inline void *pss_public_address(uint64_t address)
{
    return (void *)(ULONG_PTR)address;
}

static inline FILETIME pss_public_time(uint64_t time)
{
    FILETIME result = {(DWORD)time, (DWORD)(time >> 32)};

    return result;
}

#endif
