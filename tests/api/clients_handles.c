/* SPDX-License-Identifier: MIT */
/* What known clients of the API do with handles, one client per test. */
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

/* Captures through a handle that is closed before the walk; counts entries with this name. */
static DWORD count_named(const struct target *target, const WCHAR *name)
{
    HANDLE process = OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ | PROCESS_DUP_HANDLE,
                                 FALSE, target->pid);
    PSS_HANDLE_ENTRY entry;
    HPSSWALK marker = NULL;
    HPSS snapshot = NULL;
    DWORD count = 0;
    DWORD error;

    assert_same(pss.capture(process, 0x3C, 0, &snapshot), ERROR_SUCCESS);
    CloseHandle(process);
    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    while (!(error = pss.walk(snapshot, PSS_WALK_HANDLES, marker, &entry, sizeof(entry))))
        count += entry.ObjectName && wcsstr(entry.ObjectName, name);
    assert_same(error, ERROR_NO_MORE_ITEMS);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    free_snapshot(snapshot);
    return count;
}

static void test_client_handle_control_probe_sees_its_event_while_it_is_open(void **state)
{
    struct target *target = target_start();
    WCHAR name[64];

    (void)state;
    unique_name(name, L"probe");
    assert_same(count_named(target, name), 0);
    uint64_t event = target_call_text(target, TARGET_EVENT, name, 0, 0, 0, 0);
    assert_same(count_named(target, name), 1);
    target_call(target, TARGET_CLOSE, event, 0, 0, 0);
    assert_same(count_named(target, name), 0);
    target_destroy(target);
}

static DWORD count_type(const WCHAR *type, DWORD flags)
{
    HPSS snapshot = NULL;
    DWORD count = 0;

    assert_same(pss.capture(GetCurrentProcess(), flags, 0, &snapshot), ERROR_SUCCESS);
    struct records records = records_read(snapshot, PSS_WALK_HANDLES);
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_HANDLE_ENTRY *entry = record_at(records, PSS_HANDLE_ENTRY, i);
        if ((entry->Flags & PSS_HANDLE_HAVE_TYPE) && !wcscmp(entry->TypeName, type))
            count++;
    }
    records_free(&records);
    free_snapshot(snapshot);
    return count;
}

static void test_client_leak_test_groups_its_own_handles_by_type(void **state)
{
    static const DWORD flags[] = {0x4, 0x24};
    HANDLE leaked[10];

    (void)state;
    for (int f = 0; f < 2; f++) {
        DWORD events = count_type(L"Event", flags[f]);
        DWORD mutants = count_type(L"Mutant", flags[f]);
        for (int i = 0; i < 10; i++)
            leaked[i] = CreateEventW(NULL, TRUE, FALSE, NULL);
        assert_same(count_type(L"Event", flags[f]), events + 10);
        assert_same(count_type(L"Mutant", flags[f]), mutants);
        for (int i = 0; i < 10; i++)
            CloseHandle(leaked[i]);
        assert_same(count_type(L"Event", flags[f]), events);
    }
}

static void test_client_leak_test_tells_which_process_and_thread_leaked(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(), 0x24, 0, &snapshot), ERROR_SUCCESS);
    struct records records = records_read(snapshot, PSS_WALK_HANDLES);
    const PSS_HANDLE_ENTRY *process = find_handle(&records, address_of(target->process));
    const PSS_HANDLE_ENTRY *thread = find_handle(&records, address_of(target->thread));
    assert_same(process->ObjectType, PSS_OBJECT_TYPE_PROCESS);
    assert_same(process->TypeSpecificInformation.Process.ProcessId, target->pid);
    assert_same(thread->ObjectType, PSS_OBJECT_TYPE_THREAD);
    assert_same(thread->TypeSpecificInformation.Thread.ThreadId, target->main_thread);
    assert_same(thread->TypeSpecificInformation.Thread.ProcessId, target->pid);
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_client_open_file_lister_finds_the_open_file(void **state)
{
    struct target *target = target_start();
    WCHAR path[MAX_PATH];
    DWORD found = 0;

    (void)state;
    GetModuleFileNameW(NULL, path, MAX_PATH);
    target_call_text(target, TARGET_FILE, path, GENERIC_READ, OPEN_EXISTING, 0, 0);
    HPSS snapshot = target_capture(target, 0x1C, 0);
    struct records records = records_read(snapshot, PSS_WALK_HANDLES);
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_HANDLE_ENTRY *entry = record_at(records, PSS_HANDLE_ENTRY, i);
        if (!(entry->Flags & PSS_HANDLE_HAVE_TYPE) || wcscmp(entry->TypeName, L"File"))
            continue;
        if ((entry->Flags & PSS_HANDLE_HAVE_NAME) &&
            wcsstr(entry->ObjectName, wcsrchr(path, L'\\'))) {
            assert_true(entry->ObjectName[0] == L'\\'); /* an NT path */
            found++;
        }
    }
    assert_same(found, 1);
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_client_handle_lister_duplicates_the_listed_values(void **state)
{
    struct target *target = target_start();
    uint64_t event = target_call(target, TARGET_EVENT, TRUE, TRUE, 0, 0);

    (void)state;
    HPSS snapshot = target_capture(target, 0x4, 0);
    struct records records = records_read(snapshot, PSS_WALK_HANDLES);
    HANDLE copy = NULL;
    assert_true(DuplicateHandle(target->process, find_handle(&records, event)->Handle,
                                GetCurrentProcess(), &copy, 0, FALSE, DUPLICATE_SAME_ACCESS));
    assert_same(WaitForSingleObject(copy, 0), WAIT_OBJECT_0);
    CloseHandle(copy);
    records_free(&records);
    if (under_test_is_ours())
        assert_same(pss.free(target->process, snapshot), ERROR_INVALID_HANDLE);
    free_snapshot(snapshot);
    target_destroy(target);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_client_handle_control_probe_sees_its_event_while_it_is_open),
        PSS_TEST(test_client_leak_test_groups_its_own_handles_by_type),
        PSS_TEST(test_client_leak_test_tells_which_process_and_thread_leaked),
        PSS_TEST(test_client_open_file_lister_finds_the_open_file),
        PSS_TEST(test_client_handle_lister_duplicates_the_listed_values),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clients_handles", tests, ledger_warm_up, NULL);
}
