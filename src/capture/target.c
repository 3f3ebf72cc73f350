/* SPDX-License-Identifier: MIT */
/* The target: what it is, which rights the capture needs on it, and whether it still lives. */
#include "capture/capture.h"

#define NEEDS_QUERY                                                                                \
    (PSS_CAPTURE_THREADS | PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_TRACE | \
     PSS_CAPTURE_RESERVED_00000002)
#define NEEDS_READ (PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION | PSS_CAPTURE_RESERVED_00000002)

#define WAIT_LIMIT 200u /* times PSS_TARGET_WAIT_MS */

/* Nothing of this is left of a process that has ended. */
#define NEEDS_LIFE                                                                \
    (PSS_CAPTURE_VA_CLONE | PSS_CAPTURE_RESERVED_00000002 | PSS_CAPTURE_HANDLES | \
     PSS_CAPTURE_HANDLE_TRACE | PSS_CAPTURE_VA_SPACE)

/* The least rights for what is asked; the query that came first proved the limited one. */
static ACCESS_MASK needed_access(uint32_t flags)
{
    ACCESS_MASK access = 0;

    if (flags & NEEDS_QUERY)
        access |= PROCESS_QUERY_INFORMATION;
    if (flags & NEEDS_READ)
        access |= PROCESS_VM_READ;
    if (flags & PSS_CAPTURE_HANDLES)
        access |= PROCESS_DUP_HANDLE;
    if (flags & PSS_CAPTURE_VA_CLONE)
        access |= PROCESS_CREATE_PROCESS;
    return access;
}

/*
 * A native clone needs less than a copy does: the client's handle need not be good for one. Where
 * the process cannot be opened anew, the strategy finds out whether it can do without. The own
 * process needs no handle, which would be among the handles that are listed.
 */
static void open_for_copy(struct pss_capture *capture, ACCESS_MASK granted, ACCESS_MASK needed)
{
    static const ACCESS_MASK copy = PROCESS_QUERY_INFORMATION | PROCESS_VM_READ;
    CLIENT_ID id = {.UniqueProcess = (HANDLE)(ULONG_PTR)capture->process_id};
    OBJECT_ATTRIBUTES attributes;

    if ((granted & copy) == copy)
        return;
    if (capture->is_self) {
        capture->process = PSS_CURRENT_PROCESS;
        return;
    }
    InitializeObjectAttributes(&attributes, NULL, 0, NULL, NULL);
    if (NT_SUCCESS(
            capture->nt->open_process(&capture->own_process, needed | copy, &attributes, &id)))
        capture->process = capture->own_process;
}

static NTSTATUS check_access(struct pss_capture *capture)
{
    ACCESS_MASK needed = needed_access(capture->flags);
    struct pss_nt_object_basic object;
    NTSTATUS status;

    if (!needed)
        return STATUS_SUCCESS;
    status = capture->nt->query_object(capture->process, PSS_NT_OBJECT_BASIC, &object,
                                       sizeof(object), NULL);
    if (!NT_SUCCESS(status))
        return status;
    if ((object.granted_access & needed) != needed)
        return STATUS_ACCESS_DENIED;
    if (capture->flags & PSS_CAPTURE_VA_CLONE)
        open_for_copy(capture, object.granted_access, needed);
    return STATUS_SUCCESS;
}

NTSTATUS pss_process_is_wow64(const struct pss_nt *nt, HANDLE process, uint8_t *is_wow64)
{
    ULONG_PTR peb32 = 0;
    NTSTATUS status = nt->query_process(process, PSS_NT_PROCESS_WOW64, &peb32, sizeof(peb32), NULL);

    if (NT_SUCCESS(status))
        *is_wow64 = peb32 != 0;
    return status;
}

/* A 32-bit caller cannot see the upper half of a 64-bit target. */
static NTSTATUS check_bitness(struct pss_capture *capture)
{
    NTSTATUS status = pss_process_is_wow64(capture->nt, capture->process, &capture->is_wow64);

    if (!NT_SUCCESS(status) || sizeof(void *) == 8)
        return status;
    status = pss_process_is_wow64(capture->nt, PSS_CURRENT_PROCESS, &capture->is_caller_wow64);
    if (!NT_SUCCESS(status))
        return status;
    return capture->is_caller_wow64 && !capture->is_wow64 ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS;
}

static NTSTATUS query_basic(struct pss_capture *capture)
{
    return capture->nt->query_process(capture->process, PSS_NT_PROCESS_BASIC, &capture->basic,
                                      sizeof(capture->basic), NULL);
}

static NTSTATUS query_times(const struct pss_nt *nt, HANDLE process, struct pss_nt_times *times)
{
    return nt->query_process(process, PSS_NT_PROCESS_TIMES, times, sizeof(*times), NULL);
}

static int is_between(LARGE_INTEGER value, LARGE_INTEGER low, LARGE_INTEGER high)
{
    return low.QuadPart <= value.QuadPart && value.QuadPart <= high.QuadPart;
}

/*
 * Some systems answer with the caller's CPU times, whatever the handle: what lies between two
 * readings of our own may be our own.
 */
static NTSTATUS query_trusted_times(struct pss_capture *capture)
{
    const struct pss_nt *nt = capture->nt;
    struct pss_nt_times *times = &capture->times, before = {0}, after = {0};
    NTSTATUS status = STATUS_SUCCESS;

    if (!capture->is_self)
        status = query_times(nt, PSS_CURRENT_PROCESS, &before);
    if (NT_SUCCESS(status))
        status = query_times(nt, capture->process, times);
    if (NT_SUCCESS(status) && !capture->is_self)
        status = query_times(nt, PSS_CURRENT_PROCESS, &after);
    capture->has_true_times =
        capture->is_self ||
        !is_between(times->kernel_time, before.kernel_time, after.kernel_time) ||
        !is_between(times->user_time, before.user_time, after.user_time);
    return status;
}

/* Whether it had ended before, and with which status. */
static NTSTATUS query_life(struct pss_capture *capture)
{
    NTSTATUS status = query_trusted_times(capture);

    capture->has_ended = capture->times.exit_time.QuadPart != 0;
    if (NT_SUCCESS(status) && capture->has_ended) /* perhaps since the first look */
        status = query_basic(capture);
    return status;
}

NTSTATUS pss_target_open(struct pss_capture *capture)
{
    CLIENT_ID caller = capture->nt->current_id();
    NTSTATUS status;

    if (!capture->process)
        return STATUS_INVALID_HANDLE;
    status = query_basic(capture);
    if (!NT_SUCCESS(status))
        return status;
    capture->process_id = (uint32_t)capture->basic.process_id;
    capture->is_self = capture->process_id == (uint32_t)(ULONG_PTR)caller.UniqueProcess;
    capture->caller_thread_id = (uint32_t)(ULONG_PTR)caller.UniqueThread;
    capture->asks_directly = capture->nt->owns_loader_lock();

    status = check_bitness(capture);
    if (NT_SUCCESS(status))
        status = check_access(capture);
    if (NT_SUCCESS(status))
        status = query_life(capture);
    if (NT_SUCCESS(status) && capture->has_ended && capture->flags & NEEDS_LIFE)
        status = STATUS_PARTIAL_COPY;
    return status;
}

NTSTATUS pss_target_check_alive(struct pss_capture *capture)
{
    struct pss_nt_times times;
    NTSTATUS status;

    if (capture->has_ended)
        return STATUS_SUCCESS;
    status = query_times(capture->nt, capture->process, &times);
    if (!NT_SUCCESS(status))
        return status;
    return times.exit_time.QuadPart ? STATUS_PARTIAL_COPY : STATUS_SUCCESS;
}

int pss_target_keep_waiting(void *context)
{
    struct pss_target_wait *wait = context;

    return ++wait->count < WAIT_LIMIT && NT_SUCCESS(pss_target_check_alive(wait->capture));
}
