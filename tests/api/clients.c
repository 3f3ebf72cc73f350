/* SPDX-License-Identifier: MIT */
/*
 * What known clients of the API do with whole processes, one client per test. Where a client asks
 * for the VA clone too (bit 0x1), that bit is left out here.
 */
#include "ledger.h"

#include <tlhelp32.h>

#include "records.h"
#include "target.h"
#include "under_test.h"

static DWORD toolhelp_parent(DWORD pid)
{
    HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32 entry = {.dwSize = sizeof(entry)};
    DWORD parent = 0;

    for (BOOL more = Process32First(list, &entry); more; more = Process32Next(list, &entry))
        if (entry.th32ProcessID == pid)
            parent = entry.th32ParentProcessID;
    CloseHandle(list);
    return parent;
}

/* Walks a stream with a marker of its own, as most clients do; returns the number of entries. */
static DWORD walk_to_end(HPSS snapshot, DWORD information)
{
    unsigned char entry[256];
    HPSSWALK marker = NULL;
    DWORD count = 0;
    DWORD error;

    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    while (!(error = pss.walk(snapshot, information, marker, entry, walk_size(information))))
        count++;
    assert_same(error, ERROR_NO_MORE_ITEMS);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    return count;
}

/* psscap prints every string with %ls and decodes every number. */
static void print_like_psscap(HPSS snapshot)
{
    char line[4096];
    struct records handles = records_read(snapshot, PSS_WALK_HANDLES);
    struct records regions = records_read(snapshot, PSS_WALK_VA_SPACE);
    size_t printed = 0;

    for (DWORD i = 0; i < handles.count; i++) {
        const PSS_HANDLE_ENTRY *entry = record_at(handles, PSS_HANDLE_ENTRY, i);
        if (entry->TypeName)
            printed += (size_t)snprintf(line, sizeof(line), "%ls", entry->TypeName);
        if (entry->ObjectName)
            snprintf(line, sizeof(line), "%ls", entry->ObjectName);
    }
    for (DWORD i = 0; i < regions.count; i++) {
        const PSS_VA_SPACE_ENTRY *entry = record_at(regions, PSS_VA_SPACE_ENTRY, i);
        if (entry->MappedFileName)
            snprintf(line, sizeof(line), "%ls", entry->MappedFileName);
    }
    assert_true(printed > 0);
    records_free(&handles);
    records_free(&regions);
}

static void run_psscap(HANDLE process)
{
    PSS_PROCESS_INFORMATION information;
    unsigned char version_two[sizeof(PSS_PROCESS_INFORMATION) + 8];
    HPSS snapshot = NULL;

    assert_same(pss.capture(process, 0x400019FC, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    query_fully(snapshot, 0, &information, sizeof(information));
    assert_same(pss.query(snapshot, 0, version_two, sizeof(version_two)), ERROR_BAD_LENGTH);
    for (DWORD query = 3; query <= 5; query++)
        assert_same(pss.query(snapshot, query, version_two, query_size(query)), ERROR_SUCCESS);
    assert_same(pss.query(snapshot, 1, version_two, query_size(1)), ERROR_NOT_FOUND);
    assert_same(pss.query(snapshot, 2, version_two, query_size(2)), ERROR_NOT_FOUND);
    assert_same(pss.query(snapshot, 6, version_two, query_size(6)), ERROR_NOT_FOUND);
    assert_same(pss.query(snapshot, 7, version_two, query_size(7)), ERROR_SUCCESS);
    for (DWORD walk = PSS_WALK_VA_SPACE; walk <= PSS_WALK_THREADS; walk++)
        assert_true(walk_to_end(snapshot, walk) > 0);
    print_like_psscap(snapshot);
    free_snapshot(snapshot);
}

static void test_client_psscap_on_self_and_target(void **state)
{
    struct target *target = target_start();

    (void)state;
    run_psscap(GetCurrentProcess());
    run_psscap(target->process);
    target_destroy(target);
}

static void test_client_psscap_with_failed_open_process_fails_and_does_not_crash(void **state)
{
    HPSS snapshot = (HPSS)(uintptr_t)0x1234;
    HPSSWALK uninitialised = (HPSSWALK)(uintptr_t)0xCDCDCDCD;
    unsigned char buffer[1024];

    (void)state;
    only_ours();
    assert_same(pss.capture(NULL, 0x400019FC, CONTEXT_ALL, &snapshot), ERROR_INVALID_HANDLE);
    assert_null(snapshot);
    assert_same(pss.query(snapshot, 0, buffer, query_size(0)), ERROR_INVALID_HANDLE);
    assert_same(pss.marker_free(uninitialised), ERROR_INVALID_HANDLE);
    assert_same(pss.free(GetCurrentProcess(), snapshot), ERROR_INVALID_HANDLE);
}

/* snapproc builds a string of length / 2 characters from each pointer, unchecked. */
static void assert_safe_string(const WCHAR *text, WORD length)
{
    WCHAR copy[1024];

    if (!text)
        assert_same(length, 0);
    assert_true(length / sizeof(WCHAR) < 1024);
    memcpy(copy, text ? text : L"", length);
    copy[length / sizeof(WCHAR)] = 0;
    assert_same(wcslen(copy), length / sizeof(WCHAR));
}

static void test_client_snapproc_closes_its_handle_before_the_first_query(void **state)
{
    static const DWORD flags[] = {0, 0x1C, 0x80, 0x800};
    struct target *target = target_start();

    (void)state;
    for (int i = 0; i < 4; i++) {
        HANDLE process = OpenProcess(MAXIMUM_ALLOWED, FALSE, target->pid);
        PSS_PROCESS_INFORMATION information;
        HPSS snapshot = NULL;
        assert_same(pss.capture(process, flags[i], 0, &snapshot), ERROR_SUCCESS);
        CloseHandle(process);
        query_fully(snapshot, 0, &information, sizeof(information));
        assert_same(information.ProcessId, target->pid);
        if (flags[i] == 0x1C) {
            struct records records = records_read(snapshot, PSS_WALK_HANDLES);
            for (DWORD h = 0; h < records.count; h++) {
                const PSS_HANDLE_ENTRY *entry = record_at(records, PSS_HANDLE_ENTRY, h);
                assert_safe_string(entry->TypeName, entry->TypeNameLength);
                assert_safe_string(entry->ObjectName, entry->ObjectNameLength);
            }
            records_free(&records);
        }
        free_snapshot(snapshot);
    }
    target_destroy(target);
}

static void test_client_cpython_getppid_equals_toolhelp(void **state)
{
    PSS_PROCESS_INFORMATION information;
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(), PSS_CAPTURE_NONE, 0, &snapshot), ERROR_SUCCESS);
    assert_same(
        pss.query(snapshot, PSS_QUERY_PROCESS_INFORMATION, &information, sizeof(information)),
        ERROR_SUCCESS);
    assert_same(information.ParentProcessId, toolhelp_parent(GetCurrentProcessId()));
    free_snapshot(snapshot);
}

static void test_client_silverware_goes_on_with_minus_one_after_a_failure(void **state)
{
    const HPSS failed = (HPSS)(intptr_t)-1;
    struct target *target = target_start();
    PSS_PROCESS_INFORMATION information;
    PSS_THREAD_INFORMATION threads;

    (void)state;
    HPSS snapshot = target_capture(target, 0x20000880, 0);
    query_fully(snapshot, 0, &information, sizeof(information));
    query_fully(snapshot, 5, &threads, sizeof(threads));
    assert_same(walk_to_end(snapshot, PSS_WALK_THREADS), threads.ThreadsCaptured);
    free_snapshot(snapshot);
    target_destroy(target);
    only_ours();
    assert_same(pss.query(failed, 0, &information, sizeof(information)), ERROR_INVALID_HANDLE);
    assert_same(pss.free(GetCurrentProcess(), failed), ERROR_INVALID_HANDLE);
}

static void test_client_pe_sieve_queries_null_after_a_failed_capture(void **state)
{
    PSS_VA_CLONE_INFORMATION clone;
    HPSS snapshot = NULL;

    (void)state;
    only_ours();
    assert_same(pss.capture((HANDLE)(uintptr_t)0xDEADBEE1, 0x2C000000, 0, &snapshot),
                ERROR_INVALID_HANDLE);
    assert_same(pss.query(snapshot, PSS_QUERY_VA_CLONE_INFORMATION, &clone, sizeof(clone)),
                ERROR_INVALID_HANDLE);
}

static void test_client_kudu_frees_with_a_real_handle_to_itself(void **state)
{
    HANDLE self = OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
    struct target *target = target_start();

    (void)state;
    HPSS snapshot = target_capture(target, 0x20001980, CONTEXT_ALL);
    assert_same(pss.free(self, snapshot), ERROR_SUCCESS);
    CloseHandle(self);
    target_destroy(target);
}

static void test_client_copy_on_write_dump_frees_while_its_target_runs(void **state)
{
    struct target *target = target_start();

    (void)state;
    HPSS snapshot = target_capture(target, 0x400001FC, CONTEXT_ALL);
    assert_true(walk_to_end(snapshot, PSS_WALK_HANDLES) > 0);
    free_snapshot(snapshot);
    assert_same(target_call(target, TARGET_PING, 0, 0, 0, 0), target->pid);
    target_destroy(target);
}

static void test_client_system_informer_frees_with_the_targets_handle(void **state)
{
    struct target *target = target_start();

    (void)state;
    only_ours();
    HPSS snapshot = target_capture(target, 0x40003BFC, CONTEXT_ALL);
    assert_same(pss.free(target->process, snapshot), ERROR_INVALID_HANDLE);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void assert_vanara_queries(HPSS snapshot)
{
    static const DWORD found[] = {0, 3, 4, 5, 7};
    unsigned char buffer[1024];

    for (int i = 0; i < 5; i++)
        assert_same(pss.query(snapshot, found[i], buffer, query_size(found[i])), ERROR_SUCCESS);
    assert_true(pss.query(snapshot, 2, buffer, query_size(2)) != ERROR_SUCCESS);
    assert_true(pss.query(snapshot, 6, buffer, query_size(6)) != ERROR_SUCCESS);
}

static void test_client_vanara_walks_everything_with_one_marker(void **state)
{
    HANDLE self = OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
    PSS_AUXILIARY_PAGE_ENTRY page;
    unsigned char entry[256];
    ULONG_PTR position = 0;
    HPSSWALK marker = NULL;
    HPSS snapshot = NULL;
    DWORD regions = 0;
    DWORD handles = 0;

    (void)state;
    assert_same(pss.capture(self, 0xEC003BFC, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    assert_vanara_queries(snapshot);
    assert_same(walk_to_end(snapshot, PSS_WALK_THREADS), walk_count(snapshot, PSS_WALK_THREADS));
    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    while (!pss.walk(snapshot, PSS_WALK_VA_SPACE, marker, entry, walk_size(PSS_WALK_VA_SPACE)))
        regions++;
    while (!pss.walk(snapshot, PSS_WALK_HANDLES, marker, entry, walk_size(PSS_WALK_HANDLES)))
        handles++;
    assert_true(regions > 0);
    assert_true(handles > 0);
    DWORD error = pss.walk(snapshot, PSS_WALK_AUXILIARY_PAGES, marker, &page, sizeof(page));
    assert_true(error != ERROR_SUCCESS && error != ERROR_NO_MORE_ITEMS);
    assert_same(pss.marker_get(marker, &position), ERROR_SUCCESS);
    assert_same(pss.marker_restart(marker), ERROR_SUCCESS);
    assert_same(pss.marker_set(marker, position), ERROR_SUCCESS);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    assert_same(pss.free(self, snapshot), ERROR_SUCCESS);
    CloseHandle(self);
}

/* Go, Rust and ctypes bind at run time by plain names and know no header. */
static void test_client_binding_at_run_time_walks_to_259(void **state)
{
    typedef DWORD(WINAPI * capture_function)(HANDLE, DWORD, DWORD, void **);
    typedef DWORD(WINAPI * walk_function)(void *, DWORD, void *, void *, DWORD);
    typedef DWORD(WINAPI * create_function)(const void *, void **);
    typedef DWORD(WINAPI * free_function)(HANDLE, void *);
    typedef DWORD(WINAPI * marker_function)(void *);
#define BIND(type, name) ((type)(void (*)(void))GetProcAddress(under_test_module(), name))
    capture_function capture = BIND(capture_function, "PssCaptureSnapshot");
    walk_function walk = BIND(walk_function, "PssWalkSnapshot");
    create_function create = BIND(create_function, "PssWalkMarkerCreate");
    free_function release = BIND(free_function, "PssFreeSnapshot");
    marker_function release_marker = BIND(marker_function, "PssWalkMarkerFree");
#undef BIND
    const DWORD size = sizeof(void *) == 8 ? 136 : 104;
    unsigned char entry[136];
    void *snapshot = NULL;
    void *marker = NULL;
    DWORD error;
    DWORD count = 0;

    (void)state;
    assert_same(capture(GetCurrentProcess(), 0x14, 0, &snapshot), ERROR_SUCCESS);
    assert_same(create(NULL, &marker), ERROR_SUCCESS);
    while (!(error = walk(snapshot, 2, marker, entry, size)))
        count++;
    assert_same(error, 259);
    assert_true(count > 0);
    assert_same(release_marker(marker), ERROR_SUCCESS);
    assert_same(release(GetCurrentProcess(), snapshot), ERROR_SUCCESS);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_client_psscap_on_self_and_target),
        PSS_TEST(test_client_psscap_with_failed_open_process_fails_and_does_not_crash),
        PSS_TEST(test_client_snapproc_closes_its_handle_before_the_first_query),
        PSS_TEST(test_client_cpython_getppid_equals_toolhelp),
        PSS_TEST(test_client_silverware_goes_on_with_minus_one_after_a_failure),
        PSS_TEST(test_client_pe_sieve_queries_null_after_a_failed_capture),
        PSS_TEST(test_client_kudu_frees_with_a_real_handle_to_itself),
        PSS_TEST(test_client_copy_on_write_dump_frees_while_its_target_runs),
        PSS_TEST(test_client_system_informer_frees_with_the_targets_handle),
        PSS_TEST(test_client_vanara_walks_everything_with_one_marker),
        PSS_TEST(test_client_binding_at_run_time_walks_to_259),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clients", tests, ledger_warm_up, NULL);
}
