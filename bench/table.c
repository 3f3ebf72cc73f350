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

static const char *name_outcome(int is_met)
{
    return is_met ? "met" : "missed";
}

void print_heading(FILE *out)
{
    fprintf(out, "%-18s %8s %11s %11s %6s %9s %8s  %s\n", "case", "entries", "ours us", "theirs us",
            "ratio", "ns/entry", "B/entry", "aim");
    fflush(out);
}

/* From microseconds. */
static double milliseconds(double time)
{
    return time / 1000;
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
    fprintf(out, "  %s: ", name_outcome(is_aim_met(result)));
    if (comparison->entry_limit != 0)
        fprintf(out, "under %.0f ns\n", comparison->entry_limit);
    else if (comparison->extra_limit != 0)
        fprintf(out, "%.0f ms more at most\n", milliseconds(comparison->extra_limit));
    else
        fprintf(out, "ratio %.2f at most\n", comparison->ratio_limit);
    fflush(out);
}

void print_clone_heading(FILE *out)
{
    fprintf(out, "%-18s %-6s %7s %9s %9s %7s %7s %6s %9s %6s %9s %6s  %s\n", "case", "route", "MB",
            "clone ms", "read ms", "MB/s", "read", "ratio", "freeze ms", "ratio", "dump ms",
            "ratio", "aim");
    fflush(out);
}

static double megabytes_per_second(const struct clone_result *result, const struct timing *timing)
{
    return result->megabytes * 1e6 / timing->median;
}

void print_clone_row(FILE *out, const struct clone_result *result)
{
    fprintf(out, "%-18s %-6s", result->subject.name, clone_route_name(result));
    print_number(out, 7, 1, result->megabytes);
    print_number(out, 9, 1, milliseconds(result->clone.median));
    print_number(out, 9, 1, milliseconds(result->read.median));
    print_number(out, 7, 0, megabytes_per_second(result, &result->clone));
    print_number(out, 7, 0, megabytes_per_second(result, &result->read));
    print_number(out, 6, 2, result->speed_ratio);
    print_number(out, 9, 1, milliseconds(result->freeze.median));
    print_number(out, 6, 2, result->freeze_ratio);
    print_number(out, 9, 0, milliseconds(result->dump));
    print_number(out, 6, 1, result->dump_ratio);
    fprintf(out, "  %s: %.2f at least; freeze %s: %.2f at most",
            name_outcome(result->speed_ratio >= clone_speed_aim(result)), clone_speed_aim(result),
            name_outcome(result->freeze_ratio <= CLONE_FREEZE), CLONE_FREEZE);
    if (result->dump != 0)
        fprintf(out, "; dump %s: %.0f at least", name_outcome(result->dump_ratio >= CLONE_DUMP),
                CLONE_DUMP);
    fputc('\n', out);
    fflush(out);
}

void print_ship_heading(FILE *out)
{
    fprintf(out, "%-18s %9s %11s %11s %7s %7s %6s %6s  %s\n", "case", "KB", "ours us", "theirs us",
            "MB/s", "theirs", "ratio", "calls", "aim");
    fflush(out);
}

/* MB per second. */
static double ship_speed(const struct ship_result *result, const struct timing *timing)
{
    return (double)result->bytes / 0x100000 * 1e6 / timing->median;
}

void print_ship_row(FILE *out, const struct ship_result *result)
{
    const struct ship_case *subject = result->subject;

    fprintf(out, "%-18s", subject->name);
    print_number(out, 9, 1, (double)result->bytes / 1024);
    print_number(out, 11, 1, result->ours.median);
    print_number(out, 11, 1, result->theirs.median);
    print_number(out, 7, 1, ship_speed(result, &result->ours));
    print_number(out, 7, 1, ship_speed(result, &result->theirs));
    print_number(out, 6, 2, result->speed_ratio);
    print_number(out, 6, 0, result->calls);
    fprintf(out, "  %s: ", name_outcome(is_ship_aim_met(result)));
    if (subject->call_limit != 0)
        fprintf(out, "%u calls at most\n", subject->call_limit);
    else
        fprintf(out, "ratio %.2f at least\n", subject->speed_aim);
    fflush(out);
}
