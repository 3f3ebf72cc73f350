/* SPDX-License-Identifier: MIT */
/* The handle table: which handles there are, and duplicates of them to learn more from later. */
#include "base/sort.h"
#include "capture/capture.h"

#include <stddef.h>

#define NEEDS_EACH_OBJECT                                                         \
    (PSS_CAPTURE_HANDLE_NAME_INFORMATION | PSS_CAPTURE_HANDLE_BASIC_INFORMATION | \
     PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION)

int pss_handles_are_frozen(const struct pss_capture *capture)
{
    return capture->freezes;
}

int pss_handles_need_duplicates(const struct pss_capture *capture)
{
    return (capture->flags & NEEDS_EACH_OBJECT) != 0;
}

static int compare_handles(const void *left, const void *right)
{
    const struct pss_handle_record *a = left, *b = right;

    return a->handle < b->handle ? -1 : a->handle > b->handle;
}

static NTSTATUS append_row(struct pss_capture *capture, const struct pss_nt_handle_row *row)
{
    struct pss_handle_record *record;
    NTSTATUS status =
        pss_builder_append(capture->nt, &capture->builder, PSS_SECTION_HANDLES, &record);

    if (!NT_SUCCESS(status))
        return status;
    record->handle = row->handle;
    record->attributes = row->attributes;
    record->granted_access = row->granted_access;
    record->type_index = row->type_index;
    return STATUS_SUCCESS;
}

/*
 * The row of our event tells how the table numbers the types. It is no handle of the target's, nor
 * is that of our lock.
 */
static NTSTATUS append_rows(struct pss_capture *capture, const struct pss_region *table,
                            HANDLE event)
{
    uint32_t head = (uint32_t)offsetof(struct pss_nt_handle_table, rows);
    const struct pss_nt_handle_table *rows = table->base;
    ULONG_PTR own_id = (ULONG_PTR)capture->nt->current_id().UniqueProcess;
    NTSTATUS status = STATUS_SUCCESS;

    if (table->size < head || rows->count > (table->size - head) / sizeof(rows->rows[0]))
        return STATUS_INTERNAL_ERROR;
    for (ULONG_PTR i = 0; i < rows->count && NT_SUCCESS(status); i++) {
        const struct pss_nt_handle_row *row = &rows->rows[i];

        if (event && row->handle == (ULONG_PTR)event && row->process_id == own_id)
            pss_types_calibrate(capture, row->type_index);
        else if (row->handle == (ULONG_PTR)capture->handles_lock && row->process_id == own_id)
            continue;
        else if (row->process_id == capture->process_id)
            status = append_row(capture, row);
    }
    return status;
}

/* It is open while the table is read. Without it the rows do not tell types: objects do. */
static NTSTATUS open_event(const struct pss_capture *capture, HANDLE *event)
{
    NTSTATUS status = STATUS_SUCCESS;

    if (capture->has_type_list)
        status = capture->nt->create_event(event, EVENT_ALL_ACCESS, NULL,
                                           PSS_NT_EVENT_SYNCHRONIZATION, 0);
    if (!NT_SUCCESS(status))
        *event = NULL;
    return pss_status_soften(status);
}

/*
 * Captures of the own process that list each other's duplicates, and duplicate those in turn, make
 * more and more of them. One after the other, or as well as it goes.
 */
static NTSTATUS keep_others_from_listing(struct pss_capture *capture)
{
    if (!capture->is_self || !pss_handles_need_duplicates(capture))
        return STATUS_SUCCESS;
    return pss_lock_take(capture->nt, PSS_LOCK_HANDLES, capture->process_id, PSS_LOCK_WAITS_FOR_OWN,
                         &capture->handles_lock);
}

NTSTATUS pss_handles_list(struct pss_capture *capture)
{
    struct pss_region table = {0};
    struct pss_region *records = &capture->builder.sections[PSS_SECTION_HANDLES];
    HANDLE event = NULL;
    NTSTATUS status = keep_others_from_listing(capture);

    if (NT_SUCCESS(status))
        status = open_event(capture, &event);
    pss_builder_begin(&capture->builder, PSS_SECTION_HANDLES);
    if (NT_SUCCESS(status))
        status = pss_system_table_query(capture->nt, PSS_NT_SYSTEM_EXTENDED_HANDLES, &table);
    if (event)
        capture->nt->close(event);
    if (NT_SUCCESS(status))
        status = append_rows(capture, &table, event);
    pss_region_free(capture->nt, &table);
    if (NT_SUCCESS(status))
        pss_sort(records->base, pss_builder_count(&capture->builder, PSS_SECTION_HANDLES),
                 sizeof(struct pss_handle_record), compare_handles);
    return status;
}

struct pss_handle_record *pss_handle_at(const struct pss_capture *capture, uint32_t index)
{
    return pss_builder_record(&capture->builder, PSS_SECTION_HANDLES, index);
}

struct pss_duplicate *pss_duplicate_at(const struct pss_capture *capture, uint32_t index)
{
    return (struct pss_duplicate *)capture->duplicates.base + index;
}

/*
 * A handle that the capture opens in the own process may get a value that was listed, and has been
 * closed since: such a value is no handle of the target's for as long as the capture has it.
 */
static void mark_own(const struct pss_capture *capture, HANDLE own, int is_open)
{
    uint64_t value = (uint64_t)(ULONG_PTR)own;
    uint32_t low = 0, high = pss_builder_count(&capture->builder, PSS_SECTION_HANDLES);

    if (!capture->is_self)
        return;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint64_t handle = pss_handle_at(capture, middle)->handle;

        if (handle == value) {
            pss_duplicate_at(capture, middle)->is_own = (uint8_t)is_open;
            return;
        }
        if (handle < value)
            low = middle + 1;
        else
            high = middle;
    }
}

/* What cannot be duplicated (it was closed, or its type forbids it) has no duplicate. */
static NTSTATUS hold_now(struct pss_capture *capture, uint32_t index)
{
    struct pss_handle_record *record = pss_handle_at(capture, index);
    struct pss_duplicate *held = pss_duplicate_at(capture, index);
    NTSTATUS status;

    record->capture_time = pss_time_now(capture->nt);
    pss_freeze_step(capture);
    if (held->is_own)
        return STATUS_SUCCESS;
    status =
        capture->nt->duplicate(capture->process, (HANDLE)(ULONG_PTR)record->handle,
                               PSS_CURRENT_PROCESS, &held->handle, 0, 0, DUPLICATE_SAME_ACCESS);
    if (!NT_SUCCESS(status)) {
        held->handle = NULL;
        return pss_status_soften(status);
    }
    mark_own(capture, held->handle, 1);
    return STATUS_SUCCESS;
}

/* While the target stands still everything is held; else each handle when its turn comes. */
NTSTATUS pss_handles_duplicate(struct pss_capture *capture)
{
    uint32_t count = pss_builder_count(&capture->builder, PSS_SECTION_HANDLES);
    uint32_t offset;
    NTSTATUS status = pss_region_append(capture->nt, &capture->duplicates,
                                        count * (uint32_t)sizeof(struct pss_duplicate), 1, &offset);

    if (!NT_SUCCESS(status) || !pss_handles_are_frozen(capture))
        return status;
    for (uint32_t i = 0; i < pss_threads_count(capture); i++)
        mark_own(capture, pss_threads_at(capture, i)->handle, 1);
    mark_own(capture, capture->freeze.locks[0], 1);
    for (uint32_t i = 0; i < sizeof(capture->freeze.watch.own) / sizeof(HANDLE); i++)
        mark_own(capture, capture->freeze.watch.own[i], 1);
    for (uint32_t i = 0; i < count && NT_SUCCESS(status); i++)
        if (pss_handles_need_duplicates(capture) ||
            !pss_type_of_row(capture, pss_handle_at(capture, i)))
            status = hold_now(capture, i);
    return status;
}

NTSTATUS pss_handle_hold(struct pss_capture *capture, uint32_t index)
{
    return pss_handles_are_frozen(capture) ? STATUS_SUCCESS : hold_now(capture, index);
}

void pss_handle_let_go(struct pss_capture *capture, uint32_t index)
{
    struct pss_duplicate *held = pss_duplicate_at(capture, index);

    if (!held->handle || !held->is_plain)
        return;
    capture->nt->close(held->handle);
    if (!pss_handles_are_frozen(capture)) /* else all values were looked at long ago */
        mark_own(capture, held->handle, 0);
    held->handle = NULL;
}

void pss_handles_close(struct pss_capture *capture)
{
    uint32_t count = capture->duplicates.size / (uint32_t)sizeof(struct pss_duplicate);

    for (uint32_t i = 0; i < count; i++)
        pss_duplicate_at(capture, i)->awaits_name = 0;
    pss_files_finish(capture); /* Nothing is asked for: what counts is that all are closed. */
    pss_region_free(capture->nt, &capture->extras);
    pss_region_free(capture->nt, &capture->duplicates);
    pss_lock_give_back(capture->nt, &capture->handles_lock);
}
