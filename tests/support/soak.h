/* SPDX-License-Identifier: MIT */
/* How much a test does: a sample in each test run, all of it in scripts/soak.sh. */
#ifndef PSS_SOAK_H
#define PSS_SOAK_H

#include <stdint.h>
#include <stdlib.h>

/** The second number when PSS_SOAK is set in the environment (a build with -DPSS_SOAK=ON), else the
 * first. */
static inline uint32_t soak_or(uint32_t sample, uint32_t whole)
{
    return getenv("PSS_SOAK") ? whole : sample;
}

/** How far the numbers are apart that a test goes through: 1 in a soak. */
static inline uint32_t soak_step(uint32_t sample)
{
    return soak_or(sample, 1);
}

#endif
