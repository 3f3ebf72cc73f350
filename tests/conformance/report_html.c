/* SPDX-License-Identifier: MIT */
/* The table as one page. What programs printed is escaped, whatever it is. */
#include "reports.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<title>pss.dll conformance</title>\n<style>\n"
    "body{font-family:sans-serif}pre{white-space:pre-wrap;margin:0}\n"
    "table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:2px 6px;"
    "text-align:left;vertical-align:top}\n"
    ".news{background:#fcc}.known{background:#ffc}.same{background:#dfd}\n"
    "</style>\n</head>\n<body>\n<h1>pss.dll conformance</h1>\n<pre>";

static const char columns[] =
    "</pre>\n<table>\n<tr><th></th><th>program</th><th>test</th><th>kernel32</th>"
    "<th>pss.dll</th><th>verdict</th><th>remarks</th></tr>\n";

static const char *row_class(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_SAME:
        return "same";
    case VERDICT_KNOWN:
        return "known";
    case VERDICT_GONE:
    case VERDICT_DIFFERS:
    case VERDICT_BOTH_FAIL:
        return "news";
    default:
        return "plain";
    }
}

static void add_cell(struct buffer *out, const char *text)
{
    buffer_add(out, "<td>");
    buffer_add_escaped(out, text);
    buffer_add(out, "</td>");
}

static void add_row(const struct row *row, struct buffer *out)
{
    enum verdict verdict = table_verdict(row);
    struct buffer remark = {0};

    table_remark(row, &remark);
    buffer_format(out, "<tr class=\"%s\">", row_class(verdict));
    add_cell(out, row->bitness);
    add_cell(out, row->program);
    add_cell(out, row->test);
    add_cell(out, outcome_name(row->results[LIBRARY_KERNEL32].outcome));
    add_cell(out, outcome_name(row->results[LIBRARY_PSS].outcome));
    add_cell(out, verdict_name(verdict));
    buffer_add(out, "<td><pre>");
    buffer_add_escaped(out, remark.text);
    buffer_add(out, "</pre></td></tr>\n");
    buffer_free(&remark);
}

void report_html(const struct table *table, struct buffer *out)
{
    buffer_add(out, head);
    buffer_add_escaped(out, table->facts.text);
    buffer_add(out, columns);
    for (size_t i = 0; i < table->count; i++)
        add_row(&table->rows[i], out);
    buffer_add(out, "</table>\n</body>\n</html>\n");
}
