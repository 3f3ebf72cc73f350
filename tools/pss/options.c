/* SPDX-License-Identifier: MIT */
/* The command line of `pss list` and `pss show`. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* What getopt_long() returns for each option, clear of its characters; a section's bits are added.
 */
enum { OPTION_JSON = 0x100, OPTION_REPEAT, OPTION_HELP, OPTION_SECTION = 0x1000 };

static const struct option show_options[] = {
    {"process", no_argument, NULL, OPTION_SECTION | SECTION_PROCESS},
    {"threads", no_argument, NULL, OPTION_SECTION | SECTION_THREADS},
    {"contexts", no_argument, NULL, OPTION_SECTION | SECTION_CONTEXTS},
    {"handles", no_argument, NULL, OPTION_SECTION | SECTION_HANDLES},
    {"memory", no_argument, NULL, OPTION_SECTION | SECTION_MEMORY},
    {"all", no_argument, NULL, OPTION_SECTION | SECTION_ALL},
    {"json", no_argument, NULL, OPTION_JSON},
    {"repeat", required_argument, NULL, OPTION_REPEAT},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static const struct option list_options[] = {
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static enum pss_exit read_repeat(const char *text, unsigned *repeat)
{
    char *end;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value == 0 ||
        value > OPTIONS_MAX_REPEAT)
        return report_usage("show", "--repeat needs a number from 1 to %u, not '%s'",
                            OPTIONS_MAX_REPEAT, text);
    *repeat = (unsigned)value;
    return EXIT_DONE;
}

/** Says what is wrong with an option that getopt_long() answered with '?' or ':'. */
static enum pss_exit reject(const char *command, int found, const char *argument)
{
    if (optopt > 0 && optopt < OPTION_JSON)
        return report_usage(command, "unknown option '-%c'", optopt);
    if (found == '?')
        return report_usage(command, "unknown or ambiguous option '%s'", argument);
    if (strchr(argument, '=') != NULL)
        return report_usage(command, "'%s': the option takes no value", argument);
    return report_usage(command, "'%s' needs a value", argument);
}

/** Applies the options; optind is the first operand afterwards. */
static enum pss_exit read_options(int argc, char **argv, const struct option *known,
                                  struct options *options)
{
    enum pss_exit status = EXIT_DONE;
    int found;

    opterr = 0;
    optind = 1;
    optopt = 0;
    while (status == EXIT_DONE && (found = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
        if (found == OPTION_JSON)
            options->json = 1;
        else if (found == OPTION_HELP || found == 'h')
            options->help = 1;
        else if (found == OPTION_REPEAT)
            status = read_repeat(optarg, &options->repeat);
        else if (found == '?' || found == ':')
            status = reject(argv[0], found, argv[optind - 1]);
        else
            options->sections |= (unsigned)found & SECTION_ALL;
    }
    return status;
}

enum pss_exit options_read_show(int argc, char **argv, struct options *options)
{
    struct options read = {NULL, 0, 1, 0, 0};
    enum pss_exit status = read_options(argc, argv, show_options, &read);

    if (status != EXIT_DONE)
        return status;
    if (!read.help && optind == argc)
        return report_usage(argv[0], "a process id, a name or 'self' is missing");
    if (!read.help && argc - optind > 1)
        return report_usage(argv[0], "one process at a time, not also '%s'", argv[optind + 1]);
    read.target = read.help ? NULL : argv[optind];
    *options = read;
    return EXIT_DONE;
}

enum pss_exit options_read_list(int argc, char **argv, struct options *options)
{
    struct options read = {NULL, 0, 1, 0, 0};
    enum pss_exit status = read_options(argc, argv, list_options, &read);

    if (status != EXIT_DONE)
        return status;
    if (!read.help && optind != argc)
        return report_usage(argv[0], "'%s' is one argument too many", argv[optind]);
    *options = read;
    return EXIT_DONE;
}
