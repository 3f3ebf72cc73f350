/* SPDX-License-Identifier: MIT */
/* The checksum in the optional header of a PE file. */
#include "pe_checksum.h"

static uint64_t sum_words(const uint8_t *bytes, size_t from, size_t to)
{
    uint64_t sum = 0;

    for (size_t i = from; i < to; i++)
        sum += (uint64_t)bytes[i] << (i % 2 != 0 ? 8 : 0);
    return sum;
}

uint32_t pe_checksum(const uint8_t *bytes, size_t size, size_t field)
{
    uint64_t sum = sum_words(bytes, 0, field) + sum_words(bytes, field + 4, size);

    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)(sum + size);
}
