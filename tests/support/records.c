/* SPDX-License-Identifier: MIT */
/* Walks streams into arrays and finds entries in them. */
#include "records.h"

#include "under_test.h"

#define MAX_ENTRY_SIZE 256
#define MAX_ENTRIES    200000

DWORD query_size(DWORD information)
{
    static const DWORD sizes[] = {
        sizeof(PSS_PROCESS_INFORMATION),         sizeof(PSS_VA_CLONE_INFORMATION),
        sizeof(PSS_AUXILIARY_PAGES_INFORMATION), sizeof(PSS_VA_SPACE_INFORMATION),
        sizeof(PSS_HANDLE_INFORMATION),          sizeof(PSS_THREAD_INFORMATION),
        sizeof(PSS_HANDLE_TRACE_INFORMATION),    sizeof(PSS_PERFORMANCE_COUNTERS),
    };

    assert_true(information < sizeof(sizes) / sizeof(sizes[0]));
    return sizes[information];
}

DWORD walk_size(DWORD information)
{
    static const DWORD sizes[] = {
        sizeof(PSS_AUXILIARY_PAGE_ENTRY), sizeof(PSS_VA_SPACE_ENTRY), sizeof(PSS_HANDLE_ENTRY),
        sizeof(PSS_THREAD_ENTRY),         sizeof(PSS_THREAD_NAME),
    };

    assert_true(information < sizeof(sizes) / sizeof(sizes[0]));
    return sizes[information];
}

void query_fully(HPSS snapshot, DWORD information, void *buffer, DWORD size)
{
    unsigned char other[sizeof(PSS_PROCESS_INFORMATION)];

    assert_true(size <= sizeof(other));
    memset(buffer, 0xAA, size);
    memset(other, 0x55, size);
    assert_same(pss.query(snapshot, information, buffer, size), ERROR_SUCCESS);
    assert_same(pss.query(snapshot, information, other, size), ERROR_SUCCESS);
    assert_memory_equal(buffer, other, size);
}

DWORD walk_count(HPSS snapshot, DWORD information)
{
    static const DWORD counted_by[] = {
        PSS_QUERY_AUXILIARY_PAGES_INFORMATION, PSS_QUERY_VA_SPACE_INFORMATION,
        PSS_QUERY_HANDLE_INFORMATION,          PSS_QUERY_THREAD_INFORMATION,
        PSS_QUERY_THREAD_INFORMATION,
    };
    DWORD counts[2] = {0};

    assert_true(information < sizeof(counted_by) / sizeof(counted_by[0]));
    DWORD query = counted_by[information];
    query_fully(snapshot, query, counts, query_size(query));
    return counts[0];
}

/* Reads the entry at the marker twice; the second time over other bytes. */
static bool read_entry(const struct records *records, HPSS snapshot, DWORD information,
                       unsigned char *entry)
{
    unsigned char other[MAX_ENTRY_SIZE];
    ULONG_PTR position = 0;

    assert_same(pss.marker_get(records->marker, &position), ERROR_SUCCESS);
    memset(entry, 0xAA, records->entry_size);
    DWORD error = pss.walk(snapshot, information, records->marker, entry, records->entry_size);
    if (error == ERROR_NO_MORE_ITEMS)
        return false;
    assert_same(error, ERROR_SUCCESS);
    assert_same(pss.marker_set(records->marker, position), ERROR_SUCCESS);
    memset(other, 0x55, records->entry_size);
    assert_same(pss.walk(snapshot, information, records->marker, other, records->entry_size),
                ERROR_SUCCESS);
    assert_memory_equal(entry, other, records->entry_size);
    return true;
}

struct records records_read(HPSS snapshot, DWORD information)
{
    struct records records = {.entry_size = walk_size(information)};
    DWORD room = 256;

    assert_same(pss.marker_create(NULL, &records.marker), ERROR_SUCCESS);
    records.entries = (unsigned char *)malloc((size_t)room * records.entry_size);
    assert_non_null(records.entries);
    while (read_entry(&records, snapshot, information,
                      records.entries + (size_t)records.count * records.entry_size)) {
        records.count++;
        assert_true(records.count < MAX_ENTRIES);
        if (records.count < room)
            continue;
        room *= 2;
        records.entries =
            (unsigned char *)realloc(records.entries, (size_t)room * records.entry_size);
        assert_non_null(records.entries);
    }
    assert_same(pss.walk(snapshot, information, records.marker, NULL, 0), ERROR_NO_MORE_ITEMS);
    assert_same(records.count, walk_count(snapshot, information));
    return records;
}

void records_free(struct records *records)
{
    free(records->entries);
    assert_same(pss.marker_free(records->marker), ERROR_SUCCESS);
    memset(records, 0, sizeof(*records));
}

const void *record_address(const struct records *records, DWORD index)
{
    assert_true(index < records->count);
    return records->entries + (size_t)index * records->entry_size;
}

const PSS_HANDLE_ENTRY *find_handle(const struct records *records, uint64_t handle)
{
    for (DWORD i = 0; i < records->count; i++) {
        const PSS_HANDLE_ENTRY *entry = record_at(*records, PSS_HANDLE_ENTRY, i);
        if (address_of(entry->Handle) == handle)
            return entry;
    }
    fail_msg("handle 0x%llx is not in the snapshot", (unsigned long long)handle);
    return NULL;
}

const PSS_THREAD_ENTRY *find_thread(const struct records *records, DWORD id)
{
    for (DWORD i = 0; i < records->count; i++) {
        const PSS_THREAD_ENTRY *entry = record_at(*records, PSS_THREAD_ENTRY, i);
        if (entry->ThreadId == id)
            return entry;
    }
    fail_msg("thread %lu is not in the snapshot", id);
    return NULL;
}

const PSS_VA_SPACE_ENTRY *find_region(const struct records *records, uint64_t address)
{
    for (DWORD i = 0; i < records->count; i++) {
        const PSS_VA_SPACE_ENTRY *entry = record_at(*records, PSS_VA_SPACE_ENTRY, i);
        if (address - address_of(entry->BaseAddress) < entry->RegionSize)
            return entry;
    }
    fail_msg("no region contains 0x%llx", (unsigned long long)address);
    return NULL;
}

void assert_text(const WCHAR *text, WORD length)
{
    if (!text) {
        assert_same(length, 0);
        return;
    }
    assert_true(length > 0);
    assert_same(length % sizeof(WCHAR), 0);
    if (wcslen(text) * sizeof(WCHAR) != length)
        fail_msg("the length of \"%ls\" is given as %u bytes", text, length);
}

void assert_text_is(const WCHAR *text, WORD length, const WCHAR *expected)
{
    assert_text(text, length);
    if (!expected) {
        assert_null(text);
        return;
    }
    assert_non_null(text);
    if (wcscmp(text, expected))
        fail_msg("\"%ls\" is not \"%ls\"", text, expected);
}

void free_snapshot(HPSS snapshot)
{
    assert_same(pss.free(GetCurrentProcess(), snapshot), ERROR_SUCCESS);
}
