/* SPDX-License-Identifier: MIT */
/* The private memory of a target: as much of it as asked for, and what it holds. */
#include "fail.h"
#include "target.h"

#include <stdint.h>

/* source: Vigna, An experimental exploration of Marsaglia's xorshift generators, scrambled */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1Du;
}

static void fill_block(char *block, uint64_t *state)
{
    uint64_t *words = (uint64_t *)(void *)block;

    for (size_t i = 0; i < FILL_BLOCK / sizeof *words; i++)
        words[i] = next_random(state);
}

void fill_memory(unsigned megabytes, enum fill fill)
{
    uint64_t state = 0x9E3779B97F4A7C15u; /* the same bytes in every run */
    size_t left = (size_t)megabytes << 20;

    while (left != 0) {
        size_t size = left < 2 * FILL_ALLOCATION ? left : FILL_ALLOCATION;
        char *memory = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

        if (memory == NULL)
            fail_last("VirtualAlloc");
        for (size_t at = 0; fill != FILL_ZERO && at < size; at += FILL_BLOCK)
            if (fill == FILL_RANDOM || at / FILL_BLOCK % 2 == 0)
                fill_block(memory + at, &state);
        left -= size;
    }
}
