/* SPDX-License-Identifier: MIT */
/* The target's allocations in the carrier: laid out, and brought up to date. */
#include "clone/carrier.h"

#define GRANULARITY 0x10000u /* bytes; where an allocation may begin */

/* Pieces of one allocation, next to each other, that are laid out together. */
struct run {
    struct pss_piece *first;
    uint32_t count;
};

static uint64_t run_end(const struct run *run)
{
    return run->first[run->count - 1].range.end;
}

/* Where an address of the target ends up, and up to where that holds. */
static enum pss_place place_of(const struct pss_carrier *carrier,
                               const struct pss_region_record *region, uint64_t address,
                               uint64_t *end)
{
    uint32_t count = carrier->kept.size / (uint32_t)sizeof(struct pss_kept);

    for (uint32_t i = 0; i < count; i++) {
        const struct pss_kept *kept = (struct pss_kept *)carrier->kept.base + i;

        if (kept->range.end <= address || kept->range.base >= *end)
            continue;
        if (kept->range.base > address) {
            *end = kept->range.base;
            return PSS_PLACE_OWN;
        }
        if (kept->range.end < *end)
            *end = kept->range.end;
        return kept->is_block && region->allocation_base == kept->range.base ? PSS_PLACE_BLOCK
                                                                             : PSS_PLACE_KEPT;
    }
    return PSS_PLACE_OWN;
}

static NTSTATUS add_pieces(struct pss_carrier *carrier, const struct pss_region_record *region)
{
    uint64_t address = region->base, end;
    uint32_t offset;

    for (; address < region->base + region->size; address = end) {
        struct pss_piece *piece;
        NTSTATUS status =
            pss_region_append(carrier->nt, &carrier->pieces, sizeof(*piece), 1, &offset);

        if (!NT_SUCCESS(status))
            return status;
        end = region->base + region->size;
        piece = pss_region_at(&carrier->pieces, offset);
        *piece = (struct pss_piece){
            .place = (uint8_t)place_of(carrier, region, address, &end),
            .allocation = region->allocation_base,
            .state = region->state,
            .type = region->type,
            .allocation_protect = region->allocation_protect,
            .protect = region->protect,
        };
        piece->range = (struct pss_range){address, end};
    }
    return STATUS_SUCCESS;
}

static NTSTATUS make_pieces(struct pss_carrier *carrier)
{
    const struct pss_region_record *regions = carrier->regions.base;
    uint32_t count = carrier->regions.size / (uint32_t)sizeof(*regions);
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0; i < count && NT_SUCCESS(status); i++)
        if (regions[i].state != MEM_FREE)
            status = add_pieces(carrier, &regions[i]);
    return status;
}

/* Whether a piece belongs to the run of the one before it. */
static int is_continued(const struct pss_piece *piece)
{
    const struct pss_piece *next = piece + 1;

    return next->allocation == piece->allocation && next->range.base == piece->range.end &&
           next->place == piece->place;
}

/* The run that starts at \p index. */
static struct run run_at(const struct pss_region *pieces, uint32_t index)
{
    struct run run = {pss_piece_at(pieces, index), 1};
    const struct pss_piece *end = pss_piece_at(pieces, pss_piece_count(pieces));

    while (run.first + run.count < end && is_continued(&run.first[run.count - 1]))
        run.count++;
    return run;
}

static int is_run_start(const struct pss_region *pieces, uint32_t index)
{
    return !index || !is_continued(pss_piece_at(pieces, index - 1));
}

/* Private memory has no copy-on-write protection. */
static uint32_t private_protect(uint32_t protect)
{
    uint32_t modifiers = protect & ~0xFFu, base = protect & 0xFFu;

    if (base == PAGE_WRITECOPY)
        base = PAGE_READWRITE;
    if (base == PAGE_EXECUTE_WRITECOPY)
        base = PAGE_EXECUTE_READWRITE;
    return base ? base | modifiers : PAGE_NOACCESS;
}

/* Allocates exactly this range; *\p is_there tells whether the carrier has it now. */
static NTSTATUS allocate(struct pss_carrier *carrier, struct pss_range range, ULONG type,
                         ULONG protect, int *is_there)
{
    void *base = (void *)(ULONG_PTR)range.base;
    SIZE_T size = (SIZE_T)(range.end - range.base);
    NTSTATUS status = pss_carrier_step(
        carrier, carrier->nt->allocate_memory(carrier->process, &base, 0, &size, type, protect));

    *is_there = NT_SUCCESS(status);
    if (status == STATUS_CONFLICTING_ADDRESSES || status == STATUS_INVALID_PARAMETER)
        return STATUS_SUCCESS;
    return status;
}

static void drop_memory(struct pss_carrier *carrier, uint64_t address)
{
    void *base = (void *)(ULONG_PTR)address;
    SIZE_T whole = 0;

    carrier->nt->free_memory(carrier->process, &base, &whole, MEM_RELEASE);
}

/* Committed pieces get memory that can be written to; their protection comes after the copy. */
static NTSTATUS commit_pieces(struct pss_carrier *carrier, struct pss_piece *first, uint32_t count)
{
    struct pss_range range = {first->range.base, first[count - 1].range.end};
    int is_there = 1;
    NTSTATUS status = STATUS_SUCCESS;

    if (first->state == MEM_COMMIT)
        status = allocate(carrier, range, MEM_COMMIT, PAGE_READWRITE, &is_there);
    if (NT_SUCCESS(status) && !is_there && first->place != PSS_PLACE_BLOCK)
        status = STATUS_CONFLICTING_ADDRESSES; /* in what has just been reserved */
    for (uint32_t i = 0; i < count; i++) {
        first[i].has_protect = PAGE_READWRITE;
        if (!is_there)
            first[i].place = PSS_PLACE_ABSENT;
    }
    return status;
}

static NTSTATUS commit(struct pss_carrier *carrier, const struct run *run)
{
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0, next; i < run->count && NT_SUCCESS(status); i = next) {
        for (next = i + 1; next < run->count && run->first[next].state == run->first[i].state;)
            next++;
        status = commit_pieces(carrier, &run->first[i], next - i);
    }
    return status;
}

static int is_all_committed(const struct run *run)
{
    for (uint32_t i = 0; i < run->count; i++)
        if (run->first[i].state != MEM_COMMIT)
            return 0;
    return 1;
}

static NTSTATUS allocate_run(struct pss_carrier *carrier, const struct run *run)
{
    struct pss_range range = {run->first->range.base, run_end(run)};
    uint32_t protect = private_protect(run->first->allocation_protect);
    int is_at_once = protect == PAGE_READWRITE && is_all_committed(run), is_there = 0;
    NTSTATUS status = STATUS_SUCCESS;

    if (range.base % GRANULARITY == 0)
        status = allocate(carrier, range, is_at_once ? MEM_RESERVE | MEM_COMMIT : MEM_RESERVE,
                          protect, &is_there);
    if (!NT_SUCCESS(status))
        return status;
    for (uint32_t i = 0; i < run->count; i++) {
        run->first[i].place = is_there ? PSS_PLACE_OWN : PSS_PLACE_ABSENT;
        run->first[i].has_protect = PAGE_READWRITE;
    }
    return is_there && !is_at_once ? commit(carrier, run) : status;
}

static NTSTATUS lay_out_run(struct pss_carrier *carrier, const struct run *run, int may_map)
{
    NTSTATUS status = STATUS_NOT_SUPPORTED;

    for (uint32_t i = 0; i < run->count; i++)
        run->first[i].is_laid_out = 1;
    if (run->first->place == PSS_PLACE_BLOCK)
        return commit(carrier, run);
    if (run->first->place != PSS_PLACE_OWN)
        return STATUS_SUCCESS;
    if (may_map && run->first->type == MEM_IMAGE &&
        run->first->range.base == run->first->allocation)
        status = pss_carrier_map_image(carrier, run->first, run->count);
    if (NT_SUCCESS(status) || status == STATUS_CANCELLED)
        return status;
    return allocate_run(carrier, run);
}

static NTSTATUS drop_run(struct pss_carrier *carrier, const struct run *run)
{
    uint64_t base = run->first->range.base;

    if (run->first->place == PSS_PLACE_IMAGE)
        carrier->nt->unmap_view(carrier->process, (void *)(ULONG_PTR)base);
    else if (run->first->place == PSS_PLACE_OWN)
        drop_memory(carrier, base);
    else
        return STATUS_SUCCESS;
    return pss_carrier_step(carrier, STATUS_SUCCESS);
}

/* Whether two runs are laid out in the same way. Protections change later, in any case. */
static int is_same_run(const struct run *old, const struct run *run)
{
    if (old->count != run->count || old->first->allocation != run->first->allocation)
        return 0;
    for (uint32_t i = 0; i < run->count; i++) {
        const struct pss_piece *a = &old->first[i], *b = &run->first[i];

        if (a->range.base != b->range.base || a->range.end != b->range.end ||
            a->state != b->state || a->type != b->type ||
            a->allocation_protect != b->allocation_protect)
            return 0;
    }
    return 1;
}

static void keep_run(const struct run *old, const struct run *run)
{
    for (uint32_t i = 0; i < run->count; i++) {
        run->first[i].place = old->first[i].place;
        run->first[i].has_protect = old->first[i].has_protect;
        run->first[i].is_laid_out = 1;
    }
}

/*
 * The old runs that are still the same stay; the others make room, also one that is but a part of a
 * new run: that is allocated as a whole. A place that has changed (to ABSENT, to IMAGE) is a matter
 * of the old run only: the new one is as it was made.
 */
static NTSTATUS keep_or_drop(struct pss_carrier *carrier)
{
    uint32_t old_count = pss_piece_count(&carrier->old_pieces), index = 0;
    uint32_t count = pss_piece_count(&carrier->pieces);
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0; i < old_count && NT_SUCCESS(status);) {
        struct run old = run_at(&carrier->old_pieces, i), run;

        while (index < count &&
               pss_piece_at(&carrier->pieces, index)->range.base < old.first->range.base)
            index++;
        i += old.count;
        if (index < count && is_run_start(&carrier->pieces, index)) {
            run = run_at(&carrier->pieces, index);
            if (is_same_run(&old, &run)) {
                keep_run(&old, &run);
                continue;
            }
        }
        status = drop_run(carrier, &old);
    }
    return status;
}

NTSTATUS pss_carrier_lay_out(struct pss_carrier *carrier)
{
    int is_first = carrier->pieces.size == 0;
    struct pss_region spare = carrier->old_pieces;
    NTSTATUS status;

    carrier->old_pieces = carrier->pieces;
    carrier->pieces = spare;
    carrier->pieces.size = 0;
    status = make_pieces(carrier);
    if (NT_SUCCESS(status))
        status = keep_or_drop(carrier);
    for (uint32_t i = 0; i < pss_piece_count(&carrier->pieces) && NT_SUCCESS(status);) {
        struct run run = run_at(&carrier->pieces, i);

        if (!run.first->is_laid_out)
            status = lay_out_run(carrier, &run, is_first);
        i += run.count;
    }
    return status;
}

static NTSTATUS protect_piece(struct pss_carrier *carrier, const struct pss_piece *piece)
{
    void *base = (void *)(ULONG_PTR)piece->range.base;
    SIZE_T size = (SIZE_T)(piece->range.end - piece->range.base);
    uint32_t protect =
        piece->place == PSS_PLACE_IMAGE ? piece->protect : private_protect(piece->protect);
    ULONG old = 0;

    if (protect == piece->has_protect)
        return STATUS_SUCCESS;
    carrier->nt->protect_memory(carrier->process, &base, &size, protect, &old);
    return pss_carrier_step(carrier, STATUS_SUCCESS); /* A protection is not worth a capture. */
}

NTSTATUS pss_carrier_protect(struct pss_carrier *carrier)
{
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0; i < pss_piece_count(&carrier->pieces) && NT_SUCCESS(status); i++) {
        const struct pss_piece *piece = pss_piece_at(&carrier->pieces, i);

        if (piece->state == MEM_COMMIT &&
            (piece->place == PSS_PLACE_OWN || piece->place == PSS_PLACE_IMAGE))
            status = protect_piece(carrier, piece);
    }
    return status;
}
