/* SPDX-License-Identifier: MIT */
/* Fuzzes the reader: any bytes are refused as a block, or can be queried and walked to the end. */
#include "block_walk.h"

#include <stddef.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t limit, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t limit);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!fake.own)
        fake_init();
    block_adopt_and_use(data, size);
    if (!fake_ledger_is_zero())
        __builtin_trap();
    return 0;
}

/* Most inputs keep a true first line, or nothing behind it would ever be looked at. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t limit, unsigned int seed)
{
    struct pss_block header;

    size = LLVMFuzzerMutate(data, size, limit);
    if (seed % 16 == 0 || size < sizeof(header))
        return size;
    memcpy(&header, data, sizeof(header));
    header.magic = PSS_BLOCK_MAGIC;
    header.version = PSS_BLOCK_VERSION;
    header.size = (uint32_t)size;
    header.live = 1;
    memcpy(data, &header, sizeof(header));
    return size;
}
