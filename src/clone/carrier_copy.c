/* SPDX-License-Identifier: MIT */
/* The copy: which bytes there are to take, chunk by chunk, by as many copiers as there are. */
#include "clone/carrier.h"

/* Pieces next to each other that are compared with the same thing. */
struct span {
    struct pss_range range;
    uint32_t first, count; /* pieces */
    enum pss_comparison comparison;
};

static int is_copied(const struct pss_piece *piece)
{
    return piece->state == MEM_COMMIT &&
           (piece->place == PSS_PLACE_OWN || piece->place == PSS_PLACE_BLOCK ||
            piece->place == PSS_PLACE_IMAGE);
}

static enum pss_comparison comparison_of(const struct pss_piece *piece)
{
    if (piece->place == PSS_PLACE_IMAGE)
        return PSS_COMPARE_WITH_IMAGE;
    return piece->place == PSS_PLACE_BLOCK ? PSS_COMPARE_WITH_BLOCK : PSS_COMPARE_WITH_ZERO;
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

static struct pss_piece *piece_at(const struct pss_carrier *carrier, const struct span *span,
                                  uint64_t address)
{
    struct pss_piece *piece = pss_piece_at(&carrier->pieces, span->first);

    while (address >= piece->range.end)
        piece++;
    return piece;
}

/* From its first page that cannot be read on, as of a file that was cut off, a piece stays zero. */
static NTSTATUS copy_chunk(struct pss_copier *copier, const struct span *span,
                           struct pss_range range)
{
    NTSTATUS status = STATUS_SUCCESS;

    while (range.base < range.end && NT_SUCCESS(status)) {
        struct pss_piece *piece = piece_at(copier->carrier, span, range.base);
        uint64_t cut = __atomic_load_n(&piece->cut, __ATOMIC_RELAXED);
        uint32_t wanted = (uint32_t)(range.end - range.base), size = wanted;

        if (cut && range.base >= cut) {
            range.base = piece->range.end;
            continue;
        }
        status = pss_chunk_read(copier, range.base, &size);
        if (NT_SUCCESS(status) && size)
            status = pss_chunk_write(copier, span->comparison, range.base, size);
        range.base += size;
        if (NT_SUCCESS(status) && size < wanted)
            __atomic_store_n(&piece_at(copier->carrier, span, range.base)->cut, range.base,
                             __ATOMIC_RELAXED);
    }
    return status;
}

/* Copies the chunks of a span that are this copier's: those whose number it draws. */
static NTSTATUS copy_span(struct pss_copier *copier, const struct span *span, uint32_t *number,
                          uint32_t *mine)
{
    struct pss_carrier *carrier = copier->carrier;
    uint32_t size = pss_carrier_uses_files(carrier) ? PSS_FILE_COPY_CHUNK : PSS_COPY_CHUNK;
    struct pss_range chunk;
    NTSTATUS status = STATUS_SUCCESS;

    for (uint64_t base = span->range.base; base < span->range.end && NT_SUCCESS(status);
         base = chunk.end, ++*number) {
        chunk.base = base;
        chunk.end = span->range.end - base < size ? span->range.end : base + size;
        if (*number != *mine)
            continue;
        *mine = __atomic_fetch_add(&carrier->next_chunk, 1, __ATOMIC_RELAXED);
        status = copy_chunk(copier, span, chunk);
    }
    return status;
}

NTSTATUS pss_carrier_copy(struct pss_copier *copier)
{
    struct pss_carrier *carrier = copier->carrier;
    uint32_t total = pss_piece_count(&carrier->pieces), number = 0;
    uint32_t mine = __atomic_fetch_add(&carrier->next_chunk, 1, __ATOMIC_RELAXED);
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0; i < total && NT_SUCCESS(status);) {
        struct span span;

        if (!is_copied(pss_piece_at(&carrier->pieces, i))) {
            i++;
            continue;
        }
        span = find_span(carrier, i);
        status = copy_span(copier, &span, &number, &mine);
        i += span.count;
    }
    return status;
}

void pss_carrier_count(struct pss_carrier *carrier)
{
    struct pss_clone_record *record = &carrier->record;

    for (uint32_t i = 0; i < pss_piece_count(&carrier->pieces); i++) {
        const struct pss_piece *piece = pss_piece_at(&carrier->pieces, i);

        if (piece->state == MEM_COMMIT)
            record->committed += piece->range.end - piece->range.base;
    }
    for (int i = 0; i < PSS_COPIER_COUNT; i++) {
        record->copied += carrier->copiers[i].copied;
        record->unchanged += carrier->copiers[i].unchanged;
        record->zero += carrier->copiers[i].zero;
    }
    record->held = record->copied + record->unchanged + record->zero;
    record->missing = record->committed - record->held;
}
