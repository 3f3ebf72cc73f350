/* SPDX-License-Identifier: MIT */
/* The clone of a snapshot: its regions and its bytes. */
#include "va_clone.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "text.h"
#include "words.h"

#define PAGE_BYTES 4096u

static const void *to_pointer(uint64_t address)
{
    return (const void *)(uintptr_t)address;
}

/**
 * Asks for the region of an address.
 *
 * \return ERROR_SUCCESS, or the system's error.
 */
static DWORD query_region(HANDLE process, uint64_t address, MEMORY_BASIC_INFORMATION *region)
{
    if (address > UINTPTR_MAX)
        return ERROR_INVALID_PARAMETER;
    if (VirtualQueryEx(process, to_pointer(address), region, sizeof *region) != 0)
        return ERROR_SUCCESS;
    return GetLastError();
}

static enum pss_exit list_target(const struct snapshot *snapshot, struct region_list *list)
{
    struct walk regions = walk_begin(snapshot, PSS_WALK_VA_SPACE);
    PSS_VA_SPACE_ENTRY entry;

    while (walk_next(&regions, &entry, sizeof entry)) {
        MEMORY_BASIC_INFORMATION region;

        memset(&region, 0, sizeof region);
        region.BaseAddress = entry.BaseAddress;
        region.AllocationBase = entry.AllocationBase;
        region.AllocationProtect = entry.AllocationProtect;
        region.RegionSize = entry.RegionSize;
        region.State = entry.State;
        region.Protect = entry.Protect;
        region.Type = entry.Type;
        region_list_add(list, &region);
    }
    return walk_end(&regions);
}

/** The end of the address space is where the system takes no address any more. */
static enum pss_exit list_clone(HANDLE clone, struct region_list *list)
{
    MEMORY_BASIC_INFORMATION region;
    uint64_t address = 0;
    DWORD error;

    while ((error = query_region(clone, address, &region)) == ERROR_SUCCESS) {
        uint64_t end = (uint64_t)(uintptr_t)region.BaseAddress + region.RegionSize;

        if (end <= address) {
            error = ERROR_INVALID_DATA;
            break;
        }
        region_list_add(list, &region);
        address = end;
    }
    if (error == ERROR_INVALID_PARAMETER && list->count != 0)
        return EXIT_DONE;
    return report_failure("VirtualQueryEx", error);
}

enum pss_exit clone_compare(const struct snapshot *snapshot, struct comparison *comparison)
{
    enum pss_exit status;

    memset(comparison, 0, sizeof *comparison);
    status = list_target(snapshot, &comparison->target);
    if (status == EXIT_DONE)
        status = list_clone(snapshot->clone.VaCloneHandle, &comparison->clone);
    if (status == EXIT_DONE)
        compare_lists(comparison);
    return status;
}

static int is_readable(const MEMORY_BASIC_INFORMATION *region)
{
    return region->State == MEM_COMMIT && (region->Protect & (PAGE_NOACCESS | PAGE_GUARD)) == 0;
}

size_t clone_shrink(uint64_t address, size_t size)
{
    size_t first = PAGE_BYTES - (size_t)(address % PAGE_BYTES); /* bytes in the first page */

    if (size <= first)
        return 0;
    if (size / 2 < first)
        return first;
    return first + (size / 2 - first) / PAGE_BYTES * PAGE_BYTES;
}

size_t clone_read(HANDLE clone, uint64_t address, unsigned char *buffer, size_t size)
{
    MEMORY_BASIC_INFORMATION region;
    uint64_t rest; /* bytes from the address to the end of its region */

    if (query_region(clone, address, &region) != ERROR_SUCCESS || !is_readable(&region))
        return 0;
    rest = region.RegionSize - (address - (uint64_t)(uintptr_t)region.BaseAddress);
    if (size > rest)
        size = (size_t)rest;
    while (size != 0 && !ReadProcessMemory(clone, to_pointer(address), buffer, size, NULL))
        size = clone_shrink(address, size);
    return size;
}

/** Why nothing can be read there. */
static struct text explain(HANDLE clone, uint64_t address)
{
    struct text text = {"beyond the address space"};
    MEMORY_BASIC_INFORMATION region;
    DWORD error = query_region(clone, address, &region);

    if (error != ERROR_SUCCESS && error != ERROR_INVALID_PARAMETER)
        snprintf(text.s, sizeof text.s, "VirtualQueryEx failed with error %lu", error);
    else if (error == ERROR_SUCCESS && region.State != MEM_COMMIT)
        return words_state(region.State);
    else if (error == ERROR_SUCCESS && !is_readable(&region))
        return words_protect(region.Protect);
    else if (error == ERROR_SUCCESS)
        snprintf(text.s, sizeof text.s, "ReadProcessMemory failed");
    return text;
}

void clone_report_unreadable(HANDLE clone, uint64_t address, uint64_t done, uint64_t length)
{
    report("unreadable from %s (%s): %" PRIu64 " of %" PRIu64 " bytes were read",
           text_address(to_pointer(address)).s, explain(clone, address).s, done, length);
}
