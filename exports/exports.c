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
 * system's; every later one is a look at one variable. What ours have made stays with ours.
 */

/* The end of a call that makes something. */
static DWORD made(NTSTATUS status)
{
    pss_forward_served(NT_SUCCESS(status));
    return win32_error(status);
}

/* The end of a call that was given a handle: unless that means nothing to us, it is one of ours. */
static DWORD used(NTSTATUS status)
{
    pss_forward_served(status != STATUS_INVALID_HANDLE);
    return win32_error(status);
}

DWORD WINAPI PssCaptureSnapshot(HANDLE ProcessHandle, PSS_CAPTURE_FLAGS CaptureFlags,
                                DWORD ThreadContextFlags, HPSS *SnapshotHandle)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->capture(ProcessHandle, CaptureFlags, ThreadContextFlags, SnapshotHandle);
    return made(pss_snapshot_capture(pss_nt_system(), ProcessHandle, (uint32_t)CaptureFlags,
                                     ThreadContextFlags, SnapshotHandle));
}

DWORD WINAPI PssFreeSnapshot(HANDLE ProcessHandle, HPSS SnapshotHandle)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->free(ProcessHandle, SnapshotHandle);
    return used(pss_snapshot_free(pss_nt_system(), ProcessHandle, SnapshotHandle));
}

DWORD WINAPI PssQuerySnapshot(HPSS SnapshotHandle, PSS_QUERY_INFORMATION_CLASS InformationClass,
                              void *Buffer, DWORD BufferLength)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->query(SnapshotHandle, InformationClass, Buffer, BufferLength);
    return used(pss_snapshot_query(pss_nt_system(), SnapshotHandle, (uint32_t)InformationClass,
                                   Buffer, BufferLength));
}

DWORD WINAPI PssWalkSnapshot(HPSS SnapshotHandle, PSS_WALK_INFORMATION_CLASS InformationClass,
                             HPSSWALK WalkMarkerHandle, void *Buffer, DWORD BufferLength)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->walk(SnapshotHandle, InformationClass, WalkMarkerHandle, Buffer,
                            BufferLength);
    return used(pss_snapshot_walk(SnapshotHandle, (uint32_t)InformationClass, WalkMarkerHandle,
                                  Buffer, BufferLength));
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
    return used(pss_snapshot_duplicate(pss_nt_system(), &what, TargetSnapshotHandle));
}

DWORD WINAPI PssWalkMarkerCreate(const PSS_ALLOCATOR *Allocator, HPSSWALK *WalkMarkerHandle)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->marker_create(Allocator, WalkMarkerHandle);
    return made(pss_marker_create(pss_nt_system(), Allocator, WalkMarkerHandle));
}

DWORD WINAPI PssWalkMarkerFree(HPSSWALK WalkMarkerHandle)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->marker_free(WalkMarkerHandle);
    return used(pss_marker_free(pss_nt_system(), WalkMarkerHandle));
}

DWORD WINAPI PssWalkMarkerGetPosition(HPSSWALK WalkMarkerHandle, ULONG_PTR *Position)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->marker_get_position(WalkMarkerHandle, Position);
    return used(pss_marker_tell(WalkMarkerHandle, Position));
}

DWORD WINAPI PssWalkMarkerSetPosition(HPSSWALK WalkMarkerHandle, ULONG_PTR Position)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->marker_set_position(WalkMarkerHandle, Position);
    return used(pss_marker_seek(WalkMarkerHandle, Position));
}

DWORD WINAPI PssWalkMarkerSeekToBeginning(HPSSWALK WalkMarkerHandle)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->marker_seek_to_beginning(WalkMarkerHandle);
    return used(pss_marker_rewind(WalkMarkerHandle));
}

/* The last three are in no header; kernel32 exports them beside the ones they are named after. */

DWORD WINAPI PssWalkMarkerTell(HPSSWALK WalkMarkerHandle, ULONG_PTR *Position)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->marker_tell(WalkMarkerHandle, Position);
    return used(pss_marker_tell(WalkMarkerHandle, Position));
}

DWORD WINAPI PssWalkMarkerSeek(HPSSWALK WalkMarkerHandle, ULONG_PTR Position)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->marker_seek(WalkMarkerHandle, Position);
    return used(pss_marker_seek(WalkMarkerHandle, Position));
}

DWORD WINAPI PssWalkMarkerRewind(HPSSWALK WalkMarkerHandle)
{
    const struct pss_system_api *system = pss_forward_api(pss_nt_system());

    if (system)
        return system->marker_rewind(WalkMarkerHandle);
    return used(pss_marker_rewind(WalkMarkerHandle));
}
