/* SPDX-License-Identifier: MIT */
/* Looks for free pages region by region, and writes through any protection. */
#include "near.h"

#define GRANULARITY ((uintptr_t)0x10000)
#define MAX_REGIONS 4096u /* a program that is being loaded has some fifty */

static uintptr_t round_up(uintptr_t value)
{
    return (value + GRANULARITY - 1) & ~(GRANULARITY - 1);
}

static int try_place(const struct pss_nt *nt, HANDLE process, uintptr_t place, SIZE_T size,
                     char **address)
{
    void *wanted = (void *)place;

    if (!NT_SUCCESS(nt->allocate_memory(process, &wanted, 0, &size, MEM_RESERVE | MEM_COMMIT,
                                        PAGE_READWRITE)))
        return 0;
    *address = wanted;
    return 1;
}

NTSTATUS near_allocate(const struct pss_nt *nt, HANDLE process, char *base, uint64_t limit,
                       SIZE_T size, char **address)
{
    uintptr_t place = (uintptr_t)base;

    for (unsigned i = 0; i < MAX_REGIONS && place - (uintptr_t)base + size <= limit; i++) {
        MEMORY_BASIC_INFORMATION region;
        uintptr_t end;

        if (!NT_SUCCESS(nt->query_memory(process, (void *)place, 0, &region, sizeof region, NULL)))
            break;
        end = (uintptr_t)region.BaseAddress + region.RegionSize;
        if (region.State == MEM_FREE && end - place >= size &&
            try_place(nt, process, place, size, address))
            return STATUS_SUCCESS;
        if (round_up(end) <= place)
            break;
        place = round_up(end);
    }
    return STATUS_NO_MEMORY;
}

NTSTATUS near_write(const struct pss_nt *nt, HANDLE process, char *address, const void *bytes,
                    SIZE_T size)
{
    void *page = address;
    SIZE_T length = size;
    ULONG old;
    NTSTATUS status = nt->protect_memory(process, &page, &length, PAGE_READWRITE, &old);

    if (!NT_SUCCESS(status))
        return status;
    status = nt->write_memory(process, address, bytes, size, NULL);
    /* The pages work either way; nothing could be done about a protection that stays wider. */
    nt->protect_memory(process, &page, &length, old, &old);
    return status;
}
