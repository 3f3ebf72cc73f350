/* SPDX-License-Identifier: MIT */
/* Threads and their registers as text. */
#include <stdio.h>

#include "print.h"
#include "registers.h"
#include "text.h"

/** Prints the name of the next thread in quotes, if it has one. */
static void print_next_name(struct walk *names)
{
    PSS_THREAD_NAME name;

    if (!walk_next(names, &name, sizeof name) || name.ThreadName == NULL ||
        name.ThreadNameSize == 0)
        return;
    fputs("  \"", stdout);
    text_print_wide(name.ThreadName, name.ThreadNameSize / sizeof(WCHAR));
    putchar('"');
}

static struct text describe_state(const PSS_THREAD_ENTRY *t)
{
    struct text text = {"alive"};

    if ((t->Flags & PSS_THREAD_FLAGS_TERMINATED) != 0 || t->ExitStatus != STILL_ACTIVE)
        snprintf(text.s, sizeof text.s, "ended 0x%lX", t->ExitStatus);
    else if (t->SuspendCount != 0)
        snprintf(text.s, sizeof text.s, "suspended %u", (unsigned)t->SuspendCount);
    return text;
}

static void print_thread(const PSS_THREAD_ENTRY *t)
{
    printf("  %8lu  %-16s  %4d/%-4d  %10s  %10s  %-23s  %-18s  %-18s", t->ThreadId,
           describe_state(t).s, t->Priority, t->BasePriority, text_duration(t->KernelTime).s,
           text_duration(t->UserTime).s, text_time(t->CreateTime).s,
           text_address(t->Win32StartAddress).s, text_address(t->TebBaseAddress).s);
    if (t->LastSyscallNumber != 0)
        printf("  in system call 0x%X(%s)", (unsigned)t->LastSyscallNumber,
               text_address(t->LastSyscallFirstArgument).s);
}

enum pss_exit print_threads(const struct snapshot *snapshot)
{
    struct walk threads = walk_begin(snapshot, PSS_WALK_THREADS);
    struct walk names = walk_begin(snapshot, PSS_WALK_THREAD_NAME);
    PSS_THREAD_ENTRY entry;

    printf("\nThreads (%lu)\n", snapshot->threads.ThreadsCaptured);
    printf("  %8s  %-16s  %-9s  %10s  %10s  %-23s  %-18s  %-18s  %s\n", "ID", "STATE", "PRIO/BASE",
           "KERNEL", "USER", "CREATED (UTC)", "START", "TEB", "NAME");
    while (walk_next(&threads, &entry, sizeof entry)) {
        print_thread(&entry);
        print_next_name(&names);
        putchar('\n');
    }
    walk_drop(&names);
    return walk_end(&threads);
}

/** Prints the registers of one group, \p columns to a line. */
static void print_group(const CONTEXT *context, enum register_group group, unsigned columns,
                        int only_non_zero)
{
    unsigned printed = 0;

    for (size_t i = 0; i < registers_count; i++) {
        const struct register_info *r = &registers[i];
        if (r->group != group || !registers_has(context, r) ||
            (only_non_zero && registers_is_zero(context, r)))
            continue;
        printf("%s%6s %-*s", printed % columns == 0 ? "    " : "  ", r->name,
               columns == 4 ? (int)sizeof(void *) * 2 + 2 : 34, registers_value(context, r).s);
        if (++printed % columns == 0)
            putchar('\n');
    }
    if (printed % columns != 0)
        putchar('\n');
}

static void print_context(const PSS_THREAD_ENTRY *t)
{
    CONTEXT *context = t->ContextRecord;
    DWORD64 features;

    if (context == NULL || t->SizeOfContextRecord < sizeof *context) {
        puts("    no context");
        return;
    }
    print_group(context, REGISTERS_INTEGER, 4, 0);
    print_group(context, REGISTERS_DEBUG, 4, 1);
    print_group(context, REGISTERS_FLOAT, 2, 1);
    features = registers_features(context, t->SizeOfContextRecord);
    if (features != 0)
        printf("    %6s 0x%llX\n", "xstate", (unsigned long long)features);
}

enum pss_exit print_contexts(const struct snapshot *snapshot)
{
    struct walk threads = walk_begin(snapshot, PSS_WALK_THREADS);
    struct walk names = walk_begin(snapshot, PSS_WALK_THREAD_NAME);
    PSS_THREAD_ENTRY entry;

    printf("\nContexts (%lu bytes each; debug, x87 and vector registers that are not 0)\n",
           snapshot->threads.ContextLength);
    while (walk_next(&threads, &entry, sizeof entry)) {
        printf("  Thread %lu", entry.ThreadId);
        print_next_name(&names);
        putchar('\n');
        print_context(&entry);
    }
    walk_drop(&names);
    return walk_end(&threads);
}
