/* SPDX-License-Identifier: MIT */
/* Query 2 and walk 0: the auxiliary page that bit 0x2 captures, an extension of this project. */
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define SHARED_PAGE   ((const unsigned char *)(uintptr_t)0x7FFE0000)
#define MAJOR_VERSION 0x26C /* offset of NtMajorVersion, which never changes */
#define SYSTEM_ROOT   0x30  /* offset of NtSystemRoot */

static void assert_shared_page(const PSS_AUXILIARY_PAGE_ENTRY *entry, HANDLE process)
{
    MEMORY_BASIC_INFORMATION basic;

    assert_true(VirtualQueryEx(process, SHARED_PAGE, &basic, sizeof(basic)));
    assert_ptr_equal(entry->Address, SHARED_PAGE);
    assert_ptr_equal(entry->BasicInformation.BaseAddress, basic.BaseAddress);
    assert_ptr_equal(entry->BasicInformation.AllocationBase, basic.AllocationBase);
    assert_same(entry->BasicInformation.AllocationProtect, basic.AllocationProtect);
    assert_same(entry->BasicInformation.RegionSize, basic.RegionSize);
    assert_same(entry->BasicInformation.State, basic.State);
    assert_same(entry->BasicInformation.Protect, basic.Protect);
    assert_same(entry->BasicInformation.Type, basic.Type);
    assert_same(entry->PageSize, 4096);
    assert_non_null(entry->PageContents);
    const unsigned char *contents = (const unsigned char *)entry->PageContents;
    assert_memory_equal(contents + MAJOR_VERSION, SHARED_PAGE + MAJOR_VERSION, 8);
    assert_memory_equal(contents + SYSTEM_ROOT, SHARED_PAGE + SYSTEM_ROOT, 40);
}

static uint64_t now(void)
{
    FILETIME time;

    GetSystemTimeAsFileTime(&time);
    return filetime_value(time);
}

static void assert_captures_shared_page(HANDLE process)
{
    HPSS snapshot = NULL;
    uint64_t before = now();

    assert_same(pss.capture(process, PSS_CAPTURE_RESERVED_00000002, 0, &snapshot), ERROR_SUCCESS);
    uint64_t after = now();
    struct records records = records_read(snapshot, PSS_WALK_AUXILIARY_PAGES);
    assert_same(records.count, 1);
    const PSS_AUXILIARY_PAGE_ENTRY *entry = record_at(records, PSS_AUXILIARY_PAGE_ENTRY, 0);
    assert_shared_page(entry, process);
    assert_in_range(filetime_value(entry->CaptureTime), before, after);
    records_free(&records);
    free_snapshot(snapshot);
}

static void test_aux_page_of_self_is_the_shared_data_page(void **state)
{
    (void)state;
    only_ours();
    assert_captures_shared_page(GetCurrentProcess());
}

static void test_aux_page_of_target_is_the_shared_data_page(void **state)
{
    struct target *target = target_start();

    (void)state;
    if (under_test_is_ours())
        assert_captures_shared_page(target->process);
    target_destroy(target);
    only_ours();
}

static void test_aux_page_of_wow64_target_is_the_shared_data_page(void **state)
{
    struct target *target = sizeof(void *) == 8 ? target_start_foreign() : NULL;

    (void)state;
    if (!target)
        skip_because(NO_OTHER_BITNESS);
    if (under_test_is_ours())
        assert_captures_shared_page(target->process);
    target_destroy(target);
    only_ours();
}

static void test_aux_pages_not_captured_are_not_found(void **state)
{
    PSS_AUXILIARY_PAGES_INFORMATION information;
    PSS_AUXILIARY_PAGE_ENTRY entry;
    HPSSWALK marker = NULL;
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(), PSS_CAPTURE_VA_SPACE, 0, &snapshot),
                ERROR_SUCCESS);
    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    assert_same(pss.query(snapshot, PSS_QUERY_AUXILIARY_PAGES_INFORMATION, &information,
                          sizeof(information)),
                ERROR_NOT_FOUND);
    assert_same(pss.walk(snapshot, PSS_WALK_AUXILIARY_PAGES, marker, &entry, sizeof(entry)),
                ERROR_NOT_FOUND);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    free_snapshot(snapshot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_aux_page_of_self_is_the_shared_data_page),
        PSS_TEST(test_aux_page_of_target_is_the_shared_data_page),
        PSS_TEST(test_aux_page_of_wow64_target_is_the_shared_data_page),
        PSS_TEST(test_aux_pages_not_captured_are_not_found),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("aux_pages", tests, ledger_warm_up, NULL);
}
