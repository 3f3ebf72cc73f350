/* SPDX-License-Identifier: MIT */
/* A function that writes beyond its stack's buffer ends pss.exe, whose guards are other numbers
 * each time. */
#include "harness.h"
#include "rerun.h"

#define STACK_BUFFER_OVERRUN 0xC0000409u
#define RUNS                 4

extern uintptr_t __stack_chk_guard;

/* The compiler may not know how many. */
static volatile size_t count = 8;

static void __attribute__((noinline)) fill(volatile char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = 'x';
}

static int __attribute__((noinline)) use_buffer(size_t size)
{
    volatile char bytes[16];

    fill(bytes, size);
    return bytes[7];
}

static void test_overrun_ends_the_program(void **state)
{
    (void)state;
    assert_int_equal(rerun("--do", "overrun"), STACK_BUFFER_OVERRUN);
}

static void test_buffer_within_its_bounds_harms_nobody(void **state)
{
    (void)state;
    assert_int_equal(rerun("--do", "fit"), 'x');
}

static void test_guard_is_another_one_each_time(void **state)
{
    DWORD first = rerun("--do", "tell"), others = 0;

    (void)state;
    assert_int_not_equal(first, 0);
    for (int i = 1; i < RUNS; i++)
        others += rerun("--do", "tell") != first;
    assert_int_not_equal(others, 0);
}

/* The middle of the guard; 0 where its lowest byte would not end a text. */
static int tell_guard(void)
{
    return __stack_chk_guard & 0xFF ? 0 : (int)(__stack_chk_guard >> 8 & 0xFFFFFF);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overrun_ends_the_program),
        cmocka_unit_test(test_buffer_within_its_bounds_harms_nobody),
        cmocka_unit_test(test_guard_is_another_one_each_time),
    };

    if (argc != 3)
        return cmocka_run_group_tests(tests, NULL, NULL);
    if (!strcmp(argv[2], "tell"))
        return tell_guard();
    return use_buffer(strcmp(argv[2], "overrun") ? count : count * 8);
}
