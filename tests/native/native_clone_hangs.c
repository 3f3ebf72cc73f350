/* SPDX-License-Identifier: MIT */
/* Calls of a clone's workers that do not come back, or only when nobody waits for them any more. */
#include "clone_world.h"
#include "fake_threads.h"

#define FLAGS PSS_CAPTURE_VA_CLONE

/* The systems on which it is tried. */
enum kind { BY_FILES, BY_CALLS, OTHER_IMAGE, KIND_COUNT };

static void build(enum kind kind)
{
    clone_world_setup(NULL);
    fake.has_memory_files = kind != BY_CALLS;
    fake.has_native_clones = 0;
    if (kind == OTHER_IMAGE) /* the carrier's PEB has to become the target's */
        world.target->basic.peb = pointer_to(address_of(world.target->basic.peb) + 0x1000);
}

static void end_world(void)
{
    fake_fini();
    memset(&world, 0, sizeof(world));
}

/* One call of a worker's, and what happens while it does not come back. */
static struct hang {
    enum fake_hang how;
    uint64_t call, calls; /* the number of the one that hangs, and of those so far; from 1 */
    uint8_t ends_target, ends_carrier;
} hang;

static NTSTATUS hang_in_worker(void *context, enum fake_call call)
{
    (void)context;
    (void)call;
    if (!fake_worker_id() || ++hang.calls != hang.call)
        return STATUS_SUCCESS;
    if (hang.ends_target)
        fake_process_end(world.target, 9);
    if (hang.ends_carrier && fake.carrier)
        fake_process_end(fake.carrier, 9);
    fake_worker_hang(hang.how);
    return STATUS_SUCCESS;
}

static NTSTATUS capture(HPSS *snapshot)
{
    NTSTATUS status;

    *snapshot = pointer_to(1);
    fake.refuse = hang_in_worker;
    status = pss_snapshot_capture(fake_nt(), world.process, FLAGS, 0, snapshot);
    fake.refuse = NULL;
    assert_same(NT_SUCCESS(status), *snapshot != NULL);
    return status;
}

static int was_met(void)
{
    return hang.calls >= hang.call;
}

/* What the thread that hangs may need stays; all else is given back. */
static void assert_only_kept(void)
{
    struct fake_ledger ledger = fake_ledger_now();

    assert_same(ledger.carriers | ledger.suspensions | ledger.views | ledger.bad_closes, 0);
    assert_same(ledger.threads, 1);
    assert_same(ledger.modules, 1); /* with the thread's code */
    assert_true(ledger.allocations && ledger.allocations <= 6);
    assert_true(ledger.handles <= 10);
}

/* The values of handles that were closed name another process now. */
static void recycle_handles(void)
{
    struct fake_process *bystander = fake_process_add(TARGET_ID + 1000);

    for (int i = 0; i < 20; i++)
        fake_handle_open(fake.own, &bystander->object, PROCESS_ALL_ACCESS, 0);
}

/* When its call comes back after all, the thread does nothing to anybody. */
static int try_call(enum kind kind, uint64_t n, uint64_t *given_up)
{
    HPSS snapshot;

    build(kind);
    fake.answers_at_last = 1;
    hang = (struct hang){.how = FAKE_HANGS_FOR_GOOD, .call = n};
    if (NT_SUCCESS(capture(&snapshot))) {
        assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, snapshot), STATUS_SUCCESS);
        assert_false(was_met());
        end_world();
        return 0;
    }
    assert_only_kept();
    recycle_handles();
    fake_threads_let_go();
    if (fake.strange_writes || fake_ledger_now().carriers || fake_ledger_now().bad_closes)
        fail_msg("kind %d, call %llu: %llu writes to others, %llu carriers", kind,
                 (unsigned long long)n, (unsigned long long)fake.strange_writes,
                 (unsigned long long)fake_ledger_now().carriers);
    ++*given_up;
    end_world();
    return 1;
}

static void test_any_call_that_comes_back_too_late_harms_nobody(void **state)
{
    uint64_t given_up = 0;

    (void)state;
    for (enum kind kind = 0; kind < KIND_COUNT; kind++)
        for (uint64_t n = 1; try_call(kind, n, &given_up); n++)
            ;
    assert_true(given_up > 200);
}

static uint64_t brief; /* captures that did not wait long */

/* Who dies with the question in its hands is not waited for to the end of all patience. */
static int try_death(struct hang what, NTSTATUS *status)
{
    struct fake_ledger ledger;
    HPSS snapshot;

    build(BY_FILES);
    hang = what;
    hang.how = FAKE_HANGS;
    *status = capture(&snapshot);
    if (snapshot)
        assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, snapshot), STATUS_SUCCESS);
    ledger = fake_ledger_now();
    assert_same(ledger.allocations | ledger.threads | ledger.carriers | ledger.suspensions |
                    ledger.modules,
                0);
    assert_true(ledger.handles <= 2); /* what a thread had open that was ended by force */
    brief += fake.calls_of[FAKE_WAIT] < 100;
    end_world();
    return was_met();
}

static void test_target_or_carrier_that_dies_with_a_question_is_not_waited_for(void **state)
{
    NTSTATUS status;
    uint64_t n;

    (void)state;
    for (n = 1; try_death((struct hang){.call = n, .ends_target = 1}, &status); n++)
        assert_same(status, STATUS_PARTIAL_COPY);
    assert_true(n > 100 && brief == n);
    brief = 0;
    for (n = 10; try_death((struct hang){.call = n, .ends_carrier = 1}, &status); n++)
        assert_false(NT_SUCCESS(status));
    assert_true(brief > 100); /* all but those that asked the target, which lives */
}

/* ---- threads that somebody else ends ---- */

static NTSTATUS die_in_worker(void *context, enum fake_call call)
{
    (void)context;
    (void)call;
    if (fake_worker_id() && ++hang.calls == hang.call)
        fake_worker_die();
    return STATUS_SUCCESS;
}

static NTSTATUS capture_with_victim(uint32_t flags, uint64_t n)
{
    NTSTATUS status;

    hang = (struct hang){.call = n};
    fake.refuse = die_in_worker;
    status = pss_snapshot_capture(fake_nt(), world.process, flags, 0, &world.snapshot);
    fake.refuse = NULL;
    assert_same(NT_SUCCESS(status), world.snapshot != NULL);
    return status;
}

static void end_world_of_victim(void)
{
    struct fake_ledger ledger;

    world_release();
    ledger = fake_ledger_now();
    assert_same(ledger.allocations | ledger.threads | ledger.carriers | ledger.suspensions |
                    ledger.modules,
                0);
    assert_true(ledger.handles <= 2); /* what the thread had open */
    end_world();
}

/* A clone is whole, or there is none. */
static int try_victim(enum kind kind, uint64_t n)
{
    struct fake_process *twin;
    NTSTATUS status;

    build(kind);
    twin = clone_world_twin();
    status = capture_with_victim(FLAGS, n);
    if (NT_SUCCESS(status))
        assert_same_bytes(clone_world_clone(), twin);
    else
        assert_same(status, STATUS_CANCELLED);
    end_world_of_victim();
    return was_met();
}

static void test_worker_that_somebody_ends_has_not_done_its_job(void **state)
{
    (void)state;
    for (enum kind kind = 0; kind < OTHER_IMAGE; kind++) {
        uint64_t n = 1;

        while (try_victim(kind, n))
            n++;
        assert_true(n > 50);
    }
}

/* Regions of a capture whose reader is ended at its call \p n: the caller asks for all of them. */
static uint32_t count_regions(uint64_t n, int *is_met)
{
    PSS_VA_SPACE_INFORMATION space;

    build(BY_CALLS);
    assert_same(capture_with_victim(PSS_CAPTURE_VA_SPACE, n), STATUS_SUCCESS);
    assert_same(pss_snapshot_query(fake_nt(), world.snapshot, PSS_QUERY_VA_SPACE_INFORMATION,
                                   &space, sizeof(space)),
                STATUS_SUCCESS);
    *is_met = was_met();
    end_world_of_victim();
    return space.RegionCount;
}

static void test_reader_that_somebody_ends_has_no_shorter_list(void **state)
{
    uint32_t whole, calls = 0;
    int is_met;

    (void)state;
    whole = count_regions(UINT64_MAX, &is_met);
    assert_false(is_met);
    assert_true(whole > 10);
    do
        assert_same(count_regions(++calls, &is_met), whole);
    while (is_met);
    assert_true(calls >= whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_call_that_comes_back_too_late_harms_nobody),
        cmocka_unit_test(test_target_or_carrier_that_dies_with_a_question_is_not_waited_for),
        cmocka_unit_test(test_worker_that_somebody_ends_has_not_done_its_job),
        cmocka_unit_test(test_reader_that_somebody_ends_has_no_shorter_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
