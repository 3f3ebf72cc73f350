/* SPDX-License-Identifier: MIT */
/* Without the library: the handles of a process, from the system's table, by a duplicate of each.
 */
#include "bench.h"
#include "fail.h"
#include "native.h"

#include <stdlib.h>
#include <wchar.h>

#define TABLE_SIZE 0x20000u

/* Grows the buffer until the table fits. */
static struct handle_table *read_table(void)
{
    ULONG size = TABLE_SIZE;
    void *table = allocate(1, size);
    NTSTATUS status;

    while ((status = NtQuerySystemInformation(SYSTEM_EXTENDED_HANDLES, table, size, NULL)) ==
           STATUS_INFO_LENGTH_MISMATCH) {
        free(table);
        size *= 2;
        table = allocate(1, size);
    }
    if (!NT_SUCCESS(status))
        fail("NtQuerySystemInformation", (DWORD)status);
    return table;
}

static void query_process(HANDLE handle)
{
    PROCESS_BASIC_INFORMATION basic;
    ULONG_PTR wow64;

    NtQueryInformationProcess(handle, PROCESS_BASIC, &basic, sizeof basic, NULL);
    NtQueryInformationProcess(handle, PROCESS_WOW64, &wow64, sizeof wow64, NULL);
}

static void query_thread(HANDLE handle)
{
    struct thread_basic basic;
    void *start;

    NtQueryInformationThread(handle, THREAD_BASIC, &basic, sizeof basic, NULL);
    NtQueryInformationThread(handle, THREAD_START_ADDRESS, &start, sizeof start, NULL);
}

static void query_mutant(HANDLE handle)
{
    LONG state[2];
    CLIENT_ID owner;

    NtQueryMutant(handle, 0, state, sizeof state, NULL);
    NtQueryMutant(handle, MUTANT_OWNER, &owner, sizeof owner, NULL);
}

static void query_event(HANDLE handle)
{
    LONG state[2];

    NtQueryEvent(handle, 0, state, sizeof state, NULL);
}

static void query_section(HANDLE handle)
{
    struct section_basic basic;

    NtQuerySection(handle, 0, &basic, sizeof basic, NULL);
}

static void query_semaphore(HANDLE handle)
{
    LONG state[2];

    NtQuerySemaphore(handle, 0, state, sizeof state, NULL);
}

static const struct {
    const WCHAR *type;
    void (*query)(HANDLE handle);
} specific[] = {
    {L"Process", query_process}, {L"Thread", query_thread},   {L"Mutant", query_mutant},
    {L"Event", query_event},     {L"Section", query_section}, {L"Semaphore", query_semaphore},
};

static void query_all(HANDLE handle)
{
    PUBLIC_OBJECT_BASIC_INFORMATION basic;
    struct text_answer type, name;

    NtQueryObject(handle, ObjectBasicInformation, &basic, sizeof basic, NULL);
    NtQueryObject(handle, OBJECT_NAME, &name, sizeof name, NULL);
    if (!NT_SUCCESS(NtQueryObject(handle, ObjectTypeInformation, &type, sizeof type, NULL)))
        return;
    for (size_t i = 0; i < sizeof specific / sizeof specific[0]; i++)
        if (wcscmp(type.text.Buffer, specific[i].type) == 0)
            specific[i].query(handle);
}

static void query_type(HANDLE handle)
{
    struct text_answer type;

    NtQueryObject(handle, ObjectTypeInformation, &type, sizeof type, NULL);
}

static unsigned for_each_handle(const struct target *target, void (*query)(HANDLE handle))
{
    struct handle_table *table = read_table();
    HANDLE own = GetCurrentProcess(), copy;
    unsigned count = 0;

    for (ULONG_PTR i = 0; i < table->count; i++) {
        if (table->rows[i].process_id != target->id)
            continue;
        count++;
        if (!DuplicateHandle(target->process, (HANDLE)table->rows[i].handle, own, &copy, 0, FALSE,
                             DUPLICATE_SAME_ACCESS))
            continue;
        query(copy);
        CloseHandle(copy);
    }
    free(table);
    return count;
}

unsigned theirs_handles(const struct scene *scene)
{
    return for_each_handle(&scene->target, query_all);
}

unsigned theirs_handle_types(const struct scene *scene)
{
    return for_each_handle(&scene->target, query_type);
}
