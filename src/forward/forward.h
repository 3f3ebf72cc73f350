/* SPDX-License-Identifier: MIT */
/* Who serves this process: the system's own API where it works, else ours. */
#ifndef PSS_FORWARD_H
#define PSS_FORWARD_H

#include "forward/system_api.h"

#ifdef PSS_NO_FORWARD

static inline const struct pss_system_api *pss_forward_api(const struct pss_nt *nt)
{
    (void)nt;
    return NULL;
}

static inline void pss_forward_served(int is_ours)
{
    (void)is_ours;
}

#else

/** A decision and how far it is; zero-initialised. All but `api` is atomic. */
struct pss_forward {
    uint32_t state;            /* who serves, for good; or how many calls ours serve until then */
    uint32_t prober;           /* id of the thread that finds out; 0: none */
    struct pss_system_api api; /* the prober's; final when the system serves */
};

/**
 * Decides, or tells what was decided: our own implementation if PSS_FORWARD=0 stands in the
 * environment, if the system has no API or it does not work (probe.h), or if that turns out to be
 * made of ours.
 *
 * Where that cannot be found out within a few seconds, since another thread stands in the way, ours
 * serve this call, and it is found out again at the next one: until a call that ours served has
 * left something of ours, which the system's functions must not get. The first call must come while
 * no thread is suspended by us.
 *
 * \param forward  [in,out] Shared by any number of threads.
 * \return the system's functions, within \p forward; NULL: ours serve, and pss_forward_end follows.
 */
const struct pss_system_api *pss_forward_decide(const struct pss_nt *nt,
                                                struct pss_forward *forward);

/**
 * Ends a call that ours served.
 *
 * \param is_ours  [in] There is something of ours now: made by the call, or that it was given.
 */
void pss_forward_end(struct pss_forward *forward, int is_ours);

/** The same two with the decision of this process: every export begins and ends with them. */
const struct pss_system_api *pss_forward_api(const struct pss_nt *nt);
void pss_forward_served(int is_ours);

#endif
#endif
