/* SPDX-License-Identifier: MIT */
/* A xorshift generator; quality enough to pick garbage. */
#include "random.h"

#include "harness.h"

static uint64_t random_state; /* 0 = not seeded yet */

void random_print(void)
{
    print_message("PSS_TEST_SEED=%llu\n", (unsigned long long)random_state);
}

void random_init(void)
{
    const char *given = getenv("PSS_TEST_SEED");

    random_state = given && *given ? strtoull(given, NULL, 0)
                                   : (uint64_t)GetTickCount64() << 20 | GetCurrentProcessId();
    if (!random_state)
        random_state = 1;
    random_print();
}

uint64_t random_step(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

uint64_t random_next(void)
{
    if (!random_state)
        random_init();
    return random_step(&random_state);
}

uint32_t random_below(uint32_t limit)
{
    return (uint32_t)(random_next() % limit);
}
