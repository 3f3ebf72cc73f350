/* SPDX-License-Identifier: MIT */
/* Changes the old parts of a rebound file: headers, directories, and offsets of what moved. */
#ifndef PSS_PE_PATCH_H
#define PSS_PE_PATCH_H

#include "pe_layout.h"
#include "pe_rebind.h"
#include "pe_table.h"

/**
 * Makes all headers agree with the new section.
 *
 * \param file    [in]     The old file.
 * \param imports [in]     Its imports.
 * \param layout  [in]     Where things go.
 * \param table   [in]     The new section.
 * \param result  [in,out] Has the new file, whose bytes are in place.
 * \return 1 · 0 if something that has to change is not in the file.
 */
int pe_patch(const struct pe_file *file, const struct pe_imports *imports,
             const struct pe_layout *layout, const struct pe_table *table,
             struct pe_result *result);

#endif
