/* SPDX-License-Identifier: MIT */
/* The system's bulk tables: one call tells the times and the threads of every process. */
#include "capture/capture.h"

#include <stddef.h>
#include <string.h>

#define FIRST_TABLE_SIZE 0x20000u
#define TABLE_SIZE_LIMIT 0x10000000u
#define QUERY_ATTEMPTS   16 /* the table may grow between two calls */
#define ROW_HEAD         ((uint32_t)offsetof(struct pss_nt_process_row, threads))

/*
 * Makes room for so much, and for what may come meanwhile. The old room goes first, and the new one
 * is no larger than it has to be: a caller with 32 bits may have no other range to spare.
 */
static NTSTATUS replace_room(const struct pss_nt *nt, struct pss_region *table, ULONG size)
{
    uint64_t wanted = size > table->capacity ? size : 2 * (uint64_t)table->capacity;
    SIZE_T capacity = TABLE_SIZE_LIMIT;
    NTSTATUS status;

    wanted += wanted / 16 + FIRST_TABLE_SIZE;
    if (wanted < capacity)
        capacity = (SIZE_T)wanted;
    if (size > capacity || capacity <= table->capacity)
        return STATUS_NO_MEMORY;
    pss_region_free(nt, table);
    status = nt->allocate_memory(PSS_CURRENT_PROCESS, &table->base, 0, &capacity,
                                 MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (NT_SUCCESS(status))
        table->capacity = capacity;
    else
        table->base = NULL;
    return status;
}

NTSTATUS pss_system_table_query(const struct pss_nt *nt, ULONG class_number,
                                struct pss_region *table)
{
    NTSTATUS status = pss_region_reserve(nt, table, FIRST_TABLE_SIZE);

    for (int i = 0; i < QUERY_ATTEMPTS && NT_SUCCESS(status); i++) {
        ULONG capacity = (ULONG)table->capacity, size = 0;

        status = nt->query_system(class_number, table->base, capacity, &size);
        if (NT_SUCCESS(status))
            table->size = size < capacity ? size : capacity;
        if (status != STATUS_INFO_LENGTH_MISMATCH)
            return status;
        status = replace_room(nt, table, size);
    }
    return NT_SUCCESS(status) ? STATUS_NO_MEMORY : status;
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
