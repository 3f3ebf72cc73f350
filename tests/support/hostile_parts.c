/* SPDX-License-Identifier: MIT */
/* What several kinds of hostile processes need: threads, random bytes, the own image. */
#include "hostile_become.h"

static volatile LONG begun;
static volatile LONG suspenders, is_calm;
static uint32_t random_state = 1;

void hostile_begun(void)
{
    InterlockedIncrement(&begun);
}

DWORD hostile_wait(void)
{
    for (;;)
        WaitForSingleObject(GetCurrentThread(), INFINITE);
    return 0;
}

HANDLE hostile_thread(LPTHREAD_START_ROUTINE routine)
{
    LONG before = begun;
    HANDLE thread = CreateThread(NULL, 0x10000, routine, NULL, 0, NULL);

    while (thread && begun == before)
        SwitchToThread();
    return thread;
}

void hostile_suspends(void)
{
    InterlockedIncrement(&suspenders);
}

int hostile_may_suspend(void)
{
    if (!is_calm)
        return 1;
    InterlockedDecrement(&suspenders);
    return 0;
}

void hostile_calm_down(void)
{
    is_calm = 1;
    while (suspenders)
        SwitchToThread();
}

void hostile_seed(uint32_t seed)
{
    random_state = seed * 2654435761u | 1;
}

/* xorshift; threads may race for a number, which only makes it more random. */
uint32_t hostile_random(void)
{
    uint32_t x = random_state;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    random_state = x ? x : 1;
    return x;
}

void hostile_fill(void *memory, size_t size)
{
    volatile unsigned char *bytes = (volatile unsigned char *)memory;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)hostile_random();
}

unsigned char *hostile_own_image(void)
{
    return (unsigned char *)GetModuleHandleW(NULL);
}

int become_quiet(void)
{
    return 1;
}
