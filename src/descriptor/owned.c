/* SPDX-License-Identifier: MIT */
/* What a snapshot owns beside its memory. */
#include "descriptor/descriptor.h"

void pss_owned_read(const struct pss_block *block, struct pss_owned_records *records)
{
    *records = (struct pss_owned_records){0};
    if (block->sections[PSS_SECTION_TRACE].count)
        records->trace =
            *(const struct pss_trace_record *)pss_block_record(block, PSS_SECTION_TRACE, 0);
    if (block->sections[PSS_SECTION_CLONE].count)
        records->clone =
            *(const struct pss_clone_record *)pss_block_record(block, PSS_SECTION_CLONE, 0);
}

void pss_owned_close(const struct pss_nt *nt, const struct pss_block *block)
{
    struct pss_owned_records records;

    pss_owned_read(block, &records);
    pss_trace_close(nt, &records.trace);
    pss_clone_close(nt, &records.clone);
}

void pss_owned_discard(const struct pss_nt *nt, const struct pss_block *block)
{
    struct pss_owned_records records;

    pss_owned_read(block, &records);
    pss_trace_discard(nt, &records.trace);
    pss_clone_discard(nt, &records.clone);
}
