/* SPDX-License-Identifier: MIT */
/* Names that are asked for on a thread of their own: many, long, and ones that never come. */
#include "fake_threads.h"
#include "world.h"

#define LIMIT       4096u
#define WITH_NAMES  (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION)
#define STUCK_LIMIT 8 /* names the library gives up on before it asks for no more; then handles */

static PSS_HANDLE_ENTRY entries[LIMIT];

static int setup(void **state)
{
    world_setup(state);
    fake.runs_threads_at_once = 0;
    return 0;
}

static struct fake_object *add_file(struct fake_text name, enum fake_hang hang)
{
    struct fake_object *object = fake_object_add(FAKE_FILE);

    object->name = name;
    object->name_hang = hang;
    fake_handle_open(world.target, object, GENERIC_READ, 0);
    return object;
}

static uint32_t capture(void)
{
    world_capture(WITH_NAMES);
    return world_walk(PSS_WALK_HANDLES, entries, sizeof(entries[0]), LIMIT);
}

static void assert_name(uint32_t index, struct fake_text expected)
{
    assert_text(entries[index].ObjectName, entries[index].ObjectNameLength, expected);
    assert_same(entries[index].Flags,
                PSS_HANDLE_HAVE_TYPE | (expected.length ? PSS_HANDLE_HAVE_NAME : 0));
}

static void test_names_of_many_files_come_from_one_thread(void **state)
{
    (void)state;
    for (int i = 0; i < 3000; i++)
        add_file(FAKE_TEXT(L"\\Device\\file"), FAKE_ANSWERS);
    assert_same(capture(), 3000);
    for (uint32_t i = 0; i < 3000; i++)
        assert_name(i, FAKE_TEXT(L"\\Device\\file"));
    assert_same(fake.calls_of[FAKE_CREATE_THREAD], 1);
}

/* A thread that answered everything before anybody waited has ended by itself. */
static void test_names_that_came_at_once_need_no_termination(void **state)
{
    (void)state;
    fake.runs_threads_at_once = 1;
    add_file(FAKE_TEXT(L"\\Device\\file"), FAKE_ANSWERS);
    assert_same(capture(), 1);
    assert_name(0, FAKE_TEXT(L"\\Device\\file"));
    assert_same(fake.terminations, 0);
}

/* The answers of one thread fill its memory: another one goes on. */
static void test_names_that_are_long_all_come(void **state)
{
    static WCHAR name[0x7FFE];

    (void)state;
    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
        name[i] = (WCHAR)(0x100 + i);
    for (int i = 0; i < 40; i++)
        add_file((struct fake_text){name, 0xFFFC}, FAKE_ANSWERS);
    assert_same(capture(), 40);
    for (uint32_t i = 0; i < 40; i++)
        assert_name(i, (struct fake_text){name, 0xFFFC});
    assert_true(fake.calls_of[FAKE_CREATE_THREAD] > 1);
}

/* The thread that hangs is terminated, and the names behind the one it hung at come, too. The next
 * one closes what it has left. */
static void test_names_that_hang_are_given_up(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        add_file(FAKE_TEXT(L"\\Device\\file"), i % 5 == 3 ? FAKE_HANGS : FAKE_ANSWERS);
    assert_same(capture(), 20);
    for (uint32_t i = 0; i < 20; i++)
        assert_name(i, i % 5 == 3 ? (struct fake_text){NULL, 0} : FAKE_TEXT(L"\\Device\\file"));
}

static void test_names_that_all_hang_cost_bounded_patience(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        add_file(FAKE_TEXT(L"\\Device\\file"), FAKE_HANGS);
    add_file(FAKE_TEXT(L"\\Device\\last"), FAKE_ANSWERS);
    assert_same(capture(), 101);
    assert_same(fake.calls_of[FAKE_CREATE_THREAD], STUCK_LIMIT + 1); /* which closes all others */
    for (uint32_t i = 0; i < 101; i++)
        assert_name(i, (struct fake_text){NULL, 0});
}

/*
 * A thread that cannot even be ended keeps the handle it asks about and the memory it works in, for
 * as long as the driver likes: that, and nothing else, is left behind.
 */
static void test_name_that_hangs_for_good_is_left_alone(void **state)
{
    struct fake_ledger ledger;

    (void)state;
    add_file(FAKE_TEXT(L"\\Device\\first"), FAKE_ANSWERS);
    add_file(FAKE_TEXT(L"\\Device\\stuck"), FAKE_HANGS_FOR_GOOD);
    add_file(FAKE_TEXT(L"\\Device\\last"), FAKE_ANSWERS);
    assert_same(capture(), 3);
    assert_name(0, FAKE_TEXT(L"\\Device\\first"));
    assert_name(1, (struct fake_text){NULL, 0});
    assert_name(2, FAKE_TEXT(L"\\Device\\last"));
    world_release();
    ledger = fake_ledger_now();
    assert_same(ledger.threads, 1);
    assert_same(ledger.handles, 1);
    assert_same(ledger.allocations, 1);
    assert_same(ledger.suspensions | ledger.views | ledger.heap_blocks | ledger.bad_closes, 0);
    fake_fini();
    world_setup(state); /* for the teardown to find nothing */
}

/* The answer comes when nobody waits for it any more: no other question may follow. */
static void test_name_that_comes_too_late_ends_the_thread(void **state)
{
    uint64_t questions;

    (void)state;
    add_file(FAKE_TEXT(L"\\Device\\stuck"), FAKE_HANGS_FOR_GOOD);
    for (int i = 0; i < 5; i++)
        add_file(FAKE_TEXT(L"\\Device\\file"), FAKE_ANSWERS);
    assert_same(capture(), 6);
    assert_name(0, (struct fake_text){NULL, 0});
    assert_name(5, FAKE_TEXT(L"\\Device\\file"));
    world_release();
    questions = fake.calls_of[FAKE_QUERY_OBJECT];
    fake.answers_at_last = 1;
    fake_threads_let_go();
    assert_same(fake.calls_of[FAKE_QUERY_OBJECT], questions);
    fake_fini();
    world_setup(state);
}

/* What has no type may be a file, too. */
static void test_name_of_unknown_type_is_asked_on_a_thread(void **state)
{
    (void)state;
    add_file(FAKE_TEXT(L"\\Device\\file"), FAKE_HANGS)->is_untyped = 1;
    add_file(FAKE_TEXT(L"\\Device\\file"), FAKE_ANSWERS)->is_untyped = 1;
    assert_same(capture(), 2);
    assert_null(entries[0].ObjectName);
    assert_same(entries[1].Flags, PSS_HANDLE_HAVE_NAME);
    assert_text(entries[1].ObjectName, entries[1].ObjectNameLength, FAKE_TEXT(L"\\Device\\file"));
}

static void test_no_thread_is_made_for_names_that_cannot_hang(void **state)
{
    struct fake_object *object = fake_object_add(FAKE_EVENT);

    (void)state;
    object->name = FAKE_TEXT(L"\\event");
    fake_handle_open(world.target, object, GENERIC_READ, 0);
    assert_same(capture(), 1);
    assert_name(0, FAKE_TEXT(L"\\event"));
    assert_same(fake.calls_of[FAKE_CREATE_THREAD], 0);
}

/* ---- Handles that cannot be closed at once: somebody keeps the lock of the file ---- */

static void add_locked_files(uint32_t how_many, enum fake_hang hang)
{
    for (uint32_t i = 0; i < how_many; i++)
        add_file(FAKE_TEXT(L"\\Device\\file"), FAKE_ANSWERS)->close_hang = hang;
}

static uint32_t capture_with(uint32_t flags)
{
    world_capture(flags);
    return world_walk(PSS_WALK_HANDLES, entries, sizeof(entries[0]), LIMIT);
}

/* With names or without, the calling thread closes no file. */
static void test_files_are_closed_on_a_thread(void **state)
{
    static const uint32_t flags[] = {
        WITH_NAMES, PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_BASIC_INFORMATION,
        HANDLE_DETAILS | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT};

    (void)state;
    add_locked_files(4, FAKE_ANSWERS);
    add_locked_files(1, FAKE_HANGS); /* the model ends a caller that closes it */
    for (uint64_t i = 0; i < 3; i++) {
        assert_same(capture_with(flags[i]), 5);
        assert_same(fake.calls_of[FAKE_CREATE_THREAD], i + 1);
        for (uint32_t j = 0; j < 5; j++)
            if (flags[i] & PSS_CAPTURE_HANDLE_NAME_INFORMATION)
                assert_text(entries[j].ObjectName, entries[j].ObjectNameLength,
                            FAKE_TEXT(L"\\Device\\file"));
    }
}

/* The types alone need no duplicates, and so no thread. */
static void test_no_thread_is_made_for_types(void **state)
{
    (void)state;
    add_locked_files(5, FAKE_HANGS);
    assert_same(capture_with(PSS_CAPTURE_HANDLES), 5);
    assert_same(fake.calls_of[FAKE_CREATE_THREAD], 0);
}

/* The value is free, and may be somebody else's: it is closed once, by the thread that hangs. */
static void test_handle_that_cannot_be_closed_is_given_up(void **state)
{
    (void)state;
    add_file(FAKE_TEXT(L"\\Device\\first"), FAKE_ANSWERS);
    add_locked_files(1, FAKE_HANGS);
    add_file(FAKE_TEXT(L"\\Device\\last"), FAKE_ANSWERS);
    assert_same(capture(), 3);
    assert_name(0, FAKE_TEXT(L"\\Device\\first"));
    assert_name(1, FAKE_TEXT(L"\\Device\\file"));
    assert_name(2, FAKE_TEXT(L"\\Device\\last"));
    assert_same(fake.terminations, 1);
}

/* What hangs when its name is asked for, may do so again when it is closed. */
static void test_file_that_hangs_twice_costs_two_threads(void **state)
{
    (void)state;
    add_file(FAKE_TEXT(L"\\Device\\stuck"), FAKE_HANGS)->close_hang = FAKE_HANGS;
    add_file(FAKE_TEXT(L"\\Device\\last"), FAKE_ANSWERS);
    assert_same(capture(), 2);
    assert_name(0, (struct fake_text){NULL, 0});
    assert_name(1, FAKE_TEXT(L"\\Device\\last"));
    assert_same(fake.terminations, 2);
}

/* The caller is rather left with open handles than held up for ever. */
static void test_handles_that_all_cannot_be_closed_cost_bounded_patience(void **state)
{
    (void)state;
    add_locked_files(100, FAKE_HANGS);
    assert_same(capture_with(PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_BASIC_INFORMATION), 100);
    assert_same(fake.calls_of[FAKE_CREATE_THREAD], 2 * STUCK_LIMIT);
    world_release();
    assert_same(fake_ledger_now().handles, 100 - 2 * STUCK_LIMIT);
    assert_same(fake_ledger_now().bad_closes, 0);
    fake_fini();
    world_setup(state);
}

static NTSTATUS refuse_threads(void *context, enum fake_call call)
{
    (void)context;
    return call == FAKE_CREATE_THREAD ? STATUS_ACCESS_DENIED : STATUS_SUCCESS;
}

static void test_without_a_thread_files_are_closed_by_the_caller(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        add_file(FAKE_TEXT(L"\\Device\\file"), FAKE_HANGS);
    fake.refuse = refuse_threads;
    assert_same(capture(), 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_name(i, (struct fake_text){NULL, 0});
    fake.refuse = NULL;
    assert_same(fake_ledger_now().handles, 0);
}

#define file_test(function) cmocka_unit_test_setup_teardown(function, setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(test_names_of_many_files_come_from_one_thread),
        file_test(test_names_that_came_at_once_need_no_termination),
        file_test(test_names_that_are_long_all_come),
        file_test(test_names_that_hang_are_given_up),
        file_test(test_names_that_all_hang_cost_bounded_patience),
        file_test(test_name_that_hangs_for_good_is_left_alone),
        file_test(test_name_that_comes_too_late_ends_the_thread),
        file_test(test_name_of_unknown_type_is_asked_on_a_thread),
        file_test(test_no_thread_is_made_for_names_that_cannot_hang),
        file_test(test_files_are_closed_on_a_thread),
        file_test(test_no_thread_is_made_for_types),
        file_test(test_handle_that_cannot_be_closed_is_given_up),
        file_test(test_file_that_hangs_twice_costs_two_threads),
        file_test(test_handles_that_all_cannot_be_closed_cost_bounded_patience),
        file_test(test_without_a_thread_files_are_closed_by_the_caller),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
