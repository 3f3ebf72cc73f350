/* SPDX-License-Identifier: MIT */
/* The bytes: read in chunks, compared with what the carrier has, and written where they differ. */
#include "clone/carrier.h"

#include <string.h>

#define PAGE      0x1000u
#define GAP_PAGES 8u /* a call costs more than to write as many pages that did not need it */

/* What a chunk is compared with, to tell what has to be written. */
enum comparison { COMPARE_WITH_ZERO, COMPARE_WITH_IMAGE, COMPARE_WITH_BLOCK };

/* Pieces next to each other that are compared with the same thing. */
struct span {
    struct pss_range range;
    uint32_t first, count; /* pieces */
    enum comparison comparison;
};

static int is_zero(const unsigned char *page)
{
    const uint64_t *words = (const uint64_t *)(const void *)page;

    for (uint32_t i = 0; i < PAGE / sizeof(*words); i += 4)
        if (words[i] | words[i + 1] | words[i + 2] | words[i + 3])
            return 0;
    return 1;
}

/* Whether the carrier has these bytes already. */
static int has_page(const struct pss_carrier *carrier, const struct span *span, uint32_t offset)
{
    const unsigned char *page = carrier->chunk + offset;

    return span->comparison == COMPARE_WITH_ZERO ? is_zero(page)
                                                 : !memcmp(page, carrier->other + offset, PAGE);
}

/* Writes a part of the chunk, but for the hole. */
static NTSTATUS write_part(struct pss_carrier *carrier, uint64_t address, uint32_t from,
                           uint32_t to)
{
    const struct pss_range *hole = &carrier->hole;
    uint64_t base = address + from, end = address + to;
    NTSTATUS status = STATUS_SUCCESS;

    if (base < hole->end && hole->base < end) {
        if (base < hole->base)
            status = write_part(carrier, address, from, (uint32_t)(hole->base - address));
        if (NT_SUCCESS(status) && hole->end < end)
            status = write_part(carrier, address, (uint32_t)(hole->end - address), to);
        return status;
    }
    status = pss_route_write(carrier->nt, &carrier->to, base, carrier->chunk + from, to - from);
    carrier->record.copied += to - from;
    return pss_carrier_step(carrier, status);
}

/* The end of what is to be written from \p from on; a few pages in between are written, too. */
static uint32_t find_end(const struct pss_carrier *carrier, const struct span *span, uint32_t from,
                         uint32_t size)
{
    uint32_t end = from + PAGE;

    for (uint32_t next = end; next < size && next - end <= GAP_PAGES * PAGE; next += PAGE)
        if (!has_page(carrier, span, next))
            end = next + PAGE;
    return end;
}

/* What a page counts for that has not to be written. */
static uint64_t *count_of(struct pss_carrier *carrier, enum comparison comparison)
{
    switch (comparison) {
    case COMPARE_WITH_ZERO:
        return &carrier->record.zero;
    case COMPARE_WITH_IMAGE:
        return &carrier->record.unchanged;
    default:
        return &carrier->record.copied;
    }
}

static NTSTATUS write_chunk(struct pss_carrier *carrier, const struct span *span, uint64_t address,
                            uint32_t size)
{
    uint64_t *had = count_of(carrier, span->comparison);
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t offset = 0, end; offset < size && NT_SUCCESS(status); offset = end) {
        end = offset + PAGE;
        if (has_page(carrier, span, offset)) {
            *had += PAGE;
            continue;
        }
        end = find_end(carrier, span, offset, size);
        status = write_part(carrier, address, offset, end);
    }
    return status;
}

/* Reads as much of the chunk as can be read: up to the first page that cannot. */
static NTSTATUS read_chunk(struct pss_carrier *carrier, uint64_t address, uint32_t *size)
{
    uint32_t good = 0, bad = *size + PAGE; /* bad: the least size that fails, so far */
    NTSTATUS status;

    for (uint32_t next = *size; good < next; next = good + (bad - good) / 2 / PAGE * PAGE) {
        status = pss_carrier_step(
            carrier, pss_route_read(carrier->nt, &carrier->from, address, carrier->chunk, next));
        if (status == STATUS_CANCELLED || status == STATUS_PROCESS_IS_TERMINATING)
            return status;
        if (NT_SUCCESS(status))
            good = next;
        else
            bad = next;
    }
    *size = good;
    return STATUS_SUCCESS;
}

static NTSTATUS copy_chunk(struct pss_carrier *carrier, const struct span *span, uint64_t address,
                           uint32_t size)
{
    NTSTATUS status = STATUS_SUCCESS;

    if (span->comparison != COMPARE_WITH_ZERO)
        status = pss_carrier_step(
            carrier, pss_route_read(carrier->nt, &carrier->to, address, carrier->other, size));
    return NT_SUCCESS(status) ? write_chunk(carrier, span, address, size) : status;
}

/* The end of the piece an address of the span is in. */
static uint64_t piece_end(const struct pss_carrier *carrier, const struct span *span,
                          uint64_t address)
{
    for (uint32_t i = 0; i < span->count; i++) {
        const struct pss_piece *piece = pss_piece_at(&carrier->pieces, span->first + i);

        if (address < piece->range.end)
            return piece->range.end;
    }
    return span->range.end;
}

/* From its first page that cannot be read on, as of a file that was cut off, a piece stays zero. */
static NTSTATUS copy_span(struct pss_carrier *carrier, const struct span *span)
{
    uint32_t chunk = carrier->from.file && carrier->to.file ? PSS_FILE_COPY_CHUNK : PSS_COPY_CHUNK;
    NTSTATUS status = STATUS_SUCCESS;
    uint64_t address = span->range.base;

    while (address < span->range.end && NT_SUCCESS(status)) {
        uint64_t left = span->range.end - address;
        uint32_t wanted = left < chunk ? (uint32_t)left : chunk;
        uint32_t size = wanted;

        status = read_chunk(carrier, address, &size);
        if (NT_SUCCESS(status) && size)
            status = copy_chunk(carrier, span, address, size);
        address += size;
        if (size < wanted)
            address = piece_end(carrier, span, address);
    }
    return status;
}

static int is_copied(const struct pss_piece *piece)
{
    return piece->state == MEM_COMMIT &&
           (piece->place == PSS_PLACE_OWN || piece->place == PSS_PLACE_BLOCK ||
            piece->place == PSS_PLACE_IMAGE);
}

static enum comparison comparison_of(const struct pss_piece *piece)
{
    if (piece->place == PSS_PLACE_IMAGE)
        return COMPARE_WITH_IMAGE;
    return piece->place == PSS_PLACE_BLOCK ? COMPARE_WITH_BLOCK : COMPARE_WITH_ZERO;
}

/* The pieces from \p first on that make one span. */
static struct span find_span(const struct pss_carrier *carrier, uint32_t first)
{
    const struct pss_piece *piece = pss_piece_at(&carrier->pieces, first);
    uint32_t total = pss_piece_count(&carrier->pieces);
    struct span span = {piece->range, first, 1, comparison_of(piece)};

    for (; first + span.count < total; span.count++) {
        const struct pss_piece *next = &piece[span.count];

        if (!is_copied(next) || next->range.base != span.range.end ||
            comparison_of(next) != span.comparison)
            break;
        span.range.end = next->range.end;
    }
    return span;
}

static void count_all(struct pss_carrier *carrier)
{
    struct pss_clone_record *record = &carrier->record;

    record->committed = 0;
    for (uint32_t i = 0; i < pss_piece_count(&carrier->pieces); i++) {
        const struct pss_piece *piece = pss_piece_at(&carrier->pieces, i);

        if (piece->state == MEM_COMMIT)
            record->committed += piece->range.end - piece->range.base;
    }
    record->held = record->copied + record->unchanged + record->zero;
    record->missing = record->committed - record->held;
}

NTSTATUS pss_carrier_copy(struct pss_carrier *carrier)
{
    uint32_t total = pss_piece_count(&carrier->pieces);
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0; i < total && NT_SUCCESS(status);) {
        struct span span;

        if (!is_copied(pss_piece_at(&carrier->pieces, i))) {
            i++;
            continue;
        }
        span = find_span(carrier, i);
        status = copy_span(carrier, &span);
        i += span.count;
    }
    count_all(carrier);
    return status;
}
