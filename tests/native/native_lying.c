/* SPDX-License-Identifier: MIT */
/* A kernel that lies: counts and pointers beyond buffers, lists without end, answers that never
 * fit. */
#include "block_walk.h"
#include "clone_world.h"
#include "support/soak.h"

#include <stddef.h>

/* The answers to lie about, and how. */
struct lie {
    enum fake_call call;
    SIZE_T size;   /* only answers of so many bytes; 0: all */
    SIZE_T offset; /* where in the answer; the end of it less something if `from_end` */
    uint64_t value;
    uint32_t width;  /* bytes of it; 0: leave the answer alone */
    ULONG returned;  /* what the call says it returned; 0: the truth */
    NTSTATUS status; /* what it gives */
    uint64_t told;   /* lies told */
};

static NTSTATUS tell(void *context, enum fake_call call, void *buffer, SIZE_T size, ULONG *returned)
{
    struct lie *lie = context;

    if (call != lie->call || (lie->size && size != lie->size) || lie->offset + lie->width > size)
        return STATUS_SUCCESS;
    lie->told++;
    memcpy((char *)buffer + lie->offset, &lie->value, lie->width);
    if (lie->returned && returned)
        *returned = lie->returned;
    return lie->status;
}

/* Captures under a lie; a snapshot that comes out of it must be sound and usable. */
static NTSTATUS capture_under(struct lie *lie, uint32_t flags)
{
    HPSS snapshot = pointer_to(1);
    NTSTATUS status;

    fake.lie = tell;
    fake.context = lie;
    status = pss_snapshot_capture(fake_nt(), world.process, flags, CONTEXT_EVERYTHING, &snapshot);
    fake.lie = NULL;
    if (NT_SUCCESS(status)) {
        const struct pss_block *block = (const struct pss_block *)snapshot;

        assert_same(pss_block_validate(block, block->size), STATUS_SUCCESS);
        block_use(snapshot);
        assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, snapshot), STATUS_SUCCESS);
    } else {
        assert_null(snapshot);
    }
    assert_true(fake_ledger_is_zero());
    return status;
}

static const uint64_t nasty[] = {0,
                                 1,
                                 7,
                                 8,
                                 0x7FFF,
                                 0xFFFF,
                                 0x10000,
                                 0x7FFFFFFF,
                                 0x80000000,
                                 0xFFFFFFFF,
                                 0x7FFFFFFFFFFFFFFF,
                                 0xFFFFFFFFFFFFFFFF};

#define NASTY_COUNT (sizeof(nasty) / sizeof(nasty[0]))

static void test_handle_count_beyond_the_table_is_an_error(void **state)
{
    static const uint64_t counts[] = {0x10000000, 0xFFFFFFFF, 0x0666666666666667,
                                      0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF};

    (void)state;
    world_furnish();
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct lie lie = {.call = FAKE_QUERY_SYSTEM, .value = counts[i], .width = 8};

        assert_false(NT_SUCCESS(capture_under(&lie, PSS_CAPTURE_HANDLES)));
        assert_same(lie.told, 1);
    }
}

/* What the system says it gave does not make the buffer larger. */
static void test_handle_count_beyond_the_buffer_is_an_error(void **state)
{
    (void)state;
    world_furnish();
    for (uint64_t count = 0x2000; count <= 0x800000; count *= 4) {
        struct lie lie = {
            .call = FAKE_QUERY_SYSTEM, .value = count, .width = 8, .returned = 0x7FFFFFFF};

        assert_false(NT_SUCCESS(capture_under(&lie, PSS_CAPTURE_HANDLES)));
        assert_same(lie.told, 1);
    }
}

static void test_process_rows_beyond_the_table_are_an_error(void **state)
{
    static const struct {
        SIZE_T offset;
        uint32_t value;
    } cases[] = {
        {offsetof(struct pss_nt_process_row, thread_count), 0xFFFFFFFF},
        {offsetof(struct pss_nt_process_row, thread_count), 0x10000},
        {offsetof(struct pss_nt_process_row, next_offset), 0xFFFFFFFF},
        {offsetof(struct pss_nt_process_row, next_offset), 0xFFFFFFF8},
        {offsetof(struct pss_nt_process_row, next_offset), 0x80000000},
    };

    (void)state;
    world_furnish();
    fake.mixes_up_times = 1;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lie lie = {.call = FAKE_QUERY_SYSTEM,
                          .offset = cases[i].offset,
                          .value = cases[i].value,
                          .width = 4};

        assert_false(NT_SUCCESS(capture_under(&lie, PSS_CAPTURE_THREADS)));
        assert_same(lie.told, 1);
    }
}

/* The target's row is the second one: the table ends somewhere in its head, whatever lies behind.
 */
static void test_process_row_that_is_cut_off_is_an_error(void **state)
{
    SIZE_T head = offsetof(struct pss_nt_process_row, threads), first;

    (void)state;
    world_furnish();
    fake.mixes_up_times = 1;
    first = head + fake.own->thread_count * sizeof(struct pss_nt_thread_row);
    for (SIZE_T i = 1; i < head; i++) {
        struct lie lie = {.call = FAKE_QUERY_SYSTEM, .returned = (ULONG)(first + i)};

        assert_same(capture_under(&lie, PSS_CAPTURE_THREADS), STATUS_INTERNAL_ERROR);
        assert_same(lie.told, 1);
    }
}

/* Rows that overlap take as long as the table has bytes, and no longer. */
static void test_process_rows_that_creep_end_with_the_table(void **state)
{
    (void)state;
    world_furnish();
    fake.mixes_up_times = 1;
    for (uint32_t step = 1; step < 300; step++) {
        struct lie lie = {.call = FAKE_QUERY_SYSTEM, .value = step, .width = 4};

        capture_under(&lie, PSS_CAPTURE_THREADS);
    }
}

static void test_tables_that_returned_more_than_fits_are_safe(void **state)
{
    (void)state;
    world_furnish();
    fake.mixes_up_times = 1;
    for (size_t i = 1; i < NASTY_COUNT; i++) {
        struct lie lie = {.call = FAKE_QUERY_SYSTEM, .returned = (ULONG)nasty[i]};

        capture_under(&lie, PSS_CAPTURE_THREADS | PSS_CAPTURE_HANDLES);
        assert_true(lie.told > 0);
    }
}

/* Each 8 bytes of each answer, with every other nasty value in turns; fewer of them in a sample. */
static void test_any_number_of_any_answer_may_be_nonsense(void **state)
{
    static const enum fake_call calls[] = {
        FAKE_QUERY_PROCESS, FAKE_QUERY_THREAD,    FAKE_QUERY_SYSTEM, FAKE_QUERY_OBJECT,
        FAKE_QUERY_EVENT,   FAKE_QUERY_SEMAPHORE, FAKE_QUERY_MUTANT, FAKE_QUERY_TIME,
        FAKE_QUERY_COUNTER, FAKE_GET_CONTEXT,     FAKE_READ_MEMORY};
    SIZE_T step = soak_or(6, 2);

    (void)state;
    world_furnish();
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        for (SIZE_T offset = 0; offset < 0x140; offset += 4)
            for (size_t j = offset / 4 % step; j < NASTY_COUNT; j += step) {
                struct lie lie = {
                    .call = calls[i], .offset = offset, .value = nasty[j], .width = 8};

                capture_under(&lie, EVERYTHING);
            }
}

/* A clone under lies: a carrier that is lied about may be lost, and a thread with it. */
static void clone_under(struct lie *lie, uint32_t flags)
{
    HPSS snapshot = pointer_to(1);
    struct fake_ledger ledger;
    NTSTATUS status;

    clone_world_setup(NULL);
    fake.lie = tell;
    fake.context = lie;
    status = pss_snapshot_capture(fake_nt(), world.process, flags, 0, &snapshot);
    fake.lie = NULL;
    assert_same(NT_SUCCESS(status), snapshot != NULL);
    if (snapshot) {
        block_use(snapshot);
        assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, snapshot), STATUS_SUCCESS);
    }
    ledger = fake_ledger_now();
    assert_same(ledger.carriers | ledger.suspensions | ledger.views | ledger.bad_closes, 0);
    if (!ledger.threads)
        assert_true(fake_ledger_is_zero());
    assert_same(fake.strange_writes, 0);
    fake_fini();
    world_setup(NULL); /* for the teardown to find nothing */
}

/* Where a lie would have it hang, the test's own time limit tells. */
static void test_clone_under_lies_ends_and_writes_to_nobody_else(void **state)
{
    static const enum fake_call calls[] = {FAKE_LIST_DIRECTORY, FAKE_READ_FILE,
                                           FAKE_QUERY_PROCESS,  FAKE_QUERY_THREAD,
                                           FAKE_QUERY_MEMORY,   FAKE_READ_MEMORY};

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        for (SIZE_T offset = 0; offset < 0x40; offset += 4)
            for (size_t j = offset / 4 % 2; j < NASTY_COUNT; j += 2)
                for (uint32_t width = 4; width <= 8; width += 4) {
                    struct lie lie = {
                        .call = calls[i], .offset = offset, .value = nasty[j], .width = width};

                    world_teardown(state);
                    clone_under(&lie, PSS_CAPTURE_VA_CLONE);
                }
}

static void test_files_that_say_they_gave_something_else_are_safe(void **state)
{
    static const enum fake_call calls[] = {FAKE_LIST_DIRECTORY, FAKE_READ_FILE};

    for (int i = 0; i < 2; i++)
        for (size_t j = 1; j < NASTY_COUNT; j++) {
            struct lie lie = {.call = calls[i], .returned = (ULONG)nasty[j]};

            world_teardown(state);
            clone_under(&lie, PSS_CAPTURE_VA_CLONE);
        }
}

/* A text whose characters lie before, behind or across the buffer is no text. */
static void test_texts_outside_of_their_buffer_are_none(void **state)
{
    static const uint64_t pointers[] = {0, 1, 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFE, 0x10000};
    PSS_THREAD_NAME name;

    (void)state;
    fake_thread_add(world.target, 2004)->name = FAKE_TEXT(L"name");
    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        struct lie lie = {.call = FAKE_QUERY_THREAD,
                          .size = 0x11000,
                          .offset = offsetof(UNICODE_STRING, Buffer),
                          .value = pointers[i],
                          .width = 8};

        fake.lie = tell;
        fake.context = &lie;
        world_capture(PSS_CAPTURE_THREADS);
        fake.lie = NULL;
        assert_same(lie.told, 1);
        assert_same(world_walk(PSS_WALK_THREAD_NAME, &name, sizeof(name), 1), 1);
        assert_text(name.ThreadName, name.ThreadNameSize, (struct fake_text){NULL, 0});
    }
}

/* A text that ends where its buffer does, or so many bytes behind. */
static NTSTATUS put_text_at_the_end(void *context, enum fake_call call, void *buffer, SIZE_T size,
                                    ULONG *returned)
{
    UNICODE_STRING *text = buffer;
    const uint32_t *excess = context;

    (void)returned;
    if (call != FAKE_QUERY_THREAD || size != 0x11000)
        return STATUS_SUCCESS;
    text->Length = (USHORT)(sizeof(L"end") - sizeof(WCHAR) + *excess);
    text->Buffer = (WCHAR *)(void *)((char *)buffer + size - sizeof(L"end") + sizeof(WCHAR));
    memcpy(text->Buffer, L"end", sizeof(L"end") - sizeof(WCHAR));
    return STATUS_SUCCESS;
}

static void test_text_is_taken_to_the_end_of_its_buffer_and_not_beyond(void **state)
{
    PSS_THREAD_NAME name;

    (void)state;
    fake_thread_add(world.target, 2004);
    for (uint32_t excess = 0; excess < 6; excess++) {
        fake.lie = put_text_at_the_end;
        fake.context = &excess;
        world_capture(PSS_CAPTURE_THREADS);
        fake.lie = NULL;
        assert_same(world_walk(PSS_WALK_THREAD_NAME, &name, sizeof(name), 1), 1);
        assert_text(name.ThreadName, name.ThreadNameSize,
                    excess ? (struct fake_text){NULL, 0} : FAKE_TEXT(L"end"));
    }
}

static NTSTATUS put_text_at_an_odd_place(void *context, enum fake_call call, void *buffer,
                                         SIZE_T size, ULONG *returned)
{
    UNICODE_STRING *text = buffer;

    (void)context;
    (void)returned;
    if (call == FAKE_QUERY_THREAD && size == 0x11000) {
        text->Length = 8;
        text->Buffer = (WCHAR *)(void *)((uintptr_t)(text + 1) + 1);
    }
    return STATUS_SUCCESS;
}

static void test_text_at_an_odd_place_is_none(void **state)
{
    PSS_THREAD_NAME name;

    (void)state;
    fake_thread_add(world.target, 2004)->name = FAKE_TEXT(L"name");
    fake.lie = put_text_at_an_odd_place;
    world_capture(PSS_CAPTURE_THREADS);
    fake.lie = NULL;
    assert_same(world_walk(PSS_WALK_THREAD_NAME, &name, sizeof(name), 1), 1);
    assert_text(name.ThreadName, name.ThreadNameSize, (struct fake_text){NULL, 0});
}

static void test_text_with_an_odd_length_loses_a_byte(void **state)
{
    struct lie lie = {.call = FAKE_QUERY_THREAD, .size = 0x11000, .value = 7, .width = 2};
    PSS_THREAD_NAME name;

    (void)state;
    fake_thread_add(world.target, 2004)->name = FAKE_TEXT(L"name");
    fake.lie = tell;
    fake.context = &lie;
    world_capture(PSS_CAPTURE_THREADS);
    fake.lie = NULL;
    assert_same(world_walk(PSS_WALK_THREAD_NAME, &name, sizeof(name), 1), 1);
    assert_text(name.ThreadName, name.ThreadNameSize, FAKE_TEXT(L"nam"));
}

static void check_region_lie(SIZE_T offset, uint64_t value)
{
    struct lie lie = {.call = FAKE_QUERY_MEMORY,
                      .size = sizeof(MEMORY_BASIC_INFORMATION),
                      .offset = offset,
                      .value = value,
                      .width = 8};

    assert_false(NT_SUCCESS(capture_under(&lie, PSS_CAPTURE_VA_SPACE)));
    assert_true(lie.told < 4);
}

static void test_regions_of_no_size_or_elsewhere_are_an_error(void **state)
{
    (void)state;
    world_furnish();
    check_region_lie(offsetof(MEMORY_BASIC_INFORMATION, RegionSize), 0);
    check_region_lie(offsetof(MEMORY_BASIC_INFORMATION, BaseAddress), 0x1000);
    check_region_lie(offsetof(MEMORY_BASIC_INFORMATION, BaseAddress), 0xFFFFFFFFFFFFF000);
}

static void test_region_that_wraps_around_is_the_last(void **state)
{
    static const uint64_t sizes[] = {0xFFFFFFFFFFFFF000, 0xFFFFFFFFFFFFFFFF, 0x8000000000000000};

    (void)state;
    world_furnish();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct lie lie = {.call = FAKE_QUERY_MEMORY,
                          .size = sizeof(MEMORY_BASIC_INFORMATION),
                          .offset = offsetof(MEMORY_BASIC_INFORMATION, RegionSize),
                          .value = sizes[i],
                          .width = 8};

        capture_under(&lie, PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION);
        assert_true(lie.told < 8);
    }
}

/* One that begins behind the start and would end before it. */
static void test_region_that_wraps_behind_the_start_is_the_last(void **state)
{
    struct lie lie = {.call = FAKE_QUERY_MEMORY,
                      .size = sizeof(MEMORY_BASIC_INFORMATION),
                      .offset = offsetof(MEMORY_BASIC_INFORMATION, RegionSize),
                      .value = 0x8000000000000000,
                      .width = 8};
    PSS_VA_SPACE_ENTRY entries[2];

    (void)state;
    world.target->address_limit = 0xFFFFFFFFFFFFF000;
    fake.lie = tell;
    fake.context = &lie;
    world_capture(PSS_CAPTURE_VA_SPACE);
    fake.lie = NULL;
    assert_same(lie.told, 2);
    assert_same(world_walk(PSS_WALK_VA_SPACE, entries, sizeof(entries[0]), 2), 2);
    assert_ptr_equal(entries[1].BaseAddress, pointer_to(0x8000000000000000));
}

/* A system with memory for all of them would be asked for ever. */
static void test_regions_without_end_are_too_many(void **state)
{
    struct lie lie = {.call = FAKE_QUERY_MEMORY,
                      .size = sizeof(MEMORY_BASIC_INFORMATION),
                      .offset = offsetof(MEMORY_BASIC_INFORMATION, RegionSize),
                      .value = 0x1000,
                      .width = 8};

    (void)state;
    assert_same(capture_under(&lie, PSS_CAPTURE_VA_SPACE), STATUS_NO_MEMORY);
    assert_same(lie.told, 0x400000);
}

/* Regions of one page each up to the end of the addresses: memory ends first. */
static void test_regions_without_end_run_out_of_memory(void **state)
{
    struct lie lie = {.call = FAKE_QUERY_MEMORY,
                      .size = sizeof(MEMORY_BASIC_INFORMATION),
                      .offset = offsetof(MEMORY_BASIC_INFORMATION, RegionSize),
                      .value = 0x1000,
                      .width = 8};

    (void)state;
    fake.memory_budget = 64u << 20;
    assert_same(capture_under(&lie, PSS_CAPTURE_VA_SPACE), STATUS_NO_MEMORY);
    assert_true(lie.told < 2000000);
}

static void test_threads_without_end_are_an_error(void **state)
{
    (void)state;
    world_furnish();
    fake.never_ends_threads = 1;
    world.target->threads[0]->denies = THREAD_QUERY_INFORMATION; /* less work for each */
    assert_same(capture_under(&(struct lie){.call = FAKE_CALL_COUNT},
                              PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT),
                STATUS_NO_MEMORY);
    assert_same(world.target->threads[0]->suspend_count, 0);
    assert_true(fake.calls_of[FAKE_GET_NEXT_THREAD] <= 0x100001);
}

/* Nobody knows then which file is whose, and it does not matter. */
static void test_files_without_end_are_an_error_of_the_system_alone(void **state)
{
    world_teardown(state);
    clone_world_setup(state);
    fake.never_ends_directory = 1;
    world_capture(PSS_CAPTURE_VA_CLONE);
    assert_true(fake.calls_of[FAKE_LIST_DIRECTORY] <= 0x10000);
    assert_same_bytes(clone_world_clone(), world.target);
}

static void test_tables_that_never_fit_are_out_of_memory(void **state)
{
    static const uint32_t flags[] = {PSS_CAPTURE_NONE, PSS_CAPTURE_HANDLES};

    (void)state;
    world_furnish();
    fake.never_fits = 1;
    for (int i = 0; i < 2; i++) {
        fake.mixes_up_times = i == 0;
        assert_same(capture_under(&(struct lie){.call = FAKE_CALL_COUNT}, flags[i]),
                    STATUS_NO_MEMORY);
    }
    assert_true(fake.calls_of[FAKE_QUERY_SYSTEM] <= 2 * 16);
    assert_true(fake.peak_memory <= 0x10100000); /* 256 MiB: the old room goes first */
}

static void test_trace_that_never_fits_is_no_trace(void **state)
{
    (void)state;
    world_furnish();
    fake.never_fits = 1;
    world_capture(PSS_CAPTURE_HANDLE_TRACE);
    assert_same(world_query_status(PSS_QUERY_HANDLE_TRACE_INFORMATION, 16), STATUS_NOT_FOUND);
    assert_true(fake.calls_of[FAKE_QUERY_PROCESS] <= 64);
}

static void test_reads_that_come_short_leave_nothing(void **state)
{
    PSS_AUXILIARY_PAGE_ENTRY page;

    (void)state;
    world_furnish();
    fake.reads_short = 1;
    world_capture(PSS_CAPTURE_RESERVED_00000002);
    assert_same(world_walk(PSS_WALK_AUXILIARY_PAGES, &page, sizeof(page), 1), 1);
    assert_null(page.PageContents);
}

static void test_extended_contexts_of_impossible_length_are_plain(void **state)
{
    static const ULONG lengths[] = {1, 1231, 0xFFC1, 0x10000, 0xFFFFFFFF};
    static const LONG shifts[] = {1, -1, 16, -16, 0x7FFFFFFF};
    PSS_THREAD_INFORMATION information;

    (void)state;
    world_furnish();
    for (size_t i = 0; i < 10; i++) {
        fake.xstate_length = i < 5 ? lengths[i] : 0;
        fake.xstate_shift = i < 5 ? 0 : shifts[i - 5];
        world_capture(PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT |
                      PSS_CAPTURE_THREAD_CONTEXT_EXTENDED);
        world_query(PSS_QUERY_THREAD_INFORMATION, &information, sizeof(information));
        assert_same(information.ContextLength, sizeof(CONTEXT));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_handle_count_beyond_the_table_is_an_error),
        fixture_test(test_handle_count_beyond_the_buffer_is_an_error),
        fixture_test(test_process_rows_beyond_the_table_are_an_error),
        fixture_test(test_process_row_that_is_cut_off_is_an_error),
        fixture_test(test_process_rows_that_creep_end_with_the_table),
        fixture_test(test_tables_that_returned_more_than_fits_are_safe),
        fixture_test(test_any_number_of_any_answer_may_be_nonsense),
        fixture_test(test_clone_under_lies_ends_and_writes_to_nobody_else),
        fixture_test(test_files_that_say_they_gave_something_else_are_safe),
        fixture_test(test_texts_outside_of_their_buffer_are_none),
        fixture_test(test_text_is_taken_to_the_end_of_its_buffer_and_not_beyond),
        fixture_test(test_text_at_an_odd_place_is_none),
        fixture_test(test_text_with_an_odd_length_loses_a_byte),
        fixture_test(test_regions_of_no_size_or_elsewhere_are_an_error),
        fixture_test(test_region_that_wraps_around_is_the_last),
        fixture_test(test_region_that_wraps_behind_the_start_is_the_last),
        fixture_test(test_regions_without_end_are_too_many),
        fixture_test(test_regions_without_end_run_out_of_memory),
        fixture_test(test_threads_without_end_are_an_error),
        fixture_test(test_files_without_end_are_an_error_of_the_system_alone),
        fixture_test(test_tables_that_never_fit_are_out_of_memory),
        fixture_test(test_trace_that_never_fits_is_no_trace),
        fixture_test(test_reads_that_come_short_leave_nothing),
        fixture_test(test_extended_contexts_of_impossible_length_are_plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
