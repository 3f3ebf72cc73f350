/* SPDX-License-Identifier: MIT */
/* The fake kernel's new processes: one that has not run yet, and one that is its parent's copy. */
#include "fake_answers.h"

#include "fake_space.h"

#include <stdlib.h>
#include <string.h>

/* Where a new process has what, as one of the target's image has it, too. */
#define PARAMETERS     0x10000u
#define STACK          0x20000u
#define STACK_SIZE     0x100000u
#define LOCALES        0x130000u
#define KERNEL_STACK   0x220000u
#define BLOCK          0x67F00000u
#define BLOCK_SIZE     0x100000u
#define TEB            0x67FE0000u
#define PEB            0x67FF0000u
#define PEB32          0x300000u
#define SHARED_DATA    0x7FFE0000u
#define TEB_SELF       0x30u
#define TEB_CLIENT_ID  0x40u
#define TEB_PEB        0x60u
#define TEB_GDI_BATCH  0x2F0u
#define TEB_GDI_END    0x7D8u
#define TEB_STACK      0x1478u /* DeallocationStack */
#define PEB_PARAMETERS 0x20u
#define INPUT          0x20u /* of the parameters */
#define FIRST_UNIX_ID  700u

static void put(struct fake_process *process, uint64_t address, uint64_t value)
{
    fake_write(process, address, &value, sizeof(value));
}

static struct fake_region *add(struct fake_process *process, uint64_t base, uint64_t end,
                               DWORD state, DWORD protect)
{
    struct fake_region region = {0};

    region.basic.BaseAddress = region.basic.AllocationBase = (void *)(ULONG_PTR)base;
    region.basic.RegionSize = end - base;
    region.basic.AllocationProtect = PAGE_READWRITE;
    region.basic.State = state;
    region.basic.Protect = protect;
    region.basic.Type = MEM_PRIVATE;
    return fake_space_insert(process, &region);
}

static void add_to(struct fake_process *process, uint64_t allocation, uint64_t base, uint64_t end,
                   DWORD state, DWORD protect)
{
    add(process, base, end, state, protect)->basic.AllocationBase = (void *)(ULONG_PTR)allocation;
}

static void add_stack(struct fake_process *process)
{
    uint64_t end = STACK + STACK_SIZE;

    add(process, STACK, end - 0x3000, MEM_RESERVE, 0);
    add_to(process, STACK, end - 0x3000, end - 0x2000, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD);
    add_to(process, STACK, end - 0x2000, end, MEM_COMMIT, PAGE_READWRITE);
}

/* The block of the TEB and the PEB; the rest of it is reserved. */
static void add_block(struct fake_process *process)
{
    add(process, BLOCK, TEB, MEM_RESERVE, 0);
    add_to(process, BLOCK, TEB, TEB + 0x4000, MEM_COMMIT, PAGE_READWRITE);
    add_to(process, BLOCK, TEB + 0x4000, PEB, MEM_RESERVE, 0);
    add_to(process, BLOCK, PEB, BLOCK + BLOCK_SIZE, MEM_COMMIT, PAGE_READWRITE);
    put(process, TEB + TEB_SELF, TEB);
    put(process, TEB + TEB_CLIENT_ID, process->basic.process_id);
    put(process, TEB + TEB_CLIENT_ID + 8, process->basic.process_id + 4);
    put(process, TEB + TEB_PEB, PEB);
    put(process, TEB + TEB_STACK, STACK);
    put(process, PEB + PEB_PARAMETERS, PARAMETERS);
    for (uint64_t i = TEB_GDI_BATCH; i < TEB_GDI_END; i += 8)
        put(process, TEB + i, 0x5E57E4000000u + i + process->basic.process_id);
}

static void make_vital(struct fake_process *process, uint64_t base)
{
    process->regions[fake_space_find(process, base)].is_vital = 1;
}

void fake_process_furnish(struct fake_process *process)
{
    process->basic.peb = (void *)(ULONG_PTR)PEB;
    process->threads[0]->basic.teb = (void *)(ULONG_PTR)TEB;
    process->private_begin = TEB + TEB_GDI_BATCH;
    process->private_end = TEB + TEB_GDI_END;
    process->unix_id = FIRST_UNIX_ID + (uint32_t)process->basic.process_id;
    add(process, PARAMETERS, PARAMETERS + 0x2000, MEM_COMMIT, PAGE_READWRITE);
    put(process, PARAMETERS, 0x1000 + process->basic.process_id);
    add_stack(process);
    add(process, LOCALES, LOCALES + 0x3000, MEM_COMMIT, PAGE_READONLY)->basic.Type = MEM_MAPPED;
    process->regions[fake_space_find(process, LOCALES)].file_name =
        FAKE_TEXT(L"\\??\\C:\\locale.nls");
    add(process, KERNEL_STACK, KERNEL_STACK + 0x100000, MEM_COMMIT, PAGE_READWRITE);
    add_block(process);
    add(process, SHARED_DATA, SHARED_DATA + FAKE_PAGE, MEM_COMMIT, PAGE_READONLY);
    make_vital(process, KERNEL_STACK);
    make_vital(process, TEB);
    make_vital(process, SHARED_DATA);
    for (uint32_t i = 0; i < fake.image_count; i++)
        fake_image_map(process, &fake.images[i], fake.images[i].preferred_base);
}

static struct fake_process *add_child(struct fake_process *parent)
{
    struct fake_process *process = fake_process_add(fake.next_id);

    fake.next_id += 8;
    fake.carriers++;
    fake.carrier = process;
    process->is_carrier = 1;
    process->basic.parent_process_id = parent->basic.process_id;
    process->times.create_time.QuadPart = (LONGLONG)fake.now;
    process->peb32 = parent->peb32;
    return process;
}

/* A process that was not made after all. */
static NTSTATUS abandon(struct fake_process *process, NTSTATUS status)
{
    fake.carriers--;
    fake_process_end(process, 0);
    return status;
}

NTSTATUS fake_answer_carrier(struct fake_process *parent, struct fake_text image, int leaves,
                             struct fake_process **carrier)
{
    struct fake_process *process;
    NTSTATUS status;

    if (!fake_image_find(image))
        return STATUS_OBJECT_NAME_NOT_FOUND;
    if (parent->times.exit_time.QuadPart)
        return STATUS_PROCESS_IS_TERMINATING;
    process = add_child(parent);
    fake_thread_add(process, (uint32_t)process->basic.process_id + 4)->suspend_count = 1;
    status = fake_jobs_inherit(process, parent, leaves);
    if (!NT_SUCCESS(status))
        return abandon(process, status);
    process->nt_image_name = fake_image_find(image)->name;
    if (fake_image_find(image)->has_other_bitness)
        process->peb32 = parent->peb32 ? 0 : PEB32;
    fake_process_furnish(process);
    *carrier = process;
    return STATUS_SUCCESS;
}

/* Wine passes standard handles on. Its server dies of a process that has no handle at all. */
void fake_carrier_give_input(struct fake_process *carrier, HANDLE input)
{
    if (input != PSS_CURRENT_THREAD)
        abort();
    if (!fake.passes_nothing_on)
        input = fake_handle_open_in(carrier, &fake.caller->object, THREAD_ALL_ACCESS);
    put(carrier, PARAMETERS + INPUT, (uint64_t)(ULONG_PTR)input);
}

/* What the system says to flags it does not take. */
static NTSTATUS refuse_flags(ULONG flags)
{
    for (uint32_t i = 0; i < FAKE_NATIVE_CALLS; i++)
        if (flags & fake.native_refusals[i])
            return fake.native_status[i];
    return STATUS_SUCCESS;
}

NTSTATUS fake_answer_native(HANDLE *handle, ACCESS_MASK access, HANDLE parent, ULONG flags)
{
    NTSTATUS status;
    struct fake_process *process, *model = fake_process_of(parent, PROCESS_CREATE_PROCESS, &status);

    if (fake.native_clones_answer)
        return fake.native_clones_answer;
    if (model && fake.native_call_count < FAKE_NATIVE_CALLS)
        fake.native_calls[fake.native_call_count++] =
            (struct fake_native_call){model, access, flags};
    if (!model)
        return status;
    if (model->times.exit_time.QuadPart)
        return STATUS_PROCESS_IS_TERMINATING;
    status = refuse_flags(flags);
    if (!NT_SUCCESS(status))
        return status;
    process = add_child(model);
    status = fake_jobs_inherit(process, model, flags & PSS_NT_CREATE_BREAKAWAY);
    if (!NT_SUCCESS(status))
        return abandon(process, status);
    process->basic.peb = model->basic.peb;
    process->nt_image_name = model->nt_image_name;
    fake_space_copy(process, model);
    *handle = fake_handle_open_library(&process->object, access);
    return STATUS_SUCCESS;
}

NTSTATUS fake_answer_terminate(HANDLE handle, NTSTATUS exit_status)
{
    NTSTATUS status;
    struct fake_process *process = fake_process_of(handle, PROCESS_TERMINATE, &status);

    if (!process)
        return status;
    if (process->times.exit_time.QuadPart)
        return STATUS_PROCESS_IS_TERMINATING;
    if (!process->is_carrier)
        fake.strange_writes++;
    fake_process_end(process, (DWORD)exit_status);
    return STATUS_SUCCESS;
}
