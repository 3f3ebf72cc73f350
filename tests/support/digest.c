/* SPDX-License-Identifier: MIT */
/* Walks each list once and mixes what cannot change in its entries into one number. */
#include "digest.h"

#include "under_test.h"

#define MAX_ENTRIES 4000000u

/* source: Fowler, Noll, Vo, the 64-bit FNV-1a */
static uint64_t mix(uint64_t sum, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ ((const unsigned char *)bytes)[i]) * 0x100000001B3ull;
    return sum;
}

static uint64_t mix_number(uint64_t sum, uint64_t number)
{
    return mix(sum, &number, sizeof(number));
}

static uint64_t mix_text(uint64_t sum, const WCHAR *text, WORD length)
{
    return text ? mix(mix_number(sum, length), text, length) : mix_number(sum, ~0ull);
}

static uint64_t mix_region(uint64_t sum, const void *record)
{
    const PSS_VA_SPACE_ENTRY *entry = (const PSS_VA_SPACE_ENTRY *)record;

    sum = mix_number(sum, address_of(entry->BaseAddress));
    sum = mix_number(sum, address_of(entry->AllocationBase));
    sum = mix_number(sum, entry->RegionSize);
    sum = mix_number(sum, (uint64_t)entry->State << 32 | entry->Protect);
    sum = mix_number(sum, entry->Type);
    return mix_text(sum, entry->MappedFileName, entry->MappedFileNameLength);
}

static uint64_t mix_handle(uint64_t sum, const void *record)
{
    const PSS_HANDLE_ENTRY *entry = (const PSS_HANDLE_ENTRY *)record;

    sum = mix_number(sum, address_of(entry->Handle));
    sum = mix_number(sum, (uint64_t)entry->ObjectType << 32 | entry->GrantedAccess);
    sum = mix_number(sum, entry->Flags);
    sum = mix_text(sum, entry->TypeName, entry->TypeNameLength);
    return mix_text(sum, entry->ObjectName, entry->ObjectNameLength);
}

/*
 * Under Wine a process that is asked for its regions has a handle of the system's own meanwhile, to
 * an object without a type.
 */
static bool is_passing(const void *record)
{
    return !((const PSS_HANDLE_ENTRY *)record)->TypeName;
}

/* The suspend count is none of it: another capture's own suspension is a suspension. */
static uint64_t mix_thread(uint64_t sum, const void *record)
{
    const PSS_THREAD_ENTRY *entry = (const PSS_THREAD_ENTRY *)record;

    sum = mix_number(sum, (uint64_t)entry->ProcessId << 32 | entry->ThreadId);
    sum = mix_number(sum, address_of(entry->TebBaseAddress));
    sum = mix_number(sum, address_of(entry->Win32StartAddress));
    sum = mix_number(sum, entry->ExitStatus);
    if (!entry->ContextRecord)
        return sum;
#ifdef _WIN64
    return mix_number(sum, entry->ContextRecord->Rip);
#else
    return mix_number(sum, entry->ContextRecord->Eip);
#endif
}

struct list_kind {
    DWORD walk, query; /* classes */
    DWORD entry_size, info_size;
    uint64_t (*mix)(uint64_t sum, const void *record);
    bool (*passes)(const void *record); /* whether an entry comes and goes; optional */
};

static const struct list_kind region_kind = {PSS_WALK_VA_SPACE,
                                             PSS_QUERY_VA_SPACE_INFORMATION,
                                             sizeof(PSS_VA_SPACE_ENTRY),
                                             sizeof(PSS_VA_SPACE_INFORMATION),
                                             mix_region,
                                             NULL};
static const struct list_kind handle_kind = {PSS_WALK_HANDLES,
                                             PSS_QUERY_HANDLE_INFORMATION,
                                             sizeof(PSS_HANDLE_ENTRY),
                                             sizeof(PSS_HANDLE_INFORMATION),
                                             mix_handle,
                                             is_passing};
static const struct list_kind thread_kind = {PSS_WALK_THREADS,
                                             PSS_QUERY_THREAD_INFORMATION,
                                             sizeof(PSS_THREAD_ENTRY),
                                             sizeof(PSS_THREAD_INFORMATION),
                                             mix_thread,
                                             NULL};

static bool read_list(HPSS snapshot, const struct list_kind *kind, struct digest_list *list)
{
    union {
        PSS_THREAD_INFORMATION longest;
        DWORD count;
    } information;
    uint64_t entry[32]; /* room for every class */
    HPSSWALK marker = NULL;
    DWORD error, walked = 0;

    *list = (struct digest_list){0, 0xCBF29CE484222325ull};
    if (pss.query(snapshot, kind->query, &information, kind->info_size) ||
        pss.marker_create(NULL, &marker))
        return false;
    while (!(error = pss.walk(snapshot, kind->walk, marker, entry, kind->entry_size)) &&
           walked++ < MAX_ENTRIES) {
        if (kind->passes && kind->passes(entry))
            continue;
        list->sum = kind->mix(list->sum, entry);
        list->count++;
    }
    return !pss.marker_free(marker) && error == ERROR_NO_MORE_ITEMS && walked == information.count;
}

bool digest_read(HPSS snapshot, DWORD flags, DWORD pid, struct digest *digest)
{
    PSS_PROCESS_INFORMATION process;

    memset(digest, 0, sizeof(*digest));
    if (pss.query(snapshot, PSS_QUERY_PROCESS_INFORMATION, &process, sizeof(process)) ||
        process.ProcessId != pid || process.ExitStatus != STILL_ACTIVE)
        return false;
    if ((flags & PSS_CAPTURE_VA_SPACE) && !read_list(snapshot, &region_kind, &digest->regions))
        return false;
    if ((flags & PSS_CAPTURE_HANDLES) && !read_list(snapshot, &handle_kind, &digest->handles))
        return false;
    return !(flags & PSS_CAPTURE_THREADS) || read_list(snapshot, &thread_kind, &digest->threads);
}

static bool is_list_same(const struct digest_list *left, const struct digest_list *right)
{
    return left->count == right->count && left->sum == right->sum;
}

bool digest_is_same(const struct digest *left, const struct digest *right, DWORD flags)
{
    return (!(flags & PSS_CAPTURE_VA_SPACE) || is_list_same(&left->regions, &right->regions)) &&
           (!(flags & PSS_CAPTURE_HANDLES) || is_list_same(&left->handles, &right->handles)) &&
           (!(flags & PSS_CAPTURE_THREADS) || is_list_same(&left->threads, &right->threads));
}

static void print_list(const char *name, const struct digest_list *left,
                       const struct digest_list *right)
{
    print_error("%s: %lu and %lu, sums %016llx and %016llx\n", name, left->count, right->count,
                (unsigned long long)left->sum, (unsigned long long)right->sum);
}

void digest_print(const struct digest *left, const struct digest *right)
{
    print_list("regions", &left->regions, &right->regions);
    print_list("handles", &left->handles, &right->handles);
    print_list("threads", &left->threads, &right->threads);
}
