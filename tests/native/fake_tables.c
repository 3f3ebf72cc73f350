/* SPDX-License-Identifier: MIT */
/* The fake kernel's bulk tables: processes with their threads, and handles. */
#include "fake_answers.h"

#include <stddef.h>
#include <string.h>

static uint32_t listed_threads(const struct fake_process *process)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < process->thread_count; i++)
        count += !process->threads[i]->is_unlisted;
    return count;
}

static SIZE_T row_size(const struct fake_process *process)
{
    return offsetof(struct pss_nt_process_row, threads) +
           listed_threads(process) * sizeof(struct pss_nt_thread_row);
}

static void fill_thread_row(const struct fake_thread *thread, struct pss_nt_thread_row *row)
{
    memset(row, 0, sizeof(*row));
    row->kernel_time.QuadPart = (LONGLONG)thread->row_kernel_time;
    row->user_time.QuadPart = (LONGLONG)thread->row_user_time;
    row->create_time = thread->times.create_time;
    row->id = thread->basic.id;
    row->win32_start_address = thread->start_address;
    row->teb = thread->basic.teb;
}

static void fill_process_row(const struct fake_process *process, struct pss_nt_process_row *row)
{
    uint32_t count = 0;

    memset(row, 0, offsetof(struct pss_nt_process_row, threads));
    for (uint32_t i = 0; i < process->thread_count; i++)
        if (!process->threads[i]->is_unlisted)
            fill_thread_row(process->threads[i], &row->threads[count++]);
    row->thread_count = count;
    row->create_time = process->times.create_time;
    row->kernel_time.QuadPart = (LONGLONG)process->row_kernel_time;
    row->user_time.QuadPart = (LONGLONG)process->row_user_time;
    row->process_id = (HANDLE)process->basic.process_id;
    row->parent_process_id = (HANDLE)process->basic.parent_process_id;
}

static int is_alive(const struct fake_process *process)
{
    return !process->times.exit_time.QuadPart;
}

static NTSTATUS give_processes(void *buffer, ULONG size, ULONG *returned)
{
    struct pss_nt_process_row *last = NULL;
    SIZE_T needed = 0, offset = 0;

    for (uint32_t i = 0; i < fake.process_count; i++)
        if (is_alive(fake.processes[i]))
            needed += row_size(fake.processes[i]);
    *returned = (ULONG)needed;
    if (fake.never_fits || size < needed)
        return STATUS_INFO_LENGTH_MISMATCH;
    for (uint32_t i = 0; i < fake.process_count; i++) {
        if (!is_alive(fake.processes[i]))
            continue;
        last = (struct pss_nt_process_row *)(void *)((char *)buffer + offset);
        fill_process_row(fake.processes[i], last);
        last->next_offset = (ULONG)row_size(fake.processes[i]);
        offset += last->next_offset;
    }
    if (last)
        last->next_offset = 0;
    return STATUS_SUCCESS;
}

static void fill_handle_row(const struct fake_process *process, uint32_t index,
                            struct pss_nt_handle_row *row)
{
    const struct fake_handle *handle = &process->handles[index];

    memset(row, 0, sizeof(*row));
    row->process_id = process->basic.process_id;
    row->handle = 4 * ((ULONG_PTR)index + 1);
    row->granted_access = handle->access;
    row->type_index = (USHORT)(handle->object->type_index - fake.type_shift);
    row->attributes = handle->attributes;
}

static ULONG_PTR fill_handle_rows(const struct fake_process *process,
                                  struct pss_nt_handle_row *rows)
{
    ULONG_PTR count = 0;

    for (uint32_t i = 0; i < process->handle_capacity; i++) {
        uint32_t index = fake.reverses_handles ? process->handle_capacity - 1 - i : i;

        if (!process->handles[index].object ||
            (fake.hides_own_handles && !process->handles[index].is_client))
            continue;
        if (rows)
            fill_handle_row(process, index, &rows[count]);
        count++;
    }
    return count;
}

static NTSTATUS give_handles(void *buffer, ULONG size, ULONG *returned)
{
    struct pss_nt_handle_table *table = buffer;
    ULONG_PTR count = 0;
    SIZE_T needed;

    for (uint32_t i = 0; i < fake.process_count; i++)
        count += fill_handle_rows(fake.processes[i], NULL);
    needed = offsetof(struct pss_nt_handle_table, rows) + count * sizeof(table->rows[0]);
    *returned = (ULONG)needed;
    if (fake.never_fits || size < needed)
        return STATUS_INFO_LENGTH_MISMATCH;
    table->count = count;
    table->reserved = 0;
    count = 0;
    for (uint32_t i = 0; i < fake.process_count; i++)
        count += fill_handle_rows(fake.processes[i], &table->rows[count]);
    return STATUS_SUCCESS;
}

NTSTATUS fake_answer_system(ULONG class_number, void *buffer, ULONG size, ULONG *returned)
{
    ULONG unused;

    if (!returned)
        returned = &unused;
    switch (class_number) {
    case PSS_NT_SYSTEM_EXTENDED_PROCESSES:
        return give_processes(buffer, size, returned);
    case PSS_NT_SYSTEM_EXTENDED_HANDLES:
        return give_handles(buffer, size, returned);
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}
