/* SPDX-License-Identifier: MIT */
/* Text that grows by doubling, and its escapes. */
#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256u
#define FORMATTED_MAX  1024u /* bytes of one formatted piece; texts of others go by buffer_add */

static int reserve(struct buffer *buffer, size_t length)
{
    size_t wanted = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
    char *text;

    if (buffer->failed || length >= (size_t)-1 / 4 - buffer->length)
        buffer->failed = 1;
    if (buffer->failed || length < buffer->capacity - buffer->length)
        return !buffer->failed;
    while (wanted <= buffer->length + length)
        wanted *= 2;
    text = (char *)realloc(buffer->text, wanted);
    if (!text) {
        buffer->failed = 1;
        return 0;
    }
    buffer->text = text;
    buffer->capacity = wanted;
    return 1;
}

void buffer_append(struct buffer *buffer, const char *bytes, size_t length)
{
    if (!reserve(buffer, length))
        return;
    if (length)
        memcpy(buffer->text + buffer->length, bytes, length);
    buffer->length += length;
    buffer->text[buffer->length] = 0;
}

void buffer_add(struct buffer *buffer, const char *text)
{
    if (text)
        buffer_append(buffer, text, strlen(text));
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
    char piece[FORMATTED_MAX];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(piece, sizeof(piece), format, arguments);
    va_end(arguments);
    if (length > 0)
        buffer_append(buffer, piece,
                      (size_t)length < sizeof(piece) ? (size_t)length : sizeof(piece) - 1);
}

/* What a byte says of the character it begins: bytes, bits of its own, and the least value. */
static size_t sequence_length(unsigned char lead, unsigned *value, unsigned *least)
{
    if (lead >= 0xC2 && lead <= 0xDF) {
        *value = lead & 0x1Fu;
        *least = 0x80;
        return 2;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        *value = lead & 0x0Fu;
        *least = 0x800;
        return 3;
    }
    *value = lead & 0x07u;
    *least = 0x10000;
    return lead >= 0xF0 && lead <= 0xF4 ? 4 : 1;
}

/* How many bytes a character has that XML can hold; 0 when there is none here. */
static size_t character_length(const char *text)
{
    unsigned char lead = (unsigned char)text[0];
    unsigned value, least;

    if (lead < 0x80)
        return lead >= 0x20 && lead != 0x7F ? 1 : lead == '\t' || lead == '\n';
    size_t length = sequence_length(lead, &value, &least);
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)text[i] & 0xC0) != 0x80) /* a terminator is none, either */
            return 0;
        value = value << 6 | ((unsigned char)text[i] & 0x3Fu);
    }
    int is_bad = value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF) ||
                 (value & 0xFFFE) == 0xFFFE;
    return is_bad ? 0 : length;
}

static const char *reference(char character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void buffer_add_escaped(struct buffer *buffer, const char *text)
{
    while (text && *text) {
        size_t length = character_length(text);
        if (reference(*text))
            buffer_add(buffer, reference(*text));
        else if (length)
            buffer_append(buffer, text, length);
        else
            buffer_add(buffer, *text == '\r' ? "" : "?");
        text += length ? length : 1;
    }
}

void buffer_add_line(struct buffer *buffer, const char *text, size_t columns)
{
    size_t used = 0;

    for (; text && *text; used++) {
        size_t length = character_length(text);
        if (used == columns) {
            buffer_add(buffer, " ...");
            return;
        }
        if (!length || *text == '\n' || *text == '\t')
            buffer_add(buffer, *text == '\n' || *text == '\t' || *text == '\r' ? " " : "?");
        else
            buffer_append(buffer, text, length);
        text += length ? length : 1;
    }
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->text);
    *buffer = (struct buffer){0};
}
