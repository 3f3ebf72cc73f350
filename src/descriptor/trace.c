/* SPDX-License-Identifier: MIT */
/* The handles of a trace: let go of when the client has a say in one of them, too. */
#include "descriptor/descriptor.h"

#define GRANULARITY 0x10000u /* bytes; where a view may begin */

/* source: winnt.h; what a section is made of. Ours is of committed memory and nothing else. */
#define SECTION_KINDS (SEC_FILE | SEC_IMAGE | SEC_RESERVE | SEC_COMMIT)

/* Whether a section may be ours: other kinds have pages that fault, or may change their bytes. */
static int is_likely(const struct pss_nt *nt, HANDLE section, uint64_t needed)
{
    struct pss_nt_section_basic basic;

    return NT_SUCCESS(nt->query_section(section, 0, &basic, sizeof(basic), NULL)) &&
           (basic.attributes & SECTION_KINDS) == SEC_COMMIT && basic.maximum_size.QuadPart > 0 &&
           (uint64_t)basic.maximum_size.QuadPart >= needed;
}

/*
 * The mark that a section has at an offset. Who chose the section chose its pages, too: they are
 * read by a call that fails where a direct read would fault.
 */
static NTSTATUS read_mark(const struct pss_nt *nt, HANDLE section, uint32_t offset, uint64_t *mark)
{
    LARGE_INTEGER start = {.QuadPart = offset & ~(GRANULARITY - 1)};
    uint32_t distance = offset % GRANULARITY;
    void *view = NULL;
    SIZE_T view_size = distance + sizeof(*mark), read = 0;
    NTSTATUS status = nt->map_view(section, PSS_CURRENT_PROCESS, &view, 0, 0, &start, &view_size,
                                   PSS_NT_VIEW_UNMAP, 0, PAGE_READONLY);

    if (!NT_SUCCESS(status))
        return status;
    status = nt->read_memory(PSS_CURRENT_PROCESS, (const char *)view + distance, mark,
                             sizeof(*mark), &read);
    nt->unmap_view(PSS_CURRENT_PROCESS, view); /* a view of our own: this cannot fail */
    return NT_SUCCESS(status) && read != sizeof(*mark) ? STATUS_PARTIAL_COPY : status;
}

/* Our section, and no other, has the mark behind the trace. */
int pss_trace_is_ours(const struct pss_nt *nt, HANDLE handle, const struct pss_trace_record *record)
{
    uint64_t mark;

    return record->size <= PSS_TRACE_SIZE_LIMIT &&
           is_likely(nt, handle, (uint64_t)record->size + sizeof(mark)) &&
           NT_SUCCESS(read_mark(nt, handle, record->size, &mark)) && mark == record->mark;
}

int pss_trace_is_lent(const struct pss_nt *nt, HANDLE handle, const struct pss_trace_record *record)
{
    struct pss_nt_object_basic basic;
    NTSTATUS status = nt->query_object(handle, PSS_NT_OBJECT_BASIC, &basic, sizeof(basic), NULL);

    return NT_SUCCESS(status) && basic.granted_access == PSS_TRACE_LENT_ACCESS &&
           pss_trace_is_ours(nt, handle, record);
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

    if (lent && pss_trace_is_lent(nt, lent, record))
        nt->close(lent);
    if (kept)
        nt->close(kept);
}
