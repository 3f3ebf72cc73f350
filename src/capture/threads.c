/* SPDX-License-Identifier: MIT */
/* Thread entries: everything but the context, in the order the threads were made. */
#include "base/sort.h"
#include "base/unicode.h"
#include "capture/capture.h"

/* Kernel priorities. source: MSDN "Scheduling Priorities" */
#define LOWEST_VARIABLE  1
#define HIGHEST_VARIABLE 15
#define LOWEST_REALTIME  16
#define HIGHEST_REALTIME 31

/*
 * The system tells the increment over the base of the process, saturated for the priorities "idle"
 * and "time critical". The dynamic priority never lies below the base: where the system answers
 * with less, it is no kernel value.
 */
void pss_thread_priorities(const struct pss_nt_thread_basic *basic, int32_t process_base,
                           int32_t *priority, int32_t *base_priority)
{
    int is_realtime = process_base >= LOWEST_REALTIME;
    int32_t low = is_realtime ? LOWEST_REALTIME : LOWEST_VARIABLE;
    int32_t high = is_realtime ? HIGHEST_REALTIME : HIGHEST_VARIABLE;
    int32_t base;

    if (basic->base_priority >= THREAD_BASE_PRIORITY_LOWRT)
        base = high;
    else if (basic->base_priority <= THREAD_BASE_PRIORITY_IDLE)
        base = low;
    else
        base = process_base + basic->base_priority;
    *base_priority = base < low ? low : base > high ? high : base;
    *priority = basic->priority;
    if (*priority < *base_priority || *priority > HIGHEST_REALTIME)
        *priority = *base_priority;
}

static void record_times(struct pss_thread_record *record, LARGE_INTEGER create_time,
                         LARGE_INTEGER kernel_time, LARGE_INTEGER user_time)
{
    record->create_time = (uint64_t)create_time.QuadPart;
    record->kernel_time = (uint64_t)kernel_time.QuadPart;
    record->user_time = (uint64_t)user_time.QuadPart;
}

/* It has ended, perhaps only after it was found: the exit status is read again, then. */
static NTSTATUS record_end(const struct pss_nt *nt, HANDLE handle, uint64_t exit_time,
                           struct pss_thread_record *record)
{
    struct pss_nt_thread_basic basic;
    NTSTATUS status = nt->query_thread(handle, PSS_NT_THREAD_BASIC, &basic, sizeof(basic), NULL);

    if (NT_SUCCESS(status))
        record->exit_status = (uint32_t)basic.exit_status;
    record->exit_time = exit_time;
    record->flags = PSS_THREAD_FLAGS_TERMINATED;
    return pss_status_soften(status);
}

/* The listing asked for less than some systems want here. */
static NTSTATUS query_start(const struct pss_capture *capture, struct pss_thread *thread,
                            PVOID *start)
{
    const struct pss_nt *nt = capture->nt;
    NTSTATUS status = nt->query_thread(thread->handle, PSS_NT_THREAD_WIN32_START_ADDRESS, start,
                                       sizeof(*start), NULL);

    if (status != STATUS_ACCESS_DENIED)
        return status;
    status = pss_thread_ask_for(capture, thread, THREAD_QUERY_INFORMATION);
    if (!NT_SUCCESS(status))
        return status;
    return nt->query_thread(thread->handle, PSS_NT_THREAD_WIN32_START_ADDRESS, start,
                            sizeof(*start), NULL);
}

/* For a thread that the system's table does not list: it has ended, or is just born. */
static NTSTATUS query_times(const struct pss_capture *capture, struct pss_thread *thread,
                            struct pss_thread_record *record)
{
    const struct pss_nt *nt = capture->nt;
    struct pss_nt_times times = {0};
    PVOID start = NULL;
    NTSTATUS status =
        nt->query_thread(thread->handle, PSS_NT_THREAD_TIMES, &times, sizeof(times), NULL);

    if (!NT_SUCCESS(status))
        return pss_status_soften(status);
    record_times(record, times.create_time, times.kernel_time, times.user_time);
    if (times.exit_time.QuadPart || record->exit_status != PSS_STILL_ACTIVE)
        status = record_end(nt, thread->handle, (uint64_t)times.exit_time.QuadPart, record);
    if (!NT_SUCCESS(status))
        return status;
    status = query_start(capture, thread, &start);
    if (NT_SUCCESS(status))
        record->start_address = (uint64_t)(ULONG_PTR)start;
    return pss_status_soften(status);
}

static NTSTATUS record_history(const struct pss_capture *capture, struct pss_thread *thread,
                               uint32_t hint, struct pss_thread_record *record)
{
    const struct pss_nt_thread_row *row = NULL;

    if (record->exit_status == PSS_STILL_ACTIVE)
        row = pss_thread_row_find(capture, record->thread_id, hint);
    if (!row)
        return query_times(capture, thread, record);
    record_times(record, row->create_time, row->kernel_time, row->user_time);
    record->start_address = (uint64_t)(ULONG_PTR)row->win32_start_address;
    return STATUS_SUCCESS;
}

static ULONG query_suspend_count(const struct pss_nt *nt, HANDLE thread)
{
    ULONG count = 0;
    NTSTATUS status =
        nt->query_thread(thread, PSS_NT_THREAD_SUSPEND_COUNT, &count, sizeof(count), NULL);

    return NT_SUCCESS(status) ? count : 0;
}

/* While nobody else freezes the process its threads are suspended by others than captures alone. */
static void keep_others_from_freezing(struct pss_capture *capture)
{
    struct pss_freeze *freeze = &capture->freeze;

    if (freeze->locks[0] || freeze->was_locked)
        return;
    freeze->was_locked = 1;
    pss_lock_take(capture->nt, PSS_LOCK_SUSPEND, capture->process_id, PSS_LOCK_WAITS_FOR_OTHER,
                  &freeze->locks[0]); /* or without */
}

static void record_suspension(struct pss_capture *capture, const struct pss_thread *thread,
                              struct pss_thread_record *record)
{
    ULONG count = thread->suspend_count;

    if (!thread->was_frozen)
        count = query_suspend_count(capture->nt, thread->handle);
    if (!thread->was_frozen && count) {
        keep_others_from_freezing(capture);
        count = query_suspend_count(capture->nt, thread->handle);
    }
    record->suspend_count = (uint16_t)count;
}

/* It takes the right to read the context, and a thread that waits. source: phnt ntpsapi.h */
static NTSTATUS record_last_syscall(struct pss_capture *capture, struct pss_thread *thread,
                                    struct pss_thread_record *record)
{
    struct pss_nt_last_syscall last = {0};
    NTSTATUS status;

    if (capture->lacks_last_syscalls)
        return STATUS_SUCCESS;
    status = pss_thread_ask_for(capture, thread, THREAD_GET_CONTEXT | THREAD_QUERY_INFORMATION);
    if (!NT_SUCCESS(status))
        return status;
    status = capture->nt->query_thread(thread->handle, PSS_NT_THREAD_LAST_SYSTEM_CALL, &last,
                                       sizeof(last), NULL);
    capture->lacks_last_syscalls = (uint8_t)pss_status_is_missing(status);
    if (NT_SUCCESS(status)) { /* What the system does not tell is 0. */
        record->last_syscall_argument = (uint64_t)(ULONG_PTR)last.first_argument;
        record->last_syscall_number = last.number;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS record_name(struct pss_capture *capture, const struct pss_thread *thread,
                            struct pss_thread_record *record)
{
    const UNICODE_STRING *name = capture->scratch.base;
    NTSTATUS status = capture->nt->query_thread(thread->handle, PSS_NT_THREAD_NAME,
                                                capture->scratch.base, PSS_SCRATCH_SIZE, NULL);

    if (!NT_SUCCESS(status))
        return pss_status_soften(status); /* Systems before Windows 10 1607 have no names. */
    return pss_builder_text(capture->nt, &capture->builder, name->Buffer,
                            pss_unicode_length(name, PSS_SCRATCH_SIZE), &record->name);
}

static NTSTATUS capture_thread(struct pss_capture *capture, uint32_t index, int32_t process_base)
{
    struct pss_thread *thread = pss_threads_at(capture, index);
    const struct pss_nt_thread_basic *basic = &thread->basic;
    struct pss_thread_record *record;
    NTSTATUS status = STATUS_SUCCESS;

    if (!thread->is_known)
        return status;
    status = pss_builder_append(capture->nt, &capture->builder, PSS_SECTION_THREADS, &record);
    if (!NT_SUCCESS(status))
        return status;
    record->exit_status = (uint32_t)basic->exit_status;
    record->teb = (uint64_t)(ULONG_PTR)basic->teb;
    record->process_id = capture->process_id;
    record->thread_id = (uint32_t)(ULONG_PTR)basic->id.UniqueThread;
    record->affinity = basic->affinity;
    record->context = thread->context;
    record->capture_time = pss_time_now(capture->nt);
    pss_thread_priorities(basic, process_base, &record->priority, &record->base_priority);
    record_suspension(capture, thread, record);
    status = record_last_syscall(capture, thread, record);
    if (NT_SUCCESS(status))
        status = record_history(capture, thread, index, record);
    return NT_SUCCESS(status) ? record_name(capture, thread, record) : status;
}

static int compare_age(const void *left, const void *right)
{
    const struct pss_thread_record *a = left, *b = right;

    if (a->create_time != b->create_time)
        return a->create_time < b->create_time ? -1 : 1;
    return a->thread_id < b->thread_id ? -1 : a->thread_id > b->thread_id;
}

NTSTATUS pss_threads_capture(struct pss_capture *capture)
{
    const struct pss_process_record *process =
        pss_builder_record(&capture->builder, PSS_SECTION_PROCESS, 0);
    struct pss_region *records = &capture->builder.sections[PSS_SECTION_THREADS];
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0; i < pss_threads_count(capture) && NT_SUCCESS(status); i++)
        status = capture_thread(capture, i, process->base_priority);
    if (NT_SUCCESS(status))
        pss_sort(records->base, pss_builder_count(&capture->builder, PSS_SECTION_THREADS),
                 sizeof(struct pss_thread_record), compare_age);
    return status;
}
