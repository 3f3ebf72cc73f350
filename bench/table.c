/* SPDX-License-Identifier: MIT */
/* The results as a table. */
#include "report.h"

/* A number or, where there is none, a dash. */
static void print_number(FILE *out, int width, int decimals, double value)
{
    if (value != 0)
        fprintf(out, " %*.*f", width, decimals, value);
    else
        fprintf(out, " %*s", width, "-");
}

void print_heading(FILE *out)
{
    fprintf(out, "%-18s %8s %11s %11s %6s %9s %8s  %s\n", "case", "entries", "ours us", "theirs us",
            "ratio", "ns/entry", "B/entry", "aim");
    fflush(out);
}

void print_row(FILE *out, const struct result *result)
{
    const struct bench_case *subject = result->subject;
    const struct comparison *comparison = subject->comparison;

    fprintf(out, "%-18s", subject->name);
    print_number(out, 8, 0, result->entries);
    print_number(out, 11, 1, result->ours.median);
    print_number(out, 11, 1, result->theirs.median);
    print_number(out, 6, 2, result->ratio);
    print_number(out, 9, 1, result->entry_ns);
    print_number(out, 8, 1, bytes_per_entry(result));
    fprintf(out, "  %s: ", is_aim_met(result) ? "met" : "missed");
    if (comparison->entry_limit != 0)
        fprintf(out, "under %.0f ns\n", comparison->entry_limit);
    else
        fprintf(out, "ratio %.2f at most\n", comparison->ratio_limit);
    fflush(out);
}
