/* SPDX-License-Identifier: MIT */
/* Suspended threads run again, whoever has to resume them: the capture, its watcher, the module. */
#include "world.h"

#include "base/suspension.h"

#define CONTEXTS  (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)
#define MANY      2500u /* more than one chunk of a list */
#define FOREVER   100u  /* times: more often than a capture is tried */
#define MOST_EVER 127u  /* MAXIMUM_SUSPEND_COUNT */

static PSS_THREAD_ENTRY entries[8];

static NTSTATUS capture(const struct pss_nt *nt, HANDLE process, uint32_t flags)
{
    return pss_snapshot_capture(nt, process, flags, CONTEXT_EVERYTHING, &world.snapshot);
}

static uint32_t walk_threads(void)
{
    assert_same(pss_marker_create(fake_nt(), NULL, &world.marker), STATUS_SUCCESS);
    return world_walk(PSS_WALK_THREADS, entries, sizeof(entries[0]), 8);
}

/* ---- the list ---- */

static HANDLE open_thread(struct fake_thread *thread)
{
    return fake_handle_open(fake.own, &thread->object, THREAD_SUSPEND_RESUME, 0);
}

static void test_threads_of_an_abandoned_list_run_again(void **state)
{
    struct fake_thread *thread = fake_thread_add(world.target, 2004);
    struct fake_thread *other = fake_thread_add(world.target, 2008);
    struct pss_suspension *list;
    HANDLE handles[] = {open_thread(thread), open_thread(other)};
    ULONG previous = 1;

    (void)state;
    other->suspend_count = 3;
    assert_same(pss_suspension_begin(fake_nt(), &list), STATUS_SUCCESS);
    assert_same(pss_suspension_add(fake_nt(), list, handles[0], &previous), STATUS_SUCCESS);
    assert_same(previous, 0);
    assert_same(pss_suspension_add(fake_nt(), list, handles[1], &previous), STATUS_SUCCESS);
    assert_same(previous, 3);
    assert_false(pss_suspension_is_interrupted(list));
    pss_suspension_interrupt_all(fake_nt());
    assert_true(pss_suspension_is_interrupted(list));
    assert_same(thread->suspend_count, 0);
    assert_same(other->suspend_count, 3);
    pss_suspension_end(fake_nt(), list);
    pss_suspension_interrupt_all(fake_nt()); /* it is in no table any more */
    assert_same(other->suspend_count, 3);
    for (int i = 0; i < 2; i++)
        fake_handle_close(fake.own, handles[i]);
}

static void test_interrupted_list_takes_no_more_threads(void **state)
{
    struct fake_thread *thread = fake_thread_add(world.target, 2004);
    struct pss_suspension *list;
    HANDLE handle = open_thread(thread);
    ULONG previous;

    (void)state;
    assert_same(pss_suspension_begin(fake_nt(), &list), STATUS_SUCCESS);
    pss_suspension_interrupt(fake_nt(), list);
    assert_same(pss_suspension_add(fake_nt(), list, handle, &previous), STATUS_CANCELLED);
    assert_same(pss_suspension_count(list), 0);
    assert_same(thread->suspend_count, 0);
    pss_suspension_end(fake_nt(), list);
    fake_handle_close(fake.own, handle);
}

/* A thread that is being suspended, and how often that is interrupted before and after. */
static struct {
    struct pss_suspension *list;
    struct fake_thread *thread;
    uint32_t before, after;
    uint32_t is_refused; /* then somebody else suspends it */
} meanwhile;

static NTSTATUS NTAPI suspend_interrupted(HANDLE thread, ULONG *previous)
{
    NTSTATUS status = STATUS_ACCESS_DENIED;

    for (uint32_t i = 0; i < meanwhile.before; i++)
        pss_suspension_interrupt(fake_nt(), meanwhile.list);
    if (!meanwhile.is_refused)
        status = fake_nt()->suspend_thread(thread, previous);
    for (uint32_t i = 0; i < meanwhile.after; i++) {
        pss_suspension_interrupt(fake_nt(), meanwhile.list);
        assert_same(meanwhile.thread->suspend_count, 0);
    }
    return status;
}

/* Who suspends it may stand still before the call is made, and once more when it has been made. */
static void test_thread_that_is_just_being_suspended_runs_on(void **state)
{
    struct fake_thread *thread = fake_thread_add(world.target, 2004);
    struct pss_nt nt = *fake_nt();
    HANDLE handle = open_thread(thread);
    ULONG previous;

    (void)state;
    nt.suspend_thread = suspend_interrupted;
    meanwhile.thread = thread;
    for (uint32_t i = 1; i < 32; i++) {
        meanwhile.before = i % 4;
        meanwhile.after = i / 4 % 4;
        meanwhile.is_refused = i / 16;
        assert_same(pss_suspension_begin(&nt, &meanwhile.list), STATUS_SUCCESS);
        assert_same(pss_suspension_add(&nt, meanwhile.list, handle, &previous),
                    meanwhile.is_refused ? STATUS_ACCESS_DENIED : STATUS_SUCCESS);
        assert_same(thread->suspend_count, 0);
        thread->suspend_count = 2; /* by others: they stay */
        pss_suspension_interrupt(fake_nt(), meanwhile.list);
        pss_suspension_end(&nt, meanwhile.list);
        assert_same(thread->suspend_count, 2);
        thread->suspend_count = 0;
    }
    fake.bad_closes = 0; /* those that found it running */
    fake_handle_close(fake.own, handle);
}

static void test_list_takes_any_number_of_threads(void **state)
{
    struct fake_thread *thread = fake_thread_add(world.target, 2004);
    HANDLE handles[MANY];
    struct pss_suspension *list;
    ULONG previous;

    (void)state;
    assert_same(pss_suspension_begin(fake_nt(), &list), STATUS_SUCCESS);
    for (uint32_t i = 0; i < MANY; i++) {
        handles[i] = open_thread(i ? fake_thread_add(world.target, 2004 + 4 * i) : thread);
        assert_same(pss_suspension_add(fake_nt(), list, handles[i], &previous), STATUS_SUCCESS);
    }
    assert_same(pss_suspension_count(list), MANY);
    pss_suspension_end(fake_nt(), list);
    for (uint32_t i = 0; i < MANY; i++) {
        assert_same(world.target->threads[i]->suspend_count, 0);
        fake_handle_close(fake.own, handles[i]);
    }
}

static void test_more_lists_than_there_are_places_are_refused(void **state)
{
    struct pss_suspension *lists[FOREVER];
    uint32_t count = 0;

    (void)state;
    while (count < FOREVER && NT_SUCCESS(pss_suspension_begin(fake_nt(), &lists[count])))
        count++;
    assert_in_range(count, 1, FOREVER - 1);
    while (count)
        pss_suspension_end(fake_nt(), lists[--count]);
    pss_suspension_end(fake_nt(), NULL);
}

/* ---- the watcher ---- */

/* Calls of a self-capture that nobody disturbs. */
static uint64_t count_calls(void)
{
    uint64_t before = fake.all_calls;

    assert_same(capture(fake_nt(), PSS_CURRENT_PROCESS, CONTEXTS), STATUS_SUCCESS);
    world_release();
    return fake.all_calls - before;
}

static NTSTATUS capture_disturbed(uint64_t call, uint32_t limit)
{
    fake.suspensions = 0;
    fake.suspension_limit = limit;
    fake.suspension_call = fake.all_calls + call;
    return capture(fake_nt(), PSS_CURRENT_PROCESS, CONTEXTS);
}

static void check_disturbed(uint64_t call)
{
    uint32_t count = (uint32_t)fake.own->thread_count;

    assert_same(capture_disturbed(call, 1), STATUS_SUCCESS);
    assert_same(walk_threads(), count);
    for (uint32_t i = 0; i < count; i++) {
        assert_non_null(entries[i].ContextRecord);
        assert_same(entries[i].SuspendCount, 0);
        assert_same(fake.own->threads[i]->suspend_count, 0);
    }
    world_release();
}

/* A profiler in the own process: it has suspended the capturing thread when it is suspended. */
static void test_capture_that_its_victim_suspends_goes_on(void **state)
{
    uint64_t calls;
    uint32_t disturbed = 0;

    (void)state;
    fake_thread_add(fake.own, 1012);
    fake.suspender = fake_thread_add(fake.own, 1016);
    fake_thread_add(fake.own, 1020);
    calls = count_calls();
    for (uint64_t call = 1; call <= calls; call++) {
        check_disturbed(call);
        disturbed += fake.suspensions;
    }
    assert_in_range(disturbed, 10, calls);
}

static void test_capture_that_is_suspended_again_and_again_fails(void **state)
{
    (void)state;
    fake.suspender = fake_thread_add(fake.own, 1016);
    assert_same(capture_disturbed(1, FOREVER), STATUS_CANCELLED);
    assert_null(world.snapshot);
    assert_in_range(fake.suspensions, 2, FOREVER - 1);
    assert_same(fake.suspender->suspend_count, 0);
}

/* What a call waits for may be a lock that a suspended thread has. */
static void test_capture_that_waits_for_its_victim_goes_on(void **state)
{
    struct fake_thread *victim = fake_thread_add(fake.own, 1012);

    (void)state;
    fake_thread_add(fake.own, 1016)->awaited = victim;
    assert_same(capture(fake_nt(), PSS_CURRENT_PROCESS, CONTEXTS), STATUS_SUCCESS);
    assert_same(walk_threads(), 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_non_null(entries[i].ContextRecord);
        assert_same(fake.own->threads[i]->suspend_count, 0);
    }
    assert_same(fake.calls_of[FAKE_CREATE_THREAD], 2); /* a watcher each time */
}

/* Systems before 8.1 do not tell how often a thread is suspended. */
static void test_watcher_finds_out_without_suspend_counts(void **state)
{
    (void)state;
    fake.has_suspend_counts = 0;
    fake.suspender = fake_thread_add(fake.own, 1016);
    assert_same(capture_disturbed(1, 1), STATUS_SUCCESS);
    assert_same(fake.suspensions, 1);
    assert_same(fake.caller->suspend_count, 0);
}

static void test_capture_without_a_watcher_freezes_as_well(void **state)
{
    (void)state;
    fake_thread_add(fake.own, 1012);
    fake.never_begins_threads = 1;
    assert_same(capture(fake_nt(), PSS_CURRENT_PROCESS, CONTEXTS), STATUS_SUCCESS);
    assert_same(fake.calls_of[FAKE_CREATE_THREAD], 0);
    assert_same(walk_threads(), 2);
    assert_non_null(entries[1].ContextRecord);
}

/* ---- whom a freeze finds ---- */

static void test_thread_that_is_suspended_as_often_as_can_be_has_its_context(void **state)
{
    struct fake_thread *thread = fake_thread_add(world.target, 2004);

    (void)state;
    thread->suspend_count = MOST_EVER;
    assert_same(capture(fake_nt(), world.process, CONTEXTS), STATUS_SUCCESS);
    assert_same(walk_threads(), 1);
    assert_same(entries[0].SuspendCount, MOST_EVER);
    assert_non_null(entries[0].ContextRecord);
    assert_same(thread->suspend_count, MOST_EVER);
}

static void test_thread_that_grants_less_is_listed_without_context(void **state)
{
    (void)state;
    fake_thread_add(world.target, 2004);
    fake_thread_add(world.target, 2008)->denies = THREAD_GET_CONTEXT | THREAD_SUSPEND_RESUME;
    fake_thread_add(world.target, 2012)->denies = THREAD_QUERY_INFORMATION;
    assert_same(capture(fake_nt(), world.process, CONTEXTS), STATUS_SUCCESS);
    assert_same(walk_threads(), 3);
    assert_non_null(entries[0].ContextRecord);
    assert_null(entries[1].ContextRecord);
    assert_null(entries[2].ContextRecord);
    assert_same(entries[1].ThreadId, 2008);
    assert_same(entries[2].ThreadId, 2012);
}

static void add_late_thread(void *context)
{
    *(struct fake_thread **)context = fake_thread_add(world.target, 2008);
}

/* A thread runs on after its suspension, until its context was read. */
static void test_thread_started_before_the_contexts_were_read_is_captured(void **state)
{
    struct fake_thread *late = NULL;
    uint64_t calls;

    (void)state;
    fake_thread_add(world.target, 2004);
    fake.context = &late;
    fake.event = add_late_thread;
    calls = fake.all_calls;
    assert_same(capture(fake_nt(), world.process, CONTEXTS), STATUS_SUCCESS);
    world_release();
    calls = fake.all_calls - calls;
    for (uint64_t call = 1; call < calls; call++) {
        uint64_t contexts = fake.calls_of[FAKE_GET_CONTEXT];

        late = NULL;
        world.target->thread_count = 1;
        fake.event_call = fake.all_calls + call;
        assert_same(capture(fake_nt(), world.process, CONTEXTS), STATUS_SUCCESS);
        contexts = fake.calls_of[FAKE_GET_CONTEXT] - contexts;
        if (walk_threads() == 2)
            assert_same(contexts, 2);
        assert_same(late->suspend_count, 0);
        world_release();
    }
}

/* ---- other captures ---- */

static struct fake_thread *captured_elsewhere;

/* The other capture ends when its lock is waited for. */
static NTSTATUS NTAPI wait_for_other_capture(HANDLE handle, BOOLEAN is_alertable,
                                             LARGE_INTEGER *timeout)
{
    if (captured_elsewhere)
        captured_elsewhere->suspend_count--;
    captured_elsewhere = NULL;
    return fake_nt()->wait(handle, is_alertable, timeout);
}

static void test_suspend_counts_do_not_tell_of_other_captures(void **state)
{
    struct pss_nt nt = *fake_nt();
    struct fake_thread *thread = fake_thread_add(world.target, 2004);

    (void)state;
    fake_thread_add(world.target, 2008)->suspend_count = 2;
    thread->suspend_count = 1;
    captured_elsewhere = thread;
    nt.wait = wait_for_other_capture;
    assert_same(capture(&nt, world.process, PSS_CAPTURE_THREADS), STATUS_SUCCESS);
    assert_same(walk_threads(), 2);
    assert_same(entries[0].SuspendCount, 0);
    assert_same(entries[1].SuspendCount, 2);
    assert_same(fake.calls_of[FAKE_CREATE_MUTANT], 1);
}

static NTSTATUS lock_status;
static uint32_t lock_waits;

static NTSTATUS NTAPI wait_for_lock(HANDLE handle, BOOLEAN is_alertable, LARGE_INTEGER *timeout)
{
    struct fake_handle *found = fake_handle_find(fake.own, handle);

    if (!found || found->object->type != FAKE_MUTANT)
        return fake_nt()->wait(handle, is_alertable, timeout);
    lock_waits++;
    if (lock_status == STATUS_ABANDONED)
        fake_nt()->wait(handle, is_alertable, timeout);
    return lock_status;
}

static NTSTATUS capture_with_lock(HANDLE process, NTSTATUS status)
{
    struct pss_nt nt = *fake_nt();

    nt.wait = wait_for_lock;
    lock_status = status;
    lock_waits = 0;
    return capture(&nt, process, CONTEXTS);
}

static void test_lock_of_a_thread_that_has_ended_is_taken_over(void **state)
{
    (void)state;
    fake_thread_add(world.target, 2004);
    assert_same(capture_with_lock(world.process, STATUS_ABANDONED), STATUS_SUCCESS);
    assert_same(lock_waits, 2);
    world_release();
    assert_same(capture_with_lock(PSS_CURRENT_PROCESS, STATUS_ABANDONED), STATUS_SUCCESS);
    assert_same(lock_waits, 1);
}

static void test_lock_that_is_never_given_back_is_waited_for_in_parts(void **state)
{
    (void)state;
    fake_thread_add(world.target, 2004);
    assert_same(capture_with_lock(world.process, STATUS_TIMEOUT), STATUS_SUCCESS);
    assert_same(lock_waits, 2 * 30);
    world_release();
    assert_same(capture_with_lock(PSS_CURRENT_PROCESS, STATUS_TIMEOUT), STATUS_IO_TIMEOUT);
    assert_same(lock_waits, 600);
}

/* ---- targets that do not answer ---- */

static void test_contexts_that_never_come_are_abandoned(void **state)
{
    struct fake_thread *thread = fake_thread_add(world.target, 2004);

    (void)state;
    world.target->context_hang = FAKE_HANGS;
    assert_same(capture(fake_nt(), world.process, CONTEXTS), STATUS_IO_TIMEOUT);
    assert_null(world.snapshot);
    assert_same(thread->suspend_count, 0);
    assert_same(fake.terminations, 1);
}

static void test_contexts_that_come_late_are_waited_for(void **state)
{
    (void)state;
    fake_thread_add(world.target, 2004);
    world.target->context_hang = FAKE_IS_SLOW;
    assert_same(capture(fake_nt(), world.process, CONTEXTS), STATUS_SUCCESS);
    assert_same(walk_threads(), 1);
    assert_non_null(entries[0].ContextRecord);
}

static void test_target_that_dies_while_its_contexts_are_read_is_told(void **state)
{
    (void)state;
    fake_thread_add(world.target, 2004);
    world.target->context_hang = FAKE_HANGS;
    world.target->dies_when_asked = 1;
    assert_same(capture(fake_nt(), world.process, CONTEXTS), STATUS_PARTIAL_COPY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_threads_of_an_abandoned_list_run_again),
        fixture_test(test_interrupted_list_takes_no_more_threads),
        fixture_test(test_thread_that_is_just_being_suspended_runs_on),
        fixture_test(test_list_takes_any_number_of_threads),
        fixture_test(test_more_lists_than_there_are_places_are_refused),
        fixture_test(test_capture_that_its_victim_suspends_goes_on),
        fixture_test(test_capture_that_is_suspended_again_and_again_fails),
        fixture_test(test_capture_that_waits_for_its_victim_goes_on),
        fixture_test(test_watcher_finds_out_without_suspend_counts),
        fixture_test(test_capture_without_a_watcher_freezes_as_well),
        fixture_test(test_thread_that_is_suspended_as_often_as_can_be_has_its_context),
        fixture_test(test_thread_that_grants_less_is_listed_without_context),
        fixture_test(test_thread_started_before_the_contexts_were_read_is_captured),
        fixture_test(test_suspend_counts_do_not_tell_of_other_captures),
        fixture_test(test_lock_of_a_thread_that_has_ended_is_taken_over),
        fixture_test(test_lock_that_is_never_given_back_is_waited_for_in_parts),
        fixture_test(test_contexts_that_never_come_are_abandoned),
        fixture_test(test_contexts_that_come_late_are_waited_for),
        fixture_test(test_target_that_dies_while_its_contexts_are_read_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
