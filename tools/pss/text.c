/* SPDX-License-Identifier: MIT */
/* Turns sizes, times, addresses and UTF-16 strings into UTF-8 text for people. */
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "report.h"

#define TICKS_PER_SECOND 10000000u

struct text text_size(uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    struct text text;
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1024.0 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1024.0;
        unit++;
    }
    snprintf(text.s, sizeof text.s, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return text;
}

struct text text_address(const void *address)
{
    struct text text;

    snprintf(text.s, sizeof text.s, "0x%0*" PRIx64, (int)sizeof(void *) * 2,
             (uint64_t)(uintptr_t)address);
    return text;
}

uint64_t text_ticks(FILETIME time)
{
    return (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime;
}

struct text text_time(FILETIME time)
{
    struct text text = {"-"};
    SYSTEMTIME utc;

    if (text_ticks(time) != 0 && FileTimeToSystemTime(&time, &utc))
        snprintf(text.s, sizeof text.s, "%04u-%02u-%02u %02u:%02u:%02u.%03u", (unsigned)utc.wYear,
                 (unsigned)utc.wMonth, (unsigned)utc.wDay, (unsigned)utc.wHour,
                 (unsigned)utc.wMinute, (unsigned)utc.wSecond, (unsigned)utc.wMilliseconds);
    return text;
}

struct text text_iso_time(FILETIME time)
{
    struct text text = text_time(time);

    if (text.s[0] == '-') {
        text.s[0] = '\0';
        return text;
    }
    text.s[10] = 'T';
    snprintf(text.s + 20, sizeof text.s - 20, "%07uZ",
             (unsigned)(text_ticks(time) % TICKS_PER_SECOND));
    return text;
}

struct text text_duration(FILETIME duration)
{
    struct text text;
    uint64_t milliseconds = text_ticks(duration) / (TICKS_PER_SECOND / 1000);

    snprintf(text.s, sizeof text.s, "%" PRIu64 ".%03u s", milliseconds / 1000,
             (unsigned)(milliseconds % 1000));
    return text;
}

void *text_allocate(size_t size)
{
    void *memory = malloc(size != 0 ? size : 1);

    if (memory == NULL)
        report_out_of_memory();
    return memory;
}

char *text_from_wide(const WCHAR *string, size_t count, size_t *length)
{
    int size = 0;
    char *result;

    if (string != NULL && count != 0 && count < INT_MAX)
        size = WideCharToMultiByte(CP_UTF8, 0, string, (int)count, NULL, 0, NULL, NULL);
    result = text_allocate((size_t)size + 1);
    if (size != 0)
        size = WideCharToMultiByte(CP_UTF8, 0, string, (int)count, result, size, NULL, NULL);
    result[size] = '\0';
    if (length != NULL)
        *length = (size_t)size;
    return result;
}

WCHAR *text_to_wide(const char *string)
{
    int size = MultiByteToWideChar(CP_UTF8, 0, string, -1, NULL, 0);
    WCHAR *result = text_allocate(((size_t)size + 1) * sizeof *result);

    if (size != 0)
        size = MultiByteToWideChar(CP_UTF8, 0, string, -1, result, size);
    result[size] = L'\0';
    return result;
}

/* source: unicode.org, UAX #9, table 2: what turns the direction; a name in a right-to-left script
 * needs none of them */
static int turns_direction(unsigned character)
{
    return character == 0x61c || character == 0x200e || character == 0x200f ||
           (character >= 0x202a && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069);
}

static int is_control(unsigned character)
{
    return character < 0x20 || (character >= 0x7f && character < 0xa0) ||
           turns_direction(character);
}

/** The character at a place, of two or three bytes at most: those that count have no more.
 *
 * \return Its bytes; 1 for all others. */
static size_t decode(const unsigned char *bytes, unsigned *character)
{
    *character = bytes[0];
    if (bytes[0] >= 0xc2 && bytes[0] < 0xe0 && (bytes[1] & 0xc0) == 0x80) {
        *character = (bytes[0] & 0x1fu) << 6 | (bytes[1] & 0x3fu);
        return 2;
    }
    if (bytes[0] >= 0xe0 && bytes[0] < 0xf0 && (bytes[1] & 0xc0) == 0x80 &&
        (bytes[2] & 0xc0) == 0x80) {
        *character = (bytes[0] & 0x0fu) << 12 | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu);
        return 3;
    }
    if (bytes[0] >= 0x80)
        *character = 0xfffd; /* part of a longer one, or of none */
    return 1;
}

void text_clean(char *string)
{
    char *end = string;

    while (*string != '\0') {
        unsigned character;
        size_t size = decode((const unsigned char *)string, &character);

        if (is_control(character)) {
            *end++ = '?';
            string += size;
            continue;
        }
        while (size-- > 0)
            *end++ = *string++;
    }
    *end = '\0';
}

void text_print_wide(const WCHAR *string, size_t count)
{
    WCHAR *clean;
    char *utf8;

    if (string == NULL || count == 0)
        return;
    clean = text_allocate(count * sizeof *clean);
    for (size_t i = 0; i < count; i++)
        clean[i] = is_control(string[i]) ? L'?' : string[i];
    utf8 = text_from_wide(clean, count, NULL);
    fputs(utf8, stdout);
    free(utf8);
    free(clean);
}

size_t text_length(const WCHAR *string, size_t limit)
{
    size_t length = 0;

    while (length < limit && string[length] != L'\0')
        length++;
    return length;
}
