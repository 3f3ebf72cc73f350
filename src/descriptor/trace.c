/* SPDX-License-Identifier: MIT */
/* The handles of a trace: let go of when the client has a say in one of them, too. */
#include "descriptor/descriptor.h"

#include <string.h>

/* Our section, and no other, has the mark behind the trace. */
int pss_trace_is_ours(const struct pss_nt *nt, HANDLE handle, const struct pss_trace_record *record)
{
    struct pss_nt_section_basic basic;
    uint64_t needed = (uint64_t)record->size + sizeof(record->mark);
    void *view = NULL;
    SIZE_T view_size = (SIZE_T)needed;
    int is_marked;

    if (!NT_SUCCESS(nt->query_section(handle, 0, &basic, sizeof(basic), NULL)) ||
        (uint64_t)basic.maximum_size.QuadPart < needed)
        return 0;
    if (!NT_SUCCESS(nt->map_view(handle, PSS_CURRENT_PROCESS, &view, 0, 0, NULL, &view_size,
                                 PSS_NT_VIEW_UNMAP, 0, PAGE_READONLY)))
        return 0;
    is_marked = !memcmp((const char *)view + record->size, &record->mark, sizeof(record->mark));
    nt->unmap_view(PSS_CURRENT_PROCESS, view);
    return is_marked;
}

void pss_trace_discard(const struct pss_nt *nt, const struct pss_trace_record *record)
{
    if (record->lent)
        nt->close((HANDLE)(ULONG_PTR)record->lent);
    if (record->kept)
        nt->close((HANDLE)(ULONG_PTR)record->kept);
}

void pss_trace_close(const struct pss_nt *nt, const struct pss_trace_record *record)
{
    HANDLE kept = (HANDLE)(ULONG_PTR)record->kept, lent = (HANDLE)(ULONG_PTR)record->lent;

    if (lent && pss_trace_is_ours(nt, lent, record))
        nt->close(lent);
    if (kept)
        nt->close(kept);
}
