/* SPDX-License-Identifier: MIT */
/* Walk markers: positions, re-use, aliases, bad handles, and how long pointers live. */
#include "ledger.h"
#include "records.h"
#include "under_test.h"

#define EVERYTHING                                                                               \
    (PSS_CAPTURE_RESERVED_00000002 | PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION | \
     PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT | PSS_CAPTURE_VA_SPACE |                   \
     PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION)

static HPSS snapshot_with(DWORD flags)
{
    HPSS snapshot = NULL;

    assert_same(pss.capture(GetCurrentProcess(), flags, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    return snapshot;
}

static HPSSWALK new_marker(void)
{
    HPSSWALK marker = NULL;

    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    assert_non_null(marker);
    return marker;
}

static ULONG_PTR position_of(HPSSWALK marker)
{
    ULONG_PTR position = 0xBAD;

    assert_same(pss.marker_get(marker, &position), ERROR_SUCCESS);
    return position;
}

static PSS_VA_SPACE_ENTRY next_region(HPSS snapshot, HPSSWALK marker)
{
    PSS_VA_SPACE_ENTRY entry;

    assert_same(pss.walk(snapshot, PSS_WALK_VA_SPACE, marker, &entry, sizeof(entry)),
                ERROR_SUCCESS);
    return entry;
}

static PSS_HANDLE_ENTRY next_handle(HPSS snapshot, HPSSWALK marker)
{
    PSS_HANDLE_ENTRY entry;

    assert_same(pss.walk(snapshot, PSS_WALK_HANDLES, marker, &entry, sizeof(entry)), ERROR_SUCCESS);
    return entry;
}

static void test_marker_create_null_result_is_invalid_parameter(void **state)
{
    (void)state;
    only_ours();
    assert_same(pss.marker_create(NULL, NULL), ERROR_INVALID_PARAMETER);
}

static void test_marker_fresh_is_at_zero(void **state)
{
    HPSSWALK marker = new_marker();

    (void)state;
    assert_same(position_of(marker), 0);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
}

static void test_marker_null_position_is_invalid_parameter(void **state)
{
    HPSSWALK marker = new_marker();

    (void)state;
    only_ours();
    assert_same(pss.marker_get(marker, NULL), ERROR_INVALID_PARAMETER);
    assert_same(pss.marker_tell(marker, NULL), ERROR_INVALID_PARAMETER);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
}

static void test_marker_seek_to_beginning_walks_again_from_the_first(void **state)
{
    HPSS snapshot = snapshot_with(EVERYTHING);
    HPSSWALK marker = new_marker();

    (void)state;
    void *first = next_region(snapshot, marker).BaseAddress;
    assert_ptr_not_equal(next_region(snapshot, marker).BaseAddress, first);
    assert_true(position_of(marker) != 0);
    assert_same(pss.marker_restart(marker), ERROR_SUCCESS);
    assert_same(position_of(marker), 0);
    assert_ptr_equal(next_region(snapshot, marker).BaseAddress, first);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    free_snapshot(snapshot);
}

static void test_marker_set_position_returns_to_each_entry(void **state)
{
    HPSS snapshot = snapshot_with(EVERYTHING);
    HPSSWALK marker = new_marker();
    ULONG_PTR positions[64];
    PSS_VA_SPACE_ENTRY regions[64];
    DWORD count = walk_count(snapshot, PSS_WALK_VA_SPACE);

    (void)state;
    count = count < 64 ? count : 64;
    for (DWORD i = 0; i < count; i++) {
        positions[i] = position_of(marker);
        regions[i] = next_region(snapshot, marker);
    }
    for (DWORD i = count; i-- > 0;) {
        assert_same(pss.marker_set(marker, positions[i]), ERROR_SUCCESS);
        assert_same(position_of(marker), positions[i]);
        PSS_VA_SPACE_ENTRY again = next_region(snapshot, marker);
        assert_memory_equal(&again, &regions[i], sizeof(again));
    }
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    free_snapshot(snapshot);
}

static void test_marker_position_goes_to_another_marker_of_the_same_stream(void **state)
{
    HPSS snapshot = snapshot_with(EVERYTHING);
    HPSSWALK one = new_marker();
    HPSSWALK two = new_marker();

    (void)state;
    next_region(snapshot, one);
    next_region(snapshot, one);
    next_region(snapshot, two);
    assert_same(pss.marker_set(two, position_of(one)), ERROR_SUCCESS);
    assert_ptr_equal(next_region(snapshot, two).BaseAddress,
                     next_region(snapshot, one).BaseAddress);
    assert_same(pss.marker_free(one), ERROR_SUCCESS);
    assert_same(pss.marker_free(two), ERROR_SUCCESS);
    free_snapshot(snapshot);
}

static void test_marker_position_out_of_range_is_no_more_items(void **state)
{
    static const ULONG_PTR far_away[] = {1000000, 0x7FFFFFFF, (ULONG_PTR)-1, (ULONG_PTR)-2,
                                         (ULONG_PTR)1 << (sizeof(ULONG_PTR) * 8 - 1)};
    HPSS snapshot = snapshot_with(EVERYTHING);
    HPSSWALK marker = new_marker();
    PSS_VA_SPACE_ENTRY entry;

    (void)state;
    only_ours();
    for (size_t i = 0; i < sizeof(far_away) / sizeof(far_away[0]); i++) {
        next_region(snapshot, marker);
        assert_same(pss.marker_set(marker, far_away[i]), ERROR_SUCCESS);
        assert_same(position_of(marker), far_away[i]);
        assert_same(pss.walk(snapshot, PSS_WALK_VA_SPACE, marker, NULL, 0), ERROR_NO_MORE_ITEMS);
        assert_same(pss.walk(snapshot, PSS_WALK_VA_SPACE, marker, &entry, sizeof(entry)),
                    ERROR_NO_MORE_ITEMS);
        assert_same(pss.marker_restart(marker), ERROR_SUCCESS);
    }
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    free_snapshot(snapshot);
}

static void test_marker_position_set_while_unbound_counts_for_the_next_stream(void **state)
{
    HPSS snapshot = snapshot_with(EVERYTHING);
    HPSSWALK marker = new_marker();
    HPSSWALK unbound = new_marker();

    (void)state;
    only_ours();
    next_region(snapshot, marker);
    assert_same(pss.marker_set(unbound, position_of(marker)), ERROR_SUCCESS);
    PSS_VA_SPACE_ENTRY second = next_region(snapshot, marker);
    assert_ptr_equal(next_region(snapshot, unbound).BaseAddress, second.BaseAddress);

    assert_same(pss.marker_restart(unbound), ERROR_SUCCESS);
    assert_same(pss.marker_restart(marker), ERROR_SUCCESS);
    next_handle(snapshot, marker);
    assert_same(pss.marker_set(unbound, position_of(marker)), ERROR_SUCCESS);
    assert_ptr_equal(next_handle(snapshot, unbound).Handle, next_handle(snapshot, marker).Handle);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    assert_same(pss.marker_free(unbound), ERROR_SUCCESS);
    free_snapshot(snapshot);
}

static void test_marker_used_for_another_class_starts_at_its_beginning(void **state)
{
    HPSS snapshot = snapshot_with(EVERYTHING);
    HPSSWALK marker = new_marker();
    HPSSWALK fresh = new_marker();

    (void)state;
    for (int i = 0; i < 3; i++)
        next_region(snapshot, marker);
    assert_ptr_equal(next_handle(snapshot, marker).Handle, next_handle(snapshot, fresh).Handle);
    assert_same(pss.marker_restart(fresh), ERROR_SUCCESS);
    assert_ptr_equal(next_region(snapshot, marker).BaseAddress,
                     next_region(snapshot, fresh).BaseAddress);
    assert_same(pss.marker_free(fresh), ERROR_SUCCESS);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    free_snapshot(snapshot);
}

static void test_marker_used_for_another_snapshot_starts_at_its_beginning(void **state)
{
    HPSS one = snapshot_with(EVERYTHING);
    HPSS two = snapshot_with(EVERYTHING);
    HPSSWALK marker = new_marker();

    (void)state;
    void *lowest = next_region(one, marker).BaseAddress;
    next_region(one, marker);
    assert_ptr_equal(next_region(two, marker).BaseAddress, lowest);
    assert_ptr_equal(next_region(one, marker).BaseAddress, lowest);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    free_snapshot(one);
    free_snapshot(two);
}

static void test_marker_at_the_end_of_one_class_serves_the_next(void **state)
{
    HPSS snapshot = snapshot_with(EVERYTHING);
    HPSSWALK marker = new_marker();
    unsigned char buffer[256];
    DWORD walked = 0;

    (void)state;
    for (DWORD information = 0; information < 4; information++) {
        DWORD expected = walk_count(snapshot, information);
        walked = 0;
        while (!pss.walk(snapshot, information, marker, buffer, walk_size(information)))
            walked++;
        assert_same(walked, expected);
    }
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    free_snapshot(snapshot);
}

static void test_marker_probe_binds_it_and_failure_does_not(void **state)
{
    HPSS snapshot = snapshot_with(EVERYTHING);
    HPSSWALK marker = new_marker();
    PSS_VA_SPACE_ENTRY entry;

    (void)state;
    only_ours();
    /* A wrong length does not bind: the position set afterwards counts for any stream. */
    assert_same(pss.walk(snapshot, PSS_WALK_VA_SPACE, marker, &entry, 1), ERROR_BAD_LENGTH);
    assert_same(pss.marker_set(marker, (ULONG_PTR)-1), ERROR_SUCCESS);
    assert_same(pss.walk(snapshot, PSS_WALK_HANDLES, marker, NULL, 0), ERROR_NO_MORE_ITEMS);
    /* That 259 has bound it to the handles, so the regions start at their beginning. */
    assert_same(pss.walk(snapshot, PSS_WALK_VA_SPACE, marker, NULL, 0), ERROR_MORE_DATA);
    /* And that 234 has bound it to the regions: a position set now is lost for the handles. */
    assert_same(pss.marker_set(marker, (ULONG_PTR)-1), ERROR_SUCCESS);
    assert_same(pss.walk(snapshot, PSS_WALK_HANDLES, marker, NULL, 0), ERROR_MORE_DATA);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    free_snapshot(snapshot);
}

static void test_marker_aliases_do_the_same(void **state)
{
    HPSS snapshot = snapshot_with(EVERYTHING);
    HPSSWALK marker = new_marker();
    ULONG_PTR told = 0;

    (void)state;
    void *first = next_region(snapshot, marker).BaseAddress;
    assert_same(pss.marker_tell(marker, &told), ERROR_SUCCESS);
    assert_same(told, position_of(marker));
    void *second = next_region(snapshot, marker).BaseAddress;
    assert_same(pss.marker_seek(marker, told), ERROR_SUCCESS);
    assert_same(position_of(marker), told);
    assert_ptr_equal(next_region(snapshot, marker).BaseAddress, second);
    assert_same(pss.marker_rewind(marker), ERROR_SUCCESS);
    assert_same(position_of(marker), 0);
    assert_ptr_equal(next_region(snapshot, marker).BaseAddress, first);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    free_snapshot(snapshot);
}

static void assert_bad_marker(HPSSWALK marker)
{
    ULONG_PTR position = 0x77;

    assert_same(pss.marker_get(marker, &position), ERROR_INVALID_HANDLE);
    assert_same(pss.marker_tell(marker, &position), ERROR_INVALID_HANDLE);
    assert_same(position, 0x77);
    assert_same(pss.marker_set(marker, 0), ERROR_INVALID_HANDLE);
    assert_same(pss.marker_seek(marker, 0), ERROR_INVALID_HANDLE);
    assert_same(pss.marker_restart(marker), ERROR_INVALID_HANDLE);
    assert_same(pss.marker_rewind(marker), ERROR_INVALID_HANDLE);
    assert_same(pss.marker_free(marker), ERROR_INVALID_HANDLE);
}

static void test_marker_bad_handles_are_invalid_handle(void **state)
{
    HPSS snapshot = snapshot_with(PSS_CAPTURE_NONE);
    HPSSWALK freed = new_marker();
    HPSSWALK alive = new_marker();
    uintptr_t on_stack[16] = {0};

    (void)state;
    only_ours();
    assert_same(pss.marker_free(freed), ERROR_SUCCESS);
    assert_bad_marker(freed);
    assert_bad_marker(NULL);
    assert_bad_marker((HPSSWALK)(intptr_t)-1);
    assert_bad_marker((HPSSWALK)(uintptr_t)0xCCCCCCCC);
    assert_bad_marker((HPSSWALK)(uintptr_t)0x10000);
    assert_bad_marker((HPSSWALK)on_stack);
    assert_bad_marker((HPSSWALK)snapshot);
    assert_bad_marker((HPSSWALK)((char *)alive + 1));
    assert_bad_marker((HPSSWALK)((char *)alive + 8));
    assert_same(position_of(alive), 0);
    assert_same(pss.marker_free(alive), ERROR_SUCCESS);
    assert_bad_marker(alive);
    free_snapshot(snapshot);
}

/* Walks one entry of each kind that has pointers, frees the snapshot, then reads through them. */
static void test_marker_pointers_stay_valid_after_free_snapshot(void **state)
{
    HPSS snapshot = snapshot_with(EVERYTHING);
    PSS_AUXILIARY_PAGE_ENTRY page;
    PSS_THREAD_ENTRY thread;
    PSS_HANDLE_ENTRY handle;
    PSS_VA_SPACE_ENTRY region = {0};
    HPSSWALK marker = new_marker();
    CONTEXT context;
    WCHAR type[64];

    (void)state;
    assert_same(pss.walk(snapshot, PSS_WALK_AUXILIARY_PAGES, marker, &page, sizeof(page)), 0);
    assert_same(pss.walk(snapshot, PSS_WALK_THREADS, marker, &thread, sizeof(thread)), 0);
    handle = next_handle(snapshot, marker);
    while (!region.MappedFileName)
        region = next_region(snapshot, marker);
    assert_non_null(thread.ContextRecord);
    memcpy(&context, thread.ContextRecord, sizeof(context));
    wcscpy(type, handle.TypeName);
    WCHAR *file = _wcsdup(region.MappedFileName);

    free_snapshot(snapshot);
    assert_memory_equal(thread.ContextRecord, &context, sizeof(context));
    assert_same(wcscmp(handle.TypeName, type), 0);
    assert_same(wcscmp(region.MappedFileName, file), 0);
    assert_same(*((const unsigned char *)page.PageContents + 0x26C),
                *(const unsigned char *)(uintptr_t)0x7FFE026C);
    free(file);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
}

static void test_marker_keeps_every_snapshot_that_it_walked(void **state)
{
    HPSS snapshots[20];
    PSS_HANDLE_ENTRY handles[20];
    HPSSWALK marker = new_marker();

    (void)state;
    for (int i = 0; i < 20; i++) {
        snapshots[i] = snapshot_with(PSS_CAPTURE_HANDLES);
        handles[i] = next_handle(snapshots[i], marker);
        assert_non_null(handles[i].TypeName);
    }
    for (int i = 0; i < 20; i++)
        free_snapshot(snapshots[i]);
    for (int i = 0; i < 20; i++)
        assert_text(handles[i].TypeName, handles[i].TypeNameLength);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
}

static void test_marker_many_walk_one_snapshot_independently(void **state)
{
    HPSS snapshot = snapshot_with(PSS_CAPTURE_VA_SPACE);
    HPSSWALK markers[40];
    void *first[40];

    (void)state;
    for (int i = 0; i < 40; i++) {
        markers[i] = new_marker();
        for (int j = 0; j < i % 5; j++)
            next_region(snapshot, markers[i]);
    }
    for (int i = 0; i < 40; i++)
        first[i] = next_region(snapshot, markers[i]).BaseAddress;
    for (int i = 5; i < 40; i++)
        assert_ptr_equal(first[i], first[i % 5]);
    for (int i = 0; i < 40; i++)
        assert_same(pss.marker_free(markers[i]), ERROR_SUCCESS);
    free_snapshot(snapshot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_marker_create_null_result_is_invalid_parameter),
        PSS_TEST(test_marker_fresh_is_at_zero),
        PSS_TEST(test_marker_null_position_is_invalid_parameter),
        PSS_TEST(test_marker_seek_to_beginning_walks_again_from_the_first),
        PSS_TEST(test_marker_set_position_returns_to_each_entry),
        PSS_TEST(test_marker_position_goes_to_another_marker_of_the_same_stream),
        PSS_TEST(test_marker_position_out_of_range_is_no_more_items),
        PSS_TEST(test_marker_position_set_while_unbound_counts_for_the_next_stream),
        PSS_TEST(test_marker_used_for_another_class_starts_at_its_beginning),
        PSS_TEST(test_marker_used_for_another_snapshot_starts_at_its_beginning),
        PSS_TEST(test_marker_at_the_end_of_one_class_serves_the_next),
        PSS_TEST(test_marker_probe_binds_it_and_failure_does_not),
        PSS_TEST(test_marker_aliases_do_the_same),
        PSS_TEST(test_marker_bad_handles_are_invalid_handle),
        PSS_TEST(test_marker_pointers_stay_valid_after_free_snapshot),
        PSS_TEST(test_marker_keeps_every_snapshot_that_it_walked),
        PSS_TEST(test_marker_many_walk_one_snapshot_independently),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("markers", tests, ledger_warm_up, NULL);
}
