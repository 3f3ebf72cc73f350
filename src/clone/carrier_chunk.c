/* SPDX-License-Identifier: MIT */
/* One chunk: read, compared with what the carrier has, and written where it differs. */
#include "base/status.h"
#include "clone/carrier.h"

#include <string.h>

#define PAGE      0x1000u
#define GAP_PAGES 8u /* a call costs more than to write as many pages that did not need it */

static int is_zero(const unsigned char *page)
{
    const uint64_t *words = (const uint64_t *)(const void *)page;

    for (uint32_t i = 0; i < PAGE / sizeof(*words); i += 4)
        if (words[i] | words[i + 1] | words[i + 2] | words[i + 3])
            return 0;
    return 1;
}

/* Whether the carrier has these bytes already. */
static int has_page(const struct pss_copier *copier, enum pss_comparison comparison,
                    uint32_t offset)
{
    const unsigned char *page = copier->chunk + offset;

    return comparison == PSS_COMPARE_WITH_ZERO ? is_zero(page)
                                               : !memcmp(page, copier->other + offset, PAGE);
}

static NTSTATUS step(struct pss_copier *copier, NTSTATUS status)
{
    return pss_errand_step(copier->errand) ? status : STATUS_CANCELLED;
}

/* Writes a part of the chunk, in front of the hole and behind it. */
static NTSTATUS write_part(struct pss_copier *copier, uint64_t address, uint32_t from, uint32_t to)
{
    const struct pss_carrier *carrier = copier->carrier;
    const struct pss_range *hole = &carrier->hole;
    uint64_t base = address + from, end = address + to;
    struct pss_range parts[2] = {{base, end < hole->base ? end : hole->base},
                                 {base > hole->end ? base : hole->end, end}};
    NTSTATUS status = STATUS_SUCCESS;

    for (int i = 0; i < 2 && NT_SUCCESS(status); i++) {
        uint32_t size = (uint32_t)(parts[i].end - parts[i].base);

        if (parts[i].base >= parts[i].end)
            continue;
        status = step(copier, pss_route_write(carrier->nt, &carrier->to, parts[i].base,
                                              copier->chunk + (parts[i].base - address), size));
        copier->copied += size;
    }
    return status;
}

/* The end of what is to be written from \p from on; a few pages in between are written, too. */
static uint32_t find_end(const struct pss_copier *copier, enum pss_comparison comparison,
                         uint32_t from, uint32_t size)
{
    uint32_t end = from + PAGE;

    for (uint32_t next = end; next < size && next - end <= GAP_PAGES * PAGE; next += PAGE)
        if (!has_page(copier, comparison, next))
            end = next + PAGE;
    return end;
}

/* What a page counts for that has not to be written. */
static uint64_t *count_of(struct pss_copier *copier, enum pss_comparison comparison)
{
    switch (comparison) {
    case PSS_COMPARE_WITH_ZERO:
        return &copier->zero;
    case PSS_COMPARE_WITH_IMAGE:
        return &copier->unchanged;
    default:
        return &copier->copied;
    }
}

static NTSTATUS write_chunk(struct pss_copier *copier, enum pss_comparison comparison,
                            uint64_t address, uint32_t size)
{
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t offset = 0, end; offset < size && NT_SUCCESS(status); offset = end) {
        end = offset + PAGE;
        if (has_page(copier, comparison, offset)) {
            *count_of(copier, comparison) += PAGE;
            continue;
        }
        end = find_end(copier, comparison, offset, size);
        status = write_part(copier, address, offset, end);
    }
    return status;
}

NTSTATUS pss_chunk_read(struct pss_copier *copier, uint64_t address, uint32_t *size)
{
    const struct pss_carrier *carrier = copier->carrier;
    uint32_t good = 0, bad = *size + PAGE; /* bad: the least size that fails, so far */

    for (uint32_t next = *size; good < next; next = good + (bad - good) / 2 / PAGE * PAGE) {
        NTSTATUS status =
            step(copier, pss_route_read(carrier->nt, &carrier->from, address, copier->chunk, next));

        if (status == STATUS_CANCELLED || status == STATUS_PROCESS_IS_TERMINATING ||
            pss_status_is_hard(status)) /* that tells nothing of the page */
            return status;
        if (NT_SUCCESS(status))
            good = next;
        else
            bad = next;
    }
    *size = good;
    return STATUS_SUCCESS;
}

NTSTATUS pss_chunk_write(struct pss_copier *copier, enum pss_comparison comparison,
                         uint64_t address, uint32_t size)
{
    const struct pss_carrier *carrier = copier->carrier;
    NTSTATUS status = STATUS_SUCCESS;

    if (comparison != PSS_COMPARE_WITH_ZERO)
        status =
            step(copier, pss_route_read(carrier->nt, &carrier->to, address, copier->other, size));
    return NT_SUCCESS(status) ? write_chunk(copier, comparison, address, size) : status;
}
