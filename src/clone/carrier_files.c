/* SPDX-License-Identifier: MIT */
/* Files that show the memory of processes: found by what is in them, and believed only then. */
#include "clone/carrier.h"

#include <string.h>

/*
 * Some systems run on another one that shows the memory of each of its processes as a file. Nobody
 * tells which one is which: the carrier's has what was just written there by call, and the
 * target's has what a call reads there. A file that may be another process's is never written to,
 * and not believed if more than one will do.
 */

#define LISTING_ROOM  0x10000u /* bytes; an entry at the end of it is still within the chunk */
#define LISTING_LIMIT 64u      /* listings, of some thousand processes each */
#define TEB64_SIZE    0x2000u  /* bytes */

/* In a 32-bit process on a 64-bit system that one is in front of the TEB its thread knows. */
#define PROBE_DISTANCE (sizeof(void *) == 8 ? 0u : TEB64_SIZE)
#define PROBE_SIZE     (sizeof(void *) == 8 ? TEB64_SIZE : TEB64_SIZE + PAGE)
#define PAGE           0x1000u

/* source: phnt ntpebteb.h: TEB.StaticUnicodeBuffer, which the target's bytes replace */
#define TEB_SCRATCH (sizeof(void *) == 8 ? 0x1268u : 0x0C00u)

/* Fields of a TEB that stay the same while its thread lives, in pointers. source: winternl.h */
enum { TEB_STACK_BASE = 1, TEB_SELF = 6, TEB_PROCESS_ID = 8, TEB_THREAD_ID = 9, TEB_PEB = 12 };
#define TEB_HEAD 13 /* pointers */

static const WCHAR directory_path[] = L"\\??\\unix\\proc\\";
static const WCHAR memory_name[] = L"\\mem";

_Static_assert(LISTING_ROOM <= PSS_COPY_CHUNK && PROBE_SIZE <= PSS_COPY_CHUNK,
               "both are read into a chunk");

struct search {
    struct pss_carrier *carrier;
    ULONGLONG nonce[2]; /* stands in the carrier, at nonce_address */
    uint64_t nonce_address;
    ULONG_PTR head[TEB_HEAD]; /* of the target's TEB */
};

static NTSTATUS open_path(const struct pss_nt *nt, const WCHAR *path, uint32_t length,
                          ACCESS_MASK access, ULONG options, HANDLE *file)
{
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK io;
    UNICODE_STRING name;

    name.Buffer = (WCHAR *)path;
    name.Length = name.MaximumLength = (USHORT)length;
    InitializeObjectAttributes(&attributes, &name, 0, NULL, NULL);
    return nt->open_file(file, access | SYNCHRONIZE, &attributes, &io,
                         FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                         options | FILE_SYNCHRONOUS_IO_NONALERT);
}

/* Opens the memory file of one entry of the directory; the longest name of a number has 10 digits.
 */
static NTSTATUS open_memory(const struct pss_nt *nt, const struct pss_nt_file_name *entry,
                            ACCESS_MASK access, HANDLE *file)
{
    WCHAR path[40];
    uint32_t length = sizeof(directory_path) - sizeof(WCHAR);

    if (!entry->length || entry->length > 10 * sizeof(WCHAR) || entry->name[0] < '0' ||
        entry->name[0] > '9')
        return STATUS_OBJECT_NAME_NOT_FOUND;
    memcpy(path, directory_path, length);
    memcpy((char *)path + length, entry->name, entry->length);
    length += entry->length;
    memcpy((char *)path + length, memory_name, sizeof(memory_name));
    length += (uint32_t)sizeof(memory_name) - (uint32_t)sizeof(WCHAR);
    return open_path(nt, path, length, access, FILE_NON_DIRECTORY_FILE, file);
}

/* Whether a file shows these bytes. */
static int shows(const struct pss_nt *nt, HANDLE file, uint64_t address, const void *expected,
                 uint32_t size, void *buffer)
{
    LARGE_INTEGER offset = {.QuadPart = (LONGLONG)address};
    IO_STATUS_BLOCK io = {0};

    return NT_SUCCESS(nt->read_file(file, &io, buffer, size, &offset)) && io.Information == size &&
           !memcmp(buffer, expected, size);
}

static int is_target_like(const struct search *search, HANDLE file)
{
    static const uint8_t fixed[] = {TEB_STACK_BASE, TEB_SELF, TEB_PROCESS_ID, TEB_THREAD_ID,
                                    TEB_PEB};
    LARGE_INTEGER offset = {.QuadPart = (LONGLONG)search->carrier->target_teb};
    ULONG_PTR head[TEB_HEAD];
    IO_STATUS_BLOCK io = {0};

    if (!search->carrier->target_teb ||
        !NT_SUCCESS(search->carrier->nt->read_file(file, &io, head, sizeof(head), &offset)) ||
        io.Information != sizeof(head))
        return 0;
    for (uint32_t i = 0; i < sizeof(fixed); i++)
        if (head[fixed[i]] != search->head[fixed[i]])
            return 0;
    return 1;
}

/* Takes the file in if it may be the one of the target or of the carrier. */
static void look_at(struct search *search, const struct pss_nt_file_name *entry)
{
    struct pss_carrier *carrier = search->carrier;
    const struct pss_nt *nt = carrier->nt;
    ULONGLONG found[2];
    HANDLE file = NULL;

    if (!NT_SUCCESS(open_memory(nt, entry, FILE_READ_DATA, &file)))
        return;
    if (carrier->candidate_count < PSS_CANDIDATE_LIMIT && is_target_like(search, file)) {
        carrier->candidates[carrier->candidate_count++] = file;
        return;
    }
    if (!carrier->to.file &&
        shows(nt, file, search->nonce_address, search->nonce, sizeof(found), found)) {
        nt->close(file);
        file = NULL;
        if (!NT_SUCCESS(open_memory(nt, entry, FILE_READ_DATA | FILE_WRITE_DATA, &file)))
            return;
        if (shows(nt, file, search->nonce_address, search->nonce, sizeof(found), found)) {
            carrier->to.file = file;
            return;
        }
    }
    nt->close(file);
}

/* The entry behind this one, within the listing; NULL if there is none. */
static const struct pss_nt_file_name *next_entry(const char *listing,
                                                 const struct pss_nt_file_name *entry)
{
    uint32_t offset = (uint32_t)((const char *)entry - listing), step = entry->next_offset;

    if (!step || step % sizeof(step) || step > LISTING_ROOM - sizeof(*entry) - offset)
        return NULL;
    return (const void *)(listing + offset + step);
}

/* Looks at each entry of one listing. */
static NTSTATUS look_at_listing(struct search *search, const char *listing)
{
    const struct pss_nt_file_name *entry = (const void *)listing;

    for (; entry; entry = next_entry(listing, entry)) {
        look_at(search, entry);
        if (pss_carrier_step(search->carrier, STATUS_SUCCESS) == STATUS_CANCELLED)
            return STATUS_CANCELLED;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS look_at_all(struct search *search, HANDLE directory)
{
    struct pss_carrier *carrier = search->carrier;
    char *listing = pss_carrier_scratch(carrier);
    IO_STATUS_BLOCK io = {0};
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0; i < LISTING_LIMIT && NT_SUCCESS(status); i++) {
        if (!NT_SUCCESS(carrier->nt->list_directory(directory, &io, listing, LISTING_ROOM, i == 0)))
            break;
        status = look_at_listing(search, listing);
    }
    return status;
}

/* The TEB of the oldest thread that lives; without one the target is reached by calls. */
static void find_target_teb(struct search *search)
{
    struct pss_carrier *carrier = search->carrier;
    const struct pss_nt *nt = carrier->nt;
    struct pss_nt_thread_basic basic;
    struct pss_route calls = {carrier->target.process, NULL};
    HANDLE thread = NULL, previous = NULL;
    uint64_t teb = 0;

    while (!teb && NT_SUCCESS(nt->get_next_thread(carrier->target.process, previous,
                                                  THREAD_QUERY_INFORMATION, 0, 0, &thread))) {
        if (previous)
            nt->close(previous);
        previous = thread;
        if (NT_SUCCESS(
                nt->query_thread(thread, PSS_NT_THREAD_BASIC, &basic, sizeof(basic), NULL)) &&
            basic.exit_status == (NTSTATUS)PSS_STILL_ACTIVE)
            teb = (uint64_t)(ULONG_PTR)basic.teb;
    }
    if (previous)
        nt->close(previous);
    if (teb % PAGE == 0 && teb &&
        NT_SUCCESS(pss_route_read(nt, &calls, teb, search->head, sizeof(search->head))))
        carrier->target_teb = teb;
}

static NTSTATUS write_nonce(struct search *search)
{
    struct pss_carrier *carrier = search->carrier;
    const struct pss_nt *nt = carrier->nt;
    uint64_t teb = sizeof(void *) == 8 ? carrier->own.teb64 : carrier->own.teb32;
    LARGE_INTEGER counter = {.QuadPart = 0}, time = {.QuadPart = 0};

    nt->query_counter(&counter, NULL);
    nt->query_time(&time);
    search->nonce[0] = nt->read_tsc() ^ (ULONGLONG)counter.QuadPart << 32;
    search->nonce[1] = (ULONGLONG)time.QuadPart ^ (ULONGLONG)(ULONG_PTR)carrier << 20 ^
                       (ULONGLONG)(ULONG_PTR)carrier->process << 56;
    search->nonce_address = teb + TEB_SCRATCH;
    return pss_carrier_step(carrier, pss_route_write(nt, &carrier->to, search->nonce_address,
                                                     search->nonce, sizeof(search->nonce)));
}

NTSTATUS pss_carrier_find_files(struct pss_carrier *carrier)
{
    struct search search = {.carrier = carrier};
    HANDLE directory = NULL;
    NTSTATUS status = open_path(carrier->nt, directory_path, sizeof(directory_path) - sizeof(WCHAR),
                                FILE_LIST_DIRECTORY, FILE_DIRECTORY_FILE, &directory);

    carrier->from.process = carrier->target.process;
    if (!NT_SUCCESS(status))
        return STATUS_SUCCESS; /* as on most systems */
    status = write_nonce(&search);
    if (NT_SUCCESS(status)) {
        find_target_teb(&search);
        status = look_at_all(&search, directory);
    }
    carrier->nt->close(directory);
    return status == STATUS_CANCELLED ? status : STATUS_SUCCESS;
}

/*
 * Beside the ids of its thread, which are unique on one system, the TEB has addresses that differ
 * between two systems that run beside each other, and between a process and its clone.
 */
NTSTATUS pss_carrier_choose_file(struct pss_carrier *carrier)
{
    const struct pss_nt *nt = carrier->nt;
    uint64_t address = carrier->target_teb - PROBE_DISTANCE;
    void *probe = pss_carrier_scratch(carrier);
    uint32_t found = 0, matches = 0;
    NTSTATUS status;

    if (!carrier->candidate_count)
        return STATUS_SUCCESS;
    status =
        pss_carrier_step(carrier, pss_route_read(nt, &carrier->from, address, probe, PROBE_SIZE));
    if (!NT_SUCCESS(status))
        return status == STATUS_CANCELLED ? status : STATUS_SUCCESS;
    for (uint32_t i = 0; i < carrier->candidate_count; i++) {
        if (shows(nt, carrier->candidates[i], address, probe, PROBE_SIZE,
                  carrier->copiers[0].other)) {
            found = i;
            matches++;
        }
    }
    if (matches != 1)
        return STATUS_SUCCESS;
    carrier->from.file = carrier->candidates[found];
    carrier->candidates[found] = NULL;
    return STATUS_SUCCESS;
}

void pss_carrier_close_files(struct pss_carrier *carrier)
{
    for (uint32_t i = 0; i < carrier->candidate_count; i++)
        if (carrier->candidates[i])
            carrier->nt->close(carrier->candidates[i]);
    carrier->candidate_count = 0;
    pss_route_close(carrier->nt, &carrier->from);
    pss_route_close(carrier->nt, &carrier->to);
}
