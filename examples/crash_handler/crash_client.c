/* SPDX-License-Identifier: MIT */
/*
 * A program that reports its own crash: it captures itself, and ships the snapshot to its handler.
 *
 * The exception filter does next to nothing: it wakes a thread that was made at the start and does
 * the work. The thread that crashed may have no stack left, and may hold any lock: of the heap, of
 * the loader, of stdio. So from the crash on nobody here takes one: there is no malloc, no printf,
 * no GetProcAddress, no new handle by name. Handles, memory and the thread's stack are prepared;
 * PSS_CREATE_USE_VM_ALLOCATIONS keeps the capture off the heap.
 */
#include "crash_client.h"

#include <stdlib.h>
#include <string.h>

#include "crash_report.h"
#include "pss.h"

#define PAGE_BYTES   0x1000
#define STACK_LEFT   0x8000  /* bytes kept for the filter when the stack overflows */
#define WORKER_STACK 0x10000 /* bytes, committed at the start: at the crash memory may be short */
#define PATIENCE     60000   /* milliseconds for the capture, which may hang where all is broken */

#define CAPTURE_FLAGS                                                          \
    (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT | PSS_CAPTURE_VA_SPACE | \
     PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION | PSS_CREATE_USE_VM_ALLOCATIONS)

_Static_assert(sizeof(CONTEXT) <= CRASH_CONTEXT_SIZE, "the report holds the context");

static struct {
    struct crash_report *report;
    HANDLE handler;  /* where the snapshot goes */
    HANDLE reported; /* wakes the handler */
    HANDLE handled;  /* the handler needs us no more */
    HANDLE ready;    /* the worker waits for a crash */
    HANDLE crashed;  /* wakes the worker */
    HANDLE worker;
    LONG crashes; /* the first one counts */
    DWORD thread_id;
    const EXCEPTION_POINTERS *exception;
} client;

static void fill_report(struct crash_report *report)
{
    const EXCEPTION_RECORD *record = client.exception->ExceptionRecord;

    report->thread_id = client.thread_id;
    report->exception_code = record->ExceptionCode;
    report->exception_address = (uintptr_t)record->ExceptionAddress;
    report->pointer_size = sizeof(void *);
    memcpy(report->context, client.exception->ContextRecord, sizeof(CONTEXT));
}

/* The snapshot leaves us, and takes its clone along: both outlive this process. */
static DWORD ship_snapshot(PSS_CAPTURE_FLAGS flags, uint64_t *shipped)
{
    HPSS snapshot, duplicate;
    DWORD error = PssCaptureSnapshot(GetCurrentProcess(), flags, CONTEXT_ALL, &snapshot);

    if (error != ERROR_SUCCESS)
        return error;
    error = PssDuplicateSnapshot(GetCurrentProcess(), snapshot, client.handler, &duplicate,
                                 PSS_DUPLICATE_CLOSE_SOURCE);
    *shipped = (uintptr_t)duplicate;
    return error;
}

/*
 * The worker: while it captures, all other threads stand still. There may be no memory for a clone.
 * Then the handler reads from this process, which waits for it.
 */
static DWORD WINAPI report_crash(void *unused)
{
    struct crash_report *report = client.report;
    BOOL has_clone;

    (void)unused;
    SignalObjectAndWait(client.ready, client.crashed, INFINITE, FALSE);
    fill_report(report);
    report->error = ship_snapshot(CAPTURE_FLAGS | PSS_CAPTURE_VA_CLONE, &report->snapshot);
    has_clone = report->error == ERROR_SUCCESS;
    if (!has_clone)
        report->error = ship_snapshot(CAPTURE_FLAGS, &report->snapshot);
    SetEvent(client.reported);
    if (!has_clone && report->error == ERROR_SUCCESS)
        WaitForSingleObject(client.handled, PATIENCE);
    TerminateProcess(GetCurrentProcess(), report->exception_code);
    return 0;
}

/* Runs on the thread that crashed, and never returns. */
static LONG WINAPI on_crash(EXCEPTION_POINTERS *exception)
{
    if (InterlockedIncrement(&client.crashes) == 1) {
        client.exception = exception;
        client.thread_id = GetCurrentThreadId();
        SetEvent(client.crashed);
    }
    WaitForSingleObject(client.worker, PATIENCE);
    TerminateProcess(GetCurrentProcess(), exception->ExceptionRecord->ExceptionCode);
    return EXCEPTION_EXECUTE_HANDLER;
}

/* The report tells the other handles. */
static DWORD open_report(void)
{
    WCHAR value[32];
    DWORD length = GetEnvironmentVariableW(CRASH_VARIABLE, value, 32);

    if (length == 0 || length >= 32)
        return ERROR_ENVVAR_NOT_FOUND;
    SetEnvironmentVariableW(CRASH_VARIABLE, NULL); /* The programs we start are not meant. */
    client.report = MapViewOfFile((HANDLE)(uintptr_t)wcstoul(value, NULL, 16), FILE_MAP_WRITE, 0, 0,
                                  sizeof *client.report);
    if (client.report == NULL)
        return GetLastError();
    client.handler = (HANDLE)(uintptr_t)client.report->handler;
    client.reported = (HANDLE)(uintptr_t)client.report->reported;
    client.handled = (HANDLE)(uintptr_t)client.report->handled;
    return ERROR_SUCCESS;
}

/* It has to run: a thread that only begins may need the locks that are held at the crash. */
static DWORD start_worker(void)
{
    client.ready = CreateEventW(NULL, FALSE, FALSE, NULL);
    client.crashed = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (client.ready == NULL || client.crashed == NULL)
        return GetLastError();
    client.worker = CreateThread(NULL, WORKER_STACK, report_crash, NULL, 0, NULL);
    if (client.worker == NULL)
        return GetLastError();
    WaitForSingleObject(client.ready, INFINITE);
    return ERROR_SUCCESS;
}

/*
 * Some systems (Wine 8) take note of the guarantee, and leave the guard page at the very end of the
 * stack: there it is moved.
 */
void crash_client_keep_stack(void)
{
    ULONG size = STACK_LEFT;
    MEMORY_BASIC_INFORMATION stack, guard;
    DWORD before;

    SetThreadStackGuarantee(&size);
    if (VirtualQuery(&stack, &stack, sizeof stack) != 0 &&
        VirtualQuery((char *)stack.AllocationBase + PAGE_BYTES, &guard, sizeof guard) != 0 &&
        (guard.Protect & PAGE_GUARD) != 0)
        VirtualProtect((char *)guard.BaseAddress + STACK_LEFT, PAGE_BYTES,
                       PAGE_READWRITE | PAGE_GUARD, &before);
}

DWORD crash_client_start(void)
{
    DWORD error = open_report();

    if (error == ERROR_SUCCESS)
        error = start_worker();
    if (error != ERROR_SUCCESS)
        return error;
    crash_client_keep_stack();
    SetUnhandledExceptionFilter(on_crash);
    return ERROR_SUCCESS;
}
