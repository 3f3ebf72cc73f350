/* SPDX-License-Identifier: MIT */
/* Answers that only some systems give: what is made of them, and what is told without them. */
#include "api/api.h"

#include "faulty_nt.h"
#include "subject.h"

static struct subject child;

static HPSS capture(uint32_t flags)
{
    HPSS snapshot = NULL;

    faulty_reset();
    assert_int_equal(subject_capture(&child, flags, &snapshot), STATUS_SUCCESS);
    return snapshot;
}

static uint32_t process_flags;

static NTSTATUS NTAPI answer_extended_basic(HANDLE process, ULONG class_number, void *buffer,
                                            ULONG size, ULONG *returned)
{
    struct pss_nt_process_extended_basic *extended = buffer;

    if (class_number != PSS_NT_PROCESS_BASIC || size != sizeof(*extended))
        return pss_nt_system()->query_process(process, class_number, buffer, size, returned);
    assert_same(extended->size, sizeof(*extended));
    extended->flags = process_flags;
    return pss_nt_system()->query_process(process, class_number, &extended->basic,
                                          sizeof(extended->basic), returned);
}

static void assert_process_flags(uint32_t answered, uint32_t expected)
{
    PSS_PROCESS_INFORMATION process;

    process_flags = answered;
    HPSS snapshot = capture(PSS_CAPTURE_NONE);
    assert_int_equal(pss_snapshot_query(faulty_nt(), snapshot, PSS_QUERY_PROCESS_INFORMATION,
                                        &process, sizeof(process)),
                     STATUS_SUCCESS);
    assert_same(process.Flags & (PSS_PROCESS_FLAGS_PROTECTED | PSS_PROCESS_FLAGS_FROZEN), expected);
    subject_check_and_free(snapshot, "flags");
}

static void test_process_flags_tell_protected_and_frozen(void **state)
{
    (void)state;
    faulty_inner()->query_process = answer_extended_basic;
    assert_process_flags(0, 0);
    assert_process_flags(PSS_NT_PROCESS_PROTECTED, PSS_PROCESS_FLAGS_PROTECTED);
    assert_process_flags(PSS_NT_PROCESS_FROZEN, PSS_PROCESS_FLAGS_FROZEN);
    assert_process_flags(PSS_NT_PROCESS_PROTECTED | PSS_NT_PROCESS_FROZEN,
                         PSS_PROCESS_FLAGS_PROTECTED | PSS_PROCESS_FLAGS_FROZEN);
}

#define OWNER_PROCESS 0x1234u
#define OWNER_THREAD  0x5678u

static NTSTATUS NTAPI answer_owner(HANDLE mutant, ULONG class_number, void *buffer, ULONG size,
                                   ULONG *returned)
{
    if (class_number != PSS_NT_MUTANT_OWNER)
        return pss_nt_system()->query_mutant(mutant, class_number, buffer, size, returned);
    assert_same(size, sizeof(CLIENT_ID));
    *(CLIENT_ID *)buffer = (CLIENT_ID){(HANDLE)OWNER_PROCESS, (HANDLE)OWNER_THREAD};
    return STATUS_SUCCESS;
}

static PSS_HANDLE_ENTRY find_mutant(HPSS snapshot)
{
    PSS_HANDLE_ENTRY entry;
    HPSSWALK marker = NULL;

    assert_int_equal(pss_marker_create(faulty_nt(), NULL, &marker), STATUS_SUCCESS);
    do
        assert_int_equal(
            pss_snapshot_walk(snapshot, PSS_WALK_HANDLES, marker, &entry, sizeof(entry)),
            STATUS_SUCCESS);
    while (entry.ObjectType != PSS_OBJECT_TYPE_MUTANT);
    assert_int_equal(pss_marker_free(faulty_nt(), marker), STATUS_SUCCESS);
    assert_true(entry.Flags & PSS_HANDLE_HAVE_TYPE_SPECIFIC_INFORMATION);
    return entry;
}

static void assert_owner(DWORD process, DWORD thread)
{
    HPSS snapshot = capture(PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION);
    PSS_HANDLE_ENTRY entry = find_mutant(snapshot);

    assert_same(entry.TypeSpecificInformation.Mutant.OwnerProcessId, process);
    assert_same(entry.TypeSpecificInformation.Mutant.OwnerThreadId, thread);
    subject_check_and_free(snapshot, "mutant");
}

static NTSTATUS NTAPI answer_no_owner(HANDLE mutant, ULONG class_number, void *buffer, ULONG size,
                                      ULONG *returned)
{
    if (class_number == PSS_NT_MUTANT_OWNER)
        return STATUS_INVALID_INFO_CLASS;
    return pss_nt_system()->query_mutant(mutant, class_number, buffer, size, returned);
}

static void test_mutant_owner_is_told_where_the_system_does(void **state)
{
    (void)state;
    faulty_inner()->query_mutant = answer_owner;
    assert_owner(OWNER_PROCESS, OWNER_THREAD);
    faulty_inner()->query_mutant = answer_no_owner;
    assert_owner(0, 0);
}

#define SYSCALL_ARGUMENT 0x12345678u
#define SYSCALL_NUMBER   0x1A7u

static NTSTATUS NTAPI answer_last_call(HANDLE thread, ULONG class_number, void *buffer, ULONG size,
                                       ULONG *returned)
{
    if (class_number != PSS_NT_THREAD_LAST_SYSTEM_CALL)
        return pss_nt_system()->query_thread(thread, class_number, buffer, size, returned);
    *(struct pss_nt_last_syscall *)buffer =
        (struct pss_nt_last_syscall){(void *)SYSCALL_ARGUMENT, SYSCALL_NUMBER};
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI answer_as_windows_7(HANDLE thread, ULONG class_number, void *buffer,
                                          ULONG size, ULONG *returned)
{
    switch (class_number) {
    case PSS_NT_THREAD_LAST_SYSTEM_CALL:
        return STATUS_INVALID_INFO_CLASS;
    case PSS_NT_THREAD_SUSPEND_COUNT:
        return STATUS_INVALID_INFO_CLASS;
    case PSS_NT_THREAD_NAME:
        return STATUS_NOT_IMPLEMENTED;
    default:
        return pss_nt_system()->query_thread(thread, class_number, buffer, size, returned);
    }
}

static PSS_THREAD_ENTRY find_worker(HPSS snapshot)
{
    PSS_THREAD_ENTRY entry;
    HPSSWALK marker = NULL;

    assert_int_equal(pss_marker_create(faulty_nt(), NULL, &marker), STATUS_SUCCESS);
    do
        assert_int_equal(
            pss_snapshot_walk(snapshot, PSS_WALK_THREADS, marker, &entry, sizeof(entry)),
            STATUS_SUCCESS);
    while (entry.ThreadId != child.worker_id);
    assert_int_equal(pss_marker_free(faulty_nt(), marker), STATUS_SUCCESS);
    return entry;
}

static void test_last_system_call_is_told_where_the_system_does(void **state)
{
    (void)state;
    faulty_inner()->query_thread = answer_last_call;
    HPSS snapshot = capture(PSS_CAPTURE_THREADS);
    PSS_THREAD_ENTRY entry = find_worker(snapshot);
    assert_same(address_of(entry.LastSyscallFirstArgument), SYSCALL_ARGUMENT);
    assert_same(entry.LastSyscallNumber, SYSCALL_NUMBER);
    subject_check_and_free(snapshot, "last call");

    faulty_inner()->query_thread = answer_as_windows_7;
    snapshot = capture(PSS_CAPTURE_THREADS);
    entry = find_worker(snapshot);
    assert_null(entry.LastSyscallFirstArgument);
    assert_same(entry.LastSyscallNumber, 0);
    subject_check_and_free(snapshot, "no last call");
}

/* Without the class, the suspension that the capture makes tells the count. */
static void test_suspend_count_is_told_without_its_class_when_frozen(void **state)
{
    (void)state;
    faulty_inner()->query_thread = answer_as_windows_7;
    assert_same(SuspendThread(child.threads[1]), 0);
    assert_same(SuspendThread(child.threads[1]), 1);
    HPSS snapshot = capture(PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
    assert_same(find_worker(snapshot).SuspendCount, 2);
    subject_check_and_free(snapshot, "frozen");
    snapshot = capture(PSS_CAPTURE_THREADS);
    assert_same(find_worker(snapshot).SuspendCount, 0);
    subject_check_and_free(snapshot, "not frozen");
    assert_same(ResumeThread(child.threads[1]), 2);
    assert_same(ResumeThread(child.threads[1]), 1);
}

static void test_thread_names_are_missing_where_the_system_has_none(void **state)
{
    (void)state;
    faulty_inner()->query_thread = answer_as_windows_7;
    HPSS snapshot = capture(PSS_CAPTURE_THREADS);
    for (uint32_t i = 0; i < subject_count(snapshot, PSS_SECTION_THREADS); i++)
        assert_same(
            subject_record(snapshot, struct pss_thread_record, PSS_SECTION_THREADS, i)->name.length,
            0);
    subject_check_and_free(snapshot, "no names");
}

#define CYCLES_PER_LOOK 1000u

static uint64_t cycles;
static uint32_t clock_reads;

static NTSTATUS NTAPI answer_cycles(HANDLE thread, ULONG class_number, void *buffer, ULONG size,
                                    ULONG *returned)
{
    if (class_number != PSS_NT_THREAD_CYCLE_TIME)
        return pss_nt_system()->query_thread(thread, class_number, buffer, size, returned);
    assert_true(thread == PSS_CURRENT_THREAD);
    cycles += CYCLES_PER_LOOK;
    *(struct pss_nt_cycle_time *)buffer = (struct pss_nt_cycle_time){cycles, cycles};
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI answer_no_cycles(HANDLE thread, ULONG class_number, void *buffer, ULONG size,
                                       ULONG *returned)
{
    if (class_number == PSS_NT_THREAD_CYCLE_TIME)
        return STATUS_NOT_IMPLEMENTED;
    return pss_nt_system()->query_thread(thread, class_number, buffer, size, returned);
}

static ULONGLONG NTAPI count_clock_reads(void)
{
    return (ULONGLONG)(++clock_reads) * CYCLES_PER_LOOK;
}

static PSS_PERFORMANCE_COUNTERS measure(void)
{
    PSS_PERFORMANCE_COUNTERS counters;

    clock_reads = 0;
    faulty_inner()->read_tsc = count_clock_reads;
    HPSS snapshot =
        capture(PSS_CREATE_MEASURE_PERFORMANCE | PSS_CAPTURE_THREADS | PSS_CAPTURE_VA_SPACE);
    assert_int_equal(pss_snapshot_query(faulty_nt(), snapshot, PSS_QUERY_PERFORMANCE_COUNTERS,
                                        &counters, sizeof(counters)),
                     STATUS_SUCCESS);
    subject_check_and_free(snapshot, "measured");
    return counters;
}

static void assert_counted(const PSS_PERFORMANCE_COUNTERS *counters)
{
    assert_same(counters->VaSpaceCycleCount, CYCLES_PER_LOOK);
    assert_same(counters->ThreadsCycleCount % CYCLES_PER_LOOK, 0);
    assert_true(counters->ThreadsCycleCount > 0);
    assert_true(counters->TotalCycleCount >=
                counters->ThreadsCycleCount + counters->VaSpaceCycleCount);
    assert_same(counters->VaCloneCycleCount, 0);
    assert_same(counters->HandlesCycleCount, 0);
    assert_same(counters->AuxPagesCycleCount, 0);
}

static void test_cycles_are_the_threads_where_the_system_counts_them(void **state)
{
    (void)state;
    faulty_inner()->query_thread = answer_cycles;
    PSS_PERFORMANCE_COUNTERS counters = measure();
    assert_counted(&counters);
    assert_same(clock_reads, 1); /* what the snapshot is known by */
}

static void test_cycles_are_the_time_stamp_counters_elsewhere(void **state)
{
    (void)state;
    faulty_inner()->query_thread = answer_no_cycles;
    PSS_PERFORMANCE_COUNTERS counters = measure();
    assert_counted(&counters);
    assert_true(clock_reads > 1);
}

static NTSTATUS NTAPI answer_no_counter(LARGE_INTEGER *counter, LARGE_INTEGER *frequency)
{
    (void)counter, (void)frequency;
    return STATUS_NOT_IMPLEMENTED;
}

static void test_counters_are_zero_without_a_clock(void **state)
{
    const PSS_PERFORMANCE_COUNTERS zero = {0};

    (void)state;
    faulty_inner()->query_counter = answer_no_counter;
    PSS_PERFORMANCE_COUNTERS counters = measure();
    assert_memory_equal(&counters, &zero, sizeof(zero));
}

static void *NTAPI find_nothing(const char *name)
{
    (void)name;
    return NULL;
}

static ULONG extended_length;

static NTSTATUS NTAPI answer_length(ULONG flags, ULONG *length)
{
    (void)flags;
    *length = extended_length;
    return STATUS_SUCCESS;
}

static void *NTAPI find_odd_length(const char *name)
{
    if (!strcmp(name, "RtlGetExtendedContextLength"))
        return (void *)(uintptr_t)answer_length;
    return pss_nt_system()->find_service(name);
}

static void assert_plain_contexts(void)
{
    PSS_THREAD_INFORMATION threads;
    HPSS snapshot = capture(PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT |
                            PSS_CAPTURE_THREAD_CONTEXT_EXTENDED);

    assert_int_equal(pss_snapshot_query(faulty_nt(), snapshot, PSS_QUERY_THREAD_INFORMATION,
                                        &threads, sizeof(threads)),
                     STATUS_SUCCESS);
    assert_same(threads.ContextLength, sizeof(CONTEXT));
    assert_same(subject_count(snapshot, PSS_SECTION_CONTEXTS), threads.ThreadsCaptured);
    for (DWORD i = 0; i < threads.ThreadsCaptured; i++)
        assert_same(subject_record(snapshot, CONTEXT, PSS_SECTION_CONTEXTS, i)->ContextFlags &
                        CONTEXT_FULL,
                    CONTEXT_FULL);
    subject_check_and_free(snapshot, "plain");
}

static void test_contexts_are_plain_without_extended_services(void **state)
{
    (void)state;
    faulty_inner()->find_service = find_nothing;
    assert_plain_contexts();
}

static void test_contexts_are_plain_where_extended_ones_have_no_sane_length(void **state)
{
    static const ULONG lengths[] = {0, sizeof(CONTEXT) - 1, 0x10000, 0xFFFFFFFF};

    (void)state;
    faulty_inner()->find_service = find_odd_length;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        extended_length = lengths[i];
        assert_plain_contexts();
    }
}

/* A thread that has not begun has no TEB; some systems answer with the offset of one. */
static void *unborn_teb;

static NTSTATUS NTAPI answer_unborn(HANDLE thread, ULONG class_number, void *buffer, ULONG size,
                                    ULONG *returned)
{
    NTSTATUS status = pss_nt_system()->query_thread(thread, class_number, buffer, size, returned);
    struct pss_nt_thread_basic *basic = buffer;

    if (NT_SUCCESS(status) && class_number == PSS_NT_THREAD_BASIC &&
        (DWORD)(uintptr_t)basic->id.UniqueThread == child.worker_id)
        basic->teb = unborn_teb;
    return status;
}

static void test_thread_that_has_not_begun_has_no_context(void **state)
{
    void *const tebs[] = {NULL, (void *)0x1000, (void *)0x2000};

    (void)state;
    faulty_inner()->query_thread = answer_unborn;
    for (size_t i = 0; i < sizeof(tebs) / sizeof(tebs[0]); i++) {
        unborn_teb = tebs[i];
        HPSS snapshot = capture(PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
        PSS_THREAD_ENTRY entry = find_worker(snapshot);
        assert_null(entry.TebBaseAddress);
        assert_null(entry.ContextRecord);
        assert_same(entry.SizeOfContextRecord, 0);
        assert_same(faulty_calls_of(FAULTY_get_context) + 1,
                    faulty_calls_of(FAULTY_suspend_thread));
        subject_check_and_free(snapshot, "unborn");
    }
}

static NTSTATUS NTAPI count_one_handle(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                                       ULONG *returned)
{
    NTSTATUS status = pss_nt_system()->query_object(handle, class_number, buffer, size, returned);
    struct pss_nt_object_basic *basic = buffer;

    if (class_number == PSS_NT_OBJECT_BASIC && handle != child.process) {
        basic->handle_count = 0;
        basic->pointer_count = 1;
    }
    return status;
}

static void test_counts_without_our_duplicate_never_wrap(void **state)
{
    (void)state;
    faulty_inner()->query_object = count_one_handle;
    HPSS snapshot = capture(PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_BASIC_INFORMATION);
    const struct pss_handle_record *event = subject_handle(snapshot, child.event);
    assert_true(event->flags & PSS_HANDLE_HAVE_BASIC_INFORMATION);
    assert_same(event->handle_count, 0);
    assert_same(event->pointer_count, 0);
    subject_check_and_free(snapshot, "counts");
}

#ifndef _WIN64
static DWORD report; /* what a 64-bit system adds for a 32-bit thread that is asked about it */

static NTSTATUS NTAPI report_context(HANDLE thread, CONTEXT *context)
{
    DWORD asked = context->ContextFlags;
    NTSTATUS status;

    assert_true(asked & 0x40000000); /* CONTEXT_EXCEPTION_REQUEST */
    context->ContextFlags &= ~(DWORD)0x40000000;
    status = pss_nt_system()->get_context(thread, context);
    context->ContextFlags = asked | report;
    return status;
}

static DWORD flags_of_contexts(DWORD reported)
{
    report = reported;
    HPSS snapshot = capture(PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
    assert_true(subject_count(snapshot, PSS_SECTION_CONTEXTS) > 0);
    DWORD flags = subject_record(snapshot, CONTEXT, PSS_SECTION_CONTEXTS, 0)->ContextFlags;
    subject_check_and_free(snapshot, "reports");
    return flags;
}

/* The bits of the report stay where the registers may be old ones, and nowhere else. */
static void test_context_that_may_be_old_says_so(void **state)
{
    static const DWORD reporting = 0x80000000, in_exception = 0x08000000, in_service = 0x10000000;
    BOOL is_wow64 = FALSE;

    (void)state;
    if (!IsWow64Process(GetCurrentProcess(), &is_wow64) || !is_wow64)
        skip();
    faulty_inner()->get_context = report_context;
    DWORD plain = flags_of_contexts(0);
    assert_same(plain & 0xF8000000, 0);
    assert_same(flags_of_contexts(reporting), plain);
    assert_same(flags_of_contexts(reporting | in_service), plain);
    assert_same(flags_of_contexts(reporting | in_exception) & (reporting | in_exception),
                reporting | in_exception);
}
#endif

static int set_up(void **state)
{
    (void)state;
    faulty_init();
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
    set_up(state);
    subject_start_child(&child);
    return 0;
}

static int end_child(void **state)
{
    (void)state;
    subject_fini(&child);
    return 0;
}

#define ANSWER_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ANSWER_TEST(test_process_flags_tell_protected_and_frozen),
        ANSWER_TEST(test_mutant_owner_is_told_where_the_system_does),
        ANSWER_TEST(test_last_system_call_is_told_where_the_system_does),
        ANSWER_TEST(test_suspend_count_is_told_without_its_class_when_frozen),
        ANSWER_TEST(test_thread_names_are_missing_where_the_system_has_none),
        ANSWER_TEST(test_cycles_are_the_threads_where_the_system_counts_them),
        ANSWER_TEST(test_cycles_are_the_time_stamp_counters_elsewhere),
        ANSWER_TEST(test_counters_are_zero_without_a_clock),
        ANSWER_TEST(test_contexts_are_plain_without_extended_services),
        ANSWER_TEST(test_contexts_are_plain_where_extended_ones_have_no_sane_length),
        ANSWER_TEST(test_thread_that_has_not_begun_has_no_context),
        ANSWER_TEST(test_counts_without_our_duplicate_never_wrap),
#ifndef _WIN64
        ANSWER_TEST(test_context_that_may_be_old_says_so),
#endif
    };

    return cmocka_run_group_tests(tests, start_child, end_child);
}
