/* SPDX-License-Identifier: MIT */
/* The command line of `pss rebind`. */
#include "rebind_options.h"

#include <getopt.h>
#include <stddef.h>

#include "options.h"

enum {
    OPTION_RECURSIVE = OPTIONS_FIRST,
    OPTION_DRY_RUN,
    OPTION_OUTPUT,
    OPTION_RESTORE,
    OPTION_NO_BACKUP,
    OPTION_NO_COPY,
    OPTION_VERBOSE,
    OPTION_JSON,
    OPTION_HELP
};

static const struct option known[] = {
    {"recursive", no_argument, NULL, OPTION_RECURSIVE},
    {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
    {"output", required_argument, NULL, OPTION_OUTPUT},
    {"restore", no_argument, NULL, OPTION_RESTORE},
    {"no-backup", no_argument, NULL, OPTION_NO_BACKUP},
    {"no-copy", no_argument, NULL, OPTION_NO_COPY},
    {"verbose", no_argument, NULL, OPTION_VERBOSE},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static void apply(int found, struct rebind_options *options)
{
    if (found == OPTION_RECURSIVE)
        options->is_recursive = 1;
    else if (found == OPTION_DRY_RUN)
        options->is_dry_run = 1;
    else if (found == OPTION_OUTPUT)
        options->output = optarg;
    else if (found == OPTION_RESTORE)
        options->is_restore = 1;
    else if (found == OPTION_NO_BACKUP)
        options->no_backup = 1;
    else if (found == OPTION_NO_COPY)
        options->no_copy = 1;
    else if (found == OPTION_VERBOSE)
        options->is_verbose = 1;
    else if (found == OPTION_JSON)
        options->is_json = 1;
    else
        options->help = 1;
}

static enum pss_exit check(const struct rebind_options *options)
{
    if (options->help)
        return EXIT_DONE;
    if (options->path_count == 0)
        return report_usage("rebind", "a file or directory is missing");
    for (int i = 0; i < options->path_count; i++)
        if (options->paths[i][0] == '\0')
            return report_usage("rebind", "a file or directory needs a name");
    if (options->output != NULL && options->output[0] == '\0')
        return report_usage("rebind", "--output needs the name of a file or directory");
    if (options->output != NULL && options->is_restore)
        return report_usage("rebind", "--restore puts files back in place, there is no --output");
    return EXIT_DONE;
}

enum pss_exit rebind_options_read(int argc, char **argv, struct rebind_options *options)
{
    struct rebind_options read = {0};
    enum pss_exit status;
    int found;

    opterr = 0;
    optind = 1;
    optopt = 0;
    while ((found = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
        if (found == '?' || found == ':')
            return options_reject(argv[0], found, argv[optind - 1]);
        apply(found, &read);
    }
    read.paths = argv + optind;
    read.path_count = argc - optind;
    status = check(&read);
    if (status == EXIT_DONE)
        *options = read;
    return status;
}
