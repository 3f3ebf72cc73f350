/* SPDX-License-Identifier: MIT */
/* Auxiliary pages, an extension of this project, captured together with a clone. */
#include "clone.h"
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define BOTH        (PSS_CAPTURE_VA_CLONE | PSS_CAPTURE_RESERVED_00000002)
#define SHARED_PAGE ((const unsigned char *)(uintptr_t)0x7FFE0000)
#define SYSTEM_ROOT 0x30 /* offset of NtSystemRoot */
#define SIZE        0x10000u

static void assert_both(HPSS snapshot)
{
    struct records records = records_read(snapshot, PSS_WALK_AUXILIARY_PAGES);

    assert_same(records.count, 1);
    const PSS_AUXILIARY_PAGE_ENTRY *entry = record_at(records, PSS_AUXILIARY_PAGE_ENTRY, 0);
    assert_ptr_equal(entry->Address, SHARED_PAGE);
    assert_same(entry->PageSize, 4096);
    assert_non_null(entry->PageContents);
    assert_memory_equal((const char *)entry->PageContents + SYSTEM_ROOT, SHARED_PAGE + SYSTEM_ROOT,
                        40);
    assert_true(GetProcessId(clone_of(snapshot)) != 0);
    records_free(&records);
}

static void test_clone_and_aux_pages_of_a_target_are_both_there(void **state)
{
    (void)state;
    only_ours();
    struct target *target = target_start();
    uint64_t memory =
        target_call(target, TARGET_ALLOCATE, 0, SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    target_call(target, TARGET_FILL, memory, SIZE, 2, 0);
    HPSS snapshot = target_capture(target, BOTH, 0);
    assert_both(snapshot);
    clone_assert_pattern(clone_of(snapshot), memory, SIZE, 2);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_clone_and_aux_pages_of_a_wow64_target_are_both_there(void **state)
{
    (void)state;
    only_ours();
    struct target *target = sizeof(void *) == 8 ? target_start_foreign() : NULL;
    if (!target)
        skip_because(NO_OTHER_BITNESS);
    HPSS snapshot = target_capture(target, BOTH, 0);
    assert_both(snapshot);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_clone_and_aux_pages_of_the_caller_itself_are_both_there(void **state)
{
    HPSS snapshot = NULL;

    (void)state;
    only_ours();
    assert_same(pss.capture(GetCurrentProcess(), BOTH, 0, &snapshot), ERROR_SUCCESS);
    assert_both(snapshot);
    free_snapshot(snapshot);
}

static void test_clone_alone_has_no_aux_pages(void **state)
{
    PSS_AUXILIARY_PAGES_INFORMATION information;
    HPSS snapshot = clone_capture(GetCurrentProcess(), 0, 0);

    (void)state;
    assert_same(pss.query(snapshot, PSS_QUERY_AUXILIARY_PAGES_INFORMATION, &information,
                          sizeof(information)),
                ERROR_NOT_FOUND);
    free_snapshot(snapshot);
}

/* The page's bytes are in this process: they outlive the clone. */
static void test_clone_that_ended_leaves_the_aux_page(void **state)
{
    (void)state;
    only_ours();
    struct target *target = target_start();
    HPSS snapshot = target_capture(target, BOTH, 0);
    assert_true(TerminateProcess(clone_of(snapshot), 0));
    target_destroy(target);
    struct records records = records_read(snapshot, PSS_WALK_AUXILIARY_PAGES);
    const PSS_AUXILIARY_PAGE_ENTRY *entry = record_at(records, PSS_AUXILIARY_PAGE_ENTRY, 0);
    assert_memory_equal((const char *)entry->PageContents + SYSTEM_ROOT, SHARED_PAGE + SYSTEM_ROOT,
                        40);
    records_free(&records);
    free_snapshot(snapshot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_clone_and_aux_pages_of_a_target_are_both_there),
        PSS_TEST(test_clone_and_aux_pages_of_a_wow64_target_are_both_there),
        PSS_TEST(test_clone_and_aux_pages_of_the_caller_itself_are_both_there),
        PSS_TEST(test_clone_alone_has_no_aux_pages),
        PSS_TEST(test_clone_that_ended_leaves_the_aux_page),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clone_aux_pages", tests, ledger_warm_up, NULL);
}
