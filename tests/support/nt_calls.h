/* SPDX-License-Identifier: MIT */
/* The native calls and structures that the tests read the system's own truth with. */
#ifndef PSS_NT_CALLS_H
#define PSS_NT_CALLS_H

#include <windows.h>
#include <winternl.h>

/* source: learn.microsoft.com, "NtQueryInformationProcess", and phnt ntpsapi.h; since NT 3.1 */
struct nt_process_basic {
    NTSTATUS exit_status;
    PVOID peb;
    ULONG_PTR affinity;
    LONG base_priority;
    ULONG_PTR pid;
    ULONG_PTR parent_pid;
};

/* source: phnt ntpsapi.h, VM_COUNTERS_EX; since Windows XP */
struct nt_vm_counters {
    SIZE_T peak_virtual_size;
    SIZE_T virtual_size;
    ULONG page_fault_count;
    SIZE_T peak_working_set;
    SIZE_T working_set;
    SIZE_T quota_peak_paged;
    SIZE_T quota_paged;
    SIZE_T quota_peak_nonpaged;
    SIZE_T quota_nonpaged;
    SIZE_T pagefile;
    SIZE_T peak_pagefile;
    SIZE_T private_usage;
};

/* source: phnt ntpsapi.h, THREAD_BASIC_INFORMATION; since NT 3.1 */
struct nt_thread_basic {
    NTSTATUS exit_status;
    PVOID teb;
    CLIENT_ID id;
    ULONG_PTR affinity;
    LONG priority;
    LONG base_priority;
};

/* source: phnt ntexapi.h, SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX; since Windows XP */
struct nt_handle_row {
    PVOID object;
    ULONG_PTR pid;
    ULONG_PTR handle;
    ULONG access;
    USHORT trace_index;
    USHORT type_index;
    ULONG attributes;
    ULONG reserved;
};

/* source: phnt ntexapi.h, SYSTEM_HANDLE_INFORMATION_EX; since Windows XP */
struct nt_handle_table {
    ULONG_PTR count;
    ULONG_PTR reserved;
    struct nt_handle_row rows[1];
};

/* source: phnt ntobapi.h, OBJECT_BASIC_INFORMATION; since NT 3.1 */
struct nt_object_basic {
    ULONG attributes;
    ACCESS_MASK access;
    ULONG handle_count;
    ULONG pointer_count;
    ULONG paged_charge;
    ULONG nonpaged_charge;
    ULONG reserved[3];
    ULONG name_size;
    ULONG type_size;
    ULONG security_size;
    LARGE_INTEGER creation_time;
};

/* source: phnt ntexapi.h, EVENT_/MUTANT_/SEMAPHORE_BASIC_INFORMATION; since NT 3.1 */
struct nt_event_basic {
    LONG type; /* 0 notification (manual reset), 1 synchronization */
    LONG state;
};

struct nt_mutant_basic {
    LONG count;
    BOOLEAN owned_by_caller;
    BOOLEAN abandoned;
};

struct nt_semaphore_basic {
    LONG count;
    LONG maximum;
};

/* source: phnt ntmmapi.h, SECTION_BASIC_INFORMATION; since NT 3.1 */
struct nt_section_basic {
    PVOID base;
    ULONG attributes;
    LARGE_INTEGER size;
};

/* source: phnt ntexapi.h, SYSTEM_PROCESS_INFORMATION; since NT 3.1, with the fields up to Windows 7
 */
struct nt_system_process {
    ULONG next_offset;
    ULONG thread_count;
    LARGE_INTEGER working_set_private;
    ULONG hard_faults;
    ULONG threads_high_water;
    ULONGLONG cycles;
    LARGE_INTEGER create_time;
    LARGE_INTEGER user_time;
    LARGE_INTEGER kernel_time;
    UNICODE_STRING image_name;
    LONG base_priority;
    HANDLE pid;
    HANDLE parent_pid;
};

enum nt_class {
    NT_SYSTEM_PROCESSES = 5,
    NT_SYSTEM_HANDLES = 64,
    NT_PROCESS_BASIC = 0,
    NT_PROCESS_VM_COUNTERS = 3,
    NT_PROCESS_HANDLE_TRACING = 32,
    NT_PROCESS_EXECUTE_FLAGS = 34,
    NT_THREAD_BASIC = 0,
    NT_THREAD_START_ADDRESS = 9,
    NT_THREAD_SUSPEND_COUNT = 35,
    NT_THREAD_NAME = 38,
    NT_OBJECT_BASIC = 0,
    NT_OBJECT_NAME = 1,
    NT_OBJECT_TYPE = 2,
    NT_MUTANT_OWNER = 1,
};

#define NT_NO_MORE_ENTRIES ((NTSTATUS)0x8000001A)
#define NT_LENGTH_MISMATCH ((NTSTATUS)0xC0000004)

/* source: phnt; all are exported by the ntdll of Windows 7. */
NTSTATUS NTAPI NtSetInformationProcess(HANDLE process, PROCESSINFOCLASS what, PVOID data,
                                       ULONG size);
NTSTATUS NTAPI NtSuspendProcess(HANDLE process);
NTSTATUS NTAPI NtResumeProcess(HANDLE process);
NTSTATUS NTAPI NtGetNextThread(HANDLE process, HANDLE thread, ACCESS_MASK access, ULONG attributes,
                               ULONG flags, HANDLE *next);
NTSTATUS NTAPI NtWriteVirtualMemory(HANDLE process, PVOID address, const void *data, SIZE_T size,
                                    SIZE_T *done);
NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE process, PVOID *address, ULONG_PTR zero_bits,
                                       SIZE_T *size, ULONG type, ULONG protect);
NTSTATUS NTAPI DbgUiConnectToDbg(void);
NTSTATUS NTAPI NtQueryEvent(HANDLE event, ULONG what, PVOID data, ULONG size, ULONG *used);
NTSTATUS NTAPI NtQueryMutant(HANDLE mutant, ULONG what, PVOID data, ULONG size, ULONG *used);
NTSTATUS NTAPI NtQuerySemaphore(HANDLE semaphore, ULONG what, PVOID data, ULONG size, ULONG *used);
NTSTATUS NTAPI NtQuerySection(HANDLE section, ULONG what, PVOID data, SIZE_T size, SIZE_T *used);

/**
 * Reads the handle table of the whole system.
 *
 * \return The table, freed with free(); never NULL: it fails the test instead.
 */
struct nt_handle_table *nt_handle_table_read(void);

/**
 * Counts the handles that a process holds.
 *
 * \param pid [in] The process.
 */
DWORD nt_handles_count(DWORD pid);

#endif
