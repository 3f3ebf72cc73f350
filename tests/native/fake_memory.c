/* SPDX-License-Identifier: MIT */
/* The fake kernel's answers about the memory of processes. */
#include "fake_answers.h"

#include "fake_space.h"
#include "fake_threads.h"

#include <sanitizer/asan_interface.h>
#include <string.h>

/* What the library has allocated in the own process is real memory, and no part of the model. */
static int give_own(uint64_t address, MEMORY_BASIC_INFORMATION *answer)
{
    uint64_t start = address & ~(uint64_t)(FAKE_PAGE - 1), base;
    SIZE_T size = fake_memory_find(address, &base);

    if (!size)
        return 0;
    answer->BaseAddress = (void *)(ULONG_PTR)start;
    answer->AllocationBase = (void *)(ULONG_PTR)base;
    answer->AllocationProtect = answer->Protect = PAGE_READWRITE;
    answer->RegionSize = base + size - start;
    answer->State = MEM_COMMIT;
    answer->Type = MEM_PRIVATE;
    return 1;
}

/* From the page asked for to the end of its region, as the system tells it. */
static NTSTATUS give_basic(const struct fake_process *process, uint64_t address, void *buffer,
                           SIZE_T size, ULONG *returned)
{
    uint32_t index = fake_space_find(process, address);
    const struct fake_region *region = fake_region_at(process, address);
    uint64_t start = address & ~(uint64_t)(FAKE_PAGE - 1), end = process->address_limit;
    MEMORY_BASIC_INFORMATION answer = {0};

    if (process == fake.own && give_own(address, &answer))
        return fake_give(buffer, size, returned, &answer, sizeof(answer));
    if (region) {
        answer = region->basic;
        end = fake_region_end(region);
    } else {
        if (index < process->region_count)
            end = fake_region_base(&process->regions[index]);
        answer.State = MEM_FREE;
        answer.Protect = PAGE_NOACCESS;
    }
    answer.BaseAddress = (void *)(ULONG_PTR)start;
    answer.RegionSize = end - start;
    return fake_give(buffer, size, returned, &answer, sizeof(answer));
}

static NTSTATUS give_file_name(const struct fake_region *region, void *buffer, SIZE_T size,
                               ULONG *returned)
{
    if (!region || region->basic.Type == MEM_PRIVATE)
        return STATUS_INVALID_ADDRESS;
    if (!region->file_name.length)
        return STATUS_FILE_INVALID; /* of the pagefile */
    return fake_give_text(buffer, size, returned, region->file_name, sizeof(UNICODE_STRING));
}

NTSTATUS fake_answer_memory(HANDLE handle, void *address, ULONG class_number, void *buffer,
                            SIZE_T size, SIZE_T *returned)
{
    NTSTATUS status;
    struct fake_process *process = fake_process_of(handle, PROCESS_QUERY_INFORMATION, &status);
    uint64_t where = (uint64_t)(ULONG_PTR)address;
    ULONG needed = 0;

    if (!process)
        return status;
    if (process->times.exit_time.QuadPart)
        return STATUS_PROCESS_IS_TERMINATING;
    if (where >= process->address_limit)
        return STATUS_INVALID_PARAMETER;
    if (class_number == PSS_NT_MEMORY_BASIC && process->memory_hang != FAKE_ANSWERS) {
        if (process->dies_when_asked)
            fake_process_end(process, 0);
        fake_worker_hang(process->memory_hang);
    }
    if (class_number == PSS_NT_MEMORY_BASIC)
        status = give_basic(process, where, buffer, size, &needed);
    else if (class_number == PSS_NT_MEMORY_MAPPED_FILE_NAME)
        status = give_file_name(fake_region_at(process, where), buffer, size, &needed);
    else
        status = STATUS_INVALID_INFO_CLASS;
    if (returned)
        *returned = needed;
    return status;
}

/*
 * The stack of the calling thread is real memory of the calling process, and not modelled. The
 * sanitizer may keep the locals elsewhere.
 */
static int is_own_stack(const struct fake_process *process, uint64_t address)
{
    uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);
    void *elsewhere = __asan_get_current_fake_stack();

    if (process != fake.own)
        return 0;
    return (address > here && address - here < 0x10000) ||
           (elsewhere &&
            __asan_addr_is_in_fake_stack(elsewhere, (void *)(uintptr_t)address, NULL, NULL));
}

/* A section whose bytes these are: views are real memory of the calling process, too. */
static const struct fake_object *find_section(const struct fake_process *process, uint64_t address,
                                              SIZE_T size)
{
    const struct fake_object *object = process == fake.own ? fake.objects : NULL;

    for (; object; object = object->next) {
        uint64_t start = (uint64_t)(uintptr_t)object->bytes;
        uint64_t whole = (uint64_t)object->section.maximum_size.QuadPart;

        if (object->type == FAKE_SECTION && start && address >= start && address - start < whole &&
            size <= whole - (address - start))
            break;
    }
    return object;
}

static int is_readable(const struct fake_region *region)
{
    return region->basic.State == MEM_COMMIT &&
           !(region->basic.Protect & (PAGE_NOACCESS | PAGE_GUARD));
}

/*
 * Reads from one region; answers how many bytes. Like some systems it reads what may not be read,
 * which is right for the thread that copies everything, and for no other. Of a party anything is
 * asked for.
 */
uint64_t fake_readable_bytes(const struct fake_process *process, uint64_t where, uint64_t size)
{
    uint64_t bad = process->is_carrier ? 0 : fake.bad_page;

    if (!bad || where >= bad + FAKE_PAGE || where + size <= bad)
        return size;
    return where < bad ? bad - where : 0;
}

static SIZE_T read_region(const struct fake_process *process, uint64_t where, void *buffer,
                          SIZE_T size)
{
    const struct fake_region *region = fake_region_at(process, where);
    uint64_t left;

    if (!region || (process->is_party && !is_readable(region)))
        return 0;
    left = fake_region_end(region) - where;
    if (region->basic.State != MEM_COMMIT ||
        (region->basic.Protect & (PAGE_NOACCESS | PAGE_GUARD) && !fake_worker_id()))
        fake.blind_reads++;
    left = fake_readable_bytes(process, where, left < size ? left : size);
    fake_read(process, where, buffer, left);
    return left;
}

/* All or nothing. */
NTSTATUS fake_answer_read(HANDLE handle, const void *address, void *buffer, SIZE_T size,
                          SIZE_T *read)
{
    NTSTATUS status;
    struct fake_process *process = fake_process_of(handle, PROCESS_VM_READ, &status);
    const struct fake_object *section;
    uint64_t where = (uint64_t)(ULONG_PTR)address;

    if (!process)
        return status;
    if (process->times.exit_time.QuadPart)
        return STATUS_PROCESS_IS_TERMINATING;
    section = find_section(process, where, size);
    if (section && section->is_unreadable)
        return STATUS_PARTIAL_COPY;
    if (section || is_own_stack(process, where) || fake_memory_is_real(process, where, size)) {
        memcpy(buffer, address, size);
    } else {
        for (SIZE_T done = 0, step; done < size; done += step) {
            step = read_region(process, where + done, (char *)buffer + done, size - done);
            if (!step)
                return STATUS_PARTIAL_COPY;
        }
    }
    if (read)
        *read = size;
    return STATUS_SUCCESS;
}
