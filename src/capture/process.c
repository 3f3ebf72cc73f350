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
    struct pss_nt_priority_class priority = {0};
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

uint32_t pss_process_flags(const struct pss_nt *nt, HANDLE process)
{
    struct pss_nt_process_extended_basic extended = {.size = sizeof(extended)};
    ULONG_PTR peb32 = 0;
    uint32_t flags = PSS_PROCESS_FLAGS_NONE;

    if (NT_SUCCESS(nt->query_process(process, PSS_NT_PROCESS_WOW64, &peb32, sizeof(peb32), NULL)) &&
        peb32)
        flags |= PSS_PROCESS_FLAGS_WOW64;
    if (NT_SUCCESS(
            nt->query_process(process, PSS_NT_PROCESS_BASIC, &extended, sizeof(extended), NULL))) {
        if (extended.flags & PSS_NT_PROCESS_PROTECTED)
            flags |= PSS_PROCESS_FLAGS_PROTECTED;
        if (extended.flags & PSS_NT_PROCESS_FROZEN)
            flags |= PSS_PROCESS_FLAGS_FROZEN;
    }
    return flags;
}

static int is_between(LARGE_INTEGER value, LARGE_INTEGER low, LARGE_INTEGER high)
{
    return low.QuadPart <= value.QuadPart && value.QuadPart <= high.QuadPart;
}

/*
 * The times of a process that has ended. Some systems answer with the caller's, whatever the
 * handle: what lies between two readings of our own is taken for our own, and not told.
 */
static void record_final_times(const struct pss_capture *capture, struct pss_process_record *record)
{
    const struct pss_nt *nt = capture->nt;
    struct pss_nt_times before = {0}, now = {0}, after = {0};

    if (!NT_SUCCESS(nt->query_process(PSS_CURRENT_PROCESS, PSS_NT_PROCESS_TIMES, &before,
                                      sizeof(before), NULL)) ||
        !NT_SUCCESS(
            nt->query_process(capture->process, PSS_NT_PROCESS_TIMES, &now, sizeof(now), NULL)) ||
        !NT_SUCCESS(nt->query_process(PSS_CURRENT_PROCESS, PSS_NT_PROCESS_TIMES, &after,
                                      sizeof(after), NULL)))
        return;
    if (is_between(now.kernel_time, before.kernel_time, after.kernel_time) &&
        is_between(now.user_time, before.user_time, after.user_time))
        return;
    record->kernel_time = (uint64_t)now.kernel_time.QuadPart;
    record->user_time = (uint64_t)now.user_time.QuadPart;
}

static void record_times(const struct pss_capture *capture, struct pss_process_record *record)
{
    record->create_time = (uint64_t)capture->times.create_time.QuadPart;
    record->exit_time = (uint64_t)capture->times.exit_time.QuadPart;
    if (!capture->row) {
        record_final_times(capture, record);
        return;
    }
    record->kernel_time = (uint64_t)capture->row->kernel_time.QuadPart;
    record->user_time = (uint64_t)capture->row->user_time.QuadPart;
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

static void record_basic(const struct pss_capture *capture, struct pss_process_record *record)
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
    record->flags = pss_process_flags(capture->nt, capture->process);
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
