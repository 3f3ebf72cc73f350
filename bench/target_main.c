/* SPDX-License-Identifier: MIT */
/* What the program does as the benched process: it grows, says so, and waits for its end. */
#include "target.h"

#include "fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES      0x1000u
#define VIEW_PAGES      8u /* of one allocation; each page is a region of its own */
#define THREAD_STACK    0x10000u
#define HANDLES_A_ROUND 14u
#define NAMED_THREAD_IN 2u /* every other thread has a name */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef HRESULT(WINAPI *set_thread_description)(HANDLE thread, const WCHAR *description);

int is_target(int argc, char **argv)
{
    return argc == 8 && strcmp(argv[1], "--target") == 0;
}

static DWORD WINAPI wait_for_ever(void *parameter)
{
    (void)parameter;
    Sleep(INFINITE);
    return 0;
}

/* Systems before Windows 10 1607 have no thread names. */
static void start_threads(unsigned count)
{
    set_thread_description describe = (set_thread_description)(void *)GetProcAddress(
        GetModuleHandleW(L"kernel32.dll"), "SetThreadDescription");

    for (unsigned i = 0; i < count; i++) {
        HANDLE thread = CreateThread(NULL, THREAD_STACK, wait_for_ever, NULL,
                                     STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);

        if (thread == NULL)
            fail_last("CreateThread");
        if (describe != NULL && i % NAMED_THREAD_IN == 0)
            describe(thread, L"a worker of pss-bench");
        CloseHandle(thread);
    }
}

static unsigned count_regions(void)
{
    MEMORY_BASIC_INFORMATION region;
    const char *address = NULL;
    unsigned count = 0;

    while (VirtualQuery(address, &region, sizeof region) == sizeof region) {
        address = (const char *)region.BaseAddress + region.RegionSize;
        count++;
    }
    return count;
}

/* Every other page is protected, so that each is a region. */
static void split(char *base)
{
    DWORD before;

    for (unsigned page = 0; page < VIEW_PAGES; page += 2)
        if (!VirtualProtect(base + page * PAGE_BYTES, PAGE_BYTES, PAGE_READONLY, &before))
            fail_last("VirtualProtect");
}

static HANDLE open_own_image(void)
{
    WCHAR program[MAX_PATH];
    HANDLE file;

    GetModuleFileNameW(NULL, program, MAX_PATH);
    file = CreateFileW(program, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        fail_last("CreateFile");
    return file;
}

/* Private memory and views of a file in turn: an address space has both. */
static void add_regions(unsigned wanted)
{
    HANDLE file = open_own_image();
    HANDLE section = CreateFileMappingW(file, NULL, PAGE_WRITECOPY, 0, 0, NULL);
    unsigned count = count_regions();

    if (section == NULL)
        fail_last("CreateFileMapping");
    while (count < wanted) {
        for (unsigned i = 0; i <= (wanted - count) / (2 * VIEW_PAGES); i++) {
            char *memory = VirtualAlloc(NULL, VIEW_PAGES * PAGE_BYTES, MEM_RESERVE | MEM_COMMIT,
                                        PAGE_READWRITE);
            char *view = MapViewOfFile(section, FILE_MAP_COPY, 0, 0, VIEW_PAGES * PAGE_BYTES);

            if (memory == NULL || view == NULL)
                fail_last("MapViewOfFile");
            split(memory);
            split(view);
        }
        count = count_regions();
    }
    CloseHandle(section);
    CloseHandle(file);
}

static void require(HANDLE handle)
{
    if (handle == NULL)
        fail_last("creating an object");
}

/* One of each thing that a program has open; the names are new in every round. */
static void open_round(unsigned round)
{
    DWORD process = GetCurrentProcessId();
    HANDLE file = open_own_image();
    WCHAR name[64];

    require(CreateFileMappingW(file, NULL, PAGE_READONLY, 0, 0, NULL));
    require(CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 1, NULL));
    require(CreateEventW(NULL, TRUE, FALSE, NULL));
    require(CreateEventW(NULL, FALSE, TRUE, NULL));
    _snwprintf(name, COUNT(name), L"Local\\pss-bench-event-%lu-%u", process, round);
    require(CreateEventW(NULL, FALSE, FALSE, name));
    require(CreateSemaphoreW(NULL, 1, 2, NULL));
    _snwprintf(name, COUNT(name), L"Local\\pss-bench-semaphore-%lu-%u", process, round);
    require(CreateSemaphoreW(NULL, 1, 2, name));
    require(CreateMutexW(NULL, TRUE, NULL));
    _snwprintf(name, COUNT(name), L"Local\\pss-bench-mutex-%lu-%u", process, round);
    require(CreateMutexW(NULL, FALSE, name));
    require(CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1));
    require(CreateWaitableTimerW(NULL, FALSE, NULL));
    require(OpenProcess(PROCESS_ALL_ACCESS, FALSE, process));
    require(OpenThread(THREAD_ALL_ACCESS, FALSE, GetCurrentThreadId()));
}

static void add_handles(unsigned count)
{
    for (unsigned round = 0; round * HANDLES_A_ROUND < count; round++)
        open_round(round);
}

int target_main(int argc, char **argv)
{
    struct target_needs needs = {
        (unsigned)strtoul(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10),
        (unsigned)strtoul(argv[4], NULL, 10), (unsigned)strtoul(argv[5], NULL, 10),
        (enum fill)strtoul(argv[6], NULL, 10)};
    HANDLE ready = (HANDLE)(ULONG_PTR)strtoul(argv[7], NULL, 10);

    (void)argc;
    if (needs.threads > 1)
        start_threads(needs.threads - 1);
    if (needs.handles != 0)
        add_handles(needs.handles);
    if (needs.regions != 0)
        add_regions(needs.regions);
    if (needs.megabytes != 0)
        fill_memory(needs.megabytes, needs.fill);
    SetEvent(ready);
    return (int)wait_for_ever(NULL);
}
