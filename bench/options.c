/* SPDX-License-Identifier: MIT */
/* The command line. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_REPEAT 15u /* odd: the median is then one of the samples */
#define MAX_REPEAT     10000u

static const char help[] =
    "Usage: pss-bench [OPTIONS]\n"
    "\n"
    "Runs operations of pss.dll and what a user would write instead, turn by turn in one run\n"
    "and on the same process, and prints the medians and the ratio of the two.\n"
    "\n"
    "Options:\n"
    "  --only NAME    only the cases whose name begins with NAME\n"
    "  --repeat N     run each case N times; default 15\n"
    "  --json FILE    write the results to FILE; with - to standard output, and the table to\n"
    "                 standard error\n"
    "  --list         print the cases and what they compare\n"
    "  --help         print this text\n"
    "\n"
    "Columns: entries of the list; medians in microseconds; the median of ours by theirs, pair by\n"
    "pair; our nanoseconds per entry; bytes of the snapshot's memory per entry; the aim.\n"
    "Exit status: 0 done, whether the aims are met or not; 1 something failed; 2 the command line\n"
    "makes no sense.\n";

static const struct option known[] = {
    {"json", required_argument, NULL, 'j'},   {"only", required_argument, NULL, 'o'},
    {"repeat", required_argument, NULL, 'r'}, {"list", no_argument, NULL, 'l'},
    {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
};

static int reject(const char *format, const char *argument)
{
    fprintf(stderr, format, argument);
    fputs("Try 'pss-bench --help'.\n", stderr);
    return 0;
}

static int read_repeat(const char *text, unsigned *repeat)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value == 0 || value > MAX_REPEAT)
        return reject("pss-bench: --repeat needs a number from 1 to 10000, not '%s'\n", text);
    *repeat = (unsigned)value;
    return 1;
}

int is_wanted(const struct options *options, const struct bench_case *subject)
{
    return options->only == NULL ||
           strncmp(subject->name, options->only, strlen(options->only)) == 0;
}

static int check(int argc, char **argv, const struct options *options)
{
    if (optind < argc)
        return reject("pss-bench: '%s' is one argument too many\n", argv[optind]);
    for (unsigned i = 0; i < bench_case_count; i++)
        if (is_wanted(options, &bench_cases[i]))
            return 1;
    return reject("pss-bench: no case begins with '%s'\n", options->only);
}

int options_read(int argc, char **argv, struct options *options)
{
    struct options read = {.repeat = DEFAULT_REPEAT};
    int found, is_sound = 1;

    while (is_sound && (found = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (found == 'j')
            read.json = optarg;
        else if (found == 'o')
            read.only = optarg;
        else if (found == 'r')
            is_sound = read_repeat(optarg, &read.repeat);
        else if (found == 'l')
            read.list = 1;
        else if (found == 'h')
            read.help = 1;
        else /* getopt_long() has said what is wrong */
            is_sound = reject("%s", "");
    }
    if (!is_sound || !check(argc, argv, &read))
        return 0;
    *options = read;
    return 1;
}

void print_help(void)
{
    fputs(help, stdout);
}

void print_list(void)
{
    for (unsigned i = 0; i < bench_case_count; i++)
        printf("%-18s ours:   %s\n%-18s theirs: %s\n", bench_cases[i].name,
               bench_cases[i].comparison->ours_text, "", bench_cases[i].comparison->theirs_text);
}
