/* SPDX-License-Identifier: MIT */
/* Waiting for another thread of this process, which may be standing still for good. */
#ifndef PSS_PATIENCE_H
#define PSS_PATIENCE_H

#include "nt/nt.h"

/** Waits some milliseconds; answers 0 when the system does not let us. */
static inline int pss_patience_pause(const struct pss_nt *nt)
{
    LARGE_INTEGER interval;

    interval.QuadPart = -10 * 10000; /* 100 ns; negative is from now on */
    return NT_SUCCESS(nt->delay(FALSE, &interval));
}

#endif
