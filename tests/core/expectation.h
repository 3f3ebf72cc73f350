/* SPDX-License-Identifier: MIT */
/* What has to come of an operation in which a call fails: that failure, unless a row absorbs it. */
#ifndef PSS_EXPECTATION_H
#define PSS_EXPECTATION_H

#include "faulty_nt.h"

/** What is done, as far as the rows ask. */
struct expectation_case {
    HANDLE process;      /* as given to the capture */
    DWORD thread;        /* that does it */
    uint32_t flags;      /* PSS_CAPTURE_FLAGS */
    bool has_ended;      /* the target, before the capture */
    bool traces_handles; /* the system answers with a handle trace */
    bool is_free;        /* a snapshot is freed, not duplicated */
    uint32_t delivered;  /* calls until a duplicate is there; what follows closes its source */
};

enum verdict {
    VERDICT_FAILS,    /* with the status of the call: the rule, for which there is no row */
    VERDICT_ABSORBED, /* it succeeds */
    VERDICT_TOLD_AS,  /* it fails, with the status of the row */
    VERDICT_UNCLEAR,  /* it succeeds, or fails with the status of the call or of the row */
};

/** One failure that does not fail the operation with its own status. */
struct expectation_row {
    enum faulty_service service; /* SERVICE_COUNT: any */
    ULONG class_number;          /* EXPECTATION_ANY_CLASS: any */
    bool (*when)(const struct faulty_call *call, const struct expectation_case *what);
    bool (*fits)(NTSTATUS status);
    enum verdict verdict;
    NTSTATUS told_as;    /* STATUS_SUCCESS: none */
    const char *outcome; /* in the words of docs/failures.md */
};

#define EXPECTATION_ANY_CLASS 0xFFFFFFFFu

/** The rows of one operation; the first that fits counts. */
struct expectation_table {
    const char *operation;
    const struct expectation_row *rows;
    uint32_t count;
    const struct expectation_table *also; /* rows that come after these, or NULL */
    uint32_t *met;                        /* how often each row counted */
};

struct expectation {
    enum verdict verdict;
    NTSTATUS told_as;
};

/** The failures that captures, clones, duplicates and frees survive or tell otherwise. */
extern const struct expectation_table absorbed_by_capture, absorbed_by_clone, absorbed_by_shipping,
    absorbed_by_free;

/** Of one failing call, the first of faulty_nt.h; everything else works. */
struct expectation expectation_of(const struct expectation_table *table,
                                  const struct faulty_call *call, NTSTATUS status,
                                  const struct expectation_case *what);

/** Whether a result is what was expected; else says what is wrong, else NULL. */
const char *expectation_compare(struct expectation expected, NTSTATUS injected, NTSTATUS result);

/**
 * Prints each row with the times it was met. In a whole run (soak_or) a row that was never met is a
 * failure of the test: nothing would tell if it were no longer true. It may be one of the rows that
 * only count when a wait takes too long.
 */
void expectation_report(const struct expectation_table *table);

/* What rows ask of a status. */
bool expectation_any(NTSTATUS status);
bool expectation_soft(NTSTATUS status);    /* not out of memory */
bool expectation_missing(NTSTATUS status); /* the system does not know the service */

#endif
