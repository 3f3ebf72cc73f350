/* SPDX-License-Identifier: MIT */
/* Data by object type: processes, threads, mutants, events, sections and semaphores. */
#include "capture/capture.h"

/* source: winnt.h; some headers lack them */
#define EVENT_QUERY     1u /* EVENT_QUERY_STATE */
#define SEMAPHORE_QUERY 1u /* SEMAPHORE_QUERY_STATE */

#define NORMAL_BASE_PRIORITY 8

static NTSTATUS query_process(struct pss_capture *capture, HANDLE handle,
                              union pss_handle_specific *specific)
{
    struct pss_nt_process_basic basic;
    uint8_t is_wow64 = 0;
    NTSTATUS status =
        capture->nt->query_process(handle, PSS_NT_PROCESS_BASIC, &basic, sizeof(basic), NULL);

    if (NT_SUCCESS(status))
        status = pss_process_is_wow64(capture->nt, handle, &is_wow64);
    if (!NT_SUCCESS(status))
        return status;
    specific->process.exit_status = (uint32_t)basic.exit_status;
    specific->process.peb = (uint64_t)(ULONG_PTR)basic.peb;
    specific->process.affinity = basic.affinity;
    specific->process.base_priority = pss_process_base_priority(capture->nt, handle, &basic);
    specific->process.process_id = (uint32_t)basic.process_id;
    specific->process.parent_process_id = (uint32_t)basic.parent_process_id;
    specific->process.flags = pss_process_protection(capture, handle);
    if (is_wow64)
        specific->process.flags |= PSS_PROCESS_FLAGS_WOW64;
    return STATUS_SUCCESS;
}

/* A process that may not be opened counts as a normal one. */
static int32_t foreign_base_priority(const struct pss_nt *nt, CLIENT_ID id)
{
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes)};
    struct pss_nt_process_basic basic;
    int32_t base = NORMAL_BASE_PRIORITY;
    HANDLE process = NULL;

    id.UniqueThread = NULL;
    if (!NT_SUCCESS(
            nt->open_process(&process, PROCESS_QUERY_LIMITED_INFORMATION, &attributes, &id)))
        return base;
    if (NT_SUCCESS(nt->query_process(process, PSS_NT_PROCESS_BASIC, &basic, sizeof(basic), NULL)))
        base = pss_process_base_priority(nt, process, &basic);
    nt->close(process);
    return base;
}

/* What a thread's increment is counted from. */
static int32_t owner_base_priority(const struct pss_capture *capture, CLIENT_ID id)
{
    const struct pss_process_record *process =
        pss_builder_record(&capture->builder, PSS_SECTION_PROCESS, 0);

    if ((uint32_t)(ULONG_PTR)id.UniqueProcess == capture->process_id)
        return process->base_priority;
    return foreign_base_priority(capture->nt, id);
}

static NTSTATUS query_thread(struct pss_capture *capture, HANDLE handle,
                             union pss_handle_specific *specific)
{
    struct pss_nt_thread_basic basic;
    PVOID start = NULL;
    NTSTATUS status =
        capture->nt->query_thread(handle, PSS_NT_THREAD_BASIC, &basic, sizeof(basic), NULL);

    if (!NT_SUCCESS(status))
        return status;
    specific->thread.exit_status = (uint32_t)basic.exit_status;
    specific->thread.teb = (uint64_t)(ULONG_PTR)basic.teb;
    specific->thread.process_id = (uint32_t)(ULONG_PTR)basic.id.UniqueProcess;
    specific->thread.thread_id = (uint32_t)(ULONG_PTR)basic.id.UniqueThread;
    specific->thread.affinity = basic.affinity;
    pss_thread_priorities(&basic, owner_base_priority(capture, basic.id),
                          &specific->thread.priority, &specific->thread.base_priority);
    status = capture->nt->query_thread(handle, PSS_NT_THREAD_WIN32_START_ADDRESS, &start,
                                       sizeof(start), NULL);
    if (NT_SUCCESS(status)) /* else the limited right is all there is: the rest stands */
        specific->thread.start_address = (uint64_t)(ULONG_PTR)start;
    return pss_status_soften(status);
}

static NTSTATUS query_mutant(struct pss_capture *capture, HANDLE handle,
                             union pss_handle_specific *specific)
{
    struct pss_nt_mutant_basic basic;
    CLIENT_ID owner = {0};
    NTSTATUS status = capture->nt->query_mutant(handle, 0, &basic, sizeof(basic), NULL);

    if (!NT_SUCCESS(status))
        return status;
    specific->mutant.current_count = basic.current_count;
    specific->mutant.abandoned = basic.abandoned;
    status = capture->nt->query_mutant(handle, PSS_NT_MUTANT_OWNER, &owner, sizeof(owner), NULL);
    if (NT_SUCCESS(status)) {
        specific->mutant.owner_process_id = (uint32_t)(ULONG_PTR)owner.UniqueProcess;
        specific->mutant.owner_thread_id = (uint32_t)(ULONG_PTR)owner.UniqueThread;
    }
    return pss_status_soften(status);
}

static NTSTATUS query_event(struct pss_capture *capture, HANDLE handle,
                            union pss_handle_specific *specific)
{
    struct pss_nt_event_basic basic;
    NTSTATUS status = capture->nt->query_event(handle, 0, &basic, sizeof(basic), NULL);

    if (!NT_SUCCESS(status))
        return status;
    specific->event.manual_reset = basic.type == 0;
    specific->event.signaled = basic.state != 0;
    return STATUS_SUCCESS;
}

static NTSTATUS query_section(struct pss_capture *capture, HANDLE handle,
                              union pss_handle_specific *specific)
{
    struct pss_nt_section_basic basic;
    NTSTATUS status = capture->nt->query_section(handle, 0, &basic, sizeof(basic), NULL);

    if (!NT_SUCCESS(status))
        return status;
    specific->section.base = (uint64_t)(ULONG_PTR)basic.base;
    specific->section.attributes = basic.attributes;
    specific->section.maximum_size = (uint64_t)basic.maximum_size.QuadPart;
    return STATUS_SUCCESS;
}

static NTSTATUS query_semaphore(struct pss_capture *capture, HANDLE handle,
                                union pss_handle_specific *specific)
{
    struct pss_nt_semaphore_basic basic;
    NTSTATUS status = capture->nt->query_semaphore(handle, 0, &basic, sizeof(basic), NULL);

    if (!NT_SUCCESS(status))
        return status;
    specific->semaphore.current_count = basic.current_count;
    specific->semaphore.maximum_count = basic.maximum_count;
    return STATUS_SUCCESS;
}

static const struct {
    NTSTATUS (*query)(struct pss_capture *, HANDLE, union pss_handle_specific *);
    ACCESS_MASK access; /* what the query needs */
} queries[] = {
    [PSS_OBJECT_TYPE_UNKNOWN] = {NULL, 0},
    [PSS_OBJECT_TYPE_PROCESS] = {query_process, PROCESS_QUERY_INFORMATION},
    [PSS_OBJECT_TYPE_THREAD] = {query_thread, THREAD_QUERY_INFORMATION},
    [PSS_OBJECT_TYPE_MUTANT] = {query_mutant, MUTANT_QUERY_STATE},
    [PSS_OBJECT_TYPE_EVENT] = {query_event, EVENT_QUERY},
    [PSS_OBJECT_TYPE_SECTION] = {query_section, SECTION_QUERY},
    [PSS_OBJECT_TYPE_SEMAPHORE] = {query_semaphore, SEMAPHORE_QUERY},
};

NTSTATUS pss_handle_specific_capture(struct pss_capture *capture, HANDLE duplicate,
                                     struct pss_handle_record *record)
{
    const struct pss_nt *nt = capture->nt;
    union pss_handle_specific specific = {.whole = {0}};
    HANDLE stronger = NULL;
    NTSTATUS status;

    if (!queries[record->object_type].query)
        return STATUS_SUCCESS;
    status = queries[record->object_type].query(capture, duplicate, &specific);
    if (status == STATUS_ACCESS_DENIED) { /* The owner may not ask, but we perhaps may. */
        status = nt->duplicate(PSS_CURRENT_PROCESS, duplicate, PSS_CURRENT_PROCESS, &stronger,
                               queries[record->object_type].access, 0, 0);
        if (!NT_SUCCESS(status))
            return pss_status_soften(status);
        status = queries[record->object_type].query(capture, stronger, &specific);
        nt->close(stronger);
    }
    if (!NT_SUCCESS(status))
        return pss_status_soften(status);
    record->specific = specific;
    record->flags |= PSS_HANDLE_HAVE_TYPE_SPECIFIC_INFORMATION;
    return STATUS_SUCCESS;
}
