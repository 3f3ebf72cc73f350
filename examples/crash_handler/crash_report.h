/* SPDX-License-Identifier: MIT */
/**
 * \file
 * What a crashing program and its handler share: a section that the program inherits.
 *
 * All fields have a fixed width, since the two may be of different bitness. Handle values and an
 * HPSS fit into 64 bits everywhere.
 */
#ifndef CRASH_REPORT_H
#define CRASH_REPORT_H

#include <stdint.h>

/** The environment variable that holds the section's handle, in hexadecimal. */
#define CRASH_VARIABLE L"CRASH_REPORT_SECTION"

#define CRASH_CONTEXT_SIZE 1232 /* bytes of the larger CONTEXT, that of x64 */

struct crash_report {
    /* From the handler, before the program starts: handles that the program inherits. */
    uint64_t handler;  /* the handler's process, as the target of PssDuplicateSnapshot() */
    uint64_t reported; /* event: the fields below are filled */
    uint64_t handled;  /* event: a program without a clone need not wait any more */

    /* From the program, when it crashes. */
    uint64_t snapshot;          /* HPSS as valid in the handler; 0 if there is none */
    uint64_t exception_address; /* in the program */
    uint32_t exception_code;    /* STATUS_* */
    uint32_t thread_id;         /* of the thread that crashed */
    uint32_t error;             /* Win32 code of the capture or the duplication */
    uint32_t pointer_size;      /* bytes, 4 or 8: of the program, and whose CONTEXT it is */
    uint8_t context[CRASH_CONTEXT_SIZE]; /* the CONTEXT of the exception */
};

_Static_assert(sizeof(struct crash_report) == 1288, "the same in both bitnesses");

#endif
