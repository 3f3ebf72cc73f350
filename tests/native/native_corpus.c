/* SPDX-License-Identifier: MIT */
/* The seeds of the reader's fuzzer are blocks the reader accepts; run with their directory. */
#include "block_walk.h"
#include "world.h"

#include <dirent.h>

#define LARGEST_SEED 16384u /* bytes */

static const char *directory;

static size_t read_seed(const char *name, unsigned char *bytes)
{
    char path[1024];
    FILE *file;
    size_t size;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "rb");
    assert_non_null(file);
    size = fread(bytes, 1, LARGEST_SEED + 1, file);
    fclose(file);
    return size;
}

/* One that is refused is stale: regenerate_corpus.sh makes it anew. */
static void test_seeds_are_small_blocks_of_this_version(void **state)
{
    static unsigned char bytes[LARGEST_SEED + 1];
    DIR *seeds = opendir(directory);
    struct dirent *entry;
    int count = 0, of_x86 = 0;

    (void)state;
    assert_non_null(seeds);
    while ((entry = readdir(seeds))) {
        size_t size;

        if (entry->d_name[0] == '.')
            continue;
        size = read_seed(entry->d_name, bytes);
        if (size > LARGEST_SEED || !block_adopt_and_use(bytes, size))
            fail_msg("stale seed: %s", entry->d_name);
        of_x86 += strstr(entry->d_name, "x86") != NULL;
        count++;
    }
    closedir(seeds);
    assert_true(of_x86 > 0 && count > of_x86);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {fixture_test(test_seeds_are_small_blocks_of_this_version)};

    if (argc != 2) {
        fprintf(stderr, "usage: %s SEED_DIRECTORY\n", argv[0]);
        return 2;
    }
    directory = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
