/* SPDX-License-Identifier: MIT */
/* A thread that is never suspended by a self-capture, and ends its freeze if nobody else can. */
#include "base/errand.h"
#include "base/region.h"
#include "capture/capture.h"

#include <string.h>

/*
 * A profiler or a collector in the same process suspends threads, too: one that has suspended the
 * capturing thread, and is then suspended by it, never resumes it. And what the capturing thread
 * asks of the system may depend on a suspended thread, though nothing of it should.
 */
#define LOOK_MS     50u   /* between two looks */
#define LOOKS_STUCK 60u   /* at a thread that makes no step, until the freeze is ended */
#define END_MS      1000u /* for the watcher to begin, and to end */
#define LOOKS_ALIKE 2u    /* at a suspended thread that does not go on, until the freeze is ended */

struct watcher {
    struct pss_region memory; /* of this structure */
    struct pss_errand_state state;
    const struct pss_nt *nt;
    HANDLE capturing;   /* the capturing thread; owned */
    HANDLE ready, stop; /* events that reset themselves; owned */
    struct pss_suspension *suspension;
};

static int is_suspended(const struct pss_nt *nt, HANDLE thread)
{
    ULONG count = 0;

    if (NT_SUCCESS(
            nt->query_thread(thread, PSS_NT_THREAD_SUSPEND_COUNT, &count, sizeof(count), NULL)))
        return count != 0;
    /* Systems before 8.1 tell it only to the thread that suspends it. */
    if (!NT_SUCCESS(nt->suspend_thread(thread, &count)))
        return 0;
    nt->resume_thread(thread, NULL); /* we have just suspended it */
    return count != 0;
}

static NTSTATUS wait_for(const struct watcher *watcher, HANDLE object, uint32_t milliseconds)
{
    LARGE_INTEGER timeout;

    timeout.QuadPart = -(LONGLONG)milliseconds * 10000; /* 100 ns; negative is from now on */
    return watcher->nt->wait(object, FALSE, &timeout);
}

/* What the looks so far have seen. */
struct looks {
    uint32_t steps, suspended, alike;
};

static int has_ended(const struct watcher *watcher)
{
    return wait_for(watcher, watcher->capturing, 0) == STATUS_SUCCESS;
}

/* Whether the capturing thread has ended, or is suspended or stuck and has been for a while. */
static int is_lost(const struct watcher *watcher, struct looks *looks)
{
    uint32_t steps = pss_suspension_steps(watcher->suspension);

    if (has_ended(watcher))
        return 1;
    if (steps != looks->steps)
        *looks = (struct looks){.steps = steps};
    if (!pss_suspension_is_waiting(watcher->suspension))
        looks->alike++;
    if (is_suspended(watcher->nt, watcher->capturing))
        looks->suspended++;
    return looks->suspended > LOOKS_ALIKE || looks->alike > LOOKS_STUCK;
}

static void close_handle(const struct pss_nt *nt, HANDLE handle)
{
    if (handle)
        nt->close(handle);
}

static void free_watcher(const struct pss_nt *nt, struct watcher *watcher)
{
    struct pss_region memory = watcher->memory;

    close_handle(nt, watcher->capturing);
    close_handle(nt, watcher->ready);
    close_handle(nt, watcher->stop);
    pss_region_free(nt, &memory);
}

static void look_after(struct watcher *watcher)
{
    struct looks looks = {0};

    if (!pss_errand_begin(&watcher->state))
        return;
    watcher->nt->set_event(watcher->ready, NULL);
    while (wait_for(watcher, watcher->stop, LOOK_MS) == STATUS_TIMEOUT) {
        if (!pss_errand_step(&watcher->state)) /* abandoned: the list may be gone */
            return;
        if (!is_lost(watcher, &looks))
            continue;
        if (!pss_errand_step(&watcher->state))
            return;
        pss_suspension_interrupt(watcher->nt, watcher->suspension);
        if (has_ended(watcher))
            return;
        looks = (struct looks){0}; /* It may be just about to suspend another one. */
    }
}

/* Where the capture could not wait for its end, it ends alone. */
static DWORD NTAPI run_watcher(void *memory)
{
    struct watcher *watcher = memory;

    look_after(watcher);
    if (pss_errand_leave(&watcher->state))
        free_watcher(watcher->nt, watcher);
    return 0;
}

static NTSTATUS open_handles(const struct pss_nt *nt, struct watcher *watcher)
{
    static const ACCESS_MASK access =
        THREAD_SUSPEND_RESUME | THREAD_QUERY_INFORMATION | SYNCHRONIZE;
    NTSTATUS status = nt->duplicate(PSS_CURRENT_PROCESS, PSS_CURRENT_THREAD, PSS_CURRENT_PROCESS,
                                    &watcher->capturing, access, 0, 0);

    if (NT_SUCCESS(status))
        status = nt->create_event(&watcher->ready, EVENT_ALL_ACCESS, NULL,
                                  PSS_NT_EVENT_SYNCHRONIZATION, FALSE);
    if (NT_SUCCESS(status))
        status = nt->create_event(&watcher->stop, EVENT_ALL_ACCESS, NULL,
                                  PSS_NT_EVENT_SYNCHRONIZATION, FALSE);
    return status;
}

static NTSTATUS make_watcher(struct pss_capture *capture, struct watcher **watcher)
{
    const struct pss_nt *nt = capture->nt;
    struct pss_region memory = {0};
    uint32_t offset;
    NTSTATUS status = pss_region_append(nt, &memory, sizeof(**watcher), 1, &offset);

    if (!NT_SUCCESS(status))
        return status;
    *watcher = memory.base;
    (*watcher)->memory = memory;
    (*watcher)->nt = nt;
    (*watcher)->suspension = capture->freeze.suspension;
    return STATUS_SUCCESS;
}

static NTSTATUS query_id(const struct pss_nt *nt, HANDLE thread, uint32_t *id)
{
    struct pss_nt_thread_basic basic;
    NTSTATUS status = nt->query_thread(thread, PSS_NT_THREAD_BASIC, &basic, sizeof(basic), NULL);

    if (NT_SUCCESS(status))
        *id = (uint32_t)(ULONG_PTR)basic.id.UniqueThread;
    return status;
}

/* What a thread has that could not be ended it frees itself, unless it ends just now. */
static void close_thread(const struct pss_nt *nt, struct pss_watch *watch, struct watcher *watcher)
{
    nt->close(watch->thread);
    watch->thread = NULL;
    memset(watch->own, 0, sizeof(watch->own));
    if (watch->errand.memory || pss_errand_leave(&watcher->state))
        free_watcher(nt, watcher);
    pss_errand_finish(nt, &watch->errand);
}

/* The thread that was made: it has to be known before others are suspended. */
static NTSTATUS start(struct pss_capture *capture, struct watcher *watcher)
{
    const struct pss_nt *nt = capture->nt;
    struct pss_watch *watch = &capture->freeze.watch;
    uint32_t steps;
    NTSTATUS status;

    watch->errand = (struct pss_errand){
        .routine = run_watcher, .memory = watcher, .state = &watcher->state, .patience = END_MS};
    status = pss_errand_start(nt, &watch->errand, &watch->thread);
    if (!NT_SUCCESS(status)) {
        free_watcher(nt, watcher);
        return status;
    }
    watch->own[0] = watch->thread;
    watch->own[1] = watcher->capturing;
    watch->own[2] = watcher->ready;
    watch->own[3] = watcher->stop;
    status = query_id(nt, watch->thread, &watch->thread_id);
    if (NT_SUCCESS(status) && pss_errand_wait(nt, &watch->errand, watcher->ready, watch->thread))
        return STATUS_SUCCESS;
    nt->set_event(watcher->stop, NULL);
    pss_errand_give_up(nt, &watch->errand, watch->thread, &steps); /* told by its memory */
    close_thread(nt, watch, watcher);
    return status;
}

NTSTATUS pss_watch_begin(struct pss_capture *capture)
{
    struct watcher *watcher;
    NTSTATUS status;

    if (capture->asks_directly) /* no thread could begin */
        return STATUS_SUCCESS;
    status = make_watcher(capture, &watcher);
    if (!NT_SUCCESS(status))
        return status;
    status = open_handles(capture->nt, watcher);
    if (NT_SUCCESS(status))
        status = start(capture, watcher);
    else
        free_watcher(capture->nt, watcher);
    return pss_status_soften(status);
}

void pss_watch_end(struct pss_capture *capture)
{
    struct pss_watch *watch = &capture->freeze.watch;
    struct watcher *watcher = watch->errand.memory;
    uint32_t steps;

    if (!watch->thread)
        return;
    capture->nt->set_event(watcher->stop, NULL);
    if (!pss_errand_wait(capture->nt, &watch->errand, watch->thread, watch->thread))
        pss_errand_give_up(capture->nt, &watch->errand, watch->thread, &steps);
    close_thread(capture->nt, watch, watcher);
}
