/* SPDX-License-Identifier: MIT */
/* Process information and the performance counters, from modelled answers, every field exact. */
#include "world.h"

#define TIME(n) ((LARGE_INTEGER){.QuadPart = 0x0123456700000000 + (n)})

static void fill_target(void)
{
    struct fake_process *target = world.target;

    target->basic.peb = pointer_to(0x7FF612345000);
    target->basic.affinity = 0xFF00FF;
    target->basic.base_priority = 13;
    target->priority.number = 3;
    target->times = (struct pss_nt_times){TIME(1), {.QuadPart = 0}, TIME(3), TIME(4)};
    target->row_kernel_time = 0x500000006;
    target->row_user_time = 0x700000008;
    target->counters = (struct pss_nt_vm_counters){
        0x10000000001, 0x20000000002, 3, 0x40000000004,  0x50000000005, 0x60000000006,
        0x70000000007, 0x80000000008, 9, 0xA0000000000A, 0xB000000000B, 0xC000000000C,
    };
    target->execute_flags = 0xD;
    target->image_name = FAKE_TEXT(L"C:\\Program Files\\target.exe");
}

static void expect_target(PSS_PROCESS_INFORMATION *expected)
{
    memset(expected, 0, sizeof(*expected));
    expected->ExitStatus = 259;
    expected->PebBaseAddress = pointer_to(0x7FF612345000);
    expected->AffinityMask = 0xFF00FF;
    expected->BasePriority = 13;
    expected->ProcessId = TARGET_ID;
    expected->ParentProcessId = PARENT_ID;
    expected->CreateTime = file_time(0x0123456700000001);
    expected->KernelTime = file_time(0x0123456700000003);
    expected->UserTime = file_time(0x0123456700000004);
    expected->PriorityClass = HIGH_PRIORITY_CLASS;
    expected->PeakVirtualSize = 0x10000000001;
    expected->VirtualSize = 0x20000000002;
    expected->PageFaultCount = 3;
    expected->PeakWorkingSetSize = 0x40000000004;
    expected->WorkingSetSize = 0x50000000005;
    expected->QuotaPeakPagedPoolUsage = 0x60000000006;
    expected->QuotaPagedPoolUsage = 0x70000000007;
    expected->QuotaPeakNonPagedPoolUsage = 0x80000000008;
    expected->QuotaNonPagedPoolUsage = 9;
    expected->PagefileUsage = 0xA0000000000A;
    expected->PeakPagefileUsage = 0xB000000000B;
    expected->PrivateUsage = 0xC000000000C;
    expected->ExecuteFlags = 0xD;
    memcpy(expected->ImageFileName, L"C:\\Program Files\\target.exe",
           sizeof(L"C:\\Program Files\\target.exe"));
}

static void assert_process(const PSS_PROCESS_INFORMATION *expected)
{
    PSS_PROCESS_INFORMATION actual;

    world_query(PSS_QUERY_PROCESS_INFORMATION, &actual, sizeof(actual));
    assert_memory_equal(&actual, expected, sizeof(actual));
}

static void test_process_of_full_answers_has_every_field(void **state)
{
    PSS_PROCESS_INFORMATION expected;

    (void)state;
    fill_target();
    expect_target(&expected);
    world_capture(PSS_CAPTURE_NONE);
    assert_process(&expected);
    assert_same(fake.calls_of[FAKE_QUERY_SYSTEM], 0); /* no table of all processes for one */
}

/* Where the CPU times are the caller's, whatever the handle, the system's table tells the true
 * ones. */
static void test_process_times_that_are_ours_are_taken_from_the_table(void **state)
{
    PSS_PROCESS_INFORMATION expected;

    (void)state;
    fill_target();
    expect_target(&expected);
    fake.mixes_up_times = 1;
    expected.KernelTime = file_time(0x500000006);
    expected.UserTime = file_time(0x700000008);
    world_capture(PSS_CAPTURE_NONE);
    assert_process(&expected);
}

static void test_process_flags_tell_protected_wow64_and_frozen(void **state)
{
    PSS_PROCESS_INFORMATION expected;

    (void)state;
    fill_target();
    expect_target(&expected);
    world.target->peb32 = 0x7EFDE000;
    world.target->extended_flags = 0x1Fu; /* deleting and cross-session are not told */
    expected.Flags = (PSS_PROCESS_FLAGS)(PSS_PROCESS_FLAGS_PROTECTED | PSS_PROCESS_FLAGS_WOW64 |
                                         PSS_PROCESS_FLAGS_FROZEN);
    world_capture(PSS_CAPTURE_NONE);
    assert_process(&expected);

    fake.has_extended_basic = 0; /* as before Windows 7 and under Wine */
    expected.Flags = PSS_PROCESS_FLAGS_WOW64;
    world_capture(PSS_CAPTURE_NONE);
    assert_process(&expected);
}

/* Wine answers with the number of the class where the base priority should be. */
static void test_process_priorities_of_either_kind_are_kernel_values(void **state)
{
    static const struct {
        UCHAR number;
        LONG real, wine;
        DWORD priority_class;
        LONG base;
    } cases[] = {
        {1, 4, 1, IDLE_PRIORITY_CLASS, 4},         {2, 8, 2, NORMAL_PRIORITY_CLASS, 8},
        {3, 13, 3, HIGH_PRIORITY_CLASS, 13},       {4, 24, 4, REALTIME_PRIORITY_CLASS, 24},
        {5, 6, 5, BELOW_NORMAL_PRIORITY_CLASS, 6}, {6, 10, 6, ABOVE_NORMAL_PRIORITY_CLASS, 10},
    };
    PSS_PROCESS_INFORMATION actual;

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        world.target->priority.number = cases[i / 2].number;
        world.target->basic.base_priority = i % 2 ? cases[i / 2].wine : cases[i / 2].real;
        world_capture(PSS_CAPTURE_NONE);
        world_query(PSS_QUERY_PROCESS_INFORMATION, &actual, sizeof(actual));
        assert_same(actual.PriorityClass, cases[i / 2].priority_class);
        assert_same(actual.BasePriority, cases[i / 2].base);
    }
}

static void test_process_of_unknown_priority_class_keeps_the_base(void **state)
{
    PSS_PROCESS_INFORMATION actual;

    (void)state;
    world.target->priority.number = 7;
    world.target->basic.base_priority = 11;
    world_capture(PSS_CAPTURE_NONE);
    world_query(PSS_QUERY_PROCESS_INFORMATION, &actual, sizeof(actual));
    assert_same(actual.PriorityClass, 0);
    assert_same(actual.BasePriority, 11);
}

static void test_process_image_name_is_cut_to_259_characters(void **state)
{
    static WCHAR path[0x7FFF];
    static const size_t lengths[] = {0, 1, 258, 259, 260, 0x7FFF};

    (void)state;
    for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++)
        path[i] = (WCHAR)(L'a' + i % 26);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        size_t kept = lengths[i] < 259 ? lengths[i] : 259;
        WCHAR expected[MAX_PATH] = {0};
        PSS_PROCESS_INFORMATION actual;

        memcpy(expected, path, kept * sizeof(WCHAR));
        world.target->image_name = (struct fake_text){path, (uint32_t)(lengths[i] * sizeof(WCHAR))};
        world_capture(PSS_CAPTURE_NONE);
        world_query(PSS_QUERY_PROCESS_INFORMATION, &actual, sizeof(actual));
        assert_memory_equal(actual.ImageFileName, expected, sizeof(expected));
    }
}

static void test_process_that_has_ended_tells_its_own_times(void **state)
{
    PSS_PROCESS_INFORMATION expected;

    (void)state;
    fill_target();
    expect_target(&expected);
    fake_process_end(world.target, 42);
    expected.ExitStatus = 42;
    expected.ExitTime = file_time(fake.now);
    world_capture(PSS_CAPTURE_THREADS);
    assert_process(&expected);
}

/* Some systems answer with the caller's kernel and user time, whatever the handle. */
static void test_process_that_has_ended_does_not_tell_our_times(void **state)
{
    PSS_PROCESS_INFORMATION actual;

    (void)state;
    fill_target();
    fake_process_end(world.target, 0);
    fake.mixes_up_times = 1;
    world_capture(PSS_CAPTURE_NONE);
    world_query(PSS_QUERY_PROCESS_INFORMATION, &actual, sizeof(actual));
    assert_same(filetime_value(actual.KernelTime), 0);
    assert_same(filetime_value(actual.UserTime), 0);
}

static void test_process_that_has_ended_has_no_memory_or_handles(void **state)
{
    static const uint32_t flags[] = {PSS_CAPTURE_VA_SPACE, PSS_CAPTURE_HANDLES,
                                     PSS_CAPTURE_HANDLE_TRACE, PSS_CAPTURE_RESERVED_00000002};

    (void)state;
    fake_process_end(world.target, 0);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        HPSS snapshot = pointer_to(1);

        assert_same(pss_snapshot_capture(fake_nt(), world.process, flags[i], 0, &snapshot),
                    STATUS_PARTIAL_COPY);
        assert_null(snapshot);
    }
}

/* Each right that a flag needs, and the error if only that one is missing. */
static void test_capture_needs_the_rights_of_its_flags_and_no_more(void **state)
{
    static const struct {
        uint32_t flags;
        ACCESS_MASK access;
    } cases[] = {
        {PSS_CAPTURE_NONE, PROCESS_QUERY_LIMITED_INFORMATION},
        {PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT, PROCESS_QUERY_INFORMATION},
        {PSS_CAPTURE_VA_SPACE, PROCESS_QUERY_INFORMATION},
        {PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION,
         PROCESS_QUERY_INFORMATION | PROCESS_VM_READ},
        {PSS_CAPTURE_RESERVED_00000002, PROCESS_QUERY_INFORMATION | PROCESS_VM_READ},
        {HANDLE_DETAILS, PROCESS_QUERY_INFORMATION | PROCESS_DUP_HANDLE},
        {PSS_CAPTURE_HANDLE_TRACE, PROCESS_QUERY_INFORMATION},
    };

    (void)state;
    world_furnish();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (ACCESS_MASK missing = 0; missing <= 0x1000; missing = missing ? missing << 1 : 1) {
            ACCESS_MASK access = cases[i].access & ~missing;
            HPSS snapshot = pointer_to(1);
            HANDLE process;
            NTSTATUS status;

            if (missing && !(cases[i].access & missing))
                continue;
            if (missing == PROCESS_QUERY_INFORMATION)
                access |= PROCESS_QUERY_LIMITED_INFORMATION;
            process = fake_handle_open(fake.own, &world.target->object, access, 0);
            status = pss_snapshot_capture(fake_nt(), process, cases[i].flags, 0, &snapshot);
            assert_same(status, missing ? STATUS_ACCESS_DENIED : STATUS_SUCCESS);
            if (!missing)
                status = pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, snapshot);
            else
                assert_null(snapshot);
        }
}

static void test_classes_not_captured_are_not_found(void **state)
{
    static const DWORD lengths[] = {
        [PSS_QUERY_VA_CLONE_INFORMATION] = sizeof(PSS_VA_CLONE_INFORMATION),
        [PSS_QUERY_AUXILIARY_PAGES_INFORMATION] = sizeof(PSS_AUXILIARY_PAGES_INFORMATION),
        [PSS_QUERY_VA_SPACE_INFORMATION] = sizeof(PSS_VA_SPACE_INFORMATION),
        [PSS_QUERY_HANDLE_INFORMATION] = sizeof(PSS_HANDLE_INFORMATION),
        [PSS_QUERY_THREAD_INFORMATION] = sizeof(PSS_THREAD_INFORMATION),
        [PSS_QUERY_HANDLE_TRACE_INFORMATION] = sizeof(PSS_HANDLE_TRACE_INFORMATION),
        [PSS_QUERY_PERFORMANCE_COUNTERS] = sizeof(PSS_PERFORMANCE_COUNTERS),
    };

    (void)state;
    world_capture(PSS_CAPTURE_NONE);
    for (uint32_t i = PSS_QUERY_VA_CLONE_INFORMATION; i <= PSS_QUERY_PERFORMANCE_COUNTERS; i++) {
        assert_same(world_query_status(i, 0), STATUS_INFO_LENGTH_MISMATCH);
        assert_same(world_query_status(i, lengths[i]), STATUS_NOT_FOUND);
        assert_same(pss_snapshot_query(fake_nt(), world.snapshot, i, NULL, lengths[i]),
                    STATUS_NOT_FOUND);
    }
    assert_same(world_query_status(8, 0), STATUS_INVALID_PARAMETER);
    assert_same(world_query_status(0, sizeof(PSS_PROCESS_INFORMATION) - 1),
                STATUS_INFO_LENGTH_MISMATCH);
    for (uint32_t i = PSS_WALK_AUXILIARY_PAGES; i <= PSS_WALK_THREAD_NAME; i++)
        assert_same(pss_snapshot_walk(world.snapshot, i, world.marker, NULL, 0), STATUS_NOT_FOUND);
}

/* Ten ticks of 100 ns and 1000 cycles pass at each reading: each phase reads at start and end. */
static void test_counters_measure_only_what_ran(void **state)
{
    PSS_PERFORMANCE_COUNTERS counters;

    (void)state;
    fake_thread_add(world.target, 2004);
    world_capture(PSS_CAPTURE_THREADS | PSS_CREATE_MEASURE_PERFORMANCE);
    world_query(PSS_QUERY_PERFORMANCE_COUNTERS, &counters, sizeof(counters));
    assert_same(counters.ThreadsCycleCount, 2 * 1000); /* to find them, and to describe them */
    assert_same(counters.ThreadsWallClockPeriod, 2 * 1);
    assert_same(counters.TotalCycleCount, 5 * 1000);
    assert_same(counters.TotalWallClockPeriod, 5 * 1);
    assert_same(counters.VaSpaceCycleCount | counters.VaSpaceWallClockPeriod, 0);
    assert_same(counters.AuxPagesCycleCount | counters.AuxPagesWallClockPeriod, 0);
    assert_same(counters.HandlesCycleCount | counters.HandlesWallClockPeriod, 0);
    assert_same(counters.VaCloneCycleCount | counters.VaCloneWallClockPeriod, 0);
}

static void test_counters_of_every_phase_add_up(void **state)
{
    PSS_PERFORMANCE_COUNTERS counters;

    (void)state;
    world_furnish();
    world_capture(EVERYTHING);
    world_query(PSS_QUERY_PERFORMANCE_COUNTERS, &counters, sizeof(counters));
    assert_true(counters.VaSpaceWallClockPeriod && counters.AuxPagesWallClockPeriod &&
                counters.HandlesWallClockPeriod && counters.ThreadsWallClockPeriod);
    assert_true(counters.TotalCycleCount >
                counters.VaSpaceCycleCount + counters.AuxPagesCycleCount +
                    counters.HandlesCycleCount + counters.ThreadsCycleCount);
}

static void test_counters_use_the_time_stamp_where_threads_count_none(void **state)
{
    PSS_PERFORMANCE_COUNTERS counters;

    (void)state;
    fake.has_thread_cycles = 0;
    world_capture(PSS_CREATE_MEASURE_PERFORMANCE);
    world_query(PSS_QUERY_PERFORMANCE_COUNTERS, &counters, sizeof(counters));
    assert_same(counters.TotalCycleCount, 1000);
    assert_same(counters.TotalWallClockPeriod, 1);
}

static void test_counters_are_microseconds_at_any_frequency(void **state)
{
    static const uint64_t frequencies[] = {1, 1000, 3579545, 10000000, 2400000000};

    (void)state;
    for (size_t i = 0; i < sizeof(frequencies) / sizeof(frequencies[0]); i++) {
        PSS_PERFORMANCE_COUNTERS counters;

        fake.frequency = frequencies[i];
        world_capture(PSS_CREATE_MEASURE_PERFORMANCE);
        world_query(PSS_QUERY_PERFORMANCE_COUNTERS, &counters, sizeof(counters));
        assert_same(counters.TotalWallClockPeriod, 10 * 1000000 / frequencies[i]);
    }
}

static NTSTATUS missing; /* what a system says that has no table of processes */

static NTSTATUS lack_table(void *context, enum fake_call call)
{
    (void)context;
    return call == FAKE_QUERY_SYSTEM ? missing : STATUS_SUCCESS;
}

static void test_times_without_any_trusted_source_are_not_told(void **state)
{
    static const NTSTATUS statuses[] = {STATUS_NOT_IMPLEMENTED, STATUS_INVALID_INFO_CLASS,
                                        STATUS_NOT_SUPPORTED};
    PSS_PROCESS_INFORMATION information;

    (void)state;
    fake.mixes_up_times = 1;
    fake.refuse = lack_table;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        missing = statuses[i];
        world_capture(PSS_CAPTURE_NONE);
        world_query(PSS_QUERY_PROCESS_INFORMATION, &information, sizeof(information));
        assert_same(information.ProcessId, TARGET_ID);
        assert_same(filetime_value(information.UserTime), 0);
        assert_same(filetime_value(information.KernelTime), 0);
    }
    fake.refuse = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_process_of_full_answers_has_every_field),
        fixture_test(test_process_times_that_are_ours_are_taken_from_the_table),
        fixture_test(test_process_flags_tell_protected_wow64_and_frozen),
        fixture_test(test_process_priorities_of_either_kind_are_kernel_values),
        fixture_test(test_process_of_unknown_priority_class_keeps_the_base),
        fixture_test(test_process_image_name_is_cut_to_259_characters),
        fixture_test(test_process_that_has_ended_tells_its_own_times),
        fixture_test(test_process_that_has_ended_does_not_tell_our_times),
        fixture_test(test_process_that_has_ended_has_no_memory_or_handles),
        fixture_test(test_capture_needs_the_rights_of_its_flags_and_no_more),
        fixture_test(test_classes_not_captured_are_not_found),
        fixture_test(test_counters_measure_only_what_ran),
        fixture_test(test_counters_of_every_phase_add_up),
        fixture_test(test_counters_use_the_time_stamp_where_threads_count_none),
        fixture_test(test_counters_are_microseconds_at_any_frequency),
        fixture_test(test_times_without_any_trusted_source_are_not_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
