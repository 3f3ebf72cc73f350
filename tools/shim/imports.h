/* SPDX-License-Identifier: MIT */
/* The import table of a program in another process, copied, and what of it comes from elsewhere. */
#ifndef PSS_SHIM_IMPORTS_H
#define PSS_SHIM_IMPORTS_H

#include "inject.h"

/** A copy of the import table; zero-initialised is an empty one. */
struct imports {
    IMAGE_IMPORT_DESCRIPTOR *descriptors; /* without the empty last one */
    uint32_t *cut_counts;                 /* by descriptor: its imports, if it is to be cut, or 0 */
    uint64_t *thunks;    /* the imports of those that are to be cut, one after the other */
    unsigned char *ours; /* by import: whether it comes from elsewhere */
    uint32_t count;      /* of descriptors */
    uint32_t thunk_count;
    uint32_t cuts; /* descriptors to be cut */
    uint32_t runs; /* pieces that they are cut into */
    void *pages;   /* owned: where all of this is */
};

/**
 * Copies the table, each byte once.
 *
 * \param nt      [in]  Services.
 * \param image   [in]  From inject_open().
 * \param plan    [in]  Says what comes from elsewhere.
 * \param imports [out] For imports_free(); untouched on failure.
 * \return STATUS_SUCCESS · STATUS_INVALID_IMAGE_FORMAT for a table without end · the system's
 *         status.
 */
NTSTATUS imports_read(const struct pss_nt *nt, const struct inject_image *image,
                      const struct inject_plan *plan, struct imports *imports);

/** Safe when empty. */
void imports_free(const struct pss_nt *nt, struct imports *imports);

#endif
