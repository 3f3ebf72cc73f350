/* SPDX-License-Identifier: MIT */
/* The table for readers of plain text. */
#include "reports.h"

#include <string.h>

#define LINE_COLUMNS 400u /* of a remark: the kit's output files have all of it */

static void add_padded(struct buffer *out, const char *text, size_t columns)
{
    size_t length = strlen(text);

    buffer_add(out, text);
    for (; length < columns; length++)
        buffer_add(out, " ");
}

static void add_sums(const struct table *table, struct buffer *out)
{
    unsigned sums[VERDICTS] = {0};

    for (size_t i = 0; i < table->count; i++)
        sums[table_verdict(&table->rows[i])]++;
    for (int i = 0; i < VERDICTS; i++)
        buffer_format(out, "%6u %s\n", sums[i], verdict_name((enum verdict)i));
}

static void add_remark(const struct row *row, struct buffer *out)
{
    struct buffer remark = {0};

    table_remark(row, &remark);
    for (char *line = remark.text; line && *line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = 0;
        buffer_add(out, "        ");
        buffer_add_line(out, line, LINE_COLUMNS);
        buffer_add(out, "\n");
        line = end ? end + 1 : NULL;
    }
    buffer_free(&remark);
}

static void add_row(const struct row *row, struct buffer *out)
{
    add_padded(out, row->bitness, 4);
    add_padded(out, outcome_name(row->results[LIBRARY_KERNEL32].outcome), 12);
    add_padded(out, outcome_name(row->results[LIBRARY_PSS].outcome), 12);
    add_padded(out, verdict_name(table_verdict(row)), 22);
    buffer_format(out, "%.100s: %.200s\n", row->program, row->test);
    add_remark(row, out);
}

void report_text(const struct table *table, struct buffer *out)
{
    buffer_add(out, "pss.dll conformance: the API tests with kernel32.dll and with pss.dll\n\n");
    buffer_add(out, table->facts.text);
    buffer_add(out, "\n");
    add_sums(table, out);
    buffer_add(out, "\n    kernel32    pss.dll     verdict               program: test\n");
    for (size_t i = 0; i < table->count; i++)
        add_row(&table->rows[i], out);
}
