/* SPDX-License-Identifier: MIT */
/* The right to suspend the threads of a process: two that did so to each other would never go on.
 */
#include "capture/capture.h"

#include <string.h>

/*
 * A wait is made of short ones: while the waiting thread is itself suspended one of them may end,
 * but not all.
 */
#define WAIT_MS         100
#define WAITS_FOR_OTHER 30u /* for a lock of another process, or of this one to capture another */
#define WAITS_FOR_OWN \
    600u /* for the own process to capture itself: its threads do come to an end */

static const WCHAR prefix[] = L"\\BaseNamedObjects\\pss-suspend-";

#define PREFIX_LENGTH (sizeof(prefix) / sizeof(WCHAR) - 1)
#define NAME_LENGTH   (PREFIX_LENGTH + 10) /* the digits of a process id */

/* Returns the length in characters. */
static uint32_t write_name(WCHAR name[NAME_LENGTH], uint32_t process_id)
{
    WCHAR digits[10];
    uint32_t count = 0;

    do {
        digits[count++] = (WCHAR)(L'0' + process_id % 10);
        process_id /= 10;
    } while (process_id);
    memcpy(name, prefix, sizeof(prefix));
    for (uint32_t i = 0; i < count; i++)
        name[PREFIX_LENGTH + i] = digits[count - 1 - i];
    return (uint32_t)PREFIX_LENGTH + count;
}

/*
 * A mutant, which the system takes back from a thread that ends. By its name it is one lock for all
 * copies of this code, in whatever modules and processes.
 */
static NTSTATUS open_lock(const struct pss_nt *nt, uint32_t process_id, HANDLE *mutant)
{
    WCHAR text[NAME_LENGTH];
    UNICODE_STRING name = {.Buffer = text};
    OBJECT_ATTRIBUTES attributes;

    name.Length = name.MaximumLength = (USHORT)(write_name(text, process_id) * sizeof(WCHAR));
    InitializeObjectAttributes(&attributes, &name, OBJ_OPENIF, NULL, NULL);
    return nt->create_mutant(mutant, SYNCHRONIZE | MUTANT_QUERY_STATE, &attributes, FALSE);
}

static NTSTATUS wait_for_lock(const struct pss_nt *nt, HANDLE mutant, uint32_t waits)
{
    LARGE_INTEGER timeout = {.QuadPart = -10000LL * WAIT_MS}; /* 100 ns; from now on */
    NTSTATUS status = STATUS_TIMEOUT;

    for (uint32_t i = 0; i < waits && status == STATUS_TIMEOUT; i++)
        status = nt->wait(mutant, FALSE, &timeout);
    return status;
}

static int is_taken(NTSTATUS status)
{
    return status == STATUS_SUCCESS || status == STATUS_ABANDONED;
}

static NTSTATUS take_lock(const struct pss_nt *nt, uint32_t process_id, uint32_t waits,
                          HANDLE *lock)
{
    HANDLE mutant = NULL;
    NTSTATUS status = open_lock(nt, process_id, &mutant);

    if (!NT_SUCCESS(status))
        return pss_status_soften(status);
    status = wait_for_lock(nt, mutant, waits);
    if (is_taken(status))
        *lock = mutant;
    else
        nt->close(mutant);
    return status == STATUS_TIMEOUT ? STATUS_TIMEOUT : STATUS_SUCCESS;
}

NTSTATUS pss_freeze_lock(const struct pss_nt *nt, uint32_t process_id, HANDLE *lock)
{
    NTSTATUS status = take_lock(nt, process_id, WAITS_FOR_OTHER, lock);

    return status == STATUS_TIMEOUT ? STATUS_SUCCESS : status;
}

void pss_freeze_unlock(const struct pss_nt *nt, HANDLE *lock)
{
    if (!*lock)
        return;
    nt->release_mutant(*lock, NULL); /* It fails only for a thread that does not own it. */
    nt->close(*lock);
    *lock = NULL;
}

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
    NTSTATUS status = pss_freeze_lock(capture->nt, own < target ? own : target, &locks[0]);

    if (NT_SUCCESS(status))
        status = pss_freeze_lock(capture->nt, own < target ? target : own, &locks[1]);
    return status;
}

/* Without it, two threads of the own process would suspend each other. */
static NTSTATUS lock_own(struct pss_capture *capture)
{
    NTSTATUS status =
        take_lock(capture->nt, capture->process_id, WAITS_FOR_OWN, &capture->freeze.locks[0]);

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
    pss_freeze_unlock(capture->nt, &freeze->locks[1]);
    pss_freeze_unlock(capture->nt, &freeze->locks[0]);
}
