/* SPDX-License-Identifier: MIT */
/* Mutates blocks where it matters: random bytes would hardly ever be accepted. */
#include "fuzz_blocks.h"

#include "block_mend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum part { PART_ALL, PART_TABLE, PART_DATA, PART_RECORD };

struct range {
    size_t offset, size; /* bytes */
};

/* The bytes of a section, as far as they are there. */
static struct range section_range(const struct pss_block *block, uint32_t section, size_t size)
{
    const struct pss_section_entry *entry = &block->sections[section];
    uint64_t length = (uint64_t)entry->count * entry->stride;
    struct range range = {0, 0};

    if (entry->offset >= size)
        return range;
    range.offset = entry->offset;
    range.size = length < size - range.offset ? (size_t)length : size - range.offset;
    return range;
}

static struct range choose_range(const struct pss_block *block, size_t size, unsigned int seed)
{
    struct range range = {0, size};
    uint32_t section = (seed >> 8) % PSS_SECTION_COUNT;
    uint32_t stride = block->sections[section].stride;

    switch ((enum part)(seed % 4)) {
    case PART_TABLE:
        range.offset = offsetof(struct pss_block, sections);
        range.size = sizeof(block->sections);
        break;
    case PART_DATA:
        range = section_range(block, PSS_SECTION_DATA, size);
        break;
    case PART_RECORD:
        range = section_range(block, section, size);
        if (section != PSS_SECTION_DATA && stride && range.size >= stride) {
            range.offset += (seed >> 16) % (range.size / stride) * stride;
            range.size = stride;
        }
        break;
    default:
        break;
    }
    return range;
}

/* Within a part nothing moves: the records behind it stay where they are. */
static size_t mutate(uint8_t *bytes, size_t size, size_t limit, unsigned int seed)
{
    struct range range = choose_range((const struct pss_block *)(void *)bytes, size, seed);
    size_t kept;

    if (!range.size || range.size == size)
        return LLVMFuzzerMutate(bytes, size, limit);
    kept = LLVMFuzzerMutate(bytes + range.offset, range.size, range.size);
    if (kept < range.size)
        memset(bytes + range.offset + kept, 0, range.size - kept);
    return size;
}

size_t fuzz_blocks_mutate(uint8_t *data, size_t size, size_t limit, unsigned int seed)
{
    uint8_t *bytes;

    if (limit < BLOCK_MEND_LEAST || size > limit)
        return LLVMFuzzerMutate(data, size < limit ? size : limit, limit);
    bytes = calloc(1, limit); /* aligned; and what a block lacks in size is zero */
    if (!bytes)
        abort();
    memcpy(bytes, data, size);
    if (size < BLOCK_MEND_LEAST)
        size = LLVMFuzzerMutate(bytes, size, limit);
    else
        size = mutate(bytes, size, limit, seed);
    if (seed / 4 % 10) {
        size = size < BLOCK_MEND_LEAST ? BLOCK_MEND_LEAST : size;
        block_mend(bytes, (uint32_t)size);
        if (!NT_SUCCESS(pss_block_validate(bytes, size))) {
            fprintf(stderr, "fuzz_blocks.c: a mended block is refused\n");
            abort();
        }
    }
    memcpy(data, bytes, size);
    free(bytes);
    return size;
}

static uint64_t inputs, accepted;

static void print_share(void)
{
    printf("fuzz: %llu of %llu blocks accepted\n", (unsigned long long)accepted,
           (unsigned long long)inputs);
}

void fuzz_blocks_count(int is_accepted)
{
    if (!inputs++)
        atexit(print_share);
    accepted += is_accepted != 0;
}
