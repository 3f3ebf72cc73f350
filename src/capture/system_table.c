/* SPDX-License-Identifier: MIT */
/* The system's bulk tables: one call tells the times and the threads of every process. */
#include "capture/capture.h"

#include <stddef.h>
#include <string.h>

#define FIRST_TABLE_SIZE 0x20000u
#define TABLE_SIZE_LIMIT 0x10000000u
#define QUERY_ATTEMPTS   16 /* the table may grow between two calls */
#define ROW_HEAD         ((uint32_t)offsetof(struct pss_nt_process_row, threads))

NTSTATUS pss_system_table_query(const struct pss_nt *nt, ULONG class_number,
                                struct pss_region *table)
{
    NTSTATUS status = pss_region_reserve(nt, table, FIRST_TABLE_SIZE);
    ULONG size = 0;

    for (int i = 0; i < QUERY_ATTEMPTS && NT_SUCCESS(status); i++) {
        ULONG capacity = (ULONG)table->capacity;

        status = nt->query_system(class_number, table->base, capacity, &size);
        if (status != STATUS_INFO_LENGTH_MISMATCH) {
            if (NT_SUCCESS(status))
                table->size = size < capacity ? size : capacity;
            return status;
        }
        if (size < capacity)
            size = capacity;
        if (size > TABLE_SIZE_LIMIT)
            return STATUS_INFO_LENGTH_MISMATCH;
        status = pss_region_reserve(nt, table, (uint64_t)size + FIRST_TABLE_SIZE);
    }
    return NT_SUCCESS(status) ? STATUS_INFO_LENGTH_MISMATCH : status;
}

static int is_row_whole(const struct pss_nt_process_row *head, uint32_t room)
{
    return head->thread_count <= (room - ROW_HEAD) / sizeof(head->threads[0]);
}

/* Only the target's row is kept, at the start: rows follow names and may be at any offset. */
static void keep_row(struct pss_capture *capture, uint32_t offset, uint32_t thread_count)
{
    struct pss_region *table = &capture->processes;

    table->size = ROW_HEAD + thread_count * (uint32_t)sizeof(struct pss_nt_thread_row);
    memmove(table->base, pss_region_at(table, offset), table->size);
    capture->row = table->base;
}

/* No row is no failure: a process that has ended is not listed, and a system may lack the table. */
NTSTATUS pss_process_row_find(struct pss_capture *capture)
{
    struct pss_region *table = &capture->processes;
    NTSTATUS status = pss_system_table_query(capture->nt, PSS_NT_SYSTEM_EXTENDED_PROCESSES, table);
    struct pss_nt_process_row head;

    if (!NT_SUCCESS(status))
        return pss_status_is_missing(status) ? STATUS_SUCCESS : status;
    for (uint32_t offset = 0; offset < table->size; offset += head.next_offset) {
        if (table->size - offset < ROW_HEAD)
            return STATUS_INTERNAL_ERROR;
        memcpy(&head, pss_region_at(table, offset), ROW_HEAD);
        if (!is_row_whole(&head, table->size - offset))
            return STATUS_INTERNAL_ERROR;
        if ((uint32_t)(ULONG_PTR)head.process_id == capture->process_id) {
            keep_row(capture, offset, head.thread_count);
            return STATUS_SUCCESS;
        }
        if (!head.next_offset)
            return STATUS_SUCCESS;
        if (head.next_offset > table->size - offset)
            return STATUS_INTERNAL_ERROR;
    }
    return STATUS_SUCCESS;
}

const struct pss_nt_thread_row *pss_thread_row_find(const struct pss_capture *capture,
                                                    uint32_t thread_id, uint32_t hint)
{
    const struct pss_nt_process_row *process = capture->row;
    uint32_t count = process ? process->thread_count : 0;

    for (uint32_t i = 0; i < count; i++) { /* Both lists have the same order but for few. */
        const struct pss_nt_thread_row *row = &process->threads[(hint + i) % count];

        if ((uint32_t)(ULONG_PTR)row->id.UniqueThread == thread_id)
            return row;
    }
    return NULL;
}
