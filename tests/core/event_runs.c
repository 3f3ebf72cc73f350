/* SPDX-License-Identifier: MIT */
/* Lets an event happen at each call of a capture, or at sampled ones. */
#include "event_cases.h"
#include "random.h"

static void happen(void *argument)
{
    struct event_happening *happening = argument;

    happening->has_happened = true;
    happening->event->happen(happening->subject);
}

void event_plan(struct event_happening *happening, uint32_t number)
{
    if (happening->event->prepare)
        happening->event->prepare(happening->subject);
    faulty_reset();
    faulty_plan_event(number, happen, happening);
}

uint32_t event_count_calls(const struct subject *subject, uint32_t flags)
{
    HPSS snapshot = NULL;

    faulty_reset();
    assert_int_equal(subject_capture(subject, flags, &snapshot), STATUS_SUCCESS);
    uint32_t calls = faulty_calls();
    subject_check_and_free(snapshot, "undisturbed");
    return calls;
}

void event_finish(struct event_happening *happening, const char *where)
{
    const struct event_case *event = happening->event;

    faulty_plan_event(0, NULL, NULL);
    if (happening->has_happened) {
        subject_assert_suspended(happening->subject, event->suspend_count, where);
        if (event->undo)
            event->undo(happening->subject);
    } else if (event->cancel) {
        event->cancel(happening->subject);
    }
    subject_assert_suspended(happening->subject, 0, where);
}

/* The capture must succeed whatever happens to an item. */
static void run_once(struct subject *subject, const struct event_case *event, uint32_t flags,
                     uint32_t number)
{
    struct event_happening happening = {event, subject, false};
    HPSS snapshot = NULL;
    char where[160];

    snprintf(where, sizeof(where), "flags 0x%x, %s at call %u", flags, event->name, number);
    event_plan(&happening, number);
    NTSTATUS status = subject_capture(subject, flags, &snapshot);
    faulty_plan_event(0, NULL, NULL);
    if (status != STATUS_SUCCESS)
        fail_msg("%s: the result is 0x%lx", where, (unsigned long)status);
    subject_check_and_free(snapshot, where);
    faulty_assert_clean(where);
    event_finish(&happening, where);
}

void event_run(enum event_kind kind, uint32_t flags, uint32_t samples)
{
    const struct event_case *event = event_case_of(kind);
    struct subject subject;

    subject_start_child(&subject);
    uint32_t calls = event_count_calls(&subject, flags), runs = 0;
    for (uint32_t number = 1; number <= calls; number++) {
        if (calls > samples && random_below(calls) >= samples)
            continue;
        run_once(&subject, event, flags, number);
        runs++;
    }
    print_message("flags 0x%x, %s: %u of %u calls\n", flags, event->name, runs, calls);
    assert_same(target_call(subject.target, TARGET_PING, 0, 0, 0, 0), subject.target->pid);
    subject_fini(&subject);
}
