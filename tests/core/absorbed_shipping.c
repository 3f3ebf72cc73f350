/* SPDX-License-Identifier: MIT */
/* The failures that duplicates and frees survive, or tell by another status. */
#include "absorbed.h"

/* Duplicates of handles that are made to look at what is there: of the clone, and of its job. */
#define HANDLES_LOOKED_AT 2u

static bool expectation_denied(NTSTATUS status)
{
    return status == STATUS_ACCESS_DENIED;
}

static bool expectation_unreadable(NTSTATUS status)
{
    return status == STATUS_PARTIAL_COPY || status == STATUS_PROCESS_IS_TERMINATING;
}

static bool expectation_other(NTSTATUS status)
{
    return status == STATUS_ACCESS_DENIED || expectation_unreadable(status);
}

static bool expectation_gone(NTSTATUS status)
{
    return status == STATUS_INVALID_PARAMETER || status == STATUS_PROCESS_IS_TERMINATING;
}

CONDITION(is_closing)
{
    return what->delivered && call->fallible > what->delivered;
}

/* Before anything is looked at: who are the parties? */
CONDITION(is_of_party)
{
    (void)call, (void)what;
    return !faulty_made_before(FAULTY_read_memory) && !faulty_made_before(FAULTY_query_memory) &&
           !faulty_made_before(FAULTY_duplicate);
}

CONDITION(is_of_source)
{
    return !what->is_free && call->handle != PSS_CURRENT_PROCESS;
}

CONDITION(is_first_look)
{
    (void)call;
    return what->is_free && faulty_made_before(FAULTY_duplicate) < HANDLES_LOOKED_AT;
}

CONDITION(is_first_answer)
{
    (void)call, (void)what;
    return faulty_made_before(FAULTY_duplicate) <= HANDLES_LOOKED_AT;
}

CONDITION(is_free)
{
    (void)call;
    return what->is_free;
}

CONDITION(is_release)
{
    (void)call;
    return what->is_free && faulty_made_before(FAULTY_duplicate) > HANDLES_LOOKED_AT;
}

/* Behind what the free looks at first: the rights of the handle to the process. */
CONDITION(is_count)
{
    (void)call;
    return what->is_free && faulty_made_before(FAULTY_duplicate);
}

CONDITION(is_of_mark)
{
    (void)call, (void)what;
    return faulty_made_before(FAULTY_map_view) != 0;
}

#if UINTPTR_MAX > UINT32_MAX
/* A 32-bit caller asks for no limit: its system gives it what it can name. */
CONDITION(is_below_limit)
{
    (void)what;
    return call->limit != 0;
}
#endif

static const struct expectation_row shipping[] = {
    ROW(SERVICE_COUNT, ANY_CLASS, is_closing, any, VERDICT_ABSORBED, STATUS_SUCCESS,
        "the duplicate is there; the source or a handle of it is left"),
    ABSORBED(query_process, PSS_NT_PROCESS_BASIC, is_of_party, denied,
             "nothing is missing: its memory tells who the process is"),
    FAILS(query_process, PSS_NT_PROCESS_BASIC, is_of_party, any,
          "not absorbed: who the process is"),
    TOLD_AS(query_process, PSS_NT_PROCESS_BASIC, is_first_answer, any, STATUS_INVALID_HANDLE,
            "STATUS_INVALID_HANDLE: what is no clone's handle is no snapshot's"),
    ABSORBED(query_process, PSS_NT_PROCESS_BASIC, is_free, any,
             "the handle that the other process's client was lent stays open"),
    ABSORBED(query_object, PSS_NT_OBJECT_BASIC, is_count, any,
             "the handle that the other process's client was lent stays open, or the clone ends"),
    TOLD_AS(query_memory, ANY_CLASS, NULL, any, STATUS_INVALID_HANDLE,
            "STATUS_INVALID_HANDLE: what cannot be found is no snapshot"),
    TOLD_AS(read_memory, ANY_CLASS, NULL, unreadable, STATUS_INVALID_HANDLE,
            "STATUS_INVALID_HANDLE: what cannot be read is no snapshot"),
    TOLD_AS(duplicate, ANY_CLASS, is_of_source, any, STATUS_INVALID_HANDLE,
            "STATUS_INVALID_HANDLE: what is no clone's handle is no snapshot's"),
    TOLD_AS(duplicate, ANY_CLASS, is_first_look, any, STATUS_INVALID_HANDLE,
            "STATUS_INVALID_HANDLE: what is no clone's handle is no snapshot's"),
    ABSORBED(duplicate, ANY_CLASS, is_free, any, "a handle stays open in the other process"),
    TOLD_AS(free_memory, ANY_CLASS, is_free, gone, STATUS_INVALID_HANDLE,
            "STATUS_INVALID_HANDLE: somebody else has freed it"),
#if UINTPTR_MAX > UINT32_MAX
    ABSORBED(allocate_memory, ANY_CLASS, is_below_limit, any,
             "nothing is missing: the snapshot may lie elsewhere"),
#endif
    TOLD_AS(allocate_memory, ANY_CLASS, is_release, gone, STATUS_INVALID_HANDLE,
            "STATUS_INVALID_HANDLE: no allocator says that"),
    TOLD_AS(create_thread, ANY_CLASS, is_release, gone, STATUS_INVALID_HANDLE,
            "STATUS_INVALID_HANDLE: somebody else has freed it"),
    UNCLEAR(wait, ANY_CLASS, NULL, any, STATUS_IO_TIMEOUT,
            "nothing is missing, or STATUS_IO_TIMEOUT"),
};

static const struct expectation_row own_free[] = {
    ABSORBED(query_process, PSS_NT_PROCESS_BASIC, NULL, denied,
             "nothing is missing: its memory tells who the process is"),
    ABSORBED(query_object, PSS_NT_OBJECT_BASIC, NULL, any,
             "the handle that the client was lent stays open, or the clone ends, whoever has it"),
    ABSORBED(read_memory, ANY_CLASS, is_of_mark, any,
             "the handle of the trace that the client was lent stays open"),
    TOLD_AS(read_memory, ANY_CLASS, NULL, other, STATUS_NOT_SUPPORTED,
            "STATUS_NOT_SUPPORTED: this process is taken for another"),
    ABSORBED(query_section, ANY_CLASS, NULL, any,
             "the handle of the trace that the client was lent stays open"),
    ABSORBED(map_view, ANY_CLASS, NULL, any,
             "the handle of the trace that the client was lent stays open"),
};

TABLE(absorbed_by_shipping, "duplicate, free", shipping, NULL);
TABLE(absorbed_by_free, "free of one's own", own_free, NULL);
