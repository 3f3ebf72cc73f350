/* SPDX-License-Identifier: MIT */
/* The right to suspend the threads of a process: two that did so to each other would never go on.
 */
#include "capture/capture.h"

/*
 * Processes that capture each other, or in a ring, would freeze each other for ever. Who freezes
 * another one has the locks of both processes, which all take in the same order. One who cannot
 * have them in time goes on without: whoever holds them may be suspended himself.
 */
static NTSTATUS lock_both(struct pss_capture *capture)
{
    uint32_t own = (uint32_t)(ULONG_PTR)capture->nt->current_id().UniqueProcess;
    uint32_t target = capture->process_id;
    HANDLE *locks = capture->freeze.locks;
    NTSTATUS status = pss_lock_take(capture->nt, PSS_LOCK_SUSPEND, own < target ? own : target,
                                    PSS_LOCK_WAITS_FOR_OTHER, &locks[0]);

    if (NT_SUCCESS(status)) /* STATUS_TIMEOUT is one, too */
        status = pss_lock_take(capture->nt, PSS_LOCK_SUSPEND, own < target ? target : own,
                               PSS_LOCK_WAITS_FOR_OTHER, &locks[1]);
    return status == STATUS_TIMEOUT ? STATUS_SUCCESS : status;
}

/* Without it, two threads of the own process would suspend each other. */
static NTSTATUS lock_own(struct pss_capture *capture)
{
    NTSTATUS status = pss_lock_take(capture->nt, PSS_LOCK_SUSPEND, capture->process_id,
                                    PSS_LOCK_WAITS_FOR_OWN, &capture->freeze.locks[0]);

    return status == STATUS_TIMEOUT ? STATUS_IO_TIMEOUT : status;
}

NTSTATUS pss_freeze_begin(struct pss_capture *capture)
{
    NTSTATUS status;

    if (!capture->freezes)
        return STATUS_SUCCESS;
    status = capture->is_self ? lock_own(capture) : lock_both(capture);
    if (NT_SUCCESS(status))
        status = pss_suspension_begin(capture->nt, &capture->freeze.suspension);
    if (NT_SUCCESS(status) && capture->is_self)
        status = pss_watch_begin(capture);
    return status;
}

void pss_freeze_step(const struct pss_capture *capture)
{
    if (capture->freeze.suspension)
        pss_suspension_step(capture->freeze.suspension);
}

int pss_freeze_is_interrupted(const struct pss_capture *capture)
{
    const struct pss_suspension *suspension = capture->freeze.suspension;

    return suspension && pss_suspension_is_interrupted(suspension);
}

/* The locks come last: until then others would see our suspensions. */
void pss_freeze_end(struct pss_capture *capture)
{
    struct pss_freeze *freeze = &capture->freeze;

    if (freeze->suspension)
        pss_suspension_resume(capture->nt, freeze->suspension);
    pss_watch_end(capture);
    freeze->was_interrupted |= (uint8_t)pss_freeze_is_interrupted(capture);
    pss_suspension_end(capture->nt, freeze->suspension);
    freeze->suspension = NULL;
    pss_lock_give_back(capture->nt, &freeze->locks[1]);
    pss_lock_give_back(capture->nt, &freeze->locks[0]);
}
