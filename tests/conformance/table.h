/* SPDX-License-Identifier: MIT */
/* The table of the conformance kit: what each test came to, with kernel32 and with pss.dll. */
#ifndef PSS_CONFORMANCE_TABLE_H
#define PSS_CONFORMANCE_TABLE_H

#include <stddef.h>

#include "buffer.h"

/** A column: the DLL that was judged. */
enum library {
    LIBRARY_KERNEL32,
    LIBRARY_PSS,
    LIBRARIES,
};

enum outcome {
    OUTCOME_NONE, /* not run */
    OUTCOME_PASSED,
    OUTCOME_FAILED,
    OUTCOME_SKIPPED,     /* the test said that it does not apply here */
    OUTCOME_CRASHED,     /* its program ended in the middle of it */
    OUTCOME_TIMED_OUT,   /* its program was ended after its limit */
    OUTCOME_API_MISSING, /* the library has no API that works */
    OUTCOME_CANNOT_RUN,  /* its program could not be started */
};

/** What one row says of the two libraries. */
enum verdict {
    VERDICT_SAME,        /* both passed, or pss.dll alone was to be judged and passed */
    VERDICT_NOT_APPLIED, /* pss.dll skipped it, or it was not run */
    VERDICT_OURS_ALONE,  /* pss.dll passed, and there is nothing to compare it with */
    VERDICT_KNOWN,       /* something failed as a known difference says */
    VERDICT_GONE,        /* a known difference that did not show */
    VERDICT_DIFFERS,     /* one passed, the other one did not, and nobody knew */
    VERDICT_BOTH_FAIL,   /* both failed, and nobody knew */
    VERDICTS,
};

/** One test with one library. */
struct result {
    enum outcome outcome;
    struct buffer details; /* owned: what it printed when it failed, or why it was not run */
    struct buffer answers; /* owned: its answers to open questions, a line each */
};

/** An entry of the file of known differences. All texts are owned. */
struct known {
    struct buffer test;
    struct buffer why;
    struct buffer source;
    unsigned libraries; /* bit per enum library */
    int on_wine;        /* it is known of Wine, not of Windows */
};

struct row {
    char *bitness; /* owned: "x64" or "x86" */
    char *program; /* owned: without "api_" and ".exe" */
    char *test;    /* owned */
    struct result results[LIBRARIES];
    const struct known *known[LIBRARIES]; /* borrowed; NULL if nothing is known */
};

struct table {
    struct row *rows; /* owned */
    size_t count;
    size_t capacity;
    struct known *known; /* owned */
    size_t known_count;
    struct buffer facts; /* owned: the system, a "name: value" line each */
};

/** Finds the row of a test, or appends one. NULL when memory runs out. */
struct row *table_row(struct table *table, const char *bitness, const char *program,
                      const char *test);

/** Gives every row the known differences that hold on this system, which is Wine or is not. */
void table_apply_known(struct table *table, int is_wine);

/** What a row says. */
enum verdict table_verdict(const struct row *row);

/** Whether something in the table has to be looked at: a difference that nobody knew, or one gone.
 */
int table_has_news(const struct table *table);

/** The words of a report. */
const char *outcome_name(enum outcome outcome);
const char *verdict_name(enum verdict verdict);
const char *library_name(enum library library);

/** The remark of a row, in one text: answers, known differences with their reasons, details. */
void table_remark(const struct row *row, struct buffer *remark);

/** Frees everything. */
void table_free(struct table *table);

#endif
