/* SPDX-License-Identifier: MIT */
/* PssQuerySnapshot: one structure for each class. */
#include "api/api.h"
#include "api/public.h"

#include <string.h>

_Static_assert(sizeof(PSS_PERFORMANCE_COUNTERS) == sizeof(struct pss_performance_record),
               "the record holds the counters in their order");

static const struct pss_process_record *process_of(const struct pss_block *block)
{
    return pss_block_record(block, PSS_SECTION_PROCESS, 0);
}

static void fill_memory(const struct pss_process_record *record, PSS_PROCESS_INFORMATION *out)
{
    out->PeakVirtualSize = (ULONG_PTR)record->peak_virtual_size;
    out->VirtualSize = (ULONG_PTR)record->virtual_size;
    out->PageFaultCount = record->page_fault_count;
    out->PeakWorkingSetSize = (ULONG_PTR)record->peak_working_set_size;
    out->WorkingSetSize = (ULONG_PTR)record->working_set_size;
    out->QuotaPeakPagedPoolUsage = (ULONG_PTR)record->quota_peak_paged_pool_usage;
    out->QuotaPagedPoolUsage = (ULONG_PTR)record->quota_paged_pool_usage;
    out->QuotaPeakNonPagedPoolUsage = (ULONG_PTR)record->quota_peak_non_paged_pool_usage;
    out->QuotaNonPagedPoolUsage = (ULONG_PTR)record->quota_non_paged_pool_usage;
    out->PagefileUsage = (ULONG_PTR)record->pagefile_usage;
    out->PeakPagefileUsage = (ULONG_PTR)record->peak_pagefile_usage;
    out->PrivateUsage = (ULONG_PTR)record->private_usage;
}

static void fill_process(const struct pss_block *block, void *buffer)
{
    const struct pss_process_record *record = process_of(block);
    const void *name = pss_block_data(block, record->image_file_name.offset);
    PSS_PROCESS_INFORMATION *out = buffer;
    SIZE_T length = record->image_file_name.length;

    out->ExitStatus = record->exit_status;
    out->PebBaseAddress = pss_public_address(record->peb);
    out->AffinityMask = (ULONG_PTR)record->affinity;
    out->BasePriority = record->base_priority;
    out->ProcessId = record->process_id;
    out->ParentProcessId = record->parent_process_id;
    out->Flags = (PSS_PROCESS_FLAGS)record->flags;
    out->CreateTime = pss_public_time(record->create_time);
    out->ExitTime = pss_public_time(record->exit_time);
    out->KernelTime = pss_public_time(record->kernel_time);
    out->UserTime = pss_public_time(record->user_time);
    out->PriorityClass = record->priority_class;
    out->ExecuteFlags = record->execute_flags;
    fill_memory(record, out);
    if (length > sizeof(out->ImageFileName) - sizeof(WCHAR))
        length = sizeof(out->ImageFileName) - sizeof(WCHAR);
    if (name)
        memcpy(out->ImageFileName, name, length);
}

static void fill_count(const struct pss_block *block, enum pss_section section, void *buffer)
{
    memcpy(buffer, &block->sections[section].count, sizeof(DWORD));
}

static void fill_clone(const struct pss_block *block, void *buffer)
{
    const struct pss_clone_record *record = pss_block_record(block, PSS_SECTION_CLONE, 0);
    PSS_VA_CLONE_INFORMATION *out = buffer;

    out->VaCloneHandle = pss_public_address(record->lent);
}

static void fill_clone_details(const struct pss_block *block, void *buffer)
{
    const struct pss_clone_record *record = pss_block_record(block, PSS_SECTION_CLONE, 0);
    PSS_VA_CLONE_DETAILS *out = buffer;

    out->Strategy = (PSS_CLONE_STRATEGY)record->strategy;
    out->Route = (PSS_CLONE_ROUTE)record->route;
    out->BytesCommitted = record->committed;
    out->BytesHeld = record->held;
    out->BytesCopied = record->copied;
    out->BytesUnchanged = record->unchanged;
    out->BytesZero = record->zero;
    out->BytesMissing = record->missing;
}

static void fill_auxiliary_pages(const struct pss_block *block, void *buffer)
{
    fill_count(block, PSS_SECTION_AUXILIARY_PAGES, buffer);
}

static void fill_va_space(const struct pss_block *block, void *buffer)
{
    fill_count(block, PSS_SECTION_REGIONS, buffer);
}

static void fill_handles(const struct pss_block *block, void *buffer)
{
    fill_count(block, PSS_SECTION_HANDLES, buffer);
}

static void fill_threads(const struct pss_block *block, void *buffer)
{
    PSS_THREAD_INFORMATION *out = buffer;

    out->ThreadsCaptured = block->sections[PSS_SECTION_THREADS].count;
    out->ContextLength = block->context_length;
}

static void fill_trace(const struct pss_block *block, void *buffer)
{
    const struct pss_trace_record *record = pss_block_record(block, PSS_SECTION_TRACE, 0);
    PSS_HANDLE_TRACE_INFORMATION *out = buffer;

    out->SectionHandle = pss_public_address(record->lent);
    out->Size = record->size;
}

static void fill_counters(const struct pss_block *block, void *buffer)
{
    memcpy(buffer, pss_block_record(block, PSS_SECTION_PERFORMANCE, 0),
           sizeof(PSS_PERFORMANCE_COUNTERS));
}

static const struct query_class {
    DWORD length;
    enum pss_section section; /* without it the class was not captured */
    void (*fill)(const struct pss_block *block, void *buffer); /* into zeros */
} classes[] = {
    [PSS_QUERY_PROCESS_INFORMATION] = {sizeof(PSS_PROCESS_INFORMATION), PSS_SECTION_PROCESS,
                                       fill_process},
    [PSS_QUERY_VA_CLONE_INFORMATION] = {sizeof(PSS_VA_CLONE_INFORMATION), PSS_SECTION_CLONE,
                                        fill_clone},
    [PSS_QUERY_AUXILIARY_PAGES_INFORMATION] = {sizeof(PSS_AUXILIARY_PAGES_INFORMATION),
                                               PSS_SECTION_AUXILIARY_PAGES, fill_auxiliary_pages},
    [PSS_QUERY_VA_SPACE_INFORMATION] = {sizeof(PSS_VA_SPACE_INFORMATION), PSS_SECTION_REGIONS,
                                        fill_va_space},
    [PSS_QUERY_HANDLE_INFORMATION] = {sizeof(PSS_HANDLE_INFORMATION), PSS_SECTION_HANDLES,
                                      fill_handles},
    [PSS_QUERY_THREAD_INFORMATION] = {sizeof(PSS_THREAD_INFORMATION), PSS_SECTION_THREADS,
                                      fill_threads},
    [PSS_QUERY_HANDLE_TRACE_INFORMATION] = {sizeof(PSS_HANDLE_TRACE_INFORMATION), PSS_SECTION_TRACE,
                                            fill_trace},
    [PSS_QUERY_PERFORMANCE_COUNTERS] = {sizeof(PSS_PERFORMANCE_COUNTERS), PSS_SECTION_PERFORMANCE,
                                        fill_counters},
};

/* Far from the numbers of Windows. */
static const struct query_class clone_details = {sizeof(PSS_VA_CLONE_DETAILS), PSS_SECTION_CLONE,
                                                 fill_clone_details};

static const struct query_class *find_class(uint32_t number)
{
    if (number == (uint32_t)PSS_QUERY_VA_CLONE_DETAILS)
        return &clone_details;
    return number < sizeof(classes) / sizeof(classes[0]) ? &classes[number] : NULL;
}

NTSTATUS pss_snapshot_query(const struct pss_nt *nt, HPSS snapshot, uint32_t information_class,
                            void *buffer, DWORD length)
{
    const struct pss_block *block = pss_snapshot_block(nt, snapshot);
    const struct query_class *found = find_class(information_class);

    if (!block)
        return STATUS_INVALID_HANDLE;
    if (!found)
        return STATUS_INVALID_PARAMETER;
    if (length != found->length)
        return STATUS_INFO_LENGTH_MISMATCH;
    if (!pss_block_has(block, found->section))
        return STATUS_NOT_FOUND;
    if (!buffer)
        return STATUS_INVALID_PARAMETER;
    memset(buffer, 0, length);
    found->fill(block, buffer);
    return STATUS_SUCCESS;
}
