/* SPDX-License-Identifier: MIT */
/* Cuts one import descriptor into pieces that move to pss.dll and pieces that stay. */
#ifndef PSS_PE_CUT_H
#define PSS_PE_CUT_H

#include "pe_imports.h"

/** A descriptor of either kind. */
struct pe_source {
    struct pe_piece whole; /* its fields; the pieces are like it but for their part of the slots */
    uint32_t base;         /* what the addresses in its lookup table count from */
    int is_delayed;        /* pieces that stay are none of the new table's business */
};

/** How many names a descriptor has. */
struct pe_count {
    uint32_t names;
    uint32_t moving; /* of them */
};

/**
 * Adds a piece to the new table.
 *
 * \return PE_NOTHING · PE_NO_MEMORY · PE_BAD_IMPORTS: too many.
 */
enum pe_verdict pe_add_piece(struct pe_imports *imports, const struct pe_piece *piece);

/**
 * Adds a delay-load descriptor that gets another name.
 *
 * \return As pe_add_piece().
 */
enum pe_verdict pe_add_lazy(struct pe_imports *imports, uint32_t descriptor);

/**
 * Remembers slots that pss.dll's functions are bound to already.
 *
 * \return As pe_add_piece().
 */
enum pe_verdict pe_add_taken(struct pe_imports *imports, uint32_t slots, uint32_t end);

/**
 * Counts a descriptor's names.
 *
 * \param imports [in,out] Knows the slots that are taken, and bounds what is read in all.
 * \param source  [in]     The descriptor.
 * \param count   [out]    Filled on success.
 * \return PE_NOTHING · PE_BAD_IMPORTS.
 */
enum pe_verdict pe_count_names(const struct pe_file *file, struct pe_imports *imports,
                               const struct pe_source *source, struct pe_count *count);

/**
 * Cuts a descriptor and adds its pieces.
 *
 * \param total [in] Names that it has.
 * \return PE_NOTHING · PE_BAD_IMPORTS · PE_NO_MEMORY.
 */
enum pe_verdict pe_cut(const struct pe_file *file, struct pe_imports *imports,
                       const struct pe_source *source, uint32_t total);

#endif
