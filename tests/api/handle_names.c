/* SPDX-License-Identifier: MIT */
/* Names, attributes, access and counts of handles, against what the target made. */
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define NAMES (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION)
#define BASIC (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_BASIC_INFORMATION)
#define ALL   (NAMES | BASIC | PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION)

#define OBJECT_INHERIT 2u /* OBJ_INHERIT */
#define OBJECT_PROTECT 1u /* OBJ_PROTECT_CLOSE, as handle attributes show it */

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

static bool contains(const WCHAR *text, const WCHAR *part)
{
    return text && wcsstr(text, part);
}

static void test_handle_names_contain_what_the_target_named(void **state)
{
    struct target *target = target_start();
    WCHAR event_name[64];
    WCHAR key_name[64];
    WCHAR path[MAX_PATH];

    (void)state;
    GetModuleFileNameW(NULL, path, MAX_PATH);
    uint64_t event =
        target_call_text(target, TARGET_EVENT, unique_name(event_name, L"named"), 0, 0, 0, 0);
    uint64_t nameless = target_call(target, TARGET_EVENT, 0, 0, 0, 0);
    uint64_t key = target_call_text(target, TARGET_KEY, unique_name(key_name, L"key"), 0, 0, 0, 0);
    uint64_t file = target_call_text(target, TARGET_FILE, path, GENERIC_READ, OPEN_EXISTING, 0, 0);
    struct capture capture = capture_handles(target, NAMES);
    const PSS_HANDLE_ENTRY *entry = find_handle(&capture.records, event);
    assert_true(contains(entry->ObjectName, event_name));
    assert_true(entry->ObjectName[0] == L'\\');
    assert_true(contains(find_handle(&capture.records, key)->ObjectName, key_name));
    assert_true(contains(find_handle(&capture.records, file)->ObjectName, wcsrchr(path, L'\\')));
    entry = find_handle(&capture.records, nameless);
    assert_null(entry->ObjectName);
    assert_same(entry->ObjectNameLength, 0);
    assert_false(entry->Flags & PSS_HANDLE_HAVE_NAME);
    end_capture(&capture);
    target_destroy(target);
}

/* Asking a pipe for its name waits on Windows as long as somebody reads from it. */
static void test_handle_name_of_pipe_with_blocked_reader_does_not_block(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = NULL;

    (void)state;
    uint64_t read_end = target_call(target, TARGET_PIPE, 0, 0, 0, 0);
    target_call(target, TARGET_BLOCK_ON, read_end, 0, 0, 0);
    for (int i = 0; i < 3; i++) {
        assert_same(pss.capture(target->process, ALL, 0, &snapshot), ERROR_SUCCESS);
        struct records records = records_read(snapshot, PSS_WALK_HANDLES);
        find_handle(&records, read_end);
        records_free(&records);
        free_snapshot(snapshot);
    }
    target_destroy(target);
}

static void test_handle_attributes_show_inherit_and_protect(void **state)
{
    struct target *target = target_start();
    uint64_t plain = target_call(target, TARGET_EVENT, 0, 0, FALSE, 0);
    uint64_t inherited = target_call(target, TARGET_EVENT, 0, 0, TRUE, 0);
    uint64_t protected = target_call(target, TARGET_EVENT, 0, 0, FALSE, 0);
    uint64_t both = target_call(target, TARGET_EVENT, 0, 0, FALSE, 0);

    (void)state;
    target_call(target, TARGET_HANDLE_FLAGS, protected, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0, 0);
    target_call(target, TARGET_HANDLE_FLAGS, both,
                HANDLE_FLAG_PROTECT_FROM_CLOSE | HANDLE_FLAG_INHERIT, 0, 0);
    struct capture capture = capture_handles(target, BASIC);
    assert_same(find_handle(&capture.records, plain)->Attributes, 0);
    assert_same(find_handle(&capture.records, inherited)->Attributes, OBJECT_INHERIT);
    assert_same(find_handle(&capture.records, protected)->Attributes, OBJECT_PROTECT);
    assert_same(find_handle(&capture.records, both)->Attributes, OBJECT_INHERIT | OBJECT_PROTECT);
    end_capture(&capture);
    target_destroy(target);
}

static void test_handle_count_and_access_leave_the_capture_out(void **state)
{
    struct target *target = target_start();
    uint64_t event = target_call(target, TARGET_EVENT, 0, 0, 0, 0);
    uint64_t copy = target_call(target, TARGET_DUPLICATE, event, SYNCHRONIZE, 0, 0);
    uint64_t alone = target_call(target, TARGET_EVENT, 0, 0, 0, 0);

    (void)state;
    struct capture capture = capture_handles(target, BASIC);
    assert_same(find_handle(&capture.records, event)->HandleCount, 2);
    assert_same(find_handle(&capture.records, copy)->HandleCount, 2);
    assert_same(find_handle(&capture.records, alone)->HandleCount, 1);
    assert_true(find_handle(&capture.records, alone)->PointerCount >= 1);
    assert_same(find_handle(&capture.records, event)->GrantedAccess, EVENT_ALL_ACCESS);
    assert_same(find_handle(&capture.records, copy)->GrantedAccess, SYNCHRONIZE);
    end_capture(&capture);
    target_destroy(target);
}

static void test_handles_of_a_terminated_snapshot_source_stay(void **state)
{
    struct target *target = target_start();
    WCHAR name[64];
    uint64_t event =
        target_call_text(target, TARGET_EVENT, unique_name(name, L"stays"), 0, 0, 0, 0);
    HPSS snapshot = target_capture(target, NAMES, 0);

    (void)state;
    target_destroy(target);
    struct records records = records_read(snapshot, PSS_WALK_HANDLES);
    assert_true(contains(find_handle(&records, event)->ObjectName, name));
    /* The snapshot must hold no reference to the object either: its name is free again. */
    HANDLE again = OpenEventW(SYNCHRONIZE, FALSE, name);
    assert_null(again);
    records_free(&records);
    free_snapshot(snapshot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_handle_names_contain_what_the_target_named),
        PSS_TEST(test_handle_name_of_pipe_with_blocked_reader_does_not_block),
        PSS_TEST(test_handle_attributes_show_inherit_and_protect),
        PSS_TEST(test_handle_count_and_access_leave_the_capture_out),
        PSS_TEST(test_handles_of_a_terminated_snapshot_source_stay),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("handle_names", tests, ledger_warm_up, NULL);
}
