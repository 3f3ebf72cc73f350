/* SPDX-License-Identifier: MIT */
/* Writes real snapshots of the running program as seeds of the reader's fuzzer, small ones. */
#include "descriptor/descriptor.h"

#include "pss.h"

#include <stdio.h>

#define LARGEST_SEED 16384u /* bytes */

static int write_block(const char *prefix, const char *name, const struct pss_block *block)
{
    char path[512];
    FILE *file;
    int is_written;

    if (block->size > LARGEST_SEED) {
        printf("%s: %u bytes, left out\n", name, block->size);
        return 1;
    }
    snprintf(path, sizeof(path), "%s-%s", prefix, name);
    file = fopen(path, "wb");
    is_written = file && fwrite(block, 1, block->size, file) == block->size;
    if (file && fclose(file))
        is_written = 0;
    if (!is_written)
        perror(path);
    return is_written;
}

static int dump(const char *prefix, const char *name, uint32_t flags)
{
    HPSS snapshot = NULL;
    DWORD error =
        PssCaptureSnapshot(GetCurrentProcess(), (PSS_CAPTURE_FLAGS)flags, CONTEXT_ALL, &snapshot);
    int is_written;

    if (error) {
        fprintf(stderr, "PssCaptureSnapshot: error %lu\n", error);
        return 0;
    }
    is_written = write_block(prefix, name, (const struct pss_block *)(void *)snapshot);
    PssFreeSnapshot(GetCurrentProcess(), snapshot);
    return is_written;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        uint32_t flags;
    } seeds[] = {
        {"process", PSS_CAPTURE_NONE},
        {"counters", PSS_CREATE_MEASURE_PERFORMANCE},
        {"page", PSS_CAPTURE_RESERVED_00000002},
        {"threads", PSS_CAPTURE_THREADS},
        {"contexts", PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT},
        {"extended",
         PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT | PSS_CAPTURE_THREAD_CONTEXT_EXTENDED},
        {"handles", PSS_CAPTURE_HANDLES},
        {"details", PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION |
                        PSS_CAPTURE_HANDLE_BASIC_INFORMATION |
                        PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION},
        {"clone", PSS_CAPTURE_VA_CLONE},
        {"memory", PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION},
    };

    if (argc != 2) {
        fprintf(stderr, "usage: %s PATH_PREFIX\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++)
        if (!dump(argv[1], seeds[i].name, seeds[i].flags))
            return 1;
    return 0;
}
