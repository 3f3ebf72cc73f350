/* SPDX-License-Identifier: MIT */
/* Thread contexts, plain and with the extended (XSAVE) state, read while the target is frozen. */
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

static NTSTATUS read_context(struct pss_capture *capture, struct pss_thread *thread)
{
    struct pss_region *contexts = &capture->builder.sections[PSS_SECTION_CONTEXTS];
    HANDLE handle = thread->is_caller ? PSS_CURRENT_THREAD : thread->handle;
    uint32_t stride = capture->builder.context_stride;
    CONTEXT *context;
    NTSTATUS status =
        pss_builder_append(capture->nt, &capture->builder, PSS_SECTION_CONTEXTS, &context);

    if (!NT_SUCCESS(status))
        return status;
    memcpy(context, capture->context_model.base, stride);
    if (context->ContextFlags & ~CONTEXT_ARCHITECTURE) /* some systems refuse to tell nothing */
        status = capture->nt->get_context(handle, context);
    if (!NT_SUCCESS(status)) {
        memset(context, 0, stride);
        contexts->size -= stride;
        return pss_status_soften(status);
    }
    if (thread->is_caller)
        overlay_own_registers(context, capture->own_context.base);
    thread->context = contexts->size / stride;
    return STATUS_SUCCESS;
}

/*
 * A thread without a TEB has not begun. Its creator may be frozen in the middle of starting it, and
 * then nobody would ever answer for its registers.
 */
static int has_registers(const struct pss_thread *thread)
{
    return thread->is_caller || (thread->is_frozen && thread->basic.teb);
}

NTSTATUS pss_contexts_capture(struct pss_capture *capture)
{
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0; i < pss_threads_count(capture) && NT_SUCCESS(status); i++) {
        struct pss_thread *thread = pss_threads_at(capture, i);

        if (has_registers(thread))
            status = read_context(capture, thread);
    }
    return status;
}
