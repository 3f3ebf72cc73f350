/* SPDX-License-Identifier: MIT */
/* Threads that make and end what a process consists of: threads, DLLs, memory, views, handles. */
#include "churn.h"

#include "under_test.h"

#include <winternl.h>

#define BATCH        4
#define SLOTS        16
#define HANDLES      48
#define PAGE         0x1000u
#define SMALL_STACK  0x10000u
#define ENDS_LIMIT   200 /* threads ended from outside: some systems keep their stacks */
#define NAME_CHANCE  4
#define OUTSIDE_EACH 16

/* source: phnt ntrtl.h; since Windows XP */
NTSYSAPI NTSTATUS NTAPI RtlGetLastNtStatus(void);

static bool may_go_on(struct churn_worker *worker)
{
    worker->slot->rounds++;
    return !worker->board->stops;
}

/* ---- Threads ---- */

/* One thread that is started; its events are there if it waits. */
struct visitor {
    HANDLE ready, stop;
};

static DWORD WINAPI run_visitor(void *argument)
{
    const struct visitor *visitor = (const struct visitor *)argument;

    if (!visitor)
        return 7;
    SetEvent(visitor->ready);
    return WaitForSingleObject(visitor->stop, INFINITE);
}

static HANDLE start_visitor(struct churn_worker *worker, struct visitor *visitor, DWORD flags)
{
    churn_step(worker, CHURN_STARTS_THREAD, (LONG)flags);
    HANDLE thread = CreateThread(NULL, SMALL_STACK, run_visitor, visitor,
                                 flags | STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);

    if (!thread)
        churn_fail(worker->board, "CreateThread: status 0x%lx", RtlGetLastNtStatus());
    InterlockedIncrement(&worker->board->threads);
    return thread;
}

static void wait_for_end(struct churn_worker *worker, HANDLE thread)
{
    churn_step(worker, CHURN_WAITS_FOR_THREAD, (LONG)GetThreadId(thread));
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

static void end_from_outside(struct churn_worker *worker, HANDLE thread)
{
    if (InterlockedIncrement(&worker->board->ended_threads) > ENDS_LIMIT) {
        InterlockedDecrement(&worker->board->ended_threads);
        return;
    }
    churn_step(worker, CHURN_ENDS_THREAD, (LONG)GetThreadId(thread));
    TerminateThread(thread, 8);
}

static void start_batch(struct churn_worker *worker)
{
    HANDLE threads[BATCH];

    for (unsigned i = 0; i < BATCH; i++)
        threads[i] = start_visitor(worker, NULL, churn_below(worker, 3) ? 0 : CREATE_SUSPENDED);
    for (unsigned i = 0; i < BATCH; i++)
        ResumeThread(threads[i]);
    for (unsigned i = 0; i < BATCH; i++)
        wait_for_end(worker, threads[i]);
}

/*
 * Under Wine (8.0) a 32-bit process ends when one of its threads is ended that has not begun. In a
 * 64-bit one another thread's CreateThread fails then, once in some ten thousand
 * (STATUS_INVALID_CID, and its handle stays): the server takes the sender of a file descriptor, who
 * is gone, for it.
 */
static bool can_end_suspended(void)
{
    return !under_test_on_wine();
}

/* It has not run: there is no lock that it could hold. */
static void start_and_end_suspended(struct churn_worker *worker)
{
    HANDLE thread = start_visitor(worker, NULL, CREATE_SUSPENDED);

    end_from_outside(worker, thread);
    ResumeThread(thread);
    wait_for_end(worker, thread);
}

/* It is ended by its event or, once it says that it holds no lock, from outside. */
static void start_waiting(struct churn_worker *worker, bool ends_outside)
{
    struct visitor visitor = {CreateEventW(NULL, TRUE, FALSE, NULL),
                              CreateEventW(NULL, TRUE, FALSE, NULL)};
    HANDLE thread = start_visitor(worker, &visitor, 0);

    WaitForSingleObject(visitor.ready, INFINITE);
    if (ends_outside)
        end_from_outside(worker, thread);
    SetEvent(visitor.stop);
    wait_for_end(worker, thread);
    CloseHandle(visitor.ready);
    CloseHandle(visitor.stop);
}

static DWORD WINAPI run_threads(void *argument)
{
    struct churn_worker *worker = (struct churn_worker *)argument;

    do {
        bool ends_outside = !churn_below(worker, OUTSIDE_EACH);

        if (ends_outside && can_end_suspended() && churn_below(worker, 2))
            start_and_end_suspended(worker);
        else if (ends_outside || churn_below(worker, 2))
            start_waiting(worker, ends_outside);
        else
            start_batch(worker);
    } while (may_go_on(worker));
    churn_end(worker);
    return 0;
}

/* ---- DLLs ---- */

static DWORD WINAPI run_dlls(void *argument)
{
    static const WCHAR *const names[] = {L"version.dll", L"lz32.dll", L"imagehlp.dll",
                                         L"cabinet.dll"};
    struct churn_worker *worker = (struct churn_worker *)argument;

    do {
        HMODULE modules[3];
        DWORD flags = churn_below(worker, 4) ? 0 : LOAD_LIBRARY_AS_DATAFILE;

        for (unsigned i = 0; i < 3; i++) {
            LONG index = (LONG)churn_below(worker, sizeof(names) / sizeof(names[0]));
            churn_step(worker, CHURN_LOADS, index);
            modules[i] = LoadLibraryExW(names[index], NULL, flags);
            if (!modules[i])
                churn_fail(worker->board, "no %ls: error %lu", names[index], GetLastError());
            InterlockedIncrement(&worker->board->modules);
        }
        for (unsigned i = 0; i < 3; i++) {
            churn_step(worker, CHURN_UNLOADS, (LONG)i);
            FreeLibrary(modules[i]);
        }
    } while (may_go_on(worker));
    churn_end(worker);
    return 0;
}

/* ---- Memory ---- */

static void allocate(struct churn_worker *worker, char **memory)
{
    SIZE_T size = (1 + churn_below(worker, 32)) * PAGE;
    DWORD kind = churn_below(worker, 3) ? MEM_RESERVE | MEM_COMMIT : MEM_RESERVE;

    churn_step(worker, CHURN_ALLOCATES, (LONG)size);
    *memory = (char *)VirtualAlloc(NULL, size, kind, PAGE_READWRITE);
    if (!*memory || !VirtualAlloc(*memory, PAGE, MEM_COMMIT, PAGE_READWRITE))
        churn_fail(worker->board, "VirtualAlloc: error %lu", GetLastError());
    else
        **memory = 1;
    InterlockedIncrement(&worker->board->allocations);
}

static void protect(struct churn_worker *worker, char *memory)
{
    static const DWORD protections[] = {PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE,
                                        PAGE_EXECUTE_READ, PAGE_READWRITE | PAGE_GUARD};
    DWORD chosen = protections[churn_below(worker, sizeof(protections) / sizeof(protections[0]))];
    DWORD old;

    churn_step(worker, CHURN_PROTECTS, (LONG)chosen);
    VirtualProtect(memory, PAGE, chosen, &old);
}

static void release(struct churn_worker *worker, char **memory)
{
    churn_step(worker, CHURN_RELEASES, 0);
    if (churn_below(worker, 2))
        VirtualFree(*memory, PAGE, MEM_DECOMMIT);
    VirtualFree(*memory, 0, MEM_RELEASE);
    *memory = NULL;
}

static void use_heap(struct churn_worker *worker)
{
    churn_step(worker, CHURN_ALLOCATES, 0);
    HANDLE heap = HeapCreate(0, 0, 0);

    for (unsigned i = 0; i < BATCH; i++)
        free(malloc(1 + churn_below(worker, 3 * PAGE)));
    HeapAlloc(heap, 0, PAGE);
    HeapDestroy(heap);
}

static DWORD WINAPI run_memory(void *argument)
{
    struct churn_worker *worker = (struct churn_worker *)argument;
    char *memory[SLOTS] = {NULL};

    do {
        char **one = &memory[churn_below(worker, SLOTS)];

        if (!churn_below(worker, 8))
            use_heap(worker);
        else if (!*one)
            allocate(worker, one);
        else if (churn_below(worker, 2))
            protect(worker, *one);
        else
            release(worker, one);
    } while (may_go_on(worker));
    for (unsigned i = 0; i < SLOTS; i++)
        if (memory[i])
            release(worker, &memory[i]);
    churn_end(worker);
    return 0;
}

/* ---- Files ---- */

static HANDLE make_file(struct churn_worker *worker)
{
    WCHAR directory[MAX_PATH], path[MAX_PATH + 80];
    char page[PAGE] = {1};
    DWORD done = 0;

    churn_step(worker, CHURN_WRITES_FILE, 0);
    GetTempPathW(MAX_PATH, directory);
    /* A capture may have the last one open still. */
    _snwprintf(path, MAX_PATH + 80, L"%lspss-churner-%lu-%u", directory, GetCurrentProcessId(),
               churn_below(worker, 1u << 30));
    HANDLE file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, NULL,
                              CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);

    if (file == INVALID_HANDLE_VALUE || !WriteFile(file, page, PAGE, &done, NULL))
        churn_fail(worker->board, "no file in %ls: error %lu", directory, GetLastError());
    return file;
}

static HANDLE open_image(void)
{
    WCHAR path[MAX_PATH];

    GetModuleFileNameW(GetModuleHandleW(L"ntdll.dll"), path, MAX_PATH);
    return CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                       0, NULL);
}

static void map(struct churn_worker *worker, HANDLE file, DWORD protection, DWORD access)
{
    churn_step(worker, CHURN_MAPS, (LONG)protection);
    DWORD size = file == INVALID_HANDLE_VALUE ? 4 * PAGE : 0;
    HANDLE section = CreateFileMappingW(file, NULL, protection, 0, size, NULL);
    char *view = section ? (char *)MapViewOfFile(section, access, 0, 0, 0) : NULL;

    if (!view)
        churn_fail(worker->board, "no view, 0x%lx: error %lu", protection, GetLastError());
    else if (access != FILE_MAP_READ)
        view[1] = 2;
    InterlockedIncrement(&worker->board->views);
    churn_step(worker, CHURN_UNMAPS, (LONG)protection);
    UnmapViewOfFile(view);
    CloseHandle(section);
}

static DWORD WINAPI run_files(void *argument)
{
    struct churn_worker *worker = (struct churn_worker *)argument;

    do {
        HANDLE file = make_file(worker), image = open_image();

        map(worker, file, PAGE_READWRITE, FILE_MAP_WRITE);
        map(worker, file, PAGE_READONLY, FILE_MAP_READ);
        map(worker, file, PAGE_WRITECOPY, FILE_MAP_COPY);
        map(worker, INVALID_HANDLE_VALUE, PAGE_READWRITE, FILE_MAP_WRITE);
        map(worker, INVALID_HANDLE_VALUE, PAGE_READWRITE | SEC_RESERVE, FILE_MAP_READ);
        map(worker, image, PAGE_READONLY | SEC_IMAGE, FILE_MAP_READ);
        CloseHandle(image);
        CloseHandle(file);
    } while (may_go_on(worker));
    churn_end(worker);
    return 0;
}

/* ---- Handles ---- */

static void open_handle(struct churn_worker *worker, HANDLE *handle)
{
    enum churn_kind kind = (enum churn_kind)churn_below(worker, CHURN_KIND_COUNT);
    bool is_named = kind < CHURN_NAMED_KINDS && churn_below(worker, NAME_CHANCE);

    churn_step(worker, CHURN_OPENS, (LONG)kind);
    *handle = churn_open(worker, kind, is_named);
    if (!*handle || *handle == INVALID_HANDLE_VALUE)
        churn_fail(worker->board, "no %ls: error %lu", churn_type_name(kind), GetLastError());
    InterlockedIncrement(&worker->board->handles);
}

/* Its value is another one then. */
static void move_handle(struct churn_worker *worker, HANDLE *handle)
{
    HANDLE copy = NULL;

    churn_step(worker, CHURN_COPIES, 0);
    SetHandleInformation(*handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    if (!DuplicateHandle(GetCurrentProcess(), *handle, GetCurrentProcess(), &copy, 0, FALSE,
                         DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE))
        churn_fail(worker->board, "DuplicateHandle: error %lu", GetLastError());
    *handle = copy;
}

static void close_handle(struct churn_worker *worker, HANDLE *handle)
{
    churn_step(worker, CHURN_CLOSES, 0);
    if (!CloseHandle(*handle))
        churn_fail(worker->board, "CloseHandle: error %lu", GetLastError());
    *handle = NULL;
}

static void use_pipe(struct churn_worker *worker)
{
    HANDLE ends[2];

    churn_step(worker, CHURN_OPENS, CHURN_KIND_COUNT);
    if (!CreatePipe(&ends[0], &ends[1], NULL, 0)) {
        churn_fail(worker->board, "CreatePipe: error %lu", GetLastError());
        return;
    }
    close_handle(worker, &ends[0]);
    close_handle(worker, &ends[1]);
}

static DWORD WINAPI run_handles(void *argument)
{
    struct churn_worker *worker = (struct churn_worker *)argument;
    HANDLE handles[HANDLES] = {NULL};

    do {
        HANDLE *one = &handles[churn_below(worker, HANDLES)];

        if (!churn_below(worker, 16))
            use_pipe(worker);
        else if (!*one)
            open_handle(worker, one);
        else if (churn_below(worker, 3))
            close_handle(worker, one);
        else
            move_handle(worker, one);
    } while (may_go_on(worker));
    for (unsigned i = 0; i < HANDLES; i++)
        if (handles[i])
            close_handle(worker, &handles[i]);
    churn_end(worker);
    return 0;
}

LPTHREAD_START_ROUTINE churn_routine(enum churn_role role)
{
    static const LPTHREAD_START_ROUTINE routines[CHURN_ROLES] = {
        [CHURN_THREADS] = run_threads,   [CHURN_DLLS] = run_dlls,
        [CHURN_MEMORY] = run_memory,     [CHURN_FILES] = run_files,
        [CHURN_HANDLES] = run_handles,   [CHURN_SELF] = churn_capture,
        [CHURN_FOREIGN] = churn_capture,
    };

    return routines[role];
}
