/* SPDX-License-Identifier: MIT */
/* The command line as it was written. */
#ifndef PSS_TOOL_COMMAND_LINE_H
#define PSS_TOOL_COMMAND_LINE_H

#include <windows.h>

/**
 * Reads one argument. The first one, the program's own name, ends at the first blank outside
 * quotes, wherever the quotes stand, as the C runtime has it; the others are as
 * CommandLineToArgvW() has them.
 *
 * \param line [in]  Where the argument begins.
 * \param name [in]  1 for the program's own name · 0 for any other argument.
 * \param text [out] The argument without its quotes: room for all that is left of the line and its
 *                   terminator. NULL = not wanted.
 * \return Where the next argument begins; the terminator when there is none.
 */
WCHAR *command_line_read(WCHAR *line, int name, WCHAR *text);

/**
 * Skips arguments, so that the rest can be handed on with its quotes.
 *
 * \param line  [in] A command line that begins with the name of the program.
 * \param count [in] Arguments to skip, the program's name included.
 * \return The first character of what follows; the terminator when nothing does.
 */
WCHAR *command_line_skip(WCHAR *line, int count);

#endif
