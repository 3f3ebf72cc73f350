/* SPDX-License-Identifier: MIT */
/* A program that imports the API; from where, and when it is bound, the linker decides. */
#include <stdio.h>

#include "check.h"

#ifdef WITH_ANOTHER_IMPORT
static int others_work(void)
{
    BOOL in_job;

    return IsProcessInJob(GetCurrentProcess(), NULL, &in_job) &&
           GetThreadPriority(GetCurrentThread()) == THREAD_PRIORITY_NORMAL;
}
#endif

int main(void)
{
    int step;

#ifdef WITH_ANOTHER_IMPORT
    if (!others_work())
        return 9;
#endif
    step = check_snapshot(&imported_functions);
    if (step == 0)
        puts("works");
    return step;
}
