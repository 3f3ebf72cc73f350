/* SPDX-License-Identifier: MIT */
/* Processes that overwrite the TEBs of threads which wait. */
#include <string.h>

#include "hostile_become.h"

#include <winternl.h>

/* source: phnt ntpebteb.h; in pointers */
enum { STACK_BASE = 1, STACK_LIMIT = 2, SELF = 6, PROCESS_ID = 8, THREAD_ID = 9, PEB_POINTER = 12 };

#define DEALLOCATION_STACK (sizeof(void *) == 8 ? 0x1478u : 0xe0cu)
#define GDI_BATCH_COUNT    (sizeof(void *) == 8 ? 0x1740u : 0xf70u)
#define WOW_TEB_OFFSET     (sizeof(void *) == 8 ? 0x180cu : 0xfdcu)
#define TEB_HEAD           0x60u /* bytes */
#define VICTIMS            3

static void *volatile *victim; /* the TEB of the thread that began last */

static DWORD WINAPI be_victim(void *argument)
{
    (void)argument;
    victim = (void *volatile *)(void *)NtCurrentTeb();
    hostile_begun();
    return hostile_wait();
}

static int overwrite_each(void (*overwrite)(void *volatile *teb))
{
    for (int i = 0; i < VICTIMS; i++) {
        if (!hostile_thread(be_victim))
            return 0;
        Sleep(0); /* let it come to its wait; if it does not, it dies, which is as good */
        overwrite(victim);
    }
    return 1;
}

static void *odd_pointer(void)
{
    return (void *)(((uintptr_t)hostile_random() << 16 << 16) ^ hostile_random());
}

static void overwrite_ids(void *volatile *teb)
{
    teb[PROCESS_ID] = odd_pointer();
    teb[THREAD_ID] = odd_pointer();
}

static void overwrite_peb(void *volatile *teb)
{
    teb[PEB_POINTER] = odd_pointer();
}

static void overwrite_stack(void *volatile *teb)
{
    teb[STACK_BASE] = odd_pointer();
    teb[STACK_LIMIT] = odd_pointer();
    *(void *volatile *)(void *)((char *)(void *)teb + DEALLOCATION_STACK) = odd_pointer();
}

static void overwrite_self(void *volatile *teb)
{
    teb[SELF] = odd_pointer();
}

static void overwrite_wow64(void *volatile *teb)
{
    *(volatile ULONG *)(void *)((char *)(void *)teb + GDI_BATCH_COUNT) = hostile_random();
    *(volatile ULONG *)(void *)((char *)(void *)teb + WOW_TEB_OFFSET) = hostile_random();
}

static void overwrite_head(void *volatile *teb)
{
    for (size_t i = 0; i < TEB_HEAD / sizeof(void *); i++)
        teb[i] = odd_pointer();
}

int become_teb_ids(void)
{
    if (!overwrite_each(overwrite_ids))
        return 0;
    overwrite_ids((void *volatile *)(void *)NtCurrentTeb());
    return 1;
}

int become_teb_peb(void)
{
    if (!overwrite_each(overwrite_peb))
        return 0;
    overwrite_peb((void *volatile *)(void *)NtCurrentTeb());
    return 1;
}

int become_teb_stack(void)
{
    return overwrite_each(overwrite_stack);
}

int become_teb_self(void)
{
    return overwrite_each(overwrite_self);
}

int become_teb_wow64(void)
{
    return overwrite_each(overwrite_wow64);
}

int become_teb_garbage(void)
{
    return overwrite_each(overwrite_head);
}
