/* SPDX-License-Identifier: MIT */
/* Things that happen to the receiver or the source of a duplicate, at each call or at sampled ones.
 */
#include "event_cases.h"

#define FLAGS (PSS_CAPTURE_VA_CLONE | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)

static struct subject party; /* to which a snapshot travels, or from which */
static HPSS own;             /* of the party, in this process */
static HPSS there;           /* its duplicate, in the party */

/* What is done: to the party, or from it. */
struct way {
    const char *name;
    bool is_pull;
};

static const struct way push = {"to the process", false};
static const struct way pull = {"from the process", true};

static NTSTATUS ship(bool is_pull, HPSS *made)
{
    struct pss_duplication what = {GetCurrentProcess(), party.process, own, 0};

    if (is_pull)
        what = (struct pss_duplication){party.process, GetCurrentProcess(), there, 0};
    return pss_snapshot_duplicate(faulty_nt(), &what, made);
}

/* A duplicate that cannot be had back, whole, is none. */
static void check_and_free(const struct way *way, HPSS made, const char *where)
{
    HPSS back = made, kept = there;
    NTSTATUS status;

    if (!way->is_pull) {
        there = made;
        status = ship(true, &back);
        there = kept;
        if (status != STATUS_SUCCESS)
            fail_msg("%s: it cannot be had back: 0x%lx", where, (unsigned long)status);
        status = pss_snapshot_free(faulty_nt(), party.process, made);
        if (status != STATUS_SUCCESS)
            fail_msg("%s: it cannot be freed there: 0x%lx", where, (unsigned long)status);
    }
    subject_check_and_free(back, where);
}

static uint32_t count_calls(const struct way *way)
{
    HPSS made = NULL;

    faulty_reset();
    assert_int_equal(ship(way->is_pull, &made), STATUS_SUCCESS);
    uint32_t calls = faulty_calls();
    check_and_free(way, made, "undisturbed");
    return calls;
}

static void run_once(const struct way *way, enum event_kind kind, uint32_t number)
{
    struct event_happening happening = {event_case_of(kind), &party, false};
    struct faulty_ledger before = faulty_ledger();
    HPSS made = NULL;
    char where[160];

    snprintf(where, sizeof(where), "%s, %s at call %u", way->name, happening.event->name, number);
    event_plan(&happening, number);
    NTSTATUS status = ship(way->is_pull, &made);
    event_finish(&happening, where);
    if (status != STATUS_SUCCESS)
        fail_msg("%s: the result is 0x%lx", where, (unsigned long)status);
    check_and_free(way, made, where);
    struct faulty_ledger after = faulty_ledger();
    if (memcmp(&after, &before, sizeof(after)) != 0 || faulty_violation())
        fail_msg("%s: something is left; %s", where, faulty_violation());
}

static void run_kinds(const struct way *way)
{
    uint32_t calls = count_calls(way);

    for (int kind = 0; kind < EVENT_KINDS; kind++)
        for (uint32_t number = 1; number <= calls; number++)
            run_once(way, (enum event_kind)kind, number);
    print_message("%s: %u calls, %d kinds of events\n", way->name, calls, EVENT_KINDS);
    assert_same(target_call(party.target, TARGET_PING, 0, 0, 0, 0), party.target->pid);
}

static void test_duplicate_to_a_process_that_is_busy_is_whole(void **state)
{
    (void)state;
    run_kinds(&push);
}

static void test_duplicate_from_a_process_that_is_busy_is_whole(void **state)
{
    (void)state;
    run_kinds(&pull);
}

static int set_up(void **state)
{
    (void)state;
    faulty_init();
    subject_start_child(&party);
    assert_int_equal(subject_capture(&party, FLAGS, &own), STATUS_SUCCESS);
    assert_int_equal(ship(false, &there), STATUS_SUCCESS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(pss_snapshot_free(faulty_nt(), party.process, there), STATUS_SUCCESS);
    subject_check_and_free(own, "own");
    faulty_assert_clean("at the end");
    subject_fini(&party);
    target_destroy_all();
    return 0;
}

#define EVENT_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVENT_TEST(test_duplicate_to_a_process_that_is_busy_is_whole),
        EVENT_TEST(test_duplicate_from_a_process_that_is_busy_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
