/* SPDX-License-Identifier: MIT */
/* Fuzzes the sequence of calls: snapshots of a foreign block and captured ones, markers over them,
 * in any order. */
#include "call_model.h"
#include "fuzz_blocks.h"

#include <stdlib.h>
#include <string.h>

#define STEP_SIZE 4u /* bytes: what to do, with which two, and how */
#define MOST      64u

/* The input: a byte that counts the steps, the steps, and the block that some of them ship. */
static size_t steps_size(const uint8_t *data, size_t size)
{
    size_t wanted = size ? data[0] % (MOST + 1) * STEP_SIZE + 1 : 0;

    return wanted < size ? wanted : size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t steps = steps_size(data, size);

    if (!fake.own)
        fake_init();
    fuzz_blocks_count(call_model_begin(data + steps, size - steps));
    for (size_t i = 1; i + STEP_SIZE <= steps; i += STEP_SIZE)
        call_model_step(data[i], data[i + 1], data[i + 2], data[i + 3]);
    call_model_end();
    return 0;
}

/* Either the steps change, or the block. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t limit, unsigned int seed)
{
    size_t steps = steps_size(data, size), changed;
    uint8_t kept[1 + MOST * STEP_SIZE];

    if (seed / 2 % 8 == 0 || steps < 1 + STEP_SIZE)
        return LLVMFuzzerMutate(data, size, limit);
    if (seed % 2) {
        changed = LLVMFuzzerMutate(data + 1, steps - 1, steps - 1);
        memset(data + 1 + changed, 0, steps - 1 - changed);
        return size;
    }
    memcpy(kept, data, steps);
    changed = fuzz_blocks_mutate(data + steps, size - steps, limit - steps, seed / 16);
    memcpy(data, kept, steps);
    return steps + changed;
}
