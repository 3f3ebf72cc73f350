/* SPDX-License-Identifier: MIT */
/* Handles, what their objects are, and how many there are of each type, as text. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"
#include "text.h"
#include "words.h"

#define MAX_TYPES      64
#define MAX_TYPE_UNITS 24

/** How many handles there are of a type. */
struct type_count {
    WCHAR name[MAX_TYPE_UNITS];
    size_t length;
    unsigned long handles;
};

struct totals {
    struct type_count types[MAX_TYPES];
    size_t count;
    unsigned long others; /* handles of types that did not fit */
};

/** The type's name, cut to what a column holds, or "?"; \p length is never 0. */
static const WCHAR *find_type_name(const PSS_HANDLE_ENTRY *h, size_t *length)
{
    *length = h->TypeName != NULL ? h->TypeNameLength / sizeof(WCHAR) : 0;
    if (*length == 0) {
        *length = 1;
        return L"?";
    }
    if (*length > MAX_TYPE_UNITS)
        *length = MAX_TYPE_UNITS;
    return h->TypeName;
}

static void count_type(struct totals *totals, const PSS_HANDLE_ENTRY *h)
{
    size_t length;
    const WCHAR *name = find_type_name(h, &length);
    size_t i = 0;

    while (i < totals->count &&
           (totals->types[i].length != length || wcsncmp(totals->types[i].name, name, length) != 0))
        i++;
    if (i == MAX_TYPES) {
        totals->others++;
        return;
    }
    if (i == totals->count) {
        memcpy(totals->types[i].name, name, length * sizeof *name);
        totals->types[i].length = length;
        totals->count++;
    }
    totals->types[i].handles++;
}

static int compare_types(const void *left, const void *right)
{
    const struct type_count *a = left;
    const struct type_count *b = right;

    return (a->handles < b->handles) - (a->handles > b->handles);
}

static void print_totals(struct totals *totals)
{
    puts("\n  By type");
    qsort(totals->types, totals->count, sizeof totals->types[0], compare_types);
    for (size_t i = 0; i < totals->count; i++) {
        printf("  %8lu  ", totals->types[i].handles);
        text_print_wide(totals->types[i].name, totals->types[i].length);
        putchar('\n');
    }
    if (totals->others != 0)
        printf("  %8lu  others\n", totals->others);
}

static void print_mutant(const PSS_HANDLE_ENTRY *h)
{
    printf("  [count %ld", h->TypeSpecificInformation.Mutant.CurrentCount);
    if (h->TypeSpecificInformation.Mutant.Abandoned)
        fputs(", abandoned", stdout);
    if (h->TypeSpecificInformation.Mutant.OwnerThreadId != 0)
        printf(", owned by thread %lu of process %lu",
               h->TypeSpecificInformation.Mutant.OwnerThreadId,
               h->TypeSpecificInformation.Mutant.OwnerProcessId);
    putchar(']');
}

static void print_section_object(const PSS_HANDLE_ENTRY *h)
{
    printf("  [%s, %s",
           text_size((uint64_t)h->TypeSpecificInformation.Section.MaximumSize.QuadPart).s,
           words_section(h->TypeSpecificInformation.Section.AllocationAttributes).s);
    if (h->TypeSpecificInformation.Section.BaseAddress != NULL)
        printf(", base %s", text_address(h->TypeSpecificInformation.Section.BaseAddress).s);
    putchar(']');
}

static void print_process_object(const PSS_HANDLE_ENTRY *h)
{
    printf("  [process %lu", h->TypeSpecificInformation.Process.ProcessId);
    if (h->TypeSpecificInformation.Process.ExitStatus != STILL_ACTIVE)
        printf(", ended with 0x%lX", h->TypeSpecificInformation.Process.ExitStatus);
    printf(", parent %lu, priority %ld, PEB %s]",
           h->TypeSpecificInformation.Process.ParentProcessId,
           h->TypeSpecificInformation.Process.BasePriority,
           text_address(h->TypeSpecificInformation.Process.PebBaseAddress).s);
}

static void print_thread_object(const PSS_HANDLE_ENTRY *h)
{
    printf("  [thread %lu of process %lu", h->TypeSpecificInformation.Thread.ThreadId,
           h->TypeSpecificInformation.Thread.ProcessId);
    if (h->TypeSpecificInformation.Thread.ExitStatus != STILL_ACTIVE)
        printf(", ended with 0x%lX", h->TypeSpecificInformation.Thread.ExitStatus);
    printf(", priority %d, start %s]", h->TypeSpecificInformation.Thread.Priority,
           text_address(h->TypeSpecificInformation.Thread.Win32StartAddress).s);
}

/** Prints what is known of the object beyond its name. */
static void print_details(const PSS_HANDLE_ENTRY *h)
{
    if ((h->Flags & PSS_HANDLE_HAVE_TYPE_SPECIFIC_INFORMATION) == 0)
        return;
    switch (h->ObjectType) {
    case PSS_OBJECT_TYPE_PROCESS:
        print_process_object(h);
        break;
    case PSS_OBJECT_TYPE_THREAD:
        print_thread_object(h);
        break;
    case PSS_OBJECT_TYPE_MUTANT:
        print_mutant(h);
        break;
    case PSS_OBJECT_TYPE_EVENT:
        printf("  [%s-reset, %s]", h->TypeSpecificInformation.Event.ManualReset ? "manual" : "auto",
               h->TypeSpecificInformation.Event.Signaled ? "signaled" : "not signaled");
        break;
    case PSS_OBJECT_TYPE_SECTION:
        print_section_object(h);
        break;
    case PSS_OBJECT_TYPE_SEMAPHORE:
        printf("  [count %ld of %ld]", h->TypeSpecificInformation.Semaphore.CurrentCount,
               h->TypeSpecificInformation.Semaphore.MaximumCount);
        break;
    default:
        break;
    }
}

static void print_handle(const PSS_HANDLE_ENTRY *h)
{
    size_t length;
    const WCHAR *type = find_type_name(h, &length);

    printf("  %#10" PRIx64 "  ", (uint64_t)(uintptr_t)h->Handle);
    text_print_wide(type, length);
    printf("%*s", (int)(length < 14 ? 14 - length : 0), "");
    if ((h->Flags & PSS_HANDLE_HAVE_BASIC_INFORMATION) != 0)
        printf("  0x%08lX  %7lu  %8lu  %-21s", h->GrantedAccess, h->HandleCount, h->PointerCount,
               words_attributes(h->Attributes).s);
    else
        printf("  %10s  %7s  %8s  %-21s", "-", "-", "-", "-");
    if (h->ObjectName != NULL && h->ObjectNameLength != 0) {
        fputs("  ", stdout);
        text_print_wide(h->ObjectName, h->ObjectNameLength / sizeof(WCHAR));
    }
    print_details(h);
    putchar('\n');
}

enum pss_exit print_handles(const struct snapshot *snapshot)
{
    struct walk handles = walk_begin(snapshot, PSS_WALK_HANDLES);
    struct totals *totals = text_allocate(sizeof *totals);
    PSS_HANDLE_ENTRY entry;

    memset(totals, 0, sizeof *totals);
    printf("\nHandles (%lu)\n", snapshot->handles.HandlesCaptured);
    printf("  %10s  %-14s  %-10s  %7s  %8s  %-21s  %s\n", "HANDLE", "TYPE", "ACCESS", "HANDLES",
           "POINTERS", "ATTRIBUTES", "NAME [DETAILS]");
    while (walk_next(&handles, &entry, sizeof entry)) {
        print_handle(&entry);
        count_type(totals, &entry);
    }
    print_totals(totals);
    free(totals);
    return walk_end(&handles);
}
