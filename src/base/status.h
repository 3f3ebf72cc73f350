/* SPDX-License-Identifier: MIT */
/* Which failures end a capture, and which cost one item some data. */
#ifndef PSS_STATUS_H
#define PSS_STATUS_H

#include "nt/nt.h"

/**
 * Hard failures of one item (a thread, a handle, a region): out of memory, whichever name it has.
 * Every other failure of one item is soft: its record says less and the capture goes on. Failures
 * of a whole table are always hard.
 */
int pss_status_is_hard(NTSTATUS status);

/** What systems answer that do not know the service or the class. */
int pss_status_is_missing(NTSTATUS status);

/** STATUS_SUCCESS for a soft status, else the status. */
NTSTATUS pss_status_soften(NTSTATUS status);

#endif
