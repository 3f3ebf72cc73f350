/* SPDX-License-Identifier: MIT */
/* A program that counts its memory that can be written to and executed; with an argument it uses
 * the API first, from itself and from a DLL that it loads. */
#include <stdio.h>

#include "check.h"

static unsigned count_regions(void)
{
    MEMORY_BASIC_INFORMATION region;
    const char *address = NULL;
    unsigned count = 0;

    while (VirtualQuery(address, &region, sizeof region)) {
        if (region.State == MEM_COMMIT &&
            (region.Protect & (PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY)) != 0)
            count++;
        address = (const char *)region.BaseAddress + region.RegionSize;
    }
    return count;
}

int main(int argc, char **argv)
{
    if (argc > 1 && (check_snapshot(&imported_functions) != 0 || LoadLibraryA(argv[1]) == NULL))
        return 1;
    printf("writable and executable: %u\n", count_regions());
    if (argc > 1)
        puts("works");
    return 0;
}
