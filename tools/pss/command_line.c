/* SPDX-License-Identifier: MIT */
/* The command line as it was written. */
#include "command_line.h"

/** Where the characters of an argument go; nowhere if `next` is NULL. */
struct sink {
    WCHAR *next;
};

static void put(struct sink *sink, WCHAR character)
{
    if (sink->next != NULL)
        *sink->next++ = character;
}

static void take_back(struct sink *sink, unsigned count)
{
    if (sink->next != NULL)
        sink->next -= count;
}

static int is_blank(WCHAR character)
{
    return character == L' ' || character == L'\t';
}

/* source: learn.microsoft.com, "Parsing C command-line arguments": in the name of the program a
 * backslash is nothing special, and quotes only keep blanks from ending it */
static WCHAR *read_name(WCHAR *line, struct sink *sink)
{
    int quoted = 0;

    for (; *line != L'\0' && (quoted || !is_blank(*line)); line++) {
        if (*line == L'"')
            quoted = !quoted;
        else
            put(sink, *line);
    }
    return line;
}

/* source: learn.microsoft.com, CommandLineToArgvW: after an odd number of backslashes a quote is a
 * character of the argument, and of backslashes before a quote half are left; it is one, too, by
 * its observed behaviour, right behind the quote that ends quoted text */
static WCHAR *read_argument(WCHAR *line, struct sink *sink)
{
    unsigned backslashes = 0; /* right before the character */
    int quoted = 0;
    int closed = 0; /* the last character ended quoted text */

    for (; *line != L'\0' && (quoted || !is_blank(*line)); line++) {
        int is_quote = *line == L'"';
        int is_text = !is_quote || backslashes % 2 != 0 || closed;

        if (is_quote)
            take_back(sink, (backslashes + 1) / 2);
        if (is_text)
            put(sink, *line);
        closed = !is_text && quoted;
        quoted ^= !is_text;
        backslashes = *line == L'\\' ? backslashes + 1 : 0;
    }
    return line;
}

WCHAR *command_line_read(WCHAR *line, int name, WCHAR *text)
{
    struct sink sink = {text};

    line = name ? read_name(line, &sink) : read_argument(line, &sink);
    put(&sink, L'\0');
    while (is_blank(*line))
        line++;
    return line;
}

WCHAR *command_line_skip(WCHAR *line, int count)
{
    for (int i = 0; i < count; i++)
        line = command_line_read(line, i == 0, NULL);
    return line;
}
