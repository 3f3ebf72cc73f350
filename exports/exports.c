/* SPDX-License-Identifier: MIT */
/* The thirteen exported names. A status becomes a Win32 code here and nowhere else. */
#include "api/api.h"
#include "base/status.h"
#include "forward/forward.h"

/* The codes the contract gives these conditions, where the system's own table says otherwise. */
static DWORD win32_error(NTSTATUS status)
{
    switch (status) {
    case STATUS_SUCCESS:
        return ERROR_SUCCESS;
    case STATUS_INVALID_HANDLE:
    case STATUS_OBJECT_TYPE_MISMATCH:
        return ERROR_INVALID_HANDLE;
    case STATUS_INVALID_PARAMETER:
        return ERROR_INVALID_PARAMETER;
    case STATUS_NOT_FOUND:
        return ERROR_NOT_FOUND;
    case STATUS_INFO_LENGTH_MISMATCH:
        return ERROR_BAD_LENGTH;
    case STATUS_MORE_ENTRIES:
        return ERROR_MORE_DATA;
    case STATUS_NO_MORE_ENTRIES:
        return ERROR_NO_MORE_ITEMS;
    case STATUS_NOT_SUPPORTED:
        return ERROR_NOT_SUPPORTED;
    case STATUS_PARTIAL_COPY:
    case STATUS_PROCESS_IS_TERMINATING:
        return ERROR_PARTIAL_COPY;
    default:
        return pss_status_is_hard(status) ? ERROR_NOT_ENOUGH_MEMORY : pss_nt_win32_error(status);
    }
}

/*
 * Each export asks first who serves this process. The question that decides is one capture of the
 * system's; every later one is a look at one variable.
 */

DWORD WINAPI PssCaptureSnapshot(HANDLE ProcessHandle, PSS_CAPTURE_FLAGS CaptureFlags,
                                DWORD ThreadContextFlags, HPSS *SnapshotHandle)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->capture(ProcessHandle, CaptureFlags, ThreadContextFlags, SnapshotHandle);
    return win32_error(pss_snapshot_capture(pss_nt_system(), ProcessHandle, (uint32_t)CaptureFlags,
                                            ThreadContextFlags, SnapshotHandle));
}

DWORD WINAPI PssFreeSnapshot(HANDLE ProcessHandle, HPSS SnapshotHandle)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->free(ProcessHandle, SnapshotHandle);
    return win32_error(pss_snapshot_free(pss_nt_system(), ProcessHandle, SnapshotHandle));
}

DWORD WINAPI PssQuerySnapshot(HPSS SnapshotHandle, PSS_QUERY_INFORMATION_CLASS InformationClass,
                              void *Buffer, DWORD BufferLength)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->query(SnapshotHandle, InformationClass, Buffer, BufferLength);
    return win32_error(pss_snapshot_query(pss_nt_system(), SnapshotHandle,
                                          (uint32_t)InformationClass, Buffer, BufferLength));
}

DWORD WINAPI PssWalkSnapshot(HPSS SnapshotHandle, PSS_WALK_INFORMATION_CLASS InformationClass,
                             HPSSWALK WalkMarkerHandle, void *Buffer, DWORD BufferLength)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->walk(SnapshotHandle, InformationClass, WalkMarkerHandle, Buffer,
                            BufferLength);
    return win32_error(pss_snapshot_walk(SnapshotHandle, (uint32_t)InformationClass,
                                         WalkMarkerHandle, Buffer, BufferLength));
}

DWORD WINAPI PssDuplicateSnapshot(HANDLE SourceProcessHandle, HPSS SnapshotHandle,
                                  HANDLE TargetProcessHandle, HPSS *TargetSnapshotHandle,
                                  PSS_DUPLICATE_FLAGS Flags)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());
    const struct pss_duplication what = {.source = SourceProcessHandle,
                                         .target = TargetProcessHandle,
                                         .snapshot = SnapshotHandle,
                                         .flags = (uint32_t)Flags};

    if (system)
        return system->duplicate(SourceProcessHandle, SnapshotHandle, TargetProcessHandle,
                                 TargetSnapshotHandle, Flags);
    return win32_error(pss_snapshot_duplicate(pss_nt_system(), &what, TargetSnapshotHandle));
}

DWORD WINAPI PssWalkMarkerCreate(const PSS_ALLOCATOR *Allocator, HPSSWALK *WalkMarkerHandle)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->marker_create(Allocator, WalkMarkerHandle);
    return win32_error(pss_marker_create(pss_nt_system(), Allocator, WalkMarkerHandle));
}

DWORD WINAPI PssWalkMarkerFree(HPSSWALK WalkMarkerHandle)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->marker_free(WalkMarkerHandle);
    return win32_error(pss_marker_free(pss_nt_system(), WalkMarkerHandle));
}

DWORD WINAPI PssWalkMarkerGetPosition(HPSSWALK WalkMarkerHandle, ULONG_PTR *Position)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->marker_get_position(WalkMarkerHandle, Position);
    return win32_error(pss_marker_tell(WalkMarkerHandle, Position));
}

DWORD WINAPI PssWalkMarkerSetPosition(HPSSWALK WalkMarkerHandle, ULONG_PTR Position)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->marker_set_position(WalkMarkerHandle, Position);
    return win32_error(pss_marker_seek(WalkMarkerHandle, Position));
}

DWORD WINAPI PssWalkMarkerSeekToBeginning(HPSSWALK WalkMarkerHandle)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->marker_seek_to_beginning(WalkMarkerHandle);
    return win32_error(pss_marker_rewind(WalkMarkerHandle));
}

/* The last three are in no header; kernel32 exports them beside the ones they are named after. */

DWORD WINAPI PssWalkMarkerTell(HPSSWALK WalkMarkerHandle, ULONG_PTR *Position)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->marker_tell(WalkMarkerHandle, Position);
    return win32_error(pss_marker_tell(WalkMarkerHandle, Position));
}

DWORD WINAPI PssWalkMarkerSeek(HPSSWALK WalkMarkerHandle, ULONG_PTR Position)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->marker_seek(WalkMarkerHandle, Position);
    return win32_error(pss_marker_seek(WalkMarkerHandle, Position));
}

DWORD WINAPI PssWalkMarkerRewind(HPSSWALK WalkMarkerHandle)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->marker_rewind(WalkMarkerHandle);
    return win32_error(pss_marker_rewind(WalkMarkerHandle));
}

#ifdef PSS_DEFINE_IMPORTS
/*
 * What dllimport asks for, in the static library: a caller who is compiled for the DLL gets these
 * functions, too, and not those that the import library of kernel32 has. They stand in one object
 * with the functions, so that nobody gets the two from different libraries.
 */
#ifdef _WIN64
#define IMPORT_NAME(name, bytes) "__imp_" #name
#else
#define IMPORT_NAME(name, bytes) "__imp__" #name "@" #bytes
#endif
#define IMPORT(name, bytes)                                                         \
    extern __typeof__(&name) const import_##name __asm__(IMPORT_NAME(name, bytes)); \
    __typeof__(&name) const import_##name = name;

IMPORT(PssCaptureSnapshot, 16)
IMPORT(PssDuplicateSnapshot, 20)
IMPORT(PssFreeSnapshot, 8)
IMPORT(PssQuerySnapshot, 16)
IMPORT(PssWalkSnapshot, 20)
IMPORT(PssWalkMarkerCreate, 8)
IMPORT(PssWalkMarkerFree, 4)
IMPORT(PssWalkMarkerGetPosition, 8)
IMPORT(PssWalkMarkerSetPosition, 8)
IMPORT(PssWalkMarkerSeekToBeginning, 4)
IMPORT(PssWalkMarkerTell, 8)
IMPORT(PssWalkMarkerSeek, 8)
IMPORT(PssWalkMarkerRewind, 4)
#endif
