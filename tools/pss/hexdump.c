/* SPDX-License-Identifier: MIT */
/* Bytes as text: lines of an address, 16 bytes in hexadecimal and the same in ASCII. */
#include "hexdump.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

static char *add_address(char *at, uint64_t address)
{
    for (size_t shift = sizeof(void *) * 8; shift != 0; shift -= 4)
        *at++ = digits[address >> (shift - 4) & 0xf];
    *at++ = ':';
    return at;
}

static char *add_byte(char *at, const unsigned char *byte)
{
    *at++ = byte != NULL ? digits[*byte >> 4] : ' ';
    *at++ = byte != NULL ? digits[*byte & 0xf] : ' ';
    return at;
}

void hexdump_line(uint64_t address, const unsigned char *bytes, size_t count, char *line)
{
    char *at = add_address(line, address);

    for (size_t i = 0; i < HEXDUMP_BYTES; i++) {
        if (i % 2 == 0)
            *at++ = ' ';
        at = add_byte(at, i < count ? &bytes[i] : NULL);
    }
    *at++ = ' ';
    *at++ = ' ';
    for (size_t i = 0; i < count; i++)
        *at++ = bytes[i] >= ' ' && bytes[i] <= '~' ? (char)bytes[i] : '.';
    *at++ = '\n';
    *at = '\0';
}

static void print_line(struct hexdump *dump, FILE *file)
{
    char line[HEXDUMP_SIZE];

    hexdump_line(dump->address, dump->bytes, dump->count, line);
    fputs(line, file);
    dump->address += dump->count;
    dump->count = 0;
}

void hexdump_add(struct hexdump *dump, const unsigned char *bytes, size_t size, FILE *file)
{
    while (size != 0) {
        size_t room = HEXDUMP_BYTES - dump->count;
        size_t taken = size < room ? size : room;

        memcpy(dump->bytes + dump->count, bytes, taken);
        dump->count += taken;
        bytes += taken;
        size -= taken;
        if (dump->count == HEXDUMP_BYTES)
            print_line(dump, file);
    }
}

void hexdump_end(struct hexdump *dump, FILE *file)
{
    if (dump->count != 0)
        print_line(dump, file);
}
