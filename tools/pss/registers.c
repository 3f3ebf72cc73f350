/* SPDX-License-Identifier: MIT */
/* The registers of a CONTEXT as a table, the same for text and JSON. */
#include "registers.h"

#include <stdio.h>
#include <string.h>

/* source: learn.microsoft.com/windows/win32/debug/working-with-xstate-context */
#define XSTATE_FEATURE_AVX 2u

#define AT(field) offsetof(CONTEXT, field), sizeof(((CONTEXT *)0)->field)
#define INTEGER(name, field, needs)               \
    {                                             \
        name, AT(field), needs, REGISTERS_INTEGER \
    }
#define DEBUG(name, field)                                        \
    {                                                             \
        name, AT(field), CONTEXT_DEBUG_REGISTERS, REGISTERS_DEBUG \
    }
#define FLOAT(name, field)                                       \
    {                                                            \
        name, AT(field), CONTEXT_FLOATING_POINT, REGISTERS_FLOAT \
    }

/* clang-format off */
const struct register_info registers[] = {
#ifdef _WIN64
#define XMM(index) FLOAT("xmm" #index, FltSave.XmmRegisters[index])
    INTEGER("rax", Rax, CONTEXT_INTEGER),
    INTEGER("rbx", Rbx, CONTEXT_INTEGER),
    INTEGER("rcx", Rcx, CONTEXT_INTEGER),
    INTEGER("rdx", Rdx, CONTEXT_INTEGER),
    INTEGER("rsi", Rsi, CONTEXT_INTEGER),
    INTEGER("rdi", Rdi, CONTEXT_INTEGER),
    INTEGER("rbp", Rbp, CONTEXT_INTEGER),
    INTEGER("rsp", Rsp, CONTEXT_CONTROL),
    INTEGER("r8", R8, CONTEXT_INTEGER),
    INTEGER("r9", R9, CONTEXT_INTEGER),
    INTEGER("r10", R10, CONTEXT_INTEGER),
    INTEGER("r11", R11, CONTEXT_INTEGER),
    INTEGER("r12", R12, CONTEXT_INTEGER),
    INTEGER("r13", R13, CONTEXT_INTEGER),
    INTEGER("r14", R14, CONTEXT_INTEGER),
    INTEGER("r15", R15, CONTEXT_INTEGER),
    INTEGER("rip", Rip, CONTEXT_CONTROL),
    INTEGER("eflags", EFlags, CONTEXT_CONTROL),
#else
/* The FXSAVE image in ExtendedRegisters has the XMM registers at byte 160. */
#define XMM(index)                                                                                 \
    {"xmm" #index, offsetof(CONTEXT, ExtendedRegisters) + 160 + 16 * (index), 16,                  \
     CONTEXT_EXTENDED_REGISTERS, REGISTERS_FLOAT}
    INTEGER("eax", Eax, CONTEXT_INTEGER),
    INTEGER("ebx", Ebx, CONTEXT_INTEGER),
    INTEGER("ecx", Ecx, CONTEXT_INTEGER),
    INTEGER("edx", Edx, CONTEXT_INTEGER),
    INTEGER("esi", Esi, CONTEXT_INTEGER),
    INTEGER("edi", Edi, CONTEXT_INTEGER),
    INTEGER("ebp", Ebp, CONTEXT_CONTROL),
    INTEGER("esp", Esp, CONTEXT_CONTROL),
    INTEGER("eip", Eip, CONTEXT_CONTROL),
    INTEGER("eflags", EFlags, CONTEXT_CONTROL),
#endif
    INTEGER("cs", SegCs, CONTEXT_CONTROL),
    INTEGER("ss", SegSs, CONTEXT_CONTROL),
    INTEGER("ds", SegDs, CONTEXT_SEGMENTS),
    INTEGER("es", SegEs, CONTEXT_SEGMENTS),
    INTEGER("fs", SegFs, CONTEXT_SEGMENTS),
    INTEGER("gs", SegGs, CONTEXT_SEGMENTS),
    DEBUG("dr0", Dr0),
    DEBUG("dr1", Dr1),
    DEBUG("dr2", Dr2),
    DEBUG("dr3", Dr3),
    DEBUG("dr6", Dr6),
    DEBUG("dr7", Dr7),
#ifdef _WIN64
    FLOAT("mxcsr", MxCsr),
    FLOAT("fpu control", FltSave.ControlWord),
    FLOAT("fpu status", FltSave.StatusWord),
    FLOAT("st0", FltSave.FloatRegisters[0]),
    FLOAT("st1", FltSave.FloatRegisters[1]),
    FLOAT("st2", FltSave.FloatRegisters[2]),
    FLOAT("st3", FltSave.FloatRegisters[3]),
    FLOAT("st4", FltSave.FloatRegisters[4]),
    FLOAT("st5", FltSave.FloatRegisters[5]),
    FLOAT("st6", FltSave.FloatRegisters[6]),
    FLOAT("st7", FltSave.FloatRegisters[7]),
#else
#define ST(index)                                                                                  \
    {"st" #index, offsetof(CONTEXT, FloatSave.RegisterArea) + 10 * (index), 10,                    \
     CONTEXT_FLOATING_POINT, REGISTERS_FLOAT}
    FLOAT("fpu control", FloatSave.ControlWord),
    FLOAT("fpu status", FloatSave.StatusWord),
    ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7),
#endif
    XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7),
#ifdef _WIN64
    XMM(8), XMM(9), XMM(10), XMM(11), XMM(12), XMM(13), XMM(14), XMM(15),
#endif
};
/* clang-format on */

const size_t registers_count = sizeof registers / sizeof registers[0];

int registers_has(const CONTEXT *context, const struct register_info *info)
{
    return (context->ContextFlags & info->needs) == info->needs;
}

struct register_text registers_value(const CONTEXT *context, const struct register_info *info)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = (const unsigned char *)context + info->offset;
    struct register_text text = {"0x"};
    char *end = text.s + 2;

    for (size_t i = info->size; i > 0; i--) {
        *end++ = digits[bytes[i - 1] >> 4];
        *end++ = digits[bytes[i - 1] & 0xf];
    }
    return text;
}

int registers_is_zero(const CONTEXT *context, const struct register_info *info)
{
    static const unsigned char zeros[REGISTERS_MAX_SIZE];

    return memcmp((const unsigned char *)context + info->offset, zeros, info->size) == 0;
}

/** An optional function of kernel32, Windows 7 SP1 and later. */
static FARPROC find(const char *name)
{
    HMODULE kernel = GetModuleHandleW(L"kernel32.dll");

    return kernel != NULL ? GetProcAddress(kernel, name) : NULL;
}

DWORD64 registers_features(CONTEXT *context, size_t size)
{
    typedef BOOL(WINAPI * get_mask)(PCONTEXT, PDWORD64);
    get_mask get = (get_mask)(void (*)(void))find("GetXStateFeaturesMask");
    DWORD64 mask = 0;

    if (size <= sizeof *context || get == NULL || !get(context, &mask))
        return 0;
    return mask;
}

const unsigned char *registers_ymm_high(CONTEXT *context, size_t size, unsigned index)
{
    typedef PVOID(WINAPI * locate_feature)(PCONTEXT, DWORD, PDWORD);
    locate_feature locate = (locate_feature)(void (*)(void))find("LocateXStateFeature");
    const unsigned char *start = (const unsigned char *)context;
    const unsigned char *found;
    DWORD length = 0;

    if (size <= sizeof *context || locate == NULL)
        return NULL;
    found = locate(context, XSTATE_FEATURE_AVX, &length);
    if (found == NULL || found < start || (size_t)(found - start) > size ||
        length > size - (size_t)(found - start) || length < 16u * (index + 1))
        return NULL;
    return found + (size_t)16 * index;
}
