/* SPDX-License-Identifier: MIT */
/* The handles of a clone: let go of when the client has a say in one of them, too. */
#include "descriptor/descriptor.h"

static HANDLE handle_of(uint64_t value)
{
    return (HANDLE)(ULONG_PTR)value;
}

static NTSTATUS query_id(const struct pss_nt *nt, HANDLE process, ULONG_PTR *id)
{
    struct pss_nt_process_basic basic;
    NTSTATUS status = nt->query_process(process, PSS_NT_PROCESS_BASIC, &basic, sizeof(basic), NULL);

    *id = basic.process_id;
    return status;
}

/* While the kept handle is open, no other process can get the clone's id. */
int pss_clone_is_ours(const struct pss_nt *nt, HANDLE handle, HANDLE kept)
{
    ULONG_PTR id, kept_id;

    return NT_SUCCESS(query_id(nt, handle, &id)) && NT_SUCCESS(query_id(nt, kept, &kept_id)) &&
           id == kept_id;
}

void pss_clone_discard(const struct pss_nt *nt, const struct pss_clone_record *record)
{
    const uint64_t handles[] = {record->lent, record->kept, record->job};

    for (int i = 0; i < 3; i++)
        if (handles[i])
            nt->close(handle_of(handles[i]));
}

void pss_clone_close(const struct pss_nt *nt, const struct pss_clone_record *record)
{
    struct pss_clone_record ours = *record;

    if (ours.lent && !pss_clone_is_ours(nt, handle_of(ours.lent), handle_of(ours.kept)))
        ours.lent = 0;
    pss_clone_discard(nt, &ours);
}
