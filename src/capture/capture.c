/* SPDX-License-Identifier: MIT */
/* The order of a capture: look, freeze, copy what may change, thaw, ask for the details, seal. */
#include "capture/capture.h"

#define TRIES 5 /* of a self-capture that is interrupted */

/* A bit without the bit it needs is ignored. */
static uint32_t effective_flags(uint32_t flags)
{
    if (!(flags & PSS_CAPTURE_HANDLES))
        flags &=
            ~(uint32_t)(PSS_CAPTURE_HANDLE_NAME_INFORMATION | PSS_CAPTURE_HANDLE_BASIC_INFORMATION |
                        PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION);
    if (!(flags & PSS_CAPTURE_THREADS))
        flags &= ~(uint32_t)PSS_CAPTURE_THREAD_CONTEXT;
    if (!(flags & PSS_CAPTURE_THREAD_CONTEXT))
        flags &= ~(uint32_t)PSS_CAPTURE_THREAD_CONTEXT_EXTENDED;
    if (!(flags & PSS_CAPTURE_VA_CLONE))
        flags &= ~(uint32_t)(PSS_CREATE_BREAKAWAY | PSS_CREATE_FORCE_BREAKAWAY |
                             PSS_CREATE_BREAKAWAY_OPTIONAL | PSS_CREATE_RELEASE_SECTION);
    if (!(flags & PSS_CAPTURE_VA_SPACE))
        flags &= ~(uint32_t)PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION;
    return flags;
}

typedef NTSTATUS capture_step(struct pss_capture *capture);

/* Runs a step if its flag is set (or it has none), on the clock of its phase. */
static NTSTATUS run(struct pss_capture *capture, NTSTATUS status, uint32_t flag,
                    enum pss_phase phase, capture_step *step)
{
    if (!NT_SUCCESS(status) || (flag && !(capture->flags & flag)))
        return status;
    if (phase != PSS_PHASE_TOTAL) /* the whole has its own start and stop */
        pss_stopwatch_start(capture, phase);
    status = step(capture);
    if (phase != PSS_PHASE_TOTAL)
        pss_stopwatch_stop(capture, phase);
    return status;
}

/* Nothing here can wait for the target: for contexts and for a copy its threads are suspended. */
static NTSTATUS capture_frozen(struct pss_capture *capture)
{
    NTSTATUS status = STATUS_SUCCESS;

    if (capture->freezes || capture->flags & PSS_CAPTURE_THREADS)
        status = run(capture, status, 0, PSS_PHASE_THREADS, pss_threads_open);
    status =
        run(capture, status, PSS_CAPTURE_THREAD_CONTEXT, PSS_PHASE_THREADS, pss_contexts_capture);
    status = run(capture, status, PSS_CAPTURE_VA_SPACE, PSS_PHASE_VA_SPACE, pss_va_space_capture);
    status = run(capture, status, PSS_CAPTURE_VA_CLONE, PSS_PHASE_VA_CLONE, pss_va_clone_take);
    status = run(capture, status, PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION, PSS_PHASE_VA_SPACE,
                 pss_mappings_capture);
    status = run(capture, status, PSS_CAPTURE_RESERVED_00000002, PSS_PHASE_AUXILIARY_PAGES,
                 pss_auxiliary_pages_capture);
    if (!capture->is_self)
        status = run(capture, status, PSS_CAPTURE_HANDLES, PSS_PHASE_HANDLES, pss_handles_list);
    status = run(capture, status, PSS_CAPTURE_HANDLES, PSS_PHASE_HANDLES, pss_handles_duplicate);
    pss_freeze_end(capture);
    return capture->freeze.was_interrupted ? STATUS_RETRY : status;
}

/* Our own thread handles are closed before objects tell how many handles they have. */
static NTSTATUS capture_details(struct pss_capture *capture)
{
    NTSTATUS status = STATUS_SUCCESS;

    status = run(capture, status, PSS_CAPTURE_THREADS, PSS_PHASE_THREADS, pss_threads_capture);
    pss_threads_close(capture);
    status = run(capture, status, PSS_CAPTURE_VA_CLONE, PSS_PHASE_TOTAL, pss_va_clone_finish);
    status = run(capture, status, PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION, PSS_PHASE_VA_SPACE,
                 pss_mappings_name);
    status = run(capture, status, PSS_CAPTURE_HANDLES, PSS_PHASE_HANDLES, pss_handles_describe);
    return run(capture, status, PSS_CAPTURE_HANDLE_TRACE, PSS_PHASE_HANDLES,
               pss_handle_trace_capture);
}

/*
 * The handles of the own process are listed before the capture opens any of its own, and before
 * anything stands still: some systems take a lock of the process to make the list.
 */
static NTSTATUS prepare(struct pss_capture *capture)
{
    uint32_t offset;
    NTSTATUS status =
        pss_region_append(capture->nt, &capture->scratch, PSS_SCRATCH_SIZE, 1, &offset);

    if (NT_SUCCESS(status) && capture->flags & PSS_CAPTURE_THREAD_CONTEXT)
        status =
            pss_region_append(capture->nt, &capture->own_context, sizeof(CONTEXT), 16, &offset);
    status =
        run(capture, status, PSS_CAPTURE_THREAD_CONTEXT, PSS_PHASE_THREADS, pss_contexts_prepare);
    if (!capture->has_true_times && !capture->has_ended)
        status = run(capture, status, 0, PSS_PHASE_TOTAL, pss_process_row_find);
    status = run(capture, status, 0, PSS_PHASE_TOTAL, pss_process_capture);
    status = run(capture, status, PSS_CAPTURE_HANDLES, PSS_PHASE_HANDLES, pss_types_list);
    if (capture->is_self)
        status = run(capture, status, PSS_CAPTURE_HANDLES, PSS_PHASE_HANDLES, pss_handles_list);
    return run(capture, status, PSS_CAPTURE_VA_CLONE, PSS_PHASE_TOTAL, pss_va_clone_prepare);
}

/* The target may die at any call; whatever that call said, this is what happened. */
static NTSTATUS finish(struct pss_capture *capture, NTSTATUS status)
{
    NTSTATUS alive = pss_target_check_alive(capture);

    if (!NT_SUCCESS(alive) && (NT_SUCCESS(status) || alive == STATUS_PARTIAL_COPY))
        return alive;
    if (NT_SUCCESS(status) && capture->flags & PSS_CREATE_MEASURE_PERFORMANCE) {
        pss_stopwatch_stop(capture, PSS_PHASE_TOTAL);
        status = pss_stopwatch_record(capture);
    }
    return status;
}

static void discard_owned(struct pss_capture *capture)
{
    const struct pss_builder *builder = &capture->builder;

    if (pss_builder_count(builder, PSS_SECTION_TRACE))
        pss_trace_discard(capture->nt, pss_builder_record(builder, PSS_SECTION_TRACE, 0));
    if (pss_builder_count(builder, PSS_SECTION_CLONE))
        pss_clone_discard(capture->nt, pss_builder_record(builder, PSS_SECTION_CLONE, 0));
}

static void fini(struct pss_capture *capture)
{
    pss_threads_close(capture);
    pss_handles_close(capture);
    pss_clone_end(capture->clone);
    if (capture->own_process)
        capture->nt->close(capture->own_process);
    pss_region_free(capture->nt, &capture->threads);
    pss_region_free(capture->nt, &capture->processes);
    pss_region_free(capture->nt, &capture->types);
    pss_region_free(capture->nt, &capture->scratch);
    pss_region_free(capture->nt, &capture->own_context);
    pss_region_free(capture->nt, &capture->context_model);
    pss_region_free(capture->nt, &capture->clone_regions);
    pss_builder_fini(capture->nt, &capture->builder);
}

static NTSTATUS capture_once(const struct pss_nt *nt, HANDLE process, uint32_t flags,
                             uint32_t context_flags, struct pss_block **block)
{
    struct pss_capture capture = {.nt = nt, .process = process, .context_flags = context_flags};
    NTSTATUS status;

    capture.flags = effective_flags(flags);
    capture.freezes = (capture.flags & PSS_CAPTURE_THREAD_CONTEXT) != 0;
    capture.builder.capture_flags = flags;
    if (flags & PSS_CREATE_MEASURE_PERFORMANCE)
        pss_stopwatch_init(nt, &capture.stopwatch);
    pss_stopwatch_start(&capture, PSS_PHASE_TOTAL);
    status = pss_target_open(&capture);
    if (!NT_SUCCESS(status)) {
        fini(&capture);
        return status;
    }
    status = prepare(&capture);
    if (NT_SUCCESS(status) && capture.flags & PSS_CAPTURE_THREAD_CONTEXT)
        nt->capture_context(capture.own_context.base); /* here: this frame outlives the capture */
    if (NT_SUCCESS(status))
        status = capture_frozen(&capture);
    if (NT_SUCCESS(status))
        status = capture_details(&capture);
    status = finish(&capture, status);
    if (NT_SUCCESS(status))
        status = pss_builder_seal(nt, &capture.builder, block);
    if (!NT_SUCCESS(status))
        discard_owned(&capture);
    fini(&capture);
    return status;
}

/* One that was interrupted while the threads were suspended has to begin anew. */
NTSTATUS pss_capture_process(const struct pss_nt *nt, HANDLE process, uint32_t flags,
                             uint32_t context_flags, struct pss_block **block)
{
    NTSTATUS status = STATUS_RETRY;

    for (int i = 0; i < TRIES && status == STATUS_RETRY; i++)
        status = capture_once(nt, process, flags, context_flags, block);
    return status == STATUS_RETRY ? STATUS_CANCELLED : status;
}
