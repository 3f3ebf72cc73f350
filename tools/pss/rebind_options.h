/* SPDX-License-Identifier: MIT */
/* The command line of `pss rebind`. */
#ifndef PSS_TOOL_REBIND_OPTIONS_H
#define PSS_TOOL_REBIND_OPTIONS_H

#include "report.h"

struct rebind_options {
    char **paths;       /* files and directories; borrowed from the command line */
    int path_count;     /* at least 1, unless only help is wanted */
    const char *output; /* where new files go; NULL = in place; borrowed */
    int is_recursive;
    int is_dry_run;
    int is_restore;
    int no_backup;
    int no_copy;
    int is_verbose;
    int is_json;
    int help; /* print the command's help instead */
};

/**
 * Reads the arguments.
 *
 * \param argc    [in]  Number of arguments, the command's name included as argv[0].
 * \param argv    [in]  UTF-8; is permuted.
 * \param options [out] Filled on success.
 * \return EXIT_DONE · EXIT_USAGE with the reason reported.
 */
enum pss_exit rebind_options_read(int argc, char **argv, struct rebind_options *options);

#endif
