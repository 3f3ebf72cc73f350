/* SPDX-License-Identifier: MIT */
/* The address space: the plain VirtualQueryEx picture, without gaps, free regions included. */
#include "capture/capture.h"

/* The page every process shares with the kernel: no address space ends below it. */
#define SHARED_DATA_ADDRESS 0x7FFE0000u

NTSTATUS pss_region_query(const struct pss_capture *capture, uint64_t address,
                          struct pss_region_record *record)
{
    MEMORY_BASIC_INFORMATION region;
    NTSTATUS status = capture->nt->query_memory(capture->process, (void *)(ULONG_PTR)address,
                                                PSS_NT_MEMORY_BASIC, &region, sizeof(region), NULL);

    if (!NT_SUCCESS(status))
        return status;
    record->base = (uint64_t)(ULONG_PTR)region.BaseAddress;
    record->allocation_base = (uint64_t)(ULONG_PTR)region.AllocationBase;
    record->size = region.RegionSize;
    record->allocation_protect = region.AllocationProtect;
    record->state = region.State;
    record->protect = region.Protect;
    record->type = region.Type;
    return STATUS_SUCCESS;
}

NTSTATUS pss_va_space_capture(struct pss_capture *capture)
{
    struct pss_region_record region = {0}, *record;
    uint64_t address = 0;
    NTSTATUS status;

    pss_builder_begin(&capture->builder, PSS_SECTION_REGIONS);
    for (;;) {
        status = pss_region_query(capture, address, &region);
        if (status == STATUS_INVALID_PARAMETER && address > SHARED_DATA_ADDRESS)
            return STATUS_SUCCESS; /* past the end of what user mode may address */
        if (!NT_SUCCESS(status))
            return status;
        if (region.base != address || !region.size)
            return STATUS_INTERNAL_ERROR;
        status = pss_builder_append(capture->nt, &capture->builder, PSS_SECTION_REGIONS, &record);
        if (!NT_SUCCESS(status))
            return status;
        *record = region;
        address += region.size;
        if (address < region.base || address > UINTPTR_MAX)
            return STATUS_SUCCESS;
    }
}
