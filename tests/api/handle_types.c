/* SPDX-License-Identifier: MIT */
/* Types of handles that nobody touches, while one value is used again for objects of two types. */
#include "ledger.h"
#include "records.h"
#include "soak.h"
#include "target.h"
#include "under_test.h"

#define FIXED 50u /* of each type */

#define FROZEN (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)
#define DETAILS                                                   \
    (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_BASIC_INFORMATION | \
     PSS_CAPTURE_HANDLE_NAME_INFORMATION | PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION)

static const DWORD flag_sets[] = {PSS_CAPTURE_HANDLES, PSS_CAPTURE_HANDLES | FROZEN, DETAILS,
                                  DETAILS | FROZEN};

static uint64_t fixed[2 * FIXED]; /* events, and then mutants */
static uint64_t reused;           /* the value that belongs to one after the other */

static void assert_type(const PSS_HANDLE_ENTRY *entry, PSS_OBJECT_TYPE type, const WCHAR *name)
{
    if (entry->ObjectType != type || !entry->TypeName || wcscmp(entry->TypeName, name) != 0)
        fail_msg("handle %p: type %d, %ls", entry->Handle, (int)entry->ObjectType,
                 entry->TypeName ? entry->TypeName : L"(none)");
}

/* Whatever it is at that moment: type, access and state are of one object, or not told. */
static void assert_consistent(const PSS_HANDLE_ENTRY *entry)
{
    int is_mutant = entry->ObjectType == PSS_OBJECT_TYPE_MUTANT;

    if (!(entry->Flags & PSS_HANDLE_HAVE_TYPE))
        assert_false(entry->Flags & PSS_HANDLE_HAVE_TYPE_SPECIFIC_INFORMATION);
    else
        assert_type(entry, is_mutant ? PSS_OBJECT_TYPE_MUTANT : PSS_OBJECT_TYPE_EVENT,
                    is_mutant ? L"Mutant" : L"Event");
    if (entry->Flags & PSS_HANDLE_HAVE_TYPE && entry->Flags & PSS_HANDLE_HAVE_BASIC_INFORMATION)
        assert_int_equal(entry->GrantedAccess, is_mutant ? MUTANT_ALL_ACCESS : EVENT_ALL_ACCESS);
}

static void check(HANDLE process, DWORD flags)
{
    HPSS snapshot = NULL;
    struct records records;
    DWORD found = 0;

    assert_int_equal(pss.capture(process, flags, CONTEXT_CONTROL, &snapshot), ERROR_SUCCESS);
    records = records_read(snapshot, PSS_WALK_HANDLES);
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_HANDLE_ENTRY *entry = record_at(records, PSS_HANDLE_ENTRY, i);

        if (address_of(entry->Handle) == reused)
            assert_consistent(entry);
        for (DWORD j = 0; j < 2 * FIXED; j++) {
            if (address_of(entry->Handle) != fixed[j])
                continue;
            found++;
            assert_type(entry, j < FIXED ? PSS_OBJECT_TYPE_EVENT : PSS_OBJECT_TYPE_MUTANT,
                        j < FIXED ? L"Event" : L"Mutant");
        }
    }
    assert_int_equal(found, 2 * FIXED);
    records_free(&records);
    free_snapshot(snapshot);
}

static void check_all(HANDLE process)
{
    for (DWORD i = 0; i < soak_or(15, 300); i++)
        for (DWORD j = 0; j < 4; j++)
            check(process, flag_sets[j]);
}

static void test_types_in_another_process_are_those_of_the_handles(void **state)
{
    struct target *target = target_start();

    (void)state;
    reused = target_call(target, TARGET_EVENT, 0, 0, 0, 0);
    for (DWORD i = 0; i < 2 * FIXED; i++)
        fixed[i] = target_call(target, i < FIXED ? TARGET_EVENT : TARGET_MUTANT, 0, 0, 0, 0);
    target_call(target, TARGET_REUSE_HANDLE, reused, 0, 0, 0);
    check_all(target->process);
    target_destroy(target);
}

static volatile LONG is_over;

static DWORD WINAPI reuse_value(void *unused)
{
    (void)unused;
    while (!is_over) {
        CloseHandle(CreateMutexW(NULL, FALSE, NULL));
        CloseHandle(CreateEventW(NULL, TRUE, FALSE, NULL));
    }
    return 0;
}

/* The values that are used again may become those of the capture's own threads and duplicates. */
static void test_types_in_the_own_process_are_those_of_the_handles(void **state)
{
    HANDLE low = CreateEventW(NULL, FALSE, FALSE, NULL);
    HANDLE thread;

    (void)state;
    reused = address_of(low);
    for (DWORD i = 0; i < 2 * FIXED; i++)
        fixed[i] = address_of(i < FIXED ? CreateEventW(NULL, TRUE, FALSE, NULL)
                                        : CreateMutexW(NULL, FALSE, NULL));
    thread = CreateThread(NULL, 0, reuse_value, NULL, 0, NULL);
    assert_non_null(thread);
    assert_true(CloseHandle(low));
    check_all(GetCurrentProcess());
    is_over = 1;
    assert_int_equal(WaitForSingleObject(thread, 60000), WAIT_OBJECT_0);
    CloseHandle(thread);
    for (DWORD i = 0; i < 2 * FIXED; i++)
        assert_true(CloseHandle((HANDLE)(ULONG_PTR)fixed[i]));
}

/* Once a handle is closed for good its value is not listed, whatever the capture used it for. */
static void test_own_process_has_the_same_handles_after_a_capture(void **state)
{
    (void)state;
    for (DWORD i = 0; i < 4; i++) {
        HPSS snapshot = NULL;
        struct records records;

        assert_int_equal(pss.capture(GetCurrentProcess(), flag_sets[i], CONTEXT_CONTROL, &snapshot),
                         ERROR_SUCCESS);
        records = records_read(snapshot, PSS_WALK_HANDLES);
        for (DWORD j = 0; j < records.count; j++) {
            const PSS_HANDLE_ENTRY *entry = record_at(records, PSS_HANDLE_ENTRY, j);
            DWORD flags;

            if (!GetHandleInformation(entry->Handle, &flags))
                fail_msg("flags 0x%lx: handle %p was the capture's", flag_sets[i], entry->Handle);
        }
        records_free(&records);
        free_snapshot(snapshot);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_types_in_another_process_are_those_of_the_handles),
        PSS_TEST(test_types_in_the_own_process_are_those_of_the_handles),
        PSS_TEST(test_own_process_has_the_same_handles_after_a_capture),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("handle types", tests, ledger_warm_up, NULL);
}
