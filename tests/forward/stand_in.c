/* SPDX-License-Identifier: MIT */
/* The stand-in for kernel32: a small implementation in memory that can break at each place. */
#define PSSAPI __declspec(dllexport)
#include "pss.h"

#include "stand_in.h"

#include <stdlib.h>
#include <string.h>

#define WINE_STUB 0x80000100u /* what Wine's unimplemented functions raise */
#define OWN_CODE  0xE0505353u

struct snapshot {
    DWORD process_id, thread_id;
};

struct marker {
    PSS_ALLOCATOR allocator;
    ULONG_PTR position;
};

extern __declspec(dllexport) struct stand_in stand_in;
struct stand_in stand_in;

#define IS(name)    (stand_in.behaviour == STAND_IN_##name)
#define ARGUMENT(x) ((uintptr_t)(x))

static void raise_wine_stub(void)
{
    static const char *const names[] = {"kernel32.dll", "PssCaptureSnapshot"};

    for (;;)
        RaiseException(WINE_STUB, EXCEPTION_NONCONTINUABLE, 2, (const ULONG_PTR *)names);
}

/* Notes a call; answers whether it shall do nothing but answer `*result`. */
static BOOL enter(enum stand_in_function function, const uintptr_t arguments[5], DWORD *result)
{
    InterlockedIncrement((LONG *)&stand_in.calls[function]);
    memcpy(stand_in.arguments[function], arguments, sizeof(stand_in.arguments[function]));
    *result = stand_in.results[function];
    if (IS(RECORDS))
        SetLastError(*result);
    if (IS(ANSWERS_120))
        SetLastError(*result = ERROR_CALL_NOT_IMPLEMENTED);
    if (IS(ANSWERS_50))
        SetLastError(*result = ERROR_NOT_SUPPORTED);
    if (IS(RAISES_WINE_STUB))
        raise_wine_stub();
    if (IS(READS_NULL))
        *result = *(volatile DWORD *)0;
    return IS(RECORDS) || IS(ANSWERS_120) || IS(ANSWERS_50);
}

#define ENTER(function, ...)                                                    \
    DWORD result;                                                               \
    if (enter(STAND_IN_##function, (const uintptr_t[5]){__VA_ARGS__}, &result)) \
    return result

static DWORD raise(void)
{
    RaiseException(OWN_CODE, 0, 0, NULL);
    return ERROR_SUCCESS;
}

static LONG CALLBACK go_on(EXCEPTION_POINTERS *pointers)
{
    return pointers->ExceptionRecord->ExceptionCode == OWN_CODE ? EXCEPTION_CONTINUE_EXECUTION
                                                                : EXCEPTION_CONTINUE_SEARCH;
}

static void raise_and_handle(void)
{
    void *handler = AddVectoredExceptionHandler(1, go_on);

    raise();
    RemoveVectoredExceptionHandler(handler);
}

static DWORD give_snapshot(HPSS *handle)
{
    struct snapshot *snapshot = malloc(sizeof(*snapshot));

    snapshot->process_id = GetCurrentProcessId();
    snapshot->thread_id = GetCurrentThreadId();
    InterlockedIncrement((LONG *)&stand_in.snapshots);
    *handle = (HPSS)snapshot;
    return ERROR_SUCCESS;
}

DWORD WINAPI PssCaptureSnapshot(HANDLE ProcessHandle, PSS_CAPTURE_FLAGS CaptureFlags,
                                DWORD ThreadContextFlags, HPSS *SnapshotHandle)
{
    ENTER(CAPTURE, ARGUMENT(ProcessHandle), ARGUMENT(CaptureFlags), ThreadContextFlags,
          ARGUMENT(SnapshotHandle));
    if (IS(CALLS_BACK))
        return stand_in.capture(ProcessHandle, (DWORD)CaptureFlags, ThreadContextFlags,
                                (void **)SnapshotHandle);
    if (IS(WAITS)) {
        SetEvent(stand_in.entered);
        WaitForSingleObject(stand_in.leave, INFINITE);
    }
    if (IS(HANDLES_EXCEPTIONS))
        raise_and_handle();
    *SnapshotHandle = NULL;
    if (IS(CAPTURES_MINUS_ONE))
        *SnapshotHandle = (HPSS)(intptr_t)-1;
    if (IS(CAPTURES_GARBAGE))
        *SnapshotHandle = (HPSS)(uintptr_t)16;
    if (IS(CAPTURES_NULL) || *SnapshotHandle)
        return ERROR_SUCCESS;
    return give_snapshot(SnapshotHandle);
}

DWORD WINAPI PssFreeSnapshot(HANDLE ProcessHandle, HPSS SnapshotHandle)
{
    ENTER(FREE, ARGUMENT(ProcessHandle), ARGUMENT(SnapshotHandle));
    if (IS(CALLS_BACK))
        return stand_in.free(ProcessHandle, SnapshotHandle);
    if (IS(FREE_RAISES))
        return raise();
    if (IS(FREE_FAILS))
        return ERROR_INVALID_HANDLE;
    ((volatile struct snapshot *)SnapshotHandle)->process_id = 0;
    free(SnapshotHandle);
    InterlockedDecrement((LONG *)&stand_in.snapshots);
    return ERROR_SUCCESS;
}

static DWORD query(const struct snapshot *snapshot, DWORD class_number, void *buffer, DWORD length)
{
    PSS_PROCESS_INFORMATION process = {.ProcessId = snapshot ? snapshot->process_id : 0};
    PSS_THREAD_INFORMATION threads = {.ThreadsCaptured = !IS(HAS_NO_THREADS)};

    if (IS(QUERY_GIVES_OTHER_PROCESS))
        process.ProcessId++;
    if (class_number == PSS_QUERY_PROCESS_INFORMATION && length == sizeof(process))
        memcpy(buffer, &process, sizeof(process));
    else if (class_number == PSS_QUERY_THREAD_INFORMATION && length == sizeof(threads))
        memcpy(buffer, &threads, sizeof(threads));
    else
        return ERROR_INVALID_PARAMETER;
    return ERROR_SUCCESS;
}

DWORD WINAPI PssQuerySnapshot(HPSS SnapshotHandle, PSS_QUERY_INFORMATION_CLASS InformationClass,
                              void *Buffer, DWORD BufferLength)
{
    ENTER(QUERY, ARGUMENT(SnapshotHandle), ARGUMENT(InformationClass), ARGUMENT(Buffer),
          BufferLength);
    if (IS(QUERY_RAISES))
        return raise();
    if (IS(QUERY_FAILS))
        return ERROR_NOT_FOUND;
    if (IS(QUERY_GIVES_ZEROS))
        memset(Buffer, 0, BufferLength);
    if (IS(QUERY_GIVES_ZEROS) || IS(QUERY_WRITES_NOTHING))
        return ERROR_SUCCESS;
    return query((const struct snapshot *)SnapshotHandle, (DWORD)InformationClass, Buffer,
                 BufferLength);
}

DWORD WINAPI PssWalkSnapshot(HPSS SnapshotHandle, PSS_WALK_INFORMATION_CLASS InformationClass,
                             HPSSWALK WalkMarkerHandle, void *Buffer, DWORD BufferLength)
{
    const struct snapshot *snapshot = (const struct snapshot *)SnapshotHandle;
    PSS_THREAD_ENTRY *thread = Buffer;

    ENTER(WALK, ARGUMENT(SnapshotHandle), ARGUMENT(InformationClass), ARGUMENT(WalkMarkerHandle),
          ARGUMENT(Buffer), BufferLength);
    if (IS(WALK_RAISES))
        return raise();
    if (IS(WALK_ENDS))
        return ERROR_NO_MORE_ITEMS;
    if (IS(WALK_FAILS) || InformationClass != PSS_WALK_THREADS || BufferLength != sizeof(*thread))
        return ERROR_INVALID_PARAMETER;
    memset(thread, 0, sizeof(*thread));
    ((struct marker *)WalkMarkerHandle)->position++;
    if (IS(WALK_GIVES_ZEROS))
        return ERROR_SUCCESS;
    thread->ProcessId = snapshot->process_id;
    thread->ThreadId = snapshot->thread_id;
    return ERROR_SUCCESS;
}

DWORD WINAPI PssDuplicateSnapshot(HANDLE SourceProcessHandle, HPSS SnapshotHandle,
                                  HANDLE TargetProcessHandle, HPSS *TargetSnapshotHandle,
                                  PSS_DUPLICATE_FLAGS Flags)
{
    ENTER(DUPLICATE, ARGUMENT(SourceProcessHandle), ARGUMENT(SnapshotHandle),
          ARGUMENT(TargetProcessHandle), ARGUMENT(TargetSnapshotHandle), ARGUMENT(Flags));
    return give_snapshot(TargetSnapshotHandle);
}

DWORD WINAPI PssWalkMarkerCreate(const PSS_ALLOCATOR *Allocator, HPSSWALK *WalkMarkerHandle)
{
    struct marker *marker;

    ENTER(MARKER_CREATE, ARGUMENT(Allocator), ARGUMENT(WalkMarkerHandle));
    if (IS(MARKER_RAISES))
        return raise();
    if (IS(MARKER_IS_NULL))
        return ERROR_SUCCESS;
    marker = IS(MARKER_FAILS) ? NULL : Allocator->AllocRoutine(Allocator->Context, sizeof(*marker));
    if (!marker)
        return ERROR_NOT_ENOUGH_MEMORY;
    marker->allocator = *Allocator;
    marker->position = 0;
    InterlockedIncrement((LONG *)&stand_in.markers);
    *WalkMarkerHandle = (HPSSWALK)marker;
    return ERROR_SUCCESS;
}

DWORD WINAPI PssWalkMarkerFree(HPSSWALK WalkMarkerHandle)
{
    struct marker *marker = (struct marker *)WalkMarkerHandle;

    ENTER(MARKER_FREE, ARGUMENT(WalkMarkerHandle));
    marker->allocator.FreeRoutine(marker->allocator.Context, marker);
    InterlockedDecrement((LONG *)&stand_in.markers);
    if (IS(MARKER_FREE_RAISES))
        return raise();
    return IS(MARKER_FREE_FAILS) ? ERROR_INVALID_HANDLE : ERROR_SUCCESS;
}

DWORD WINAPI PssWalkMarkerGetPosition(HPSSWALK WalkMarkerHandle, ULONG_PTR *Position)
{
    ENTER(MARKER_GET_POSITION, ARGUMENT(WalkMarkerHandle), ARGUMENT(Position));
    *Position = ((const struct marker *)WalkMarkerHandle)->position;
    return ERROR_SUCCESS;
}

DWORD WINAPI PssWalkMarkerSetPosition(HPSSWALK WalkMarkerHandle, ULONG_PTR Position)
{
    ENTER(MARKER_SET_POSITION, ARGUMENT(WalkMarkerHandle), Position);
    ((struct marker *)WalkMarkerHandle)->position = Position;
    return ERROR_SUCCESS;
}

DWORD WINAPI PssWalkMarkerSeekToBeginning(HPSSWALK WalkMarkerHandle)
{
    ENTER(MARKER_SEEK_TO_BEGINNING, ARGUMENT(WalkMarkerHandle));
    ((struct marker *)WalkMarkerHandle)->position = 0;
    return ERROR_SUCCESS;
}

DWORD WINAPI PssWalkMarkerTell(HPSSWALK WalkMarkerHandle, ULONG_PTR *Position)
{
    ENTER(MARKER_TELL, ARGUMENT(WalkMarkerHandle), ARGUMENT(Position));
    *Position = ((const struct marker *)WalkMarkerHandle)->position;
    return ERROR_SUCCESS;
}

DWORD WINAPI PssWalkMarkerSeek(HPSSWALK WalkMarkerHandle, ULONG_PTR Position)
{
    ENTER(MARKER_SEEK, ARGUMENT(WalkMarkerHandle), Position);
    ((struct marker *)WalkMarkerHandle)->position = Position;
    return ERROR_SUCCESS;
}

DWORD WINAPI PssWalkMarkerRewind(HPSSWALK WalkMarkerHandle)
{
    ENTER(MARKER_REWIND, ARGUMENT(WalkMarkerHandle));
    ((struct marker *)WalkMarkerHandle)->position = 0;
    return ERROR_SUCCESS;
}
