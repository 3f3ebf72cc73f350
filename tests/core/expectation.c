/* SPDX-License-Identifier: MIT */
/* Looks a failing call up in the tables, and keeps account of which rows were ever met. */
#include "expectation.h"

#include "base/status.h"

#include "harness.h"
#include "soak.h"

bool expectation_any(NTSTATUS status)
{
    (void)status;
    return true;
}

bool expectation_soft(NTSTATUS status)
{
    return !pss_status_is_hard(status);
}

bool expectation_missing(NTSTATUS status)
{
    return pss_status_is_missing(status);
}

static bool is_met(const struct expectation_row *row, const struct faulty_call *call,
                   NTSTATUS status, const struct expectation_case *what)
{
    return (row->service == FAULTY_SERVICE_COUNT || row->service == call->service) &&
           (row->class_number == EXPECTATION_ANY_CLASS ||
            row->class_number == call->class_number) &&
           (!row->when || row->when(call, what)) && row->fits(status);
}

struct expectation expectation_of(const struct expectation_table *table,
                                  const struct faulty_call *call, NTSTATUS status,
                                  const struct expectation_case *what)
{
    for (; table; table = table->also)
        for (uint32_t i = 0; i < table->count; i++)
            if (is_met(&table->rows[i], call, status, what)) {
                table->met[i]++;
                return (struct expectation){table->rows[i].verdict, table->rows[i].told_as};
            }
    return (struct expectation){VERDICT_FAILS, STATUS_SUCCESS};
}

const char *expectation_compare(struct expectation expected, NTSTATUS injected, NTSTATUS result)
{
    switch (expected.verdict) {
    case VERDICT_FAILS:
        return result == injected ? NULL : "it must fail with what was injected";
    case VERDICT_ABSORBED:
        return result == STATUS_SUCCESS ? NULL : "it must succeed";
    case VERDICT_TOLD_AS:
        return result == expected.told_as ? NULL : "it must fail with the status of the row";
    default:
        return result == STATUS_SUCCESS || result == injected || result == expected.told_as ||
                       result == STATUS_IO_TIMEOUT /* patience ran out, and was not believed */
                   ? NULL
                   : "that is not what failed";
    }
}

/* Whether somebody's patience runs out depends on the machine. */
static bool is_about_time(const struct expectation_row *row)
{
    return row->verdict == VERDICT_UNCLEAR && row->told_as == STATUS_IO_TIMEOUT;
}

void expectation_report(const struct expectation_table *table)
{
    uint32_t missed = 0;

    for (uint32_t i = 0; i < table->count; i++) {
        const struct expectation_row *row = &table->rows[i];

        print_message("%s: %6u x %s: %s\n", table->operation, table->met[i],
                      row->service == FAULTY_SERVICE_COUNT ? "any" : faulty_name(row->service),
                      row->outcome);
        missed += !table->met[i] && !is_about_time(row);
    }
    if (missed)
        print_message("%s: %u rows were not met\n", table->operation, missed);
    if (soak_or(0, 1))
        assert_same(missed, 0);
}
