/* SPDX-License-Identifier: MIT */
/* Asks a snapshot for everything, and writes the answers down field by field. */
#include "transcript.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ENTRIES 1000000u /* a walk that has more of them does not end */

static void put(struct transcript *out, const void *bytes, size_t size)
{
    size_t padded = (size + 7) / 8 * 8;
    size_t needed = out->size + sizeof(out->next) + padded;

    if (needed > out->room && !out->failed) {
        void *grown = realloc(out->bytes, 2 * needed);
        out->failed = !grown;
        out->bytes = grown ? (unsigned char *)grown : out->bytes;
        out->room = grown ? 2 * needed : out->room;
    }
    if (out->failed)
        return;
    out->next.size = (uint32_t)size;
    memcpy(out->bytes + out->size, &out->next, sizeof(out->next));
    out->size += sizeof(out->next);
    memset(out->bytes + out->size, 0, padded);
    if (size)
        memcpy(out->bytes + out->size, bytes, size);
    out->size += padded;
    out->next.field++;
}

static void put_number(struct transcript *out, uint64_t number)
{
    put(out, &number, sizeof(number));
}

/* An address, a handle, or a size: what is as wide as a pointer. */
static void put_wide(struct transcript *out, uint64_t number)
{
    put_number(out, out->is_narrow ? (uint32_t)number : number);
}

static void put_address(struct transcript *out, const void *address)
{
    put_wide(out, (uintptr_t)address);
}

static void put_signed(struct transcript *out, int number)
{
    put_number(out, (uint64_t)(int64_t)number);
}

static void put_time(struct transcript *out, FILETIME time)
{
    put_number(out, (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime);
}

/* With the terminator; that a missing text is NULL and 0 shows, too. */
static void put_text(struct transcript *out, const WCHAR *text, WORD length)
{
    put_number(out, text != NULL);
    put_number(out, length);
    if (text)
        put(out, text, (size_t)length + sizeof(*text));
}

static void put_bytes(struct transcript *out, const void *bytes, size_t size)
{
    put_number(out, bytes != NULL);
    put_number(out, size);
    if (bytes)
        put(out, bytes, size);
}

/* ---- Queries ---- */

static void put_process(struct transcript *out, const void *buffer)
{
    const PSS_PROCESS_INFORMATION *in = (const PSS_PROCESS_INFORMATION *)buffer;
    const ULONG_PTR wide[] = {
        in->AffinityMask,
        in->PeakVirtualSize,
        in->VirtualSize,
        in->PeakWorkingSetSize,
        in->WorkingSetSize,
        in->QuotaPeakPagedPoolUsage,
        in->QuotaPagedPoolUsage,
        in->QuotaPeakNonPagedPoolUsage,
        in->QuotaNonPagedPoolUsage,
        in->PagefileUsage,
        in->PeakPagefileUsage,
        in->PrivateUsage,
    };

    put_number(out, in->ExitStatus);
    put_address(out, in->PebBaseAddress);
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
        put_wide(out, wide[i]);
    put_signed(out, (int)in->BasePriority);
    put_number(out, in->ProcessId);
    put_number(out, in->ParentProcessId);
    put_number(out, (uint32_t)in->Flags);
    put_time(out, in->CreateTime);
    put_time(out, in->ExitTime);
    put_time(out, in->KernelTime);
    put_time(out, in->UserTime);
    put_number(out, in->PriorityClass);
    put_number(out, in->PageFaultCount);
    put_number(out, in->ExecuteFlags);
    put(out, in->ImageFileName, sizeof(in->ImageFileName));
}

static void put_clone(struct transcript *out, const void *buffer)
{
    put_number(out, ((const PSS_VA_CLONE_INFORMATION *)buffer)->VaCloneHandle != NULL);
}

static void put_count(struct transcript *out, const void *buffer)
{
    put(out, buffer, sizeof(DWORD));
}

static void put_thread_counts(struct transcript *out, const void *buffer)
{
    put(out, buffer, sizeof(PSS_THREAD_INFORMATION));
}

static void put_trace(struct transcript *out, const void *buffer)
{
    const PSS_HANDLE_TRACE_INFORMATION *in = (const PSS_HANDLE_TRACE_INFORMATION *)buffer;

    put_number(out, in->SectionHandle != NULL);
    put_number(out, in->Size);
}

static void put_counters(struct transcript *out, const void *buffer)
{
    put(out, buffer, sizeof(PSS_PERFORMANCE_COUNTERS));
}

static void put_details(struct transcript *out, const void *buffer)
{
    put(out, buffer, sizeof(PSS_VA_CLONE_DETAILS));
}

static const struct {
    DWORD information;
    DWORD size;
    void (*put)(struct transcript *out, const void *buffer);
} queries[] = {
    {PSS_QUERY_PROCESS_INFORMATION, sizeof(PSS_PROCESS_INFORMATION), put_process},
    {PSS_QUERY_VA_CLONE_INFORMATION, sizeof(PSS_VA_CLONE_INFORMATION), put_clone},
    {PSS_QUERY_AUXILIARY_PAGES_INFORMATION, sizeof(PSS_AUXILIARY_PAGES_INFORMATION), put_count},
    {PSS_QUERY_VA_SPACE_INFORMATION, sizeof(PSS_VA_SPACE_INFORMATION), put_count},
    {PSS_QUERY_HANDLE_INFORMATION, sizeof(PSS_HANDLE_INFORMATION), put_count},
    {PSS_QUERY_THREAD_INFORMATION, sizeof(PSS_THREAD_INFORMATION), put_thread_counts},
    {PSS_QUERY_HANDLE_TRACE_INFORMATION, sizeof(PSS_HANDLE_TRACE_INFORMATION), put_trace},
    {PSS_QUERY_PERFORMANCE_COUNTERS, sizeof(PSS_PERFORMANCE_COUNTERS), put_counters},
    {PSS_QUERY_PERFORMANCE_COUNTERS + 1, sizeof(DWORD), put_count},
    {(DWORD)PSS_QUERY_VA_CLONE_DETAILS, sizeof(PSS_VA_CLONE_DETAILS), put_details},
};

static void read_queries(const struct transcript_calls *calls, HPSS snapshot,
                         struct transcript *out)
{
    unsigned char buffer[sizeof(PSS_PROCESS_INFORMATION)];

    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        out->next = (struct transcript_item){.stream = queries[i].information};
        memset(buffer, 0xA5, sizeof(buffer));
        DWORD error = calls->query(snapshot, queries[i].information, buffer, queries[i].size);
        put_number(out, error);
        if (!error)
            queries[i].put(out, buffer);
    }
}

/* ---- Walks ---- */

static void put_auxiliary_page(struct transcript *out, const void *buffer)
{
    const PSS_AUXILIARY_PAGE_ENTRY *in = (const PSS_AUXILIARY_PAGE_ENTRY *)buffer;

    put_address(out, in->Address);
    put_address(out, in->BasicInformation.BaseAddress);
    put_address(out, in->BasicInformation.AllocationBase);
    put_number(out, in->BasicInformation.AllocationProtect);
    put_wide(out, in->BasicInformation.RegionSize);
    put_number(out, in->BasicInformation.State);
    put_number(out, in->BasicInformation.Protect);
    put_number(out, in->BasicInformation.Type);
    put_time(out, in->CaptureTime);
    put_bytes(out, in->PageContents, in->PageSize);
}

static void put_region(struct transcript *out, const void *buffer)
{
    const PSS_VA_SPACE_ENTRY *in = (const PSS_VA_SPACE_ENTRY *)buffer;

    put_address(out, in->BaseAddress);
    put_address(out, in->AllocationBase);
    put_number(out, in->AllocationProtect);
    put_wide(out, in->RegionSize);
    put_number(out, in->State);
    put_number(out, in->Protect);
    put_number(out, in->Type);
    put_number(out, in->TimeDateStamp);
    put_number(out, in->SizeOfImage);
    put_address(out, in->ImageBase);
    put_number(out, in->CheckSum);
    put_text(out, in->MappedFileName, in->MappedFileNameLength);
}

static void put_process_handle(struct transcript *out, const PSS_HANDLE_ENTRY *in)
{
    put_number(out, in->TypeSpecificInformation.Process.ExitStatus);
    put_address(out, in->TypeSpecificInformation.Process.PebBaseAddress);
    put_wide(out, in->TypeSpecificInformation.Process.AffinityMask);
    put_signed(out, (int)in->TypeSpecificInformation.Process.BasePriority);
    put_number(out, in->TypeSpecificInformation.Process.ProcessId);
    put_number(out, in->TypeSpecificInformation.Process.ParentProcessId);
    put_number(out, in->TypeSpecificInformation.Process.Flags);
}

static void put_thread_handle(struct transcript *out, const PSS_HANDLE_ENTRY *in)
{
    put_number(out, in->TypeSpecificInformation.Thread.ExitStatus);
    put_address(out, in->TypeSpecificInformation.Thread.TebBaseAddress);
    put_number(out, in->TypeSpecificInformation.Thread.ProcessId);
    put_number(out, in->TypeSpecificInformation.Thread.ThreadId);
    put_wide(out, in->TypeSpecificInformation.Thread.AffinityMask);
    put_signed(out, in->TypeSpecificInformation.Thread.Priority);
    put_signed(out, in->TypeSpecificInformation.Thread.BasePriority);
    put_address(out, in->TypeSpecificInformation.Thread.Win32StartAddress);
}

static void put_specific(struct transcript *out, const PSS_HANDLE_ENTRY *in)
{
    switch (in->ObjectType) {
    case PSS_OBJECT_TYPE_PROCESS:
        put_process_handle(out, in);
        break;
    case PSS_OBJECT_TYPE_THREAD:
        put_thread_handle(out, in);
        break;
    case PSS_OBJECT_TYPE_SECTION:
        put_address(out, in->TypeSpecificInformation.Section.BaseAddress);
        put_number(out, in->TypeSpecificInformation.Section.AllocationAttributes);
        put_number(out, (uint64_t)in->TypeSpecificInformation.Section.MaximumSize.QuadPart);
        break;
    default: /* the others have the same layout everywhere, the longest of 16 bytes */
        put(out, &in->TypeSpecificInformation, sizeof(in->TypeSpecificInformation.Mutant));
        break;
    }
}

static void put_handle(struct transcript *out, const void *buffer)
{
    const PSS_HANDLE_ENTRY *in = (const PSS_HANDLE_ENTRY *)buffer;

    put_address(out, in->Handle);
    put_number(out, (uint32_t)in->Flags);
    put_number(out, (uint32_t)in->ObjectType);
    put_time(out, in->CaptureTime);
    put_number(out, in->Attributes);
    put_number(out, in->GrantedAccess);
    put_number(out, in->HandleCount);
    put_number(out, in->PointerCount);
    put_number(out, in->PagedPoolCharge);
    put_number(out, in->NonPagedPoolCharge);
    put_time(out, in->CreationTime);
    put_text(out, in->TypeName, in->TypeNameLength);
    put_text(out, in->ObjectName, in->ObjectNameLength);
    put_specific(out, in);
}

static void put_thread(struct transcript *out, const void *buffer)
{
    const PSS_THREAD_ENTRY *in = (const PSS_THREAD_ENTRY *)buffer;

    put_number(out, in->ExitStatus);
    put_address(out, in->TebBaseAddress);
    put_number(out, in->ProcessId);
    put_number(out, in->ThreadId);
    put_wide(out, in->AffinityMask);
    put_signed(out, in->Priority);
    put_signed(out, in->BasePriority);
    put_address(out, in->LastSyscallFirstArgument);
    put_number(out, in->LastSyscallNumber);
    put_time(out, in->CreateTime);
    put_time(out, in->ExitTime);
    put_time(out, in->KernelTime);
    put_time(out, in->UserTime);
    put_address(out, in->Win32StartAddress);
    put_time(out, in->CaptureTime);
    put_number(out, (uint32_t)in->Flags);
    put_number(out, in->SuspendCount);
    put_bytes(out, in->ContextRecord, in->SizeOfContextRecord);
}

static void put_thread_name(struct transcript *out, const void *buffer)
{
    const PSS_THREAD_NAME *in = (const PSS_THREAD_NAME *)buffer;

    put_text(out, in->ThreadName, in->ThreadNameSize);
}

static void put_nothing(struct transcript *out, const void *buffer)
{
    (void)out;
    (void)buffer;
}

static const struct {
    DWORD size;
    void (*put)(struct transcript *out, const void *buffer);
} walks[] = {
    {sizeof(PSS_AUXILIARY_PAGE_ENTRY), put_auxiliary_page},
    {sizeof(PSS_VA_SPACE_ENTRY), put_region},
    {sizeof(PSS_HANDLE_ENTRY), put_handle},
    {sizeof(PSS_THREAD_ENTRY), put_thread},
    {sizeof(PSS_THREAD_NAME), put_thread_name},
    {sizeof(DWORD), put_nothing},
};

union walk_entry {
    PSS_AUXILIARY_PAGE_ENTRY page;
    PSS_VA_SPACE_ENTRY region;
    PSS_HANDLE_ENTRY handle;
    PSS_THREAD_ENTRY thread;
    PSS_THREAD_NAME name;
};

static void read_walk(const struct transcript_calls *calls, HPSS snapshot, DWORD information,
                      HPSSWALK marker, struct transcript *out)
{
    union walk_entry entry;
    DWORD error;

    out->next = (struct transcript_item){.stream = TRANSCRIPT_WALK + information};
    do {
        memset(&entry, 0xA5, sizeof(entry));
        error = calls->walk(snapshot, information, marker, &entry, walks[information].size);
        out->next.field = 0;
        put_number(out, error);
        if (!error)
            walks[information].put(out, &entry);
        out->failed = out->failed || ++out->next.entry > MAX_ENTRIES;
    } while (!error && !out->failed);
}

bool transcript_read(const struct transcript_calls *calls, HPSS snapshot, bool narrow,
                     struct transcript *transcript)
{
    *transcript = (struct transcript){.is_narrow = narrow};
    read_queries(calls, snapshot, transcript);
    for (DWORD i = 0; i < sizeof(walks) / sizeof(walks[0]); i++) {
        HPSSWALK marker = NULL;
        DWORD error = calls->marker_create(NULL, &marker);
        if (!error)
            read_walk(calls, snapshot, i, marker, transcript);
        if (error || calls->marker_free(marker))
            transcript->failed = true;
    }
    return !transcript->failed;
}

void transcript_free(struct transcript *transcript)
{
    free(transcript->bytes);
    *transcript = (struct transcript){0};
}
