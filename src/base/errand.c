/* SPDX-License-Identifier: MIT */
/* Errands: the thread and its owner agree through one atomic number. */
#include "base/errand.h"

#define FINAL_WAIT 1000u /* milliseconds for a thread to end: by itself, then by force */
#define STACK_SIZE 0x10000u

int pss_errand_step(uint32_t *progress)
{
    uint32_t done = __atomic_load_n(progress, __ATOMIC_ACQUIRE);

    return done != PSS_ERRAND_GIVEN_UP &&
           __atomic_compare_exchange_n(progress, &done, done + 1, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

static NTSTATUS wait_for(const struct pss_nt *nt, HANDLE thread, uint32_t milliseconds)
{
    LARGE_INTEGER timeout;

    timeout.QuadPart = -(LONGLONG)milliseconds * 10000; /* 100 ns; negative is from now on */
    return nt->wait(thread, FALSE, &timeout);
}

/* Answers 1 when the thread has ended, 0 when it takes longer than its owner's patience. */
static int wait_while_it_advances(const struct pss_nt *nt, const struct pss_errand *errand,
                                  HANDLE thread)
{
    uint32_t seen = __atomic_load_n(errand->progress, __ATOMIC_ACQUIRE);

    for (;;) {
        NTSTATUS status = wait_for(nt, thread, errand->patience);
        uint32_t reached = __atomic_load_n(errand->progress, __ATOMIC_ACQUIRE);

        if (status != STATUS_TIMEOUT)
            return NT_SUCCESS(status);
        if (reached == seen && (!errand->may_wait || !errand->may_wait(errand->context)))
            return 0;
        seen = reached;
    }
}

/*
 * A thread that is only late ends at its next step. Force is for one that is stuck in the system:
 * on some systems it costs the whole process if the thread is running, or just starting.
 */
static NTSTATUS give_up(const struct pss_nt *nt, HANDLE thread)
{
    NTSTATUS status = wait_for(nt, thread, FINAL_WAIT);

    if (status == STATUS_TIMEOUT) {
        nt->terminate_thread(thread, STATUS_TIMEOUT); /* What counts is whether it ends. */
        status = wait_for(nt, thread, FINAL_WAIT);
    }
    return status == STATUS_SUCCESS ? STATUS_TIMEOUT : STATUS_IO_TIMEOUT;
}

NTSTATUS pss_errand_run(const struct pss_nt *nt, const struct pss_errand *errand, uint32_t *reached)
{
    HANDLE thread = NULL;
    NTSTATUS status =
        nt->create_thread(&thread, SYNCHRONIZE | THREAD_TERMINATE, NULL, PSS_CURRENT_PROCESS,
                          (void *)(uintptr_t)errand->routine, errand->memory,
                          PSS_NT_THREAD_CREATE_SKIP_ATTACH, 0, 0, STACK_SIZE, NULL);

    if (!NT_SUCCESS(status))
        return status;
    if (wait_while_it_advances(nt, errand, thread)) {
        *reached = __atomic_load_n(errand->progress, __ATOMIC_ACQUIRE);
    } else {
        *reached = __atomic_exchange_n(errand->progress, PSS_ERRAND_GIVEN_UP, __ATOMIC_ACQ_REL);
        status = give_up(nt, thread);
    }
    nt->close(thread);
    return status;
}
