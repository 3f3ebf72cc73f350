/* SPDX-License-Identifier: MIT */
/* Errands: the thread and its owner agree through two atomic numbers. */
#include "base/errand.h"

/* Milliseconds. */
#define BEGIN_PATIENCE 2000u /* for a thread to begin */
#define FINAL_WAIT     1000u /* for one to end: by itself, then by force */

#define STACK_SIZE 0x10000u

static uint32_t steps_of(const struct pss_errand_state *state)
{
    return __atomic_load_n(&state->steps, __ATOMIC_ACQUIRE);
}

static int has_begun(const struct pss_errand_state *state)
{
    return __atomic_load_n(&state->has_begun, __ATOMIC_ACQUIRE) != 0;
}

int pss_errand_begin(struct pss_errand_state *state)
{
    __atomic_store_n(&state->has_begun, 1, __ATOMIC_RELEASE);
    return steps_of(state) != PSS_ERRAND_GIVEN_UP;
}

int pss_errand_step(struct pss_errand_state *state)
{
    uint32_t done = steps_of(state);

    return done != PSS_ERRAND_GIVEN_UP &&
           __atomic_compare_exchange_n(&state->steps, &done, done + 1, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

int pss_errand_leave(struct pss_errand_state *state)
{
    return __atomic_exchange_n(&state->is_left, 1, __ATOMIC_ACQ_REL) != 0;
}

static NTSTATUS wait_for(const struct pss_nt *nt, HANDLE thread, uint32_t milliseconds)
{
    LARGE_INTEGER timeout;

    timeout.QuadPart = -(LONGLONG)milliseconds * 10000; /* 100 ns; negative is from now on */
    return nt->wait(thread, FALSE, &timeout);
}

/* Whether to go on waiting after patience has run out once more. */
static int is_worth_waiting(const struct pss_errand *errand, uint32_t seen, uint32_t waited)
{
    if (!has_begun(errand->state))
        return waited < BEGIN_PATIENCE;
    return steps_of(errand->state) != seen ||
           (errand->may_wait && errand->may_wait(errand->context));
}

static int has_ended(const struct pss_nt *nt, HANDLE thread)
{
    return wait_for(nt, thread, 0) == STATUS_SUCCESS;
}

int pss_errand_wait(const struct pss_nt *nt, const struct pss_errand *errand, HANDLE object,
                    HANDLE thread)
{
    uint32_t waited = 0, seen;
    NTSTATUS status;

    do {
        seen = steps_of(errand->state);
        status = wait_for(nt, object, errand->patience);
        waited += errand->patience;
        if (status == STATUS_TIMEOUT && object != thread && has_ended(nt, thread))
            return 1;
    } while (status == STATUS_TIMEOUT && is_worth_waiting(errand, seen, waited));
    return status != STATUS_TIMEOUT && NT_SUCCESS(status);
}

/* A thread that ends may wait for the loader's lock, to tell DLLs of it. */
static int has_left(const struct pss_errand_state *state)
{
    return __atomic_load_n(&state->is_left, __ATOMIC_ACQUIRE) != 0;
}

/*
 * A thread that is only late ends at its next step. Force is for one that is stuck in the system: a
 * thread that has not begun may own the loader's lock, and on some systems ending it then costs the
 * whole process. One that has left its memory is in nobody's way.
 */
static NTSTATUS end_thread(const struct pss_nt *nt, struct pss_errand *errand, HANDLE thread)
{
    NTSTATUS status = wait_for(nt, thread, FINAL_WAIT);
    int may_force = has_begun(errand->state);

    errand->is_ending = status == STATUS_TIMEOUT && has_left(errand->state);
    if (errand->is_ending)
        return STATUS_TIMEOUT;
    if (status == STATUS_TIMEOUT && may_force) {
        nt->terminate_thread(thread, STATUS_TIMEOUT); /* What counts is whether it ends. */
        status = wait_for(nt, thread, FINAL_WAIT);
    }
    if (status == STATUS_SUCCESS)
        return STATUS_TIMEOUT;
    errand->memory = NULL;
    return may_force ? STATUS_IO_TIMEOUT : STATUS_CANCELLED;
}

NTSTATUS pss_errand_start(const struct pss_nt *nt, const struct pss_errand *errand, HANDLE *thread)
{
    return nt->create_thread(thread, SYNCHRONIZE | THREAD_TERMINATE | THREAD_QUERY_INFORMATION,
                             NULL, PSS_CURRENT_PROCESS, (void *)(uintptr_t)errand->routine,
                             errand->memory, PSS_NT_THREAD_CREATE_SKIP_ATTACH, 0, 0, STACK_SIZE,
                             NULL);
}

NTSTATUS pss_errand_give_up(const struct pss_nt *nt, struct pss_errand *errand, HANDLE thread,
                            uint32_t *steps)
{
    *steps = __atomic_exchange_n(&errand->state->steps, PSS_ERRAND_GIVEN_UP, __ATOMIC_ACQ_REL);
    return end_thread(nt, errand, thread);
}

/*
 * The caller is in the module, which thus is still there. Where another thread keeps the loader's
 * lock for so long, nobody can be kept from unloading the module afterwards.
 */
void pss_errand_finish(const struct pss_nt *nt, struct pss_errand *errand)
{
    if (!errand->routine || (errand->memory && !errand->is_ending))
        return;
    nt->pin_module((const void *)(uintptr_t)errand->routine); /* or do without: see above */
    errand->routine = NULL;
}

NTSTATUS pss_errand_run(const struct pss_nt *nt, struct pss_errand *errand, uint32_t *steps)
{
    HANDLE thread = NULL;
    NTSTATUS status = pss_errand_start(nt, errand, &thread);

    if (!NT_SUCCESS(status))
        return status;
    if (pss_errand_wait(nt, errand, thread, thread))
        *steps = steps_of(errand->state);
    else
        status = pss_errand_give_up(nt, errand, thread, steps);
    nt->close(thread);
    pss_errand_finish(nt, errand);
    return errand->is_ending ? STATUS_SUCCESS : status;
}
