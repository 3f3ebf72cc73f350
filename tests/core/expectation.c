/* SPDX-License-Identifier: MIT */
/* The rules: tables fail the capture, items only when memory is out, optional facts never. */
#include "expectation.h"

#include "capture/capture.h"

#define SHARED_DATA_ADDRESS 0x7FFE0000u

enum rule {
    RULE_TABLE,    /* without it the snapshot would lie */
    RULE_ITEM,     /* a thread, a handle, a region */
    RULE_OPTIONAL, /* what the system does not tell is 0 */
    RULE_FIELD,    /* of an item, got by a way of its own: an item's rule or an optional one's */
};

static enum rule rule_of_process_query(const struct faulty_call *call,
                                       const struct expectation_case *what)
{
    switch (call->class_number) {
    case PSS_NT_PROCESS_BASIC:
        if (call->size != sizeof(struct pss_nt_process_basic))
            return RULE_OPTIONAL;
        return call->handle == what->process ? RULE_TABLE : RULE_FIELD;
    case PSS_NT_PROCESS_WOW64:
        return call->looks ? RULE_ITEM : RULE_TABLE;
    case PSS_NT_PROCESS_TIMES:
        return RULE_TABLE;
    case PSS_NT_PROCESS_HANDLE_TRACING:
    case PSS_NT_PROCESS_IMAGE_FILE_NAME_WIN32:
        return RULE_ITEM;
    default:
        return RULE_OPTIONAL;
    }
}

static enum rule rule_of_thread_query(const struct faulty_call *call)
{
    switch (call->class_number) {
    case PSS_NT_THREAD_CYCLE_TIME:
    case PSS_NT_THREAD_SUSPEND_COUNT:
    case PSS_NT_THREAD_LAST_SYSTEM_CALL:
        return RULE_OPTIONAL;
    default:
        return RULE_ITEM;
    }
}

static enum rule rule_of_object_query(const struct faulty_call *call,
                                      const struct expectation_case *what)
{
    if (call->thread != what->thread)
        return RULE_FIELD;
    if (call->handle == what->process && !call->looks)
        return RULE_TABLE; /* the rights of the client's handle */
    return RULE_ITEM;
}

/* Regions are read, and files named, on threads of their own; the names come after the thaw. */
static enum rule rule_of_thread_creation(const struct faulty_call *call,
                                         const struct expectation_case *what)
{
    if (call->is_frozen || !(what->flags & PSS_CAPTURE_HANDLE_NAME_INFORMATION))
        return RULE_TABLE;
    return RULE_ITEM;
}

static enum rule rule_of(const struct faulty_call *call, const struct expectation_case *what)
{
    switch (call->service) {
    case FAULTY_query_process:
        return rule_of_process_query(call, what);
    case FAULTY_query_thread:
        return rule_of_thread_query(call);
    case FAULTY_query_object:
        return rule_of_object_query(call, what);
    case FAULTY_query_memory:
        return call->class_number == PSS_NT_MEMORY_BASIC ? RULE_TABLE : RULE_ITEM;
    case FAULTY_read_memory: /* a PE header, or the page that was asked for */
        return call->address == (const void *)SHARED_DATA_ADDRESS ? RULE_ITEM : RULE_OPTIONAL;
    case FAULTY_create_thread:
        return rule_of_thread_creation(call, what);
    case FAULTY_get_next_thread:
    case FAULTY_query_system:
    case FAULTY_create_section:
    case FAULTY_map_view:
    case FAULTY_allocate_memory:
        return RULE_TABLE;
    case FAULTY_duplicate:
        return what->traces_handles ? RULE_TABLE : RULE_ITEM;
    case FAULTY_query_time:
    case FAULTY_query_counter:
    case FAULTY_find_service:
        return RULE_OPTIONAL;
    case FAULTY_open_process:
        return RULE_FIELD;
    default:
        return RULE_ITEM;
    }
}

/* What a sound system may say as well, with a meaning of its own. */
static int has_meaning(const struct faulty_call *call, NTSTATUS status)
{
    switch (call->service) {
    case FAULTY_query_memory: /* the end of the address space */
        return status == STATUS_INVALID_PARAMETER && (ULONG_PTR)call->address > SHARED_DATA_ADDRESS;
    case FAULTY_allocate_memory: /* no allocator says anything but that there is no memory */
        return !pss_status_is_hard(status);
    default:
        return 0;
    }
}

enum expectation expectation_of(const struct faulty_call *call, NTSTATUS status,
                                const struct expectation_case *what)
{
    if (has_meaning(call, status))
        return EXPECTATION_EITHER;
    if (call->service == FAULTY_wait)
        return EXPECTATION_TIMEOUT;
    if (call->service == FAULTY_query_system && status == STATUS_INFO_LENGTH_MISMATCH)
        return EXPECTATION_SUCCESS; /* the table has grown: it is asked again */
    if (call->service == FAULTY_query_system && pss_status_is_missing(status) &&
        call->class_number == PSS_NT_SYSTEM_EXTENDED_PROCESSES)
        return EXPECTATION_SUCCESS; /* what it would tell is asked of the process itself */
    if (call->service == FAULTY_get_next_thread && status == STATUS_PROCESS_IS_TERMINATING &&
        what->has_ended)
        return EXPECTATION_SUCCESS; /* some systems tell nothing of the threads of the dead */
    switch (rule_of(call, what)) {
    case RULE_TABLE:
        return EXPECTATION_FAILURE;
    case RULE_ITEM:
        return pss_status_is_hard(status) ? EXPECTATION_FAILURE : EXPECTATION_SUCCESS;
    case RULE_FIELD:
        return pss_status_is_hard(status) ? EXPECTATION_EITHER : EXPECTATION_SUCCESS;
    default:
        return EXPECTATION_SUCCESS;
    }
}
