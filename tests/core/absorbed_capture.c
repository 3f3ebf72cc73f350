/* SPDX-License-Identifier: MIT */
/* The failures that a capture survives, and what its record says then: docs/failures.md. */
#include "absorbed.h"

#include "capture/capture.h"

#define SHARED_DATA_ADDRESS 0x7FFE0000u
#define FIRST_TABLE_BYTES   0x20000u /* what is asked for first of a table of the system */

CONDITION(is_extended)
{
    (void)what;
    return call->size != sizeof(struct pss_nt_process_basic);
}

/* The process of a thread that is no one of the target's. */
CONDITION(is_just_opened)
{
    (void)what;
    return call->before == FAULTY_open_process;
}

CONDITION(is_other_process)
{
    return call->handle != what->process;
}

/* Not while the target is opened, but of a process that it has a handle to. */
CONDITION(is_later)
{
    (void)what;
    return call->looks != 0;
}

CONDITION(is_on_helper)
{
    return call->thread != what->thread;
}

CONDITION(is_in_user_space)
{
    (void)what;
    return (ULONG_PTR)call->address > SHARED_DATA_ADDRESS;
}

CONDITION(is_shared_page)
{
    (void)what;
    return call->address == (const void *)SHARED_DATA_ADDRESS;
}

#define HANDLE_DETAILS                                                            \
    (PSS_CAPTURE_HANDLE_NAME_INFORMATION | PSS_CAPTURE_HANDLE_BASIC_INFORMATION | \
     PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION)

/* Files are named and closed on threads, after the thaw; regions are read on others before. */
CONDITION(is_for_files)
{
    return !call->is_frozen && what->flags & HANDLE_DETAILS;
}

/* The locks have names. */
CONDITION(is_for_lock)
{
    (void)what;
    return call->before == FAULTY_create_mutant;
}

CONDITION(is_for_watch)
{
    (void)what;
    return call->before == FAULTY_create_event && faulty_made_before(FAULTY_create_mutant) != 0;
}

CONDITION(is_for_details)
{
    (void)call;
    return (what->flags & (HANDLE_DETAILS | PSS_CAPTURE_HANDLE_TRACE)) != 0;
}

CONDITION(is_as_large_as_a_table)
{
    (void)what;
    return call->size == FIRST_TABLE_BYTES;
}

CONDITION(has_no_trace)
{
    (void)call;
    return !what->traces_handles;
}

CONDITION(is_of_the_dead)
{
    (void)call;
    return what->has_ended;
}

CONDITION(is_process_table)
{
    (void)what;
    return call->class_number == PSS_NT_SYSTEM_EXTENDED_PROCESSES;
}

CONDITION(is_after_wait)
{
    (void)what;
    return call->before == FAULTY_wait;
}

static bool expectation_end(NTSTATUS status)
{
    return status == STATUS_INVALID_PARAMETER;
}

static bool expectation_grown(NTSTATUS status)
{
    return status == STATUS_INFO_LENGTH_MISMATCH;
}

static bool expectation_ending(NTSTATUS status)
{
    return status == STATUS_PROCESS_IS_TERMINATING;
}

#if UINTPTR_MAX > UINT32_MAX
/* A 32-bit caller asks for no limit: its system gives it what it can name. */
CONDITION(is_below_limit)
{
    (void)what;
    return call->limit != 0;
}
#endif

static const struct expectation_row rows[] = {
    ABSORBED(query_process, PSS_NT_PROCESS_BASIC, is_extended, any,
             "the flags PROTECTED and FROZEN are not told"),
    ABSORBED(query_process, PSS_NT_PROCESS_BASIC, is_just_opened, any,
             "the priorities of another process's thread are counted from 8"),
    ABSORBED(query_process, PSS_NT_PROCESS_BASIC, is_other_process, soft,
             "a process handle comes without data by type"),
    ABSORBED(query_process, PSS_NT_PROCESS_WOW64, is_later, soft,
             "a process handle comes without data by type"),
    UNCLEAR(query_process, PSS_NT_PROCESS_TIMES, is_after_wait, any, STATUS_IO_TIMEOUT,
            "STATUS_IO_TIMEOUT: the target is not believed to live"),
    ABSORBED(query_process, PSS_NT_PROCESS_VM_COUNTERS, NULL, any, "the memory counters are 0"),
    ABSORBED(query_process, PSS_NT_PROCESS_EXECUTE_FLAGS, NULL, any, "the execute flags are 0"),
    ABSORBED(query_process, PSS_NT_PROCESS_PRIORITY_CLASS, NULL, any,
             "the priority class is 0, the base priority as the system told it"),
    ABSORBED(query_process, PSS_NT_PROCESS_IMAGE_FILE_NAME_WIN32, NULL, soft,
             "the process has no image name"),
    ABSORBED(query_process, PSS_NT_PROCESS_HANDLE_TRACING, NULL, soft, "there is no handle trace"),
    ABSORBED(query_thread, PSS_NT_THREAD_CYCLE_TIME, NULL, any,
             "cycles are those of the time-stamp counter"),
    ABSORBED(query_thread, PSS_NT_THREAD_SUSPEND_COUNT, NULL, any, "the suspend count is 0"),
    ABSORBED(query_thread, PSS_NT_THREAD_LAST_SYSTEM_CALL, NULL, any, "the last system call is 0"),
    ABSORBED(query_thread, PSS_NT_THREAD_BASIC, NULL, soft,
             "the thread is not listed, or its handle has no data by type"),
    ABSORBED(query_thread, PSS_NT_THREAD_TIMES, NULL, soft, "the thread's times are 0"),
    ABSORBED(query_thread, PSS_NT_THREAD_WIN32_START_ADDRESS, NULL, soft,
             "the thread's start address is 0"),
    ABSORBED(query_thread, PSS_NT_THREAD_NAME, NULL, soft, "the thread has no name"),
    ABSORBED(query_object, PSS_NT_OBJECT_NAME, is_on_helper, any, "the file has no name"),
    ABSORBED(query_object, PSS_NT_OBJECT_NAME, NULL, soft, "the object has no name"),
    ABSORBED(query_object, PSS_NT_OBJECT_TYPE, NULL, soft,
             "the handle has no type, and no data by type"),
    ABSORBED(query_object, PSS_NT_OBJECT_TYPES, NULL, soft,
             "each object is asked for its type; what cannot be duplicated has none"),
    ABSORBED(query_object, PSS_NT_OBJECT_BASIC, is_later, soft,
             "the handle has no counts, or they have duplicates of ours in them"),
    ABSORBED(query_memory, PSS_NT_MEMORY_BASIC, is_in_user_space, end,
             "the address space ends there"),
    ABSORBED(query_memory, PSS_NT_MEMORY_MAPPED_FILE_NAME, NULL, soft,
             "the mapping has no file name"),
    ABSORBED(read_memory, ANY_CLASS, is_shared_page, soft, "the auxiliary page has no contents"),
    FAILS(read_memory, ANY_CLASS, is_shared_page, any, "not absorbed: out of memory"),
    ABSORBED(read_memory, ANY_CLASS, NULL, any,
             "the fields of the PE header are 0, or the mapping has no file name"),
    ABSORBED(create_thread, ANY_CLASS, is_for_watch, soft, "the freeze is not watched"),
    ABSORBED(create_thread, ANY_CLASS, is_for_files, soft, "the remaining files have no names"),
    ABSORBED(get_next_thread, ANY_CLASS, is_of_the_dead, ending,
             "a process that has ended has no threads"),
    ABSORBED(suspend_thread, ANY_CLASS, NULL, soft, "the thread runs on, and has no context"),
    ABSORBED(get_context, ANY_CLASS, NULL, soft, "the thread has no context"),
    ABSORBED(create_event, ANY_CLASS, NULL, soft,
             "each object is asked for its type, or the freeze is not watched"),
    ABSORBED(create_mutant, ANY_CLASS, NULL, soft,
             "the lock against other captures is done without"),
    ABSORBED(wait, ANY_CLASS, is_for_lock, any, "the lock against other captures is done without"),
    ABSORBED(wait, ANY_CLASS, is_for_files, any,
             "the file that was asked for last has no name, or its duplicate stays"),
    UNCLEAR(wait, ANY_CLASS, NULL, any, STATUS_IO_TIMEOUT,
            "nothing is missing, or STATUS_IO_TIMEOUT: the regions cannot be waited for"),
    ABSORBED(query_system, ANY_CLASS, NULL, grown,
             "nothing is missing: the table is asked for again"),
    ABSORBED(query_system, ANY_CLASS, is_process_table, missing,
             "the CPU times of a process may be missing"),
#if UINTPTR_MAX > UINT32_MAX
    ABSORBED(allocate_memory, ANY_CLASS, is_below_limit, any,
             "nothing is missing: the snapshot may lie elsewhere"),
#endif
    UNCLEAR(allocate_memory, ANY_CLASS, is_for_details, soft, STATUS_SUCCESS,
            "file names, counts or the trace are missing, or the status is told"),
    UNCLEAR(allocate_memory, ANY_CLASS, is_as_large_as_a_table, missing, STATUS_SUCCESS,
            "the CPU times of a process may be missing, or the status is told"),
    ABSORBED(duplicate, ANY_CLASS, has_no_trace, soft,
             "the handle or thread tells less, or its counts are too high, or nobody watches"),
    ABSORBED(query_time, ANY_CLASS, NULL, any, "the time of the capture is 0"),
    ABSORBED(query_counter, ANY_CLASS, NULL, any, "the performance counters are 0"),
    ABSORBED(find_service, ANY_CLASS, NULL, any, "contexts have no extended part"),
    ABSORBED(open_process, ANY_CLASS, NULL, any,
             "the priorities of another process's thread are counted from 8"),
    ABSORBED(query_event, ANY_CLASS, NULL, soft, "the event has no data by type"),
    ABSORBED(query_mutant, PSS_NT_MUTANT_OWNER, NULL, soft, "the mutant has no owner"),
    ABSORBED(query_mutant, ANY_CLASS, NULL, soft, "the mutant has no data by type"),
    ABSORBED(query_semaphore, ANY_CLASS, NULL, soft, "the semaphore has no data by type"),
    ABSORBED(query_section, ANY_CLASS, NULL, soft, "the section has no data by type"),
};

TABLE(absorbed_by_capture, "capture", rows, NULL);
