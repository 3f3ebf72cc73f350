/* SPDX-License-Identifier: MIT */
/* The handle table: which handles there are, and duplicates of them to learn more from later. */
#include "base/sort.h"
#include "capture/capture.h"

#include <stddef.h>
#include <string.h>

#define NEEDS_EACH_OBJECT                                                         \
    (PSS_CAPTURE_HANDLE_NAME_INFORMATION | PSS_CAPTURE_HANDLE_BASIC_INFORMATION | \
     PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION)

static int compare_handles(const void *left, const void *right)
{
    const struct pss_handle_record *a = left, *b = right;

    return a->handle < b->handle ? -1 : a->handle > b->handle;
}

static struct pss_handle_record *find_record(const struct pss_capture *capture, HANDLE handle)
{
    uint32_t low = 0, high = pss_builder_count(&capture->builder, PSS_SECTION_HANDLES);

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        struct pss_handle_record *record =
            pss_builder_record(&capture->builder, PSS_SECTION_HANDLES, middle);

        if (record->handle == (uint64_t)(ULONG_PTR)handle)
            return record;
        if (record->handle < (uint64_t)(ULONG_PTR)handle)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* In a self-capture the handles of the frozen threads are in the table, too: they are ours. */
static void drop_own_handles(struct pss_capture *capture)
{
    struct pss_region *region = &capture->builder.sections[PSS_SECTION_HANDLES];
    struct pss_handle_record *records = region->base;
    uint32_t count = pss_builder_count(&capture->builder, PSS_SECTION_HANDLES), kept = 0;

    for (uint32_t i = 0; capture->is_self && i < pss_threads_count(capture); i++) {
        struct pss_handle_record *own = find_record(capture, pss_threads_at(capture, i)->handle);

        if (own)
            own->object_type = UINT32_MAX;
    }
    for (uint32_t i = 0; i < count; i++)
        if (records[i].object_type != UINT32_MAX)
            records[kept++] = records[i];
    memset(records + kept, 0, (count - kept) * sizeof(*records));
    region->size = kept * (uint32_t)sizeof(*records);
}

static NTSTATUS list_handles(struct pss_capture *capture, const struct pss_region *table)
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

/*
 * One object of each type tells the type's name; more is only needed to tell more. What cannot be
 * duplicated (it was closed meanwhile, or its type forbids it) keeps its value and says less.
 */
static NTSTATUS duplicate_handles(struct pss_capture *capture)
{
    uint32_t count = pss_builder_count(&capture->builder, PSS_SECTION_HANDLES);
    uint32_t seen_types[PSS_TYPE_INDEX_LIMIT / 32] = {0};
    uint32_t offset;
    NTSTATUS status =
        pss_region_reserve(capture->nt, &capture->duplicates, (uint64_t)count * sizeof(HANDLE) + 1);

    for (uint32_t i = 0; i < count && NT_SUCCESS(status); i++) {
        struct pss_handle_record *record =
            pss_builder_record(&capture->builder, PSS_SECTION_HANDLES, i);
        uint32_t type = record->type_index % PSS_TYPE_INDEX_LIMIT;
        HANDLE *duplicate;

        status = pss_region_append(capture->nt, &capture->duplicates, sizeof(HANDLE), 1, &offset);
        if (!NT_SUCCESS(status))
            return status;
        duplicate = pss_region_at(&capture->duplicates, offset);
        record->capture_time = pss_time_now(capture->nt);
        if (!(capture->flags & NEEDS_EACH_OBJECT) && seen_types[type / 32] >> type % 32 & 1)
            continue;
        status =
            capture->nt->duplicate(capture->process, (HANDLE)(ULONG_PTR)record->handle,
                                   PSS_CURRENT_PROCESS, duplicate, 0, 0, DUPLICATE_SAME_ACCESS);
        if (NT_SUCCESS(status))
            seen_types[type / 32] |= 1u << type % 32;
        else
            *duplicate = NULL;
        status = pss_status_soften(status);
    }
    return status;
}

NTSTATUS pss_handles_capture(struct pss_capture *capture)
{
    struct pss_region table = {0};
    struct pss_region *records = &capture->builder.sections[PSS_SECTION_HANDLES];
    NTSTATUS status;

    pss_builder_begin(&capture->builder, PSS_SECTION_HANDLES);
    status = pss_system_table_query(capture->nt, PSS_NT_SYSTEM_EXTENDED_HANDLES, &table);
    if (NT_SUCCESS(status))
        status = list_handles(capture, &table);
    pss_region_free(capture->nt, &table);
    if (!NT_SUCCESS(status))
        return status;
    pss_sort(records->base, pss_builder_count(&capture->builder, PSS_SECTION_HANDLES),
             sizeof(struct pss_handle_record), compare_handles);
    drop_own_handles(capture);
    return duplicate_handles(capture);
}

void pss_handles_close(struct pss_capture *capture)
{
    HANDLE *duplicates = capture->duplicates.base;
    uint32_t count = capture->duplicates.size / (uint32_t)sizeof(HANDLE);

    for (uint32_t i = 0; i < count; i++)
        if (duplicates[i])
            capture->nt->close(duplicates[i]);
    pss_region_free(capture->nt, &capture->duplicates);
}
