/* SPDX-License-Identifier: MIT */
/* The one seam to the system: a table with a pointer for each service, which tests replace. */
#ifndef PSS_NT_H
#define PSS_NT_H

#include "nt/nt_types.h"

/** What call_guarded calls. */
typedef void(NTAPI pss_nt_routine)(void *argument);

/**
 * The services pss.dll uses. Each has the signature and the meaning of the function its line names;
 * those without a native name, or with arguments of their own, are explained.
 *
 * A table is never changed while somebody uses it, and serves any number of threads.
 */
struct pss_nt {
    /* NtOpenProcess */
    NTSTATUS(NTAPI *open_process)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, CLIENT_ID *);
    /* NtQueryInformationProcess */
    NTSTATUS(NTAPI *query_process)(HANDLE, ULONG, void *, ULONG, ULONG *);
    /* NtGetNextThread; since: Windows Vista */
    NTSTATUS(NTAPI *get_next_thread)(HANDLE, HANDLE, ACCESS_MASK, ULONG, ULONG, HANDLE *);
    /* NtQueryInformationThread */
    NTSTATUS(NTAPI *query_thread)(HANDLE, ULONG, void *, ULONG, ULONG *);
    /* NtSuspendThread */
    NTSTATUS(NTAPI *suspend_thread)(HANDLE, ULONG *);
    /* NtResumeThread */
    NTSTATUS(NTAPI *resume_thread)(HANDLE, ULONG *);
    /* NtGetContextThread */
    NTSTATUS(NTAPI *get_context)(HANDLE, CONTEXT *);
    /* NtCreateThreadEx; since: Windows Vista */
    NTSTATUS(NTAPI *create_thread)
    (HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, HANDLE, void *, void *, ULONG, SIZE_T, SIZE_T,
     SIZE_T, void *);
    /* NtTerminateThread */
    NTSTATUS(NTAPI *terminate_thread)(HANDLE, NTSTATUS);
    /* NtWaitForSingleObject */
    NTSTATUS(NTAPI *wait)(HANDLE, BOOLEAN, LARGE_INTEGER *);
    /* NtCreateEvent */
    NTSTATUS(NTAPI *create_event)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, ULONG, BOOLEAN);
    /* NtSetEvent */
    NTSTATUS(NTAPI *set_event)(HANDLE, LONG *);

    /* NtCreateUserProcess; since: Windows Vista */
    NTSTATUS(NTAPI *create_user_process)
    (HANDLE *, HANDLE *, ACCESS_MASK, ACCESS_MASK, OBJECT_ATTRIBUTES *, OBJECT_ATTRIBUTES *, ULONG,
     ULONG, struct pss_nt_process_parameters *, struct pss_nt_create_info *,
     struct pss_nt_process_attributes *);
    /* NtCreateJobObject */
    NTSTATUS(NTAPI *create_job)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *);
    /* NtSetInformationJobObject */
    NTSTATUS(NTAPI *set_job)(HANDLE, ULONG, void *, ULONG);
    /* NtAssignProcessToJobObject */
    NTSTATUS(NTAPI *assign_job)(HANDLE, HANDLE);
    /* NtTerminateProcess */
    NTSTATUS(NTAPI *terminate_process)(HANDLE, NTSTATUS);

    /* NtQuerySystemInformation */
    NTSTATUS(NTAPI *query_system)(ULONG, void *, ULONG, ULONG *);
    /* NtQuerySystemTime */
    NTSTATUS(NTAPI *query_time)(LARGE_INTEGER *);
    /* NtQueryPerformanceCounter */
    NTSTATUS(NTAPI *query_counter)(LARGE_INTEGER *, LARGE_INTEGER *);

    /* NtQueryVirtualMemory */
    NTSTATUS(NTAPI *query_memory)(HANDLE, void *, ULONG, void *, SIZE_T, SIZE_T *);
    /* NtReadVirtualMemory */
    NTSTATUS(NTAPI *read_memory)(HANDLE, const void *, void *, SIZE_T, SIZE_T *);
    /* NtWriteVirtualMemory */
    NTSTATUS(NTAPI *write_memory)(HANDLE, void *, const void *, SIZE_T, SIZE_T *);
    /* NtProtectVirtualMemory */
    NTSTATUS(NTAPI *protect_memory)(HANDLE, void **, SIZE_T *, ULONG, ULONG *);
    /* NtAllocateVirtualMemory */
    NTSTATUS(NTAPI *allocate_memory)(HANDLE, void **, ULONG_PTR, SIZE_T *, ULONG, ULONG);
    /* NtFreeVirtualMemory */
    NTSTATUS(NTAPI *free_memory)(HANDLE, void **, SIZE_T *, ULONG);
    /* NtCreateSection */
    NTSTATUS(NTAPI *create_section)
    (HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, LARGE_INTEGER *, ULONG, ULONG, HANDLE);
    /* NtMapViewOfSection */
    NTSTATUS(NTAPI *map_view)
    (HANDLE, HANDLE, void **, ULONG_PTR, SIZE_T, LARGE_INTEGER *, SIZE_T *, ULONG, ULONG, ULONG);
    /* NtUnmapViewOfSection */
    NTSTATUS(NTAPI *unmap_view)(HANDLE, void *);

    /* NtOpenFile */
    NTSTATUS(NTAPI *open_file)
    (HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, IO_STATUS_BLOCK *, ULONG, ULONG);
    /* NtQueryDirectoryFile, for FileNamesInformation: handle, buffer, size, from the beginning */
    NTSTATUS(NTAPI *list_directory)(HANDLE, IO_STATUS_BLOCK *, void *, ULONG, BOOLEAN);
    /* NtReadFile of a synchronous handle, at an offset */
    NTSTATUS(NTAPI *read_file)(HANDLE, IO_STATUS_BLOCK *, void *, ULONG, LARGE_INTEGER *);
    /* NtWriteFile of a synchronous handle, at an offset */
    NTSTATUS(NTAPI *write_file)(HANDLE, IO_STATUS_BLOCK *, const void *, ULONG, LARGE_INTEGER *);

    /* NtDuplicateObject */
    NTSTATUS(NTAPI *duplicate)
    (HANDLE, HANDLE, HANDLE, HANDLE *, ACCESS_MASK, ULONG, ULONG);
    /* NtClose */
    NTSTATUS(NTAPI *close)(HANDLE);
    /* NtQueryObject */
    NTSTATUS(NTAPI *query_object)(HANDLE, ULONG, void *, ULONG, ULONG *);
    /* NtQueryEvent */
    NTSTATUS(NTAPI *query_event)(HANDLE, ULONG, void *, ULONG, ULONG *);
    /* NtQueryMutant */
    NTSTATUS(NTAPI *query_mutant)(HANDLE, ULONG, void *, ULONG, ULONG *);
    /* NtQuerySemaphore */
    NTSTATUS(NTAPI *query_semaphore)(HANDLE, ULONG, void *, ULONG, ULONG *);
    /* NtQuerySection */
    NTSTATUS(NTAPI *query_section)(HANDLE, ULONG, void *, SIZE_T, SIZE_T *);

    /* RtlCaptureContext: on x86 it describes the caller of its caller, found by frame pointers. */
    void(NTAPI *capture_context)(CONTEXT *);
    /* The ids of the calling thread, from its TEB. */
    CLIENT_ID(NTAPI *current_id)(void);
    /* The processor's time-stamp counter. */
    ULONGLONG(NTAPI *read_tsc)(void);
    /* RtlAllocateHeap and RtlFreeHeap on the process heap; NULL is freed without effect. */
    void *(NTAPI *allocate_heap)(SIZE_T);
    void(NTAPI *free_heap)(void *);
    /*
     * An export of ntdll that some systems lack, by name; NULL where it is missing. No lock is
     * taken: a thread that has crashed may hold the loader's.
     */
    void *(NTAPI *find_service)(const char *);

    /* LdrLockLoaderLock without waiting: STATUS_LOCK_NOT_GRANTED while another thread has it. */
    NTSTATUS(NTAPI *try_lock_loader)(ULONG_PTR *);
    /* LdrUnlockLoaderLock, with the number that the lock gave */
    void(NTAPI *unlock_loader)(ULONG_PTR);
    /* A module that is loaded, by name, and an export of one; NULL where it is missing. */
    void *(NTAPI *find_module)(const WCHAR *);
    void *(NTAPI *find_export)(void *, const char *);
    /*
     * RtlQueryEnvironmentVariable_U: name, and a buffer with its bytes; the value is terminated.
     * STATUS_LOCK_NOT_GRANTED while another thread has the lock of the environment.
     */
    NTSTATUS(NTAPI *query_environment)(const WCHAR *, WCHAR *, USHORT);
    /* NtDelayExecution */
    NTSTATUS(NTAPI *delay)(BOOLEAN, LARGE_INTEGER *);
    /*
     * Calls a routine with its argument: STATUS_SUCCESS, or the code of the exception that came out
     * of it. Never fails; the last-error value stays as it was.
     */
    NTSTATUS(NTAPI *call_guarded)(pss_nt_routine *, void *);
};

/** NtCreateProcessEx, which some systems lack: found by name. */
typedef NTSTATUS(NTAPI pss_nt_create_process)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, HANDLE,
                                              ULONG, HANDLE, HANDLE, HANDLE, ULONG);

/** The real services of the running system. Never NULL; lives as long as the module. */
const struct pss_nt *pss_nt_system(void);

/**
 * The Win32 code of a status, as RtlNtStatusToDosErrorNoTeb tells it: nothing in the TEB changes.
 */
DWORD pss_nt_win32_error(NTSTATUS status);

#endif
