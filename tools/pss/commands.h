/* SPDX-License-Identifier: MIT */
/* The commands. Each gets its own name as argv[0] and its arguments in UTF-8. */
#ifndef PSS_TOOL_COMMANDS_H
#define PSS_TOOL_COMMANDS_H

#include "report.h"

enum pss_exit command_list(int argc, char **argv);
enum pss_exit command_show(int argc, char **argv);
enum pss_exit command_read(int argc, char **argv);
enum pss_exit command_rebind(int argc, char **argv);

/** Returns the exit code of the program it runs, or its own. */
int command_run(int argc, char **argv);

#endif
