/* SPDX-License-Identifier: MIT */
/* How many handles an object has without ours, where several of our duplicates may be of it. */
#include "capture/capture.h"

/*
 * Nothing tells which duplicates are of one object. So each gets one duplicate more, from round to
 * round: an object's count rises each time by the number of those that are its. A rise that comes
 * twice in a row is believed, since others may open and close handles meanwhile.
 */
#define ROUNDS 5

/* So many at most get more: two processes that capture each other list these duplicates, too. */
#define EXTRAS_LIMIT 0x10000u

static NTSTATUS add_extra(struct pss_capture *capture, const struct pss_duplicate *held)
{
    struct pss_extra *extra;
    uint32_t offset;
    NTSTATUS status = pss_region_append(capture->nt, &capture->extras, sizeof(*extra),
                                        _Alignof(struct pss_extra), &offset);

    if (!NT_SUCCESS(status))
        return status;
    extra = pss_region_at(&capture->extras, offset);
    extra->is_plain = held->is_plain;
    status = capture->nt->duplicate(PSS_CURRENT_PROCESS, held->handle, PSS_CURRENT_PROCESS,
                                    &extra->handle, 0, 0, DUPLICATE_SAME_ACCESS);
    if (!NT_SUCCESS(status))
        extra->handle = NULL;
    return status;
}

static void take_counts(struct pss_duplicate *held, struct pss_handle_record *record,
                        const struct pss_nt_object_basic *basic, uint32_t round)
{
    uint32_t rise = basic->handle_count - held->last_count;
    uint64_t open = (uint64_t)rise * (round + 1);
    int is_twice = round > 1 && rise == held->last_rise;

    held->last_count = basic->handle_count;
    held->last_rise = rise;
    if (!is_twice || !rise || open >= basic->handle_count) /* the one in the list is not ours */
        return;
    record->handle_count = basic->handle_count - (uint32_t)open;
    record->pointer_count = basic->pointer_count > open ? basic->pointer_count - (uint32_t)open : 0;
    held->is_counted = 1;
}

static NTSTATUS count_again(struct pss_capture *capture, uint32_t round, uint32_t *open)
{
    uint32_t count = pss_builder_count(&capture->builder, PSS_SECTION_HANDLES);
    struct pss_nt_object_basic basic;
    NTSTATUS status = STATUS_SUCCESS;

    *open = 0;
    for (uint32_t i = 0; i < count && NT_SUCCESS(status); i++) {
        struct pss_duplicate *held = pss_duplicate_at(capture, i);

        if (!held->awaits_count)
            continue; /* Those that are known go on with the others of their object. */
        status = capture->nt->query_object(held->handle, PSS_NT_OBJECT_BASIC, &basic, sizeof(basic),
                                           NULL);
        if (NT_SUCCESS(status) && !held->is_counted)
            take_counts(held, pss_handle_at(capture, i), &basic, round);
        *open += !held->is_counted;
    }
    return status;
}

static NTSTATUS add_extras(struct pss_capture *capture)
{
    uint32_t count = pss_builder_count(&capture->builder, PSS_SECTION_HANDLES);
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0; i < count && NT_SUCCESS(status); i++)
        if (pss_duplicate_at(capture, i)->awaits_count)
            status = add_extra(capture, pss_duplicate_at(capture, i));
    return status;
}

/* What stays unknown keeps the count that was told first, without one duplicate. */
NTSTATUS pss_handles_recount(struct pss_capture *capture)
{
    uint32_t open = 0;
    NTSTATUS status = count_again(capture, 0, &open);

    if (open > EXTRAS_LIMIT / ROUNDS)
        return pss_status_soften(status);
    for (uint32_t round = 1; round < ROUNDS && open && NT_SUCCESS(status); round++) {
        status = add_extras(capture);
        if (NT_SUCCESS(status))
            status = count_again(capture, round, &open);
    }
    return pss_status_soften(status);
}
