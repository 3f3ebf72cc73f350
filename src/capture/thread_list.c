/* SPDX-License-Identifier: MIT */
/* The threads of the target: found, and for their contexts frozen and thawed one by one. */
#include "capture/capture.h"

#define LOWEST_ADDRESS   0x10000u  /* nothing is ever mapped below it */
#define THREAD_LIMIT     0x100000u /* more is no process but a listing without end */
#define SUSPENSION_LIMIT 127u      /* source: winnt.h, MAXIMUM_SUSPEND_COUNT */

/* A listing skips threads that do not grant what it asks for: each is asked for more by itself. */
#define LIST_ACCESS   THREAD_QUERY_LIMITED_INFORMATION
#define FREEZE_ACCESS (THREAD_SUSPEND_RESUME | THREAD_GET_CONTEXT | THREAD_QUERY_INFORMATION)

uint32_t pss_threads_count(const struct pss_capture *capture)
{
    return capture->threads.size / (uint32_t)sizeof(struct pss_thread);
}

struct pss_thread *pss_threads_at(const struct pss_capture *capture, uint32_t index)
{
    return (struct pss_thread *)capture->threads.base + index;
}

NTSTATUS pss_thread_ask_for(const struct pss_capture *capture, struct pss_thread *thread,
                            ACCESS_MASK access)
{
    const struct pss_nt *nt = capture->nt;
    HANDLE stronger = NULL;
    NTSTATUS status;

    if ((thread->access & access) == access)
        return STATUS_SUCCESS;
    status = nt->duplicate(PSS_CURRENT_PROCESS, thread->handle, PSS_CURRENT_PROCESS, &stronger,
                           thread->access | access, 0, 0);
    if (!NT_SUCCESS(status)) /* The thread grants less: that costs it what needs the rights. */
        return pss_status_soften(status);
    nt->close(thread->handle);
    thread->handle = stronger;
    thread->access |= access;
    return STATUS_SUCCESS;
}

/*
 * NtSuspendProcess would need PROCESS_SUSPEND_RESUME, which clients of this API do not ask for; a
 * thread that has been found is stopped at once, so that it cannot start others. One that cannot be
 * stopped is ending, or guarded: its entry comes without a context. One that is suspended as often
 * as can be does not run either.
 */
static NTSTATUS freeze_thread(struct pss_capture *capture, struct pss_thread *thread)
{
    ULONG previous = 0;
    NTSTATUS status = pss_thread_ask_for(capture, thread, FREEZE_ACCESS);

    if (!NT_SUCCESS(status))
        return status;
    status = pss_suspension_add(capture->nt, capture->freeze.suspension, thread->handle, &previous);
    if (status == STATUS_SUSPEND_COUNT_EXCEEDED) {
        previous = SUSPENSION_LIMIT;
        status = STATUS_SUCCESS;
    }
    if (!NT_SUCCESS(status))
        return pss_status_soften(status);
    thread->suspend_count = previous;
    thread->was_frozen = 1;
    return STATUS_SUCCESS;
}

/* A thread that works for this very capture: it goes on, and is not listed. */
static int is_helper(const struct pss_capture *capture, uint32_t id)
{
    if (!capture->is_self)
        return 0;
    return (id && id == capture->freeze.watch.thread_id) ||
           (capture->clone && pss_clone_owns_thread(capture->clone, id));
}

static NTSTATUS identify_thread(const struct pss_capture *capture, struct pss_thread *thread)
{
    NTSTATUS status = capture->nt->query_thread(thread->handle, PSS_NT_THREAD_BASIC, &thread->basic,
                                                sizeof(thread->basic), NULL);
    uint32_t id = (uint32_t)(ULONG_PTR)thread->basic.id.UniqueThread;

    thread->is_known = NT_SUCCESS(status) && !is_helper(capture, id);
    if ((ULONG_PTR)thread->basic.teb < LOWEST_ADDRESS)
        thread->basic.teb = NULL; /* an offset added to nothing: the thread has not begun */
    thread->is_caller = capture->is_self && id == capture->caller_thread_id;
    return pss_status_soften(status);
}

/* Appends the thread and takes over its handle, also on failure. */
static NTSTATUS add_thread(struct pss_capture *capture, HANDLE handle)
{
    struct pss_thread *thread;
    uint32_t offset;
    NTSTATUS status = STATUS_NO_MEMORY;

    if (pss_threads_count(capture) < THREAD_LIMIT)
        status = pss_region_append(capture->nt, &capture->threads, sizeof(*thread), 1, &offset);
    if (!NT_SUCCESS(status)) {
        capture->nt->close(handle);
        return status;
    }
    thread = pss_region_at(&capture->threads, offset);
    thread->handle = handle;
    thread->access = LIST_ACCESS;
    status = identify_thread(capture, thread);
    if (NT_SUCCESS(status) && capture->freezes && thread->is_known && !thread->is_caller)
        status = freeze_thread(capture, thread);
    return status;
}

/*
 * New threads join the list behind all others: once the last one found is suspended, and nothing
 * follows it, none of them can start another.
 */
NTSTATUS pss_threads_open_more(struct pss_capture *capture)
{
    const struct pss_nt *nt = capture->nt;
    NTSTATUS status = STATUS_SUCCESS;

    while (NT_SUCCESS(status)) {
        uint32_t count = pss_threads_count(capture);
        HANDLE previous = count ? pss_threads_at(capture, count - 1)->handle : NULL, next = NULL;

        status = nt->get_next_thread(capture->process, previous, LIST_ACCESS, 0, 0, &next);
        if (status == STATUS_NO_MORE_ENTRIES ||
            (status == STATUS_PROCESS_IS_TERMINATING && capture->has_ended))
            return STATUS_SUCCESS; /* The system tells nothing of the threads of the dead. */
        if (NT_SUCCESS(status))
            status = add_thread(capture, next);
    }
    return status;
}

NTSTATUS pss_threads_open(struct pss_capture *capture)
{
    NTSTATUS status = pss_freeze_begin(capture);

    if (capture->flags & PSS_CAPTURE_THREADS)
        pss_builder_begin(&capture->builder, PSS_SECTION_THREADS);
    return NT_SUCCESS(status) ? pss_threads_open_more(capture) : status;
}

void pss_threads_close(struct pss_capture *capture)
{
    pss_freeze_end(capture);
    for (uint32_t i = 0; i < pss_threads_count(capture); i++) {
        struct pss_thread *thread = pss_threads_at(capture, i);

        if (thread->handle)
            capture->nt->close(thread->handle);
        thread->handle = NULL;
    }
}
