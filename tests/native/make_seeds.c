/* SPDX-License-Identifier: MIT */
/* Writes the synthetic seeds of the fuzzers: blocks of the modelled target, calls to make, and lies
 * to tell. */
#include "block_walk.h"
#include "clone_world.h"

#define CALLS        48u
#define LARGEST_SEED 16384u /* bytes */

static const char *directory;

static void write_seed(const char *fuzzer, const char *name, const void *bytes, size_t size)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s/%s", directory, fuzzer, name);
    file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file)) {
        perror(path);
        exit(1);
    }
}

static void write_block(const char *name, uint32_t flags)
{
    const struct pss_block *block;

    world_setup(NULL);
    world_furnish();
    world_capture(flags);
    block = (const struct pss_block *)world.snapshot;
    write_seed("reader", name, block, block->size);
    world_teardown(NULL);
}

/* A clone and nothing else: the list of its target's regions alone would fill a seed. */
static void write_clone(const char *name, int is_native)
{
    const struct pss_block *block;

    clone_world_setup(NULL);
    fake.has_native_clones = (uint8_t)is_native;
    world_capture(PSS_CAPTURE_VA_CLONE);
    block = (const struct pss_block *)world.snapshot;
    write_seed("reader", name, block, block->size);
    clone_world_teardown(NULL);
}

static void write_blocks(void)
{
    write_clone("modelled-clone", 0);
    write_clone("modelled-native", 1);
    write_block("modelled-none", PSS_CAPTURE_NONE);
    write_block("modelled-trace", PSS_CAPTURE_HANDLE_TRACE);
    write_block("modelled-handles", HANDLE_DETAILS);
    write_block("modelled-threads", PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
    write_block("modelled-extended", PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT |
                                         PSS_CAPTURE_THREAD_CONTEXT_EXTENDED);
    write_block("modelled-memory", PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION);
    write_block("modelled-all", EVERYTHING);
}

/* Random steps, most of which choose live things, and the block they ship. */
static void write_calls(const char *name, uint32_t flags)
{
    static unsigned char seed[1 + 4 * CALLS + LARGEST_SEED];
    const struct pss_block *block;
    uint32_t random = flags + 1;

    world_setup(NULL);
    world_furnish();
    world_capture(flags);
    block = (const struct pss_block *)world.snapshot;
    assert_true(block->size <= LARGEST_SEED);
    seed[0] = CALLS;
    for (uint32_t i = 0; i < 4 * CALLS; i++) {
        random = random * 1664525 + 1013904223;
        seed[1 + i] = i < 8 ? i % 4 == 0 && i ? 3 : 0 : (unsigned char)(random >> 24);
    }
    memcpy(seed + 1 + 4 * CALLS, block, block->size);
    write_seed("calls", name, seed, 1 + 4 * CALLS + block->size);
    world_teardown(NULL);
}

/* Flags, context flags, the kind of system, no change to the image; then truth, or random lies. */
static void write_lies(const char *name, uint32_t flags, unsigned char kind, uint32_t lies)
{
    unsigned char seed[10 + 256] = {0};
    uint32_t context_flags = CONTEXT_EVERYTHING, random = flags + kind + 1;

    memcpy(seed, &flags, 4);
    memcpy(seed + 4, &context_flags, 4);
    seed[8] = kind;
    for (uint32_t i = 0; i < lies; i++) {
        random = random * 1664525 + 1013904223;
        seed[10 + i] = i % 8 ? 0 : (unsigned char)(random >> 24);
    }
    write_seed("capture", name, seed, 10 + lies);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS_DIRECTORY\n", argv[0]);
        return 2;
    }
    directory = argv[1];
    write_blocks();
    write_calls("threads", PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
    write_calls("handles", HANDLE_DETAILS);
    write_calls("memory", PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION);
    write_calls("trace", PSS_CAPTURE_HANDLE_TRACE);
    write_lies("truth-all", EVERYTHING, 7, 0);
    write_lies("truth-self", EVERYTHING, 12, 0);
    write_lies("lies-none", PSS_CAPTURE_NONE, 1, 64);
    write_lies("lies-threads", PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT, 5, 128);
    write_lies("lies-memory", PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION, 0,
               128);
    write_lies("lies-handles", HANDLE_DETAILS, 2, 256);
    write_lies("lies-all", EVERYTHING, 7, 256);
    write_lies("lies-self", EVERYTHING, 13, 256);
    write_lies("truth-clone", PSS_CAPTURE_VA_CLONE, 4, 0);
    write_lies("truth-native", PSS_CAPTURE_VA_CLONE, 0x14, 0);
    write_lies("lies-clone", PSS_CAPTURE_VA_CLONE, 4, 256);
    write_lies("lies-clone-calls", PSS_CAPTURE_VA_CLONE | PSS_CAPTURE_VA_SPACE, 0x24, 256);
    write_lies("lies-clone-all", EVERYTHING | PSS_CAPTURE_VA_CLONE, 0x44, 256);
    write_lies("lies-clone-self", PSS_CAPTURE_VA_CLONE, 12, 256);
    return 0;
}
