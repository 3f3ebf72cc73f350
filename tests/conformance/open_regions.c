/* SPDX-License-Identifier: MIT */
/*
 * Open: does the list of regions end where it should, for callers and targets with and without
 * large addresses? Built twice, as open_regions_large.exe and open_regions_small.exe; each
 * captures itself, and both of them as a target that never ran.
 */
#include "answer.h"
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

/* The end of the last region, by VirtualQueryEx. */
static uint64_t plain_end(HANDLE process)
{
    MEMORY_BASIC_INFORMATION region;
    uint64_t end = 0;

    while (VirtualQueryEx(process, (const void *)(uintptr_t)end, &region, sizeof(region)) &&
           region.RegionSize) {
        end = address_of(region.BaseAddress) + region.RegionSize;
        if (end > UINTPTR_MAX)
            break;
    }
    return end;
}

/* The end of the last region, by a walk that has no gaps. */
static uint64_t walked_end(HANDLE process)
{
    HPSS snapshot = NULL;
    uint64_t end = 0;

    assert_same(pss.capture(process, PSS_CAPTURE_VA_SPACE, 0, &snapshot), ERROR_SUCCESS);
    struct records records = records_read(snapshot, PSS_WALK_VA_SPACE);
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_VA_SPACE_ENTRY *entry = record_at(records, PSS_VA_SPACE_ENTRY, i);
        assert_same(address_of(entry->BaseAddress), end);
        end += entry->RegionSize;
    }
    records_free(&records);
    free_snapshot(snapshot);
    return end;
}

static const char *own_kind(void)
{
    char path[MAX_PATH] = "";

    GetModuleFileNameA(NULL, path, MAX_PATH - 1);
    return strstr(path, "_small") ? "small" : "large";
}

static void assert_same_end(HANDLE process, const char *target)
{
    uint64_t expected = plain_end(process), end = walked_end(process);

    answer("caller %s, target %s: the list ends at 0x%llx, VirtualQueryEx at 0x%llx", own_kind(),
           target, (unsigned long long)end, (unsigned long long)expected);
    assert_same(end, expected);
}

static void test_regions_of_the_caller_end_with_its_addresses(void **state)
{
    SYSTEM_INFO system;

    (void)state;
    GetSystemInfo(&system);
    assert_same_end(GetCurrentProcess(), "itself");
    assert_true(walked_end(GetCurrentProcess()) > address_of(system.lpMaximumApplicationAddress));
}

static void assert_ends_of(const char *kind)
{
    char line[MAX_PATH + 40], path[MAX_PATH];
    STARTUPINFOA start = {.cb = sizeof(start)};
    PROCESS_INFORMATION made;
    DWORD length = GetModuleFileNameA(NULL, path, MAX_PATH);

    while (length && path[length - 1] != '\\')
        length--;
    snprintf(line, sizeof(line), "\"%.*sopen_regions_%s.exe\"", (int)length, path, kind);
    assert_true(
        CreateProcessA(NULL, line, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &start, &made));
    target_note_started(made.dwProcessId);
    assert_true(AssignProcessToJobObject(target_job(), made.hProcess));
    assert_same_end(made.hProcess, kind);
    assert_true(TerminateProcess(made.hProcess, 0));
    WaitForSingleObject(made.hProcess, INFINITE);
    CloseHandle(made.hThread);
    CloseHandle(made.hProcess);
}

static void test_regions_of_a_target_with_large_addresses_end_with_them(void **state)
{
    (void)state;
    assert_ends_of("large");
}

static void test_regions_of_a_target_without_large_addresses_end_with_them(void **state)
{
    (void)state;
    assert_ends_of("small");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_regions_of_the_caller_end_with_its_addresses),
        PSS_TEST(test_regions_of_a_target_with_large_addresses_end_with_them),
        PSS_TEST(test_regions_of_a_target_without_large_addresses_end_with_them),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("open_regions", tests, ledger_warm_up, NULL);
}
