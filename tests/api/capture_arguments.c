/* SPDX-License-Identifier: MIT */
/* What PssCaptureSnapshot accepts and refuses: handles, rights, flags, and its promise on failure.
 */
#include "ledger.h"
#include "nt_calls.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define UNDEFINED_BITS 0x03FF8000u
#define A_POINTER      ((HPSS)(uintptr_t)0x5A5A5A58)
#define HANDLE_FLAGS                                             \
    (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION | \
     PSS_CAPTURE_HANDLE_BASIC_INFORMATION | PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION)

/* Every flag that needs no clone; the creation flags and the ignored bits included. */
#define ALL_FLAGS 0xFC007FFEu

static void assert_capture_fails(HANDLE process, DWORD flags, DWORD expected)
{
    HPSS snapshot = A_POINTER;
    DWORD error = pss.capture(process, flags, 0, &snapshot);

    if (error != expected)
        print_error("handle %p, flags 0x%lx\n", process, flags);
    assert_same(error, expected);
    assert_null(snapshot);
}

static void assert_captures(HANDLE process, DWORD flags)
{
    HPSS snapshot = NULL;
    DWORD error = pss.capture(process, flags, 0, &snapshot);

    if (error)
        print_error("flags 0x%lx\n", flags);
    assert_same(error, ERROR_SUCCESS);
    assert_non_null(snapshot);
    free_snapshot(snapshot);
}

static DWORD captured_pid(HPSS snapshot)
{
    PSS_PROCESS_INFORMATION information;

    query_fully(snapshot, PSS_QUERY_PROCESS_INFORMATION, &information, sizeof(information));
    return information.ProcessId;
}

static void test_capture_result_pointer_null_is_invalid_parameter(void **state)
{
    (void)state;
    only_ours();
    assert_same(pss.capture(GetCurrentProcess(), 0, 0, NULL), ERROR_INVALID_PARAMETER);
    assert_same(pss.capture(NULL, UNDEFINED_BITS, 0, NULL), ERROR_INVALID_PARAMETER);
}

static void test_capture_undefined_bit_is_invalid_parameter(void **state)
{
    (void)state;
    for (DWORD bit = 1; bit; bit <<= 1)
        if (bit & UNDEFINED_BITS)
            assert_capture_fails(GetCurrentProcess(), bit, ERROR_INVALID_PARAMETER);
    assert_capture_fails(GetCurrentProcess(), UNDEFINED_BITS, ERROR_INVALID_PARAMETER);
}

static void test_capture_undefined_bit_is_judged_before_the_handle(void **state)
{
    (void)state;
    only_ours();
    assert_capture_fails(NULL, 0x8000, ERROR_INVALID_PARAMETER);
}

static void test_capture_each_defined_bit_alone_succeeds(void **state)
{
    (void)state;
    for (DWORD bit = 2; bit; bit <<= 1)
        if (bit & ALL_FLAGS)
            assert_captures(GetCurrentProcess(), bit);
}

static void test_capture_bit_without_the_bit_it_needs_is_ignored(void **state)
{
    static const struct {
        DWORD flags;
        DWORD query;
    } rows[] = {
        {HANDLE_FLAGS & ~PSS_CAPTURE_HANDLES, PSS_QUERY_HANDLE_INFORMATION},
        {PSS_CAPTURE_THREAD_CONTEXT, PSS_QUERY_THREAD_INFORMATION},
        {PSS_CAPTURE_THREAD_CONTEXT_EXTENDED, PSS_QUERY_THREAD_INFORMATION},
        {PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION, PSS_QUERY_VA_SPACE_INFORMATION},
    };
    unsigned char buffer[16];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        HPSS snapshot = NULL;
        assert_same(pss.capture(GetCurrentProcess(), rows[i].flags, CONTEXT_ALL, &snapshot),
                    ERROR_SUCCESS);
        assert_same(pss.query(snapshot, rows[i].query, buffer, query_size(rows[i].query)),
                    ERROR_NOT_FOUND);
        free_snapshot(snapshot);
    }
}

static void test_capture_invalid_handle_is_refused(void **state)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE closed = CreateEventW(NULL, TRUE, FALSE, NULL);

    (void)state;
    CloseHandle(closed);
    assert_capture_fails(NULL, PSS_CAPTURE_THREADS, ERROR_INVALID_HANDLE);
    assert_capture_fails(closed, PSS_CAPTURE_THREADS, ERROR_INVALID_HANDLE);
    assert_capture_fails(event, PSS_CAPTURE_THREADS, ERROR_INVALID_HANDLE);
    assert_capture_fails(GetCurrentThread(), 0, ERROR_INVALID_HANDLE);
    assert_capture_fails((HANDLE)(uintptr_t)0xDEADBEE1, ALL_FLAGS, ERROR_INVALID_HANDLE);
    CloseHandle(event);
}

static void test_capture_thread_handle_is_refused(void **state)
{
    struct target *target = target_start();

    (void)state;
    assert_capture_fails(target->thread, 0, ERROR_INVALID_HANDLE);
    assert_capture_fails(target->thread, ALL_FLAGS, ERROR_INVALID_HANDLE);
    target_destroy(target);
}

static HANDLE open_with(const struct target *target, DWORD access)
{
    HANDLE process = OpenProcess(access, FALSE, target->pid);

    assert_non_null(process);
    return process;
}

static void assert_enough(const struct target *target, DWORD access, DWORD flags)
{
    HANDLE process = open_with(target, access);

    assert_captures(process, flags);
    CloseHandle(process);
}

static void assert_too_little(const struct target *target, DWORD access, DWORD flags)
{
    HANDLE process = open_with(target, access);

    assert_capture_fails(process, flags, ERROR_ACCESS_DENIED);
    CloseHandle(process);
}

static void test_capture_weakest_documented_handle_succeeds(void **state)
{
    const DWORD handle_rights = PROCESS_QUERY_INFORMATION | PROCESS_VM_READ | PROCESS_DUP_HANDLE;
    struct target *target = target_start();

    (void)state;
    assert_enough(target, PROCESS_QUERY_INFORMATION, PSS_CAPTURE_NONE);
    assert_enough(target, PROCESS_QUERY_INFORMATION, PSS_CAPTURE_THREADS);
    assert_enough(target, PROCESS_QUERY_INFORMATION, PSS_CAPTURE_VA_SPACE);
    assert_enough(target, handle_rights, HANDLE_FLAGS);
    assert_enough(target, handle_rights,
                  PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION);
    /* No client has PROCESS_SUSPEND_RESUME: the threads are suspended one by one. */
    assert_enough(target, handle_rights | PROCESS_CREATE_PROCESS,
                  PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
    assert_enough(target, MAXIMUM_ALLOWED, ALL_FLAGS);
    target_destroy(target);
}

/* A bit that is ignored needs no right either. */
static void test_capture_ignored_bit_needs_no_right(void **state)
{
    static const DWORD ignored[] = {
        HANDLE_FLAGS & ~PSS_CAPTURE_HANDLES, PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION,
        PSS_CAPTURE_THREAD_CONTEXT,          PSS_CAPTURE_THREAD_CONTEXT_EXTENDED,
        PSS_CAPTURE_RESERVED_00000400,       PSS_CAPTURE_IPT_TRACE};
    struct target *target = target_start();

    (void)state;
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        assert_enough(target, PROCESS_QUERY_INFORMATION, ignored[i]);
    target_destroy(target);
}

static void test_capture_missing_right_is_access_denied(void **state)
{
    const DWORD sections = PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION;
    struct target *target = target_start();

    (void)state;
    assert_too_little(target, SYNCHRONIZE, PSS_CAPTURE_NONE);
    assert_too_little(target, SYNCHRONIZE, PSS_CAPTURE_THREADS);
    assert_too_little(target, PROCESS_VM_READ | PROCESS_DUP_HANDLE, PSS_CAPTURE_NONE);
    assert_too_little(target, PROCESS_VM_READ | PROCESS_DUP_HANDLE, PSS_CAPTURE_THREADS);
    assert_too_little(target, PROCESS_VM_READ | PROCESS_DUP_HANDLE, HANDLE_FLAGS);
    assert_too_little(target, PROCESS_VM_READ, PSS_CAPTURE_VA_SPACE);
    assert_too_little(target, PROCESS_QUERY_INFORMATION, sections);
    assert_too_little(target, PROCESS_QUERY_INFORMATION | PROCESS_DUP_HANDLE, sections);
    assert_too_little(target, PROCESS_QUERY_INFORMATION | PROCESS_VM_READ, HANDLE_FLAGS);
    assert_too_little(target, PROCESS_QUERY_INFORMATION | PROCESS_VM_READ, PSS_CAPTURE_HANDLES);
    assert_too_little(target, PROCESS_TERMINATE, ALL_FLAGS);
    target_destroy(target);
}

static void test_capture_handle_may_be_closed_right_after(void **state)
{
    struct target *target = target_start();
    HANDLE process = open_with(target, MAXIMUM_ALLOWED);
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(process, ALL_FLAGS, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    assert_true(CloseHandle(process));
    target_destroy(target);
    for (DWORD information = 0; information <= PSS_WALK_THREAD_NAME; information++) {
        struct records records;
        if (information == PSS_WALK_THREAD_NAME && !under_test_is_ours())
            continue;
        records = records_read(snapshot, information);
        assert_true(records.count > 0);
        records_free(&records);
    }
    free_snapshot(snapshot);
}

static void test_capture_self_by_pseudo_and_real_handle_succeeds(void **state)
{
    HANDLE real = OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
    HANDLE handles[] = {GetCurrentProcess(), real};

    (void)state;
    for (int i = 0; i < 2; i++) {
        HPSS snapshot = NULL;
        assert_same(pss.capture(handles[i], ALL_FLAGS, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
        assert_same(captured_pid(snapshot), GetCurrentProcessId());
        free_snapshot(snapshot);
    }
    CloseHandle(real);
}

static void test_capture_ended_process_has_times_and_threads(void **state)
{
    struct target *target = target_start();
    PSS_PROCESS_INFORMATION information;
    PSS_THREAD_INFORMATION threads;
    HPSS snapshot = NULL;

    (void)state;
    target_call_fatal(target, TARGET_EXIT, 4711);
    assert_same(pss.capture(target->process, PSS_CAPTURE_THREADS, 0, &snapshot), ERROR_SUCCESS);
    query_fully(snapshot, PSS_QUERY_PROCESS_INFORMATION, &information, sizeof(information));
    assert_same(information.ProcessId, target->pid);
    assert_same(information.ExitStatus, 4711);
    assert_true(filetime_value(information.ExitTime) >= filetime_value(information.CreateTime));
    query_fully(snapshot, PSS_QUERY_THREAD_INFORMATION, &threads, sizeof(threads));
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    for (DWORD i = 0; i < records.count; i++)
        assert_same(record_at(records, PSS_THREAD_ENTRY, i)->Flags, PSS_THREAD_FLAGS_TERMINATED);
    records_free(&records);
    free_snapshot(snapshot);
    assert_captures(target->process, PSS_CAPTURE_NONE);
    target_destroy(target);
}

static void test_capture_ended_process_memory_and_handles_are_partial_copy(void **state)
{
    static const DWORD flags[] = {
        PSS_CAPTURE_VA_SPACE, PSS_CAPTURE_HANDLES, PSS_CAPTURE_THREADS | PSS_CAPTURE_VA_SPACE,
        PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION, HANDLE_FLAGS};
    struct target *target = target_start();

    (void)state;
    target_kill(target);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        assert_capture_fails(target->process, flags[i], ERROR_PARTIAL_COPY);
    target_destroy(target);
}

static void test_capture_child_that_never_ran_succeeds(void **state)
{
    struct target *target = target_start_never_ran();
    HPSS snapshot = target_capture(target, ALL_FLAGS, CONTEXT_ALL);
    struct records threads = records_read(snapshot, PSS_WALK_THREADS);

    (void)state;
    assert_same(captured_pid(snapshot), target->pid);
    assert_true(threads.count >= 1);
    const PSS_THREAD_ENTRY *first = record_at(threads, PSS_THREAD_ENTRY, 0);
    assert_same(first->ThreadId, target->main_thread);
    assert_same(first->SuspendCount, 1);
    assert_non_null(first->ContextRecord);
    records_free(&threads);
    free_snapshot(snapshot);
    target_run(target);
    target_destroy(target);
}

static void test_capture_thread_context_flags_are_read_with_thread_context_only(void **state)
{
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(), PSS_CAPTURE_THREADS, 0xFFFFFFFF, &snapshot),
                ERROR_SUCCESS);
    free_snapshot(snapshot);
}

static void test_capture_context_flags_are_not_read_without_threads(void **state)
{
    const DWORD other = sizeof(void *) == 8 ? 0x0001003Fu : 0x0010001Fu;
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(), PSS_CAPTURE_THREAD_CONTEXT, other, &snapshot),
                ERROR_SUCCESS);
    free_snapshot(snapshot);
}

static void test_capture_context_flags_of_another_architecture_are_invalid(void **state)
{
    const DWORD other = sizeof(void *) == 8 ? 0x0001003Fu : 0x0010001Fu;
    HPSS snapshot = A_POINTER;

    (void)state;
    only_ours();
    assert_same(pss.capture(GetCurrentProcess(), PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT,
                            other, &snapshot),
                ERROR_INVALID_PARAMETER);
    assert_null(snapshot);
}

static void test_capture_x64_target_by_x86_caller_is_not_supported(void **state)
{
    struct target *target = sizeof(void *) == 4 ? target_start_foreign() : NULL;

    (void)state;
    if (!target)
        skip_because(NO_OTHER_BITNESS);
    assert_capture_fails(target->process, PSS_CAPTURE_NONE, ERROR_NOT_SUPPORTED);
    assert_capture_fails(target->process, ALL_FLAGS, ERROR_NOT_SUPPORTED);
    assert_capture_fails(target->process, 0x8000, ERROR_INVALID_PARAMETER);
    target_destroy(target);
}

static void test_capture_many_times_gives_distinct_snapshots(void **state)
{
    HPSS snapshots[200];

    (void)state;
    for (int i = 0; i < 200; i++) {
        assert_same(pss.capture(GetCurrentProcess(), 0, 0, &snapshots[i]), ERROR_SUCCESS);
        for (int j = 0; j < i; j++)
            assert_ptr_not_equal(snapshots[i], snapshots[j]);
    }
    for (int i = 0; i < 200; i++) {
        assert_same(captured_pid(snapshots[i]), GetCurrentProcessId());
        free_snapshot(snapshots[i]);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_capture_result_pointer_null_is_invalid_parameter),
        PSS_TEST(test_capture_undefined_bit_is_invalid_parameter),
        PSS_TEST(test_capture_undefined_bit_is_judged_before_the_handle),
        PSS_TEST(test_capture_each_defined_bit_alone_succeeds),
        PSS_TEST(test_capture_bit_without_the_bit_it_needs_is_ignored),
        PSS_TEST(test_capture_invalid_handle_is_refused),
        PSS_TEST(test_capture_thread_handle_is_refused),
        PSS_TEST(test_capture_weakest_documented_handle_succeeds),
        PSS_TEST(test_capture_ignored_bit_needs_no_right),
        PSS_TEST(test_capture_missing_right_is_access_denied),
        PSS_TEST(test_capture_handle_may_be_closed_right_after),
        PSS_TEST(test_capture_self_by_pseudo_and_real_handle_succeeds),
        PSS_TEST(test_capture_ended_process_has_times_and_threads),
        PSS_TEST(test_capture_ended_process_memory_and_handles_are_partial_copy),
        PSS_TEST(test_capture_child_that_never_ran_succeeds),
        PSS_TEST(test_capture_thread_context_flags_are_read_with_thread_context_only),
        PSS_TEST(test_capture_context_flags_are_not_read_without_threads),
        PSS_TEST(test_capture_context_flags_of_another_architecture_are_invalid),
        PSS_TEST(test_capture_x64_target_by_x86_caller_is_not_supported),
        PSS_TEST(test_capture_many_times_gives_distinct_snapshots),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("capture_arguments", tests, ledger_warm_up, NULL);
}
