/* SPDX-License-Identifier: MIT */
/* What the fuzzers of blocks share: a mutator that knows the block, and the share that is accepted.
 */
#ifndef PSS_FUZZ_BLOCKS_H
#define PSS_FUZZ_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

/**
 * Changes a block: all of it, its table, one record or its data; nine of ten are mended then, so
 * that they are accepted.
 *
 * \return the new size, \p limit at most.
 */
size_t fuzz_blocks_mutate(uint8_t *data, size_t size, size_t limit, unsigned int seed);

/** Counts an input; how many were accepted is printed at the end of the program. */
void fuzz_blocks_count(int is_accepted);

/* libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t limit, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t limit);

#endif
