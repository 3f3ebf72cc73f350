/* SPDX-License-Identifier: MIT */
/* PssQuerySnapshot: classes, exact lengths, the order of its checks, and what it writes. */
#include "ledger.h"
#include "records.h"
#include "under_test.h"

#define CLASSES     8
#define BUFFER_SIZE 4096
#define EVERYTHING                                                               \
    (PSS_CAPTURE_RESERVED_00000002 | PSS_CAPTURE_HANDLES | PSS_CAPTURE_THREADS | \
     PSS_CAPTURE_VA_SPACE | PSS_CREATE_MEASURE_PERFORMANCE)

/* Classes 1 and 6 need a clone and a trace, which no capture here has. */
static const DWORD captured[] = {0, 2, 3, 4, 5, 7};
#define CAPTURED_COUNT (sizeof(captured) / sizeof(captured[0]))

static HPSS snapshot_with(DWORD flags)
{
    HPSS snapshot = NULL;

    assert_same(pss.capture(GetCurrentProcess(), flags, 0, &snapshot), ERROR_SUCCESS);
    return snapshot;
}

/* A query must fail with this code and leave the buffer alone. */
static void assert_query_fails(HPSS snapshot, DWORD information, DWORD size, DWORD expected)
{
    static unsigned char buffer[BUFFER_SIZE];
    static unsigned char untouched[BUFFER_SIZE];

    memset(buffer, 0x5C, sizeof(buffer));
    memset(untouched, 0x5C, sizeof(untouched));
    DWORD error = pss.query(snapshot, information, buffer, size);
    if (error != expected)
        print_error("class %lu, length %lu\n", information, size);
    assert_same(error, expected);
    assert_memory_equal(buffer, untouched, sizeof(buffer));
}

static void test_query_exact_length_succeeds_and_writes_every_byte(void **state)
{
    HPSS snapshot = snapshot_with(EVERYTHING);
    unsigned char buffer[sizeof(PSS_PROCESS_INFORMATION)];

    (void)state;
    for (size_t i = 0; i < CAPTURED_COUNT; i++)
        query_fully(snapshot, captured[i], buffer, query_size(captured[i]));
    free_snapshot(snapshot);
}

static void test_query_does_not_write_past_its_length(void **state)
{
    HPSS snapshot = snapshot_with(EVERYTHING);
    unsigned char buffer[BUFFER_SIZE];

    (void)state;
    for (size_t i = 0; i < CAPTURED_COUNT; i++) {
        DWORD size = query_size(captured[i]);
        memset(buffer, 0x5C, sizeof(buffer));
        assert_same(pss.query(snapshot, captured[i], buffer, size), ERROR_SUCCESS);
        for (size_t j = size; j < sizeof(buffer); j++)
            assert_same(buffer[j], 0x5C);
    }
    free_snapshot(snapshot);
}

static void test_query_any_other_length_is_bad_length(void **state)
{
    HPSS snapshot = snapshot_with(EVERYTHING);

    (void)state;
    for (size_t i = 0; i < CAPTURED_COUNT; i++) {
        DWORD exact = query_size(captured[i]);
        for (DWORD size = 0; size < 1024; size++)
            if (size != exact)
                assert_query_fails(snapshot, captured[i], size, ERROR_BAD_LENGTH);
        assert_query_fails(snapshot, captured[i], exact + 0x10000, ERROR_BAD_LENGTH);
        assert_query_fails(snapshot, captured[i], 0x80000000u + exact, ERROR_BAD_LENGTH);
        assert_query_fails(snapshot, captured[i], 0xFFFFFFFF, ERROR_BAD_LENGTH);
    }
    free_snapshot(snapshot);
}

static void test_query_unknown_class_is_invalid_parameter(void **state)
{
    static const DWORD unknown[] = {8,       9,          16,         255,       256,
                                    0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
    HPSS snapshot = snapshot_with(EVERYTHING);

    (void)state;
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        assert_query_fails(snapshot, unknown[i], 4, ERROR_INVALID_PARAMETER);
        assert_query_fails(snapshot, unknown[i], 0, ERROR_INVALID_PARAMETER);
    }
    free_snapshot(snapshot);
}

static void test_query_class_not_captured_is_not_found(void **state)
{
    HPSS snapshot = snapshot_with(PSS_CAPTURE_NONE);

    (void)state;
    for (DWORD information = 1; information < CLASSES; information++)
        assert_query_fails(snapshot, information, query_size(information), ERROR_NOT_FOUND);
    free_snapshot(snapshot);
}

static void test_query_each_class_comes_with_its_flag_alone(void **state)
{
    static const struct {
        DWORD flag;
        DWORD information;
    } rows[] = {
        {PSS_CAPTURE_RESERVED_00000002, PSS_QUERY_AUXILIARY_PAGES_INFORMATION},
        {PSS_CAPTURE_VA_SPACE, PSS_QUERY_VA_SPACE_INFORMATION},
        {PSS_CAPTURE_HANDLES, PSS_QUERY_HANDLE_INFORMATION},
        {PSS_CAPTURE_THREADS, PSS_QUERY_THREAD_INFORMATION},
        {PSS_CREATE_MEASURE_PERFORMANCE, PSS_QUERY_PERFORMANCE_COUNTERS},
    };
    unsigned char buffer[sizeof(PSS_PROCESS_INFORMATION)];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        HPSS snapshot = snapshot_with(rows[i].flag);
        for (DWORD information = 1; information < CLASSES; information++) {
            if (information != rows[i].information)
                assert_query_fails(snapshot, information, query_size(information), ERROR_NOT_FOUND);
        }
        query_fully(snapshot, rows[i].information, buffer, query_size(rows[i].information));
        free_snapshot(snapshot);
    }
}

static void test_query_null_buffer_is_invalid_parameter(void **state)
{
    HPSS snapshot = snapshot_with(EVERYTHING);

    (void)state;
    for (size_t i = 0; i < CAPTURED_COUNT; i++)
        assert_same(pss.query(snapshot, captured[i], NULL, query_size(captured[i])),
                    ERROR_INVALID_PARAMETER);
    free_snapshot(snapshot);
}

static void test_query_checks_handle_then_class_then_length_then_presence_then_buffer(void **state)
{
    HPSS snapshot = snapshot_with(PSS_CAPTURE_NONE);
    const DWORD size = sizeof(PSS_THREAD_INFORMATION);

    (void)state;
    only_ours();
    assert_same(pss.query(NULL, 99, NULL, 0), ERROR_INVALID_HANDLE);
    assert_same(pss.query(snapshot, 99, NULL, 0), ERROR_INVALID_PARAMETER);
    assert_same(pss.query(snapshot, PSS_QUERY_THREAD_INFORMATION, NULL, 0), ERROR_BAD_LENGTH);
    assert_same(pss.query(snapshot, PSS_QUERY_THREAD_INFORMATION, NULL, size), ERROR_NOT_FOUND);
    assert_same(pss.query(snapshot, PSS_QUERY_PROCESS_INFORMATION, NULL, 0), ERROR_BAD_LENGTH);
    assert_same(
        pss.query(snapshot, PSS_QUERY_PROCESS_INFORMATION, NULL, sizeof(PSS_PROCESS_INFORMATION)),
        ERROR_INVALID_PARAMETER);
    free_snapshot(snapshot);
}

static void test_query_bad_handle_is_invalid_handle(void **state)
{
    HPSS freed = snapshot_with(PSS_CAPTURE_NONE);
    const DWORD size = sizeof(PSS_PROCESS_INFORMATION);
    HPSS alive = snapshot_with(PSS_CAPTURE_NONE);

    (void)state;
    only_ours();
    free_snapshot(freed);
    assert_query_fails(NULL, 0, size, ERROR_INVALID_HANDLE);
    assert_query_fails((HPSS)(intptr_t)-1, 0, size, ERROR_INVALID_HANDLE);
    assert_query_fails(freed, 0, size, ERROR_INVALID_HANDLE);
    assert_query_fails((HPSS)((char *)alive + 1), 0, size, ERROR_INVALID_HANDLE);
    assert_query_fails((HPSS)((char *)alive + 8), 0, size, ERROR_INVALID_HANDLE);
    assert_query_fails((HPSS)((char *)alive + 4096), 0, size, ERROR_INVALID_HANDLE);
    free_snapshot(alive);
}

static void test_query_unused_counters_are_zero(void **state)
{
    HPSS snapshot = snapshot_with(PSS_CREATE_MEASURE_PERFORMANCE | PSS_CAPTURE_THREADS);
    PSS_THREAD_INFORMATION threads;

    (void)state;
    query_fully(snapshot, PSS_QUERY_THREAD_INFORMATION, &threads, sizeof(threads));
    assert_same(threads.ContextLength, 0);
    assert_true(threads.ThreadsCaptured > 0);
    free_snapshot(snapshot);
}

static void test_query_padding_is_zero(void **state)
{
    HPSS snapshot = snapshot_with(PSS_CAPTURE_NONE);
    PSS_PROCESS_INFORMATION information;
    const unsigned char *bytes = (const unsigned char *)&information;

    (void)state;
    query_fully(snapshot, PSS_QUERY_PROCESS_INFORMATION, &information, sizeof(information));
    for (size_t i = sizeof(DWORD); i < offsetof(PSS_PROCESS_INFORMATION, PebBaseAddress); i++)
        assert_same(bytes[i], 0);
    for (size_t i = offsetof(PSS_PROCESS_INFORMATION, PriorityClass) + sizeof(DWORD);
         i < offsetof(PSS_PROCESS_INFORMATION, PeakVirtualSize); i++)
        assert_same(bytes[i], 0);
    for (size_t i = offsetof(PSS_PROCESS_INFORMATION, PageFaultCount) + sizeof(DWORD);
         i < offsetof(PSS_PROCESS_INFORMATION, PeakWorkingSetSize); i++)
        assert_same(bytes[i], 0);
    size_t end = wcslen(information.ImageFileName);
    for (size_t i = end; i < MAX_PATH; i++)
        assert_same(information.ImageFileName[i], 0);
    free_snapshot(snapshot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_query_exact_length_succeeds_and_writes_every_byte),
        PSS_TEST(test_query_does_not_write_past_its_length),
        PSS_TEST(test_query_any_other_length_is_bad_length),
        PSS_TEST(test_query_unknown_class_is_invalid_parameter),
        PSS_TEST(test_query_class_not_captured_is_not_found),
        PSS_TEST(test_query_each_class_comes_with_its_flag_alone),
        PSS_TEST(test_query_null_buffer_is_invalid_parameter),
        PSS_TEST(test_query_checks_handle_then_class_then_length_then_presence_then_buffer),
        PSS_TEST(test_query_bad_handle_is_invalid_handle),
        PSS_TEST(test_query_unused_counters_are_zero),
        PSS_TEST(test_query_padding_is_zero),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("query", tests, ledger_warm_up, NULL);
}
