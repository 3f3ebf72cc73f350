/* SPDX-License-Identifier: MIT */
/* The help texts. */
#ifndef PSS_TOOL_USAGE_H
#define PSS_TOOL_USAGE_H

#include "report.h"

/**
 * Prints the overview to stdout.
 *
 * \return EXIT_DONE.
 */
enum pss_exit usage_print(void);

/**
 * Prints the help of one command to stdout.
 *
 * \return EXIT_DONE · EXIT_USAGE: no such command.
 */
enum pss_exit usage_print_command(const char *command);

/**
 * Prints the version and who makes the snapshots.
 *
 * \return EXIT_DONE · EXIT_RUNTIME: nobody does.
 */
enum pss_exit usage_print_version(void);

#endif
