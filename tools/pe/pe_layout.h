/* SPDX-License-Identifier: MIT */
/* Where one more section of a PE file goes: its header, its bytes, and its place in memory. */
#ifndef PSS_PE_LAYOUT_H
#define PSS_PE_LAYOUT_H

#include "pe_read.h"

struct pe_layout {
    uint32_t section_header;    /* offset of the new section header */
    uint32_t header_size;       /* what the headers say of their own size */
    uint32_t rva;               /* of the new section */
    uint32_t data_start;        /* offset in the old file where the sections' bytes begin, */
    uint32_t data_growth;       /* and how far they move back to let the headers grow */
    uint32_t data_end;          /* offset in the old file where they end */
    uint32_t data;              /* offset in the new file of the new section's bytes, aligned */
    uint32_t certificates;      /* offset in the old file of the signature, which is left out */
    uint32_t certificates_size; /* 0: there is none, or not in a place where it can be left out */
};

/**
 * Finds the places.
 *
 * \param file   [in]  Open.
 * \param layout [out] Filled on success.
 * \return PE_NOTHING · PE_BAD_LAYOUT · PE_NO_HEADER_ROOM.
 */
enum pe_verdict pe_layout_make(const struct pe_file *file, struct pe_layout *layout);

/** \p value rounded up to a multiple of \p alignment, a power of two. */
uint64_t pe_align(uint64_t value, uint32_t alignment);

/**
 * Where what is at an offset of the old file goes.
 *
 * \param growth [in] How far that moves back which follows the old sections.
 */
uint32_t pe_layout_moved(const struct pe_layout *layout, uint32_t growth, uint32_t offset);

#endif
