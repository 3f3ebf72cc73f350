/* SPDX-License-Identifier: MIT */
/* The fault loop over the exports of a real process: errors, outputs, the last-error value. */
#include "faulty_nt.h"

#define pss_nt_system faulty_nt
#include "../../exports/exports.c"
#undef pss_nt_system

#include "export_faults.h"
#include "random.h"
#include "soak.h"
#include "subject.h"

#define LAST_ERROR 0x2BADCAFEu
#define RUNS       40u /* of a row; more are sampled */

static const NTSTATUS statuses[] = {
    STATUS_NO_MEMORY,    STATUS_ACCESS_DENIED,          STATUS_INVALID_HANDLE,
    STATUS_NOT_FOUND,    STATUS_INVALID_PARAMETER,      STATUS_NOT_IMPLEMENTED,
    STATUS_PARTIAL_COPY, STATUS_PROCESS_IS_TERMINATING, STATUS_UNSUCCESSFUL,
};
#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

static struct subject child;
static struct target *other;

static void free_left(HPSS snapshot)
{
    void *base = snapshot;
    SIZE_T whole = 0;

    faulty_nt()->free_memory(PSS_CURRENT_PROCESS, &base, &whole, MEM_RELEASE);
}

/* Answers the calls that came. */
static uint32_t run(const struct export_row *row, uint32_t number, bool is_persistent,
                    NTSTATUS status)
{
    struct export_scene scene = {
        .target = child.process, .other = other->process, .flags = SUBJECT_EVERYTHING};
    const char *difference;
    char where[200];
    bool was_met;
    DWORD code, last_error;

    export_prepare(row, &scene);
    faulty_reset();
    faulty_fail(number, is_persistent, status);
    if (is_persistent)
        faulty_spare_waits();
    SetLastError(LAST_ERROR);
    code = row->call(&scene);
    last_error = GetLastError();
    was_met = faulty_failed() != NULL;
    uint32_t calls = faulty_fallible_calls();
    snprintf(where, sizeof(where), "%s (%s): call %u (%s) fails %s with 0x%lx: %lu", row->name,
             row->way, number, was_met ? faulty_name(faulty_failed()->service) : "none",
             is_persistent ? "on" : "once", (unsigned long)status, code);
    faulty_fail(0, false, STATUS_SUCCESS);
    difference = export_compare(row, &scene, code, was_met ? win32_error(status) : ERROR_SUCCESS);
    if (difference)
        fail_msg("%s: %s", where, difference);
    if (last_error != LAST_ERROR)
        fail_msg("%s: the last-error value was changed", where);
    if (!export_clean_up(row, &scene, code))
        fail_msg("%s: it cannot be cleaned up", where);
    if (was_met && row->may_leave && faulty_ledger().allocations == 1)
        free_left(scene.second);
    faulty_assert_clean(where);
    return calls;
}

static void run_row(const struct export_row *row)
{
    uint32_t calls = run(row, 0, false, STATUS_SUCCESS), runs = 0;
    uint64_t all = (uint64_t)calls * STATUSES * 2, limit = soak_or(RUNS, UINT32_MAX);

    for (uint32_t number = 1; number <= calls; number++)
        for (uint32_t i = 0; i < 2 * STATUSES; i++) {
            if (all > limit && random_next() % all >= limit)
                continue;
            run(row, number, i % 2, statuses[i / 2]);
            runs++;
        }
    print_message("%s (%s): %u calls, %u runs\n", row->name, row->way, calls, runs);
}

static void test_exports_with_a_fault_answer_documented_errors(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < export_row_count; i++)
        run_row(&export_rows[i]);
}

static void test_each_export_has_a_row(void **state)
{
    (void)state;
    export_assert_all_named(PSS_EXPORT_NAMES);
}

/* Who serves is decided at the first call of all. */
static int set_up(void **state)
{
    (void)state;
    SetEnvironmentVariableA("PSS_FORWARD", "0");
    faulty_init();
    subject_start_child(&child);
    other = target_start();
    assert_same(PssWalkMarkerFree(NULL), ERROR_INVALID_HANDLE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_same(target_call(child.target, TARGET_PING, 0, 0, 0, 0), child.target->pid);
    subject_fini(&child);
    target_destroy(other);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_export_has_a_row),
        cmocka_unit_test(test_exports_with_a_fault_answer_documented_errors),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
