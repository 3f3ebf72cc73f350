/* SPDX-License-Identifier: MIT */
/* How a test answers a question that public sources leave open: a line that the table shows. */
#ifndef PSS_CONFORMANCE_ANSWER_H
#define PSS_CONFORMANCE_ANSWER_H

#include "harness.h"

/** Prints "answer: " and a text, as printf does; the text has no end of line. */
#define answer(format, ...) print_message("answer: " format "\n", __VA_ARGS__)

/** Milliseconds since a moment that GetTickCount told. */
static inline DWORD elapsed_since(DWORD start)
{
    return GetTickCount() - start;
}

#endif
