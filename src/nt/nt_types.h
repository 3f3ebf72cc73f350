/* SPDX-License-Identifier: MIT */
/* What the native API says: structures, classes and constants, each with its source. */
#ifndef PSS_NT_TYPES_H
#define PSS_NT_TYPES_H

#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <winternl.h>

#include <stdint.h>

/*
 * "size" in a source line is asserted in nt.c. Unless a line says otherwise the fact holds since
 * Windows XP and was observed under Wine 8.0 and 10.0 as well.
 */

#define PSS_CURRENT_PROCESS ((HANDLE)(intptr_t)-1) /* source: wdm.h, ZwCurrentProcess */
#define PSS_CURRENT_THREAD  ((HANDLE)(intptr_t)-2) /* source: wdm.h, ZwCurrentThread */

#define PSS_STILL_ACTIVE 259u /* source: minwinbase.h, STILL_ACTIVE: exit status of what lives */

/* NtQuerySystemInformation classes. source: phnt ntexapi.h */
enum pss_system_class {
    PSS_NT_SYSTEM_EXTENDED_PROCESSES = 57, /* since: Windows Vista */
    PSS_NT_SYSTEM_EXTENDED_HANDLES = 64,
};

/* NtQueryInformationProcess classes. source: winternl.h and phnt ntpsapi.h */
enum pss_process_class {
    PSS_NT_PROCESS_BASIC = 0,
    PSS_NT_PROCESS_VM_COUNTERS = 3,
    PSS_NT_PROCESS_TIMES = 4,
    PSS_NT_PROCESS_PRIORITY_CLASS = 18,
    PSS_NT_PROCESS_WOW64 = 26,
    PSS_NT_PROCESS_IMAGE_FILE_NAME = 27,
    PSS_NT_PROCESS_HANDLE_TRACING = 32,
    PSS_NT_PROCESS_EXECUTE_FLAGS = 34,
    PSS_NT_PROCESS_IMAGE_FILE_NAME_WIN32 = 43, /* since: Windows Vista */
};

/* NtQueryInformationThread classes. source: winternl.h and phnt ntpsapi.h */
enum pss_thread_class {
    PSS_NT_THREAD_BASIC = 0,
    PSS_NT_THREAD_TIMES = 1,
    PSS_NT_THREAD_WIN32_START_ADDRESS = 9,
    PSS_NT_THREAD_LAST_SYSTEM_CALL = 21,
    PSS_NT_THREAD_CYCLE_TIME = 23,    /* since: Windows Vista; Wine 8.0 lacks it */
    PSS_NT_THREAD_SUSPEND_COUNT = 35, /* since: Windows 8.1 */
    PSS_NT_THREAD_NAME = 38,          /* since: Windows 10 1607 */
};

/*
 * ZeroBits of NtAllocateVirtualMemory, for an address that the system chooses for a 64-bit caller:
 * a mask of the bits that it may have, or the number of upper ones of the lower 32 that are zero,
 * with all above them. A 32-bit caller is given what it can name, also in a 64-bit process.
 * source: learn.microsoft.com, NtAllocateVirtualMemory (masks, without the version they came with);
 * LuaJIT lj_alloc.c (1 is below 2 GB); observed under Wine 8.0 and 10.0, by api_low_memory
 */
#define PSS_NT_ANYWHERE   0u
#define PSS_NT_BELOW_2_GB 1u
#define PSS_NT_BELOW_4_GB 0xFFFFFFFFu

/* NtQueryVirtualMemory classes. source: phnt ntmmapi.h */
enum pss_memory_class {
    PSS_NT_MEMORY_BASIC = 0,
    PSS_NT_MEMORY_MAPPED_FILE_NAME = 2,
};

/* NtQueryObject classes. source: winternl.h and phnt ntobapi.h */
enum pss_object_class {
    PSS_NT_OBJECT_BASIC = 0,
    PSS_NT_OBJECT_NAME = 1,
    PSS_NT_OBJECT_TYPE = 2,
    PSS_NT_OBJECT_TYPES = 3, /* of the system: no handle is asked for */
};

/* source: phnt ntexapi.h, SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX; size 40/28 */
struct pss_nt_handle_row {
    PVOID object; /* 0 under Wine and for callers without privilege */
    ULONG_PTR process_id;
    ULONG_PTR handle;
    ULONG granted_access;
    USHORT creator_back_trace_index;
    USHORT type_index; /* Wine: the lists of NtQueryObject have this plus 2 */
    ULONG attributes;  /* OBJ_INHERIT and PSS_OBJ_PROTECT_CLOSE; observed by test handles */
    ULONG reserved;
};

struct pss_nt_handle_table {
    ULONG_PTR count;
    ULONG_PTR reserved;
    struct pss_nt_handle_row rows[];
};

#define PSS_OBJ_PROTECT_CLOSE 1u /* source: phnt ntobapi.h */

/* source: phnt ntexapi.h, SYSTEM_EXTENDED_THREAD_INFORMATION; size 136/96 */
struct pss_nt_thread_row {
    LARGE_INTEGER kernel_time; /* 100 ns */
    LARGE_INTEGER user_time;   /* 100 ns */
    LARGE_INTEGER create_time;
    ULONG wait_time;
    PVOID start_address; /* of the kernel's start routine; 0 under Wine */
    CLIENT_ID id;
    LONG priority;      /* Wine: the increment, not the kernel value */
    LONG base_priority; /* Wine: the increment, not the kernel value */
    ULONG context_switches;
    ULONG state;
    ULONG wait_reason;
    ULONG padding; /* the short row, without what follows, is padded to 8 bytes */
    PVOID stack_base;
    PVOID stack_limit;
    PVOID win32_start_address;
    PVOID teb;
    ULONG_PTR reserved[3];
};

/* source: winternl.h and phnt ntexapi.h, SYSTEM_PROCESS_INFORMATION; size 256/184 */
struct pss_nt_process_row {
    ULONG next_offset; /* bytes to the next row; 0 in the last one */
    ULONG thread_count;
    LARGE_INTEGER working_set_private;
    ULONG hard_faults;
    ULONG threads_high_watermark;
    ULONGLONG cycle_time;
    LARGE_INTEGER create_time;
    LARGE_INTEGER user_time;   /* 100 ns */
    LARGE_INTEGER kernel_time; /* 100 ns */
    UNICODE_STRING image_name;
    LONG base_priority;
    HANDLE process_id;
    HANDLE parent_process_id;
    ULONG handle_count;
    ULONG session_id;
    ULONG_PTR unique_process_key;
    SIZE_T memory[12]; /* the VM counters; read from PSS_NT_PROCESS_VM_COUNTERS instead */
    LARGE_INTEGER transfers[6];
    struct pss_nt_thread_row threads[];
};

/* source: winternl.h, PROCESS_BASIC_INFORMATION; size 48/24 */
struct pss_nt_process_basic {
    NTSTATUS exit_status;
    PVOID peb;
    ULONG_PTR affinity;
    LONG base_priority; /* Wine: the number of the priority class, not the kernel value */
    ULONG_PTR process_id;
    ULONG_PTR parent_process_id;
};

/* source: phnt ntpsapi.h, PROCESS_EXTENDED_BASIC_INFORMATION; since: Windows 7 (8 for frozen) */
struct pss_nt_process_extended_basic {
    SIZE_T size; /* set by the caller */
    struct pss_nt_process_basic basic;
    ULONG flags; /* PSS_NT_PROCESS_* */
};

#define PSS_NT_PROCESS_PROTECTED 0x01u
#define PSS_NT_PROCESS_FROZEN    0x10u

/* source: phnt ntpsapi.h, VM_COUNTERS_EX; size 96/48 */
struct pss_nt_vm_counters {
    SIZE_T peak_virtual_size;
    SIZE_T virtual_size;
    ULONG page_fault_count;
    SIZE_T peak_working_set_size;
    SIZE_T working_set_size;
    SIZE_T quota_peak_paged_pool_usage;
    SIZE_T quota_paged_pool_usage;
    SIZE_T quota_peak_non_paged_pool_usage;
    SIZE_T quota_non_paged_pool_usage;
    SIZE_T pagefile_usage;
    SIZE_T peak_pagefile_usage;
    SIZE_T private_usage;
};

/* source: phnt ntpsapi.h, KERNEL_USER_TIMES; size 32 */
struct pss_nt_times {
    LARGE_INTEGER create_time;
    LARGE_INTEGER exit_time;   /* a process: 0 while alive */
    LARGE_INTEGER kernel_time; /* of a process under Wine: the caller's, whatever the handle */
    LARGE_INTEGER user_time;   /* likewise */
};

/*
 * source: phnt ntpsapi.h, PROCESS_PRIORITY_CLASS; size 2. A buffer that is not 4-byte aligned is
 * answered with STATUS_DATATYPE_MISALIGNMENT by Windows, as for every class of a process.
 */
struct pss_nt_priority_class {
    BOOLEAN foreground;
    UCHAR number; /* 1 idle, 2 normal, 3 high, 4 realtime, 5 below normal, 6 above normal */
};

/* source: winternl.h, THREAD_BASIC_INFORMATION; size 48/28 */
struct pss_nt_thread_basic {
    NTSTATUS exit_status;
    PVOID teb;
    CLIENT_ID id;
    ULONG_PTR affinity;
    LONG priority;      /* the kernel value; Wine: the increment */
    LONG base_priority; /* the increment over the base of the process */
};

/* source: phnt ntpsapi.h, THREAD_LAST_SYSCALL_INFORMATION; size 16/8 */
struct pss_nt_last_syscall {
    PVOID first_argument;
    USHORT number;
};

/* source: phnt ntpsapi.h, THREAD_CYCLE_TIME_INFORMATION; size 16 */
struct pss_nt_cycle_time {
    ULONGLONG accumulated;
    ULONGLONG current;
};

/* source: phnt ntpsapi.h, PROCESS_HANDLE_TRACING_QUERY; a zero handle asks for every trace */
struct pss_nt_handle_tracing {
    HANDLE handle;
    ULONG count;
};

/* source: winternl.h, PUBLIC_OBJECT_BASIC_INFORMATION, with phnt's names; size 56 */
struct pss_nt_object_basic {
    ULONG attributes;
    ULONG granted_access;
    ULONG handle_count;
    ULONG pointer_count;
    ULONG paged_pool_charge;
    ULONG non_paged_pool_charge;
    ULONG reserved[3];
    ULONG name_size;
    ULONG type_size;
    ULONG security_descriptor_size;
    LARGE_INTEGER creation_time; /* of symbolic links only */
};

/* source: winternl.h and phnt ntobapi.h, OBJECT_TYPE_INFORMATION; size 104/96 */
struct pss_nt_object_type {
    UNICODE_STRING name;
    ULONG totals[12]; /* objects, handles and charges, now and at the most */
    ULONG invalid_attributes;
    GENERIC_MAPPING generic_mapping;
    ULONG valid_access;
    BOOLEAN has_security, counts_handles;
    UCHAR index; /* since: Windows 8.1, before it is not written; Wine has it */
    CHAR reserved;
    ULONG pool_type, paged_pool_charge, non_paged_pool_charge;
};

/*
 * source: phnt ntobapi.h, OBJECT_TYPES_INFORMATION, and System Informer's PH_NEXT_OBJECT_TYPE: the
 * types follow in the order of their indices from 2 on. The first one, and each one behind the room
 * for a name, begins at a multiple of the size of a pointer.
 */
struct pss_nt_object_types {
    ULONG count;
};

#define PSS_NT_FIRST_TYPE_INDEX 2u

/* source: phnt ntexapi.h, EVENT_BASIC_INFORMATION */
struct pss_nt_event_basic {
    LONG type; /* 0 notification (manual reset), 1 synchronization */
    LONG state;
};

/* source: phnt ntexapi.h, MUTANT_BASIC_INFORMATION */
struct pss_nt_mutant_basic {
    LONG current_count;
    BOOLEAN owned_by_caller;
    BOOLEAN abandoned;
};

/* source: phnt ntexapi.h, SEMAPHORE_BASIC_INFORMATION */
struct pss_nt_semaphore_basic {
    LONG current_count;
    LONG maximum_count;
};

/* source: phnt ntmmapi.h, SECTION_BASIC_INFORMATION */
struct pss_nt_section_basic {
    PVOID base;
    ULONG attributes;
    LARGE_INTEGER maximum_size;
};

#define PSS_NT_VIEW_UNMAP 2u /* source: wdm.h, ViewUnmap: children do not inherit the view */

/* NtQueryEvent, NtQueryMutant, NtQuerySemaphore and NtQuerySection: class 0 is the basic one. */
#define PSS_NT_MUTANT_OWNER 1 /* answers a CLIENT_ID; since: Windows Vista; Wine lacks it */

/* source: phnt ntpsapi.h, PS_ATTRIBUTE; size 32/16 */
struct pss_nt_process_attribute {
    ULONG_PTR attribute; /* PSS_NT_ATTRIBUTE_* */
    SIZE_T size;         /* bytes of what value points at, or of the handle it is */
    ULONG_PTR value;
    SIZE_T *returned;
};

/* source: phnt ntpsapi.h, PS_ATTRIBUTE_LIST with room for three */
struct pss_nt_process_attributes {
    SIZE_T size; /* bytes in use */
    struct pss_nt_process_attribute items[3];
};

#define PSS_NT_ATTRIBUTE_PARENT_PROCESS 0x60000u
#define PSS_NT_ATTRIBUTE_IMAGE_NAME     0x20005u
#define PSS_NT_ATTRIBUTE_JOB_LIST       0x20013u /* since: Windows 10 */

/* source: phnt ntrtl.h, RTL_USER_PROCESS_PARAMETERS as of Windows Vista; size 1024/664 */
struct pss_nt_process_parameters {
    ULONG maximum_length;
    ULONG length;
    ULONG flags; /* PSS_NT_PARAMETERS_NORMALIZED */
    ULONG debug_flags;
    HANDLE console;
    ULONG console_flags;
    HANDLE standard[3];
    UNICODE_STRING current_directory;
    HANDLE current_directory_handle;
    UNICODE_STRING dll_path;
    UNICODE_STRING image;
    UNICODE_STRING command_line;
    PVOID environment;
    ULONG window[9];
    UNICODE_STRING window_title, desktop, shell, runtime;
    struct {
        USHORT flags, length;
        ULONG time_stamp;
        UNICODE_STRING path;
    } drives[32];
    ULONG_PTR environment_size; /* bytes */
    ULONG_PTR environment_version;
};

#define PSS_NT_PARAMETERS_NORMALIZED 1u /* the texts are told by pointers, not by offsets */

/* source: phnt ntpsapi.h, PS_CREATE_INFO; size 88/72 */
struct pss_nt_create_info {
    SIZE_T size; /* set by the caller */
    ULONG state;
    ULONG_PTR answer[sizeof(void *) == 8 ? 9 : 16];
};

/* Flags of NtCreateProcessEx and NtCreateUserProcess. source: phnt ntpsapi.h */
#define PSS_NT_CREATE_BREAKAWAY        0x0001u
#define PSS_NT_CREATE_NO_DEBUG_INHERIT 0x0002u
#define PSS_NT_CREATE_FORCE_BREAKAWAY  0x0400u /* since: Windows 8.1 */
#define PSS_NT_CREATE_RELEASE_SECTION  0x1000u /* since: Windows 8.1 */

#define PSS_NT_THREAD_CREATE_SUSPENDED 0x1u /* source: phnt ntpsapi.h */

#define PSS_NT_JOB_EXTENDED_LIMIT 9u /* source: winnt.h, JobObjectExtendedLimitInformation */

#define PSS_NT_EVENT_SYNCHRONIZATION 1u /* source: phnt ntexapi.h: it resets itself */

/* source: phnt ntioapi.h, FILE_NAMES_INFORMATION */
struct pss_nt_file_name {
    ULONG next_offset; /* bytes to the next one; 0 in the last one */
    ULONG index;
    ULONG length; /* bytes */
    WCHAR name[];
};

/* source: phnt ntpsapi.h; no DLL is told of such a thread. since: Windows Vista */
#define PSS_NT_THREAD_CREATE_SKIP_ATTACH 0x2u

#endif
