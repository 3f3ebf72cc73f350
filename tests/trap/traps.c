/* SPDX-License-Identifier: MIT */
/* The options of this directory do what they are for: each kind of mistake ends the program that
 * makes it. */
#include "harness.h"
#include "rerun.h"

#ifndef STATUS_ILLEGAL_INSTRUCTION
#define STATUS_ILLEGAL_INSTRUCTION ((DWORD)0xC000001D)
#endif

/* The compiler may not know these, or it would warn, or leave the mistake out. */
static volatile int big = INT32_MAX, one = 1, negative = -1, seven = 7;
static volatile uintptr_t nowhere, top = UINTPTR_MAX - 1;
static volatile double huge = 1e30;
static volatile int result;
static const char *volatile last;

struct row {
    int count;
    int values[1];
};

static void overflow(void)
{
    result = big + one;
}

static void shift(void)
{
    result = one << (seven * seven);
}

static void divide(void)
{
    result = one / (one + negative);
}

static void index_table(void)
{
    int values[4] = {1, 2, 3, 4};

    result = values[seven];
}

static void index_end(void)
{
    int bytes[8] = {0};
    struct row *row = (struct row *)bytes;

    result = row->values[one];
}

static void misalign(void)
{
    char bytes[16] = {0};
    const int *value = (const int *)(const void *)(bytes + one);

    /* One of the two is odd, wherever the array is. */
    result = value[0];
    value = (const int *)(const void *)(bytes + one + one);
    result = value[0];
}

static void follow_null(void)
{
    const struct row *row = (const struct row *)nowhere;

    result = row->count;
}

static void wrap_pointer(void)
{
    const char *bytes = (const char *)top;

    last = bytes + seven;
}

static void convert(void)
{
    result = (int)huge;
}

static void nothing(void)
{
    result = one + one;
}

static const struct {
    const char *name;
    void (*make)(void);
} mistakes[] = {
    {"overflow", overflow},       {"shift", shift},
    {"divide", divide},           {"index_table", index_table},
    {"index_end", index_end},     {"misalign", misalign},
    {"follow_null", follow_null}, {"wrap_pointer", wrap_pointer},
    {"convert", convert},         {"nothing", nothing},
};

#define MISTAKES (sizeof(mistakes) / sizeof(mistakes[0]))

static void test_mistake_of_each_kind_ends_the_program(void **state)
{
    (void)state;
    for (size_t i = 0; i + 1 < MISTAKES; i++) {
        print_message("%s\n", mistakes[i].name);
        assert_int_equal(rerun("--mistake", mistakes[i].name), STATUS_ILLEGAL_INSTRUCTION);
    }
}

static void test_no_mistake_ends_well(void **state)
{
    (void)state;
    assert_int_equal(rerun("--mistake", "nothing"), 0);
}

static int make_mistake(const char *name)
{
    SetErrorMode(SEM_NOGPFAULTERRORBOX);
    for (size_t i = 0; i < MISTAKES; i++)
        if (!strcmp(mistakes[i].name, name))
            mistakes[i].make();
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistake_of_each_kind_ends_the_program),
        cmocka_unit_test(test_no_mistake_ends_well),
    };

    if (argc == 3 && !strcmp(argv[1], "--mistake"))
        return make_mistake(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
