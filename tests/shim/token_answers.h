/* SPDX-License-Identifier: MIT */
/* What identity.c is told of the tokens of two processes: this one, and another. */
#ifndef PSS_SHIM_TOKEN_ANSWERS_H
#define PSS_SHIM_TOKEN_ANSWERS_H

#include <stdint.h>

/** The handle of the other process. */
#define TOKEN_ANSWERS_OTHER ((intptr_t)0x1234)

/** The answers; 0 is this process, 1 the other. */
struct token_answers {
    uint32_t users[2];  /* last part of the SID of the user */
    uint32_t levels[2]; /* of integrity */
    int fail_at;        /* number of the call that is refused, from 1; 0: none */
    int calls;          /* that were made, closes not counted */
    int open_tokens;
};

extern struct token_answers token_answers;

#endif
