/* SPDX-License-Identifier: MIT */
/* What a DLL exports, as its file tells. */
#ifndef PSS_PE_EXPORTS_H
#define PSS_PE_EXPORTS_H

#include "pe_read.h"

/** Room for the names that are compared; a longer one counts as exported. */
#define PE_SYMBOL_SIZE 512u

struct pe_exports {
    const struct pe_file *file; /* borrowed */
    uint32_t base;              /* the ordinal of the first function */
    uint32_t functions;
    uint32_t names;
    uint32_t function_table; /* RVAs of the tables */
    uint32_t name_table;
};

/**
 * Finds the export tables.
 *
 * \param file    [in]  Open; must outlive \p exports.
 * \param exports [out] Filled on success.
 * \return 1 · 0 if the file has none that can be read.
 */
int pe_exports_open(const struct pe_file *file, struct pe_exports *exports);

/** Whether there is a function of that name. */
int pe_exports_name(const struct pe_exports *exports, const char *name);

/** Whether there is a function of that ordinal. */
int pe_exports_ordinal(const struct pe_exports *exports, uint32_t ordinal);

/** Whether all the functions are there that pss.dll has. */
int pe_exports_all_moved(const struct pe_exports *exports);

#endif
