/* SPDX-License-Identifier: MIT */
/* Name queries that a driver holds for ever: the capture comes back, without those names alone. */
#include "api/api.h"

#include "faulty_nt.h"
#include "subject.h"

#define FILES       12
#define FLAGS       (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION)
#define LONG_NAME   60000u /* bytes */
#define STUCK_LIMIT 8      /* what the library says it gives up after */

static struct subject child;
static uint64_t files[FILES];
static HANDLE release; /* lets the held queries go */
static int held_files; /* the first so many of the files hold a query */
static uint32_t held;  /* queries that were held; atomic */
static DWORD test_thread;

static void file_path(WCHAR path[MAX_PATH], int index)
{
    WCHAR directory[MAX_PATH - 40];

    GetTempPathW(MAX_PATH - 40, directory);
    _snwprintf(path, MAX_PATH, L"%lspss-core-%lu-file-%02d", directory, GetCurrentProcessId(),
               index);
}

/* Which of our files the name ends in; -1 for none. */
static int file_index(const UNICODE_STRING *name)
{
    static const WCHAR stem[] = L"-file-";
    size_t length = name->Length / sizeof(WCHAR), stem_length = wcslen(stem);

    if (length < stem_length + 2 ||
        wmemcmp(name->Buffer + length - 2 - stem_length, stem, stem_length) != 0)
        return -1;
    return (name->Buffer[length - 2] - L'0') * 10 + name->Buffer[length - 1] - L'0';
}

/* As the real query, but the names of some files are held back until the release. */
static NTSTATUS NTAPI hold_names(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                                 ULONG *returned)
{
    NTSTATUS status = pss_nt_system()->query_object(handle, class_number, buffer, size, returned);

    if (!NT_SUCCESS(status) || class_number != PSS_NT_OBJECT_NAME)
        return status;
    int index = file_index(buffer);
    if (index < 0 || index >= held_files)
        return status;
    __atomic_add_fetch(&held, 1, __ATOMIC_RELAXED);
    WaitForSingleObject(release, INFINITE);
    return status;
}

static HPSS capture(const struct subject *subject)
{
    HPSS snapshot = NULL;

    faulty_reset();
    assert_int_equal(subject_capture(subject, FLAGS, &snapshot), STATUS_SUCCESS);
    return snapshot;
}

static bool is_named(HPSS snapshot, uint64_t handle)
{
    const struct pss_handle_record *record = subject_handle(snapshot, handle);

    assert_non_null(record);
    assert_same((record->flags & PSS_HANDLE_HAVE_NAME) != 0, record->object_name.length != 0);
    return record->object_name.length != 0;
}

static void assert_named_but(HPSS snapshot, int unnamed)
{
    for (int i = 0; i < FILES; i++)
        if (is_named(snapshot, files[i]) != (i >= unnamed))
            fail_msg("file %d is %s", i, i >= unnamed ? "not named" : "named");
    assert_true(is_named(snapshot, child.event));
}

static void test_one_held_name_is_missing_alone(void **state)
{
    (void)state;
    held_files = 1;
    HPSS snapshot = capture(&child);
    assert_same(held, 1);
    assert_named_but(snapshot, 1);
    assert_same(faulty_calls_of(FAULTY_terminate_thread), 1);
    assert_true(faulty_threads_ended());
    subject_check_and_free(snapshot, "one held name");
}

static void test_several_held_names_are_missing_alone(void **state)
{
    (void)state;
    held_files = 3;
    HPSS snapshot = capture(&child);
    assert_same(held, 3);
    assert_named_but(snapshot, 3);
    assert_true(faulty_threads_ended());
    subject_check_and_free(snapshot, "three held names");
}

static void test_too_many_held_names_end_the_questions(void **state)
{
    (void)state;
    held_files = FILES;
    HPSS snapshot = capture(&child);
    assert_same(held, STUCK_LIMIT);
    assert_named_but(snapshot, FILES);
    assert_true(faulty_threads_ended());
    subject_check_and_free(snapshot, "all names held");
}

static NTSTATUS NTAPI terminate_nothing(HANDLE thread, NTSTATUS exit_status)
{
    (void)thread;
    return exit_status;
}

/* The memory and the handle stay with the thread, and it does no more than end. */
static void test_thread_that_cannot_be_ended_keeps_what_it_uses(void **state)
{
    (void)state;
    held_files = 2;
    faulty_inner()->terminate_thread = terminate_nothing;
    HPSS snapshot = capture(&child);
    assert_same(held, 2);
    assert_named_but(snapshot, 2);
    subject_check_and_free(snapshot, "two threads that cannot be ended");
    assert_same(faulty_ledger().allocations, 2);
    assert_same(faulty_ledger().handles, 2);
    assert_null(faulty_violation());
    uint32_t queries = faulty_calls_of(FAULTY_query_object);
    SetEvent(release);
    assert_true(faulty_threads_ended());
    assert_same(faulty_calls_of(FAULTY_query_object), queries);
    faulty_reclaim();
}

/* Patience runs out before the thread has begun; from then on it has all the time it needs. */
static uint32_t waits;

static NTSTATUS NTAPI lose_patience_at_once(HANDLE handle, BOOLEAN alertable,
                                            LARGE_INTEGER *timeout)
{
    (void)timeout;
    if (waits++ == 0)
        return STATUS_TIMEOUT;
    return pss_nt_system()->wait(handle, alertable, NULL);
}

/* Ending a thread at any moment is a danger to the process: only one that is stuck is ended. */
static void test_thread_that_is_only_late_ends_by_itself(void **state)
{
    (void)state;
    faulty_inner()->wait = lose_patience_at_once;
    for (int i = 0; i < 100; i++) {
        waits = 0;
        HPSS snapshot = capture(&child);
        assert_same(faulty_calls_of(FAULTY_terminate_thread), 0);
        assert_true(is_named(snapshot, child.event));
        subject_check_and_free(snapshot, "a late thread");
        faulty_assert_clean("a late thread");
    }
}

/* Threads that never begin, as when somebody keeps a lock that they need. */
static HANDLE unborn[STUCK_LIMIT];
static uint32_t unborn_count;

static NTSTATUS NTAPI create_suspended(HANDLE *thread, ACCESS_MASK access,
                                       OBJECT_ATTRIBUTES *object, HANDLE process, void *start,
                                       void *parameter, ULONG flags, SIZE_T zero_bits, SIZE_T stack,
                                       SIZE_T stack_limit, void *list)
{
    NTSTATUS status = pss_nt_system()->create_thread(
        thread, access | THREAD_SUSPEND_RESUME, object, process, start, parameter,
        flags | 1 /* suspended */, zero_bits, stack, stack_limit, list);

    assert_true(unborn_count < STUCK_LIMIT);
    assert_true(DuplicateHandle(GetCurrentProcess(), *thread, GetCurrentProcess(),
                                &unborn[unborn_count++], 0, FALSE, DUPLICATE_SAME_ACCESS));
    return status;
}

static NTSTATUS NTAPI time_out(HANDLE handle, BOOLEAN alertable, LARGE_INTEGER *timeout)
{
    (void)handle, (void)alertable, (void)timeout;
    return STATUS_TIMEOUT;
}

static void test_thread_that_never_begins_is_left_alone(void **state)
{
    (void)state;
    unborn_count = 0;
    faulty_inner()->create_thread = create_suspended;
    faulty_inner()->wait = time_out;
    HPSS snapshot = capture(&child);
    assert_named_but(snapshot, FILES);
    subject_check_and_free(snapshot, "unborn");
    assert_same(faulty_calls_of(FAULTY_terminate_thread), 0);
    assert_same(faulty_ledger().allocations, unborn_count);
    uint32_t queries = faulty_calls_of(FAULTY_query_object);
    while (unborn_count) {
        assert_same(ResumeThread(unborn[--unborn_count]), 1);
        CloseHandle(unborn[unborn_count]);
    }
    assert_true(faulty_threads_ended());
    assert_same(faulty_calls_of(FAULTY_query_object), queries);
    faulty_reclaim();
}

/* A wait that fails tells nothing of the thread: it is left alone, with what it uses. */
static NTSTATUS NTAPI fail_to_wait(HANDLE handle, BOOLEAN alertable, LARGE_INTEGER *timeout)
{
    (void)handle, (void)alertable, (void)timeout;
    return STATUS_ACCESS_DENIED;
}

static void test_thread_that_cannot_be_waited_for_is_left_alone(void **state)
{
    (void)state;
    faulty_inner()->wait = fail_to_wait;
    HPSS snapshot = capture(&child);
    assert_same(faulty_calls_of(FAULTY_terminate_thread), 0);
    assert_true(is_named(snapshot, child.event));
    subject_check_and_free(snapshot, "no wait");
    assert_true(faulty_threads_ended());
    assert_null(faulty_violation());
    faulty_reclaim();
}

/* Types that cannot be told may hold a query as well. */
static NTSTATUS NTAPI hide_types(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                                 ULONG *returned)
{
    if (class_number == PSS_NT_OBJECT_TYPE)
        return STATUS_ACCESS_DENIED;
    if (class_number == PSS_NT_OBJECT_NAME && GetCurrentThreadId() == test_thread)
        held++;
    return pss_nt_system()->query_object(handle, class_number, buffer, size, returned);
}

static void test_names_of_unknown_types_are_asked_by_another_thread(void **state)
{
    (void)state;
    faulty_inner()->query_object = hide_types;
    HPSS snapshot = capture(&child);
    assert_same(held, 0);
    assert_named_but(snapshot, 0);
    assert_same(subject_handle(snapshot, child.event)->flags & PSS_HANDLE_HAVE_TYPE, 0);
    subject_check_and_free(snapshot, "types hidden");
}

static NTSTATUS NTAPI create_no_thread(HANDLE *thread, ACCESS_MASK access,
                                       OBJECT_ATTRIBUTES *object, HANDLE process, void *start,
                                       void *parameter, ULONG flags, SIZE_T zero_bits, SIZE_T stack,
                                       SIZE_T stack_limit, void *list)
{
    (void)thread, (void)access, (void)object, (void)process, (void)start, (void)parameter;
    (void)flags, (void)zero_bits, (void)stack, (void)stack_limit, (void)list;
    return STATUS_ACCESS_DENIED;
}

static void test_without_a_thread_files_have_no_names(void **state)
{
    (void)state;
    faulty_inner()->create_thread = create_no_thread;
    HPSS snapshot = capture(&child);
    assert_named_but(snapshot, FILES);
    subject_check_and_free(snapshot, "no thread");
}

/* Names so long that not all have room in one answer. */
static NTSTATUS NTAPI stretch_names(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                                    ULONG *returned)
{
    NTSTATUS status = pss_nt_system()->query_object(handle, class_number, buffer, size, returned);
    UNICODE_STRING *name = buffer;

    if (!NT_SUCCESS(status) || class_number != PSS_NT_OBJECT_NAME || file_index(name) < 0)
        return status;
    WCHAR mark = (WCHAR)(L'a' + file_index(name));
    name->Length = LONG_NAME;
    for (uint32_t i = 0; i < LONG_NAME / sizeof(WCHAR); i++)
        name->Buffer[i] = mark;
    return status;
}

static void test_long_names_all_arrive(void **state)
{
    (void)state;
    faulty_inner()->query_object = stretch_names;
    HPSS snapshot = capture(&child);
    for (int i = 0; i < FILES; i++) {
        struct pss_text name = subject_handle(snapshot, files[i])->object_name;
        const WCHAR *text = pss_block_data((const struct pss_block *)snapshot, name.offset);

        assert_same(name.length, LONG_NAME);
        for (uint32_t j = 0; j < LONG_NAME / sizeof(WCHAR); j++)
            assert_same(text[j], L'a' + i);
    }
    assert_true(faulty_calls_of(FAULTY_create_thread) > 1);
    subject_check_and_free(snapshot, "long names");
}

static void test_self_capture_with_held_name_lists_no_traces_of_itself(void **state)
{
    struct subject self;
    WCHAR path[MAX_PATH];

    (void)state;
    subject_use_self(&self, false);
    file_path(path, 0);
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                              OPEN_EXISTING, 0, NULL);
    held_files = 1;
    HPSS snapshot = capture(&self);
    assert_false(is_named(snapshot, address_of(file)));
    for (uint32_t i = 0; i < subject_count(snapshot, PSS_SECTION_HANDLES); i++) {
        uint64_t handle =
            subject_record(snapshot, struct pss_handle_record, PSS_SECTION_HANDLES, i)->handle;
        DWORD flags;

        if (!GetHandleInformation((HANDLE)(uintptr_t)handle, &flags))
            fail_msg("handle 0x%llx was the capture's own", (unsigned long long)handle);
    }
    subject_check_and_free(snapshot, "self");
    CloseHandle(file);
    subject_fini(&self);
}

static int set_up(void **state)
{
    (void)state;
    faulty_init();
    faulty_inner()->query_object = hold_names;
    held_files = 0;
    held = 0;
    ResetEvent(release);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    faulty_assert_clean("after the test");
    return 0;
}

static int start_child(void **state)
{
    WCHAR path[MAX_PATH];

    (void)state;
    test_thread = GetCurrentThreadId();
    release = CreateEventW(NULL, TRUE, FALSE, NULL);
    faulty_init();
    subject_start_child(&child);
    for (int i = 0; i < FILES; i++) {
        file_path(path, i);
        files[i] =
            target_call_text(child.target, TARGET_FILE, path, GENERIC_WRITE, CREATE_ALWAYS, 0, 0);
    }
    return 0;
}

static int end_child(void **state)
{
    WCHAR path[MAX_PATH];

    (void)state;
    subject_fini(&child);
    for (int i = 0; i < FILES; i++) {
        file_path(path, i);
        DeleteFileW(path);
    }
    CloseHandle(release);
    return 0;
}

#define HANG_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANG_TEST(test_one_held_name_is_missing_alone),
        HANG_TEST(test_several_held_names_are_missing_alone),
        HANG_TEST(test_too_many_held_names_end_the_questions),
        HANG_TEST(test_thread_that_cannot_be_ended_keeps_what_it_uses),
        HANG_TEST(test_thread_that_is_only_late_ends_by_itself),
        HANG_TEST(test_thread_that_never_begins_is_left_alone),
        HANG_TEST(test_thread_that_cannot_be_waited_for_is_left_alone),
        HANG_TEST(test_names_of_unknown_types_are_asked_by_another_thread),
        HANG_TEST(test_without_a_thread_files_have_no_names),
        HANG_TEST(test_long_names_all_arrive),
        HANG_TEST(test_self_capture_with_held_name_lists_no_traces_of_itself),
    };

    return cmocka_run_group_tests(tests, start_child, end_child);
}
