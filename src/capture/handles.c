/* SPDX-License-Identifier: MIT */
/* The handle table: which handles there are, and duplicates of them to learn more from later. */
#include "base/sort.h"
#include "capture/capture.h"

#include <stddef.h>

int pss_handles_are_frozen(const struct pss_capture *capture)
{
    return capture->freezes;
}

static int compare_handles(const void *left, const void *right)
{
    const struct pss_handle_record *a = left, *b = right;

    return a->handle < b->handle ? -1 : a->handle > b->handle;
}

static NTSTATUS append_rows(struct pss_capture *capture, const struct pss_region *table)
{
    uint32_t head = (uint32_t)offsetof(struct pss_nt_handle_table, rows);
    const struct pss_nt_handle_table *rows = table->base;
    struct pss_handle_record *record;

    if (table->size < head || rows->count > (table->size - head) / sizeof(rows->rows[0]))
        return STATUS_INTERNAL_ERROR;
    for (ULONG_PTR i = 0; i < rows->count; i++) {
        const struct pss_nt_handle_row *row = &rows->rows[i];
        NTSTATUS status;

        if (row->process_id != capture->process_id)
            continue;
        status = pss_builder_append(capture->nt, &capture->builder, PSS_SECTION_HANDLES, &record);
        if (!NT_SUCCESS(status))
            return status;
        record->handle = row->handle;
        record->attributes = row->attributes;
        record->granted_access = row->granted_access;
        record->type_index = row->type_index;
    }
    return STATUS_SUCCESS;
}

NTSTATUS pss_handles_list(struct pss_capture *capture)
{
    struct pss_region table = {0};
    struct pss_region *records = &capture->builder.sections[PSS_SECTION_HANDLES];
    NTSTATUS status;

    pss_builder_begin(&capture->builder, PSS_SECTION_HANDLES);
    status = pss_system_table_query(capture->nt, PSS_NT_SYSTEM_EXTENDED_HANDLES, &table);
    if (NT_SUCCESS(status))
        status = append_rows(capture, &table);
    pss_region_free(capture->nt, &table);
    if (NT_SUCCESS(status))
        pss_sort(records->base, pss_builder_count(&capture->builder, PSS_SECTION_HANDLES),
                 sizeof(struct pss_handle_record), compare_handles);
    return status;
}

/* What cannot be duplicated (it was closed, or its type forbids it) keeps its value alone. */
NTSTATUS pss_handle_duplicate(const struct pss_capture *capture, uint64_t handle, HANDLE *duplicate)
{
    NTSTATUS status =
        capture->nt->duplicate(capture->process, (HANDLE)(ULONG_PTR)handle, PSS_CURRENT_PROCESS,
                               duplicate, 0, 0, DUPLICATE_SAME_ACCESS);

    if (!NT_SUCCESS(status))
        *duplicate = NULL;
    return pss_status_soften(status);
}

static struct pss_handle_record *record_at(const struct pss_capture *capture, uint32_t index)
{
    return pss_builder_record(&capture->builder, PSS_SECTION_HANDLES, index);
}

static HANDLE *duplicate_at(const struct pss_capture *capture, uint32_t index)
{
    return (HANDLE *)capture->duplicates.base + index;
}

static NTSTATUS hold_now(struct pss_capture *capture, uint32_t index)
{
    struct pss_handle_record *record = record_at(capture, index);

    record->capture_time = pss_time_now(capture->nt);
    return pss_handle_duplicate(capture, record->handle, duplicate_at(capture, index));
}

/* While the target stands still everything is held; else each handle when its turn comes. */
NTSTATUS pss_handles_duplicate(struct pss_capture *capture)
{
    uint32_t count = pss_builder_count(&capture->builder, PSS_SECTION_HANDLES);
    uint32_t offset;
    NTSTATUS status = pss_region_append(capture->nt, &capture->duplicates,
                                        count * (uint32_t)sizeof(HANDLE), 1, &offset);

    for (uint32_t i = 0; i < count && NT_SUCCESS(status) && pss_handles_are_frozen(capture); i++)
        status = hold_now(capture, i);
    return status;
}

NTSTATUS pss_handle_hold(struct pss_capture *capture, uint32_t index)
{
    return pss_handles_are_frozen(capture) ? STATUS_SUCCESS : hold_now(capture, index);
}

void pss_handle_let_go(struct pss_capture *capture, uint32_t index)
{
    HANDLE *duplicate = duplicate_at(capture, index);

    if (*duplicate)
        capture->nt->close(*duplicate);
    *duplicate = NULL;
}

void pss_handles_close(struct pss_capture *capture)
{
    uint32_t count = capture->duplicates.size / (uint32_t)sizeof(HANDLE);

    for (uint32_t i = 0; i < count; i++)
        pss_handle_let_go(capture, i);
    pss_region_free(capture->nt, &capture->duplicates);
}
