/* SPDX-License-Identifier: MIT */
/* The handle trace on a system that has one, and the section that the client may close himself. */
#include "api/api.h"

#include "faulty_nt.h"
#include "subject.h"

#define TRACE_SIZE 100003u /* more than the first buffer, and not round */
#define TRIES      256

static struct subject child;
static ULONG trace_size;
static uint32_t trace_queries;

static unsigned char trace_byte(uint32_t index)
{
    return (unsigned char)(index * 7 + index / 251);
}

/* As a system that traces: too small a buffer is refused without a word on the size. */
static NTSTATUS NTAPI answer_trace(HANDLE process, ULONG class_number, void *buffer, ULONG size,
                                   ULONG *returned)
{
    const struct pss_nt_handle_tracing *question = buffer;

    if (class_number != PSS_NT_PROCESS_HANDLE_TRACING)
        return pss_nt_system()->query_process(process, class_number, buffer, size, returned);
    trace_queries++;
    assert_null(question->handle);
    if (size < trace_size)
        return STATUS_INFO_LENGTH_MISMATCH;
    for (uint32_t i = 0; i < trace_size; i++)
        ((unsigned char *)buffer)[i] = trace_byte(i);
    *returned = trace_size;
    return STATUS_SUCCESS;
}

static HPSS capture(void)
{
    HPSS snapshot = NULL;

    faulty_reset();
    assert_int_equal(subject_capture(&child, PSS_CAPTURE_HANDLE_TRACE, &snapshot), STATUS_SUCCESS);
    return snapshot;
}

static PSS_HANDLE_TRACE_INFORMATION query(HPSS snapshot)
{
    PSS_HANDLE_TRACE_INFORMATION trace;

    assert_int_equal(pss_snapshot_query(faulty_nt(), snapshot, PSS_QUERY_HANDLE_TRACE_INFORMATION,
                                        &trace, sizeof(trace)),
                     STATUS_SUCCESS);
    assert_non_null(trace.SectionHandle);
    return trace;
}

/* The client closes what he was lent. */
static HANDLE close_lent(HPSS snapshot)
{
    HANDLE lent = query(snapshot).SectionHandle;

    faulty_disown(lent);
    assert_true(CloseHandle(lent));
    return lent;
}

static void free_snapshot_cleanly(HPSS snapshot)
{
    assert_int_equal(pss_snapshot_free(faulty_nt(), GetCurrentProcess(), snapshot), STATUS_SUCCESS);
    faulty_assert_clean("freed");
}

static void test_trace_is_told_in_a_section(void **state)
{
    HPSS snapshot = capture();
    PSS_HANDLE_TRACE_INFORMATION trace = query(snapshot);

    (void)state;
    assert_same(trace.Size, TRACE_SIZE);
    assert_same(trace_queries, 2);
    const unsigned char *view = MapViewOfFile(trace.SectionHandle, FILE_MAP_READ, 0, 0, 0);
    assert_non_null(view);
    for (uint32_t i = 0; i < TRACE_SIZE; i++)
        assert_same(view[i], trace_byte(i));
    assert_null(MapViewOfFile(trace.SectionHandle, FILE_MAP_WRITE, 0, 0, 0));
    UnmapViewOfFile(view);
    assert_same(faulty_ledger().handles, 2);
    assert_same(faulty_ledger().views, 0);
    free_snapshot_cleanly(snapshot);
}

static void test_free_closes_the_section(void **state)
{
    HPSS snapshot = capture();
    HANDLE lent = query(snapshot).SectionHandle;
    DWORD flags;

    (void)state;
    free_snapshot_cleanly(snapshot);
    assert_false(GetHandleInformation(lent, &flags));
}

static void test_free_after_client_closed_the_section(void **state)
{
    HPSS snapshot = capture();

    (void)state;
    close_lent(snapshot);
    free_snapshot_cleanly(snapshot);
}

static HANDLE make_event(const struct pss_trace_record *owned)
{
    (void)owned;
    return CreateEventW(NULL, TRUE, FALSE, NULL);
}

static HANDLE make_section(const struct pss_trace_record *owned)
{
    return CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                              owned->size + (DWORD)sizeof(owned->mark), NULL);
}

static HANDLE make_smaller_section(const struct pss_trace_record *owned)
{
    (void)owned;
    return CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 1, NULL);
}

/* Another snapshot's section, of the same size and with the same trace. */
static HANDLE make_sibling(const struct pss_trace_record *owned)
{
    HANDLE copy = NULL;

    DuplicateHandle(GetCurrentProcess(), (HANDLE)(uintptr_t)owned->kept, GetCurrentProcess(), &copy,
                    0, FALSE, DUPLICATE_SAME_ACCESS);
    return copy;
}

/* Makes objects until one has the value; the others are closed. */
static void recycle(HANDLE value, HANDLE (*make)(const struct pss_trace_record *),
                    const struct pss_trace_record *owned)
{
    HANDLE made[TRIES];
    int count = 0;
    bool is_found = false;

    while (count < TRIES && !is_found) {
        made[count] = make(owned);
        assert_non_null(made[count]);
        is_found = made[count++] == value;
    }
    for (int i = 0; i < count - is_found; i++)
        CloseHandle(made[i]);
    assert_true(is_found);
}

static void assert_left_open(HANDLE handle)
{
    DWORD flags;

    assert_true(GetHandleInformation(handle, &flags));
    assert_true(CloseHandle(handle));
}

static void run_recycled(HANDLE (*make)(const struct pss_trace_record *))
{
    HPSS snapshot = capture();
    const struct pss_trace_record *owned =
        subject_record(snapshot, struct pss_trace_record, PSS_SECTION_TRACE, 0);
    HANDLE lent = close_lent(snapshot);

    recycle(lent, make, owned);
    free_snapshot_cleanly(snapshot);
    assert_left_open(lent);
}

static void test_free_leaves_another_object_with_the_value_open(void **state)
{
    (void)state;
    run_recycled(make_event);
    run_recycled(make_section);
    run_recycled(make_smaller_section);
}

static void test_free_leaves_another_snapshots_section_with_the_value_open(void **state)
{
    HPSS first = capture(), second = capture();
    HANDLE lent = close_lent(first);

    (void)state;
    recycle(lent, make_sibling,
            subject_record(second, struct pss_trace_record, PSS_SECTION_TRACE, 0));
    assert_int_equal(pss_snapshot_free(faulty_nt(), GetCurrentProcess(), first), STATUS_SUCCESS);
    assert_null(faulty_violation());
    assert_left_open(lent);
    free_snapshot_cleanly(second);
}

static void test_empty_record_owns_nothing(void **state)
{
    const struct pss_trace_record none = {0};

    (void)state;
    faulty_reset();
    pss_trace_close(faulty_nt(), &none);
    assert_same(faulty_calls(), 0);
}

static NTSTATUS NTAPI claim_more_than_fits(HANDLE process, ULONG class_number, void *buffer,
                                           ULONG size, ULONG *returned)
{
    if (class_number != PSS_NT_PROCESS_HANDLE_TRACING)
        return pss_nt_system()->query_process(process, class_number, buffer, size, returned);
    *returned = UINT32_MAX;
    return STATUS_SUCCESS;
}

static void test_trace_that_claims_more_than_fits_is_cut(void **state)
{
    (void)state;
    faulty_inner()->query_process = claim_more_than_fits;
    HPSS snapshot = capture();
    assert_true(query(snapshot).Size <= 0x10000);
    free_snapshot_cleanly(snapshot);
}

static void assert_not_traced(void)
{
    PSS_HANDLE_TRACE_INFORMATION trace;
    HPSS snapshot = capture();

    assert_int_equal(pss_snapshot_query(faulty_nt(), snapshot, PSS_QUERY_HANDLE_TRACE_INFORMATION,
                                        &trace, sizeof(trace)),
                     STATUS_NOT_FOUND);
    free_snapshot_cleanly(snapshot);
}

static void test_trace_that_never_fits_is_given_up(void **state)
{
    (void)state;
    trace_size = UINT32_MAX;
    assert_not_traced();
    assert_true(trace_queries <= 16);
}

static NTSTATUS NTAPI answer_no_trace(HANDLE process, ULONG class_number, void *buffer, ULONG size,
                                      ULONG *returned)
{
    if (class_number == PSS_NT_PROCESS_HANDLE_TRACING)
        return STATUS_INVALID_PARAMETER; /* of a process whose handles are not traced */
    return pss_nt_system()->query_process(process, class_number, buffer, size, returned);
}

static void test_without_trace_only_the_query_fails(void **state)
{
    (void)state;
    faulty_inner()->query_process = answer_no_trace;
    assert_not_traced();
}

static int set_up(void **state)
{
    (void)state;
    faulty_init();
    faulty_inner()->query_process = answer_trace;
    trace_size = TRACE_SIZE;
    trace_queries = 0;
    return 0;
}

static int start_child(void **state)
{
    (void)state;
    faulty_init();
    subject_start_child(&child);
    return 0;
}

static int end_child(void **state)
{
    (void)state;
    subject_fini(&child);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_trace_is_told_in_a_section, set_up),
        cmocka_unit_test_setup(test_free_closes_the_section, set_up),
        cmocka_unit_test_setup(test_free_after_client_closed_the_section, set_up),
        cmocka_unit_test_setup(test_free_leaves_another_object_with_the_value_open, set_up),
        cmocka_unit_test_setup(test_free_leaves_another_snapshots_section_with_the_value_open,
                               set_up),
        cmocka_unit_test_setup(test_empty_record_owns_nothing, set_up),
        cmocka_unit_test_setup(test_trace_that_claims_more_than_fits_is_cut, set_up),
        cmocka_unit_test_setup(test_trace_that_never_fits_is_given_up, set_up),
        cmocka_unit_test_setup(test_without_trace_only_the_query_fails, set_up),
    };

    return cmocka_run_group_tests(tests, start_child, end_child);
}
