/* SPDX-License-Identifier: MIT */
/* Who serves this process: the system's own API where it works, else ours. Decided once. */
#ifndef PSS_FORWARD_H
#define PSS_FORWARD_H

#include "forward/system_api.h"

#ifdef PSS_NO_FORWARD

static inline const struct pss_system_api *pss_forward_api(const struct pss_nt *nt)
{
    (void)nt;
    return NULL;
}

#else

/** A decision and how far it is; zero-initialised. All but `api` is atomic. */
struct pss_forward {
    const struct pss_system_api *decision; /* NULL: not decided; never changes after that */
    uint32_t prober;                       /* id of the thread that decides, from then on */
    struct pss_system_api api;             /* the prober's; final when decision points at it */
};

/**
 * Decides, or tells what was decided: our own implementation if PSS_FORWARD=0 stands in the
 * environment, if the system has no API or it does not work (probe.h), if that turns out to be made
 * of ours, or if that could not be found out within a few seconds, since another thread stood in
 * the way. The first call must come while no thread is suspended by us.
 *
 * \param forward  [in,out] Shared by any number of threads.
 * \return the system's functions, within \p forward; NULL: ours serve.
 */
const struct pss_system_api *pss_forward_decide(const struct pss_nt *nt,
                                                struct pss_forward *forward);

/** The same with the decision of this process, which every export asks first. */
const struct pss_system_api *pss_forward_api(const struct pss_nt *nt);

#endif
#endif
