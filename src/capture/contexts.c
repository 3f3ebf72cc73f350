/* SPDX-License-Identifier: MIT */
/* Thread contexts, plain and with the extended (XSAVE) state, read while the target is frozen. */
#include "base/errand.h"
#include "capture/capture.h"

#include <string.h>

#ifdef _WIN64
#define CONTEXT_ARCHITECTURE 0x00100000u /* source: winnt.h, CONTEXT_AMD64 */
#define CONTEXT_PARTS        0x1Fu       /* control, integer, segments, floating point, debug */
#else
#define CONTEXT_ARCHITECTURE 0x00010000u /* source: winnt.h, CONTEXT_i386 */
#define CONTEXT_PARTS        0x3Fu       /* and the FXSAVE area */
#endif
#define CONTEXT_ALL_ARCHITECTURES 0x00FF0000u
#define CONTEXT_EXCEPTION_WANTED  0x40000000u /* source: winnt.h, CONTEXT_EXCEPTION_REQUEST */
#define CONTEXT_EXTENDED          0x40u       /* source: winnt.h, CONTEXT_XSTATE */
#define CONTEXT_LENGTH_LIMIT      0xFFC0u     /* PSS_THREAD_ENTRY tells it in a WORD */

/* source: winnt.h, CONTEXT_CHUNK and CONTEXT_EX; mingw-w64 10 lacks them */
struct context_chunk {
    LONG offset; /* from the start of the CONTEXT_EX */
    ULONG length;
};

struct context_ex {
    struct context_chunk all, legacy, xstate;
};

/* The services behind InitializeContext. since: Windows 7 SP1 */
struct xstate_services {
    NTSTATUS(NTAPI *get_length)(ULONG, ULONG *);
    NTSTATUS(NTAPI *initialize)(void *, ULONG, struct context_ex **);
    void(NTAPI *set_mask)(struct context_ex *, ULONG64);
    ULONG64(NTAPI *get_enabled)(ULONG64);
};

static int find_xstate_services(const struct pss_nt *nt, struct xstate_services *services)
{
    *(void **)&services->get_length = nt->find_service("RtlGetExtendedContextLength");
    if (!services->get_length)
        return 0;
    *(void **)&services->initialize = nt->find_service("RtlInitializeExtendedContext");
    *(void **)&services->set_mask = nt->find_service("RtlSetExtendedFeaturesMask");
    *(void **)&services->get_enabled = nt->find_service("RtlGetEnabledExtendedFeatures");
    return services->initialize && services->set_mask && services->get_enabled;
}

/*
 * Makes the template of an extended context; answers its length, or 0 for "not on this system". The
 * request for the kind of exception takes no room, and 32-bit Windows 7 refuses to lay out a
 * context with it: it is added afterwards. source: github.com/dotnet/runtime/pull/67559
 */
static ULONG initialize_extended(const struct pss_nt *nt, struct pss_region *model, ULONG asked)
{
    ULONG flags = asked & ~(ULONG)CONTEXT_EXCEPTION_WANTED;
    struct xstate_services services;
    struct context_ex *extended = NULL;
    ULONG length = 0;
    ULONG64 features;

    if (!find_xstate_services(nt, &services))
        return 0;
    features = services.get_enabled(~(ULONG64)0);
    if (!features || !NT_SUCCESS(services.get_length(flags, &length)) || length < sizeof(CONTEXT) ||
        length > CONTEXT_LENGTH_LIMIT)
        return 0;
    if (!NT_SUCCESS(services.initialize(model->base, flags, &extended)) ||
        (char *)extended + extended->legacy.offset != (char *)model->base)
        return 0;
    services.set_mask(extended, features);
    ((CONTEXT *)model->base)->ContextFlags |= asked & CONTEXT_EXCEPTION_WANTED;
    return length;
}

NTSTATUS pss_contexts_prepare(struct pss_capture *capture)
{
    uint32_t asked = capture->context_flags;
    ULONG flags = CONTEXT_ARCHITECTURE | (asked & (CONTEXT_PARTS | CONTEXT_EXCEPTION_WANTED));
    ULONG length = 0;
    uint32_t offset;
    NTSTATUS status;

    if (asked & CONTEXT_ALL_ARCHITECTURES & ~CONTEXT_ARCHITECTURE)
        return STATUS_INVALID_PARAMETER;
    status = pss_region_append(capture->nt, &capture->context_model,
                               CONTEXT_LENGTH_LIMIT + PSS_SECTION_ALIGNMENT, 1, &offset);
    if (!NT_SUCCESS(status))
        return status;
    if (capture->flags & PSS_CAPTURE_THREAD_CONTEXT_EXTENDED)
        length =
            initialize_extended(capture->nt, &capture->context_model, flags | CONTEXT_EXTENDED);
    if (!length) {
        length = sizeof(CONTEXT);
        memset(capture->context_model.base, 0, length);
        ((CONTEXT *)capture->context_model.base)->ContextFlags = flags;
    }
    capture->builder.context_length = length;
    capture->builder.context_stride =
        (length + PSS_SECTION_ALIGNMENT - 1) & ~(PSS_SECTION_ALIGNMENT - 1);
    pss_builder_begin(&capture->builder, PSS_SECTION_CONTEXTS);
    return STATUS_SUCCESS;
}

/*
 * The system describes the calling thread as it is inside the system call; the registers it has in
 * this module, in a frame that lives as long as the capture, let its stack be walked.
 */
static void overlay_own_registers(CONTEXT *context, const CONTEXT *own)
{
#ifdef _WIN64
    if ((context->ContextFlags & CONTEXT_CONTROL) == CONTEXT_CONTROL) {
        context->Rip = own->Rip;
        context->Rsp = own->Rsp;
        context->EFlags = own->EFlags;
    }
    if ((context->ContextFlags & CONTEXT_INTEGER) == CONTEXT_INTEGER) {
        context->Rax = own->Rax;
        context->Rcx = own->Rcx;
        context->Rdx = own->Rdx;
        context->Rbx = own->Rbx;
        context->Rbp = own->Rbp;
        context->Rsi = own->Rsi;
        context->Rdi = own->Rdi;
        memcpy(&context->R8, &own->R8, 8 * sizeof(own->R8)); /* R8 to R15 */
    }
#else
    if ((context->ContextFlags & CONTEXT_CONTROL) == CONTEXT_CONTROL) {
        context->Eip = own->Eip;
        context->Esp = own->Esp;
        context->Ebp = own->Ebp;
        context->EFlags = own->EFlags;
    }
    if ((context->ContextFlags & CONTEXT_INTEGER) == CONTEXT_INTEGER) {
        context->Eax = own->Eax;
        context->Ecx = own->Ecx;
        context->Edx = own->Edx;
        context->Ebx = own->Ebx;
        context->Esi = own->Esi;
        context->Edi = own->Edi;
    }
#endif
}

#ifndef _WIN64
/*
 * A 32-bit thread on a 64-bit system that is suspended while it enters or leaves the 64-bit layer
 * below it may have old registers: the system says so to who asks for it.
 * source: winnt.h, CONTEXT_EXCEPTION_REPORTING and CONTEXT_EXCEPTION_ACTIVE
 */
#define CONTEXT_MAY_BE_STALE 0x88000000u
#define CONTEXT_REPORTS      0xF8000000u /* all the bits that tell where the thread is */
#endif

/* Which thread one asks, and what came of it. */
struct question {
    HANDLE thread;   /* borrowed */
    uint32_t index;  /* of the thread */
    NTSTATUS status; /* STATUS_PENDING until it was asked */
};

#define QUESTION_LIMIT 1024u /* at once */

/* The contexts follow, aligned to PSS_SECTION_ALIGNMENT. */
struct reader {
    const struct pss_nt *nt;
    struct pss_errand_state state; /* its steps are the threads asked so far */
    uint32_t count, stride;        /* questions; bytes of a context */
    uint8_t is_wow64;              /* the calling process */
    const struct pss_capture *own; /* a self-capture, which reads itself; else NULL */
    struct question questions[QUESTION_LIMIT];
};

#define READER_SIZE \
    ((sizeof(struct reader) + PSS_SECTION_ALIGNMENT - 1) & ~(SIZE_T)(PSS_SECTION_ALIGNMENT - 1))

static CONTEXT *context_at(struct reader *reader, uint32_t index)
{
    return (CONTEXT *)(void *)((char *)reader + READER_SIZE + (SIZE_T)index * reader->stride);
}

static NTSTATUS ask(const struct reader *reader, HANDLE thread, CONTEXT *context)
{
    if (!(context->ContextFlags & ~CONTEXT_ARCHITECTURE))
        return STATUS_SUCCESS; /* some systems refuse to tell nothing */
#ifndef _WIN64
    if (reader->is_wow64) {
        DWORD asked = context->ContextFlags;
        NTSTATUS status;

        context->ContextFlags |= CONTEXT_EXCEPTION_WANTED;
        status = reader->nt->get_context(thread, context);
        if ((context->ContextFlags & CONTEXT_MAY_BE_STALE) != CONTEXT_MAY_BE_STALE &&
            !(asked & CONTEXT_EXCEPTION_WANTED))
            context->ContextFlags &= ~CONTEXT_REPORTS & ~CONTEXT_EXCEPTION_WANTED;
        return status;
    }
#endif
    return reader->nt->get_context(thread, context);
}

static void ask_all(struct reader *reader)
{
    if (!pss_errand_begin(&reader->state))
        return;
    for (uint32_t i = 0; i < reader->count; i++) {
        struct question *question = &reader->questions[i];

        question->status = ask(reader, question->thread, context_at(reader, i));
        if (reader->own)
            pss_freeze_step(reader->own);
        if (!pss_errand_step(&reader->state))
            return;
    }
}

static DWORD NTAPI read_contexts(void *memory)
{
    struct reader *reader = memory;

    ask_all(reader);
    pss_errand_leave(&reader->state); /* The memory is the owner's. */
    return 0;
}

/*
 * A thread without a TEB has not begun. Its creator may be frozen in the middle of starting it, and
 * then nobody would ever answer for its registers.
 */
static int has_registers(const struct pss_thread *thread)
{
    return thread->is_caller || (thread->was_frozen && thread->basic.teb);
}

/* Asks for threads from *next on, as many as there is room for. */
static void collect_questions(struct pss_capture *capture, struct reader *reader, uint32_t *next)
{
    uint32_t total = pss_threads_count(capture);

    for (; *next < total && reader->count < QUESTION_LIMIT; ++*next) {
        const struct pss_thread *thread = pss_threads_at(capture, *next);
        struct question *question = &reader->questions[reader->count];

        if (!has_registers(thread))
            continue;
        question->thread = thread->is_caller ? PSS_CURRENT_THREAD : thread->handle;
        question->index = *next;
        question->status = STATUS_PENDING;
        memcpy(context_at(reader, reader->count), capture->context_model.base, reader->stride);
        reader->count++;
    }
}

static NTSTATUS make_reader(struct pss_capture *capture, uint32_t *next, struct pss_region *memory)
{
    uint32_t stride = capture->builder.context_stride, count = pss_threads_count(capture) - *next;
    uint32_t offset;
    struct reader *reader;
    NTSTATUS status;

    if (count > QUESTION_LIMIT)
        count = QUESTION_LIMIT;
    status =
        pss_region_append(capture->nt, memory, (uint32_t)READER_SIZE + count * stride, 1, &offset);
    if (!NT_SUCCESS(status))
        return status;
    reader = memory->base;
    reader->nt = capture->nt;
    reader->stride = stride;
    reader->is_wow64 = capture->is_caller_wow64;
    reader->own = capture->is_self ? capture : NULL;
    collect_questions(capture, reader, next);
    return STATUS_SUCCESS;
}

static NTSTATUS keep_context(struct pss_capture *capture, const struct question *question,
                             const CONTEXT *context)
{
    struct pss_thread *thread = pss_threads_at(capture, question->index);
    CONTEXT *kept;
    NTSTATUS status;

    if (!NT_SUCCESS(question->status))
        return pss_status_soften(question->status);
    status = pss_builder_append(capture->nt, &capture->builder, PSS_SECTION_CONTEXTS, &kept);
    if (!NT_SUCCESS(status))
        return status;
    memcpy(kept, context, capture->builder.context_stride);
    if (thread->is_caller)
        overlay_own_registers(kept, capture->own_context.base);
    thread->context = pss_builder_count(&capture->builder, PSS_SECTION_CONTEXTS);
    return STATUS_SUCCESS;
}

static NTSTATUS keep_contexts(struct pss_capture *capture, struct reader *reader)
{
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0; i < reader->count && NT_SUCCESS(status); i++) {
        /* Its thread was ended from outside: what is missing is not known to be unreadable. */
        if (reader->questions[i].status == STATUS_PENDING)
            return STATUS_IO_TIMEOUT;
        status = keep_context(capture, &reader->questions[i], context_at(reader, i));
    }
    return status;
}

static NTSTATUS run_watched(struct pss_capture *capture, struct pss_region *memory)
{
    struct reader *reader = memory->base;
    struct pss_target_wait wait = {.capture = capture};
    struct pss_errand errand = {.routine = read_contexts,
                                .memory = reader,
                                .state = &reader->state,
                                .patience = PSS_TARGET_WAIT_MS,
                                .may_wait = pss_target_keep_waiting,
                                .context = &wait};
    uint32_t steps;
    NTSTATUS status = pss_errand_run(capture->nt, &errand, &steps);

    if (errand.memory)
        return status == STATUS_TIMEOUT ? STATUS_IO_TIMEOUT : status;
    *memory = (struct pss_region){0}; /* It is left to the thread. */
    return status == STATUS_CANCELLED ? STATUS_CANCELLED : STATUS_IO_TIMEOUT;
}

/*
 * Some systems let the thread itself tell its registers, and wait for ever while its process is
 * stopped from outside: another process is asked by a watched call. Where no thread can begin, as
 * under the loader's lock, the caller asks.
 */
static NTSTATUS run_reader(struct pss_capture *capture, struct pss_region *memory)
{
    if (!capture->is_self && !capture->asks_directly)
        return run_watched(capture, memory);
    ask_all(memory->base);
    return STATUS_SUCCESS;
}

/* Reads the contexts of the threads from *next on. */
static NTSTATUS read_some(struct pss_capture *capture, uint32_t *next)
{
    struct pss_region memory = {0};
    uint32_t first = *next;
    NTSTATUS status = make_reader(capture, next, &memory);

    if (NT_SUCCESS(status))
        status = run_reader(capture, &memory);
    if (NT_SUCCESS(status))
        status = keep_contexts(capture, memory.base);
    pss_region_free(capture->nt, &memory);
    if (status != STATUS_CANCELLED || capture->asks_directly)
        return status;
    capture->asks_directly = 1; /* once more, without a thread that cannot begin */
    *next = first;
    return STATUS_SUCCESS;
}

NTSTATUS pss_contexts_capture(struct pss_capture *capture)
{
    uint32_t next = 0;
    NTSTATUS status = STATUS_SUCCESS;

    while (next < pss_threads_count(capture) && NT_SUCCESS(status)) {
        status = read_some(capture, &next);
        if (NT_SUCCESS(status) && next == pss_threads_count(capture))
            status = pss_threads_open_more(capture);
        if (NT_SUCCESS(status) && pss_freeze_is_interrupted(capture))
            status = STATUS_RETRY;
    }
    return status;
}
