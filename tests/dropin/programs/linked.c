/* SPDX-License-Identifier: MIT */
/* A program that does not import the API itself, but links a DLL that does. */
#include <stdio.h>

__declspec(dllimport) int check_from_dll(void);

int main(void)
{
    int step = check_from_dll();

    if (step == 0)
        puts("works");
    return step;
}
