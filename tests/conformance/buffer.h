/* SPDX-License-Identifier: MIT */
/* Text that grows, and how the three kinds of report write what a program printed. */
#ifndef PSS_CONFORMANCE_BUFFER_H
#define PSS_CONFORMANCE_BUFFER_H

#include <stddef.h>

/** Zero-initialised is empty. */
struct buffer {
    char *text;      /* owned, terminated; NULL while nothing was appended */
    size_t length;   /* bytes without the terminator */
    size_t capacity; /* bytes */
    int failed;      /* memory ran out: the text ends where it did */
};

/** Appends \p length bytes as they are. */
void buffer_append(struct buffer *buffer, const char *bytes, size_t length);

/** Appends a terminated text as it is; NULL is empty. */
void buffer_add(struct buffer *buffer, const char *text);

/** Appends as printf does. */
void buffer_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * Appends text for HTML and XML, in attributes too: markup characters become references, and what
 * XML 1.0 cannot hold, control characters and bytes that are not UTF-8, becomes a question mark.
 */
void buffer_add_escaped(struct buffer *buffer, const char *text);

/** Appends text as one line of at most \p columns characters: what ends a line becomes a blank. */
void buffer_add_line(struct buffer *buffer, const char *text, size_t columns);

/** Frees the text; the buffer is empty then. */
void buffer_free(struct buffer *buffer);

#endif
