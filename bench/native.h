/* SPDX-License-Identifier: MIT */
/* The native functions and structures that a user's own loops need, where winternl.h lacks them. */
#ifndef PSS_BENCH_NATIVE_H
#define PSS_BENCH_NATIVE_H

#include <windows.h>
#include <winternl.h>

/* source: phnt */
NTSYSAPI NTSTATUS NTAPI NtQueryEvent(HANDLE, ULONG, void *, ULONG, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtQueryMutant(HANDLE, ULONG, void *, ULONG, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtQuerySemaphore(HANDLE, ULONG, void *, ULONG, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtQuerySection(HANDLE, ULONG, void *, SIZE_T, SIZE_T *);

/* Information classes. source: phnt */
#define SYSTEM_EXTENDED_HANDLES ((SYSTEM_INFORMATION_CLASS)64)
#define PROCESS_BASIC           ((PROCESSINFOCLASS)0)
#define PROCESS_WOW64           ((PROCESSINFOCLASS)26)
#define THREAD_BASIC            ((THREADINFOCLASS)0)
#define THREAD_TIMES            ((THREADINFOCLASS)1)
#define THREAD_START_ADDRESS    ((THREADINFOCLASS)9)
#define THREAD_SUSPEND_COUNT    ((THREADINFOCLASS)35)
#define THREAD_NAME             ((THREADINFOCLASS)38)
#define OBJECT_NAME             ((OBJECT_INFORMATION_CLASS)1)
#define MUTANT_OWNER            1

#ifndef STATUS_INFO_LENGTH_MISMATCH /* source: ntstatus.h */
#define STATUS_INFO_LENGTH_MISMATCH ((NTSTATUS)0xC0000004)
#endif

/* source: phnt ntexapi.h, SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX */
struct handle_row {
    void *object;
    ULONG_PTR process_id;
    ULONG_PTR handle;
    ULONG granted_access;
    USHORT creator_back_trace_index;
    USHORT type_index;
    ULONG attributes;
    ULONG reserved;
};

struct handle_table {
    ULONG_PTR count;
    ULONG_PTR reserved;
    struct handle_row rows[1];
};

/* source: winternl.h, THREAD_BASIC_INFORMATION */
struct thread_basic {
    NTSTATUS exit_status;
    void *teb;
    CLIENT_ID id;
    ULONG_PTR affinity;
    LONG priority;
    LONG base_priority;
};

/* source: phnt ntpsapi.h, KERNEL_USER_TIMES */
struct thread_times {
    LARGE_INTEGER create_time, exit_time, kernel_time, user_time;
};

/* Text after its UNICODE_STRING, as most name queries answer. */
struct text_answer {
    UNICODE_STRING text;
    WCHAR space[0x1000];
};

/* source: phnt ntmmapi.h, SECTION_BASIC_INFORMATION */
struct section_basic {
    void *base;
    ULONG attributes;
    LARGE_INTEGER maximum_size;
};

#endif
