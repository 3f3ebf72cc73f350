/* SPDX-License-Identifier: MIT */
/* Random handles, classes, lengths and flags: an error that fits, and never a crash. */
#include "ledger.h"
#include "random.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define ROUNDS      20000
#define BUFFER_SIZE 4096
#define UNDEFINED   0x03FF8000u
#define EVERYTHING                                                               \
    (PSS_CAPTURE_RESERVED_00000002 | PSS_CAPTURE_HANDLES | PSS_CAPTURE_THREADS | \
     PSS_CAPTURE_VA_SPACE | PSS_CREATE_MEASURE_PERFORMANCE)

static unsigned char buffer[BUFFER_SIZE];
static unsigned char decoy[BUFFER_SIZE];
static HPSS snapshot;
static HPSSWALK marker;

static void open_snapshot(void)
{
    random_init();
    assert_same(pss.capture(GetCurrentProcess(), EVERYTHING, 0, &snapshot), ERROR_SUCCESS);
    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
}

static void close_snapshot(void)
{
    PSS_PROCESS_INFORMATION information;

    query_fully(snapshot, PSS_QUERY_PROCESS_INFORMATION, &information, sizeof(information));
    assert_same(information.ProcessId, GetCurrentProcessId());
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    free_snapshot(snapshot);
}

/* A number that is no handle, but often looks like one. */
static uintptr_t garbage_value(void)
{
    for (;;) {
        uintptr_t value = (uintptr_t)random_next();
        switch (random_below(9)) {
        case 0:
            value &= 0xFFFF;
            break;
        case 1:
            value = (uintptr_t)snapshot + random_below(0x10000);
            break;
        case 2:
            value = (uintptr_t)marker + random_below(0x1000);
            break;
        case 3:
            value = (uintptr_t)decoy + random_below(BUFFER_SIZE);
            break;
        case 4:
            value = (uintptr_t)&value;
            break;
        case 5:
            value = (uintptr_t)under_test_module() + random_below(0x10000);
            break;
        case 6:
            value = (uintptr_t)snapshot ^ (uintptr_t)1 << random_below(sizeof(value) * 8);
            break;
        case 7:
            value &= ~(uintptr_t)0xFFFF;
            break;
        default:
            break;
        }
        if (value != (uintptr_t)snapshot && value != (uintptr_t)marker)
            return value;
    }
}

static void test_garbage_snapshot_is_invalid_handle_everywhere(void **state)
{
    (void)state;
    only_ours();
    open_snapshot();
    memset(decoy, 0xD5, sizeof(decoy));
    for (int i = 0; i < ROUNDS; i++) {
        HPSS garbage = (HPSS)garbage_value();
        DWORD information = (DWORD)random_below(10);
        DWORD size = (DWORD)random_below(BUFFER_SIZE);
        assert_same(pss.query(garbage, information, buffer, size), ERROR_INVALID_HANDLE);
        assert_same(pss.walk(garbage, information, marker, buffer, size), ERROR_INVALID_HANDLE);
        assert_same(pss.free(GetCurrentProcess(), garbage), ERROR_INVALID_HANDLE);
    }
    close_snapshot();
}

static void test_garbage_marker_is_invalid_handle_everywhere(void **state)
{
    ULONG_PTR position = 0;

    (void)state;
    only_ours();
    open_snapshot();
    memset(decoy, 0xD5, sizeof(decoy));
    for (int i = 0; i < ROUNDS; i++) {
        HPSSWALK garbage = (HPSSWALK)garbage_value();
        assert_same(pss.walk(snapshot, (DWORD)random_below(6), garbage, buffer,
                             (DWORD)random_below(BUFFER_SIZE)),
                    ERROR_INVALID_HANDLE);
        assert_same(pss.marker_get(garbage, &position), ERROR_INVALID_HANDLE);
        assert_same(pss.marker_set(garbage, (ULONG_PTR)random_next()), ERROR_INVALID_HANDLE);
        assert_same(pss.marker_restart(garbage), ERROR_INVALID_HANDLE);
        assert_same(pss.marker_free(garbage), ERROR_INVALID_HANDLE);
    }
    close_snapshot();
}

/* Small numbers and powers of two as often as any number. */
static DWORD garbage_dword(void)
{
    DWORD value = (DWORD)random_next();

    switch (random_below(4)) {
    case 0:
        return value % 12;
    case 1:
        return value % 1024;
    case 2:
        return 1u << value % 32;
    default:
        return value;
    }
}

static DWORD expected_query(DWORD information, DWORD size)
{
    if (information > PSS_QUERY_PERFORMANCE_COUNTERS)
        return ERROR_INVALID_PARAMETER;
    if (size != query_size(information))
        return ERROR_BAD_LENGTH;
    if (information == PSS_QUERY_VA_CLONE_INFORMATION ||
        information == PSS_QUERY_HANDLE_TRACE_INFORMATION)
        return ERROR_NOT_FOUND;
    return ERROR_SUCCESS;
}

static void test_garbage_class_and_length_give_the_error_that_fits(void **state)
{
    (void)state;
    only_ours();
    open_snapshot();
    for (int i = 0; i < ROUNDS; i++) {
        DWORD information = garbage_dword();
        DWORD size = garbage_dword();
        assert_same(pss.query(snapshot, information, buffer, size),
                    expected_query(information, size));
        DWORD error = pss.walk(snapshot, information, marker, buffer, size);
        if (information > PSS_WALK_THREAD_NAME)
            assert_same(error, ERROR_INVALID_PARAMETER);
        else if (size != walk_size(information))
            assert_same(error, ERROR_BAD_LENGTH);
        else
            assert_true(error == ERROR_SUCCESS || error == ERROR_NO_MORE_ITEMS);
    }
    close_snapshot();
}

static void test_garbage_position_gives_an_entry_or_the_end(void **state)
{
    (void)state;
    only_ours();
    open_snapshot();
    for (int i = 0; i < ROUNDS; i++) {
        ULONG_PTR position = random_below(2) ? (ULONG_PTR)random_next() : garbage_dword();
        DWORD information = (DWORD)random_below(5);
        assert_same(pss.marker_set(marker, position), ERROR_SUCCESS);
        DWORD error = pss.walk(snapshot, information, marker, buffer, walk_size(information));
        assert_true(error == ERROR_SUCCESS || error == ERROR_NO_MORE_ITEMS);
    }
    close_snapshot();
}

static DWORD expected_capture(DWORD flags)
{
    return flags & UNDEFINED ? ERROR_INVALID_PARAMETER : ERROR_SUCCESS;
}

static void assert_capture_with(HANDLE process, DWORD flags)
{
    HPSS captured = (HPSS)(uintptr_t)1;
    DWORD error = pss.capture(process, flags, CONTEXT_ALL, &captured);

    if (error != expected_capture(flags))
        fail_msg("flags 0x%lx gave %lu", flags, error);
    if (error)
        assert_null(captured);
    else
        free_snapshot(captured);
}

static void test_garbage_flags_capture_or_give_the_error_that_fits(void **state)
{
    struct target *target = target_start();

    (void)state;
    if (under_test_is_ours()) {
        random_init();
        struct target_state before = target_state_read(target);
        for (int i = 0; i < 60; i++) {
            DWORD flags = (DWORD)random_next();
            assert_capture_with(GetCurrentProcess(), flags);
            assert_capture_with(GetCurrentProcess(), flags & ~(UNDEFINED | 1));
            assert_capture_with(target->process, flags & ~(UNDEFINED | 1));
        }
        target_assert_unharmed(target, before);
    }
    target_destroy(target);
    only_ours();
}

static void test_garbage_context_flags_capture_or_are_invalid(void **state)
{
    (void)state;
    only_ours();
    random_init();
    for (int i = 0; i < 100; i++) {
        HPSS captured = NULL;
        DWORD flags = garbage_dword();
        DWORD error = pss.capture(GetCurrentProcess(),
                                  PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT |
                                      (random_below(2) ? PSS_CAPTURE_THREAD_CONTEXT_EXTENDED : 0),
                                  flags, &captured);
        if (error != ERROR_SUCCESS && error != ERROR_INVALID_PARAMETER)
            fail_msg("context flags 0x%lx gave %lu", flags, error);
        if (error)
            assert_null(captured);
        else
            free_snapshot(captured);
    }
}

static void test_garbage_process_handle_is_invalid_handle(void **state)
{
    (void)state;
    random_init();
    for (int i = 0; i < 2000; i++) {
        HPSS captured = (HPSS)(uintptr_t)1;
        intptr_t value = random_below(2) ? (intptr_t)random_next() : (intptr_t)(garbage_dword());
        if (value == -1)
            continue;
        DWORD error = pss.capture((HANDLE)value, 0xFC, 0, &captured);
        if (error != ERROR_INVALID_HANDLE)
            fail_msg("process handle 0x%llx gave %lu", (unsigned long long)value, error);
        assert_null(captured);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_garbage_snapshot_is_invalid_handle_everywhere),
        PSS_TEST(test_garbage_marker_is_invalid_handle_everywhere),
        PSS_TEST(test_garbage_class_and_length_give_the_error_that_fits),
        PSS_TEST(test_garbage_position_gives_an_entry_or_the_end),
        PSS_TEST(test_garbage_flags_capture_or_give_the_error_that_fits),
        PSS_TEST(test_garbage_context_flags_capture_or_are_invalid),
        PSS_TEST(test_garbage_process_handle_is_invalid_handle),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("garbage", tests, ledger_warm_up, NULL);
}
