/* SPDX-License-Identifier: MIT */
/* The route to the bytes of a process: by calls, or by a file in which the system shows them. */
#ifndef PSS_ROUTE_H
#define PSS_ROUTE_H

#include "base/region.h"

struct pss_route {
    HANDLE process; /* borrowed */
    HANDLE file;    /* owned; NULL: by calls */
};

/** Reads all of \p size bytes, or fails. Bytes of \p buffer may have changed all the same. */
NTSTATUS pss_route_read(const struct pss_nt *nt, const struct pss_route *route, uint64_t address,
                        void *buffer, uint32_t size);

/** Writes all of \p size bytes, or fails. */
NTSTATUS pss_route_write(const struct pss_nt *nt, const struct pss_route *route, uint64_t address,
                         const void *bytes, uint32_t size);

/** Closes the file, if there is one. */
void pss_route_close(const struct pss_nt *nt, struct pss_route *route);

#endif
