/* SPDX-License-Identifier: MIT */
/* Lists all that a PE file imports. */
#ifndef PSS_PE_LIST_H
#define PSS_PE_LIST_H

#include "pe_exports.h"

/** One import. */
struct pe_import {
    const char *dll;
    const char *name; /* NULL: by its ordinal */
    uint32_t ordinal;
    int is_delayed; /* looked for when it is called first */
};

/** What is done with each of them. */
typedef void pe_import_visit(void *context, const struct pe_import *import);

/**
 * Visits the imports in the order of the file; those that cannot be read are left out.
 *
 * \param file    [in] Open.
 * \param visit   [in] Called for each.
 * \param context [in] For \p visit.
 */
void pe_list_imports(const struct pe_file *file, pe_import_visit *visit, void *context);

#endif
