/* SPDX-License-Identifier: MIT */
/* The command line. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_REPEAT     15u /* odd: the median is then one of the samples */
#define MAX_REPEAT         10000u
#define MAX_MEGABYTES      16384u
#define DEFAULT_DUMP_LIMIT 256u

static const char help[] =
    "Usage: pss-bench [OPTIONS]\n"
    "\n"
    "Runs operations of pss.dll and what a user would write instead, turn by turn in one run\n"
    "and on the same process, and prints the medians and the ratio of the two.\n"
    "\n"
    "Options:\n"
    "  --only NAME    only the cases whose name begins with NAME\n"
    "  --repeat N     run each case N times; default 15, of clones 7, of those over 512 MB 3\n"
    "  --json FILE    write the results to FILE; with - to standard output, and the table to\n"
    "                 standard error\n"
    "  --route WHICH  how clones are made: auto, as pss.dll does; calls, by reading and writing\n"
    "                 calls; files, or fail where the system has none; default auto\n"
    "  --clone-mb N   the targets of clones have N MB; default 16, 256 and 1024 in turn\n"
    "  --dump-mb N    write no minidump of a target of more than N MB; default 256\n"
    "  --list         print the cases and what they compare\n"
    "  --help         print this text\n"
    "\n"
    "Columns: entries of the list; medians in microseconds; the median of ours by theirs, pair by\n"
    "pair; our nanoseconds per entry; bytes of the snapshot's memory per entry; the aim.\n"
    "Of clones: the route; committed MB of the target; medians in milliseconds of a whole clone "
    "and\n"
    "of a plain read of as much, their MB per second, and the speed of the clone by that of the "
    "read;\n"
    "how long the target stood still for the copy, and that by the read; a minidump, and that by "
    "the\n"
    "clone; the aims.\n"
    "Of shipping: KB of the snapshot; medians in microseconds of the duplicate and of a plain "
    "write\n"
    "of as much, their MB per second, and the speed of the duplicate by that of the write; the\n"
    "system calls of a duplicate; the aim.\n"
    "Exit status: 0 done, whether the aims are met or not; 1 something failed; 2 the command line\n"
    "makes no sense.\n";

static const struct option known[] = {
    {"json", required_argument, NULL, 'j'},
    {"only", required_argument, NULL, 'o'},
    {"repeat", required_argument, NULL, 'r'},
    {"route", required_argument, NULL, 't'},
    {"clone-mb", required_argument, NULL, 'c'},
    {"dump-mb", required_argument, NULL, 'd'},
    {"list", no_argument, NULL, 'l'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char *const route_names[] = {"auto", "calls", "files"}; /* by enum route */

static int reject(const char *format, const char *argument)
{
    fprintf(stderr, format, argument);
    fputs("Try 'pss-bench --help'.\n", stderr);
    return 0;
}

/* A decimal number and nothing else. */
static int read_number(const char *text, unsigned least, unsigned most, unsigned *number)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value < least || value > most)
        return 0;
    *number = (unsigned)value;
    return 1;
}

static int read_repeat(const char *text, struct options *options)
{
    if (!read_number(text, 1, MAX_REPEAT, &options->repeat))
        return reject("pss-bench: --repeat needs a number from 1 to 10000, not '%s'\n", text);
    options->clone.repeat = options->repeat;
    return 1;
}

static int read_route(const char *text, struct options *options)
{
    for (unsigned i = 0; i < sizeof route_names / sizeof route_names[0]; i++) {
        if (strcmp(text, route_names[i]) == 0) {
            options->clone.route = (enum route)i;
            return 1;
        }
    }
    return reject("pss-bench: --route needs auto, calls or files, not '%s'\n", text);
}

static int read_megabytes(const char *text, struct options *options)
{
    return read_number(text, FILL_LEAST >> 20, MAX_MEGABYTES, &options->clone.megabytes) ||
           reject("pss-bench: --clone-mb needs a number from 4 to 16384, not '%s'\n", text);
}

static int read_dump_limit(const char *text, struct options *options)
{
    return read_number(text, 0, MAX_MEGABYTES, &options->clone.dump_limit) ||
           reject("pss-bench: --dump-mb needs a number up to 16384, not '%s'\n", text);
}

int is_wanted(const struct options *options, const char *name)
{
    return options->only == NULL || strncmp(name, options->only, strlen(options->only)) == 0;
}

static int is_any_wanted(const struct options *options)
{
    struct clone_case clone;

    for (unsigned i = 0; i < bench_case_count; i++)
        if (is_wanted(options, bench_cases[i].name))
            return 1;
    for (unsigned i = 0; i < clone_case_count(&options->clone); i++) {
        clone_case_make(&options->clone, i, &clone);
        if (is_wanted(options, clone.name))
            return 1;
    }
    for (unsigned i = 0; i < ship_case_count; i++)
        if (is_wanted(options, ship_cases[i].name))
            return 1;
    return 0;
}

static int check(int argc, char **argv, const struct options *options)
{
    if (optind < argc)
        return reject("pss-bench: '%s' is one argument too many\n", argv[optind]);
    return is_any_wanted(options) || reject("pss-bench: no case begins with '%s'\n", options->only);
}

/* An option with its argument. */
static int take(int found, const char *argument, struct options *options)
{
    switch (found) {
    case 'j':
        options->json = argument;
        return 1;
    case 'o':
        options->only = argument;
        return 1;
    case 'r':
        return read_repeat(argument, options);
    case 't':
        return read_route(argument, options);
    case 'c':
        return read_megabytes(argument, options);
    case 'd':
        return read_dump_limit(argument, options);
    case 'l':
        options->list = 1;
        return 1;
    case 'h':
        options->help = 1;
        return 1;
    default: /* getopt_long() has said what is wrong */
        return reject("%s", "");
    }
}

int options_read(int argc, char **argv, struct options *options)
{
    struct options read = {.repeat = DEFAULT_REPEAT, .clone = {.dump_limit = DEFAULT_DUMP_LIMIT}};
    int found, is_sound = 1;

    while (is_sound && (found = getopt_long(argc, argv, "", known, NULL)) != -1)
        is_sound = take(found, optarg, &read);
    if (!is_sound || !check(argc, argv, &read))
        return 0;
    *options = read;
    return 1;
}

void print_help(void)
{
    fputs(help, stdout);
}

void print_list(const struct options *options)
{
    struct clone_case clone;

    for (unsigned i = 0; i < bench_case_count; i++)
        printf("%-18s ours:   %s\n%-18s theirs: %s\n", bench_cases[i].name,
               bench_cases[i].comparison->ours_text, "", bench_cases[i].comparison->theirs_text);
    for (unsigned i = 0; i < clone_case_count(&options->clone); i++) {
        clone_case_make(&options->clone, i, &clone);
        printf("%-18s ours:   %s\n%-18s theirs: %s\n%-18s dump:   %s\n", clone.name,
               clone_ours_text, "", clone_theirs_text, "", clone_dump_text);
    }
    for (unsigned i = 0; i < ship_case_count; i++)
        printf("%-18s ours:   %s\n%-18s theirs: %s\n", ship_cases[i].name, ship_ours_text, "",
               ship_theirs_text);
}
