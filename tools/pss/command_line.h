/* SPDX-License-Identifier: MIT */
/* The command line as it was written. */
#ifndef PSS_TOOL_COMMAND_LINE_H
#define PSS_TOOL_COMMAND_LINE_H

#include <windows.h>

/**
 * Skips arguments as CommandLineToArgvW() counts them, so that the rest can be handed on with its
 * quotes.
 *
 * \param line  [in] A command line that begins with the name of the program.
 * \param count [in] Arguments to skip, the program's name included.
 * \return The first character of what follows; the terminator when nothing does.
 */
WCHAR *command_line_skip(WCHAR *line, int count);

#endif
