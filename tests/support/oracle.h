/* SPDX-License-Identifier: MIT */
/* What a plain program would see: the naive reimplementation that walks are compared with. */
#ifndef PSS_ORACLE_H
#define PSS_ORACLE_H

#include "harness.h"

#define ORACLE_TEXT 520

/** A region as VirtualQueryEx, GetMappedFileNameW and the PE header in memory tell it. */
struct oracle_region {
    MEMORY_BASIC_INFORMATION basic;
    DWORD time_stamp;
    DWORD image_size;
    DWORD check_sum;
    uint64_t image_base;
    WCHAR file[ORACLE_TEXT];
};

/** A thread as Toolhelp and the query calls tell it. */
struct oracle_thread {
    DWORD id;
    DWORD exit_code;
    uint64_t teb;
    uint64_t affinity;
    int priority;
    int base_priority;
    uint64_t create_time;
    uint64_t exit_time;
    uint64_t kernel_time;
    uint64_t user_time;
    uint64_t start_address;
    DWORD suspend_count;
    WCHAR name[ORACLE_TEXT];
};

/** A handle as the system's table and the queries on a duplicate tell it. */
struct oracle_handle {
    uint64_t value;
    DWORD access;
    DWORD attributes;
    bool duplicated; /* the fields below are known */
    DWORD handle_count;
    DWORD pointer_count;
    DWORD paged_charge;
    DWORD nonpaged_charge;
    WCHAR type[64];
    WCHAR name[ORACLE_TEXT];
};

/** Lists; the entries are freed with free(). */
struct oracle_regions {
    DWORD count;
    struct oracle_region *entries; /* owned */
};

struct oracle_threads {
    DWORD count;
    struct oracle_thread *entries; /* owned, oldest first */
};

struct oracle_handles {
    DWORD count;
    struct oracle_handle *entries; /* owned, ascending */
};

/** Read a process that stands still. */
struct oracle_regions oracle_regions_read(HANDLE process);
struct oracle_threads oracle_threads_read(DWORD pid);
struct oracle_handles oracle_handles_read(HANDLE process, DWORD pid);

/** Read one thread, or one duplicated handle. */
void oracle_thread_query(HANDLE thread, struct oracle_thread *result);
void oracle_object_query(HANDLE object, struct oracle_handle *result);

#endif
