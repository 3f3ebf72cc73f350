/* SPDX-License-Identifier: MIT */
/* Processes that overwrite their PEB, or what it leads to. After that they only make system calls.
 */
#include <string.h>

#include "hostile_become.h"

#include <winternl.h>

/* source: phnt ntpebteb.h; offsets of x64 and x86 */
#define WIDE           (sizeof(void *) == 8)
#define PEB_SIZE       (WIDE ? 0x7c8u : 0x480u)
#define PEB_IMAGE_BASE (WIDE ? 0x10u : 0x08u)
#define PEB_LDR        (WIDE ? 0x18u : 0x0cu)
#define PEB_PARAMETERS (WIDE ? 0x20u : 0x10u)
#define LDR_LISTS      (WIDE ? 0x10u : 0x0cu) /* three LIST_ENTRYs */
#define PARAMETERS_TEXTS \
    (WIDE ? 0x38u : 0x24u) /* current directory, DLL path, image, command line */
#define PARAMETERS_SIZE (WIDE ? 0x3f0u : 0x290u)
#define TEB64_SIZE      0x2000u /* bytes; it stands before the TEB of a 32-bit thread */
#define TEB64_SELF      0x30u
#define TEB64_PEB       0x60u
#define PEB64_SIZE      0x7c8u

static unsigned char *own_peb(void)
{
    return (unsigned char *)NtCurrentTeb()->ProcessEnvironmentBlock;
}

static void *read_pointer(const unsigned char *base, size_t offset)
{
    void *value;

    memcpy(&value, base + offset, sizeof(value));
    return value;
}

static void write_pointer(unsigned char *base, size_t offset, const void *value)
{
    memcpy(base + offset, &value, sizeof(value));
}

/* By volatile bytes: nothing here may call what needs a PEB. */
static void fill_with(void *memory, size_t size, unsigned char value)
{
    volatile unsigned char *bytes = (volatile unsigned char *)memory;

    for (size_t i = 0; i < size; i++)
        bytes[i] = value;
}

int become_peb_garbage(void)
{
    hostile_fill(own_peb(), PEB_SIZE);
    return 1;
}

int become_peb_zeros(void)
{
    fill_with(own_peb(), PEB_SIZE, 0);
    return 1;
}

int become_peb_selves(void)
{
    unsigned char *peb = own_peb();

    for (size_t offset = 0; offset + sizeof(void *) <= PEB_SIZE; offset += sizeof(void *))
        write_pointer(peb, offset, peb);
    return 1;
}

/* The 64-bit PEB of a 32-bit process tells something else than its 32-bit one. */
int become_peb_wide(void)
{
    uint64_t self, peb;
    const unsigned char *teb = (const unsigned char *)NtCurrentTeb() - TEB64_SIZE;

    if (WIDE || IsBadReadPtr(teb, TEB64_SIZE))
        return 0;
    memcpy(&self, teb + TEB64_SELF, sizeof(self));
    memcpy(&peb, teb + TEB64_PEB, sizeof(peb));
    if (self != (uintptr_t)teb || peb != (uintptr_t)peb || IsBadWritePtr((void *)(uintptr_t)peb, 1))
        return 0;
    hostile_fill((void *)(uintptr_t)peb, PEB64_SIZE);
    return 1;
}

int become_loader_null(void)
{
    write_pointer(own_peb(), PEB_LDR, NULL);
    return 1;
}

int become_loader_loop(void)
{
    unsigned char *lists = (unsigned char *)read_pointer(own_peb(), PEB_LDR) + LDR_LISTS;

    for (int i = 0; i < 3; i++) {
        LIST_ENTRY *first = ((LIST_ENTRY *)(void *)lists)[i].Flink;
        first->Flink = first->Blink = first;
    }
    return 1;
}

int become_loader_garbage(void)
{
    unsigned char *lists = (unsigned char *)read_pointer(own_peb(), PEB_LDR) + LDR_LISTS;

    hostile_fill(lists, 3 * sizeof(LIST_ENTRY));
    return 1;
}

int become_parameters_garbage(void)
{
    hostile_fill(read_pointer(own_peb(), PEB_PARAMETERS), PARAMETERS_SIZE);
    return 1;
}

/* Texts of the largest length that lead out of all memory. */
int become_parameters_long(void)
{
    unsigned char *texts =
        (unsigned char *)read_pointer(own_peb(), PEB_PARAMETERS) + PARAMETERS_TEXTS;
    UNICODE_STRING text = {0xfffe, 0xfffe, (WCHAR *)(uintptr_t)0x7ffdfffe};

    memcpy(texts, &text, sizeof(text));
    texts += sizeof(text) + sizeof(HANDLE);
    for (int i = 0; i < 3; i++)
        memcpy(texts + i * sizeof(text), &text, sizeof(text));
    return 1;
}

int become_image_base(void)
{
    write_pointer(own_peb(), PEB_IMAGE_BASE, (void *)(uintptr_t)0x12345001);
    return 1;
}
