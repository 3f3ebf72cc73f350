/* SPDX-License-Identifier: MIT */
/* Rows, what is known of them, and what becomes of both. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROWS 64u

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = (char *)malloc(size);

    return copy ? (char *)memcpy(copy, text, size) : NULL;
}

static void free_row(struct row *row)
{
    free(row->bitness);
    free(row->program);
    free(row->test);
    for (int i = 0; i < LIBRARIES; i++) {
        buffer_free(&row->results[i].details);
        buffer_free(&row->results[i].answers);
    }
}

static int grow(struct table *table)
{
    size_t wanted = table->capacity ? 2 * table->capacity : FIRST_ROWS;

    if (table->count < table->capacity)
        return 1;
    struct row *rows = (struct row *)realloc(table->rows, wanted * sizeof(*rows));
    if (!rows)
        return 0;
    table->rows = rows;
    table->capacity = wanted;
    return 1;
}

struct row *table_row(struct table *table, const char *bitness, const char *program,
                      const char *test)
{
    for (size_t i = 0; i < table->count; i++) {
        struct row *row = &table->rows[i];
        if (!strcmp(row->bitness, bitness) && !strcmp(row->program, program) &&
            !strcmp(row->test, test))
            return row;
    }
    if (!grow(table))
        return NULL;
    struct row *row = &table->rows[table->count];
    *row = (struct row){
        .bitness = copy_text(bitness), .program = copy_text(program), .test = copy_text(test)};
    if (!row->bitness || !row->program || !row->test) {
        free_row(row);
        return NULL;
    }
    table->count++;
    return row;
}

void table_apply_known(struct table *table, int is_wine)
{
    for (size_t i = 0; i < table->count; i++)
        for (size_t k = 0; k < table->known_count; k++) {
            const struct known *known = &table->known[k];
            if (known->on_wine != is_wine || strcmp(known->test.text, table->rows[i].test) != 0)
                continue;
            for (int library = 0; library < LIBRARIES; library++)
                if (known->libraries >> library & 1)
                    table->rows[i].known[library] = known;
        }
}

static int has_failed(const struct result *result)
{
    return result->outcome == OUTCOME_FAILED || result->outcome == OUTCOME_CRASHED ||
           result->outcome == OUTCOME_TIMED_OUT;
}

/* A failure that was foreseen is none. A library that did not run the test says nothing of it. */
static int is_gone(const struct row *row, int library)
{
    return row->known[library] && row->results[library].outcome == OUTCOME_PASSED;
}

enum verdict table_verdict(const struct row *row)
{
    const struct result *theirs = &row->results[LIBRARY_KERNEL32];
    const struct result *ours = &row->results[LIBRARY_PSS];
    int their_failure = has_failed(theirs), our_failure = has_failed(ours);
    int is_news = (their_failure && !row->known[LIBRARY_KERNEL32]) ||
                  (our_failure && !row->known[LIBRARY_PSS]);

    if (is_news)
        return their_failure && our_failure ? VERDICT_BOTH_FAIL : VERDICT_DIFFERS;
    if (is_gone(row, LIBRARY_KERNEL32) || is_gone(row, LIBRARY_PSS))
        return VERDICT_GONE;
    if (their_failure || our_failure)
        return VERDICT_KNOWN;
    if (ours->outcome != OUTCOME_PASSED)
        return VERDICT_NOT_APPLIED;
    return theirs->outcome == OUTCOME_PASSED ? VERDICT_SAME : VERDICT_OURS_ALONE;
}

int table_has_news(const struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        enum verdict verdict = table_verdict(&table->rows[i]);
        if (verdict == VERDICT_GONE || verdict == VERDICT_DIFFERS || verdict == VERDICT_BOTH_FAIL)
            return 1;
    }
    return 0;
}

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[] = {
        [OUTCOME_NONE] = "not run",
        [OUTCOME_PASSED] = "passed",
        [OUTCOME_FAILED] = "FAILED",
        [OUTCOME_SKIPPED] = "skipped",
        [OUTCOME_CRASHED] = "CRASHED",
        [OUTCOME_TIMED_OUT] = "TIMED OUT",
        [OUTCOME_API_MISSING] = "API missing",
        [OUTCOME_CANNOT_RUN] = "cannot run",
    };

    return names[outcome];
}

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[VERDICTS] = {
        [VERDICT_SAME] = "the same",
        [VERDICT_NOT_APPLIED] = "does not apply",
        [VERDICT_OURS_ALONE] = "not compared",
        [VERDICT_KNOWN] = "known difference",
        [VERDICT_GONE] = "KNOWN DIFFERENCE GONE",
        [VERDICT_DIFFERS] = "DIFFERS",
        [VERDICT_BOTH_FAIL] = "BOTH FAIL",
    };

    return names[verdict];
}

const char *library_name(enum library library)
{
    return library == LIBRARY_KERNEL32 ? "kernel32" : "pss.dll";
}

static void add_part(struct buffer *remark, const char *label, const char *text)
{
    if (!text || !*text)
        return;
    if (remark->length)
        buffer_add(remark, "\n");
    buffer_add(remark, label);
    buffer_add(remark, text);
}

void table_remark(const struct row *row, struct buffer *remark)
{
    for (int i = 0; i < LIBRARIES; i++) {
        const struct known *known = row->known[i];
        int shows = has_failed(&row->results[i]);
        if (known && (shows || is_gone(row, i))) {
            add_part(remark, shows ? "known: " : "gone: ", known->why.text);
            add_part(remark, "source: ", known->source.text);
        }
    }
    for (int i = 0; i < LIBRARIES; i++) {
        struct buffer label = {0};
        buffer_format(&label, "%s: ", library_name((enum library)i));
        add_part(remark, label.text ? label.text : "", row->results[i].answers.text);
        add_part(remark, label.text ? label.text : "", row->results[i].details.text);
        buffer_free(&label);
    }
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free_row(&table->rows[i]);
    for (size_t i = 0; i < table->known_count; i++) {
        buffer_free(&table->known[i].test);
        buffer_free(&table->known[i].why);
        buffer_free(&table->known[i].source);
    }
    free(table->rows);
    free(table->known);
    buffer_free(&table->facts);
    *table = (struct table){0};
}
