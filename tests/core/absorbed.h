/* SPDX-License-Identifier: MIT */
/* How the rows of docs/failures.md are written down in the tests. */
#ifndef PSS_ABSORBED_H
#define PSS_ABSORBED_H

#include "expectation.h"

#include "base/status.h"

#define ANY_CLASS EXPECTATION_ANY_CLASS

/** When a row counts. */
#define CONDITION(name) \
    static bool name(const struct faulty_call *call, const struct expectation_case *what)

#define ROW(service, class_number, when, fits, verdict, status, outcome)                   \
    {                                                                                      \
        FAULTY_##service, class_number, when, expectation_##fits, verdict, status, outcome \
    }

/** The operation succeeds. */
#define ABSORBED(service, class_number, when, fits, outcome) \
    ROW(service, class_number, when, fits, VERDICT_ABSORBED, STATUS_SUCCESS, outcome)

/** It fails, but with the status that is given. */
#define TOLD_AS(service, class_number, when, fits, status, outcome) \
    ROW(service, class_number, when, fits, VERDICT_TOLD_AS, status, outcome)

/** It succeeds, or fails with the status of the call or the one that is given. */
#define UNCLEAR(service, class_number, when, fits, status, outcome) \
    ROW(service, class_number, when, fits, VERDICT_UNCLEAR, status, outcome)

/** It fails with the status of the call, whatever rows that follow say. */
#define FAILS(service, class_number, when, fits, outcome) \
    ROW(service, class_number, when, fits, VERDICT_FAILS, STATUS_SUCCESS, outcome)

/** A table with the account of how often its rows were met. */
#define TABLE(name, title, its_rows, others)                              \
    static uint32_t name##_met[sizeof(its_rows) / sizeof((its_rows)[0])]; \
    const struct expectation_table name = {                               \
        .operation = title,                                               \
        .rows = its_rows,                                                 \
        .count = sizeof(its_rows) / sizeof((its_rows)[0]),                \
        .also = others,                                                   \
        .met = name##_met,                                                \
    }

#endif
