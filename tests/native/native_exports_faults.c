/* SPDX-License-Identifier: MIT */
/* The fault loop over the exports: each call of each of them fails, once and lastingly. */
#include "nt/nt.h"
#include "ship_world.h"
#include "support/export_faults.h"
#include "support/soak.h"

static const NTSTATUS faults[] = {
    STATUS_NO_MEMORY,         STATUS_ACCESS_DENIED,   STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER, STATUS_PARTIAL_COPY,    STATUS_PROCESS_IS_TERMINATING,
    STATUS_UNSUCCESSFUL,      STATUS_NOT_IMPLEMENTED, STATUS_NOT_FOUND};

#define FAULT_COUNT (sizeof(faults) / sizeof(faults[0]))

/* Who serves is decided at the first call of all. */
static int decide(void **state)
{
    DWORD code;

    world_setup(state);
    fake.forward_setting = L"0";
    code = PssWalkMarkerFree(NULL);
    return world_teardown(state) || code != ERROR_INVALID_HANDLE;
}

/* The code of what was injected, where native_exports.c found it. */
static DWORD passed_on(NTSTATUS status)
{
    if (!fake.faults)
        return ERROR_SUCCESS;
    if (status == STATUS_PARTIAL_COPY || status == STATUS_PROCESS_IS_TERMINATING)
        return ERROR_PARTIAL_COPY;
    if (status == STATUS_NOT_FOUND)
        return ERROR_NOT_FOUND;
    if (status == STATUS_INVALID_PARAMETER)
        return ERROR_INVALID_PARAMETER;
    return pss_nt_win32_error(status);
}

/* The own process keeps nothing. */
static void assert_nothing_kept(const char *where)
{
    struct fake_ledger ledger = fake_ledger_now();

    if (ledger.allocations || ledger.views || ledger.heap_blocks || ledger.threads ||
        ledger.suspensions || ledger.bad_closes || fake_handles_in(ship.own)) {
        fake_ledger_is_zero();
        fail_msg("%s: something is left", where);
    }
}

static void free_left(HPSS snapshot)
{
    void *base = snapshot;
    SIZE_T whole = 0;

    fake_nt()->free_memory(PSS_CURRENT_PROCESS, &base, &whole, MEM_RELEASE);
}

/* Answers whether the call number was reached. */
static bool run(const struct export_row *row, uint64_t number, bool is_lasting, NTSTATUS status)
{
    struct export_scene scene = {.flags = SHIP_FLAGS};
    const char *difference;
    char where[160];
    bool was_met;
    DWORD code;

    ship_build(1);
    scene.target = world.process;
    scene.other = ship.to_first;
    export_prepare(row, &scene);
    fake.faults = 0;
    fake.fault = (struct fake_fault){.first = fake.calls + number,
                                     .is_lasting = is_lasting,
                                     .spares_waits = is_lasting,
                                     .status = status};
    code = row->call(&scene);
    was_met = fake.faults != 0;
    fake.fault.first = 0;
    snprintf(where, sizeof(where), "%s (%s): call %u fails %s with 0x%x: %u", row->name, row->way,
             (unsigned)number, is_lasting ? "on" : "once", (unsigned)status, (unsigned)code);
    difference = export_compare(row, &scene, code, passed_on(status));
    if (difference)
        fail_msg("%s: %s", where, difference);
    if (!export_clean_up(row, &scene, code))
        fail_msg("%s: it cannot be cleaned up", where);
    if (was_met && row->may_leave && fake_ledger_now().allocations == 1)
        free_left(scene.second);
    assert_nothing_kept(where);
    if (!is_lasting && !(row->needs & EXPORT_NEEDS_SHIPPED) && !fake_ledger_is_zero())
        fail_msg("%s: something is left elsewhere", where);
    fake_fini();
    return was_met;
}

/* In a sample each call fails with some of the statuses. */
static void test_exports_with_a_fault_answer_documented_errors(void **state)
{
    uint32_t step = soak_step(3);

    (void)state;
    for (uint32_t i = 0; i < export_row_count; i++) {
        uint64_t number = 1;

        for (bool is_met = true; is_met; number++) {
            is_met = false;
            for (size_t j = number % step; j < 2 * FAULT_COUNT; j += step)
                is_met |= run(&export_rows[i], number, j % 2, faults[j / 2]);
        }
        print_message("%s (%s): %u calls\n", export_rows[i].name, export_rows[i].way,
                      (unsigned)number - 2);
    }
}

static void test_each_export_has_a_row(void **state)
{
    (void)state;
    export_assert_all_named(PSS_EXPORT_NAMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_export_has_a_row),
        cmocka_unit_test(test_exports_with_a_fault_answer_documented_errors),
    };

    return cmocka_run_group_tests(tests, decide, NULL);
}
