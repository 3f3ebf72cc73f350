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

static NTSTATUS query_access(const struct pss_nt *nt, HANDLE handle, ACCESS_MASK *access)
{
    struct pss_nt_object_basic basic;
    NTSTATUS status = nt->query_object(handle, PSS_NT_OBJECT_BASIC, &basic, sizeof(basic), NULL);

    *access = basic.granted_access;
    return status;
}

int pss_clone_is_process(const struct pss_nt *nt, HANDLE handle)
{
    ULONG_PTR id;

    return NT_SUCCESS(query_id(nt, handle, &id));
}

/*
 * While the kept handle is open, no other process can get the clone's id. Both handles were opened
 * with the same access.
 */
int pss_clone_is_lent(const struct pss_nt *nt, HANDLE handle, HANDLE kept)
{
    ULONG_PTR id, kept_id;
    ACCESS_MASK access, kept_access;

    return NT_SUCCESS(query_id(nt, handle, &id)) && NT_SUCCESS(query_id(nt, kept, &kept_id)) &&
           id == kept_id && NT_SUCCESS(query_access(nt, handle, &access)) &&
           NT_SUCCESS(query_access(nt, kept, &kept_access)) && access == kept_access;
}

void pss_clone_discard(const struct pss_nt *nt, const struct pss_clone_record *record)
{
    const uint64_t handles[] = {record->lent, record->job, record->kept};

    for (int i = 0; i < 3; i++)
        if (handles[i])
            nt->close(handle_of(handles[i]));
}

void pss_clone_close(const struct pss_nt *nt, const struct pss_clone_record *record)
{
    HANDLE lent = handle_of(record->lent), kept = handle_of(record->kept);

    if (lent && pss_clone_is_lent(nt, lent, kept))
        nt->close(lent);
    pss_clone_let_go(nt, kept, handle_of(record->job));
}
