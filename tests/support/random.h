/* SPDX-License-Identifier: MIT */
/* Random numbers whose seed is printed, so that a failure can be repeated with PSS_TEST_SEED. */
#ifndef PSS_RANDOM_H
#define PSS_RANDOM_H

#include <stdint.h>

/** Seeds the generator from PSS_TEST_SEED or the clock, and prints the seed; else the first number
 * does that. */
void random_init(void);

/** Prints the seed that repeats what comes from here on. */
void random_print(void);

/** The next 64 random bits. */
uint64_t random_next(void);

/** The next 64 random bits of a generator of the caller's own, which must not be 0. */
uint64_t random_step(uint64_t *state);

/** A random number below \p limit, which must not be 0. */
uint32_t random_below(uint32_t limit);

#endif
