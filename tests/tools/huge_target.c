/* SPDX-License-Identifier: MIT */
/*
 * A process with a block of more than 4 GiB, as far as its address space allows: reserved, but for
 * 64 KiB at its end. It prints one line that tells where, and ends when its input does.
 */
#include <stdint.h>
#include <stdio.h>

#include <windows.h>

#define COMMITTED 0x10000u
#define RESERVED  (sizeof(void *) == 8 ? UINT64_C(0x200000000) : UINT64_C(0x20000000))

int main(void)
{
    char *block = VirtualAlloc(NULL, (SIZE_T)RESERVED, MEM_RESERVE, PAGE_READWRITE);

    if (block == NULL ||
        VirtualAlloc(block + RESERVED - COMMITTED, COMMITTED, MEM_COMMIT, PAGE_READONLY) == NULL) {
        fprintf(stderr, "huge_target: no memory: error %lu\n", GetLastError());
        return 1;
    }
    printf("huge_target is process %lu: block %#llx of %#llx\n", GetCurrentProcessId(),
           (unsigned long long)(uintptr_t)block, (unsigned long long)RESERVED);
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    return 0;
}
