/* SPDX-License-Identifier: MIT */
/* One line for each kind that was counted, "tally: faults 123", at the exit of the program. */
#include "tally.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const names[TALLY_COUNT] = {
    [TALLY_CAPTURES] = "captures",
    [TALLY_FAULTS] = "faults",
    [TALLY_EVENTS] = "events",
    [TALLY_HOSTILE_TARGETS] = "hostile-targets",
};

static uint64_t counts[TALLY_COUNT];
static int is_registered;

static void print_counts(void)
{
    for (int i = 0; i < TALLY_COUNT; i++)
        if (counts[i])
            printf("tally: %s %llu\n", names[i], (unsigned long long)counts[i]);
    fflush(stdout);
}

void tally(enum tally what, uint64_t number)
{
    if (!__atomic_exchange_n(&is_registered, 1, __ATOMIC_RELAXED))
        atexit(print_counts);
    __atomic_fetch_add(&counts[what], number, __ATOMIC_RELAXED);
}
