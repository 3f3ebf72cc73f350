/* SPDX-License-Identifier: MIT */
/* The registers of a CONTEXT as a table, the same for text and JSON. */
#ifndef PSS_TOOL_REGISTERS_H
#define PSS_TOOL_REGISTERS_H

#include <stddef.h>

#include <windows.h>

/** How a register is shown. */
enum register_group {
    REGISTERS_INTEGER, /* general-purpose, instruction pointer, flags and segments */
    REGISTERS_DEBUG,
    REGISTERS_FLOAT /* x87 and vector registers */
};

struct register_info {
    const char *name;
    size_t offset; /* bytes into the CONTEXT */
    size_t size;   /* bytes, at most REGISTERS_MAX_SIZE */
    DWORD needs;   /* CONTEXT_* bits that say it was captured */
    enum register_group group;
};

#define REGISTERS_MAX_SIZE 16

extern const struct register_info registers[];
extern const size_t registers_count;

/** A register's value: "0x" and two hexadecimal digits per byte, the highest byte first. */
struct register_text {
    char s[2 + 2 * REGISTERS_MAX_SIZE + 1];
};

/** Whether the context has the register. */
int registers_has(const CONTEXT *context, const struct register_info *info);

struct register_text registers_value(const CONTEXT *context, const struct register_info *info);

/** Whether all its bytes are 0. */
int registers_is_zero(const CONTEXT *context, const struct register_info *info);

/**
 * The extended features (XSTATE_MASK_*) that a context record holds.
 *
 * \param context [in] As a walk returned it.
 * \param size    [in] SizeOfContextRecord.
 * \return The mask; 0 for a plain CONTEXT, or where the system cannot tell.
 */
DWORD64 registers_features(CONTEXT *context, size_t size);

/** The upper half of a YMM register, 16 bytes, or NULL when the record does not have it. */
const unsigned char *registers_ymm_high(CONTEXT *context, size_t size, unsigned index);

#endif
