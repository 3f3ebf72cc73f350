/* SPDX-License-Identifier: MIT */
/* The table for programs that read JUnit's XML. */
#include "reports.h"

#include <string.h>

static int is_same_suite(const struct row *row, const struct row *other)
{
    return !strcmp(row->bitness, other->bitness) && !strcmp(row->program, other->program);
}

static void add_element(struct buffer *out, const char *element, const char *message,
                        const char *text)
{
    buffer_format(out, "      <%s message=\"", element);
    buffer_add_escaped(out, message);
    buffer_add(out, "\">");
    buffer_add_escaped(out, text);
    buffer_format(out, "</%s>\n", element);
}

static void add_outcome(const struct row *row, int library, struct buffer *out)
{
    const struct result *result = &row->results[library];
    const struct known *known = row->known[library];
    const char *name = outcome_name(result->outcome);

    switch (result->outcome) {
    case OUTCOME_PASSED:
        if (known)
            add_element(out, "failure", "a known difference is gone", known->why.text);
        break;
    case OUTCOME_FAILED:
    case OUTCOME_CRASHED:
    case OUTCOME_TIMED_OUT:
        add_element(out, known ? "skipped" : "failure", known ? known->why.text : name,
                    result->details.text);
        break;
    default:
        add_element(out, "skipped", name, result->details.text);
    }
    if (result->answers.length) {
        buffer_add(out, "      <system-out>");
        buffer_add_escaped(out, result->answers.text);
        buffer_add(out, "</system-out>\n");
    }
}

static void add_case(const struct row *row, int library, struct buffer *out)
{
    buffer_add(out, "    <testcase classname=\"");
    buffer_add_escaped(out, row->program);
    buffer_add(out, "\" name=\"");
    buffer_add_escaped(out, row->test);
    buffer_add(out, "\">\n");
    add_outcome(row, library, out);
    buffer_add(out, "    </testcase>\n");
}

/* The rows of a suite stand in any order: the first of them begins it. */
static int is_first_of_suite(const struct table *table, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (is_same_suite(&table->rows[i], &table->rows[index]))
            return 0;
    return 1;
}

static void add_suite(const struct table *table, size_t first, int library, struct buffer *out)
{
    const struct row *row = &table->rows[first];

    buffer_add(out, "  <testsuite name=\"");
    buffer_add_escaped(out, row->bitness);
    buffer_format(out, " %s ", library_name((enum library)library));
    buffer_add_escaped(out, row->program);
    buffer_add(out, "\">\n");
    for (size_t i = first; i < table->count; i++)
        if (is_same_suite(&table->rows[i], row))
            add_case(&table->rows[i], library, out);
    buffer_add(out, "  </testsuite>\n");
}

void report_junit(const struct table *table, struct buffer *out)
{
    buffer_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"pss.dll "
                    "conformance\">\n");
    for (size_t i = 0; i < table->count; i++)
        for (int library = 0; library < LIBRARIES && is_first_of_suite(table, i); library++)
            add_suite(table, i, library, out);
    buffer_add(out, "</testsuites>\n");
}
