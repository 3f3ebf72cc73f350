/* SPDX-License-Identifier: MIT */
/*
 * A process whose memory never rests: at both ends of a block of 4 MiB it counts, first at the
 * beginning, then at the end. In a copy of one moment the two are equal or differ by one. It prints
 * one line that tells where the block is, and ends when its input does.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <windows.h>

#define BLOCK_BYTES 0x400000u

static HANDLE begun; /* set when the thread counts */

/** Counts to the end of 32 bits, which takes longer than the test that looks on. */
static DWORD WINAPI count(void *block)
{
    volatile uint32_t *first = block;
    volatile uint32_t *last = (uint32_t *)((char *)block + BLOCK_BYTES) - 1;

    *first = *last = 1;
    SetEvent(begun);
    for (uint32_t n = 2; n != 0; n++) {
        *first = n;
        *last = n;
    }
    return 0;
}

int main(void)
{
    void *block = VirtualAlloc(NULL, BLOCK_BYTES, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    begun = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (block == NULL || begun == NULL || CreateThread(NULL, 0, count, block, 0, NULL) == NULL) {
        fprintf(stderr, "count_target: cannot count: error %lu\n", GetLastError());
        return 1;
    }
    WaitForSingleObject(begun, INFINITE);
    printf("count_target is process %lu: block %#llx\n", GetCurrentProcessId(),
           (unsigned long long)(uintptr_t)block);
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    return 0;
}
