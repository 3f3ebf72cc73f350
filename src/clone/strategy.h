/* SPDX-License-Identifier: MIT */
/* What a strategy for clones has to offer. */
#ifndef PSS_STRATEGY_H
#define PSS_STRATEGY_H

#include "clone/clone.h"

/* Each as the function of clone.h with its name. */
struct pss_strategy {
    int (*has_threads)(const struct pss_clone *clone);
    int (*owns_thread)(const struct pss_clone *clone, uint32_t id);
    NTSTATUS (*lay_out)(struct pss_clone *clone, const struct pss_region *regions);
    NTSTATUS (*take)(struct pss_clone *clone, const struct pss_region *regions);
    NTSTATUS (*finish)(struct pss_clone *clone, struct pss_clone_record *record);
    void (*end)(struct pss_clone *clone); /* frees its memory, too */
    uint8_t is_copy;
};

/* What every clone begins with. */
struct pss_clone {
    const struct pss_strategy *strategy;
    const struct pss_nt *nt;
};

/** STATUS_NOT_IMPLEMENTED where the system cannot clone; not where it does not want to. */
NTSTATUS pss_native_begin(const struct pss_nt *nt, const struct pss_clone_target *target,
                          struct pss_clone **clone);

NTSTATUS pss_carrier_begin(const struct pss_nt *nt, const struct pss_clone_target *target,
                           struct pss_clone **clone);

/** A job that ends its processes when the last handle to it is closed. */
NTSTATUS pss_clone_job_create(const struct pss_nt *nt, HANDLE *job);

#endif
