/* SPDX-License-Identifier: MIT */
/* Open: do the system's tables of handles and of processes answer, above all in 32-bit processes
 * on a 64-bit system? */
#include "answer.h"
#include "nt_calls.h"
#include "under_test.h"

#define TABLE_MAX          0x8000000u /* bytes */
#define EXTENDED_PROCESSES 57         /* source: phnt ntexapi.h; since Windows Vista */

static NTSTATUS read_table(ULONG number, void **table, ULONG *size)
{
    NTSTATUS status = NT_LENGTH_MISMATCH;
    ULONG used = 0;

    *table = NULL;
    for (*size = 0x40000; status == NT_LENGTH_MISMATCH && *size <= TABLE_MAX; *size *= 2) {
        free(*table);
        *table = malloc(*size);
        assert_non_null(*table);
        status = NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)number, *table, *size, &used);
    }
    *size = used;
    return status;
}

static const char *kind(void)
{
    BOOL is_wow64 = FALSE;

    IsWow64Process(GetCurrentProcess(), &is_wow64);
    return is_wow64 ? "under WOW64" : "in a process of the system's own bitness";
}

/* HANDLES hangs on it: there is no other list of another process's handles. */
static void test_handle_table_has_the_handles_of_this_process(void **state)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    void *bytes;
    ULONG size;
    bool found = false;

    (void)state;
    NTSTATUS status = read_table(NT_SYSTEM_HANDLES, &bytes, &size);
    const struct nt_handle_table *table = (const struct nt_handle_table *)bytes;
    if (NT_SUCCESS(status))
        for (ULONG_PTR i = 0; i < table->count && !found; i++)
            found = table->rows[i].pid == GetCurrentProcessId() &&
                    table->rows[i].handle == (ULONG_PTR)event;
    answer("class 64 %s: status 0x%lx, a handle of our own is %s", kind(), (unsigned long)status,
           found ? "listed" : "missing");
    free(bytes);
    CloseHandle(event);
    assert_true(NT_SUCCESS(status));
    assert_true(found);
}

/* Finds the row of a process; offsets are bounded by what was written. */
static const struct nt_system_process *find_process(const void *bytes, ULONG size, DWORD pid)
{
    ULONG offset = 0;

    while (size - offset >= sizeof(struct nt_system_process)) {
        const struct nt_system_process *row =
            (const struct nt_system_process *)(const void *)((const char *)bytes + offset);
        if ((ULONG_PTR)row->pid == pid)
            return row;
        if (!row->next_offset || row->next_offset > size - offset)
            break;
        offset += row->next_offset;
    }
    return NULL;
}

static bool answer_process_table(ULONG number)
{
    void *bytes;
    ULONG size;
    NTSTATUS status = read_table(number, &bytes, &size);
    const struct nt_system_process *row =
        NT_SUCCESS(status) ? find_process(bytes, size, GetCurrentProcessId()) : NULL;
    ULONG threads = row ? row->thread_count : 0;

    answer("class %lu %s: status 0x%lx, this process has %lu threads in it", number, kind(),
           (unsigned long)status, threads);
    free(bytes);
    return threads > 0;
}

/* THREADS does without 57, one thread at a time. */
static void test_extended_process_table_answers(void **state)
{
    (void)state;
    answer_process_table(EXTENDED_PROCESSES);
}

static void test_process_table_has_this_process(void **state)
{
    (void)state;
    assert_true(answer_process_table(NT_SYSTEM_PROCESSES));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handle_table_has_the_handles_of_this_process),
        cmocka_unit_test(test_extended_process_table_answers),
        cmocka_unit_test(test_process_table_has_this_process),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("open_system_tables", tests, NULL, NULL);
}
