/* SPDX-License-Identifier: MIT */
/* The handle trace: the system's table of who opened and closed what, kept in a section. */
#include "capture/capture.h"

#include <string.h>

#define FIRST_TRACE_SIZE 0x10000u
#define QUERY_ATTEMPTS   16

/* What stands behind the trace in our section, and hardly anywhere else. */
static uint64_t make_mark(const struct pss_capture *capture)
{
    CLIENT_ID caller = capture->nt->current_id();
    uint64_t mix = pss_time_now(capture->nt) ^ (uint64_t)(ULONG_PTR)capture->scratch.base << 24;

    return mix ^ (uint64_t)(ULONG_PTR)caller.UniqueProcess << 48 ^ capture->nt->read_tsc();
}

static NTSTATUS query_trace(const struct pss_capture *capture, struct pss_region *trace,
                            ULONG *size)
{
    NTSTATUS status = pss_region_reserve(capture->nt, trace, FIRST_TRACE_SIZE);

    for (int i = 0; i < QUERY_ATTEMPTS && NT_SUCCESS(status); i++) {
        ULONG capacity = (ULONG)trace->capacity;

        memset(trace->base, 0, sizeof(struct pss_nt_handle_tracing)); /* of all handles */
        *size = 0;
        status = capture->nt->query_process(capture->process, PSS_NT_PROCESS_HANDLE_TRACING,
                                            trace->base, capacity, size);
        if (NT_SUCCESS(status))
            *size = *size < capacity ? *size : capacity;
        if (status != STATUS_INFO_LENGTH_MISMATCH)
            return status;
        status = capacity >= PSS_TRACE_SIZE_LIMIT
                     ? STATUS_INFO_LENGTH_MISMATCH
                     : pss_region_reserve(capture->nt, trace, (uint64_t)capacity * 2);
    }
    return status;
}

static NTSTATUS write_section(const struct pss_nt *nt, HANDLE section, const void *trace,
                              ULONG size, uint64_t mark)
{
    void *view = NULL;
    SIZE_T view_size = 0;
    NTSTATUS status = nt->map_view(section, PSS_CURRENT_PROCESS, &view, 0, 0, NULL, &view_size,
                                   PSS_NT_VIEW_UNMAP, 0, PAGE_READWRITE);

    if (!NT_SUCCESS(status))
        return status;
    memcpy(view, trace, size);
    memcpy((char *)view + size, &mark, sizeof(mark));
    return nt->unmap_view(PSS_CURRENT_PROCESS, view);
}

/* The client may close the handle he is lent: the other one tells later whether he did. */
static NTSTATUS record_section(struct pss_capture *capture, const void *trace, ULONG size,
                               struct pss_trace_record *owned)
{
    const struct pss_nt *nt = capture->nt;
    LARGE_INTEGER section_size = {.QuadPart = (LONGLONG)size + (LONGLONG)sizeof(uint64_t)};
    HANDLE kept = NULL, lent = NULL;
    NTSTATUS status = nt->create_section(&kept, SECTION_ALL_ACCESS, NULL, &section_size,
                                         PAGE_READWRITE, SEC_COMMIT, NULL);

    if (!NT_SUCCESS(status))
        return status;
    owned->mark = make_mark(capture);
    status = write_section(nt, kept, trace, size, owned->mark);
    if (NT_SUCCESS(status))
        status = nt->duplicate(PSS_CURRENT_PROCESS, kept, PSS_CURRENT_PROCESS, &lent,
                               PSS_TRACE_LENT_ACCESS, 0, 0);
    if (!NT_SUCCESS(status)) {
        nt->close(kept);
        return status;
    }
    owned->size = size;
    owned->kept = (uint64_t)(ULONG_PTR)kept;
    owned->lent = (uint64_t)(ULONG_PTR)lent;
    return STATUS_SUCCESS;
}

NTSTATUS pss_handle_trace_capture(struct pss_capture *capture)
{
    struct pss_region trace = {0};
    struct pss_trace_record owned = {0}, *record;
    ULONG size = 0;
    NTSTATUS status = query_trace(capture, &trace, &size);

    if (!NT_SUCCESS(status)) {
        pss_region_free(capture->nt, &trace);
        return pss_status_soften(status); /* Not traced: the query of class 6 says so. */
    }
    status = pss_builder_append(capture->nt, &capture->builder, PSS_SECTION_TRACE, &record);
    if (NT_SUCCESS(status))
        status = record_section(capture, trace.base, size, &owned);
    if (NT_SUCCESS(status))
        *record = owned;
    pss_region_free(capture->nt, &trace);
    return status;
}
