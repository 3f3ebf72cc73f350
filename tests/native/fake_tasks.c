/* SPDX-License-Identifier: MIT */
/* The fake kernel's answers about processes and threads. */
#include "fake_answers.h"
#include "fake_services.h"
#include "fake_threads.h"

#include <string.h>

/* The extended context of the fake: CONTEXT, CONTEXT_EX, and an area with a mask and one value. */
struct fake_xstate {
    uint64_t mask, compaction, reserved[6];
    uint64_t value;
};

struct fake_extended {
    struct {
        LONG offset;
        ULONG length;
    } all, legacy, xstate;
    ULONG padding[2];
    struct fake_xstate area;
};

#define MOST_SUSPENSIONS  127u
#define EXTENDED_LENGTH   (sizeof(CONTEXT) + sizeof(struct fake_extended))
#define EXTENDED_FEATURE  4u /* AVX */
#define EXTENDED_FLAG     0x40u
#define EXCEPTION_REQUEST 0x40000000u

NTSTATUS fake_give(void *buffer, SIZE_T size, ULONG *returned, const void *answer, SIZE_T needed)
{
    if (returned)
        *returned = (ULONG)needed;
    if (size != needed)
        return STATUS_INFO_LENGTH_MISMATCH;
    memcpy(buffer, answer, needed);
    return STATUS_SUCCESS;
}

NTSTATUS fake_give_text(void *buffer, SIZE_T size, ULONG *returned, struct fake_text text,
                        SIZE_T head)
{
    SIZE_T needed = head + (text.length ? text.length + sizeof(WCHAR) : 0);
    UNICODE_STRING *string = buffer;
    char *start = (char *)buffer + head;

    if (returned)
        *returned = (ULONG)needed;
    if (size < needed)
        return STATUS_INFO_LENGTH_MISMATCH;
    memset(buffer, 0, head);
    if (!text.length)
        return STATUS_SUCCESS;
    memcpy(start, text.text, text.length);
    memset(start + text.length, 0, sizeof(WCHAR));
    string->Buffer = (WCHAR *)(void *)start;
    string->Length = (USHORT)text.length;
    string->MaximumLength = (USHORT)text.length;
    return STATUS_SUCCESS;
}

static NTSTATUS give_extended_basic(const struct fake_process *process, void *buffer)
{
    struct pss_nt_process_extended_basic answer = {.size = sizeof(answer)};

    if (!fake.has_extended_basic)
        return STATUS_INFO_LENGTH_MISMATCH;
    answer.basic = process->basic;
    answer.flags = process->extended_flags;
    memcpy(buffer, &answer, sizeof(answer));
    return STATUS_SUCCESS;
}

static NTSTATUS give_trace(const struct fake_process *process, void *buffer, ULONG size,
                           ULONG *returned)
{
    if (!process->trace)
        return STATUS_INVALID_PARAMETER;
    *returned = process->trace_size;
    if (fake.never_fits || size < process->trace_size)
        return STATUS_INFO_LENGTH_MISMATCH;
    memcpy(buffer, process->trace, process->trace_size);
    return STATUS_SUCCESS;
}

static NTSTATUS give_times(const struct fake_process *process, void *buffer, ULONG size,
                           ULONG *returned)
{
    struct pss_nt_times times = process->times;

    if (fake.mixes_up_times) {
        times.kernel_time = fake.own->times.kernel_time;
        times.user_time = fake.own->times.user_time;
        fake.own->times.kernel_time.QuadPart += 3; /* they go on */
        fake.own->times.user_time.QuadPart += 5;
    }
    return fake_give(buffer, size, returned, &times, sizeof(times));
}

NTSTATUS fake_answer_process(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                             ULONG *returned)
{
    ACCESS_MASK access = PROCESS_QUERY_INFORMATION | PROCESS_QUERY_LIMITED_INFORMATION;
    struct fake_process *process;
    NTSTATUS status;

    if ((uintptr_t)buffer % sizeof(ULONG)) /* as Windows probes it, whatever the class */
        return STATUS_DATATYPE_MISALIGNMENT;
    if (class_number == PSS_NT_PROCESS_HANDLE_TRACING)
        access = PROCESS_QUERY_INFORMATION;
    process = fake_process_of(handle, access, &status);
    if (!process)
        return status;
    switch (class_number) {
    case PSS_NT_PROCESS_BASIC:
        if (size == sizeof(struct pss_nt_process_extended_basic))
            return give_extended_basic(process, buffer);
        return fake_give(buffer, size, returned, &process->basic, sizeof(process->basic));
    case PSS_NT_PROCESS_TIMES:
        return give_times(process, buffer, size, returned);
    case PSS_NT_PROCESS_VM_COUNTERS:
        return fake_give(buffer, size, returned, &process->counters, sizeof(process->counters));
    case PSS_NT_PROCESS_PRIORITY_CLASS:
        return fake_give(buffer, size, returned, &process->priority, sizeof(process->priority));
    case PSS_NT_PROCESS_WOW64:
        return fake_give(buffer, size, returned, &process->peb32, sizeof(process->peb32));
    case PSS_NT_PROCESS_EXECUTE_FLAGS:
        return fake_give(buffer, size, returned, &process->execute_flags,
                         sizeof(process->execute_flags));
    case PSS_NT_PROCESS_IMAGE_FILE_NAME_WIN32:
        return fake_give_text(buffer, size, returned, process->image_name, sizeof(UNICODE_STRING));
    case PSS_NT_PROCESS_IMAGE_FILE_NAME:
        return fake_give_text(buffer, size, returned, process->nt_image_name,
                              sizeof(UNICODE_STRING));
    case PSS_NT_PROCESS_HANDLE_TRACING:
        return give_trace(process, buffer, size, returned);
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}

static NTSTATUS give_cycles(void *buffer, SIZE_T size, ULONG *returned)
{
    struct pss_nt_cycle_time time = {0};

    if (!fake.has_thread_cycles)
        return STATUS_NOT_IMPLEMENTED;
    time.accumulated = fake.cycles += 1000;
    return fake_give(buffer, size, returned, &time, sizeof(time));
}

NTSTATUS fake_answer_thread(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                            ULONG *returned)
{
    NTSTATUS status;
    ACCESS_MASK access = class_number == PSS_NT_THREAD_WIN32_START_ADDRESS
                             ? THREAD_QUERY_INFORMATION
                             : THREAD_QUERY_INFORMATION | THREAD_QUERY_LIMITED_INFORMATION;
    struct fake_thread *thread;

    if (class_number == PSS_NT_THREAD_LAST_SYSTEM_CALL)
        access = THREAD_GET_CONTEXT;
    thread = fake_thread_of(handle, access, &status);
    if (!thread)
        return status;
    switch (class_number) {
    case PSS_NT_THREAD_BASIC:
        return fake_give(buffer, size, returned, &thread->basic, sizeof(thread->basic));
    case PSS_NT_THREAD_TIMES:
        return fake_give(buffer, size, returned, &thread->times, sizeof(thread->times));
    case PSS_NT_THREAD_WIN32_START_ADDRESS:
        return fake_give(buffer, size, returned, &thread->start_address,
                         sizeof(thread->start_address));
    case PSS_NT_THREAD_LAST_SYSTEM_CALL:
        if (!fake.has_last_syscalls)
            return STATUS_NOT_IMPLEMENTED;
        return fake_give(buffer, size, returned, &thread->last_syscall,
                         sizeof(thread->last_syscall));
    case PSS_NT_THREAD_CYCLE_TIME:
        return give_cycles(buffer, size, returned);
    case PSS_NT_THREAD_SUSPEND_COUNT:
        if (!fake.has_suspend_counts)
            return STATUS_INVALID_INFO_CLASS;
        return fake_give(buffer, size, NULL, &thread->suspend_count, sizeof(thread->suspend_count));
    case PSS_NT_THREAD_NAME:
        if (!fake.has_thread_names)
            return STATUS_INVALID_INFO_CLASS;
        return fake_give_text(buffer, size, returned, thread->name, sizeof(UNICODE_STRING));
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}

NTSTATUS fake_answer_next_thread(HANDLE handle, HANDLE previous, ACCESS_MASK access, HANDLE *next)
{
    NTSTATUS status;
    struct fake_process *process = fake_process_of(handle, PROCESS_QUERY_INFORMATION, &status);
    uint32_t index = 0;

    if (!process)
        return status;
    if (previous) {
        struct fake_thread *thread = fake_thread_of(previous, MAXIMUM_ALLOWED, &status);

        while (index < process->thread_count && process->threads[index++] != thread)
            ;
    }
    if (fake.never_ends_threads)
        index = 0;
    while (index < process->thread_count && process->threads[index]->denies & access)
        index++;
    if (index >= process->thread_count)
        return STATUS_NO_MORE_ENTRIES;
    *next = fake_handle_open_library(&process->threads[index]->object, access);
    return STATUS_SUCCESS;
}

static void copy_parts(CONTEXT *to, const CONTEXT *from)
{
    DWORD flags = to->ContextFlags;

    if ((flags & CONTEXT_CONTROL) == CONTEXT_CONTROL) {
        to->SegCs = from->SegCs;
        to->SegSs = from->SegSs;
        to->EFlags = from->EFlags;
        to->Rip = from->Rip;
        to->Rsp = from->Rsp;
    }
    if ((flags & CONTEXT_INTEGER) == CONTEXT_INTEGER) {
        DWORD64 rsp = to->Rsp;

        memcpy(&to->Rax, &from->Rax, 16 * sizeof(from->Rax)); /* Rax to R15 with Rsp in between */
        to->Rsp = rsp;
    }
    if ((flags & CONTEXT_SEGMENTS) == CONTEXT_SEGMENTS)
        memcpy(&to->SegDs, &from->SegDs, 4 * sizeof(from->SegDs));
    if ((flags & CONTEXT_FLOATING_POINT) == CONTEXT_FLOATING_POINT) {
        to->MxCsr = from->MxCsr;
        memcpy(&to->FltSave, &from->FltSave, sizeof(from->FltSave));
    }
    if ((flags & CONTEXT_DEBUG_REGISTERS) == CONTEXT_DEBUG_REGISTERS)
        memcpy(&to->Dr0, &from->Dr0, 6 * sizeof(from->Dr0));
}

NTSTATUS fake_answer_context(HANDLE handle, CONTEXT *context)
{
    NTSTATUS status;
    struct fake_thread *thread = fake_thread_of(handle, THREAD_GET_CONTEXT, &status);

    if (!thread)
        return status;
    if (thread->process->context_hang != FAKE_ANSWERS) {
        if (thread->process->dies_when_asked)
            thread->process->times.exit_time.QuadPart = (LONGLONG)fake.now;
        fake_worker_hang(thread->process->context_hang);
    }
    if (thread->awaited) {
        fake_wait_for_thread(thread->awaited);
        thread->awaited = NULL;
    }
    if (thread->refuses_context || thread->basic.exit_status != (NTSTATUS)PSS_STILL_ACTIVE)
        return STATUS_UNSUCCESSFUL;
    copy_parts(context, &thread->context);
    if (context->ContextFlags & EXTENDED_FLAG) {
        struct fake_extended *extended = (struct fake_extended *)(void *)(context + 1);

        if (extended->area.mask & EXTENDED_FEATURE)
            extended->area.value = thread->xstate;
    }
    return STATUS_SUCCESS;
}

NTSTATUS fake_answer_suspend(HANDLE handle, ULONG *previous)
{
    NTSTATUS status;
    struct fake_thread *thread = fake_thread_of(handle, THREAD_SUSPEND_RESUME, &status);

    if (!thread)
        return status;
    fake.stopped_workers += (uint64_t)fake_worker_lives(&thread->object);
    if (thread->refuses_suspension)
        return STATUS_ACCESS_DENIED;
    if (thread->basic.exit_status != (NTSTATUS)PSS_STILL_ACTIVE)
        return STATUS_THREAD_IS_TERMINATING;
    if (thread->suspend_count == MOST_SUSPENSIONS)
        return STATUS_SUSPEND_COUNT_EXCEEDED;
    if (previous)
        *previous = thread->suspend_count;
    thread->suspend_count++;
    thread->suspended_by_library++;
    return STATUS_SUCCESS;
}

NTSTATUS fake_answer_resume(HANDLE handle, ULONG *previous)
{
    NTSTATUS status;
    struct fake_thread *thread = fake_thread_of(handle, THREAD_SUSPEND_RESUME, &status);

    if (!thread)
        return status;
    if (previous)
        *previous = thread->suspend_count;
    if (!thread->suspended_by_library) { /* without effect, where nobody else suspended it */
        fake.bad_closes += !fake.suspender || thread->suspend_count;
        return STATUS_SUCCESS;
    }
    thread->suspend_count--;
    thread->suspended_by_library--;
    return STATUS_SUCCESS;
}

static int is_refused(ULONG flags)
{
    return fake.xstate_refuses_requests && flags & EXCEPTION_REQUEST;
}

static NTSTATUS NTAPI get_extended_length(ULONG flags, ULONG *length)
{
    if (is_refused(flags))
        return STATUS_INVALID_PARAMETER;
    *length = flags & EXTENDED_FLAG ? EXTENDED_LENGTH : sizeof(CONTEXT);
    if (fake.xstate_length)
        *length = fake.xstate_length;
    return fake.xstate_length_status;
}

static NTSTATUS NTAPI initialize_extended(void *memory, ULONG flags, struct fake_extended **out)
{
    CONTEXT *context = memory;
    struct fake_extended *extended = (struct fake_extended *)(void *)(context + 1);

    if (is_refused(flags))
        return STATUS_INVALID_PARAMETER;
    memset(extended, 0, sizeof(*extended));
    context->ContextFlags = flags;
    extended->all.offset = extended->legacy.offset = fake.xstate_shift - (LONG)sizeof(CONTEXT);
    extended->all.length = EXTENDED_LENGTH;
    extended->legacy.length = sizeof(CONTEXT);
    extended->xstate.offset = offsetof(struct fake_extended, area);
    extended->xstate.length = sizeof(extended->area);
    *out = extended;
    return fake.xstate_status;
}

static void NTAPI set_extended_mask(struct fake_extended *extended, ULONG64 mask)
{
    extended->area.mask = mask;
}

static ULONG64 NTAPI get_enabled_features(ULONG64 mask)
{
    return fake.lacks_xstate_features ? 0 : mask & (EXTENDED_FEATURE | 3u);
}

void *fake_answer_service(const char *name)
{
    static const struct {
        const char *name;
        void *address;
    } services[] = {
        {"RtlGetExtendedContextLength", (void *)get_extended_length},
        {"RtlInitializeExtendedContext", (void *)initialize_extended},
        {"RtlSetExtendedFeaturesMask", (void *)set_extended_mask},
        {"RtlGetEnabledExtendedFeatures", (void *)get_enabled_features},
    };

    if (!strcmp(name, "NtCreateProcessEx"))
        return fake_native_clones();
    for (size_t i = 0; fake.has_xstate && i < sizeof(services) / sizeof(services[0]); i++)
        if (!strcmp(name, services[i].name))
            return services[i].address;
    return NULL;
}
