/* SPDX-License-Identifier: MIT */
/* Prints a crash: everything comes from the report and the snapshot. */
#include "crash_print.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define STACK_WORDS 64

/* The registers of a CONTEXT, which may be that of the other architecture. */
struct place {
    const char *name;
    uint32_t offset; /* bytes */
};

enum { INSTRUCTION_POINTER, STACK_POINTER };

static const struct place places_x64[] = {
    {"rip", 0xf8}, {"rsp", 0x98}, {"rbp", 0xa0}, {"rax", 0x78}, {"rbx", 0x90}, {"rcx", 0x80},
    {"rdx", 0x88}, {"rsi", 0xa8}, {"rdi", 0xb0}, {"r8", 0xb8},  {"r9", 0xc0},  {"r10", 0xc8},
    {"r11", 0xd0}, {"r12", 0xd8}, {"r13", 0xe0}, {"r14", 0xe8}, {"r15", 0xf0}, {NULL, 0},
};

static const struct place places_x86[] = {
    {"eip", 0xb8}, {"esp", 0xc4}, {"ebp", 0xb4}, {"eax", 0xb0}, {"ebx", 0xa4},
    {"ecx", 0xac}, {"edx", 0xa8}, {"esi", 0xa0}, {"edi", 0x9c}, {NULL, 0},
};

#define CONTEXT_SIZE_X86 716 /* bytes; it holds all the places of either table */

#ifdef _WIN64
_Static_assert(offsetof(CONTEXT, Rip) == 0xf8 && offsetof(CONTEXT, Rsp) == 0x98, "CONTEXT of x64");
#else
_Static_assert(offsetof(CONTEXT, Eip) == 0xb8 && offsetof(CONTEXT, Esp) == 0xc4, "CONTEXT of x86");
#endif

struct crash {
    const struct crash_report *report;
    HPSS snapshot;
    HPSSWALK regions; /* keeps the names of the regions alive */
    const struct place *places;
    int width; /* digits of an address */
};

static uint64_t read_word(const struct crash *crash, const void *bytes)
{
    uint64_t word = 0;

    memcpy(&word, bytes, crash->report->pointer_size);
    return word;
}

static uint64_t read_register(const struct crash *crash, const void *context, int index)
{
    return read_word(crash, (const char *)context + crash->places[index].offset);
}

/*
 * Finds the region that an address is in, unless it is free. In a 32-bit handler the regions of a
 * 64-bit program have the low halves of their addresses only, and so has what is compared with
 * them.
 */
static int find_region(const struct crash *crash, uint64_t address, PSS_VA_SPACE_ENTRY *region)
{
    PssWalkMarkerSeekToBeginning(crash->regions);
    while (PssWalkSnapshot(crash->snapshot, PSS_WALK_VA_SPACE, crash->regions, region,
                           sizeof *region) == ERROR_SUCCESS) {
        if (region->State != MEM_FREE &&
            (ULONG_PTR)address - (ULONG_PTR)region->BaseAddress < region->RegionSize)
            return 1;
    }
    return 0;
}

/* Prints the module that an address lies in, if it does. */
static void print_place(const struct crash *crash, uint64_t address)
{
    PSS_VA_SPACE_ENTRY region;
    const WCHAR *name;

    if (!find_region(crash, address, &region) || region.Type != MEM_IMAGE ||
        region.MappedFileName == NULL)
        return;
    name = wcsrchr(region.MappedFileName, L'\\');
    printf("  %ls+%#llx", name != NULL ? name + 1 : region.MappedFileName,
           (unsigned long long)((ULONG_PTR)address - (ULONG_PTR)region.AllocationBase));
}

static void print_exception(const struct crash *crash)
{
    const struct crash_report *report = crash->report;

    printf("Exception %08x at %0*llx", report->exception_code, crash->width,
           (unsigned long long)report->exception_address);
    print_place(crash, report->exception_address);
    printf("\n\nRegisters\n");
    for (int i = 0; crash->places[i].name != NULL; i++)
        printf("  %-3s %0*llx\n", crash->places[i].name, crash->width,
               (unsigned long long)read_register(crash, report->context, i));
}

static void print_thread(const struct crash *crash, const PSS_THREAD_ENTRY *thread)
{
    uint64_t address;

    printf("  %5lu", thread->ThreadId);
    if (thread->SizeOfContextRecord >= CONTEXT_SIZE_X86) { /* One that has ended has none. */
        address = read_register(crash, thread->ContextRecord, INSTRUCTION_POINTER);
        printf("  ip %0*llx  sp %0*llx", crash->width, (unsigned long long)address, crash->width,
               (unsigned long long)read_register(crash, thread->ContextRecord, STACK_POINTER));
        print_place(crash, address);
    }
    printf("%s\n", thread->ThreadId == crash->report->thread_id ? "  crashed" : "");
}

static DWORD print_threads(const struct crash *crash)
{
    PSS_THREAD_ENTRY thread;
    HPSSWALK walk;
    DWORD error = PssWalkMarkerCreate(NULL, &walk);

    if (error != ERROR_SUCCESS)
        return error;
    printf("\nThreads, as captured\n");
    while ((error = PssWalkSnapshot(crash->snapshot, PSS_WALK_THREADS, walk, &thread,
                                    sizeof thread)) == ERROR_SUCCESS)
        print_thread(crash, &thread);
    PssWalkMarkerFree(walk);
    return error == ERROR_NO_MORE_ITEMS ? ERROR_SUCCESS : error;
}

/* One word per line, with its module if it points into one: return addresses among others. */
static void print_words(const struct crash *crash, uint64_t address, const char *bytes, SIZE_T size)
{
    SIZE_T word_size = crash->report->pointer_size;

    for (SIZE_T offset = 0; offset + word_size <= size; offset += word_size) {
        uint64_t word = read_word(crash, bytes + offset);

        printf("  %0*llx  %0*llx", crash->width, (unsigned long long)(address + offset),
               crash->width, (unsigned long long)word);
        print_place(crash, word);
        printf("\n");
    }
}

/*
 * Tells how much of the stack to read, and moves the address to where that begins: after an
 * overflow the stack pointer may be in the guard page, or in the reserve below it.
 */
static SIZE_T find_stack(const struct crash *crash, uint64_t *address)
{
    PSS_VA_SPACE_ENTRY region;
    SIZE_T left, most = STACK_WORDS * (SIZE_T)crash->report->pointer_size;

    for (int skipped = 0; skipped < 3 && find_region(crash, *address, &region); skipped++) {
        left = region.RegionSize - ((ULONG_PTR)*address - (ULONG_PTR)region.BaseAddress);
        if (region.State == MEM_COMMIT && (region.Protect & PAGE_GUARD) == 0)
            return left < most ? left : most;
        *address += left;
    }
    return 0;
}

static DWORD print_stack(const struct crash *crash, HANDLE program)
{
    uint64_t address = read_register(crash, crash->report->context, STACK_POINTER);
    char bytes[STACK_WORDS * sizeof(uint64_t)];
    PSS_VA_CLONE_INFORMATION clone = {program};
    SIZE_T size = find_stack(crash, &address);
    DWORD error =
        PssQuerySnapshot(crash->snapshot, PSS_QUERY_VA_CLONE_INFORMATION, &clone, sizeof clone);

    if (error != ERROR_SUCCESS && error != ERROR_NOT_FOUND)
        return error;
    printf("\nStack of thread %u, from the %s\n", crash->report->thread_id,
           error == ERROR_SUCCESS ? "clone" : "program");
    if (address > UINTPTR_MAX)
        printf("  %llx is out of reach of a 32-bit handler\n", (unsigned long long)address);
    else if (!ReadProcessMemory(clone.VaCloneHandle, (const void *)(uintptr_t)address, bytes, size,
                                NULL))
        return GetLastError();
    else
        print_words(crash, address, bytes, size);
    return ERROR_SUCCESS;
}

DWORD crash_print(const struct crash_report *report, HPSS snapshot, HANDLE program)
{
    struct crash crash = {.report = report, .snapshot = snapshot};
    DWORD error;

    if (report->pointer_size != 4 && report->pointer_size != 8)
        return ERROR_INVALID_DATA;
    crash.places = report->pointer_size == 4 ? places_x86 : places_x64;
    crash.width = 2 * (int)report->pointer_size;
    error = PssWalkMarkerCreate(NULL, &crash.regions);
    if (error != ERROR_SUCCESS)
        return error;
    print_exception(&crash);
    error = print_threads(&crash);
    if (error == ERROR_SUCCESS)
        error = print_stack(&crash, program);
    PssWalkMarkerFree(crash.regions);
    return error;
}
