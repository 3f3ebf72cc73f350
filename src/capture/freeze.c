/* SPDX-License-Identifier: MIT */
/* The right to make a process stand still: who has it is not made to stand still himself. */
#include "capture/capture.h"

#include <string.h>

#define PATIENCE_MS 3000 /* for each of the two processes */

/*
 * Two threads that freeze each other would stand still for ever: one self-capture at a time may
 * have the others frozen. The one that waits here may itself be frozen meanwhile, and goes on
 * afterwards.
 */
static uint32_t is_self_frozen;

static const WCHAR prefix[] = L"\\BaseNamedObjects\\pss-freeze-";

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
 * An event that is signaled while nobody has the process's lock. It goes with its last handle, so
 * that a holder who dies leaves a lock behind for those only who were waiting.
 */
static NTSTATUS open_lock(const struct pss_nt *nt, uint32_t process_id, HANDLE *event)
{
    WCHAR text[NAME_LENGTH];
    UNICODE_STRING name = {.Buffer = text};
    OBJECT_ATTRIBUTES attributes;

    name.Length = name.MaximumLength = (USHORT)(write_name(text, process_id) * sizeof(WCHAR));
    InitializeObjectAttributes(&attributes, &name, OBJ_OPENIF, NULL, NULL);
    return nt->create_event(event, SYNCHRONIZE | EVENT_MODIFY_STATE, &attributes,
                            PSS_NT_EVENT_SYNCHRONIZATION, TRUE);
}

/* Leaves NULL where the lock cannot be had: then the freeze is as dangerous as it is without. */
static NTSTATUS take_lock(const struct pss_nt *nt, uint32_t process_id, HANDLE *lock)
{
    LARGE_INTEGER patience = {.QuadPart = -10000LL * PATIENCE_MS}; /* 100 ns; from now on */
    HANDLE event = NULL;
    NTSTATUS status = open_lock(nt, process_id, &event);

    if (!NT_SUCCESS(status))
        return pss_status_soften(status);
    if (nt->wait(event, FALSE, &patience) == STATUS_SUCCESS)
        *lock = event;
    else
        nt->close(event);
    return STATUS_SUCCESS;
}

static void release_lock(const struct pss_nt *nt, HANDLE *event)
{
    if (!*event)
        return;
    nt->set_event(*event, NULL);
    nt->close(*event);
    *event = NULL;
}

static void begin_in_own_process(struct pss_capture *capture)
{
    LARGE_INTEGER pause = {.QuadPart = -10000}; /* 1 ms; 100 ns, negative is from now on */

    while (__atomic_exchange_n(&is_self_frozen, 1, __ATOMIC_ACQUIRE))
        capture->nt->wait(PSS_CURRENT_THREAD, FALSE, &pause); /* a thread outlives its own wait */
    capture->holds_freeze = 1;
}

/*
 * Processes that capture each other, or in a ring, would freeze each other for ever. Who freezes
 * has the locks of both processes, which all take in the same order.
 */
NTSTATUS pss_freeze_begin(struct pss_capture *capture)
{
    uint32_t own = (uint32_t)(ULONG_PTR)capture->nt->current_id().UniqueProcess;
    uint32_t target = capture->process_id;
    NTSTATUS status;

    if (!capture->freezes)
        return STATUS_SUCCESS;
    if (capture->is_self) {
        begin_in_own_process(capture);
        return STATUS_SUCCESS;
    }
    status = take_lock(capture->nt, own < target ? own : target, &capture->freeze_locks[0]);
    if (NT_SUCCESS(status))
        status = take_lock(capture->nt, own < target ? target : own, &capture->freeze_locks[1]);
    return status;
}

void pss_freeze_end(struct pss_capture *capture)
{
    if (capture->holds_freeze)
        __atomic_store_n(&is_self_frozen, 0, __ATOMIC_RELEASE);
    capture->holds_freeze = 0;
    release_lock(capture->nt, &capture->freeze_locks[1]);
    release_lock(capture->nt, &capture->freeze_locks[0]);
}
