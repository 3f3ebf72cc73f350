/* SPDX-License-Identifier: MIT */
/* What each thread called before, and which process was made: by these a test tells calls apart. */
#include "faulty_wrappers.h"

#include <winternl.h>

#define NONE TLS_OUT_OF_INDEXES

static DWORD slot = NONE;
static uint32_t epoch; /* of the last faulty_reset: what is older does not count */
static HANDLE carrier;

/* A slot of the thread's own: it can be used while everything else stands still. */
static void **history(void)
{
    return &((TEB *)NtCurrentTeb())->TlsSlots[slot];
}

enum faulty_service faulty_follow(enum faulty_service service)
{
    ULONG_PTR before = (ULONG_PTR)*history();

    *history() = (void *)((ULONG_PTR)epoch << 8 | (ULONG_PTR)service);
    return before >> 8 == epoch ? (enum faulty_service)(before & 0xFF) : FAULTY_SERVICE_COUNT;
}

void faulty_forget_calls(void)
{
    if (slot == NONE)
        slot = TlsAlloc();
    assert_true(slot < 64); /* as many as a TEB has */
    epoch = (epoch + 1) & 0xFFFFFF;
    carrier = NULL;
}

HANDLE faulty_carrier_handle(void)
{
    return carrier;
}

void faulty_note_carrier(HANDLE process)
{
    carrier = process;
}
