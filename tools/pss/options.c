/* SPDX-License-Identifier: MIT */
/* The command line of `pss list`, `pss show` and `pss read`. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

/* What getopt_long() returns for each option, clear of its characters; a section's bits are added.
 */
enum {
    OPTION_JSON = OPTIONS_FIRST,
    OPTION_REPEAT,
    OPTION_OUTPUT,
    OPTION_HELP,
    OPTION_SECTION = 0x1000
};

static const struct option show_options[] = {
    {"process", no_argument, NULL, OPTION_SECTION | SECTION_PROCESS},
    {"threads", no_argument, NULL, OPTION_SECTION | SECTION_THREADS},
    {"contexts", no_argument, NULL, OPTION_SECTION | SECTION_CONTEXTS},
    {"handles", no_argument, NULL, OPTION_SECTION | SECTION_HANDLES},
    {"memory", no_argument, NULL, OPTION_SECTION | SECTION_MEMORY},
    {"clone", no_argument, NULL, OPTION_SECTION | SECTION_CLONE},
    {"all", no_argument, NULL, OPTION_SECTION | SECTION_ALL},
    {"json", no_argument, NULL, OPTION_JSON},
    {"repeat", required_argument, NULL, OPTION_REPEAT},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static const struct option read_options[] = {
    {"output", required_argument, NULL, OPTION_OUTPUT},
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

static enum pss_exit read_output(const char *text, const char **output)
{
    if (text[0] == '\0')
        return report_usage("read", "--output needs the name of a file, or '-'");
    *output = text;
    return EXIT_DONE;
}

enum pss_exit options_reject(const char *command, int found, const char *argument)
{
    if (optopt > 0 && optopt < OPTIONS_FIRST)
        return report_usage(command, "unknown option '-%c'", optopt);
    if (found == '?')
        return report_usage(command, "unknown or ambiguous option '%s'", argument);
    if (strchr(argument, '=') != NULL)
        return report_usage(command, "'%s': the option takes no value", argument);
    return report_usage(command, "'%s' needs a value", argument);
}

/** Applies the options; optind is the first operand afterwards. */
static enum pss_exit apply_options(int argc, char **argv, const struct option *known,
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
        else if (found == OPTION_OUTPUT)
            status = read_output(optarg, &options->output);
        else if (found == '?' || found == ':')
            status = options_reject(argv[0], found, argv[optind - 1]);
        else
            options->sections |= (unsigned)found & SECTION_MASK;
    }
    return status;
}

enum pss_exit options_read_show(int argc, char **argv, struct options *options)
{
    struct options read = {.repeat = 1};
    enum pss_exit status = apply_options(argc, argv, show_options, &read);

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

/** Reads the range, which has to lie within what a pointer of this program can address. */
static enum pss_exit read_range(const char *address, const char *length, struct options *options)
{
    if (!number_read(address, &options->address))
        return report_usage("read", "ADDRESS is a number such as 0x7ffe0000, not '%s'", address);
    if (!number_read_size(length, &options->length) || options->length == 0)
        return report_usage("read", "LENGTH is a number of bytes such as 256 or 64K, not '%s'",
                            length);
    if (!number_is_range(options->address, options->length, UINTPTR_MAX))
        return report_usage("read", "'%s' bytes at '%s' reach beyond the last address, 0x%" PRIx64,
                            length, address, (uint64_t)UINTPTR_MAX);
    return EXIT_DONE;
}

enum pss_exit options_read_read(int argc, char **argv, struct options *options)
{
    static const char *const missing[] = {"a process id, a name or 'self'", "an address",
                                          "a length"};
    struct options read = {.repeat = 1};
    enum pss_exit status = apply_options(argc, argv, read_options, &read);
    int operands = argc - optind;

    if (status == EXIT_DONE && !read.help) {
        if (operands < 3)
            return report_usage(argv[0], "%s is missing", missing[operands]);
        if (operands > 3)
            return report_usage(argv[0], "'%s' is one argument too many", argv[optind + 3]);
        read.target = argv[optind];
        status = read_range(argv[optind + 1], argv[optind + 2], &read);
    }
    if (status == EXIT_DONE)
        *options = read;
    return status;
}

enum pss_exit options_read_list(int argc, char **argv, struct options *options)
{
    struct options read = {.repeat = 1};
    enum pss_exit status = apply_options(argc, argv, list_options, &read);

    if (status != EXIT_DONE)
        return status;
    if (!read.help && optind != argc)
        return report_usage(argv[0], "'%s' is one argument too many", argv[optind]);
    *options = read;
    return EXIT_DONE;
}
