/* SPDX-License-Identifier: MIT */
/* Walk class 2: all handles as the oracle sees them, their types, and what each flag adds. */
#include "ledger.h"
#include "nt_calls.h"
#include "oracle.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define HANDLES PSS_CAPTURE_HANDLES
#define NAMES   (HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION)
#define BASIC   (HANDLES | PSS_CAPTURE_HANDLE_BASIC_INFORMATION)
#define ALL     (NAMES | BASIC | PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION)

struct capture {
    HPSS snapshot;
    struct records records;
};

static struct capture capture_handles(struct target *target, DWORD flags)
{
    struct capture capture = {.snapshot = target_capture(target, flags, 0)};

    capture.records = records_read(capture.snapshot, PSS_WALK_HANDLES);
    return capture;
}

static void end_capture(struct capture *capture)
{
    records_free(&capture->records);
    free_snapshot(capture->snapshot);
}

/* One object of each type the target can make, named where that is possible. */
static void make_everything(struct target *target)
{
    WCHAR name[64];
    WCHAR path[MAX_PATH];

    target_call_text(target, TARGET_EVENT, unique_name(name, L"event"), TRUE, TRUE, TRUE, 0);
    target_call_text(target, TARGET_MUTANT, unique_name(name, L"mutant"), TRUE, 0, 0, 0);
    target_call_text(target, TARGET_SEMAPHORE, unique_name(name, L"semaphore"), 2, 9, 0, 0);
    target_call_text(target, TARGET_SECTION, unique_name(name, L"section"), 12345, PAGE_READWRITE,
                     0, 0);
    target_call_text(target, TARGET_TIMER, unique_name(name, L"timer"), 0, 0, 0, 0);
    target_call_text(target, TARGET_JOB, unique_name(name, L"job"), 0, 0, 0, 0);
    target_call_text(target, TARGET_KEY, unique_name(name, L"key"), 0, 0, 0, 0);
    target_call(target, TARGET_PIPE, 0, 0, 0, 0);
    target_call(target, TARGET_PROCESS, target->pid, PROCESS_ALL_ACCESS, 0, 0);
    target_call(target, TARGET_OPEN_THREAD, target->main_thread, THREAD_ALL_ACCESS, 0, 0);
    GetModuleFileNameW(NULL, path, MAX_PATH);
    target_call_text(target, TARGET_FILE, path, GENERIC_READ, OPEN_EXISTING, 0, 0);
}

static void assert_ascending(const struct records *records)
{
    for (DWORD i = 1; i < records->count; i++)
        assert_true(address_of(record_at(*records, PSS_HANDLE_ENTRY, i - 1)->Handle) <
                    address_of(record_at(*records, PSS_HANDLE_ENTRY, i)->Handle));
}

static void assert_type(const PSS_HANDLE_ENTRY *entry, const struct oracle_handle *handle)
{
    assert_same(address_of(entry->Handle), handle->value);
    if (!handle->duplicated)
        return;
    assert_true(entry->Flags & PSS_HANDLE_HAVE_TYPE);
    assert_text_is(entry->TypeName, entry->TypeNameLength, handle->type);
}

static void assert_name(const PSS_HANDLE_ENTRY *entry, const struct oracle_handle *handle)
{
    const WCHAR *expected = handle->name[0] ? handle->name : NULL;

    assert_text_is(entry->ObjectName, entry->ObjectNameLength, expected);
    assert_same((entry->Flags & PSS_HANDLE_HAVE_NAME) != 0, expected != NULL);
}

static void assert_count(const char *what, DWORD actual, DWORD expected,
                         const struct oracle_handle *handle)
{
    if (actual != expected)
        fail_msg("the %s count of %ls 0x%llx \"%ls\" is %lu, not %lu", what, handle->type,
                 (unsigned long long)handle->value, handle->name, actual, expected);
}

static void assert_basic(const PSS_HANDLE_ENTRY *entry, const struct oracle_handle *handle,
                         const struct oracle_handle *later)
{
    assert_true(entry->Flags & PSS_HANDLE_HAVE_BASIC_INFORMATION);
    assert_same(entry->GrantedAccess, handle->access);
    assert_same(entry->Attributes, handle->attributes);
    if (!handle->duplicated)
        return;
    assert_count("handle", entry->HandleCount, handle->handle_count, handle);
    assert_same(entry->PagedPoolCharge, handle->paged_charge);
    assert_same(entry->NonPagedPoolCharge, handle->nonpaged_charge);
    /* Since Windows 8 the count of references is inflated and moves with each duplicate; on Wine a
     * thread that waits for the object holds one, and may still be settling down. */
    if (under_test_on_wine() && entry->PointerCount != later->pointer_count)
        assert_count("pointer", entry->PointerCount, handle->pointer_count, handle);
}

static void assert_handles_like_oracle(struct target *target)
{
    target_freeze(target);
    struct oracle_handles oracle = oracle_handles_read(target->process, target->pid);
    struct capture capture = capture_handles(target, ALL);
    struct oracle_handles later = oracle_handles_read(target->process, target->pid);

    assert_same(capture.records.count, oracle.count);
    assert_same(later.count, oracle.count);
    assert_ascending(&capture.records);
    for (DWORD i = 0; i < oracle.count; i++) {
        const PSS_HANDLE_ENTRY *entry = record_at(capture.records, PSS_HANDLE_ENTRY, i);
        assert_type(entry, &oracle.entries[i]);
        assert_name(entry, &oracle.entries[i]);
        assert_basic(entry, &oracle.entries[i], &later.entries[i]);
    }
    end_capture(&capture);
    free(oracle.entries);
    free(later.entries);
    target_thaw(target);
}

static void test_handles_of_frozen_target_equal_the_oracle(void **state)
{
    struct target *target = target_start();

    (void)state;
    make_everything(target);
    assert_handles_like_oracle(target);
    target_destroy(target);
}

static void test_handles_of_wow64_target_equal_the_oracle(void **state)
{
    struct target *target = sizeof(void *) == 8 ? target_start_foreign() : NULL;

    (void)state;
    if (!target)
        skip_because(NO_OTHER_BITNESS);
    make_everything(target);
    assert_handles_like_oracle(target);
    target_destroy(target);
}

static void test_handles_of_child_that_never_ran_equal_the_oracle(void **state)
{
    struct target *target = target_start_never_ran();
    struct oracle_handles oracle = oracle_handles_read(target->process, target->pid);
    struct capture capture = capture_handles(target, ALL);

    (void)state;
    assert_same(capture.records.count, oracle.count);
    for (DWORD i = 0; i < oracle.count; i++)
        assert_type(record_at(capture.records, PSS_HANDLE_ENTRY, i), &oracle.entries[i]);
    end_capture(&capture);
    free(oracle.entries);
    target_destroy(target);
}

static void assert_zero_but_type(const PSS_HANDLE_ENTRY *entry)
{
    static const unsigned char zeros[sizeof(entry->TypeSpecificInformation)];

    assert_same(entry->Flags & ~(DWORD)PSS_HANDLE_HAVE_TYPE, 0);
    assert_same(entry->Attributes, 0);
    assert_same(entry->GrantedAccess, 0);
    assert_same(entry->HandleCount, 0);
    assert_same(entry->PointerCount, 0);
    assert_same(entry->PagedPoolCharge, 0);
    assert_same(entry->NonPagedPoolCharge, 0);
    assert_same(filetime_value(entry->CreationTime), 0);
    assert_same(entry->ObjectNameLength, 0);
    assert_null(entry->ObjectName);
    assert_memory_equal(&entry->TypeSpecificInformation, zeros, sizeof(zeros));
}

static void test_handles_alone_have_type_and_nothing_else(void **state)
{
    struct target *target = target_start();

    (void)state;
    make_everything(target);
    struct capture capture = capture_handles(target, HANDLES);
    for (DWORD i = 0; i < capture.records.count; i++) {
        const PSS_HANDLE_ENTRY *entry = record_at(capture.records, PSS_HANDLE_ENTRY, i);
        assert_same(entry->Flags, PSS_HANDLE_HAVE_TYPE);
        assert_non_null(entry->TypeName);
        assert_zero_but_type(entry);
    }
    end_capture(&capture);
    target_destroy(target);
}

static void test_handles_each_flag_adds_its_part_alone(void **state)
{
    static const struct {
        DWORD flags;
        DWORD allowed;
    } rows[] = {
        {NAMES, PSS_HANDLE_HAVE_TYPE | PSS_HANDLE_HAVE_NAME},
        {BASIC, PSS_HANDLE_HAVE_TYPE | PSS_HANDLE_HAVE_BASIC_INFORMATION},
        {HANDLES | PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION,
         PSS_HANDLE_HAVE_TYPE | PSS_HANDLE_HAVE_TYPE_SPECIFIC_INFORMATION},
    };
    struct target *target = target_start();

    (void)state;
    make_everything(target);
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct capture capture = capture_handles(target, rows[r].flags);
        DWORD seen = 0;
        for (DWORD i = 0; i < capture.records.count; i++) {
            const PSS_HANDLE_ENTRY *entry = record_at(capture.records, PSS_HANDLE_ENTRY, i);
            assert_same(entry->Flags & ~rows[r].allowed, 0);
            assert_text(entry->ObjectName, entry->ObjectNameLength);
            seen |= entry->Flags;
        }
        assert_same(seen, rows[r].allowed);
        end_capture(&capture);
    }
    target_destroy(target);
}

static void test_handle_object_type_follows_the_type_name(void **state)
{
    static const struct {
        const WCHAR *name;
        PSS_OBJECT_TYPE type;
    } types[] = {
        {L"Process", PSS_OBJECT_TYPE_PROCESS}, {L"Thread", PSS_OBJECT_TYPE_THREAD},
        {L"Mutant", PSS_OBJECT_TYPE_MUTANT},   {L"Event", PSS_OBJECT_TYPE_EVENT},
        {L"Section", PSS_OBJECT_TYPE_SECTION}, {L"Semaphore", PSS_OBJECT_TYPE_SEMAPHORE},
    };
    struct target *target = target_start();
    DWORD seen = 0;

    (void)state;
    make_everything(target);
    struct capture capture = capture_handles(target, HANDLES);
    for (DWORD i = 0; i < capture.records.count; i++) {
        const PSS_HANDLE_ENTRY *entry = record_at(capture.records, PSS_HANDLE_ENTRY, i);
        PSS_OBJECT_TYPE expected = PSS_OBJECT_TYPE_UNKNOWN;
        for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++)
            if (!wcscmp(entry->TypeName, types[t].name))
                expected = types[t].type;
        assert_same(entry->ObjectType, expected);
        seen |= 1u << entry->ObjectType;
    }
    assert_same(seen, 0x7F); /* all six, and unknown ones */
    end_capture(&capture);
    target_destroy(target);
}

static void test_handle_type_names_are_those_of_what_was_made(void **state)
{
    static const struct {
        enum target_op op;
        const WCHAR *type;
    } rows[] = {
        {TARGET_EVENT, L"Event"},         {TARGET_MUTANT, L"Mutant"},
        {TARGET_SEMAPHORE, L"Semaphore"}, {TARGET_SECTION, L"Section"},
        {TARGET_TIMER, L"Timer"},         {TARGET_PROCESS, L"Process"},
        {TARGET_OPEN_THREAD, L"Thread"},
    };
    enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
    struct target *target = target_start();
    uint64_t handles[ROWS];

    (void)state;
    for (int i = 0; i < ROWS; i++) {
        target_call(target, TARGET_MANY_HANDLES, rows[i].op, 1, 0, 0);
        handles[i] = target_value(target, 0);
    }
    struct capture capture = capture_handles(target, HANDLES);
    for (int i = 0; i < ROWS; i++) {
        const PSS_HANDLE_ENTRY *entry = find_handle(&capture.records, handles[i]);
        assert_text_is(entry->TypeName, entry->TypeNameLength, rows[i].type);
    }
    end_capture(&capture);
    target_destroy(target);
}

static void test_handle_opened_and_closed_appears_and_disappears(void **state)
{
    struct target *target = target_start();
    uint64_t event = target_call(target, TARGET_EVENT, 0, 0, 0, 0);
    struct capture open = capture_handles(target, HANDLES);

    (void)state;
    find_handle(&open.records, event);
    target_call(target, TARGET_CLOSE, event, 0, 0, 0);
    struct capture closed = capture_handles(target, HANDLES);
    assert_same(closed.records.count, open.records.count - 1);
    for (DWORD i = 0; i < closed.records.count; i++)
        assert_true(address_of(record_at(closed.records, PSS_HANDLE_ENTRY, i)->Handle) != event);
    end_capture(&open);
    end_capture(&closed);
    target_destroy(target);
}

static uint64_t now(void)
{
    FILETIME time;

    GetSystemTimeAsFileTime(&time);
    return filetime_value(time);
}

static void test_handle_capture_time_lies_within_the_call(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = NULL;

    (void)state;
    uint64_t before = now();
    assert_same(pss.capture(target->process, ALL, 0, &snapshot), ERROR_SUCCESS);
    uint64_t after = now();
    struct records records = records_read(snapshot, PSS_WALK_HANDLES);
    for (DWORD i = 0; i < records.count; i++)
        assert_in_range(filetime_value(record_at(records, PSS_HANDLE_ENTRY, i)->CaptureTime),
                        before, after);
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

/* A self-capture shows what the process held before it, none of the capture's own handles. */
static void test_handles_of_self_are_exactly_ours(void **state)
{
    static const DWORD flags[] = {HANDLES, ALL, ALL | PSS_CAPTURE_THREADS,
                                  ALL | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT |
                                      PSS_CAPTURE_VA_SPACE |
                                      PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION};

    (void)state;
    for (int f = 0; f < 4; f++) {
        struct oracle_handles oracle =
            oracle_handles_read(GetCurrentProcess(), GetCurrentProcessId());
        HPSS snapshot = NULL;
        assert_same(pss.capture(GetCurrentProcess(), flags[f], CONTEXT_ALL, &snapshot),
                    ERROR_SUCCESS);
        struct records records = records_read(snapshot, PSS_WALK_HANDLES);
        /* The oracle's own duplicate came and went; so did its row. */
        assert_same(records.count, oracle.count);
        for (DWORD i = 0; i < records.count; i++)
            assert_type(record_at(records, PSS_HANDLE_ENTRY, i), &oracle.entries[i]);
        records_free(&records);
        free_snapshot(snapshot);
        free(oracle.entries);
    }
}

static void test_handle_padding_is_zero(void **state)
{
    struct target *target = target_start();

    (void)state;
    make_everything(target);
    struct capture capture = capture_handles(target, ALL);
    for (DWORD i = 0; i < capture.records.count; i++) {
        const unsigned char *bytes =
            (const unsigned char *)record_at(capture.records, PSS_HANDLE_ENTRY, i);
        for (size_t j = offsetof(PSS_HANDLE_ENTRY, TypeNameLength) + sizeof(WORD);
             j < offsetof(PSS_HANDLE_ENTRY, TypeName); j++)
            assert_same(bytes[j], 0);
        for (size_t j = offsetof(PSS_HANDLE_ENTRY, ObjectNameLength) + sizeof(WORD);
             j < offsetof(PSS_HANDLE_ENTRY, ObjectName); j++)
            assert_same(bytes[j], 0);
    }
    end_capture(&capture);
    target_destroy(target);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_handles_of_frozen_target_equal_the_oracle),
        PSS_TEST(test_handles_of_wow64_target_equal_the_oracle),
        PSS_TEST(test_handles_of_child_that_never_ran_equal_the_oracle),
        PSS_TEST(test_handles_alone_have_type_and_nothing_else),
        PSS_TEST(test_handles_each_flag_adds_its_part_alone),
        PSS_TEST(test_handle_object_type_follows_the_type_name),
        PSS_TEST(test_handle_type_names_are_those_of_what_was_made),
        PSS_TEST(test_handle_opened_and_closed_appears_and_disappears),
        PSS_TEST(test_handle_capture_time_lies_within_the_call),
        PSS_TEST(test_handles_of_self_are_exactly_ours),
        PSS_TEST(test_handle_padding_is_zero),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("handles", tests, ledger_warm_up, NULL);
}
