/* SPDX-License-Identifier: MIT */
/* Turns sizes, times, addresses and UTF-16 strings into UTF-8 text for people. */
#ifndef PSS_TOOL_TEXT_H
#define PSS_TOOL_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include <windows.h>

/** A short text by value, so that a call fits into the arguments of printf: `text_size(n).s`. */
struct text {
    char s[80];
};

/** "512 B", "4.0 KiB", "1.2 GiB". */
struct text text_size(uint64_t bytes);

/** "0x" and as many hexadecimal digits as a pointer has. */
struct text text_address(const void *address);

/** A point in time in UTC, "2024-05-17 09:30:00.123", or "-" for 0. */
struct text text_time(FILETIME time);

/** The same to 100 ns as ISO 8601, "2024-05-17T09:30:00.1234567Z"; empty for 0. */
struct text text_iso_time(FILETIME time);

/** A duration in units of 100 ns as seconds, "1.250 s". */
struct text text_duration(FILETIME duration);

/** The 64-bit value of a FILETIME. */
uint64_t text_ticks(FILETIME time);

/**
 * Converts to UTF-8.
 *
 * \param string [in]  UTF-16, not necessarily terminated; NULL counts as empty.
 * \param count  [in]  Units of it, NULs included.
 * \param length [out] Optional: bytes of the result without its NUL.
 * \return Memory for free(); the program ends when there is none.
 */
char *text_from_wide(const WCHAR *string, size_t count, size_t *length);

/** Converts UTF-8 to a NUL-terminated UTF-16 string for free(). */
WCHAR *text_to_wide(const char *string);

/**
 * Prints to stdout. Each character that a terminal would obey is replaced, since names come from
 * foreign processes: control characters, and those that turn the direction of writing.
 */
void text_print_wide(const WCHAR *string, size_t count);

/** Replaces the same characters in UTF-8, which becomes no longer; other bytes stay. */
void text_clean(char *string);

/** Units before the NUL, at most \p limit. */
size_t text_length(const WCHAR *string, size_t limit);

/** malloc() that ends the program with a message when there is no memory. */
void *text_allocate(size_t size);

#endif
