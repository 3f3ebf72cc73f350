/* SPDX-License-Identifier: MIT */
/* Thread entries and thread names, from modelled answers, every field exact. */
#include "world.h"

#define LIMIT 64u

static PSS_THREAD_ENTRY entries[LIMIT];
static PSS_THREAD_NAME names[LIMIT];

static uint32_t walk_threads(void)
{
    return world_walk(PSS_WALK_THREADS, entries, sizeof(entries[0]), LIMIT);
}

static struct fake_thread *add_thread(uint32_t id, uint64_t create_time)
{
    struct fake_thread *thread = fake_thread_add(world.target, id);

    thread->times.create_time.QuadPart = (LONGLONG)create_time;
    return thread;
}

/* A thread with a different value in each field. */
static struct fake_thread *add_full_thread(void)
{
    struct fake_thread *thread = add_thread(2004, 0x0123456700000001);

    thread->basic.teb = pointer_to(0x7FF6AAAA2000);
    thread->basic.affinity = 0xF0F0F0F0F0;
    thread->basic.priority = 12;
    thread->basic.base_priority = 2;
    thread->times.kernel_time.QuadPart = 0x1111;
    thread->times.user_time.QuadPart = 0x2222;
    thread->row_kernel_time = 0x300000004;
    thread->row_user_time = 0x500000006;
    thread->start_address = pointer_to(0x7FF600001234);
    thread->last_syscall = (struct pss_nt_last_syscall){pointer_to(0x123456789A), 0x1B7};
    thread->suspend_count = 3;
    return thread;
}

static void expect_full_thread(PSS_THREAD_ENTRY *expected)
{
    memset(expected, 0, sizeof(*expected));
    expected->ExitStatus = 259;
    expected->TebBaseAddress = pointer_to(0x7FF6AAAA2000);
    expected->ProcessId = TARGET_ID;
    expected->ThreadId = 2004;
    expected->AffinityMask = 0xF0F0F0F0F0;
    expected->Priority = 12;
    expected->BasePriority = 10;
    expected->LastSyscallFirstArgument = pointer_to(0x123456789A);
    expected->LastSyscallNumber = 0x1B7;
    expected->CreateTime = file_time(0x0123456700000001);
    expected->KernelTime = file_time(0x1111);
    expected->UserTime = file_time(0x2222);
    expected->Win32StartAddress = pointer_to(0x7FF600001234);
    expected->CaptureTime = file_time(fake.now);
    expected->SuspendCount = 3;
}

static void assert_first_thread(const PSS_THREAD_ENTRY *expected)
{
    assert_true(walk_threads() > 0);
    assert_memory_equal(&entries[0], expected, sizeof(*expected));
}

static void test_thread_of_full_answers_has_every_field(void **state)
{
    PSS_THREAD_ENTRY expected;
    PSS_THREAD_INFORMATION information;

    (void)state;
    add_full_thread();
    expect_full_thread(&expected);
    world_capture(PSS_CAPTURE_THREADS);
    assert_first_thread(&expected);
    world_query(PSS_QUERY_THREAD_INFORMATION, &information, sizeof(information));
    assert_same(information.ThreadsCaptured, 1);
    assert_same(information.ContextLength, 0);
    assert_same(fake.calls_of[FAKE_SUSPEND_THREAD], 0); /* nobody asked for contexts */
}

/* Where the table of all processes is read anyway, it tells the times of their threads, too. */
static void test_thread_times_come_from_the_table_if_it_is_read(void **state)
{
    PSS_THREAD_ENTRY expected;

    (void)state;
    add_full_thread();
    expect_full_thread(&expected);
    fake.mixes_up_times = 1;
    expected.KernelTime = file_time(0x300000004);
    expected.UserTime = file_time(0x500000006);
    world_capture(PSS_CAPTURE_THREADS);
    assert_first_thread(&expected);
}

static void test_thread_frozen_for_its_context_does_not_count_our_suspension(void **state)
{
    PSS_THREAD_ENTRY expected;

    (void)state;
    add_full_thread();
    expect_full_thread(&expected);
    world_capture(PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
    assert_true(walk_threads() == 1);
    assert_same(entries[0].SuspendCount, 3);
    assert_same(fake.calls_of[FAKE_SUSPEND_THREAD], 1);
    assert_same(world.target->threads[0]->suspend_count, 3);
    expected.SizeOfContextRecord = sizeof(CONTEXT);
    expected.ContextRecord = entries[0].ContextRecord;
    assert_memory_equal(&entries[0], &expected, sizeof(expected));
}

static void test_thread_of_a_poor_system_lacks_what_it_does_not_tell(void **state)
{
    PSS_THREAD_ENTRY expected;

    (void)state;
    add_full_thread()->name = FAKE_TEXT(L"never seen");
    fake.has_last_syscalls = fake.has_suspend_counts = fake.has_thread_names = 0;
    expect_full_thread(&expected);
    expected.LastSyscallFirstArgument = NULL;
    expected.LastSyscallNumber = 0;
    expected.SuspendCount = 0;
    world_capture(PSS_CAPTURE_THREADS);
    assert_first_thread(&expected);
    assert_same(world_walk(PSS_WALK_THREAD_NAME, names, sizeof(names[0]), LIMIT), 1);
    assert_text(names[0].ThreadName, names[0].ThreadNameSize, (struct fake_text){NULL, 0});
}

static void test_thread_that_has_ended_is_terminated(void **state)
{
    PSS_THREAD_ENTRY expected;

    (void)state;
    fake_thread_end(add_full_thread(), 0xC0000005);
    expect_full_thread(&expected);
    expected.ExitStatus = 0xC0000005;
    expected.ExitTime = file_time(fake.now);
    expected.Flags = PSS_THREAD_FLAGS_TERMINATED;
    world_capture(PSS_CAPTURE_THREADS);
    assert_first_thread(&expected);
}

static void test_thread_that_has_ended_with_259_is_terminated(void **state)
{
    (void)state;
    fake_thread_end(add_full_thread(), 259);
    world_capture(PSS_CAPTURE_THREADS);
    assert_same(walk_threads(), 1);
    assert_same(entries[0].ExitStatus, 259);
    assert_same(entries[0].Flags, PSS_THREAD_FLAGS_TERMINATED);
    assert_same(filetime_value(entries[0].ExitTime), fake.now);
}

/* Born after the system's table was read: it tells its times itself. */
static void test_thread_that_is_just_born_is_alive(void **state)
{
    (void)state;
    fake.mixes_up_times = 1;
    add_full_thread()->is_unlisted = 1;
    world_capture(PSS_CAPTURE_THREADS);
    assert_same(walk_threads(), 1);
    assert_same(entries[0].Flags, PSS_THREAD_FLAGS_NONE);
    assert_same(filetime_value(entries[0].CreateTime), 0x0123456700000001);
    assert_same(filetime_value(entries[0].KernelTime), 0x1111);
    assert_same(entries[0].Win32StartAddress, pointer_to(0x7FF600001234));
}

static void test_threads_come_oldest_first_with_their_names(void **state)
{
    static const uint64_t ages[] = {500, 100, 100, 900, 0, 300};
    static const uint32_t ids[] = {40, 32, 8, 20, 99, 4};
    static const uint32_t expected[] = {99, 8, 32, 4, 40, 20};
    static const WCHAR labels[][2] = {L"a", L"b", L"c", L"d", L"e", L"f"};
    static const uint32_t label_of[] = {4, 2, 1, 5, 0, 3};

    (void)state;
    for (uint32_t i = 0; i < 6; i++)
        add_thread(ids[i], ages[i])->name = (struct fake_text){labels[i], sizeof(WCHAR)};
    world_capture(PSS_CAPTURE_THREADS);
    assert_same(walk_threads(), 6);
    assert_same(world_walk(PSS_WALK_THREAD_NAME, names, sizeof(names[0]), LIMIT), 6);
    for (uint32_t i = 0; i < 6; i++) {
        assert_same(entries[i].ThreadId, expected[i]);
        assert_text(names[i].ThreadName, names[i].ThreadNameSize,
                    (struct fake_text){labels[label_of[i]], sizeof(WCHAR)});
    }
}

static void test_thread_name_too_long_for_a_word_is_cut(void **state)
{
    static WCHAR name[0x7FFF];
    static const uint32_t lengths[] = {0, 2, 0xFFFA, 0xFFFC, 0xFFFE};

    (void)state;
    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
        name[i] = (WCHAR)(0x100 + i);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        add_thread(4 + (uint32_t)i, i)->name = (struct fake_text){name, lengths[i]};
    world_capture(PSS_CAPTURE_THREADS);
    assert_same(world_walk(PSS_WALK_THREAD_NAME, names, sizeof(names[0]), LIMIT), 5);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        assert_text(names[i].ThreadName, names[i].ThreadNameSize,
                    (struct fake_text){name, lengths[i] < 0xFFFC ? lengths[i] : 0xFFFC});
}

struct priority_case {
    LONG process_base, priority, increment;
    int expected, expected_base;
};

static void check_priorities(const struct priority_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fake_thread *thread = world.target->threads[0];

        world.target->basic.base_priority = cases[i].process_base;
        thread->basic.priority = cases[i].priority;
        thread->basic.base_priority = cases[i].increment;
        world_capture(PSS_CAPTURE_THREADS);
        assert_same(walk_threads(), 1);
        assert_same(entries[0].Priority, cases[i].expected);
        assert_same(entries[0].BasePriority, cases[i].expected_base);
    }
}

/* Windows: the increment over the process for the base, saturated at 16; the dynamic is absolute.
 */
static void test_thread_priorities_of_windows_are_kernel_values(void **state)
{
    static const struct priority_case cases[] = {
        {8, 8, 0, 8, 8},     {8, 10, 0, 10, 8},    {8, 15, 16, 15, 15},   {8, 1, -16, 1, 1},
        {8, 10, 2, 10, 10},  {8, 7, -1, 7, 7},     {13, 15, 2, 15, 15},   {4, 2, -2, 2, 2},
        {24, 24, 0, 24, 24}, {24, 31, 16, 31, 31}, {24, 16, -16, 16, 16}, {24, 17, -7, 17, 17},
        {6, 6, 0, 6, 6},     {10, 12, 2, 12, 12},
    };

    (void)state;
    world.target->priority.number = 0;
    add_thread(4, 1);
    check_priorities(cases, sizeof(cases) / sizeof(cases[0]));
}

/* Wine: the increment for both, and the class number for the base of the process. */
static void test_thread_priorities_of_wine_are_kernel_values(void **state)
{
    static const struct priority_case cases[] = {
        {2, 0, 0, 8, 8},     {2, 2, 2, 10, 10},   {2, -2, -2, 6, 6},
        {2, 15, 15, 15, 15}, {2, -15, -15, 1, 1}, {2, 1, 1, 9, 9},
    };

    (void)state;
    add_thread(4, 1);
    check_priorities(cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_threads_of_a_process_without_any_are_none(void **state)
{
    PSS_THREAD_INFORMATION information;

    (void)state;
    world_capture(PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
    assert_same(walk_threads(), 0);
    world_query(PSS_QUERY_THREAD_INFORMATION, &information, sizeof(information));
    assert_same(information.ThreadsCaptured, 0);
}

static void test_threads_need_only_query_information(void **state)
{
    (void)state;
    add_full_thread();
    world.process = fake_handle_open(fake.own, &world.target->object, PROCESS_QUERY_INFORMATION, 0);
    world_capture(PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
    assert_same(walk_threads(), 1);
    world.process =
        fake_handle_open(fake.own, &world.target->object, PROCESS_QUERY_LIMITED_INFORMATION, 0);
    assert_same(
        pss_snapshot_capture(fake_nt(), world.process, PSS_CAPTURE_THREADS, 0, &(HPSS){NULL}),
        STATUS_ACCESS_DENIED);
}

static NTSTATUS tell_nothing_of_the_dead(void *context, enum fake_call call)
{
    (void)context;
    return call == FAKE_GET_NEXT_THREAD ? STATUS_PROCESS_IS_TERMINATING : STATUS_SUCCESS;
}

static void test_threads_of_a_process_that_has_ended_are_none(void **state)
{
    PSS_THREAD_INFORMATION information;

    (void)state;
    fake_thread_add(world.target, 2004);
    fake_process_end(world.target, 7);
    fake.refuse = tell_nothing_of_the_dead;
    world_capture(PSS_CAPTURE_THREADS);
    fake.refuse = NULL;
    world_query(PSS_QUERY_THREAD_INFORMATION, &information, sizeof(information));
    assert_same(information.ThreadsCaptured, 0);
}

/* Who is not in the system's table tells its own times; the rows of the others move up. */
static void test_thread_that_the_table_does_not_list_tells_its_own_times(void **state)
{
    PSS_THREAD_ENTRY threads[2];
    struct fake_thread *first = fake_thread_add(world.target, 2004);
    struct fake_thread *second = fake_thread_add(world.target, 2008);

    (void)state;
    fake.mixes_up_times = 1;
    first->is_unlisted = 1;
    first->times.user_time.QuadPart = 1111;
    second->times.user_time.QuadPart = 2222;
    second->row_user_time = 3333;
    world_capture(PSS_CAPTURE_THREADS);
    assert_same(world_walk(PSS_WALK_THREADS, threads, sizeof(threads[0]), 2), 2);
    assert_same(filetime_value(threads[0].UserTime), 1111);
    assert_same(filetime_value(threads[1].UserTime), 3333);
}

static void test_walk_of_a_class_that_is_none_fails(void **state)
{
    static const uint32_t classes[] = {5, 6, 100, 0x7FFFFFFF, 0xFFFFFFFF};
    PSS_THREAD_ENTRY entry;

    (void)state;
    world_capture(PSS_CAPTURE_THREADS);
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        assert_same(
            pss_snapshot_walk(world.snapshot, classes[i], world.marker, &entry, sizeof(entry)),
            STATUS_INVALID_PARAMETER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_thread_of_full_answers_has_every_field),
        fixture_test(test_thread_times_come_from_the_table_if_it_is_read),
        fixture_test(test_thread_frozen_for_its_context_does_not_count_our_suspension),
        fixture_test(test_thread_of_a_poor_system_lacks_what_it_does_not_tell),
        fixture_test(test_thread_that_has_ended_is_terminated),
        fixture_test(test_thread_that_has_ended_with_259_is_terminated),
        fixture_test(test_thread_that_is_just_born_is_alive),
        fixture_test(test_threads_come_oldest_first_with_their_names),
        fixture_test(test_thread_name_too_long_for_a_word_is_cut),
        fixture_test(test_thread_priorities_of_windows_are_kernel_values),
        fixture_test(test_thread_priorities_of_wine_are_kernel_values),
        fixture_test(test_threads_of_a_process_without_any_are_none),
        fixture_test(test_threads_need_only_query_information),
        fixture_test(test_threads_of_a_process_that_has_ended_are_none),
        fixture_test(test_thread_that_the_table_does_not_list_tells_its_own_times),
        fixture_test(test_walk_of_a_class_that_is_none_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
