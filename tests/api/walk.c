/* SPDX-License-Identifier: MIT */
/* PssWalkSnapshot: classes, exact lengths, the order of its checks, probing and the end of a walk.
 */
#include "ledger.h"
#include "records.h"
#include "under_test.h"

#define CLASSES     5
#define BUFFER_SIZE 2048
#define EVERYTHING                                                               \
    (PSS_CAPTURE_RESERVED_00000002 | PSS_CAPTURE_HANDLES | PSS_CAPTURE_THREADS | \
     PSS_CAPTURE_VA_SPACE)

struct walk_case {
    HPSS snapshot;
    HPSSWALK marker;
};

static struct walk_case walk_over(DWORD flags)
{
    struct walk_case walk = {0};

    assert_same(pss.capture(GetCurrentProcess(), flags, 0, &walk.snapshot), ERROR_SUCCESS);
    assert_same(pss.marker_create(NULL, &walk.marker), ERROR_SUCCESS);
    return walk;
}

static void end_walk(struct walk_case *walk)
{
    assert_same(pss.marker_free(walk->marker), ERROR_SUCCESS);
    free_snapshot(walk->snapshot);
}

/* Class 4 exists natively in name only. */
static DWORD class_count(void)
{
    return under_test_is_ours() ? CLASSES : CLASSES - 1;
}

/* A walk must fail with this code, leave the buffer alone and the marker where it was. */
static void assert_walk_fails(const struct walk_case *walk, DWORD information, DWORD size,
                              DWORD expected)
{
    static unsigned char buffer[BUFFER_SIZE];
    static unsigned char untouched[BUFFER_SIZE];
    ULONG_PTR before = 0;
    ULONG_PTR after = 1;

    memset(buffer, 0x5C, sizeof(buffer));
    memset(untouched, 0x5C, sizeof(untouched));
    assert_same(pss.marker_get(walk->marker, &before), ERROR_SUCCESS);
    DWORD error = pss.walk(walk->snapshot, information, walk->marker, buffer, size);
    if (error != expected)
        print_error("class %lu, length %lu\n", information, size);
    assert_same(error, expected);
    assert_memory_equal(buffer, untouched, sizeof(buffer));
    assert_same(pss.marker_get(walk->marker, &after), ERROR_SUCCESS);
    assert_same(after, before);
}

static void test_walk_to_the_end_gives_as_many_entries_as_the_query_counts(void **state)
{
    struct walk_case walk = walk_over(EVERYTHING);

    (void)state;
    for (DWORD information = 0; information < class_count(); information++) {
        struct records records = records_read(walk.snapshot, information);
        assert_true(records.count > 0);
        records_free(&records);
    }
    end_walk(&walk);
}

static void test_walk_past_end_repeats_no_more_items_and_leaves_the_buffer(void **state)
{
    struct walk_case walk = walk_over(EVERYTHING);
    unsigned char buffer[BUFFER_SIZE];

    (void)state;
    for (DWORD information = 0; information < class_count(); information++) {
        while (!pss.walk(walk.snapshot, information, walk.marker, buffer, walk_size(information)))
            ;
        for (int i = 0; i < 5; i++)
            assert_walk_fails(&walk, information, walk_size(information), ERROR_NO_MORE_ITEMS);
    }
    end_walk(&walk);
}

static void test_walk_does_not_write_past_its_length(void **state)
{
    struct walk_case walk = walk_over(EVERYTHING);
    unsigned char buffer[BUFFER_SIZE];

    (void)state;
    for (DWORD information = 0; information < class_count(); information++) {
        DWORD size = walk_size(information);
        memset(buffer, 0x5C, sizeof(buffer));
        assert_same(pss.walk(walk.snapshot, information, walk.marker, buffer, size), ERROR_SUCCESS);
        for (size_t i = size; i < sizeof(buffer); i++)
            assert_same(buffer[i], 0x5C);
    }
    end_walk(&walk);
}

static void test_walk_any_other_length_is_bad_length(void **state)
{
    struct walk_case walk = walk_over(EVERYTHING);

    (void)state;
    for (DWORD information = 0; information < class_count(); information++) {
        DWORD exact = walk_size(information);
        for (DWORD size = 0; size < 512; size++)
            if (size != exact)
                assert_walk_fails(&walk, information, size, ERROR_BAD_LENGTH);
        assert_walk_fails(&walk, information, exact + 0x10000, ERROR_BAD_LENGTH);
        assert_walk_fails(&walk, information, 0xFFFFFFFF, ERROR_BAD_LENGTH);
    }
    end_walk(&walk);
}

static void test_walk_bad_length_at_the_end_is_bad_length(void **state)
{
    struct walk_case walk = walk_over(EVERYTHING);
    unsigned char buffer[BUFFER_SIZE];

    (void)state;
    only_ours();
    while (
        !pss.walk(walk.snapshot, PSS_WALK_THREADS, walk.marker, buffer, sizeof(PSS_THREAD_ENTRY)))
        ;
    assert_walk_fails(&walk, PSS_WALK_THREADS, 3, ERROR_BAD_LENGTH);
    end_walk(&walk);
}

static void test_walk_unknown_class_is_invalid_parameter(void **state)
{
    static const DWORD unknown[] = {5, 6, 7, 100, 256, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
    struct walk_case walk = walk_over(EVERYTHING);

    (void)state;
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        assert_walk_fails(&walk, unknown[i], 80, ERROR_INVALID_PARAMETER);
    end_walk(&walk);
}

static void test_walk_class_not_captured_is_not_found(void **state)
{
    struct walk_case walk = walk_over(PSS_CAPTURE_NONE);

    (void)state;
    for (DWORD information = 0; information < class_count(); information++) {
        assert_walk_fails(&walk, information, walk_size(information), ERROR_NOT_FOUND);
        assert_walk_fails(&walk, information, 1, ERROR_NOT_FOUND);
        assert_same(pss.walk(walk.snapshot, information, walk.marker, NULL, 0), ERROR_NOT_FOUND);
    }
    end_walk(&walk);
}

static void test_walk_each_class_comes_with_its_flag_alone(void **state)
{
    static const struct {
        DWORD flag;
        DWORD present;
    } rows[] = {
        {PSS_CAPTURE_RESERVED_00000002, 1u << PSS_WALK_AUXILIARY_PAGES},
        {PSS_CAPTURE_VA_SPACE, 1u << PSS_WALK_VA_SPACE},
        {PSS_CAPTURE_HANDLES, 1u << PSS_WALK_HANDLES},
        {PSS_CAPTURE_THREADS, 1u << PSS_WALK_THREADS | 1u << PSS_WALK_THREAD_NAME},
    };

    (void)state;
    only_ours();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct walk_case walk = walk_over(rows[i].flag);
        for (DWORD information = 0; information < CLASSES; information++) {
            DWORD expected = rows[i].present >> information & 1 ? ERROR_MORE_DATA : ERROR_NOT_FOUND;
            assert_same(pss.walk(walk.snapshot, information, walk.marker, NULL, 0), expected);
        }
        end_walk(&walk);
    }
}

static void test_walk_null_buffer_probes_with_any_length_without_advancing(void **state)
{
    static const DWORD sizes[] = {0, 1, 80, 120, 136, 0xFFFFFFFF};
    struct walk_case walk = walk_over(EVERYTHING);
    unsigned char buffer[BUFFER_SIZE];

    (void)state;
    for (DWORD information = 0; information < class_count(); information++) {
        DWORD walked = 0;
        do {
            for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
                assert_same(pss.walk(walk.snapshot, information, walk.marker, NULL, sizes[i]),
                            ERROR_MORE_DATA);
            assert_same(
                pss.walk(walk.snapshot, information, walk.marker, buffer, walk_size(information)),
                ERROR_SUCCESS);
            walked++;
        } while (walked < walk_count(walk.snapshot, information));
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
            assert_same(pss.walk(walk.snapshot, information, walk.marker, NULL, sizes[i]),
                        ERROR_NO_MORE_ITEMS);
    }
    end_walk(&walk);
}

static void test_walk_checks_handles_then_class_then_presence_then_length(void **state)
{
    struct walk_case walk = walk_over(PSS_CAPTURE_THREADS);

    (void)state;
    only_ours();
    assert_same(pss.walk(NULL, 99, walk.marker, NULL, 0), ERROR_INVALID_HANDLE);
    assert_same(pss.walk(walk.snapshot, 99, NULL, NULL, 0), ERROR_INVALID_HANDLE);
    assert_same(pss.walk(walk.snapshot, 99, walk.marker, NULL, 0), ERROR_INVALID_PARAMETER);
    assert_same(pss.walk(walk.snapshot, PSS_WALK_HANDLES, walk.marker, NULL, 0), ERROR_NOT_FOUND);
    assert_walk_fails(&walk, PSS_WALK_HANDLES, 1, ERROR_NOT_FOUND);
    assert_same(pss.walk(walk.snapshot, PSS_WALK_THREADS, walk.marker, NULL, 1), ERROR_MORE_DATA);
    assert_walk_fails(&walk, PSS_WALK_THREADS, 1, ERROR_BAD_LENGTH);
    end_walk(&walk);
}

static void test_walk_bad_handles_are_invalid_handle(void **state)
{
    struct walk_case walk = walk_over(EVERYTHING);
    PSS_THREAD_ENTRY entry;
    const HPSS snapshots[] = {NULL, (HPSS)(intptr_t)-1, (HPSS)(uintptr_t)0x10000,
                              (HPSS)((char *)walk.snapshot + 1), (HPSS)walk.marker};
    const HPSSWALK markers[] = {NULL, (HPSSWALK)(intptr_t)-1, (HPSSWALK)(uintptr_t)0x10000,
                                (HPSSWALK)((char *)walk.marker + 1), (HPSSWALK)walk.snapshot};

    (void)state;
    only_ours();
    for (int i = 0; i < 5; i++) {
        assert_same(pss.walk(snapshots[i], PSS_WALK_THREADS, walk.marker, &entry, sizeof(entry)),
                    ERROR_INVALID_HANDLE);
        assert_same(pss.walk(walk.snapshot, PSS_WALK_THREADS, markers[i], &entry, sizeof(entry)),
                    ERROR_INVALID_HANDLE);
    }
    end_walk(&walk);
}

static void test_walk_freed_snapshot_is_invalid_handle(void **state)
{
    struct walk_case walk = walk_over(EVERYTHING);
    PSS_THREAD_ENTRY entry;

    (void)state;
    only_ours();
    assert_same(pss.walk(walk.snapshot, PSS_WALK_THREADS, walk.marker, &entry, sizeof(entry)),
                ERROR_SUCCESS);
    free_snapshot(walk.snapshot);
    assert_same(pss.walk(walk.snapshot, PSS_WALK_THREADS, walk.marker, &entry, sizeof(entry)),
                ERROR_INVALID_HANDLE);
    assert_same(pss.walk(walk.snapshot, PSS_WALK_THREADS, walk.marker, NULL, 0),
                ERROR_INVALID_HANDLE);
    assert_same(pss.marker_free(walk.marker), ERROR_SUCCESS);
}

static void test_walk_snapshot_data_never_changes(void **state)
{
    struct walk_case walk = walk_over(EVERYTHING);
    HANDLE events[50];

    (void)state;
    struct records first = records_read(walk.snapshot, PSS_WALK_HANDLES);
    for (int i = 0; i < 50; i++)
        events[i] = CreateEventW(NULL, TRUE, FALSE, NULL);
    struct records second = records_read(walk.snapshot, PSS_WALK_HANDLES);
    assert_same(first.count, second.count);
    assert_memory_equal(first.entries, second.entries, (size_t)first.count * first.entry_size);
    records_free(&first);
    records_free(&second);
    for (int i = 0; i < 50; i++)
        CloseHandle(events[i]);
    end_walk(&walk);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_walk_to_the_end_gives_as_many_entries_as_the_query_counts),
        PSS_TEST(test_walk_past_end_repeats_no_more_items_and_leaves_the_buffer),
        PSS_TEST(test_walk_does_not_write_past_its_length),
        PSS_TEST(test_walk_any_other_length_is_bad_length),
        PSS_TEST(test_walk_bad_length_at_the_end_is_bad_length),
        PSS_TEST(test_walk_unknown_class_is_invalid_parameter),
        PSS_TEST(test_walk_class_not_captured_is_not_found),
        PSS_TEST(test_walk_each_class_comes_with_its_flag_alone),
        PSS_TEST(test_walk_null_buffer_probes_with_any_length_without_advancing),
        PSS_TEST(test_walk_checks_handles_then_class_then_presence_then_length),
        PSS_TEST(test_walk_bad_handles_are_invalid_handle),
        PSS_TEST(test_walk_freed_snapshot_is_invalid_handle),
        PSS_TEST(test_walk_snapshot_data_never_changes),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("walk", tests, ledger_warm_up, NULL);
}
