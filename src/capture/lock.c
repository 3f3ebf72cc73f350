/* SPDX-License-Identifier: MIT */
/* Locks of a process that hold for all copies of this code, in whatever modules and processes. */
#include "capture/capture.h"

/*
 * A wait is made of short ones: while the waiting thread is itself suspended one of them may end,
 * but not all.
 */
#define WAIT_MS 100

static const WCHAR *const prefixes[] = {
    [PSS_LOCK_SUSPEND] = L"\\BaseNamedObjects\\pss-suspend-",
    [PSS_LOCK_HANDLES] = L"\\BaseNamedObjects\\pss-handles-",
};

#define NAME_LENGTH 64 /* a prefix, and the digits of a process id */

/* Returns the length in characters. */
static uint32_t write_name(WCHAR name[NAME_LENGTH], const WCHAR *prefix, uint32_t process_id)
{
    WCHAR digits[10];
    uint32_t length = 0, count = 0;

    for (; prefix[length]; length++)
        name[length] = prefix[length];
    do {
        digits[count++] = (WCHAR)(L'0' + process_id % 10);
        process_id /= 10;
    } while (process_id);
    while (count)
        name[length++] = digits[--count];
    return length;
}

/* A mutant, which the system takes back from a thread that ends; one by its name. */
static NTSTATUS open_lock(const struct pss_nt *nt, enum pss_lock kind, uint32_t process_id,
                          HANDLE *mutant)
{
    WCHAR text[NAME_LENGTH];
    UNICODE_STRING name = {.Buffer = text};
    OBJECT_ATTRIBUTES attributes;

    name.Length = name.MaximumLength =
        (USHORT)(write_name(text, prefixes[kind], process_id) * sizeof(WCHAR));
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

NTSTATUS pss_lock_take(const struct pss_nt *nt, enum pss_lock kind, uint32_t process_id,
                       uint32_t waits, HANDLE *lock)
{
    HANDLE mutant = NULL;
    NTSTATUS status = open_lock(nt, kind, process_id, &mutant);

    if (!NT_SUCCESS(status))
        return pss_status_soften(status);
    status = wait_for_lock(nt, mutant, waits);
    if (status == STATUS_SUCCESS || status == STATUS_ABANDONED)
        *lock = mutant;
    else
        nt->close(mutant);
    return status == STATUS_TIMEOUT ? STATUS_TIMEOUT : STATUS_SUCCESS;
}

void pss_lock_give_back(const struct pss_nt *nt, HANDLE *lock)
{
    if (!*lock)
        return;
    nt->release_mutant(*lock, NULL); /* It fails only for a thread that does not own it. */
    nt->close(*lock);
    *lock = NULL;
}
