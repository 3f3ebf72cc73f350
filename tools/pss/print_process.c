/* SPDX-License-Identifier: MIT */
/* The process, and how much of everything a snapshot holds, as text. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "print.h"
#include "text.h"
#include "words.h"

void print_row(const char *label, const char *format, ...)
{
    va_list arguments;

    printf("  %-16s", label);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

/** The file name of a path. */
static const WCHAR *find_base_name(const WCHAR *path, size_t *length)
{
    const WCHAR *base = path;

    *length = text_length(path, MAX_PATH);
    for (size_t i = 0; i < *length; i++)
        if (path[i] == L'\\' || path[i] == L'/')
            base = path + i + 1;
    *length -= (size_t)(base - path);
    return base;
}

void print_title(const struct snapshot *snapshot)
{
    size_t length;
    const WCHAR *base = find_base_name(snapshot->process.ImageFileName, &length);

    printf("Process %lu ", snapshot->process.ProcessId);
    text_print_wide(base, length);
    putchar('\n');
}

static void print_image(const PSS_PROCESS_INFORMATION *p)
{
    printf("  %-16s", "Image");
    text_print_wide(p->ImageFileName, text_length(p->ImageFileName, MAX_PATH));
    putchar('\n');
}

static void print_memory_counters(const PSS_PROCESS_INFORMATION *p)
{
    print_row("Working set", "%s, at most %s", text_size(p->WorkingSetSize).s,
              text_size(p->PeakWorkingSetSize).s);
    print_row("Private", "%s", text_size(p->PrivateUsage).s);
    print_row("Page file", "%s, at most %s", text_size(p->PagefileUsage).s,
              text_size(p->PeakPagefileUsage).s);
    print_row("Virtual size", "%s, at most %s", text_size(p->VirtualSize).s,
              text_size(p->PeakVirtualSize).s);
    print_row("Paged pool", "%s, at most %s", text_size(p->QuotaPagedPoolUsage).s,
              text_size(p->QuotaPeakPagedPoolUsage).s);
    print_row("Non-paged pool", "%s, at most %s", text_size(p->QuotaNonPagedPoolUsage).s,
              text_size(p->QuotaPeakNonPagedPoolUsage).s);
    print_row("Page faults", "%lu", p->PageFaultCount);
}

void print_process(const struct snapshot *snapshot)
{
    const PSS_PROCESS_INFORMATION *p = &snapshot->process;

    print_image(p);
    print_row("Parent", "%lu", p->ParentProcessId);
    if (p->ExitStatus == STILL_ACTIVE)
        print_row("Status", "running");
    else
        print_row("Status", "ended with 0x%lX at %s UTC", p->ExitStatus, text_time(p->ExitTime).s);
    print_row("Flags", "%s", words_process_flags((DWORD)p->Flags).s);
    print_row("Created", "%s UTC", text_time(p->CreateTime).s);
    print_row("CPU time", "%s kernel, %s user", text_duration(p->KernelTime).s,
              text_duration(p->UserTime).s);
    print_row("Priority", "%ld, class %s", p->BasePriority,
              words_priority_class(p->PriorityClass).s);
    print_row("Affinity", "0x%" PRIX64, (uint64_t)p->AffinityMask);
    print_row("PEB", "%s", text_address(p->PebBaseAddress).s);
    print_row("Execute flags", "0x%lX", p->ExecuteFlags);
    print_memory_counters(p);
}

void print_counts(const struct snapshot *snapshot)
{
    puts("\nCounts");
    if (snapshot_has(snapshot, PSS_QUERY_THREAD_INFORMATION))
        print_row("Threads", "%lu", snapshot->threads.ThreadsCaptured);
    if (snapshot_has(snapshot, PSS_QUERY_HANDLE_INFORMATION))
        print_row("Handles", "%lu", snapshot->handles.HandlesCaptured);
    if (snapshot_has(snapshot, PSS_QUERY_VA_SPACE_INFORMATION))
        print_row("Regions", "%lu", snapshot->regions.RegionCount);
    if (snapshot_has(snapshot, PSS_QUERY_AUXILIARY_PAGES_INFORMATION))
        print_row("Auxiliary pages", "%lu", snapshot->pages.AuxPagesCaptured);
}
