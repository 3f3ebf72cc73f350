/* SPDX-License-Identifier: MIT */
/* The target's commands about threads: waiting, named, ended, parked with known registers. */
#include "target_ops.h"

#include <stdlib.h>
#include <string.h>
#include <winternl.h>

#include "pattern.h"
#include "target_park.h"

#define MAX_THREADS   4096
#define SMALL_STACK   0x10000u /* bytes; for threads that come in thousands */
#define ENDED_AT_ONCE 77
#define WAIT_LIMIT_MS 30000

/* One started thread; the slot is used again once TARGET_END_THREAD has ended it. */
static struct worker {
    HANDLE thread;
    HANDLE ready; /* set by the thread when teb and stack are filled */
    HANDLE stop;
    DWORD exit_code;
    DWORD ends_at_once;
    void *teb;
    void *stack;
} workers[MAX_THREADS];

static struct park parked;
static HANDLE churner;
static volatile LONG churning;

typedef HRESULT(WINAPI *set_description)(HANDLE thread, PCWSTR name);

static DWORD WINAPI run_worker(void *argument)
{
    struct worker *worker = (struct worker *)argument;
    volatile uint64_t marks[TARGET_MARKS];

    for (unsigned i = 0; i < TARGET_MARKS; i++)
        marks[i] = pattern_word(GetCurrentThreadId(), i);
    worker->teb = NtCurrentTeb();
    worker->stack = (void *)marks;
    SetEvent(worker->ready);
    if (worker->ends_at_once)
        return ENDED_AT_ONCE;
    WaitForSingleObject(worker->stop, INFINITE);
    return worker->exit_code;
}

static struct worker *free_worker(void)
{
    for (size_t i = 0; i < MAX_THREADS; i++)
        if (!workers[i].thread)
            return &workers[i];
    return NULL;
}

static void fini_worker(struct worker *worker)
{
    if (worker->ready)
        CloseHandle(worker->ready);
    if (worker->stop)
        CloseHandle(worker->stop);
    memset(worker, 0, sizeof(*worker));
}

/* Names came with Windows 10 1607; 0 tells the test that this system has none. */
static uint64_t name_thread(HANDLE thread, const WCHAR *name)
{
    FARPROC found = GetProcAddress(GetModuleHandleA("kernelbase.dll"), "SetThreadDescription");
    set_description describe = (set_description)(void (*)(void))found;

    return name && describe && SUCCEEDED(describe(thread, name));
}

static struct worker *start_worker(struct target_channel *channel, DWORD ends, DWORD flags,
                                   SIZE_T stack, DWORD *id)
{
    struct worker *worker = free_worker();

    SetLastError(ERROR_TOO_MANY_TCBS);
    if (!target_check(channel, worker != NULL))
        return NULL;
    worker->ends_at_once = ends;
    worker->ready = CreateEventW(NULL, TRUE, FALSE, NULL);
    worker->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    worker->thread = CreateThread(NULL, stack, run_worker, worker, flags, id);
    if (!target_check(channel, worker->ready && worker->stop && worker->thread)) {
        fini_worker(worker);
        return NULL;
    }
    if (!(flags & CREATE_SUSPENDED))
        target_check(channel, !WaitForSingleObject(worker->ready, WAIT_LIMIT_MS));
    return worker;
}

static uint64_t obey_thread(struct target_channel *channel)
{
    DWORD ends = channel->arguments[0] == TARGET_THREAD_ENDS;
    DWORD id = 0;
    DWORD flags = channel->arguments[2] ? CREATE_SUSPENDED : 0;
    struct worker *worker = start_worker(channel, ends, flags, 0, &id);

    if (!worker)
        return 0;
    HANDLE thread = worker->thread;
    target_check(channel, ends || SetThreadPriority(thread, (int)(int64_t)channel->arguments[1]));
    channel->values[0] = id;
    channel->values[1] = to_channel(worker->teb);
    channel->values[2] = to_channel(run_worker);
    channel->values[3] = to_channel(worker->stack);
    channel->values[4] = name_thread(thread, text_or_null(channel));
    if (ends) {
        target_check(channel, !WaitForSingleObject(thread, WAIT_LIMIT_MS));
        fini_worker(worker);
    }
    return to_channel(thread);
}

static uint64_t obey_threads(struct target_channel *channel)
{
    for (uint64_t i = 0; i < channel->arguments[0] && !channel->error; i++) {
        DWORD id = 0;
        start_worker(channel, FALSE, STACK_SIZE_PARAM_IS_A_RESERVATION, SMALL_STACK, &id);
        channel->values[i] = id;
    }
    return channel->arguments[0];
}

static uint64_t obey_end_thread(struct target_channel *channel)
{
    HANDLE thread = from_channel(channel->arguments[0]);

    for (size_t i = 0; i < MAX_THREADS; i++) {
        struct worker *worker = &workers[i];
        if (worker->thread != thread)
            continue;
        worker->exit_code = low_dword(channel->arguments[1]);
        SetEvent(worker->stop);
        target_check(channel, !WaitForSingleObject(thread, WAIT_LIMIT_MS));
        fini_worker(worker);
        return 1;
    }
    SetLastError(ERROR_NOT_FOUND);
    return (uint64_t)target_check(channel, FALSE);
}

static DWORD WINAPI run_parked(void *argument)
{
    target_park((struct park *)argument);
    return 0;
}

static uint64_t obey_park(struct target_channel *channel)
{
    DWORD id = 0;

    memset(&parked, 0, sizeof(parked));
    parked.use_avx = channel->arguments[0] != 0;
    for (unsigned i = 0; i < 16; i++) {
        parked.integers[i] = park_integer(i);
        for (unsigned j = 0; j < 32; j++)
            parked.vectors[i][j] = park_vector_byte(i, j);
    }
    HANDLE thread = CreateThread(NULL, 0, run_parked, &parked, 0, &id);
    if (!target_check(channel, thread != NULL))
        return 0;
    while (!*(volatile uint32_t *)&parked.parked)
        YieldProcessor();
    channel->values[0] = id;
    channel->values[1] = to_channel(target_park_first);
    channel->values[2] = to_channel(target_park_last);
    channel->values[3] = to_channel(thread);
    return to_channel(&parked);
}

static DWORD WINAPI run_nothing(void *argument)
{
    return argument != NULL;
}

static DWORD WINAPI run_churn(void *argument)
{
    while (churning) {
        HANDLE thread = CreateThread(NULL, 0, run_nothing, argument, 0, NULL);
        if (!thread)
            return 1;
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
    }
    return 0;
}

static uint64_t obey_churn(struct target_channel *channel)
{
    if (channel->arguments[0]) {
        churning = 1;
        churner = CreateThread(NULL, 0, run_churn, NULL, 0, NULL);
        return (uint64_t)target_check(channel, churner != NULL);
    }
    churning = 0;
    target_check(channel, !WaitForSingleObject(churner, WAIT_LIMIT_MS));
    return (uint64_t)target_check(channel, CloseHandle(churner));
}

void target_thread_commands(target_obey table[TARGET_OPS])
{
    table[TARGET_THREAD] = obey_thread;
    table[TARGET_THREADS] = obey_threads;
    table[TARGET_END_THREAD] = obey_end_thread;
    table[TARGET_PARK] = obey_park;
    table[TARGET_CHURN] = obey_churn;
}
