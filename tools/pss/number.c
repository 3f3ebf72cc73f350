/* SPDX-License-Identifier: MIT */
/* Addresses and lengths as people write them. */
#include "number.h"

#include <string.h>

/** The value of a digit, or the base when it is none. */
static unsigned read_digit(char digit, unsigned base)
{
    unsigned value = base;

    if (digit >= '0' && digit <= '9')
        value = (unsigned)(digit - '0');
    else if (digit >= 'a' && digit <= 'f')
        value = (unsigned)(digit - 'a') + 10;
    else if (digit >= 'A' && digit <= 'F')
        value = (unsigned)(digit - 'A') + 10;
    return value < base ? value : base;
}

/**
 * Reads the digits.
 *
 * \return Where they end, or NULL: there is none, or they are too many.
 */
static const char *read_digits(const char *text, uint64_t *value)
{
    unsigned base = 10;
    uint64_t sum = 0;
    const char *digit = text;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        digit = text += 2;
    }
    for (; read_digit(*digit, base) < base; digit++) {
        unsigned next = read_digit(*digit, base);
        if (sum > (UINT64_MAX - next) / base)
            return NULL;
        sum = sum * base + next;
    }
    *value = sum;
    return digit != text ? digit : NULL;
}

/** The factor of a suffix, 0 for one that is unknown. */
static uint64_t read_suffix(const char *suffix)
{
    static const char *const letters = "KkMmGg";
    const char *found;

    if (suffix[0] == '\0')
        return 1;
    found = strchr(letters, suffix[0]);
    if (found == NULL || suffix[1] != '\0')
        return 0;
    return UINT64_C(1024) << (found - letters) / 2 * 10;
}

int number_read(const char *text, uint64_t *value)
{
    uint64_t number;
    const char *end = read_digits(text, &number);

    if (end == NULL || *end != '\0')
        return 0;
    *value = number;
    return 1;
}

int number_read_size(const char *text, uint64_t *value)
{
    uint64_t number;
    const char *end = read_digits(text, &number);
    uint64_t factor = end != NULL ? read_suffix(end) : 0;

    if (factor == 0 || number > UINT64_MAX / factor)
        return 0;
    *value = number * factor;
    return 1;
}

int number_is_range(uint64_t address, uint64_t length, uint64_t last)
{
    return length != 0 && address <= last && length - 1 <= last - address;
}
