/* SPDX-License-Identifier: MIT */
/* A system that lies: tables, regions and texts that do not hold together end in an error. */
#include "api/api.h"

#include <stddef.h>

#include "faulty_nt.h"
#include "random.h"
#include "subject.h"

#define GROWTHS 5

static struct subject child;

static NTSTATUS capture(uint32_t flags, HPSS *snapshot)
{
    *snapshot = NULL;
    faulty_reset();
    return subject_capture(&child, flags, snapshot);
}

static void assert_capture_fails(uint32_t flags, NTSTATUS expected)
{
    HPSS snapshot;

    assert_int_equal(capture(flags, &snapshot), expected);
    assert_null(snapshot);
}

/* What a test makes of the answer of a system table; is_done lets the real answer through. */
static void (*distort)(void *table, ULONG *size);
static ULONG distorted_class;
static uint32_t mismatches; /* so many times the table does not fit */

static NTSTATUS NTAPI answer_table(ULONG class_number, void *buffer, ULONG size, ULONG *returned)
{
    if (class_number == distorted_class && mismatches) {
        mismatches--;
        *returned = 0; /* some systems do not tell */
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    NTSTATUS status = pss_nt_system()->query_system(class_number, buffer, size, returned);
    if (NT_SUCCESS(status) && class_number == distorted_class && distort)
        distort(buffer, returned);
    return status;
}

static void plan_table(ULONG class_number, void (*how)(void *table, ULONG *size))
{
    faulty_inner()->query_system = answer_table;
    distorted_class = class_number;
    distort = how;
}

static void test_tables_that_grow_are_asked_again(void **state)
{
    static const ULONG classes[] = {PSS_NT_SYSTEM_EXTENDED_PROCESSES,
                                    PSS_NT_SYSTEM_EXTENDED_HANDLES};
    HPSS snapshot;

    (void)state;
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        plan_table(classes[i], NULL);
        mismatches = GROWTHS;
        assert_int_equal(capture(PSS_CAPTURE_HANDLES, &snapshot), STATUS_SUCCESS);
        assert_same(mismatches, 0);
        assert_non_null(subject_handle(snapshot, child.event));
        subject_check_and_free(snapshot, "a table that grew");
    }
}

static void test_table_that_never_fits_is_given_up(void **state)
{
    HPSS snapshot;

    (void)state;
    plan_table(PSS_NT_SYSTEM_EXTENDED_HANDLES, NULL);
    mismatches = UINT32_MAX;
    NTSTATUS status = capture(PSS_CAPTURE_HANDLES, &snapshot);
    assert_true(status == STATUS_INFO_LENGTH_MISMATCH || status == STATUS_NO_MEMORY);
    assert_true(faulty_calls_of(FAULTY_query_system) < 30);
}

static void claim_too_many_handles(void *buffer, ULONG *size)
{
    struct pss_nt_handle_table *table = buffer;

    (void)size;
    table->count++;
}

static void claim_endless_handles(void *buffer, ULONG *size)
{
    struct pss_nt_handle_table *table = buffer;

    (void)size;
    table->count = ~(ULONG_PTR)0;
}

static void cut_inside_the_head(void *buffer, ULONG *size)
{
    (void)buffer;
    *size = sizeof(ULONG_PTR);
}

static void test_handle_table_that_claims_more_than_it_holds_is_refused(void **state)
{
    (void)state;
    plan_table(PSS_NT_SYSTEM_EXTENDED_HANDLES, claim_too_many_handles);
    assert_capture_fails(PSS_CAPTURE_HANDLES, STATUS_INTERNAL_ERROR);
    plan_table(PSS_NT_SYSTEM_EXTENDED_HANDLES, claim_endless_handles);
    assert_capture_fails(PSS_CAPTURE_HANDLES, STATUS_INTERNAL_ERROR);
    plan_table(PSS_NT_SYSTEM_EXTENDED_HANDLES, cut_inside_the_head);
    assert_capture_fails(PSS_CAPTURE_HANDLES, STATUS_INTERNAL_ERROR);
}

static void claim_more_than_the_buffer(void *buffer, ULONG *size)
{
    struct pss_nt_handle_table *table = buffer;

    table->count = 0x00FFFFFF;
    *size = 0xFFFFFFFF;
}

static void test_table_that_claims_more_than_the_buffer_is_refused(void **state)
{
    (void)state;
    plan_table(PSS_NT_SYSTEM_EXTENDED_HANDLES, claim_more_than_the_buffer);
    assert_capture_fails(PSS_CAPTURE_HANDLES, STATUS_INTERNAL_ERROR);
}

static void reverse_rows(void *buffer, ULONG *size)
{
    struct pss_nt_handle_table *table = buffer;

    (void)size;
    for (ULONG_PTR i = 0; i < table->count / 2; i++) {
        struct pss_nt_handle_row kept = table->rows[i];

        table->rows[i] = table->rows[table->count - 1 - i];
        table->rows[table->count - 1 - i] = kept;
    }
}

static void test_handles_ascend_in_whatever_order_the_table_is(void **state)
{
    HPSS snapshot;
    uint64_t before = 0;

    (void)state;
    plan_table(PSS_NT_SYSTEM_EXTENDED_HANDLES, reverse_rows);
    assert_int_equal(capture(PSS_CAPTURE_HANDLES, &snapshot), STATUS_SUCCESS);
    assert_true(subject_count(snapshot, PSS_SECTION_HANDLES) > 5);
    for (uint32_t i = 0; i < subject_count(snapshot, PSS_SECTION_HANDLES); i++) {
        uint64_t handle =
            subject_record(snapshot, struct pss_handle_record, PSS_SECTION_HANDLES, i)->handle;

        assert_true(handle > before);
        before = handle;
    }
    subject_check_and_free(snapshot, "reversed");
}

/* Types no system has: what goes by the index of a type must not go astray. */
static void inflate_type_indices(void *buffer, ULONG *size)
{
    struct pss_nt_handle_table *table = buffer;

    (void)size;
    for (ULONG_PTR i = 0; i < table->count; i++)
        table->rows[i].type_index = (USHORT)(table->rows[i].type_index + 0x100 * (i % 256));
}

static void test_type_indices_without_end_cost_the_types_only(void **state)
{
    HPSS snapshot;

    (void)state;
    plan_table(PSS_NT_SYSTEM_EXTENDED_HANDLES, inflate_type_indices);
    assert_int_equal(capture(SUBJECT_EVERYTHING, &snapshot), STATUS_SUCCESS);
    subject_check_and_free(snapshot, "types");
}

static void claim_too_many_threads(void *buffer, ULONG *size)
{
    struct pss_nt_process_row *row = buffer;

    (void)size;
    row->thread_count = 0x10000000;
}

static void point_past_the_end(void *buffer, ULONG *size)
{
    struct pss_nt_process_row *row = buffer;

    row->next_offset = *size + 8;
}

static void point_into_the_row(void *buffer, ULONG *size)
{
    struct pss_nt_process_row *row = buffer;

    row->next_offset = *size - 8;
}

static void test_process_table_that_does_not_hold_together_is_refused(void **state)
{
    (void)state;
    plan_table(PSS_NT_SYSTEM_EXTENDED_PROCESSES, claim_too_many_threads);
    assert_capture_fails(PSS_CAPTURE_THREADS, STATUS_INTERNAL_ERROR);
    plan_table(PSS_NT_SYSTEM_EXTENDED_PROCESSES, point_past_the_end);
    assert_capture_fails(PSS_CAPTURE_THREADS, STATUS_INTERNAL_ERROR);
    plan_table(PSS_NT_SYSTEM_EXTENDED_PROCESSES, point_into_the_row);
    assert_capture_fails(PSS_CAPTURE_THREADS, STATUS_INTERNAL_ERROR);
}

/* Every byte of the table is garbage, over and over: any result will do, and nothing crashes. */
static void scramble(void *buffer, ULONG *size)
{
    uint32_t *words = buffer;

    for (int i = 0; i < 64; i++)
        words[random_below(*size / sizeof(*words))] = (uint32_t)random_next() >> random_below(32);
}

static void test_scrambled_tables_do_no_harm(void **state)
{
    static const ULONG classes[] = {PSS_NT_SYSTEM_EXTENDED_PROCESSES,
                                    PSS_NT_SYSTEM_EXTENDED_HANDLES};
    HPSS snapshot;

    (void)state;
    for (int i = 0; i < 200; i++) {
        plan_table(classes[i % 2], scramble);
        if (NT_SUCCESS(capture(PSS_CAPTURE_HANDLES | PSS_CAPTURE_THREADS, &snapshot)))
            subject_check_and_free(snapshot, "scrambled");
        else
            assert_null(snapshot);
        faulty_assert_clean("scrambled");
    }
}

/* What a test makes of the n-th region. */
static void (*distort_region)(MEMORY_BASIC_INFORMATION *region, uint32_t number);
static uint32_t region_number;

static NTSTATUS NTAPI answer_region(HANDLE process, void *address, ULONG class_number, void *buffer,
                                    SIZE_T size, SIZE_T *returned)
{
    NTSTATUS status =
        pss_nt_system()->query_memory(process, address, class_number, buffer, size, returned);

    if (NT_SUCCESS(status) && class_number == PSS_NT_MEMORY_BASIC)
        distort_region(buffer, ++region_number);
    return status;
}

static void assert_regions_refused(void (*how)(MEMORY_BASIC_INFORMATION *region, uint32_t number))
{
    distort_region = how;
    region_number = 0;
    faulty_inner()->query_memory = answer_region;
    assert_capture_fails(PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION,
                         STATUS_INTERNAL_ERROR);
    assert_true(region_number < 20);
}

static void go_backwards(MEMORY_BASIC_INFORMATION *region, uint32_t number)
{
    if (number == 10)
        region->BaseAddress = (char *)region->BaseAddress - 0x1000;
}

static void leave_a_gap(MEMORY_BASIC_INFORMATION *region, uint32_t number)
{
    if (number == 10)
        region->BaseAddress = (char *)region->BaseAddress + 0x1000;
}

static void stand_still(MEMORY_BASIC_INFORMATION *region, uint32_t number)
{
    if (number == 10)
        region->RegionSize = 0;
}

static void test_regions_that_do_not_follow_one_another_are_refused(void **state)
{
    (void)state;
    assert_regions_refused(go_backwards);
    assert_regions_refused(leave_a_gap);
    assert_regions_refused(stand_still);
}

static void wrap_around(MEMORY_BASIC_INFORMATION *region, uint32_t number)
{
    if (number == 10)
        region->RegionSize = ~(SIZE_T)0 - 0x10;
}

static void test_region_without_end_is_the_last(void **state)
{
    HPSS snapshot;

    (void)state;
    distort_region = wrap_around;
    region_number = 0;
    faulty_inner()->query_memory = answer_region;
    NTSTATUS status = capture(PSS_CAPTURE_VA_SPACE, &snapshot);
    assert_same(region_number, 10);
    if (NT_SUCCESS(status)) {
        assert_same(subject_count(snapshot, PSS_SECTION_REGIONS), 10);
        subject_check_and_free(snapshot, "wrapped");
    }
}

/* PE headers in the target are as foreign as anything else in it. */
static NTSTATUS NTAPI answer_scrambled_memory(HANDLE process, const void *address, void *buffer,
                                              SIZE_T size, SIZE_T *read)
{
    NTSTATUS status = pss_nt_system()->read_memory(process, address, buffer, size, read);
    IMAGE_DOS_HEADER *header = buffer;

    if (NT_SUCCESS(status) && size >= sizeof(*header)) {
        header->e_magic = IMAGE_DOS_SIGNATURE;
        header->e_lfanew = (LONG)((uint32_t)random_next() >> random_below(32));
    }
    return status;
}

static void test_scrambled_images_do_no_harm(void **state)
{
    HPSS snapshot;

    (void)state;
    faulty_inner()->read_memory = answer_scrambled_memory;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(
            capture(PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION, &snapshot),
            STATUS_SUCCESS);
        subject_check_and_free(snapshot, "images");
    }
}

/* Ways to be wrong for a UNICODE_STRING at the start of an answer. */
enum wrong_text {
    TEXT_NULL,
    TEXT_BEFORE,
    TEXT_BEHIND,
    TEXT_OVER_THE_END,
    TEXT_ODD_ADDRESS,
    TEXT_HIGHEST_ADDRESS,
    TEXT_UNREADABLE,
    WRONG_TEXTS
};

static enum wrong_text wrong_text;

static NTSTATUS answer_wrong_text(void *buffer, SIZE_T size)
{
    UNICODE_STRING *text = buffer;
    char *end = (char *)buffer + size;
    char *const starts[WRONG_TEXTS] = {
        [TEXT_NULL] = NULL,
        [TEXT_BEFORE] = (char *)buffer - 64,
        [TEXT_BEHIND] = end,
        [TEXT_OVER_THE_END] = end - 100,
        [TEXT_ODD_ADDRESS] = (char *)(text + 1) + 1,
        [TEXT_HIGHEST_ADDRESS] = (char *)(UINTPTR_MAX - 1),
        [TEXT_UNREADABLE] = (char *)0x10000,
    };

    memset(end - 100, 'x', 100);
    text->Length = text->MaximumLength = wrong_text == TEXT_OVER_THE_END ? 102 : 40;
    text->Buffer = (WCHAR *)(void *)starts[wrong_text];
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI lie_about_process(HANDLE process, ULONG class_number, void *buffer,
                                        ULONG size, ULONG *returned)
{
    if (class_number == PSS_NT_PROCESS_IMAGE_FILE_NAME_WIN32)
        return answer_wrong_text(buffer, size);
    return pss_nt_system()->query_process(process, class_number, buffer, size, returned);
}

static NTSTATUS NTAPI lie_about_thread(HANDLE thread, ULONG class_number, void *buffer, ULONG size,
                                       ULONG *returned)
{
    if (class_number == PSS_NT_THREAD_NAME)
        return answer_wrong_text(buffer, size);
    return pss_nt_system()->query_thread(thread, class_number, buffer, size, returned);
}

static NTSTATUS NTAPI lie_about_memory(HANDLE process, void *address, ULONG class_number,
                                       void *buffer, SIZE_T size, SIZE_T *returned)
{
    if (class_number == PSS_NT_MEMORY_MAPPED_FILE_NAME)
        return answer_wrong_text(buffer, size);
    return pss_nt_system()->query_memory(process, address, class_number, buffer, size, returned);
}

static NTSTATUS NTAPI lie_about_object(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                                       ULONG *returned)
{
    if (class_number == PSS_NT_OBJECT_NAME || class_number == PSS_NT_OBJECT_TYPE)
        return answer_wrong_text(buffer, size);
    return pss_nt_system()->query_object(handle, class_number, buffer, size, returned);
}

static void assert_no_text(HPSS snapshot)
{
    const struct pss_process_record *process =
        subject_record(snapshot, struct pss_process_record, PSS_SECTION_PROCESS, 0);

    assert_same(process->image_file_name.length, 0);
    for (uint32_t i = 0; i < subject_count(snapshot, PSS_SECTION_THREADS); i++)
        assert_same(
            subject_record(snapshot, struct pss_thread_record, PSS_SECTION_THREADS, i)->name.length,
            0);
    for (uint32_t i = 0; i < subject_count(snapshot, PSS_SECTION_MAPPINGS); i++)
        assert_same(subject_record(snapshot, struct pss_mapping_record, PSS_SECTION_MAPPINGS, i)
                        ->file_name.length,
                    0);
    for (uint32_t i = 0; i < subject_count(snapshot, PSS_SECTION_HANDLES); i++) {
        const struct pss_handle_record *handle =
            subject_record(snapshot, struct pss_handle_record, PSS_SECTION_HANDLES, i);

        assert_same(handle->type_name.length, 0);
        assert_same(handle->object_name.length, 0);
        assert_same(handle->object_type, PSS_OBJECT_TYPE_UNKNOWN);
        assert_same(handle->flags & PSS_HANDLE_HAVE_NAME, 0);
    }
}

static void test_texts_outside_their_answer_are_no_texts(void **state)
{
    HPSS snapshot;

    (void)state;
    faulty_inner()->query_process = lie_about_process;
    faulty_inner()->query_thread = lie_about_thread;
    faulty_inner()->query_memory = lie_about_memory;
    faulty_inner()->query_object = lie_about_object;
    for (wrong_text = 0; wrong_text < WRONG_TEXTS; wrong_text++) {
        assert_int_equal(capture(SUBJECT_EVERYTHING, &snapshot), STATUS_SUCCESS);
        assert_no_text(snapshot);
        subject_check_and_free(snapshot, "texts");
    }
}

static int set_up(void **state)
{
    (void)state;
    faulty_init();
    mismatches = 0;
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

#define LIE_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIE_TEST(test_tables_that_grow_are_asked_again),
        LIE_TEST(test_table_that_never_fits_is_given_up),
        LIE_TEST(test_handle_table_that_claims_more_than_it_holds_is_refused),
        LIE_TEST(test_table_that_claims_more_than_the_buffer_is_refused),
        LIE_TEST(test_handles_ascend_in_whatever_order_the_table_is),
        LIE_TEST(test_type_indices_without_end_cost_the_types_only),
        LIE_TEST(test_process_table_that_does_not_hold_together_is_refused),
        LIE_TEST(test_scrambled_tables_do_no_harm),
        LIE_TEST(test_regions_that_do_not_follow_one_another_are_refused),
        LIE_TEST(test_region_without_end_is_the_last),
        LIE_TEST(test_scrambled_images_do_no_harm),
        LIE_TEST(test_texts_outside_their_answer_are_no_texts),
    };

    return cmocka_run_group_tests(tests, start_child, end_child);
}
