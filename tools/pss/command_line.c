/* SPDX-License-Identifier: MIT */
/* The command line as it was written. */
#include "command_line.h"

static int is_blank(WCHAR character)
{
    return character == L' ' || character == L'\t';
}

/* source: learn.microsoft.com, CommandLineToArgvW: in the name of the program a backslash is
 * nothing special */
static WCHAR *skip_name(WCHAR *line)
{
    if (*line == L'"') {
        do
            line++;
        while (*line != L'\0' && *line != L'"');
        return *line == L'"' ? line + 1 : line;
    }
    while (*line != L'\0' && !is_blank(*line))
        line++;
    return line;
}

/* source: the same: after an odd number of backslashes a quote is a character of the argument; so
 * it is, by its observed behaviour, right behind the quote that ends quoted text */
static WCHAR *skip_argument(WCHAR *line)
{
    int quoted = 0;
    int escaped = 0;
    int closed = 0; /* the last character ended quoted text */

    for (; *line != L'\0' && (quoted || !is_blank(*line)); line++) {
        int is_quote = *line == L'"' && !escaped;
        int toggles = is_quote && !closed;

        closed = toggles && quoted;
        quoted ^= toggles;
        escaped = *line == L'\\' && !escaped;
    }
    return line;
}

WCHAR *command_line_skip(WCHAR *line, int count)
{
    for (int i = 0; i < count; i++) {
        line = i == 0 ? skip_name(line) : skip_argument(line);
        while (is_blank(*line))
            line++;
    }
    return line;
}
