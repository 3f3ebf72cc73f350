/* SPDX-License-Identifier: MIT */
/* The fault loop over duplicates and remote frees, with a ledger of three real processes. */
#include "api/api.h"

#include "expectation.h"
#include "faulty_nt.h"
#include "nt_calls.h"
#include "soak.h"
#include "subject.h"

#define FLAGS                                                                  \
    (PSS_CAPTURE_VA_CLONE | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT | \
     PSS_CREATE_USE_VM_ALLOCATIONS)
#define REPORTS 10u

/* Where the snapshot is, and what is done with it. */
struct way {
    const char *name;
    uint8_t from, to; /* 0: this process, 1 and 2: the others */
    bool is_free;     /* no duplicate, but a free */
    uint32_t flags;
};

static const struct way ways[] = {
    {"local", 0, 0, false, 0},
    {"push", 0, 1, false, 0},
    {"pull", 1, 0, false, 0},
    {"relay", 1, 2, false, 0},
    {"local, closing", 0, 0, false, PSS_DUPLICATE_CLOSE_SOURCE},
    {"push, closing", 0, 1, false, PSS_DUPLICATE_CLOSE_SOURCE},
    {"pull, closing", 1, 0, false, PSS_DUPLICATE_CLOSE_SOURCE},
    {"relay, closing", 1, 2, false, PSS_DUPLICATE_CLOSE_SOURCE},
    {"free", 1, 1, true, 0},
};

/* What is there of the library's doing; of another process also what is its own. */
struct account {
    struct faulty_ledger own;
    DWORD handles[3];
    uint32_t allocations[3];
};

static struct subject child;     /* what is captured */
static struct target *others[3]; /* by the numbers above */
static HPSS master;              /* everything else is a duplicate of it */
static HPSS source, duplicate;   /* of the run */
static HANDLE lent;              /* by the source, if it is in this process */
static const struct way *way;    /* of the run */
static char where[200];          /* the run, for messages */
static uint32_t reported;
static uint32_t delivered; /* calls until a duplicate is there, by the way that leaves the source */

static void report(const char *what, NTSTATUS status)
{
    if (reported++ < REPORTS)
        print_error("%s: %s: 0x%lx\n", where, what, (unsigned long)status);
}

static HANDLE process_of(uint8_t party)
{
    return party ? others[party]->process : GetCurrentProcess();
}

/* ---- the ledger ---- */

static uint32_t count_allocations(HANDLE process)
{
    MEMORY_BASIC_INFORMATION region;
    const char *address = NULL;
    const void *last = NULL;
    uint32_t count = 0;

    while (VirtualQueryEx(process, address, &region, sizeof(region))) {
        address = (const char *)region.BaseAddress + region.RegionSize;
        if (region.State == MEM_FREE || region.Type != MEM_PRIVATE || region.AllocationBase == last)
            continue;
        last = region.AllocationBase;
        count++;
    }
    return count;
}

static struct account read_account(void)
{
    struct account account = {.own = faulty_ledger()};

    for (int i = 1; i < 3; i++) {
        account.handles[i] = nt_handles_count(others[i]->pid);
        account.allocations[i] = count_allocations(others[i]->process);
    }
    return account;
}

static bool closes(void)
{
    return way->is_free || way->flags;
}

/*
 * What may be left where a release did not succeed: handles of a source that was closed, and what
 * was opened in a target if all calls go on to fail.
 */
static void compare_accounts(const struct account *before, bool is_persistent)
{
    struct account now = read_account();

    if (memcmp(&now.own, &before->own, sizeof(now.own)) != 0)
        report("something is left in this process", (NTSTATUS)now.own.handles);
    for (uint8_t i = 1; i < 3; i++) {
        bool target_may = is_persistent && way->to == i, source_may = closes() && way->from == i;

        if (now.handles[i] != before->handles[i] &&
            (now.handles[i] < before->handles[i] || !(target_may || source_may)))
            report("handles are left in another process", (NTSTATUS)now.handles[i]);
        if (now.allocations[i] != before->allocations[i] &&
            (now.allocations[i] < before->allocations[i] || !target_may))
            report("memory is left in another process", (NTSTATUS)now.allocations[i]);
    }
    if (faulty_violation())
        fail_msg("%s: %s", where, faulty_violation());
}

/* ---- a run ---- */

static NTSTATUS ship(uint8_t from, HPSS snapshot, uint8_t to, uint32_t flags, HPSS *made)
{
    struct pss_duplication what = {process_of(from), process_of(to), snapshot, flags};

    return pss_snapshot_duplicate(faulty_nt(), &what, made);
}

static void prepare(void)
{
    PSS_VA_CLONE_INFORMATION information;

    faulty_reset();
    lent = NULL;
    assert_int_equal(ship(0, master, way->from, 0, &source), STATUS_SUCCESS);
    if (way->from)
        return;
    assert_int_equal(pss_snapshot_query(faulty_nt(), source, PSS_QUERY_VA_CLONE_INFORMATION,
                                        &information, sizeof(information)),
                     STATUS_SUCCESS);
    lent = information.VaCloneHandle;
}

static NTSTATUS go(void)
{
    duplicate = (HPSS)&child;
    if (!way->is_free)
        return ship(way->from, source, way->to, way->flags, &duplicate);
    duplicate = NULL;
    return pss_snapshot_free(faulty_nt(), process_of(way->from), source);
}

static bool free_if_there(uint8_t party, HPSS snapshot)
{
    NTSTATUS status = pss_snapshot_free(faulty_nt(), process_of(party), snapshot);

    if (status != STATUS_SUCCESS && status != STATUS_INVALID_HANDLE)
        report("the free", status);
    return NT_SUCCESS(status);
}

/* A handle that could not be recognised as ours is the client's to close. */
static void close_lent(void)
{
    if (!lent || !closes() || !faulty_holds(lent))
        return;
    faulty_disown(lent);
    CloseHandle(lent);
}

static void clean_up(NTSTATUS status, bool was_met)
{
    bool was_there;

    if (duplicate && !free_if_there(way->to, duplicate))
        report("the duplicate is not there", status);
    was_there = free_if_there(way->from, source);
    if (!closes() && !was_there)
        report("the source is not there", status);
    if (closes() && !was_met && was_there)
        report("the source is there", status);
    close_lent();
    pss_clone_look(faulty_nt()); /* kept for a lent handle */
}

static const char *compare(bool is_persistent, NTSTATUS injected, NTSTATUS status)
{
    const struct expectation_case what = {.thread = GetCurrentThreadId(),
                                          .is_free = way->is_free,
                                          .delivered = way->flags ? delivered : 0};

    if (!way->is_free && NT_SUCCESS(status) != (duplicate != NULL))
        return "a duplicate without success, or none with it";
    if (!faulty_failed())
        return NT_SUCCESS(status) ? NULL : "nothing has failed";
    if (!is_persistent)
        return expectation_compare(
            expectation_of(&absorbed_by_shipping, faulty_failed(), injected, &what), injected,
            status);
    return NT_SUCCESS(status) || status == injected || status == STATUS_INVALID_HANDLE ||
                   (status == STATUS_IO_TIMEOUT && faulty_failures_of(FAULTY_wait))
               ? NULL
               : "that is not what failed";
}

static void run_fault(uint32_t number, bool is_persistent, NTSTATUS injected)
{
    const char *difference;
    struct account before;
    const struct faulty_call *call;
    NTSTATUS status;

    before = read_account();
    prepare();
    faulty_reset();
    faulty_fail(number, is_persistent, injected);
    if (is_persistent)
        faulty_spare_waits();
    status = go();
    call = faulty_failed();
    snprintf(where, sizeof(where), "%s: call %u (%s) fails %s with 0x%lx", way->name, number,
             call ? faulty_name(call->service) : "none", is_persistent ? "on" : "once",
             (unsigned long)injected);
    difference = compare(is_persistent, injected, status);
    faulty_fail(0, false, STATUS_SUCCESS);
    if (difference)
        report(difference, status);
    clean_up(status, call != NULL);
    compare_accounts(&before, is_persistent);
}

/* The calls of a run in which nothing happens. */
static uint32_t count_calls(void)
{
    struct account before = read_account();
    uint32_t calls;
    NTSTATUS status;

    snprintf(where, sizeof(where), "%s: undisturbed", way->name);
    prepare();
    faulty_reset();
    status = go();
    calls = faulty_fallible_calls();
    if (!NT_SUCCESS(status))
        report("it failed", status);
    clean_up(status, false);
    compare_accounts(&before, false);
    return calls;
}

static void run_faults(bool is_persistent, const NTSTATUS *statuses, uint32_t status_count)
{
    uint32_t runs = 0, at_once = soak_or(1, status_count); /* of each call */
    uint32_t delivered_by[3][3] = {{0}};

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        way = &ways[i];
        uint32_t calls = count_calls();

        assert_true(calls > 4);
        delivered = way->flags ? delivered_by[way->from][way->to] : calls;
        delivered_by[way->from][way->to] = delivered;
        for (uint32_t number = 1; number <= calls; number++)
            for (uint32_t j = 0; j < at_once; j++)
                run_fault(number, is_persistent, statuses[runs++ % status_count]);
    }
    print_message("%u runs\n", runs);
    assert_same(reported, 0);
    for (int i = 1; i < 3; i++)
        assert_same(target_call(others[i], TARGET_PING, 0, 0, 0, 0), others[i]->pid);
}

static void test_duplicate_with_a_fault_fails_or_is_whole(void **state)
{
    static const NTSTATUS statuses[] = {
        STATUS_NO_MEMORY,         STATUS_ACCESS_DENIED, STATUS_INVALID_HANDLE,
        STATUS_INVALID_PARAMETER, STATUS_PARTIAL_COPY,  STATUS_PROCESS_IS_TERMINATING,
        STATUS_UNSUCCESSFUL,
    };

    (void)state;
    run_faults(false, statuses, sizeof(statuses) / sizeof(statuses[0]));
}

static void test_duplicate_with_faults_from_a_call_on_fails_or_is_whole(void **state)
{
    static const NTSTATUS statuses[] = {
        STATUS_UNSUCCESSFUL,      STATUS_NO_MEMORY,    STATUS_ACCESS_DENIED,
        STATUS_INVALID_PARAMETER, STATUS_PARTIAL_COPY, STATUS_NOT_IMPLEMENTED,
    };

    (void)state;
    run_faults(true, statuses, sizeof(statuses) / sizeof(statuses[0]));
}

/* ---- events ---- */

static void kill_other(void *argument)
{
    target_kill(*(struct target **)argument);
}

/* A process that is killed takes its part with it; the next one takes its place. */
static void run_death(uint8_t party, uint32_t number)
{
    struct faulty_ledger before = faulty_ledger(), now;
    NTSTATUS status;

    snprintf(where, sizeof(where), "%s: process %u dies at call %u", way->name, party, number);
    prepare();
    faulty_reset();
    faulty_plan_event(number, kill_other, &others[party]);
    status = go();
    faulty_plan_event(0, NULL, NULL);
    if (NT_SUCCESS(status) != (duplicate != NULL))
        report("a duplicate without success, or none with it", status);
    if (duplicate && way->to != party && !free_if_there(way->to, duplicate))
        report("the duplicate is not there", status);
    if (way->from != party)
        free_if_there(way->from, source);
    close_lent();
    now = faulty_ledger();
    if (memcmp(&now, &before, sizeof(now)) != 0)
        report("something is left in this process", status);
    target_destroy(others[party]);
    others[party] = target_start();
}

static void run_deaths(const struct way *chosen, uint8_t party)
{
    way = chosen;
    for (uint32_t number = 1, calls = count_calls(); number <= calls; number += 2)
        run_death(party, number);
}

static void test_death_of_a_process_leaves_nothing(void **state)
{
    (void)state;
    run_deaths(&ways[1], 1);
    run_deaths(&ways[2], 1);
    run_deaths(&ways[3], 1);
    run_deaths(&ways[3], 2);
    run_deaths(&ways[6], 1);
    assert_same(reported, 0);
}

/* ---- fixtures ---- */

static int start_processes(void **state)
{
    (void)state;
    faulty_init();
    subject_start_child(&child);
    others[1] = target_start();
    others[2] = target_start();
    assert_int_equal(subject_capture(&child, FLAGS, &master), STATUS_SUCCESS);
    return 0;
}

static int end_processes(void **state)
{
    (void)state;
    faulty_reset();
    assert_int_equal(pss_snapshot_free(faulty_nt(), GetCurrentProcess(), master), STATUS_SUCCESS);
    target_destroy(others[1]);
    target_destroy(others[2]);
    subject_fini(&child);
    faulty_assert_clean("the end");
    expectation_report(&absorbed_by_shipping);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    reported = 0;
    return 0;
}

#define FAULT_TEST(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT_TEST(test_duplicate_with_a_fault_fails_or_is_whole),
        FAULT_TEST(test_duplicate_with_faults_from_a_call_on_fails_or_is_whole),
        FAULT_TEST(test_death_of_a_process_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, start_processes, end_processes);
}
