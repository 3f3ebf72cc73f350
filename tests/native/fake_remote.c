/* SPDX-License-Identifier: MIT */
/* The fake kernel's changes to the memory of other processes, by the rules that Windows has. */
#include "fake_answers.h"

#include "fake_space.h"
#include "fake_threads.h"

#include <string.h>

#define LOWEST_FREE 0x1000000u   /* where a place is looked for */
#define FIRST_HIGH  0x200000000u /* and where by those that have more than 4 GB */

/* A process that can be changed; one that hangs keeps the caller, for a while or for good. */
static struct fake_process *process_to_change(HANDLE handle, NTSTATUS *status)
{
    struct fake_process *process = fake_process_of(handle, PROCESS_VM_OPERATION, status);

    if (process && process->memory_hang != FAKE_ANSWERS && !process->times.exit_time.QuadPart)
        fake_worker_hang(process->memory_hang);
    if (!process || process->times.exit_time.QuadPart) {
        *status = process ? STATUS_PROCESS_IS_TERMINATING : *status;
        return NULL;
    }
    if (!process->is_carrier && !process->is_party)
        fake.strange_writes++;
    return process;
}

/* A process that has lost what it answers with takes the question with it. */
static void lose_process(struct fake_process *process)
{
    process->memory_hang = FAKE_HANGS_FOR_GOOD;
    fake_worker_hang(process->memory_hang);
}

static int is_private_protection(ULONG protect)
{
    ULONG base = protect & 0xFF;

    return base && !(base & (base - 1)) && base != PAGE_WRITECOPY &&
           base != PAGE_EXECUTE_WRITECOPY && !(base == PAGE_NOACCESS && protect & PAGE_GUARD);
}

static uint64_t round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) & ~(unit - 1);
}

/* Where nobody says that it has to be low, a process that has more than that gets it elsewhere. */
static uint64_t find_free(const struct fake_process *process, uint64_t size, uint64_t limit)
{
    uint64_t base =
        limit == UINT64_MAX && process->address_limit > FIRST_HIGH ? FIRST_HIGH : LOWEST_FREE;

    for (uint32_t i = fake_space_find(process, base); i < process->region_count; i++) {
        if (fake_region_base(&process->regions[i]) >= base + size)
            break;
        base = round_up(fake_region_end(&process->regions[i]), FAKE_GRANULARITY);
    }
    return base;
}

static NTSTATUS charge(uint64_t size)
{
    if (size > fake.commit_budget)
        return fake.commit_status;
    fake.commit_budget -= size;
    return STATUS_SUCCESS;
}

static NTSTATUS reserve(struct fake_process *process, void **base, SIZE_T *size,
                        struct fake_allocation what)
{
    struct fake_region region = {0};
    uint64_t first = (uint64_t)(ULONG_PTR)*base & ~(uint64_t)(FAKE_GRANULARITY - 1);
    uint64_t end = round_up((uint64_t)(ULONG_PTR)*base + *size, FAKE_PAGE);
    NTSTATUS status = STATUS_SUCCESS;

    if (!*base) {
        first = find_free(process, *size, what.limit);
        end = round_up(first + *size, FAKE_PAGE);
        if (what.limit < end)
            return STATUS_NO_MEMORY;
    }
    if (!*size || end <= first || end > process->address_limit)
        return STATUS_INVALID_PARAMETER;
    if (!fake_space_is_free(process, first, end))
        return STATUS_CONFLICTING_ADDRESSES;
    if (what.type & MEM_COMMIT)
        status = charge(end - first);
    if (!NT_SUCCESS(status))
        return status;
    region.basic.BaseAddress = region.basic.AllocationBase = (void *)(ULONG_PTR)first;
    region.basic.RegionSize = end - first;
    region.basic.AllocationProtect = what.protect;
    region.basic.State = what.type & MEM_COMMIT ? MEM_COMMIT : MEM_RESERVE;
    region.basic.Protect = what.type & MEM_COMMIT ? what.protect : 0;
    region.basic.Type = MEM_PRIVATE;
    region.is_shipped = process->is_party;
    fake_space_insert(process, &region);
    *base = (void *)(ULONG_PTR)first;
    *size = end - first;
    return STATUS_SUCCESS;
}

/* Whether all of it belongs to one allocation, and to one of private memory if that is asked for.
 */
static int is_one_allocation(const struct fake_process *process, uint64_t first, uint64_t end,
                             int is_private)
{
    const struct fake_region *region = fake_region_at(process, first);
    const void *base = region ? region->basic.AllocationBase : NULL;

    for (; first < end; first = fake_region_end(region)) {
        region = fake_region_at(process, first);
        if (!region || region->basic.AllocationBase != base ||
            (is_private && region->basic.Type != MEM_PRIVATE))
            return 0;
    }
    return 1;
}

static NTSTATUS commit(struct fake_process *process, void **base, SIZE_T *size, ULONG protect)
{
    uint64_t first = (uint64_t)(ULONG_PTR)*base & ~(uint64_t)(FAKE_PAGE - 1);
    uint64_t end = round_up((uint64_t)(ULONG_PTR)*base + *size, FAKE_PAGE), fresh = 0;
    uint32_t index;
    NTSTATUS status;

    if (!*size || !is_one_allocation(process, first, end, 1))
        return STATUS_CONFLICTING_ADDRESSES;
    fake_space_cut(process, first);
    fake_space_cut(process, end);
    index = fake_space_find(process, first);
    for (uint32_t i = index; i < process->region_count; i++)
        if (fake_region_base(&process->regions[i]) < end &&
            process->regions[i].basic.State != MEM_COMMIT)
            fresh += process->regions[i].basic.RegionSize;
    status = charge(fresh);
    for (uint32_t i = index; NT_SUCCESS(status) && i < process->region_count; i++) {
        if (fake_region_base(&process->regions[i]) >= end)
            break;
        process->regions[i].basic.State = MEM_COMMIT;
        process->regions[i].basic.Protect = protect;
    }
    fake_space_join(process);
    *base = (void *)(ULONG_PTR)first;
    *size = end - first;
    return status;
}

/* Of the own process by a real handle. */
static NTSTATUS allocate_real(void **base, SIZE_T *size, int is_low)
{
    *base = fake_memory_allocate(*size, is_low);
    *size = round_up(*size, FAKE_PAGE);
    return *base ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

NTSTATUS fake_remote_allocate(HANDLE handle, void **base, SIZE_T *size, struct fake_allocation what)
{
    NTSTATUS status;
    struct fake_process *process = process_to_change(handle, &status);

    if (!process)
        return status;
    if (!is_private_protection(what.protect))
        return STATUS_INVALID_PAGE_PROTECTION;
    if (!what.type || what.type & ~(ULONG)(MEM_RESERVE | MEM_COMMIT))
        return STATUS_INVALID_PARAMETER;
    if (process == fake.own && process->is_party)
        return allocate_real(base, size, what.limit != UINT64_MAX);
    return what.type & MEM_RESERVE ? reserve(process, base, size, what)
                                   : commit(process, base, size, what.protect);
}

static int has_vital(const struct fake_process *process, uint64_t first, uint64_t end)
{
    for (uint32_t i = fake_space_find(process, first); i < process->region_count; i++)
        if (fake_region_base(&process->regions[i]) < end && process->regions[i].is_vital)
            return 1;
    return 0;
}

/* Takes an allocation away; one that the process needs takes the process with it. */
static NTSTATUS remove_allocation(struct fake_process *process, uint64_t base)
{
    uint64_t end = fake_space_allocation_end(process, base);

    if (has_vital(process, base, end))
        lose_process(process);
    fake_space_remove(process, base, end);
    return STATUS_SUCCESS;
}

static NTSTATUS decommit(struct fake_process *process, uint64_t first, uint64_t end)
{
    if (!is_one_allocation(process, first, end, 1))
        return STATUS_UNABLE_TO_FREE_VM;
    if (has_vital(process, first, end))
        lose_process(process);
    fake_space_cut(process, first);
    fake_space_cut(process, end);
    for (uint32_t i = fake_space_find(process, first); i < process->region_count; i++) {
        if (fake_region_base(&process->regions[i]) >= end)
            break;
        process->regions[i].basic.State = MEM_RESERVE;
        process->regions[i].basic.Protect = 0;
        process->regions[i].bytes = NULL;
        process->regions[i].bytes_size = 0;
    }
    fake_space_forget(process, first, end);
    fake_space_join(process);
    return STATUS_SUCCESS;
}

NTSTATUS fake_remote_free(HANDLE handle, void **base, SIZE_T *size, ULONG type)
{
    NTSTATUS status;
    struct fake_process *process = process_to_change(handle, &status);
    const struct fake_region *region;
    uint64_t first = (uint64_t)(ULONG_PTR)*base & ~(uint64_t)(FAKE_PAGE - 1);

    if (!process)
        return status;
    if (type == MEM_RELEASE && fake_memory_is_real(process, first, FAKE_PAGE))
        return fake_memory_free(*base) ? STATUS_SUCCESS : STATUS_FREE_VM_NOT_AT_BASE;
    region = fake_region_at(process, first);
    if (!region)
        return STATUS_MEMORY_NOT_ALLOCATED;
    if (region->basic.Type != MEM_PRIVATE)
        return STATUS_UNABLE_TO_DELETE_SECTION;
    if (type == MEM_DECOMMIT && *size)
        return decommit(process, first, round_up((uint64_t)(ULONG_PTR)*base + *size, FAKE_PAGE));
    if (type != MEM_RELEASE || *size)
        return STATUS_INVALID_PARAMETER;
    if (fake_region_allocation(region) != first)
        return STATUS_FREE_VM_NOT_AT_BASE;
    return remove_allocation(process, first);
}

static int is_all_committed(const struct fake_process *process, uint64_t first, uint64_t end)
{
    const struct fake_region *region;

    for (; first < end; first = fake_region_end(region)) {
        region = fake_region_at(process, first);
        if (!region || region->basic.State != MEM_COMMIT)
            return 0;
    }
    return 1;
}

NTSTATUS fake_remote_protect(HANDLE handle, void **base, SIZE_T *size, ULONG protect,
                             ULONG *previous)
{
    NTSTATUS status;
    struct fake_process *process = process_to_change(handle, &status);
    uint64_t first = (uint64_t)(ULONG_PTR)*base & ~(uint64_t)(FAKE_PAGE - 1);
    uint64_t end = round_up((uint64_t)(ULONG_PTR)*base + *size, FAKE_PAGE);

    if (!process)
        return status;
    if (!*size || !is_one_allocation(process, first, end, 0))
        return STATUS_CONFLICTING_ADDRESSES;
    if (!is_all_committed(process, first, end))
        return STATUS_NOT_COMMITTED;
    if (fake_region_at(process, first)->basic.Type == MEM_PRIVATE &&
        !is_private_protection(protect))
        return STATUS_INVALID_PAGE_PROTECTION;
    *previous = fake_region_at(process, first)->basic.Protect;
    fake_space_cut(process, first);
    fake_space_cut(process, end);
    for (uint32_t i = fake_space_find(process, first); i < process->region_count; i++) {
        if (fake_region_base(&process->regions[i]) >= end)
            break;
        process->regions[i].basic.Protect = protect;
    }
    fake_space_join(process);
    return STATUS_SUCCESS;
}

void fake_write_through(struct fake_process *process, uint64_t address, const void *bytes,
                        SIZE_T size)
{
    if (!process->is_carrier && !process->is_party)
        fake.strange_writes++;
    if (address < process->private_end && address + size > process->private_begin)
        process->memory_hang = FAKE_HANGS_FOR_GOOD;
    fake_write(process, address, bytes, size);
}

/* Like some systems it writes whatever the protection is. */
NTSTATUS fake_remote_write(HANDLE handle, uint64_t address, const void *bytes, SIZE_T size,
                           SIZE_T *written)
{
    NTSTATUS status;
    struct fake_process *process = fake_process_of(handle, PROCESS_VM_WRITE, &status);

    if (!process)
        return status;
    if (process->times.exit_time.QuadPart)
        return STATUS_PROCESS_IS_TERMINATING;
    if (fake_memory_is_real(process, address, size))
        memcpy((void *)(uintptr_t)address, bytes, size);
    else if (is_all_committed(process, address, address + size))
        fake_write_through(process, address, bytes, size);
    else
        return STATUS_PARTIAL_COPY;
    if (written)
        *written = size;
    return STATUS_SUCCESS;
}

static int fits(const struct fake_process *process, const struct fake_image *image, uint64_t base)
{
    const struct fake_region *last = &image->parts[image->part_count - 1];

    return fake_space_is_free(process, base, base + fake_region_end(last));
}

NTSTATUS fake_remote_map(HANDLE section, HANDLE handle, void **base, SIZE_T *size)
{
    NTSTATUS status = STATUS_SUCCESS;
    struct fake_object *object =
        fake_typed_object(section, FAKE_SECTION, SECTION_MAP_READ | SECTION_MAP_EXECUTE, &status);
    struct fake_process *process = object ? process_to_change(handle, &status) : NULL;
    uint64_t where = (uint64_t)(ULONG_PTR)*base;

    if (!process)
        return status;
    if (!object->image)
        return STATUS_SECTION_PROTECTION;
    if (where % FAKE_GRANULARITY)
        return STATUS_MAPPED_ALIGNMENT;
    if (!where)
        where = object->image->preferred_base;
    if (!fits(process, object->image, where))
        return STATUS_CONFLICTING_ADDRESSES;
    fake_image_map(process, object->image, where);
    *base = (void *)(ULONG_PTR)where;
    *size = fake_space_allocation_end(process, where) - where;
    return where == object->image->preferred_base ? STATUS_SUCCESS : STATUS_IMAGE_NOT_AT_BASE;
}

NTSTATUS fake_remote_unmap(HANDLE handle, void *base)
{
    NTSTATUS status;
    struct fake_process *process = process_to_change(handle, &status);
    const struct fake_region *region;

    if (!process)
        return status;
    region = fake_region_at(process, (uint64_t)(ULONG_PTR)base);
    if (!region || region->basic.Type == MEM_PRIVATE)
        return STATUS_NOT_MAPPED_VIEW;
    return remove_allocation(process, fake_region_allocation(region));
}
