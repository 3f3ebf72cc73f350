/* SPDX-License-Identifier: MIT */
/* Reads regions, threads and handles of a process one by one, the way the API's users did before.
 */
#include "oracle.h"

#include <psapi.h>
#include <tlhelp32.h>

#include "nt_calls.h"

static void *grown(void *entries, DWORD count, size_t size)
{
    void *larger = realloc(entries, (count + 1) * size);

    assert_non_null(larger);
    return memset((char *)larger + count * size, 0, size), larger;
}

static void read_image(HANDLE process, struct oracle_region *region)
{
    const char *base = (const char *)region->basic.AllocationBase;
    IMAGE_DOS_HEADER dos;
    IMAGE_NT_HEADERS64 wide;
    IMAGE_NT_HEADERS32 narrow;

    if (!ReadProcessMemory(process, base, &dos, sizeof(dos), NULL) ||
        !ReadProcessMemory(process, base + dos.e_lfanew, &wide, sizeof(wide), NULL) ||
        !ReadProcessMemory(process, base + dos.e_lfanew, &narrow, sizeof(narrow), NULL))
        return;
    bool is_wide = wide.OptionalHeader.Magic == IMAGE_NT_OPTIONAL_HDR64_MAGIC;
    region->time_stamp = wide.FileHeader.TimeDateStamp;
    region->image_size =
        is_wide ? wide.OptionalHeader.SizeOfImage : narrow.OptionalHeader.SizeOfImage;
    region->check_sum = is_wide ? wide.OptionalHeader.CheckSum : narrow.OptionalHeader.CheckSum;
    region->image_base = is_wide ? wide.OptionalHeader.ImageBase : narrow.OptionalHeader.ImageBase;
}

struct oracle_regions oracle_regions_read(HANDLE process)
{
    struct oracle_regions list = {0};
    MEMORY_BASIC_INFORMATION basic;
    const char *address = NULL;

    while (VirtualQueryEx(process, address, &basic, sizeof(basic))) {
        list.entries =
            (struct oracle_region *)grown(list.entries, list.count, sizeof(list.entries[0]));
        struct oracle_region *region = &list.entries[list.count++];
        region->basic = basic;
        if (basic.State != MEM_FREE && basic.Type != MEM_PRIVATE)
            GetMappedFileNameW(process, basic.BaseAddress, region->file, ORACLE_TEXT);
        if (basic.State != MEM_FREE && basic.Type == MEM_IMAGE)
            read_image(process, region);
        address = (const char *)basic.BaseAddress + basic.RegionSize;
    }
    return list;
}

static void query_name(HANDLE thread, struct oracle_thread *result)
{
    struct {
        UNICODE_STRING text;
        WCHAR room[ORACLE_TEXT];
    } name = {0};

    if (!NT_SUCCESS(NtQueryInformationThread(thread, (THREADINFOCLASS)NT_THREAD_NAME, &name,
                                             sizeof(name), NULL)))
        return;
    DWORD length = name.text.Length / sizeof(WCHAR);
    assert_true(length < ORACLE_TEXT);
    memcpy(result->name, name.text.Buffer, length * sizeof(WCHAR));
}

/* Suspending tells the count on every system; the calling thread, which runs, has none. */
static DWORD query_suspend_count(HANDLE thread)
{
    DWORD before = GetThreadId(thread) == GetCurrentThreadId() ? (DWORD)-1 : SuspendThread(thread);

    if (before == (DWORD)-1)
        return 0;
    ResumeThread(thread);
    return before;
}

/*
 * Kernel priorities of a thread in a process of normal class, whose base is 8.
 * source: learn.microsoft.com, "Scheduling Priorities"
 */
static void query_priorities(const struct nt_thread_basic *basic, struct oracle_thread *result)
{
    if (basic->base_priority >= THREAD_BASE_PRIORITY_LOWRT)
        result->base_priority = 15;
    else if (basic->base_priority <= THREAD_BASE_PRIORITY_IDLE)
        result->base_priority = 1;
    else
        result->base_priority = 8 + (int)basic->base_priority;
    result->priority = (int)basic->priority;
    if (result->priority < result->base_priority)
        result->priority = result->base_priority; /* Wine tells the increment here, too */
}

void oracle_thread_query(HANDLE thread, struct oracle_thread *result)
{
    struct nt_thread_basic basic = {0};
    FILETIME times[4] = {{0}};
    PVOID start = NULL;

    assert_true(NT_SUCCESS(NtQueryInformationThread(thread, (THREADINFOCLASS)NT_THREAD_BASIC,
                                                    &basic, sizeof(basic), NULL)));
    assert_true(GetThreadTimes(thread, &times[0], &times[1], &times[2], &times[3]));
    NtQueryInformationThread(thread, (THREADINFOCLASS)NT_THREAD_START_ADDRESS, &start,
                             sizeof(start), NULL);
    result->id = (DWORD)(uintptr_t)basic.id.UniqueThread;
    result->exit_code = (DWORD)basic.exit_status;
    result->teb = address_of(basic.teb);
    result->affinity = basic.affinity;
    query_priorities(&basic, result);
    result->create_time = filetime_value(times[0]);
    result->exit_time = filetime_value(times[1]);
    result->kernel_time = filetime_value(times[2]);
    result->user_time = filetime_value(times[3]);
    result->start_address = address_of(start);
    result->suspend_count = query_suspend_count(thread);
    query_name(thread, result);
}

static int older_thread(const void *left, const void *right)
{
    const struct oracle_thread *a = (const struct oracle_thread *)left;
    const struct oracle_thread *b = (const struct oracle_thread *)right;

    if (a->create_time != b->create_time)
        return a->create_time < b->create_time ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

struct oracle_threads oracle_threads_read(DWORD pid)
{
    struct oracle_threads list = {0};
    THREADENTRY32 entry = {.dwSize = sizeof(entry)};
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);

    assert_true(all != INVALID_HANDLE_VALUE);
    for (BOOL more = Thread32First(all, &entry); more; more = Thread32Next(all, &entry)) {
        if (entry.th32OwnerProcessID != pid)
            continue;
        HANDLE thread = OpenThread(THREAD_ALL_ACCESS, FALSE, entry.th32ThreadID);
        assert_non_null(thread);
        list.entries =
            (struct oracle_thread *)grown(list.entries, list.count, sizeof(list.entries[0]));
        oracle_thread_query(thread, &list.entries[list.count++]);
        CloseHandle(thread);
    }
    CloseHandle(all);
    if (list.count)
        qsort(list.entries, list.count, sizeof(list.entries[0]), older_thread);
    return list;
}

static void query_text(HANDLE object, enum nt_class what, WCHAR *text, DWORD room)
{
    union {
        UNICODE_STRING text;
        unsigned char bytes[2048];
    } answer = {{0}};
    ULONG used = 0;

    text[0] = 0;
    if (!NT_SUCCESS(
            NtQueryObject(object, (OBJECT_INFORMATION_CLASS)what, &answer, sizeof(answer), &used)))
        return;
    DWORD length = answer.text.Length / sizeof(WCHAR);
    assert_true(length < room);
    memcpy(text, answer.text.Buffer, length * sizeof(WCHAR));
    text[length] = 0;
}

void oracle_object_query(HANDLE object, struct oracle_handle *result)
{
    struct nt_object_basic basic = {0};

    assert_true(NT_SUCCESS(NtQueryObject(object, (OBJECT_INFORMATION_CLASS)NT_OBJECT_BASIC, &basic,
                                         sizeof(basic), NULL)));
    result->duplicated = true;
    result->handle_count = basic.handle_count - 1; /* without our duplicate */
    result->pointer_count = basic.pointer_count - 1;
    result->paged_charge = basic.paged_charge;
    result->nonpaged_charge = basic.nonpaged_charge;
    query_text(object, NT_OBJECT_TYPE, result->type, 64);
    query_text(object, NT_OBJECT_NAME, result->name, ORACLE_TEXT);
}

static int lower_handle(const void *left, const void *right)
{
    const struct oracle_handle *a = (const struct oracle_handle *)left;
    const struct oracle_handle *b = (const struct oracle_handle *)right;

    return a->value < b->value ? -1 : a->value > b->value;
}

struct oracle_handles oracle_handles_read(HANDLE process, DWORD pid)
{
    struct oracle_handles list = {0};
    struct nt_handle_table *table = nt_handle_table_read();

    for (ULONG_PTR i = 0; i < table->count; i++) {
        const struct nt_handle_row *row = &table->rows[i];
        HANDLE copy = NULL;
        if (row->pid != pid)
            continue;
        list.entries =
            (struct oracle_handle *)grown(list.entries, list.count, sizeof(list.entries[0]));
        struct oracle_handle *handle = &list.entries[list.count++];
        handle->value = row->handle;
        handle->access = row->access;
        handle->attributes = row->attributes;
        if (!DuplicateHandle(process, (HANDLE)row->handle, GetCurrentProcess(), &copy, 0, FALSE,
                             DUPLICATE_SAME_ACCESS))
            continue;
        oracle_object_query(copy, handle);
        CloseHandle(copy);
    }
    free(table);
    if (list.count)
        qsort(list.entries, list.count, sizeof(list.entries[0]), lower_handle);
    return list;
}
