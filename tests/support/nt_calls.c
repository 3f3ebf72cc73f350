/* SPDX-License-Identifier: MIT */
/* Reads the handle table of the system, growing its buffer until the answer fits. */
#include "nt_calls.h"

#include "harness.h"

struct nt_handle_table *nt_handle_table_read(void)
{
    ULONG size = 1 << 18;

    for (;;) {
        ULONG used = 0;
        struct nt_handle_table *table = (struct nt_handle_table *)malloc(size);

        assert_non_null(table);
        NTSTATUS status = NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)NT_SYSTEM_HANDLES,
                                                   table, size, &used);
        if (NT_SUCCESS(status))
            return table;
        free(table);
        assert_int_equal(status, NT_LENGTH_MISMATCH);
        assert_true(size < (1u << 28));
        size *= 2;
    }
}

DWORD nt_handles_count(DWORD pid)
{
    struct nt_handle_table *table = nt_handle_table_read();
    DWORD count = 0;

    for (ULONG_PTR i = 0; i < table->count; i++)
        if (table->rows[i].pid == pid)
            count++;
    free(table);
    return count;
}
