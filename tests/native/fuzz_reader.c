/* SPDX-License-Identifier: MIT */
/* Fuzzes the reader: any bytes are refused as a block, or can be queried and walked to the end. */
#include "block_walk.h"
#include "fuzz_blocks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!fake.own)
        fake_init();
    fuzz_blocks_count(block_adopt_and_use(data, size));
    if (!fake_ledger_is_zero())
        __builtin_trap();
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t limit, unsigned int seed)
{
    return fuzz_blocks_mutate(data, size, limit, seed);
}
