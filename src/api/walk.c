/* SPDX-License-Identifier: MIT */
/* PssWalkSnapshot: the streams, and the entry of each. */
#include "api/api.h"
#include "api/public.h"

#include <string.h>

/* Text in the block, as a pointer that lives as long as the marker, and its bytes. */
static const WCHAR *text_of(const struct pss_block *block, struct pss_text text, WORD *length)
{
    *length = (WORD)text.length;
    return pss_block_data(block, text.offset);
}

static void fill_auxiliary_page(const struct pss_block *block, const void *bytes, void *buffer)
{
    const struct pss_auxiliary_page_record *record = bytes;
    PSS_AUXILIARY_PAGE_ENTRY *out = buffer;

    out->Address = pss_public_address(record->region.base);
    out->BasicInformation.BaseAddress = pss_public_address(record->region.base);
    out->BasicInformation.AllocationBase = pss_public_address(record->region.allocation_base);
    out->BasicInformation.AllocationProtect = record->region.allocation_protect;
    out->BasicInformation.RegionSize = (SIZE_T)record->region.size;
    out->BasicInformation.State = record->region.state;
    out->BasicInformation.Protect = record->region.protect;
    out->BasicInformation.Type = record->region.type;
    out->CaptureTime = pss_public_time(record->capture_time);
    out->PageContents = (void *)(uintptr_t)pss_block_data(block, record->contents);
    out->PageSize = record->size;
}

static void fill_region(const struct pss_block *block, const void *bytes, void *buffer)
{
    const struct pss_region_record *record = bytes;
    const struct pss_mapping_record *mapping;
    PSS_VA_SPACE_ENTRY *out = buffer;

    out->BaseAddress = pss_public_address(record->base);
    out->AllocationBase = pss_public_address(record->allocation_base);
    out->AllocationProtect = record->allocation_protect;
    out->RegionSize = (ULONG_PTR)record->size;
    out->State = record->state;
    out->Protect = record->protect;
    out->Type = record->type;
    if (!record->mapping)
        return;
    mapping = pss_block_record(block, PSS_SECTION_MAPPINGS, record->mapping - 1);
    out->TimeDateStamp = mapping->time_date_stamp;
    out->SizeOfImage = mapping->size_of_image;
    out->ImageBase = pss_public_address(mapping->image_base);
    out->CheckSum = mapping->check_sum;
    out->MappedFileName = text_of(block, mapping->file_name, &out->MappedFileNameLength);
}

static void fill_specific(const struct pss_handle_record *record, PSS_HANDLE_ENTRY *out)
{
    const union pss_handle_specific *in = &record->specific;

    switch (record->object_type) {
    case PSS_OBJECT_TYPE_PROCESS:
        out->TypeSpecificInformation.Process.ExitStatus = in->process.exit_status;
        out->TypeSpecificInformation.Process.PebBaseAddress = pss_public_address(in->process.peb);
        out->TypeSpecificInformation.Process.AffinityMask = (ULONG_PTR)in->process.affinity;
        out->TypeSpecificInformation.Process.BasePriority = in->process.base_priority;
        out->TypeSpecificInformation.Process.ProcessId = in->process.process_id;
        out->TypeSpecificInformation.Process.ParentProcessId = in->process.parent_process_id;
        out->TypeSpecificInformation.Process.Flags = in->process.flags;
        break;
    case PSS_OBJECT_TYPE_THREAD:
        out->TypeSpecificInformation.Thread.ExitStatus = in->thread.exit_status;
        out->TypeSpecificInformation.Thread.TebBaseAddress = pss_public_address(in->thread.teb);
        out->TypeSpecificInformation.Thread.ProcessId = in->thread.process_id;
        out->TypeSpecificInformation.Thread.ThreadId = in->thread.thread_id;
        out->TypeSpecificInformation.Thread.AffinityMask = (ULONG_PTR)in->thread.affinity;
        out->TypeSpecificInformation.Thread.Priority = in->thread.priority;
        out->TypeSpecificInformation.Thread.BasePriority = in->thread.base_priority;
        out->TypeSpecificInformation.Thread.Win32StartAddress =
            pss_public_address(in->thread.start_address);
        break;
    case PSS_OBJECT_TYPE_MUTANT:
        out->TypeSpecificInformation.Mutant.CurrentCount = in->mutant.current_count;
        out->TypeSpecificInformation.Mutant.Abandoned = (BOOL)in->mutant.abandoned;
        out->TypeSpecificInformation.Mutant.OwnerProcessId = in->mutant.owner_process_id;
        out->TypeSpecificInformation.Mutant.OwnerThreadId = in->mutant.owner_thread_id;
        break;
    case PSS_OBJECT_TYPE_EVENT:
        out->TypeSpecificInformation.Event.ManualReset = (BOOL)in->event.manual_reset;
        out->TypeSpecificInformation.Event.Signaled = (BOOL)in->event.signaled;
        break;
    case PSS_OBJECT_TYPE_SECTION:
        out->TypeSpecificInformation.Section.BaseAddress = pss_public_address(in->section.base);
        out->TypeSpecificInformation.Section.AllocationAttributes = in->section.attributes;
        out->TypeSpecificInformation.Section.MaximumSize.QuadPart =
            (LONGLONG)in->section.maximum_size;
        break;
    case PSS_OBJECT_TYPE_SEMAPHORE:
        out->TypeSpecificInformation.Semaphore.CurrentCount = in->semaphore.current_count;
        out->TypeSpecificInformation.Semaphore.MaximumCount = in->semaphore.maximum_count;
        break;
    default:
        break;
    }
}

static void fill_handle(const struct pss_block *block, const void *bytes, void *buffer)
{
    const struct pss_handle_record *record = bytes;
    PSS_HANDLE_ENTRY *out = buffer;

    out->Handle = pss_public_address(record->handle);
    out->Flags = (PSS_HANDLE_FLAGS)record->flags;
    out->ObjectType = (PSS_OBJECT_TYPE)record->object_type;
    out->CaptureTime = pss_public_time(record->capture_time);
    out->TypeName = text_of(block, record->type_name, &out->TypeNameLength);
    out->ObjectName = text_of(block, record->object_name, &out->ObjectNameLength);
    if (record->flags & PSS_HANDLE_HAVE_BASIC_INFORMATION) {
        out->Attributes = record->attributes;
        out->GrantedAccess = record->granted_access;
        out->HandleCount = record->handle_count;
        out->PointerCount = record->pointer_count;
        out->PagedPoolCharge = record->paged_pool_charge;
        out->NonPagedPoolCharge = record->non_paged_pool_charge;
        out->CreationTime = pss_public_time(record->creation_time);
    }
    if (record->flags & PSS_HANDLE_HAVE_TYPE_SPECIFIC_INFORMATION)
        fill_specific(record, out);
}

static void fill_thread(const struct pss_block *block, const void *bytes, void *buffer)
{
    const struct pss_thread_record *record = bytes;
    PSS_THREAD_ENTRY *out = buffer;

    out->ExitStatus = record->exit_status;
    out->TebBaseAddress = pss_public_address(record->teb);
    out->ProcessId = record->process_id;
    out->ThreadId = record->thread_id;
    out->AffinityMask = (ULONG_PTR)record->affinity;
    out->Priority = record->priority;
    out->BasePriority = record->base_priority;
    out->LastSyscallFirstArgument = pss_public_address(record->last_syscall_argument);
    out->LastSyscallNumber = record->last_syscall_number;
    out->CreateTime = pss_public_time(record->create_time);
    out->ExitTime = pss_public_time(record->exit_time);
    out->KernelTime = pss_public_time(record->kernel_time);
    out->UserTime = pss_public_time(record->user_time);
    out->Win32StartAddress = pss_public_address(record->start_address);
    out->CaptureTime = pss_public_time(record->capture_time);
    out->Flags = (PSS_THREAD_FLAGS)record->flags;
    out->SuspendCount = record->suspend_count;
    if (!record->context)
        return;
    out->SizeOfContextRecord = (WORD)block->context_length;
    out->ContextRecord =
        (CONTEXT *)(uintptr_t)pss_block_record(block, PSS_SECTION_CONTEXTS, record->context - 1);
}

static void fill_thread_name(const struct pss_block *block, const void *bytes, void *buffer)
{
    const struct pss_thread_record *record = bytes;
    PSS_THREAD_NAME *out = buffer;

    out->ThreadName = text_of(block, record->name, &out->ThreadNameSize);
}

static const struct {
    DWORD length;
    enum pss_section section;
    void (*fill)(const struct pss_block *block, const void *bytes, void *buffer); /* into zeros */
} streams[] = {
    [PSS_WALK_AUXILIARY_PAGES] = {sizeof(PSS_AUXILIARY_PAGE_ENTRY), PSS_SECTION_AUXILIARY_PAGES,
                                  fill_auxiliary_page},
    [PSS_WALK_VA_SPACE] = {sizeof(PSS_VA_SPACE_ENTRY), PSS_SECTION_REGIONS, fill_region},
    [PSS_WALK_HANDLES] = {sizeof(PSS_HANDLE_ENTRY), PSS_SECTION_HANDLES, fill_handle},
    [PSS_WALK_THREADS] = {sizeof(PSS_THREAD_ENTRY), PSS_SECTION_THREADS, fill_thread},
    [PSS_WALK_THREAD_NAME] = {sizeof(PSS_THREAD_NAME), PSS_SECTION_THREADS, fill_thread_name},
};

static NTSTATUS walk_block(struct pss_block *block, uint32_t information_class,
                           struct pss_marker *marker, void *buffer)
{
    enum pss_section section = streams[information_class].section;
    NTSTATUS status = pss_marker_bind(marker, block, information_class);
    ULONG_PTR position = pss_marker_position(marker);

    if (!NT_SUCCESS(status))
        return status;
    if (position >= block->sections[section].count)
        return STATUS_NO_MORE_ENTRIES;
    if (!buffer)
        return STATUS_MORE_ENTRIES;
    memset(buffer, 0, streams[information_class].length);
    streams[information_class].fill(block, pss_block_record(block, section, (uint32_t)position),
                                    buffer);
    pss_marker_advance(marker);
    return STATUS_SUCCESS;
}

NTSTATUS pss_snapshot_walk(HPSS snapshot, uint32_t information_class, HPSSWALK marker_handle,
                           void *buffer, DWORD length)
{
    struct pss_marker *marker = pss_marker_find(marker_handle);
    struct pss_block *block = marker ? pss_snapshot_block(pss_marker_nt(marker), snapshot) : NULL;

    if (!block)
        return STATUS_INVALID_HANDLE;
    if (information_class >= sizeof(streams) / sizeof(streams[0]))
        return STATUS_INVALID_PARAMETER;
    if (!pss_block_has(block, streams[information_class].section))
        return STATUS_NOT_FOUND;
    if (buffer && length != streams[information_class].length)
        return STATUS_INFO_LENGTH_MISMATCH;
    return walk_block(block, information_class, marker, buffer);
}
