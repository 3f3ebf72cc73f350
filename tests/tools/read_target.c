/* SPDX-License-Identifier: MIT */
/*
 * A process to read from: a block of text followed by pages that cannot be read. It prints one line
 * that tells where the block is, and ends when its input does.
 *
 * The block: 3 MiB and a page of lines "offset 00000000", one per 16 bytes; then a page each that
 * is NOACCESS, GUARD and reserved.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#define PAGE_BYTES 0x1000u
#define TEXT_BYTES (0x300000u + PAGE_BYTES)

static char *make_block(void)
{
    char *block = VirtualAlloc(NULL, TEXT_BYTES + 3 * PAGE_BYTES, MEM_RESERVE, PAGE_NOACCESS);
    DWORD before;

    if (block == NULL ||
        VirtualAlloc(block, TEXT_BYTES + 2 * PAGE_BYTES, MEM_COMMIT, PAGE_READWRITE) == NULL)
        return NULL;
    for (unsigned offset = 0; offset < TEXT_BYTES; offset += 16) {
        char line[17];
        snprintf(line, sizeof line, "offset %08x\n", offset);
        memcpy(block + offset, line, 16);
    }
    memset(block + TEXT_BYTES, '!', 2 * PAGE_BYTES);
    if (!VirtualProtect(block + TEXT_BYTES, PAGE_BYTES, PAGE_NOACCESS, &before) ||
        !VirtualProtect(block + TEXT_BYTES + PAGE_BYTES, PAGE_BYTES, PAGE_READWRITE | PAGE_GUARD,
                        &before))
        return NULL;
    return block;
}

int main(void)
{
    char *block = make_block();

    if (block == NULL) {
        fprintf(stderr, "read_target: no memory: error %lu\n", GetLastError());
        return 1;
    }
    printf("read_target is process %lu: block %#llx\n", GetCurrentProcessId(),
           (unsigned long long)(uintptr_t)block);
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    return 0;
}
