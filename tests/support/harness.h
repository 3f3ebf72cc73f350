/* SPDX-License-Identifier: MIT */
/* What every test file includes: cmocka with the headers it needs, and the API's declarations. */
#ifndef PSS_HARNESS_H
#define PSS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <windows.h>

#include <cmocka.h>

#include "pss.h"

/** Compares two values of any integer type, 64 bits wide, and prints them in full. */
#define assert_same(actual, expected) \
    assert_int_equal((LargestIntegralType)(actual), (LargestIntegralType)(expected))

/** A pointer as a number, so that pointers and reported addresses compare. */
#define address_of(pointer) ((uint64_t)(uintptr_t)(pointer))

/** A FILETIME as one number. */
static inline uint64_t filetime_value(FILETIME time)
{
    return (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime;
}

#endif
