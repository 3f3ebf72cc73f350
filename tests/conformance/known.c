/* SPDX-License-Identifier: MIT */
/* Reads known differences; a mistake in the file is told, since an entry that is not seen says
 * nothing. */
#include "known.h"

#include <stdlib.h>
#include <string.h>

struct word {
    const char *text; /* borrowed */
    size_t length;
};

static int is_word(struct word word, const char *text)
{
    return word.length == strlen(text) && !memcmp(word.text, text, word.length);
}

static int is_whole(const struct known *known)
{
    return known->test.length && known->why.length && known->source.length && known->libraries &&
           known->on_wine >= 0;
}

static int append(struct table *table)
{
    struct known *known =
        (struct known *)realloc(table->known, (table->known_count + 1) * sizeof(struct known));

    if (!known)
        return 0;
    table->known = known;
    table->known[table->known_count++] = (struct known){.on_wine = -1};
    return 1;
}

static int set_library(struct known *known, struct word value)
{
    if (is_word(value, "kernel32") || is_word(value, "both"))
        known->libraries |= 1u << LIBRARY_KERNEL32;
    if (is_word(value, "pss.dll") || is_word(value, "both"))
        known->libraries |= 1u << LIBRARY_PSS;
    return known->libraries != 0;
}

static int set_system(struct known *known, struct word value)
{
    if (is_word(value, "wine"))
        known->on_wine = 1;
    else if (is_word(value, "windows"))
        known->on_wine = 0;
    return known->on_wine >= 0;
}

static int set_text(struct buffer *buffer, struct word value)
{
    if (buffer->length || !value.length)
        return 0;
    buffer_append(buffer, value.text, value.length);
    return !buffer->failed;
}

/* One line; a test begins an entry, and the one before it has to be whole. */
static int set(struct table *table, struct word name, struct word value)
{
    struct known *last = table->known_count ? &table->known[table->known_count - 1] : NULL;

    if (is_word(name, "test")) {
        if ((last && !is_whole(last)) || !append(table))
            return 0;
        return set_text(&table->known[table->known_count - 1].test, value);
    }
    if (!last)
        return 0;
    if (is_word(name, "library"))
        return set_library(last, value);
    if (is_word(name, "system"))
        return set_system(last, value);
    if (is_word(name, "why"))
        return set_text(&last->why, value);
    return is_word(name, "source") && set_text(&last->source, value);
}

static int read_line(struct table *table, const char *text, size_t length)
{
    size_t name = 0, value;

    if (length && text[length - 1] == '\r')
        length--;
    if (!length || text[0] == '#')
        return 1;
    while (name < length && text[name] != ' ')
        name++;
    value = name < length ? name + 1 : length;
    return set(table, (struct word){text, name}, (struct word){text + value, length - value});
}

int known_read(struct table *table, const char *text, size_t length, unsigned *line)
{
    unsigned number = 1;

    for (size_t start = 0, end; start < length; start = end + 1, number++) {
        for (end = start; end < length && text[end] != '\n'; end++)
            ;
        if (!read_line(table, text + start, end - start)) {
            *line = number;
            return 0;
        }
    }
    if (table->known_count && !is_whole(&table->known[table->known_count - 1])) {
        *line = number;
        return 0;
    }
    return 1;
}
