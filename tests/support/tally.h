/* SPDX-License-Identifier: MIT */
/* What a test program did, counted for the table in the README: scripts/soak.sh sums it up. */
#ifndef PSS_TALLY_H
#define PSS_TALLY_H

#include <stdint.h>

enum tally {
    TALLY_CAPTURES,        /* that succeeded */
    TALLY_FAULTS,          /* calls that were made to fail */
    TALLY_EVENTS,          /* that befell a target at a chosen call */
    TALLY_HOSTILE_TARGETS, /* processes that lied, moved or died while they were captured */
    TALLY_COUNT,
};

/** Counts; from any thread. What was counted is printed when the program ends. */
void tally(enum tally what, uint64_t number);

#endif
