/* SPDX-License-Identifier: MIT */
/* The fault loop over duplicates and frees in other processes, with a ledger of three processes. */
#include "fake_space.h"
#include "ship_world.h"
#include "support/soak.h"

static const NTSTATUS faults[] = {STATUS_NO_MEMORY,
                                  STATUS_ACCESS_DENIED,
                                  STATUS_INVALID_HANDLE,
                                  STATUS_INVALID_PARAMETER,
                                  STATUS_PARTIAL_COPY,
                                  STATUS_PROCESS_IS_TERMINATING,
                                  STATUS_INSUFFICIENT_RESOURCES,
                                  STATUS_NOT_IMPLEMENTED};

#define FAULT_COUNT (sizeof(faults) / sizeof(faults[0]))

/* Where the snapshot is, and what is done with it. */
struct way {
    const char *name;
    uint8_t from, to; /* 0: the own process, 1 and 2: the others */
    uint8_t is_free;  /* no duplicate, but a free */
    uint32_t flags;
};

static const struct way ways[] = {
    {"local", 0, 0, 0, 0},
    {"push", 0, 1, 0, 0},
    {"pull", 1, 0, 0, 0},
    {"relay", 1, 2, 0, 0},
    {"there", 1, 1, 0, 0},
    {"local, closing", 0, 0, 0, PSS_DUPLICATE_CLOSE_SOURCE},
    {"push, closing", 0, 1, 0, PSS_DUPLICATE_CLOSE_SOURCE},
    {"pull, closing", 1, 0, 0, PSS_DUPLICATE_CLOSE_SOURCE},
    {"relay, closing", 1, 2, 0, PSS_DUPLICATE_CLOSE_SOURCE},
    {"free", 1, 1, 1, 0},
};

#define WAY_COUNT (sizeof(ways) / sizeof(ways[0]))

static const struct way *way;
static HPSS source, duplicate;
static char where[160]; /* the run, for messages */

static void fail_run(const char *what, NTSTATUS status)
{
    fail_msg("%s: %s: 0x%x", where, what, (unsigned int)status);
}

static HANDLE handle_to(uint8_t party)
{
    return party == 0 ? PSS_CURRENT_PROCESS : party == 1 ? ship.to_first : ship.to_second;
}

static struct fake_process *process_of(uint8_t party)
{
    return party == 0 ? ship.own : party == 1 ? ship.first : ship.second;
}

static void build(int has_native_clones)
{
    ship_build(has_native_clones);
    if (way->from) {
        source = ship_leave(handle_to(way->from), SHIP_FLAGS);
        return;
    }
    world_capture(SHIP_FLAGS);
    source = world.snapshot;
    world.snapshot = NULL;
    world_release();
}

static void tear_down(void)
{
    if (ship_teardown(NULL))
        fail_run("something is left", 0);
}

static NTSTATUS go(void)
{
    duplicate = NULL;
    if (way->is_free)
        return pss_snapshot_free(fake_nt(), handle_to(way->from), source);
    return ship_try(handle_to(way->from), source, handle_to(way->to), way->flags, &duplicate);
}

/* Frees a snapshot unless it is gone; answers whether it was there. */
static int free_if_there(uint8_t party, HPSS snapshot)
{
    NTSTATUS status = pss_snapshot_free(fake_nt(), handle_to(party), snapshot);

    if (status != STATUS_SUCCESS && status != STATUS_INVALID_HANDLE &&
        status != STATUS_PROCESS_IS_TERMINATING)
        fail_run("the free", status);
    return NT_SUCCESS(status);
}

static int closes(void)
{
    return way->is_free || way->flags;
}

/* What is documented: what failed, what was found no snapshot, or that it was not done in time. */
static void check_status(NTSTATUS status, NTSTATUS fault)
{
    if (NT_SUCCESS(status) != (duplicate != NULL) && !way->is_free)
        fail_run("a duplicate without success, or none with it", status);
    if (NT_SUCCESS(status) || status == fault || status == STATUS_INVALID_HANDLE)
        return;
    if (status != STATUS_IO_TIMEOUT || !fake.calls_of[FAKE_WAIT])
        fail_run("that is not what failed", status);
}

/*
 * The own process keeps nothing but, at most, handles it had lent, here or there, and a clone with
 * them.
 */
static void check_own(uint64_t lent_at_most)
{
    struct fake_ledger ledger;

    if (fake.faults)
        world_forget_clones();
    ledger = fake_ledger_now();
    if (ledger.allocations || ledger.views || ledger.heap_blocks || ledger.threads ||
        ledger.suspensions || ledger.bad_closes || fake_handles_in(ship.own) > lent_at_most) {
        fake_ledger_is_zero();
        fail_run("something is left in the own process", 0);
    }
    for (uint32_t i = 0; i < ship.own->handle_capacity; i++)
        if (ship.own->handles[i].object && !ship.own->handles[i].is_client)
            fake_handle_close(ship.own, (HANDLE)(ULONG_PTR)(4 * (i + 1)));
}

/*
 * What may be left when a release itself did not succeed: a release of the source costs its handles
 * when it was closed, and one of the target what was opened there, when a second call fails.
 */
static void check_left(int has_more_faults)
{
    int source_may = closes() && fake.faults, target_may = has_more_faults && way->to;

    if (!closes() && !target_may && !fake_ledger_is_zero())
        fail_run("something is left", 0);
    check_own(source_may && !way->from ? 2 : 0);
    for (uint8_t party = 1; party < 3; party++) {
        int may = (source_may && way->from == party) || (target_may && way->to == party);

        if (!may && fake_handles_in(process_of(party)))
            fail_run("handles are left in another process", 0);
        if (!(target_may && way->to == party) && fake_shipments_in(process_of(party)))
            fail_run("memory is left in another process", 0);
        fake_process_end(process_of(party), 0);
    }
}

/* Answers whether a fault was met. */
static int try_way(struct fake_fault fault, int has_native_clones)
{
    uint64_t met;
    NTSTATUS status;
    int was_there;

    snprintf(where, sizeof(where), "%s, call %llu and %llu%s fail with 0x%x", way->name,
             (unsigned long long)fault.first, (unsigned long long)fault.second,
             fault.is_lasting ? " on" : "", (unsigned int)fault.status);
    build(has_native_clones);
    fake.calls = fake.faults = fake.calls_of[FAKE_WAIT] = 0;
    fake.fault = fault;
    status = go();
    met = fake.faults;
    fake.fault.first = 0;
    if (!NT_SUCCESS(status) && !met)
        fail_run("nothing has failed", status);
    check_status(status, fault.status);
    if (!NT_SUCCESS(status) || !way->is_free)
        assert_parties_untouched();
    if (duplicate && !free_if_there(way->to, duplicate))
        fail_run("the duplicate is not there", status);
    was_there = free_if_there(way->from, source);
    if (!closes() && !was_there)
        fail_run("the source is not there", status);
    if (closes() && !met && was_there)
        fail_run("the source is there", status);
    check_left(met > 1);
    tear_down();
    return met != 0;
}

/* In a sample each call fails with some of the statuses. */
static void test_one_fault_leaves_nothing(void **state)
{
    uint32_t step = soak_step(3);

    (void)state;
    for (size_t i = 0; i < WAY_COUNT; i++)
        for (size_t j = 0; j < FAULT_COUNT; j++) {
            uint64_t n = 1 + j % step;

            way = &ways[i];
            while (try_way((struct fake_fault){.first = n, .status = faults[j]}, (int)j & 1))
                n += step;
            assert_true(n > 6); /* the local way makes so many */
        }
}

static void test_writes_that_come_short_leave_nothing(void **state)
{
    HPSS none;

    ship_setup(state);
    world_capture(SHIP_FLAGS);
    fake.writes_short = 1;
    assert_same(ship_try(PSS_CURRENT_PROCESS, world.snapshot, ship.to_first, 0, &none),
                STATUS_PARTIAL_COPY);
    assert_null(none);
    assert_parties_untouched();
    fake.writes_short = 0;
    assert_same(ship_teardown(state), 0);
}

static void test_faults_from_a_call_on_leave_what_could_not_be_released(void **state)
{
    uint32_t step = soak_step(3);

    (void)state;
    for (size_t i = 0; i < WAY_COUNT; i++)
        for (size_t j = i & 1; j < FAULT_COUNT; j += 2) {
            way = &ways[i];
            for (uint64_t n = 1 + j / 2 % step; try_way(
                     (struct fake_fault){
                         .first = n, .is_lasting = 1, .spares_waits = 1, .status = faults[j]},
                     (int)j / 2 & 1);
                 n += step)
                ;
        }
}

/* The duplication fails, and then a call of the roll-back. */
static void test_two_faults_leave_what_could_not_be_released(void **state)
{
    uint32_t step = soak_step(4);

    (void)state;
    for (size_t i = 0; i < WAY_COUNT; i++)
        for (uint64_t gap = 1; gap < 14; gap++) {
            way = &ways[i];
            for (uint64_t n = 1 + gap % step; try_way((struct fake_fault){.first = n,
                                                              .second = n + gap,
                                                              .spares_waits = 1,
                                                              .status = faults[gap % 2]},
                                                      (int)gap / 2 & 1);
                 n += step)
                ;
        }
}

/* ---- events ---- */

static void end_source(void *context)
{
    (void)context;
    fake_process_end(process_of(way->from), 9);
}

static void end_target(void *context)
{
    (void)context;
    fake_process_end(process_of(way->to), 9);
}

static void check_survivors(NTSTATUS status)
{
    if (!NT_SUCCESS(status) && status != STATUS_INVALID_HANDLE &&
        status != STATUS_PROCESS_IS_TERMINATING)
        fail_run("that is not what has happened", status);
    if (NT_SUCCESS(status) != (duplicate != NULL) && !way->is_free)
        fail_run("a duplicate without success, or none with it", status);
    if (duplicate)
        free_if_there(way->to, duplicate);
    free_if_there(way->from, source);
}

static void try_event(void (*event)(void *), const char *name)
{
    int has_happened = 1;

    for (uint64_t n = 1; has_happened; n++) {
        snprintf(where, sizeof(where), "%s, %s at call %llu", way->name, name,
                 (unsigned long long)n);
        build((int)n & 1);
        fake.all_calls = 0;
        fake.event_call = n;
        fake.event = event;
        check_survivors(go());
        has_happened = fake.all_calls >= n;
        fake.event = NULL;
        pss_clone_look(fake_nt()); /* as the export does: an owner has died while it was counted */
        if (!fake_ledger_is_zero())
            fail_run("something is left", 0);
        tear_down();
    }
}

static void test_death_of_the_source_at_any_call_leaves_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAY_COUNT; i++) {
        way = &ways[i];
        if (way->from)
            try_event(end_source, "the source dies");
    }
}

static void test_death_of_the_target_at_any_call_leaves_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAY_COUNT; i++) {
        way = &ways[i];
        if (way->to && !way->is_free)
            try_event(end_target, "the target dies");
    }
}

/* Another process frees it meanwhile: its memory first, then its handles. */
static void free_source(void *context)
{
    struct fake_process *process = process_of(way->from);

    (void)context;
    for (uint32_t i = 0; i < process->region_count; i++)
        if (process->regions[i].is_shipped) {
            uint64_t base = address_of(process->regions[i].basic.BaseAddress);

            fake_space_remove(process, base, fake_region_end(&process->regions[i]));
            break;
        }
    for (uint32_t i = 0; i < process->handle_capacity; i++)
        if (process->handles[i].object && !process->handles[i].is_client)
            fake_handle_close(process, (HANDLE)(ULONG_PTR)(4 * (i + 1)));
}

static void test_source_that_is_freed_meanwhile_leaves_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAY_COUNT; i++) {
        way = &ways[i];
        if (way->from && way->from != way->to)
            try_event(free_source, "another frees it");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_fault_leaves_nothing),
        cmocka_unit_test(test_writes_that_come_short_leave_nothing),
        cmocka_unit_test(test_faults_from_a_call_on_leave_what_could_not_be_released),
        cmocka_unit_test(test_two_faults_leave_what_could_not_be_released),
        cmocka_unit_test(test_death_of_the_source_at_any_call_leaves_nothing),
        cmocka_unit_test(test_death_of_the_target_at_any_call_leaves_nothing),
        cmocka_unit_test(test_source_that_is_freed_meanwhile_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
