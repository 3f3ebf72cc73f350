/* SPDX-License-Identifier: MIT */
/* Images of the target in the carrier: views of the same files, which nobody has to copy. */
#include "base/unicode.h"
#include "clone/carrier.h"

static NTSTATUS read_name(struct pss_carrier *carrier, uint64_t address, UNICODE_STRING *name)
{
    void *answer = pss_carrier_scratch(carrier);
    SIZE_T length;
    NTSTATUS status =
        carrier->nt->query_memory(carrier->target.process, (void *)(ULONG_PTR)address,
                                  PSS_NT_MEMORY_MAPPED_FILE_NAME, answer, PSS_NAME_ROOM, NULL);

    if (!NT_SUCCESS(status))
        return status;
    length = pss_unicode_length(answer, PSS_NAME_ROOM);
    if (!length)
        return STATUS_OBJECT_NAME_INVALID;
    name->Buffer = ((UNICODE_STRING *)answer)->Buffer;
    name->Length = name->MaximumLength = (USHORT)length;
    return STATUS_SUCCESS;
}

static NTSTATUS open_section(struct pss_carrier *carrier, UNICODE_STRING *name)
{
    const struct pss_nt *nt = carrier->nt;
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK io;
    HANDLE file = NULL;
    NTSTATUS status;

    InitializeObjectAttributes(&attributes, name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    status = nt->open_file(&file, FILE_READ_DATA | FILE_EXECUTE | SYNCHRONIZE, &attributes, &io,
                           FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                           FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE);
    if (!NT_SUCCESS(status))
        return status;
    status = nt->create_section(&carrier->section,
                                SECTION_MAP_READ | SECTION_MAP_EXECUTE | SECTION_QUERY, NULL, NULL,
                                PAGE_EXECUTE_READ, SEC_IMAGE, file);
    nt->close(file);
    return status;
}

/* Writes to such a view would reach others, and theirs would be seen. */
static int is_shared(uint32_t protect)
{
    return (protect & (PAGE_READWRITE | PAGE_EXECUTE_READWRITE)) != 0;
}

/* Looks at the region of the view that has an address of a piece; tells where it ends. */
static NTSTATUS look_at_region(struct pss_carrier *carrier, const struct pss_piece *piece,
                               uint64_t base, uint64_t address, MEMORY_BASIC_INFORMATION *region)
{
    NTSTATUS status = pss_carrier_step(
        carrier, carrier->nt->query_memory(carrier->process, (void *)(ULONG_PTR)address,
                                           PSS_NT_MEMORY_BASIC, region, sizeof(*region), NULL));

    if (!NT_SUCCESS(status))
        return status;
    if (region->State != piece->state || region->Type != MEM_IMAGE ||
        (uint64_t)(ULONG_PTR)region->AllocationBase != base || is_shared(region->Protect) ||
        (uint64_t)(ULONG_PTR)region->BaseAddress + region->RegionSize <= address)
        return STATUS_INVALID_IMAGE_FORMAT;
    return STATUS_SUCCESS;
}

/*
 * Learns what a piece has become in the view. The file of that name may be another one by now, and
 * its image smaller: the view must have all of the piece.
 */
static NTSTATUS look_at(struct pss_carrier *carrier, struct pss_piece *piece, uint64_t base)
{
    uint64_t address = piece->range.base;
    MEMORY_BASIC_INFORMATION region;

    while (address < piece->range.end) {
        NTSTATUS status = look_at_region(carrier, piece, base, address, &region);

        if (!NT_SUCCESS(status))
            return status;
        address = (uint64_t)(ULONG_PTR)region.BaseAddress + region.RegionSize;
        piece->has_protect = (uint64_t)(ULONG_PTR)region.BaseAddress <= piece->range.base &&
                                     address >= piece->range.end
                                 ? region.Protect
                                 : 0;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS look_at_all(struct pss_carrier *carrier, struct pss_piece *first, uint32_t count)
{
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0; i < count && NT_SUCCESS(status); i++) {
        first[i].place = PSS_PLACE_IMAGE;
        status = look_at(carrier, &first[i], first->range.base);
    }
    return status;
}

static NTSTATUS map_section(struct pss_carrier *carrier, struct pss_piece *first, uint32_t count)
{
    const struct pss_nt *nt = carrier->nt;
    void *base = (void *)(ULONG_PTR)first->range.base;
    SIZE_T size = 0;
    NTSTATUS status = pss_carrier_step(
        carrier, nt->map_view(carrier->section, carrier->process, &base, 0, 0, NULL, &size,
                              PSS_NT_VIEW_UNMAP, 0, PAGE_EXECUTE_READ));

    if (!NT_SUCCESS(status))
        return status;
    status = (uint64_t)(ULONG_PTR)base == first->range.base
                 ? look_at_all(carrier, first, count)
                 : STATUS_CONFLICTING_ADDRESSES; /* Some systems have their own idea where. */
    if (NT_SUCCESS(status) || status == STATUS_CANCELLED)
        return status;
    nt->unmap_view(carrier->process, base);
    for (uint32_t i = 0; i < count; i++)
        first[i].place = PSS_PLACE_OWN;
    return pss_carrier_step(carrier, status);
}

NTSTATUS pss_carrier_map_image(struct pss_carrier *carrier, struct pss_piece *first, uint32_t count)
{
    UNICODE_STRING name;
    NTSTATUS status = read_name(carrier, first->range.base, &name);

    if (NT_SUCCESS(status))
        status = open_section(carrier, &name);
    if (!NT_SUCCESS(status))
        return status;
    status = map_section(carrier, first, count);
    if (status == STATUS_CANCELLED)
        return status; /* Who gave up closes the section. */
    carrier->nt->close(carrier->section);
    carrier->section = NULL;
    return status;
}
