/* SPDX-License-Identifier: MIT */
/* The handle trace: its section, and who may close what of it in which order. */
#include "world.h"

static const unsigned char trace[100] = {1, 2, 3, [99] = 0xAB};

static void be_traced(const void *bytes, uint32_t size)
{
    world.target->trace = bytes;
    world.target->trace_size = size;
}

static PSS_HANDLE_TRACE_INFORMATION capture(void)
{
    PSS_HANDLE_TRACE_INFORMATION information;

    world_capture(PSS_CAPTURE_HANDLE_TRACE);
    world_query(PSS_QUERY_HANDLE_TRACE_INFORMATION, &information, sizeof(information));
    return information;
}

static void test_trace_is_in_a_section_of_its_size(void **state)
{
    PSS_HANDLE_TRACE_INFORMATION information;
    void *view = NULL;
    SIZE_T size;

    (void)state;
    be_traced(trace, sizeof(trace));
    information = capture();
    size = information.Size;
    assert_same(information.Size, sizeof(trace));
    assert_same(fake_nt()->map_view(information.SectionHandle, PSS_CURRENT_PROCESS, &view, 0, 0,
                                    NULL, &size, PSS_NT_VIEW_UNMAP, 0, PAGE_READONLY),
                STATUS_SUCCESS);
    assert_memory_equal(view, trace, sizeof(trace));
    assert_same(fake_nt()->unmap_view(PSS_CURRENT_PROCESS, view), STATUS_SUCCESS);
}

static void test_trace_of_any_size_fits(void **state)
{
    static unsigned char large[0x300000];

    (void)state;
    memset(large, 0x77, sizeof(large));
    be_traced(large, sizeof(large));
    assert_same(capture().Size, sizeof(large));
    be_traced(large, 0);
    assert_same(capture().Size, 0);
}

static void test_trace_of_an_untraced_process_is_not_found(void **state)
{
    (void)state;
    world_capture(PSS_CAPTURE_HANDLE_TRACE);
    assert_same(world_query_status(PSS_QUERY_HANDLE_TRACE_INFORMATION, 16), STATUS_NOT_FOUND);
}

/* The client closes what he was lent, before the free. */
static void test_trace_section_may_be_closed_by_the_client(void **state)
{
    (void)state;
    be_traced(trace, sizeof(trace));
    assert_same(fake_nt()->close(capture().SectionHandle), STATUS_SUCCESS);
}

/* The value that was lent is another object's by now: it must survive the free. */
static void test_trace_section_recycled_by_another_object_survives(void **state)
{
    static const enum fake_type types[] = {FAKE_EVENT, FAKE_SECTION, FAKE_SECTION};
    static const LONGLONG sizes[] = {0, 0x10000, sizeof(trace) + 7}; /* the last: too small */

    (void)state;
    be_traced(trace, sizeof(trace));
    for (int i = 0; i < 3; i++) {
        HANDLE lent = capture().SectionHandle;
        struct fake_object *object = fake_object_add(types[i]);

        object->section.maximum_size.QuadPart = sizes[i];
        assert_same(fake_nt()->close(lent), STATUS_SUCCESS);
        assert_same(fake_handle_open(fake.own, object, GENERIC_ALL, 0), lent);
        world_release();
        assert_same(object->handle_count, 1);
    }
}

/* A section of the client's with the same size and contents, but not our mark. */
static void test_trace_section_recycled_by_a_look_alike_survives(void **state)
{
    HANDLE lent, alike = NULL;
    LARGE_INTEGER size = {.QuadPart = sizeof(trace) + 8};

    (void)state;
    be_traced(trace, sizeof(trace));
    lent = capture().SectionHandle;
    assert_same(fake_nt()->close(lent), STATUS_SUCCESS);
    assert_same(fake_nt()->create_section(&alike, SECTION_ALL_ACCESS, NULL, &size, PAGE_READWRITE,
                                          SEC_COMMIT, NULL),
                STATUS_SUCCESS);
    assert_same(alike, lent);
    world_release();
    assert_same(fake_nt()->close(alike), STATUS_SUCCESS);
}

/* The value that was lent is a handle of the client's own to the very section by now. */
static void test_own_handle_of_the_client_to_the_section_survives(void **state)
{
    struct fake_object *section;
    HANDLE lent;

    (void)state;
    be_traced(trace, sizeof(trace));
    lent = capture().SectionHandle;
    section = fake_handle_find(fake.own, lent)->object;
    assert_same(fake_nt()->close(lent), STATUS_SUCCESS);
    assert_same(fake_handle_open(fake.own, section, SECTION_MAP_READ, 0), lent);
    world_release();
    assert_same(section->handle_count, 1);
}

static void test_trace_lives_as_long_as_the_snapshot_not_as_its_markers(void **state)
{
    (void)state;
    fake_thread_add(world.target, 2004);
    be_traced(trace, sizeof(trace));
    world_capture(PSS_CAPTURE_HANDLE_TRACE | PSS_CAPTURE_THREADS);
    assert_same(pss_snapshot_walk(world.snapshot, PSS_WALK_THREADS, world.marker, NULL, 0),
                STATUS_MORE_ENTRIES);
    assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, world.snapshot), STATUS_SUCCESS);
    world.snapshot = NULL;
    assert_same(fake_ledger_now().handles, 0);
    assert_same(fake_ledger_now().allocations, 1);
}

static NTSTATUS tell_too_much(void *context, enum fake_call call, void *buffer, SIZE_T size,
                              ULONG *returned)
{
    (void)context;
    (void)buffer;
    if (call == FAKE_QUERY_PROCESS && size >= 0x10000 && returned)
        *returned = 0xFFFFFFF0;
    return STATUS_SUCCESS;
}

static void test_trace_is_no_larger_than_what_it_was_asked_into(void **state)
{
    (void)state;
    be_traced(trace, sizeof(trace));
    fake.lie = tell_too_much;
    assert_same(capture().Size, 0x10000);
}

/* Where the sum of it and of the mark wraps in 32 bits, and from the first size on that is none. */
static void test_block_with_a_trace_beyond_the_limit_is_none(void **state)
{
    static const uint32_t sizes[] = {PSS_TRACE_SIZE_LIMIT + 1, 0xFFFFFFF8, 0xFFFFFFFF};
    struct pss_trace_record *record;
    struct pss_block *block;
    uint32_t size;

    (void)state;
    be_traced(trace, sizeof(trace));
    capture();
    block = (struct pss_block *)world.snapshot;
    record = (struct pss_trace_record *)(uintptr_t)pss_block_record(block, PSS_SECTION_TRACE, 0);
    size = record->size;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        record->size = sizes[i];
        assert_same(pss_block_validate(block, block->size), STATUS_INVALID_HANDLE);
    }
    record->size = PSS_TRACE_SIZE_LIMIT;
    assert_same(pss_block_validate(block, block->size), STATUS_SUCCESS);
    record->size = size;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_trace_is_in_a_section_of_its_size),
        fixture_test(test_trace_of_any_size_fits),
        fixture_test(test_trace_of_an_untraced_process_is_not_found),
        fixture_test(test_trace_section_may_be_closed_by_the_client),
        fixture_test(test_trace_section_recycled_by_another_object_survives),
        fixture_test(test_trace_section_recycled_by_a_look_alike_survives),
        fixture_test(test_own_handle_of_the_client_to_the_section_survives),
        fixture_test(test_trace_lives_as_long_as_the_snapshot_not_as_its_markers),
        fixture_test(test_trace_is_no_larger_than_what_it_was_asked_into),
        fixture_test(test_block_with_a_trace_beyond_the_limit_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
