/* SPDX-License-Identifier: MIT */
/* A lookup table: the names that one descriptor imports, in the order of its slots. */
#ifndef PSS_PE_LOOKUP_H
#define PSS_PE_LOOKUP_H

#include "pe_read.h"

/** What an entry of the table is. */
enum pe_entry { PE_ENTRY_END, PE_ENTRY_STAYS, PE_ENTRY_MOVES, PE_ENTRY_BAD };

/**
 * Tells what an entry is.
 *
 * \param table [in]  RVA of the table.
 * \param index [in]  The entry.
 * \param base  [in]  What addresses in it count from: 0 unless they are no relative ones.
 * \return PE_ENTRY_BAD if it, or the name it points at, is outside the image.
 */
enum pe_entry pe_lookup_entry(const struct pe_file *file, uint32_t table, uint32_t index,
                              uint32_t base);

/**
 * Adds to an address of the image.
 *
 * \return 1 · 0 if that is more than an address can hold.
 */
int pe_advance(uint32_t rva, uint32_t count, uint32_t size, uint32_t *result);

#endif
