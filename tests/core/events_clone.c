/* SPDX-License-Identifier: MIT */
/* Things that happen to a target while it is cloned: at each call, or at sampled ones. */
#include "event_cases.h"
#include "random.h"
#include "soak.h"

#define SAMPLES soak_or(6, 300)

/* Each kind of event; death has a place of its own in fault_clone.c. */
static void run_kinds(uint32_t flags)
{
    for (int kind = 0; kind < EVENT_KINDS; kind++)
        event_run((enum event_kind)kind, flags, SAMPLES);
}

static void test_events_during_a_clone_cost_at_most_their_item(void **state)
{
    (void)state;
    run_kinds(PSS_CAPTURE_VA_CLONE);
}

static void test_events_during_a_clone_with_everything_cost_at_most_their_item(void **state)
{
    (void)state;
    if (soak_or(0, 1))
        run_kinds(PSS_CAPTURE_VA_CLONE | SUBJECT_EVERYTHING);
    else
        event_run((enum event_kind)random_below(EVENT_KINDS),
                  PSS_CAPTURE_VA_CLONE | SUBJECT_EVERYTHING, SAMPLES);
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
    target_destroy_all();
    return 0;
}

#define EVENT_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVENT_TEST(test_events_during_a_clone_cost_at_most_their_item),
        EVENT_TEST(test_events_during_a_clone_with_everything_cost_at_most_their_item),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
