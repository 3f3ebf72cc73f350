/* SPDX-License-Identifier: MIT */
/* A program that uses the API of kernel32 and has a pss.dll of its own, which has nothing to do
 * with it: it imports that one, or with LATE only loads it. */
#include <stdio.h>

#include "check.h"

typedef int answer_function(void);

#ifndef LATE
__declspec(dllimport) int own_answer(void);
#endif

/* By its name alone, as any program has its DLLs. */
static answer_function *find_answer(void)
{
    HMODULE own = LoadLibraryA("pss.dll");

    return own != NULL ? (answer_function *)(INT_PTR)GetProcAddress(own, "own_answer") : NULL;
}

int main(void)
{
    answer_function *found = find_answer();
    int step;

    if (found == NULL || found() != 1234)
        return 20;
#ifndef LATE
    if (own_answer() != 1234)
        return 21;
#endif
    step = check_snapshot(&imported_functions);
    if (step == 0)
        puts("works");
    return step;
}
