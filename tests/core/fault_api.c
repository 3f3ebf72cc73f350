/* SPDX-License-Identifier: MIT */
/* Faults in everything but the capture: free, query, walk, and the life of markers. */
#include "api/api.h"

#include "expectation.h"
#include "faulty_nt.h"
#include "subject.h"

static const NTSTATUS statuses[] = {
    STATUS_NO_MEMORY,
    STATUS_ACCESS_DENIED,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_IMPLEMENTED,
    STATUS_PROCESS_IS_TERMINATING,
    STATUS_INFO_LENGTH_MISMATCH,
    STATUS_UNSUCCESSFUL,
};
#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

static struct subject child;

static HPSS capture(uint32_t flags)
{
    HPSS snapshot = NULL;

    faulty_reset();
    assert_int_equal(subject_capture(&child, flags, &snapshot), STATUS_SUCCESS);
    return snapshot;
}

static void assert_alive(HPSS snapshot)
{
    PSS_PROCESS_INFORMATION process;

    assert_int_equal(pss_snapshot_query(faulty_nt(), snapshot, PSS_QUERY_PROCESS_INFORMATION,
                                        &process, sizeof(process)),
                     STATUS_SUCCESS);
    assert_same(process.ProcessId, child.target->pid);
}

/* What a free with a fault came to. */
struct outcome {
    NTSTATUS status, injected;
    const struct faulty_call *failed; /* NULL: the number was not reached */
    bool is_persistent;
};

/* Frees with every fault there is; the check sees each outcome and the snapshot, freed or not. */
static void loop_over_free(HANDLE process, uint32_t flags,
                           void (*check)(HPSS snapshot, const struct outcome *outcome))
{
    bool is_reached = true;

    for (uint32_t number = 1; is_reached; number++) {
        is_reached = false;
        for (uint32_t i = 0; i < 2 * STATUSES; i++) {
            struct outcome outcome = {.injected = statuses[i / 2], .is_persistent = i % 2};
            HPSS snapshot = capture(flags);

            faulty_reset();
            faulty_fail(number, i % 2, outcome.injected);
            outcome.status = pss_snapshot_free(faulty_nt(), process, snapshot);
            outcome.failed = faulty_failed();
            faulty_fail(0, false, STATUS_SUCCESS);
            is_reached |= outcome.failed != NULL;
            check(snapshot, &outcome);
            faulty_assert_clean(outcome.failed ? faulty_name(outcome.failed->service) : "free");
        }
    }
}

/* By the rows, where one call fails; from then on only that the failure is one that was met. */
static void check_by_rows(const struct outcome *outcome)
{
    const struct expectation_case what = {.thread = GetCurrentThreadId(), .is_free = true};
    const char *difference = NULL;

    if (outcome->failed && !outcome->is_persistent)
        difference = expectation_compare(
            expectation_of(&absorbed_by_free, outcome->failed, outcome->injected, &what),
            outcome->injected, outcome->status);
    if (difference)
        fail_msg("%s fails with 0x%lx: %s: 0x%lx", faulty_name(outcome->failed->service),
                 (unsigned long)outcome->injected, difference, (unsigned long)outcome->status);
}

/* Freed, or alive and then freed. */
static void check_freed_or_refused(HPSS snapshot, const struct outcome *outcome)
{
    check_by_rows(outcome);
    if (outcome->status == STATUS_SUCCESS)
        return;
    assert_non_null(outcome->failed);
    assert_alive(snapshot);
    assert_int_equal(pss_snapshot_free(faulty_nt(), GetCurrentProcess(), snapshot), STATUS_SUCCESS);
}

static void check_refused(HPSS snapshot, const struct outcome *outcome)
{
    assert_int_not_equal(outcome->status, STATUS_SUCCESS);
    if (outcome->status != STATUS_INVALID_HANDLE)
        assert_int_equal(outcome->status, outcome->injected);
    assert_alive(snapshot);
    assert_int_equal(pss_snapshot_free(faulty_nt(), GetCurrentProcess(), snapshot), STATUS_SUCCESS);
}

static void check_freed(HPSS snapshot, const struct outcome *outcome)
{
    assert_int_equal(outcome->status, STATUS_SUCCESS);
    assert_int_equal(pss_snapshot_free(faulty_nt(), GetCurrentProcess(), snapshot),
                     STATUS_INVALID_HANDLE);
}

static void test_free_by_pseudo_handle_needs_no_system_call_that_may_fail(void **state)
{
    (void)state;
    /* One that another process may free here is looked for first. */
    loop_over_free(GetCurrentProcess(),
                   SUBJECT_EVERYTHING & ~(uint32_t)PSS_CREATE_USE_VM_ALLOCATIONS, check_freed);
    /* The second free looks whether another process has put a snapshot there meanwhile. */
    assert_same(faulty_fallible_calls(), 1);
    assert_same(faulty_calls_of(FAULTY_query_memory), 1);
}

static void test_free_by_own_handle_with_faults_frees_or_refuses(void **state)
{
    HANDLE own = OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
    HANDLE weak = OpenProcess(PROCESS_VM_READ | PROCESS_VM_OPERATION | PROCESS_DUP_HANDLE, FALSE,
                              GetCurrentProcessId());

    (void)state;
    loop_over_free(own, PSS_CAPTURE_NONE, check_freed_or_refused);
    loop_over_free(weak, PSS_CAPTURE_NONE, check_freed_or_refused);
    CloseHandle(own);
    CloseHandle(weak);
}

static void test_free_by_target_handle_with_faults_frees_nothing(void **state)
{
    (void)state;
    loop_over_free(child.process, PSS_CAPTURE_NONE, check_refused);
}

static NTSTATUS NTAPI answer_trace(HANDLE process, ULONG class_number, void *buffer, ULONG size,
                                   ULONG *returned)
{
    if (class_number != PSS_NT_PROCESS_HANDLE_TRACING)
        return pss_nt_system()->query_process(process, class_number, buffer, size, returned);
    memset(buffer, 0, sizeof(struct pss_nt_handle_tracing));
    *returned = sizeof(struct pss_nt_handle_tracing);
    return STATUS_SUCCESS;
}

/* What cannot be recognised as the snapshot's own any more must stay open. */
static void check_freed_but_lent(HPSS snapshot, const struct outcome *outcome)
{
    check_by_rows(outcome);
    check_freed(snapshot, outcome);
    assert_true(faulty_ledger().handles == (outcome->failed ? 1u : 0u));
    if (outcome->failed)
        faulty_reclaim();
}

static void test_free_of_trace_with_faults_closes_only_what_it_recognises(void **state)
{
    (void)state;
    faulty_inner()->query_process = answer_trace;
    loop_over_free(GetCurrentProcess(), PSS_CAPTURE_HANDLE_TRACE, check_freed_but_lent);
}

static void test_query_and_walk_call_no_service(void **state)
{
    HPSS snapshot = capture(SUBJECT_EVERYTHING);
    HPSSWALK marker = NULL;
    PSS_THREAD_INFORMATION threads;
    PSS_THREAD_ENTRY thread;
    ULONG_PTR position;

    (void)state;
    assert_int_equal(pss_marker_create(faulty_nt(), NULL, &marker), STATUS_SUCCESS);
    faulty_reset();
    assert_int_equal(pss_snapshot_query(faulty_nt(), snapshot, PSS_QUERY_THREAD_INFORMATION,
                                        &threads, sizeof(threads)),
                     STATUS_SUCCESS);
    for (DWORD i = 0; i < threads.ThreadsCaptured; i++)
        assert_int_equal(
            pss_snapshot_walk(snapshot, PSS_WALK_THREADS, marker, &thread, sizeof(thread)),
            STATUS_SUCCESS);
    assert_int_equal(pss_snapshot_walk(snapshot, PSS_WALK_THREADS, marker, &thread, sizeof(thread)),
                     STATUS_NO_MORE_ENTRIES);
    assert_int_equal(pss_marker_tell(marker, &position), STATUS_SUCCESS);
    assert_int_equal(pss_marker_seek(marker, 0), STATUS_SUCCESS);
    assert_int_equal(pss_marker_rewind(marker), STATUS_SUCCESS);
    assert_same(faulty_calls(), 0);
    assert_int_equal(pss_marker_free(faulty_nt(), marker), STATUS_SUCCESS);
    subject_check_and_free(snapshot, "walked");
}

static void test_marker_create_without_memory_gives_none(void **state)
{
    HPSSWALK marker = (HPSSWALK)state;

    faulty_reset();
    faulty_fail(1, false, STATUS_UNSUCCESSFUL);
    assert_int_equal(pss_marker_create(faulty_nt(), NULL, &marker), STATUS_NO_MEMORY);
    assert_null(marker);
    assert_same(faulty_failed()->service, FAULTY_allocate_heap);
}

static NTSTATUS walk(HPSS snapshot, HPSSWALK marker)
{
    PSS_VA_SPACE_ENTRY entry;

    return pss_snapshot_walk(snapshot, PSS_WALK_VA_SPACE, marker, &entry, sizeof(entry));
}

static ULONG_PTR tell(HPSSWALK marker)
{
    ULONG_PTR position = 0;

    assert_int_equal(pss_marker_tell(marker, &position), STATUS_SUCCESS);
    return position;
}

static void test_walk_without_memory_for_second_snapshot_leaves_marker_as_it_was(void **state)
{
    HPSS first = capture(PSS_CAPTURE_VA_SPACE), second = capture(PSS_CAPTURE_VA_SPACE);
    HPSSWALK marker = NULL;

    (void)state;
    faulty_reset();
    assert_int_equal(pss_marker_create(faulty_nt(), NULL, &marker), STATUS_SUCCESS);
    assert_int_equal(walk(first, marker), STATUS_SUCCESS);
    assert_int_equal(walk(first, marker), STATUS_SUCCESS);
    faulty_fail(2, false, STATUS_UNSUCCESSFUL);
    assert_int_equal(walk(second, marker), STATUS_NO_MEMORY);
    assert_same(faulty_failed()->service, FAULTY_allocate_heap);
    assert_same(tell(marker), 2);
    assert_int_equal(walk(first, marker), STATUS_SUCCESS);
    assert_same(tell(marker), 3);
    assert_int_equal(walk(second, marker), STATUS_SUCCESS);
    assert_same(tell(marker), 1);
    assert_int_equal(pss_marker_free(faulty_nt(), marker), STATUS_SUCCESS);
    subject_check_and_free(first, "first");
    subject_check_and_free(second, "second");
}

#define SNAPSHOTS 20

static void test_marker_holds_freed_snapshots_until_it_is_freed(void **state)
{
    HPSS snapshots[SNAPSHOTS];
    PSS_THREAD_ENTRY entries[SNAPSHOTS];
    HPSSWALK marker = NULL;

    (void)state;
    assert_int_equal(pss_marker_create(faulty_nt(), NULL, &marker), STATUS_SUCCESS);
    for (int i = 0; i < SNAPSHOTS; i++) {
        snapshots[i] = capture(PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
        for (int again = 0; again < 2; again++) { /* one hold for each snapshot */
            assert_int_equal(pss_marker_rewind(marker), STATUS_SUCCESS);
            assert_int_equal(pss_snapshot_walk(snapshots[i], PSS_WALK_THREADS, marker, &entries[i],
                                               sizeof(entries[i])),
                             STATUS_SUCCESS);
        }
        assert_non_null(entries[i].ContextRecord);
    }
    for (int i = 0; i < SNAPSHOTS; i++) {
        subject_check_and_free(snapshots[i], "walked");
        assert_int_equal(walk(snapshots[i], marker), STATUS_INVALID_HANDLE);
    }
    assert_same(faulty_ledger().allocations, SNAPSHOTS);
    assert_same(faulty_ledger().heap_blocks, SNAPSHOTS);
    for (int i = 0; i < SNAPSHOTS; i++)
        assert_true(entries[i].ContextRecord->ContextFlags & CONTEXT_CONTROL);
    assert_int_equal(pss_marker_free(faulty_nt(), marker), STATUS_SUCCESS);
}

/* An allocator of a client, which gives what it is told to give. */
struct budget {
    int left;
    int held;
};

static void *WINAPI spend(void *context, DWORD size)
{
    struct budget *budget = context;

    if (budget->left-- <= 0)
        return NULL;
    budget->held++;
    return malloc(size);
}

static void WINAPI restore(void *context, void *address)
{
    struct budget *budget = context;

    budget->held -= address != NULL;
    free(address);
}

static void test_marker_with_allocator_that_fails_gives_back_all(void **state)
{
    (void)state;
    for (int affordable = 0; affordable < 4; affordable++) {
        struct budget budget = {.left = affordable};
        PSS_ALLOCATOR allocator = {&budget, spend, restore};
        HPSS first = capture(PSS_CAPTURE_VA_SPACE), second = capture(PSS_CAPTURE_VA_SPACE);
        HPSSWALK marker = NULL;
        NTSTATUS status = pss_marker_create(faulty_nt(), &allocator, &marker);

        assert_int_equal(status, affordable ? STATUS_SUCCESS : STATUS_NO_MEMORY);
        if (marker) {
            assert_int_equal(walk(first, marker), STATUS_SUCCESS);
            assert_int_equal(walk(second, marker),
                             affordable > 1 ? STATUS_SUCCESS : STATUS_NO_MEMORY);
            assert_int_equal(pss_marker_free(faulty_nt(), marker), STATUS_SUCCESS);
        }
        assert_int_equal(budget.held, 0);
        subject_check_and_free(first, "first");
        subject_check_and_free(second, "second");
    }
}

static int set_up(void **state)
{
    (void)state;
    faulty_init();
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
    expectation_report(&absorbed_by_free);
    return 0;
}

#define FAULT_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT_TEST(test_free_by_pseudo_handle_needs_no_system_call_that_may_fail),
        FAULT_TEST(test_free_by_own_handle_with_faults_frees_or_refuses),
        FAULT_TEST(test_free_by_target_handle_with_faults_frees_nothing),
        FAULT_TEST(test_free_of_trace_with_faults_closes_only_what_it_recognises),
        FAULT_TEST(test_query_and_walk_call_no_service),
        FAULT_TEST(test_marker_create_without_memory_gives_none),
        FAULT_TEST(test_walk_without_memory_for_second_snapshot_leaves_marker_as_it_was),
        FAULT_TEST(test_marker_holds_freed_snapshots_until_it_is_freed),
        FAULT_TEST(test_marker_with_allocator_that_fails_gives_back_all),
    };

    return cmocka_run_group_tests(tests, start_child, end_child);
}
