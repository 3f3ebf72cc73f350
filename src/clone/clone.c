/* SPDX-License-Identifier: MIT */
/* Clones: the strategy is chosen by what the system answers. */
#include "clone/clone.h"

#include "clone/strategy.h"

#include <string.h>

NTSTATUS pss_clone_begin(const struct pss_nt *nt, const struct pss_clone_target *target,
                         struct pss_clone **clone)
{
    NTSTATUS status;

    *clone = NULL;
    status = pss_native_begin(nt, target, clone);
    return status == STATUS_NOT_IMPLEMENTED ? pss_carrier_begin(nt, target, clone) : status;
}

int pss_clone_is_copy(const struct pss_clone *clone)
{
    return clone->strategy->is_copy;
}

int pss_clone_has_threads(const struct pss_clone *clone)
{
    return clone->strategy->has_threads(clone);
}

int pss_clone_owns_thread(const struct pss_clone *clone, uint32_t id)
{
    return clone->strategy->owns_thread(clone, id);
}

NTSTATUS pss_clone_lay_out(struct pss_clone *clone, const struct pss_region *regions)
{
    return clone->strategy->lay_out(clone, regions);
}

NTSTATUS pss_clone_take(struct pss_clone *clone, const struct pss_region *regions)
{
    return clone->strategy->take(clone, regions);
}

NTSTATUS pss_clone_finish(struct pss_clone *clone, struct pss_clone_record *record)
{
    return clone->strategy->finish(clone, record);
}

void pss_clone_end(struct pss_clone *clone)
{
    if (clone)
        clone->strategy->end(clone);
}

/*
 * A clone of a clone must not end with it: a process whose parent is in such a job leaves it.
 */
NTSTATUS pss_clone_job_create(const struct pss_nt *nt, HANDLE *job)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limit;
    NTSTATUS status = nt->create_job(job, JOB_OBJECT_ALL_ACCESS, NULL);

    if (!NT_SUCCESS(status))
        return status;
    memset(&limit, 0, sizeof(limit));
    limit.BasicLimitInformation.LimitFlags =
        JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
    status = nt->set_job(*job, PSS_NT_JOB_EXTENDED_LIMIT, &limit, sizeof(limit));
    if (!NT_SUCCESS(status)) {
        nt->close(*job);
        *job = NULL;
    }
    return status;
}
