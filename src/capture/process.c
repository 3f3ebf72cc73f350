/* SPDX-License-Identifier: MIT */
/* Process information: the record every snapshot has. */
#include "base/unicode.h"
#include "capture/capture.h"

#define IMAGE_FILE_NAME_LIMIT (259 * sizeof(WCHAR)) /* PSS_PROCESS_INFORMATION has room for 260 */

/* The Win32 priority class and the base priority of each number. source: winbase.h, MSDN
 * "Scheduling Priorities" */
static const struct {
    uint32_t priority_class;
    int32_t base_priority;
} priority_classes[] = {
    {0, 0},
    {IDLE_PRIORITY_CLASS, 4},
    {NORMAL_PRIORITY_CLASS, 8},
    {HIGH_PRIORITY_CLASS, 13},
    {REALTIME_PRIORITY_CLASS, 24},
    {BELOW_NORMAL_PRIORITY_CLASS, 6},
    {ABOVE_NORMAL_PRIORITY_CLASS, 10},
};

/* The number of the priority class; 0 if the system does not tell. */
static uint32_t query_priority_class(const struct pss_nt *nt, HANDLE process)
{
    /* Windows refuses a buffer of this query that is not aligned as a ULONG. */
    _Alignas(ULONG) struct pss_nt_priority_class priority = {0};
    NTSTATUS status = nt->query_process(process, PSS_NT_PROCESS_PRIORITY_CLASS, &priority,
                                        sizeof(priority), NULL);

    if (!NT_SUCCESS(status) ||
        priority.number >= sizeof(priority_classes) / sizeof(priority_classes[0]))
        return 0;
    return priority.number;
}

/* Some systems give the number of the class for the base; no class has its number for a base. */
static int32_t base_priority(const struct pss_nt_process_basic *basic, uint32_t number)
{
    if (number && basic->base_priority == (LONG)number)
        return priority_classes[number].base_priority;
    return basic->base_priority;
}

int32_t pss_process_base_priority(const struct pss_nt *nt, HANDLE process,
                                  const struct pss_nt_process_basic *basic)
{
    return base_priority(basic, query_priority_class(nt, process));
}

uint32_t pss_process_protection(struct pss_capture *capture, HANDLE process)
{
    struct pss_nt_process_extended_basic extended = {.size = sizeof(extended)};
    uint32_t flags = PSS_PROCESS_FLAGS_NONE;
    NTSTATUS status;

    if (capture->lacks_extended_basic)
        return flags;
    status = capture->nt->query_process(process, PSS_NT_PROCESS_BASIC, &extended, sizeof(extended),
                                        NULL);
    capture->lacks_extended_basic = status == STATUS_INFO_LENGTH_MISMATCH;
    if (NT_SUCCESS(status) && extended.flags & PSS_NT_PROCESS_PROTECTED)
        flags |= PSS_PROCESS_FLAGS_PROTECTED;
    if (NT_SUCCESS(status) && extended.flags & PSS_NT_PROCESS_FROZEN)
        flags |= PSS_PROCESS_FLAGS_FROZEN;
    return flags;
}

/* Without a source that can be trusted the CPU times are not told. */
static void record_times(const struct pss_capture *capture, struct pss_process_record *record)
{
    const struct pss_nt_times *times = &capture->times;

    record->create_time = (uint64_t)times->create_time.QuadPart;
    record->exit_time = (uint64_t)times->exit_time.QuadPart;
    if (capture->has_true_times) {
        record->kernel_time = (uint64_t)times->kernel_time.QuadPart;
        record->user_time = (uint64_t)times->user_time.QuadPart;
    } else if (capture->row) {
        record->kernel_time = (uint64_t)capture->row->kernel_time.QuadPart;
        record->user_time = (uint64_t)capture->row->user_time.QuadPart;
    }
}

static void record_memory(const struct pss_capture *capture, struct pss_process_record *record)
{
    struct pss_nt_vm_counters counters = {0};
    NTSTATUS status = capture->nt->query_process(capture->process, PSS_NT_PROCESS_VM_COUNTERS,
                                                 &counters, sizeof(counters), NULL);

    if (!NT_SUCCESS(status))
        return; /* What the system does not tell is 0. */
    record->peak_virtual_size = counters.peak_virtual_size;
    record->virtual_size = counters.virtual_size;
    record->page_fault_count = counters.page_fault_count;
    record->peak_working_set_size = counters.peak_working_set_size;
    record->working_set_size = counters.working_set_size;
    record->quota_peak_paged_pool_usage = counters.quota_peak_paged_pool_usage;
    record->quota_paged_pool_usage = counters.quota_paged_pool_usage;
    record->quota_peak_non_paged_pool_usage = counters.quota_peak_non_paged_pool_usage;
    record->quota_non_paged_pool_usage = counters.quota_non_paged_pool_usage;
    record->pagefile_usage = counters.pagefile_usage;
    record->peak_pagefile_usage = counters.peak_pagefile_usage;
    record->private_usage = counters.private_usage;
}

static void record_basic(struct pss_capture *capture, struct pss_process_record *record)
{
    const struct pss_nt_process_basic *basic = &capture->basic;
    uint32_t number = query_priority_class(capture->nt, capture->process);
    ULONG execute_flags = 0;

    record->exit_status = (uint32_t)basic->exit_status;
    record->peb = (uint64_t)(ULONG_PTR)basic->peb;
    record->affinity = basic->affinity;
    record->base_priority = base_priority(basic, number);
    record->process_id = (uint32_t)basic->process_id;
    record->parent_process_id = (uint32_t)basic->parent_process_id;
    record->flags = pss_process_protection(capture, capture->process);
    if (capture->is_wow64)
        record->flags |= PSS_PROCESS_FLAGS_WOW64;
    record->priority_class = priority_classes[number].priority_class;
    if (NT_SUCCESS(capture->nt->query_process(capture->process, PSS_NT_PROCESS_EXECUTE_FLAGS,
                                              &execute_flags, sizeof(execute_flags), NULL)))
        record->execute_flags = execute_flags;
}

static NTSTATUS record_image_name(struct pss_capture *capture, struct pss_process_record *record)
{
    const UNICODE_STRING *name = capture->scratch.base;
    NTSTATUS status =
        capture->nt->query_process(capture->process, PSS_NT_PROCESS_IMAGE_FILE_NAME_WIN32,
                                   capture->scratch.base, PSS_SCRATCH_SIZE, NULL);
    SIZE_T length;

    if (!NT_SUCCESS(status))
        return pss_status_soften(status);
    length = pss_unicode_length(name, PSS_SCRATCH_SIZE);
    if (length > IMAGE_FILE_NAME_LIMIT)
        length = IMAGE_FILE_NAME_LIMIT;
    return pss_builder_text(capture->nt, &capture->builder, name->Buffer, length,
                            &record->image_file_name);
}

NTSTATUS pss_process_capture(struct pss_capture *capture)
{
    struct pss_process_record *record;
    NTSTATUS status =
        pss_builder_append(capture->nt, &capture->builder, PSS_SECTION_PROCESS, &record);

    if (!NT_SUCCESS(status))
        return status;
    record_basic(capture, record);
    record_times(capture, record);
    record_memory(capture, record);
    return record_image_name(capture, record);
}
