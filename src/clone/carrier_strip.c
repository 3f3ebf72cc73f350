/* SPDX-License-Identifier: MIT */
/* What a new process has: given up where that is known to be safe, else kept and listed. */
#include "clone/carrier.h"

#define REGION_LIMIT 0x1000u /* of a process that has never run; it has some twenty */

/*
 * Places in a TEB and its PEB. source: winternl.h, and phnt ntpebteb.h for what it leaves out.
 * Some systems keep what a thread needs to answer for its process in TEB.GdiTebBatch.
 */
struct teb_layout {
    uint32_t pointer; /* bytes */
    uint32_t deallocation_stack;
    uint32_t gdi_batch, gdi_batch_end;
};

static const struct teb_layout layout64 = {8, 0x1478, 0x2F0, 0x7D8};
static const struct teb_layout layout32 = {4, 0x0E0C, 0x1D4, 0x6B4};

#define TEB_SELF       6u  /* pointers */
#define TEB_PEB        12u /* pointers */
#define PEB_PARAMETERS 4u  /* pointers */

/* source: phnt ntrtl.h, RTL_USER_PROCESS_PARAMETERS; bytes */
#define PARAMETERS_INPUT64 0x20u
#define PARAMETERS_INPUT32 0x18u

#define TEB32_DISTANCE                                                         \
    0x2000u /* from the TEB64 of the same thread. source: observed, documented \
             * nowhere; each TEB found by it is asked for its own address */

static NTSTATUS read_pointer(struct pss_carrier *carrier, const struct teb_layout *layout,
                             uint64_t address, uint64_t *value)
{
    *value = 0;
    return pss_carrier_step(
        carrier, pss_route_read(carrier->nt, &carrier->to, address, value, layout->pointer));
}

/* The PEB a caller of this bitness is told of. */
static uint64_t own_peb(const struct pss_carrier *carrier)
{
    return sizeof(void *) == 8 ? carrier->own.peb64 : carrier->own.peb32;
}

/* A TEB says where it is; what says so, and has a PEB, is one. Else \p teb and \p peb stay. */
static NTSTATUS read_teb(struct pss_carrier *carrier, const struct teb_layout *layout,
                         uint64_t address, uint64_t *teb, uint64_t *peb)
{
    uint64_t self = 0, owner = 0;
    NTSTATUS status = read_pointer(carrier, layout, address + TEB_SELF * layout->pointer, &self);

    if (NT_SUCCESS(status))
        status = read_pointer(carrier, layout, address + TEB_PEB * layout->pointer, &owner);
    if (NT_SUCCESS(status) && self == address) {
        *teb = address;
        *peb = owner;
    }
    return status;
}

/* The TEBs of one thread: a thread has one of each bitness, or only that of the caller's. */
static NTSTATUS read_tebs(struct pss_carrier *carrier, uint64_t teb)
{
    struct pss_own_blocks *own = &carrier->own;
    NTSTATUS status;

    if (sizeof(void *) == 8)
        status = read_teb(carrier, &layout64, teb, &own->teb64, &own->peb64);
    else
        status = read_teb(carrier, &layout32, teb, &own->teb32, &own->peb32);
    if (!NT_SUCCESS(status) || (sizeof(void *) == 8 && !carrier->target.is_wow64))
        return status;
    if (sizeof(void *) == 8)
        status = read_teb(carrier, &layout32, teb + TEB32_DISTANCE, &own->teb32, &own->peb32);
    else
        status = read_teb(carrier, &layout64, teb - TEB32_DISTANCE, &own->teb64, &own->peb64);
    return status == STATUS_CANCELLED ? status : STATUS_SUCCESS;
}

/*
 * A process of the same image has its first TEB and its PEB at the same addresses; so much so that
 * the carrier's can be overwritten with the target's. One of another image may not.
 */
static NTSTATUS compare_blocks(struct pss_carrier *carrier)
{
    const struct pss_own_blocks *own = &carrier->own;
    const struct teb_layout *layout = own->teb64 ? &layout64 : &layout32;
    const struct pss_route target = {carrier->target.process, NULL};
    uint64_t teb = own->teb64 ? own->teb64 : own->teb32, self = 0;
    NTSTATUS status = pss_route_read(carrier->nt, &target, teb + TEB_SELF * layout->pointer, &self,
                                     layout->pointer);

    carrier->is_block_alike =
        NT_SUCCESS(status) && self == teb && carrier->target.peb == own_peb(carrier);
    return pss_carrier_step(carrier, STATUS_SUCCESS);
}

NTSTATUS pss_carrier_find_blocks(struct pss_carrier *carrier)
{
    const struct pss_own_blocks *own = &carrier->own;
    struct pss_nt_thread_basic basic;
    NTSTATUS status = carrier->nt->query_thread(carrier->thread, PSS_NT_THREAD_BASIC, &basic,
                                                sizeof(basic), NULL);

    if (NT_SUCCESS(status))
        status = read_tebs(carrier, (uint64_t)(ULONG_PTR)basic.teb);
    if (!NT_SUCCESS(status))
        return status;
    if (own->teb64)
        carrier->hole = (struct pss_range){own->teb64 + layout64.gdi_batch,
                                           own->teb64 + layout64.gdi_batch_end};
    else if (own->teb32)
        carrier->hole = (struct pss_range){own->teb32 + layout32.gdi_batch,
                                           own->teb32 + layout32.gdi_batch_end};
    else
        return STATUS_INTERNAL_ERROR;
    return compare_blocks(carrier);
}

/*
 * Wine's server (8.0) dies if the system's handles are listed while a process has none, and a new
 * one may have none for some milliseconds: so the carrier was born with a handle to one of our
 * threads as its standard input. Nobody who is given the clone may find it there.
 */
static NTSTATUS take_back_handle(struct pss_carrier *carrier)
{
    int is64 = carrier->own.peb64 != 0;
    const struct teb_layout *layout = is64 ? &layout64 : &layout32;
    uint64_t peb = is64 ? carrier->own.peb64 : carrier->own.peb32, parameters = 0, input = 0;
    HANDLE taken = NULL;
    NTSTATUS status =
        read_pointer(carrier, layout, peb + PEB_PARAMETERS * layout->pointer, &parameters);

    if (NT_SUCCESS(status) && parameters)
        status = read_pointer(
            carrier, layout, parameters + (is64 ? PARAMETERS_INPUT64 : PARAMETERS_INPUT32), &input);
    if (!NT_SUCCESS(status) || !input || (int32_t)input == (intptr_t)PSS_CURRENT_THREAD)
        return status; /* other systems leave it as it was given */
    status = carrier->nt->duplicate(carrier->process, (HANDLE)(ULONG_PTR)input, PSS_CURRENT_PROCESS,
                                    &taken, 0, 0, DUPLICATE_CLOSE_SOURCE);
    if (NT_SUCCESS(status))
        carrier->nt->close(taken);
    else if (status == STATUS_INVALID_HANDLE)
        status = STATUS_SUCCESS; /* it went with the carrier: the next call tells that it died */
    return pss_carrier_step(carrier, status);
}

/* Its thread will never run again: neither the stack nor the parameters are missed. */
static NTSTATUS free_stack_and_parameters(struct pss_carrier *carrier,
                                          const struct teb_layout *layout, uint64_t teb,
                                          uint64_t peb)
{
    uint64_t addresses[2] = {0};
    NTSTATUS status = STATUS_SUCCESS;

    if (!teb)
        return status;
    status = read_pointer(carrier, layout, teb + layout->deallocation_stack, &addresses[0]);
    if (NT_SUCCESS(status))
        status =
            read_pointer(carrier, layout, peb + PEB_PARAMETERS * layout->pointer, &addresses[1]);
    for (int i = 0; i < 2 && NT_SUCCESS(status); i++) {
        void *base = (void *)(ULONG_PTR)addresses[i];
        SIZE_T whole = 0;

        if (!base)
            continue;
        carrier->nt->free_memory(carrier->process, &base, &whole, MEM_RELEASE); /* or keep it */
        status = pss_carrier_step(carrier, STATUS_SUCCESS);
    }
    return status;
}

/* The last range that is kept, if it is of this allocation. */
static struct pss_kept *last_kept(const struct pss_carrier *carrier, uint64_t base)
{
    uint32_t count = carrier->kept.size / (uint32_t)sizeof(struct pss_kept);
    struct pss_kept *kept = carrier->kept.base;

    return count && kept[count - 1].range.base == base ? &kept[count - 1] : NULL;
}

static NTSTATUS keep(struct pss_carrier *carrier, const MEMORY_BASIC_INFORMATION *region)
{
    uint64_t base = (uint64_t)(ULONG_PTR)region->AllocationBase;
    uint64_t end = (uint64_t)(ULONG_PTR)region->BaseAddress + region->RegionSize;
    struct pss_kept *kept = last_kept(carrier, base);
    NTSTATUS status = STATUS_SUCCESS;
    uint32_t offset;

    if (!kept) {
        status = pss_region_append(carrier->nt, &carrier->kept, sizeof(*kept), 1, &offset);
        if (!NT_SUCCESS(status))
            return status;
        kept = pss_region_at(&carrier->kept, offset);
        kept->range.base = base;
    }
    kept->range.end = end;
    kept->is_block =
        carrier->is_block_alike && base <= carrier->hole.base && carrier->hole.base < end;
    return status;
}

/*
 * Views go: no code of theirs runs. Private memory stays unless it is known what it is: among it is
 * the stack on which the thread answers for its process.
 */
static NTSTATUS strip_region(struct pss_carrier *carrier, const MEMORY_BASIC_INFORMATION *region)
{
    if (region->State == MEM_FREE)
        return STATUS_SUCCESS;
    if (region->Type == MEM_PRIVATE)
        return keep(carrier, region);
    if (region->BaseAddress != region->AllocationBase)
        return STATUS_SUCCESS;
    return pss_carrier_step(carrier,
                            carrier->nt->unmap_view(carrier->process, region->AllocationBase));
}

static NTSTATUS strip_regions(struct pss_carrier *carrier)
{
    MEMORY_BASIC_INFORMATION region;
    uint64_t address = 0;
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0; i < REGION_LIMIT && address <= UINTPTR_MAX; i++) {
        status = pss_carrier_step(
            carrier, carrier->nt->query_memory(carrier->process, (void *)(ULONG_PTR)address,
                                               PSS_NT_MEMORY_BASIC, &region, sizeof(region), NULL));
        if (status == STATUS_INVALID_PARAMETER && carrier->kept.size)
            return STATUS_SUCCESS; /* behind the end */
        if (NT_SUCCESS(status))
            status = strip_region(carrier, &region);
        if (!NT_SUCCESS(status))
            return status;
        address = (uint64_t)(ULONG_PTR)region.BaseAddress + region.RegionSize;
    }
    return address > UINTPTR_MAX ? STATUS_SUCCESS : STATUS_INTERNAL_ERROR;
}

NTSTATUS pss_carrier_strip(struct pss_carrier *carrier)
{
    const struct pss_own_blocks *own = &carrier->own;
    NTSTATUS status = take_back_handle(carrier);

    if (NT_SUCCESS(status))
        status = free_stack_and_parameters(carrier, &layout64, own->teb64, own->peb64);
    if (NT_SUCCESS(status))
        status = free_stack_and_parameters(carrier, &layout32, own->teb32, own->peb32);
    if (NT_SUCCESS(status))
        status = strip_regions(carrier);
    return status;
}

NTSTATUS pss_carrier_copy_peb(struct pss_carrier *carrier)
{
    /* source: phnt ntpebteb.h, the PEB of Windows 7, which later ones only extend */
    static const uint32_t size = sizeof(void *) == 8 ? 0x380 : 0x248;
    void *peb = pss_carrier_scratch(carrier);
    NTSTATUS status;

    if (carrier->is_block_alike)
        return STATUS_SUCCESS;
    status = pss_carrier_step(
        carrier, pss_route_read(carrier->nt, &carrier->from, carrier->target.peb, peb, size));
    if (!NT_SUCCESS(status))
        return status;
    return pss_carrier_step(
        carrier, pss_route_write(carrier->nt, &carrier->to, own_peb(carrier), peb, size));
}
