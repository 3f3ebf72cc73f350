/* SPDX-License-Identifier: MIT */
/* Bytes that a target fills its memory with, and that a test knows without asking it. */
#ifndef PSS_PATTERN_H
#define PSS_PATTERN_H

#include <stdint.h>

/**
 * The n-th 64-bit word of a filled range; seed 0 is all zero.
 * source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014
 */
static inline uint64_t pattern_word(uint64_t seed, uint64_t index)
{
    uint64_t word = seed * 0xD1342543DE82EF95ull + (index + 1) * 0x9E3779B97F4A7C15ull;

    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9ull;
    word = (word ^ word >> 27) * 0x94D049BB133111EBull;
    return seed ? word ^ word >> 31 : 0;
}

#endif
