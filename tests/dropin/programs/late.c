/* SPDX-License-Identifier: MIT */
/* A program that loads a DLL which imports the API: late DLL [FLAGS]. */
#include <stdio.h>
#include <stdlib.h>

#include <windows.h>

int main(int argc, char **argv)
{
    DWORD flags = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;
    HMODULE library = argc > 1 ? LoadLibraryExA(argv[1], NULL, flags) : NULL;
    int (*check)(void);
    int step;

    if (library == NULL)
        return 9;
    check = (int (*)(void))(void (*)(void))GetProcAddress(library, "check_from_dll");
    step = check != NULL ? check() : 8;
    if (step == 0)
        puts("works");
    return step;
}
