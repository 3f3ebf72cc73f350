/* SPDX-License-Identifier: MIT */
/* A loop in assembly whose every register is known, for tests of captured contexts. */
#ifndef PSS_TARGET_PARK_H
#define PSS_TARGET_PARK_H

#include <stdint.h>

/** Offsets of the fields are written into target_park.S. */
struct park {
    uint32_t parked;  /* set by the loop when all registers are loaded */
    uint32_t stop;    /* set by another thread to end the loop */
    uint32_t use_avx; /* load the upper halves, too */
    uint32_t reserved;
    uint64_t integers[16]; /* rcx rdx rbx rbp rsi rdi r8..r15; on x86 the first six */
    uint8_t vectors[16][32];
};

/** Loads the registers, sets parked and spins until stop; rax (eax) holds the pointer meanwhile. */
void __cdecl target_park(struct park *park);

/** First and last instruction of the loop. */
extern const char target_park_first[];
extern const char target_park_last[];

/** The n-th value that a park's integer registers are given. */
static inline uint64_t park_integer(unsigned index)
{
    return 0x1122334455660000ull + 0x0101010101ull * index + 0x8000000000000000ull;
}

/** The byte that fills vector register n's lower or upper half, differing by position. */
static inline uint8_t park_vector_byte(unsigned index, unsigned position)
{
    return (uint8_t)(0x21 + 13 * index + position);
}

#endif
