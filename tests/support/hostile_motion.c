/* SPDX-License-Identifier: MIT */
/* Processes that never stand still, or end when they like. */
#include <string.h>

#include "hostile_become.h"

#define PAGES   64u
#define PAGE    0x1000u
#define WORKERS 3

static DWORD main_thread;

static DWORD WINAPI wait_here(void *argument)
{
    (void)argument;
    hostile_begun();
    return hostile_wait();
}

/* ---- suspensions ---- */

static DWORD WINAPI suspend_others(void *argument)
{
    HANDLE threads[WORKERS + 1];

    (void)argument;
    for (int i = 0; i < WORKERS; i++)
        threads[i] = CreateThread(NULL, 0x10000, wait_here, NULL, 0, NULL);
    threads[WORKERS] = OpenThread(THREAD_SUSPEND_RESUME, FALSE, main_thread);
    hostile_suspends();
    hostile_begun();
    while (hostile_may_suspend()) {
        for (int i = 0; i <= WORKERS; i++)
            SuspendThread(threads[i]);
        SwitchToThread();
        for (int i = 0; i <= WORKERS; i++)
            ResumeThread(threads[i]);
    }
    return hostile_wait();
}

int become_suspends(void)
{
    main_thread = GetCurrentThreadId();
    return hostile_thread(suspend_others) != NULL;
}

static HANDLE sleeper;

static DWORD WINAPI suspend_self(void *argument)
{
    (void)argument;
    hostile_begun();
    for (;;)
        SuspendThread(GetCurrentThread());
    return 0;
}

static DWORD WINAPI wake_sleeper(void *argument)
{
    (void)argument;
    hostile_begun();
    for (;;) {
        ResumeThread(sleeper);
        SwitchToThread();
    }
    return 0;
}

int become_suspends_itself(void)
{
    sleeper = hostile_thread(suspend_self);
    return sleeper && hostile_thread(wake_sleeper);
}

/* ---- threads, memory, handles, names that come and go ---- */

static DWORD WINAPI end_at_once(void *argument)
{
    return argument != NULL;
}

static DWORD WINAPI start_threads(void *argument)
{
    (void)argument;
    hostile_begun();
    for (;;) {
        HANDLE thread = CreateThread(NULL, 0x10000, end_at_once, NULL, 0, NULL);
        if (thread && hostile_random() % 2)
            WaitForSingleObject(thread, 1000);
        if (thread)
            CloseHandle(thread);
    }
    return 0;
}

int become_threads(void)
{
    return hostile_thread(start_threads) && hostile_thread(start_threads);
}

static DWORD WINAPI change_protections(void *argument)
{
    static const DWORD protections[] = {PAGE_NOACCESS,          PAGE_READONLY,
                                        PAGE_READWRITE,         PAGE_EXECUTE,
                                        PAGE_EXECUTE_READWRITE, PAGE_READWRITE | PAGE_GUARD};
    char *memory =
        (char *)VirtualAlloc(NULL, PAGES * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    DWORD old;

    (void)argument;
    hostile_begun();
    for (;;)
        VirtualProtect(memory + hostile_random() % PAGES * PAGE, PAGE,
                       protections[hostile_random() % 6], &old);
    return 0;
}

int become_protections(void)
{
    return hostile_thread(change_protections) != NULL;
}

static void map_once(HANDLE section, void **slot)
{
    if (*slot && !UnmapViewOfFile(*slot))
        VirtualFree(*slot, 0, MEM_RELEASE);
    if (hostile_random() % 2)
        *slot = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
    else
        *slot = VirtualAlloc(NULL, (hostile_random() % 9 + 1) * 0x10000, MEM_RESERVE | MEM_COMMIT,
                             PAGE_READWRITE);
}

static DWORD WINAPI map_and_unmap(void *argument)
{
    void *slots[8] = {NULL};
    HANDLE section =
        CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 0x40000, NULL);

    (void)argument;
    hostile_begun();
    for (;;)
        map_once(section, &slots[hostile_random() % 8]);
    return 0;
}

int become_mappings(void)
{
    return hostile_thread(map_and_unmap) != NULL;
}

static HANDLE open_something(void)
{
    HANDLE other;

    switch (hostile_random() % 6) {
    case 0:
        return CreateEventW(NULL, TRUE, FALSE, NULL);
    case 1:
        return CreateMutexW(NULL, TRUE, NULL);
    case 2:
        return CreateSemaphoreW(NULL, 1, 9, NULL);
    case 3:
        return CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 0x1000, NULL);
    case 4:
        return OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
    default:
        DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &other, 0,
                        FALSE, DUPLICATE_SAME_ACCESS);
        return other;
    }
}

/* The same values mean another type of object each time. */
static DWORD WINAPI open_and_close(void *argument)
{
    HANDLE slots[16] = {NULL};

    (void)argument;
    hostile_begun();
    for (;;) {
        unsigned i = hostile_random() % 16;
        if (slots[i])
            CloseHandle(slots[i]);
        slots[i] = open_something();
    }
    return 0;
}

int become_handles(void)
{
    return hostile_thread(open_and_close) && hostile_thread(open_and_close);
}

typedef HRESULT WINAPI describe_function(HANDLE thread, const WCHAR *text);

static describe_function *describer(void)
{
    return (describe_function *)(void *)GetProcAddress(GetModuleHandleA("kernel32.dll"),
                                                       "SetThreadDescription");
}

static WCHAR long_name[0x8000];

static DWORD WINAPI change_names(void *argument)
{
    describe_function *describe = describer();

    (void)argument;
    hostile_begun();
    for (;;) {
        unsigned length = hostile_random() % 0x7ffe;
        describe(GetCurrentThread(), long_name + 0x7ffe - length);
    }
    return 0;
}

/* Beside names that change, three of the greatest length, with surrogates that have no partner. */
int become_names(void)
{
    if (!describer())
        return 0;
    for (unsigned i = 0; i < 0x7ffe; i++)
        long_name[i] = (WCHAR)(i % 5 ? 0xd800 + i % 0x800 : 1 + i % 0x1f);
    for (int i = 0; i < WORKERS; i++)
        describer()(hostile_thread(wait_here), long_name);
    return hostile_thread(change_names) != NULL;
}

/* ---- ends ---- */

static void wait_a_little(void)
{
    for (uint32_t count = hostile_random() % 200000000u; count; count--)
        __asm__ volatile("pause");
}

static DWORD WINAPI exit_soon(void *argument)
{
    (void)argument;
    hostile_begun();
    wait_a_little();
    if (hostile_random() % 2)
        TerminateProcess(GetCurrentProcess(), hostile_random());
    ExitProcess(hostile_random());
    return 0;
}

int become_exits(void)
{
    return hostile_thread(exit_soon) != NULL;
}

/* All of its threads end, one after the other, and the process with the last one. */
static DWORD WINAPI end_main_then_self(void *argument)
{
    HANDLE thread = OpenThread(THREAD_TERMINATE, FALSE, main_thread);

    (void)argument;
    hostile_begun();
    wait_a_little();
    TerminateThread(thread, 5);
    wait_a_little();
    ExitThread(6);
    return 0;
}

int become_exits_by_thread(void)
{
    main_thread = GetCurrentThreadId();
    return hostile_thread(end_main_then_self) != NULL;
}

static LONG WINAPI end_quietly(EXCEPTION_POINTERS *exception)
{
    (void)exception;
    return EXCEPTION_EXECUTE_HANDLER;
}

static DWORD WINAPI crash_soon(void *argument)
{
    (void)argument;
    hostile_begun();
    wait_a_little();
    *(volatile int *)(uintptr_t)0x10 = 1;
    return 0;
}

int become_crashes(void)
{
    SetUnhandledExceptionFilter(end_quietly);
    return hostile_thread(crash_soon) != NULL;
}
