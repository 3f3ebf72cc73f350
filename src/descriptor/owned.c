/* SPDX-License-Identifier: MIT */
/* What a snapshot owns beside its memory. */
#include "descriptor/descriptor.h"

void pss_owned_close(const struct pss_nt *nt, const struct pss_block *block)
{
    if (block->sections[PSS_SECTION_TRACE].count)
        pss_trace_close(nt, pss_block_record(block, PSS_SECTION_TRACE, 0));
    if (block->sections[PSS_SECTION_CLONE].count)
        pss_clone_close(nt, pss_block_record(block, PSS_SECTION_CLONE, 0));
}

void pss_owned_discard(const struct pss_nt *nt, const struct pss_block *block)
{
    if (block->sections[PSS_SECTION_TRACE].count)
        pss_trace_discard(nt, pss_block_record(block, PSS_SECTION_TRACE, 0));
    if (block->sections[PSS_SECTION_CLONE].count)
        pss_clone_discard(nt, pss_block_record(block, PSS_SECTION_CLONE, 0));
}
