/* SPDX-License-Identifier: MIT */
/* The failures that a capture with a clone survives beside those of every capture. */
#include "absorbed.h"

#include "capture/capture.h"

/* What is read at once to tell the target's memory file from others. */
#define PROBE_BYTES (sizeof(void *) == 8 ? 0x2000u : 0x3000u)

static bool expectation_end(NTSTATUS status)
{
    return status == STATUS_INVALID_PARAMETER;
}

static bool expectation_taken(NTSTATUS status)
{
    return status == STATUS_INVALID_PARAMETER || status == STATUS_CONFLICTING_ADDRESSES;
}

static bool expectation_unlucky(NTSTATUS status)
{
    return status == STATUS_INTERNAL_ERROR;
}

static bool expectation_taken_back(NTSTATUS status)
{
    return status == STATUS_INVALID_HANDLE;
}

static bool expectation_gone(NTSTATUS status)
{
    return status == STATUS_OBJECT_NAME_NOT_FOUND;
}

/* Out of memory, or the end of the target: no page is given up for that. */
static bool expectation_fatal(NTSTATUS status)
{
    return pss_status_is_hard(status) || status == STATUS_PROCESS_IS_TERMINATING;
}

CONDITION(is_of_carrier)
{
    (void)what;
    return call->is_carrier;
}

/* What an image became that was mapped there. */
CONDITION(is_of_layout)
{
    (void)what;
    return call->is_carrier && faulty_made_before(FAULTY_map_view);
}

#ifndef _WIN64
/* Only in a 32-bit process: a TEB of the other bitness may not be there. */
CONDITION(is_of_other_bitness)
{
    (void)what;
    return call->is_carrier && !call->is_frozen && call->size == 8;
}
#endif

CONDITION(is_before_freeze)
{
    (void)what;
    return !call->is_carrier && !call->is_frozen;
}

/* By the copiers, of which one looks for the target's file first. */
CONDITION(is_probe)
{
    (void)what;
    return !call->is_carrier && call->is_frozen && call->size == PROBE_BYTES;
}

CONDITION(is_of_target)
{
    (void)what;
    return !call->is_carrier;
}

CONDITION(is_nonce)
{
    (void)what;
    return !call->is_frozen;
}

/* On the carrier's worker: the target's threads are looked at to tell its memory file. */
CONDITION(is_for_route)
{
    return call->thread != what->thread &&
           (call->service == FAULTY_get_next_thread || call->before == FAULTY_get_next_thread);
}

CONDITION(is_on_worker)
{
    return call->thread != what->thread;
}

CONDITION(is_first_worker)
{
    (void)call, (void)what;
    return faulty_made_before(FAULTY_create_thread) == 0;
}

/* The locks of the freeze are taken when the clone's threads are there. */
CONDITION(is_for_freeze)
{
    (void)what;
    return faulty_made_before(FAULTY_create_mutant) != 0 &&
           (call->service == FAULTY_create_event || call->before == FAULTY_create_event);
}

/* Rights on a thread, or the calling thread for the watcher. */
CONDITION(is_of_thread)
{
    (void)what;
    return call->before == FAULTY_query_thread || (call->before == FAULTY_allocate_memory &&
                                                   faulty_made_before(FAULTY_create_mutant) != 0);
}

CONDITION(is_second_worker)
{
    (void)call, (void)what;
    return faulty_made_before(FAULTY_create_thread) == 1;
}

CONDITION(is_after_wait)
{
    (void)what;
    return call->before == FAULTY_wait;
}

static const struct expectation_row rows[] = {
    FAILS(query_process, PSS_NT_PROCESS_WOW64, is_of_carrier, any,
          "not absorbed: whether the clone has the target's bitness"),
    ABSORBED(find_service, ANY_CLASS, NULL, any,
             "the memory is copied, where the system clones, too"),
    ABSORBED(query_process, PSS_NT_PROCESS_IMAGE_FILE_NAME, NULL, gone,
             "the clone is of the capturing program's image"),
    ABSORBED(create_user_process, ANY_CLASS, NULL, gone,
             "the clone is of the capturing program's image"),
    ABSORBED(create_user_process, ANY_CLASS, NULL, unlucky,
             "nothing is missing: the clone's process is made again"),
    UNCLEAR(query_process, PSS_NT_PROCESS_TIMES, is_of_carrier, any, STATUS_PROCESS_IS_TERMINATING,
            "STATUS_PROCESS_IS_TERMINATING: the clone is not believed to live"),
    UNCLEAR(query_process, PSS_NT_PROCESS_TIMES, is_after_wait, any, STATUS_IO_TIMEOUT,
            "STATUS_IO_TIMEOUT: the target is not believed to live"),
#ifndef _WIN64
    UNCLEAR(read_memory, ANY_CLASS, is_of_other_bitness, any, STATUS_SUCCESS,
            "the clone's blocks of the other bitness are not stripped"),
#endif
    FAILS(read_memory, ANY_CLASS, is_of_carrier, any,
          "not absorbed: what the clone has is not known"),
    ABSORBED(read_memory, ANY_CLASS, is_before_freeze, any,
             "the memory is copied by calls, or the clone's blocks are not the target's"),
    UNCLEAR(read_memory, ANY_CLASS, is_probe, fatal, STATUS_SUCCESS,
            "the memory is copied by calls"),
    FAILS(read_memory, ANY_CLASS, is_of_target, fatal,
          "not absorbed: out of memory, and a target that ends"),
    ABSORBED(read_memory, ANY_CLASS, is_of_target, any,
             "the rest of the region is zero, and counted as missing"),
    ABSORBED(write_memory, ANY_CLASS, is_nonce, any, "the memory is copied by calls"),
    ABSORBED(get_next_thread, ANY_CLASS, is_for_route, any, "the memory is copied by calls"),
    ABSORBED(query_thread, PSS_NT_THREAD_BASIC, is_for_route, any, "the memory is copied by calls"),
    FAILS(query_thread, PSS_NT_THREAD_BASIC, is_on_worker, any, "not absorbed: the clone's thread"),
    ABSORBED(open_file, ANY_CLASS, NULL, any,
             "an image is copied, or the memory is copied by calls"),
    ABSORBED(list_directory, ANY_CLASS, NULL, any, "the memory is copied by calls"),
    ABSORBED(read_file, ANY_CLASS, NULL, any, "these bytes are copied by calls"),
    ABSORBED(write_file, ANY_CLASS, NULL, any, "these bytes are copied by calls"),
    ABSORBED(query_memory, PSS_NT_MEMORY_MAPPED_FILE_NAME, NULL, any, "an image is copied"),
    ABSORBED(create_section, ANY_CLASS, NULL, any, "an image is copied"),
    ABSORBED(map_view, ANY_CLASS, NULL, any, "an image is copied"),
    ABSORBED(query_memory, PSS_NT_MEMORY_BASIC, is_of_layout, any, "an image is copied"),
    UNCLEAR(query_memory, PSS_NT_MEMORY_BASIC, is_of_carrier, end, STATUS_SUCCESS,
            "the clone keeps views of its own behind that address"),
    FAILS(query_memory, PSS_NT_MEMORY_BASIC, is_of_carrier, any,
          "not absorbed: what the clone has is not known"),
    ABSORBED(free_memory, ANY_CLASS, is_of_carrier, any, "the clone keeps memory of its own"),
    UNCLEAR(allocate_memory, ANY_CLASS, is_of_carrier, taken, STATUS_CONFLICTING_ADDRESSES,
            "the region is missing, or STATUS_CONFLICTING_ADDRESSES"),
    ABSORBED(protect_memory, ANY_CLASS, NULL, any, "a region has another protection"),
    ABSORBED(create_event, ANY_CLASS, is_for_freeze, soft, "the freeze is not watched"),
    FAILS(create_event, ANY_CLASS, is_first_worker, any, "not absorbed: nothing can be copied"),
    ABSORBED(create_thread, ANY_CLASS, is_for_freeze, soft, "the freeze is not watched"),
    ABSORBED(duplicate, ANY_CLASS, is_of_thread, soft,
             "the thread has no context, or the freeze is not watched"),
    ABSORBED(create_event, ANY_CLASS, is_second_worker, any, "one thread copies instead of two"),
    ABSORBED(create_thread, ANY_CLASS, is_second_worker, any, "one thread copies instead of two"),
    ABSORBED(duplicate, ANY_CLASS, is_of_carrier, taken_back,
             "the handle that the clone was born with counts as gone"),
    FAILS(duplicate, ANY_CLASS, NULL, any, "not absorbed: the handle of the clone"),
};

TABLE(absorbed_by_clone, "clone", rows, &absorbed_by_capture);
