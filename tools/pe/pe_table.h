/* SPDX-License-Identifier: MIT */
/* The new section: import descriptors, lookup tables and the name of pss.dll. */
#ifndef PSS_PE_TABLE_H
#define PSS_PE_TABLE_H

#include "pe_imports.h"

struct pe_table {
    uint32_t rva;         /* of the section, which begins with the descriptors */
    uint32_t descriptors; /* bytes of them with their end; 0 if the old ones go on to serve */
    uint32_t name;        /* offset of the DLL's name in the section */
    uint32_t size;        /* bytes of the section */
};

/**
 * Plans the section.
 *
 * \param imports [in]  What was found.
 * \param rva     [in]  Where it will be.
 * \param table   [out] Filled on success.
 * \return 1 · 0 if it is too large.
 */
int pe_table_plan(const struct pe_file *file, const struct pe_imports *imports, uint32_t rva,
                  struct pe_table *table);

/**
 * Writes the section's bytes, as many as planned, to zeros.
 *
 * \return 1 · 0 if names are missing.
 */
int pe_table_write(const struct pe_file *file, const struct pe_imports *imports,
                   const struct pe_table *table, uint8_t *section);

/** Writes little-endian numbers at any address. */
void pe_put16(uint8_t *bytes, uint16_t value);
void pe_put32(uint8_t *bytes, uint32_t value);

#endif
