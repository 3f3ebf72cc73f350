/* SPDX-License-Identifier: MIT */
/* The model: which values are live, where each marker stands, which bytes a walk has handed out. */
#include "call_model.h"

#include "api/api.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNAPSHOTS      4u
#define MARKERS        4u
#define TEXTS          256u
#define LARGEST_BUFFER 1024u /* bytes; more than any structure has */
#define FILLER         0xA5

#define require(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

struct snapshot {
    HPSS handle; /* stays when it is freed */
    int is_live;
};

/* Bytes that a walk has handed out, which stay as they were until the marker is freed. */
struct lent {
    const unsigned char *bytes;
    size_t size;
    uint32_t sum;
};

struct marker {
    HPSSWALK handle; /* stays when it is freed */
    int is_live, is_bound;
    HPSS snapshot;             /* bound to */
    uint32_t stream;           /* bound to */
    ULONG_PTR position;        /* entries before the next one */
    uint32_t allocations_left; /* of an allocator that fails in the end */
    struct lent lent[TEXTS];
    uint32_t lent_count;
};

static const void *block_bytes;
static size_t block_size;
static int block_is_sound;
static struct snapshot snapshots[SNAPSHOTS];
static struct marker markers[MARKERS];

static const DWORD query_lengths[] = {
    sizeof(PSS_PROCESS_INFORMATION),         sizeof(PSS_VA_CLONE_INFORMATION),
    sizeof(PSS_AUXILIARY_PAGES_INFORMATION), sizeof(PSS_VA_SPACE_INFORMATION),
    sizeof(PSS_HANDLE_INFORMATION),          sizeof(PSS_THREAD_INFORMATION),
    sizeof(PSS_HANDLE_TRACE_INFORMATION),    sizeof(PSS_PERFORMANCE_COUNTERS)};

static const enum pss_section query_sections[] = {
    PSS_SECTION_PROCESS, PSS_SECTION_CLONE,   PSS_SECTION_AUXILIARY_PAGES, PSS_SECTION_REGIONS,
    PSS_SECTION_HANDLES, PSS_SECTION_THREADS, PSS_SECTION_TRACE,           PSS_SECTION_PERFORMANCE};

static const DWORD walk_lengths[] = {sizeof(PSS_AUXILIARY_PAGE_ENTRY), sizeof(PSS_VA_SPACE_ENTRY),
                                     sizeof(PSS_HANDLE_ENTRY), sizeof(PSS_THREAD_ENTRY),
                                     sizeof(PSS_THREAD_NAME)};

static const enum pss_section walk_sections[] = {PSS_SECTION_AUXILIARY_PAGES, PSS_SECTION_REGIONS,
                                                 PSS_SECTION_HANDLES, PSS_SECTION_THREADS,
                                                 PSS_SECTION_THREADS};

#define QUERY_CLASSES (sizeof(query_lengths) / sizeof(query_lengths[0]))
#define WALK_CLASSES  (sizeof(walk_lengths) / sizeof(walk_lengths[0]))

static _Noreturn void fail(const char *condition, int line)
{
    fprintf(stderr, "call_model.c:%d: broken promise: %s\n", line, condition);
    abort();
}

static const struct pss_section_entry *section_of(HPSS snapshot, enum pss_section section)
{
    return &((const struct pss_block *)snapshot)->sections[section];
}

/* A value for a snapshot: one of ours, live or not, a marker, or one that never was any. */
static HPSS choose_snapshot(uint8_t choice)
{
    if (choice < 224)
        return snapshots[choice % SNAPSHOTS].handle;
    if (choice < 240)
        return (HPSS)markers[choice % MARKERS].handle;
    return (HPSS)((uintptr_t)snapshots[0].handle + (uintptr_t)(choice - 240) * 8 + 8);
}

static HPSSWALK choose_marker(uint8_t choice)
{
    if (choice < 224)
        return markers[choice % MARKERS].handle;
    if (choice < 240)
        return (HPSSWALK)snapshots[choice % SNAPSHOTS].handle;
    return (HPSSWALK)((uintptr_t)markers[0].handle + (uintptr_t)(choice - 240) * 8 + 8);
}

static struct snapshot *live_snapshot(HPSS handle)
{
    for (uint32_t i = 0; i < SNAPSHOTS; i++)
        if (snapshots[i].is_live && snapshots[i].handle == handle)
            return &snapshots[i];
    return NULL;
}

static struct marker *live_marker(HPSSWALK handle)
{
    for (uint32_t i = 0; i < MARKERS; i++)
        if (markers[i].is_live && markers[i].handle == handle)
            return &markers[i];
    return NULL;
}

/* A length: mostly the right one. */
static DWORD choose_length(DWORD right, uint8_t how)
{
    static const DWORD odd[] = {0, 1, 0xFFFFFFFF, 0x80000000};

    if (how < 192)
        return right;
    return how % 2 ? right + how / 2 % 8 - 4 : odd[how / 2 % 4];
}

/* A buffer of this size, so that a byte too many is noticed; NULL on request. */
static unsigned char *make_buffer(DWORD length, int is_wanted)
{
    DWORD size = length < LARGEST_BUFFER ? length : LARGEST_BUFFER;
    unsigned char *buffer = is_wanted ? malloc(size ? size : 1) : NULL;

    require(buffer || !is_wanted);
    if (buffer)
        memset(buffer, FILLER, size);
    return buffer;
}

/* A call that fails leaves the buffer alone. */
static void finish_buffer(unsigned char *buffer, DWORD length, NTSTATUS status)
{
    DWORD size = length < LARGEST_BUFFER ? length : LARGEST_BUFFER;

    for (DWORD i = 0; buffer && status != STATUS_SUCCESS && i < size; i++)
        require(buffer[i] == FILLER);
    free(buffer);
}

static NTSTATUS expect_query(HPSS handle, uint32_t class_number, DWORD length, int has_buffer)
{
    if (!live_snapshot(handle))
        return STATUS_INVALID_HANDLE;
    if (class_number >= QUERY_CLASSES)
        return STATUS_INVALID_PARAMETER;
    if (!section_of(handle, query_sections[class_number])->present)
        return STATUS_NOT_FOUND;
    if (length != query_lengths[class_number])
        return STATUS_INFO_LENGTH_MISMATCH;
    return has_buffer ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

static void query(uint8_t a, uint8_t b, uint8_t how)
{
    HPSS handle = choose_snapshot(a);
    uint32_t class_number = b < 250 ? b % (QUERY_CLASSES + 1) : 0xFFFFFF00u + b;
    DWORD right = class_number < QUERY_CLASSES ? query_lengths[class_number] : 16;
    DWORD length = choose_length(right, how);
    unsigned char *buffer = make_buffer(length, how % 16 != 15);
    NTSTATUS expected = expect_query(handle, class_number, length, buffer != NULL);

    require(pss_snapshot_query(fake_nt(), handle, class_number, buffer, length) == expected);
    finish_buffer(buffer, length, expected);
}

static uint32_t sum_of(const unsigned char *bytes, size_t size)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

static void lend(struct marker *marker, const void *bytes, size_t size)
{
    if (!bytes || marker->lent_count == TEXTS)
        return;
    marker->lent[marker->lent_count++] = (struct lent){bytes, size, sum_of(bytes, size)};
}

/* What the entry points at is the marker's from now on. */
static void lend_entry(struct marker *marker, uint32_t stream, const void *buffer)
{
    const PSS_AUXILIARY_PAGE_ENTRY *page = buffer;
    const PSS_VA_SPACE_ENTRY *region = buffer;
    const PSS_HANDLE_ENTRY *handle = buffer;
    const PSS_THREAD_ENTRY *thread = buffer;
    const PSS_THREAD_NAME *name = buffer;

    switch (stream) {
    case PSS_WALK_AUXILIARY_PAGES:
        lend(marker, page->PageContents, page->PageSize);
        break;
    case PSS_WALK_VA_SPACE:
        lend(marker, region->MappedFileName, region->MappedFileNameLength + sizeof(WCHAR));
        break;
    case PSS_WALK_HANDLES:
        lend(marker, handle->TypeName, handle->TypeNameLength + sizeof(WCHAR));
        lend(marker, handle->ObjectName, handle->ObjectNameLength + sizeof(WCHAR));
        break;
    case PSS_WALK_THREADS:
        lend(marker, thread->ContextRecord, thread->SizeOfContextRecord);
        break;
    default:
        lend(marker, name->ThreadName, name->ThreadNameSize + sizeof(WCHAR));
    }
}

/* Where the marker stands once it is bound to the stream. */
static ULONG_PTR position_in(const struct marker *marker, HPSS snapshot, uint32_t stream)
{
    if (marker->is_bound && (marker->snapshot != snapshot || marker->stream != stream))
        return 0;
    return marker->position;
}

static NTSTATUS expect_walk(const struct marker *marker, HPSS snapshot, uint32_t stream,
                            DWORD length, int has_buffer)
{
    const struct pss_section_entry *section;

    if (!marker || !live_snapshot(snapshot))
        return STATUS_INVALID_HANDLE;
    if (stream >= WALK_CLASSES)
        return STATUS_INVALID_PARAMETER;
    section = section_of(snapshot, walk_sections[stream]);
    if (!section->present)
        return STATUS_NOT_FOUND;
    if (has_buffer && length != walk_lengths[stream])
        return STATUS_INFO_LENGTH_MISMATCH;
    if (position_in(marker, snapshot, stream) >= section->count)
        return STATUS_NO_MORE_ENTRIES;
    return has_buffer ? STATUS_SUCCESS : STATUS_MORE_ENTRIES;
}

/* Both ends of a stream bind the marker to it, as an entry does. */
static void follow_walk(struct marker *marker, HPSS snapshot, uint32_t stream, NTSTATUS status)
{
    if (status != STATUS_SUCCESS && status != STATUS_NO_MORE_ENTRIES &&
        status != STATUS_MORE_ENTRIES)
        return;
    marker->position = position_in(marker, snapshot, stream) + (status == STATUS_SUCCESS);
    marker->is_bound = 1;
    marker->snapshot = snapshot;
    marker->stream = stream;
}

static void walk(uint8_t a, uint8_t b, uint8_t how)
{
    HPSS snapshot = choose_snapshot(a);
    HPSSWALK handle = choose_marker(b);
    struct marker *marker = live_marker(handle);
    uint32_t stream = how % 8 < WALK_CLASSES ? how % 8 : how % 8 == 7 ? 0xFFFFFFFF : how % 8;
    DWORD right = stream < WALK_CLASSES ? walk_lengths[stream] : 16;
    DWORD length = choose_length(right, how);
    unsigned char *buffer = make_buffer(length, how / 8 % 8 != 7);
    NTSTATUS expected = expect_walk(marker, snapshot, stream, length, buffer != NULL);
    NTSTATUS status = pss_snapshot_walk(snapshot, stream, handle, buffer, length);

    /* An allocator of the client's may fail when the marker has to hold one more snapshot. */
    require(status == expected || (status == STATUS_NO_MEMORY && !marker->allocations_left));
    if (status == expected)
        follow_walk(marker, snapshot, stream, status);
    if (status == STATUS_SUCCESS)
        lend_entry(marker, stream, buffer);
    finish_buffer(buffer, length, status);
}

static void *CALLBACK allocate(void *context, DWORD size)
{
    struct marker *marker = context;

    if (!marker->allocations_left)
        return NULL;
    marker->allocations_left--;
    return malloc(size);
}

static void CALLBACK release(void *context, void *address)
{
    (void)context;
    free(address);
}

static void create_marker(uint8_t a, uint8_t how)
{
    struct marker *marker = &markers[a % MARKERS];
    PSS_ALLOCATOR allocator = {marker, allocate, release};
    HPSSWALK handle = NULL;
    NTSTATUS status;

    if (marker->is_live)
        return;
    memset(marker, 0, sizeof(*marker));
    marker->allocations_left = how % 4 ? how % 4 : UINT32_MAX;
    status = pss_marker_create(fake_nt(), how % 4 ? &allocator : NULL, &handle);
    require(status == STATUS_SUCCESS && handle);
    marker->handle = handle;
    marker->is_live = 1;
}

static void free_marker(HPSSWALK handle)
{
    struct marker *marker = live_marker(handle);

    for (uint32_t i = 0; marker && i < marker->lent_count; i++)
        require(sum_of(marker->lent[i].bytes, marker->lent[i].size) == marker->lent[i].sum);
    require(pss_marker_free(fake_nt(), handle) ==
            (marker ? STATUS_SUCCESS : STATUS_INVALID_HANDLE));
    if (marker)
        marker->is_live = 0;
}

static void move_marker(uint8_t a, uint8_t b, uint8_t how)
{
    static const ULONG_PTR distant[] = {UINT32_MAX, (ULONG_PTR)1 << 32, (ULONG_PTR)-1, 0x80000000};
    HPSSWALK handle = choose_marker(a);
    struct marker *marker = live_marker(handle);
    NTSTATUS expected = marker ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
    ULONG_PTR position = b < 250 ? b : distant[b % 4], told = 0x1234;

    if (how % 4 == 3) {
        require(pss_marker_rewind(handle) == expected);
        position = 0;
    } else if (how % 4) {
        require(pss_marker_seek(handle, position) == expected);
    }
    if (marker && how % 4)
        marker->position = position;
    if (marker && how % 4 == 3)
        marker->is_bound = 0;
    require(pss_marker_tell(handle, &told) == expected);
    require(told == (marker ? marker->position : 0x1234));
}

/* Another process writes the bytes here; the first use finds them. */
static void ship(uint8_t a)
{
    struct snapshot *snapshot = &snapshots[a % SNAPSHOTS];
    SIZE_T size = block_size;
    void *base = NULL;

    if (snapshot->is_live || !block_is_sound)
        return;
    require(NT_SUCCESS(fake_nt()->allocate_memory(PSS_CURRENT_PROCESS, &base, 0, &size,
                                                  MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)));
    memcpy(base, block_bytes, block_size);
    ((struct pss_block *)base)->origin = PSS_ORIGIN_SHIPPED;
    *snapshot = (struct snapshot){base, 1};
}

static void capture(uint8_t a, uint8_t how)
{
    struct snapshot *snapshot = &snapshots[a % SNAPSHOTS];
    uint32_t flags = (how & 1 ? (uint32_t)PSS_CAPTURE_THREADS : 0) |
                     (how & 2 ? (uint32_t)PSS_CAPTURE_VA_SPACE : 0) |
                     (how & 4 ? (uint32_t)PSS_CREATE_USE_VM_ALLOCATIONS : 0);

    if (snapshot->is_live)
        return;
    require(pss_snapshot_capture(fake_nt(), PSS_CURRENT_PROCESS, flags, 0, &snapshot->handle) ==
            STATUS_SUCCESS);
    snapshot->is_live = 1;
}

static void free_snapshot(HPSS handle)
{
    struct snapshot *snapshot = live_snapshot(handle);

    require(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, handle) ==
            (snapshot ? STATUS_SUCCESS : STATUS_INVALID_HANDLE));
    if (snapshot)
        snapshot->is_live = 0;
}

void call_model_step(uint8_t what, uint8_t a, uint8_t b, uint8_t how)
{
    switch (what % 16) {
    case 0:
        ship(a);
        break;
    case 1:
        capture(a, how);
        break;
    case 2:
        free_snapshot(choose_snapshot(a));
        break;
    case 3:
        create_marker(a, how);
        break;
    case 4:
        free_marker(choose_marker(a));
        break;
    case 5:
    case 6:
        move_marker(a, b, how);
        break;
    case 7:
    case 8:
    case 9:
        query(a, b, how);
        break;
    default:
        walk(a, b, how);
    }
}

int call_model_begin(const void *bytes, size_t size)
{
    struct pss_block *copy = malloc(size ? size : 1);

    require(copy != NULL);
    memcpy(copy, bytes, size);
    block_bytes = bytes;
    block_size = size;
    block_is_sound = NT_SUCCESS(pss_block_validate(copy, size));
    free(copy);
    memset(snapshots, 0, sizeof(snapshots));
    memset(markers, 0, sizeof(markers));
    return block_is_sound;
}

void call_model_end(void)
{
    for (uint32_t i = 0; i < SNAPSHOTS; i++)
        if (snapshots[i].is_live)
            free_snapshot(snapshots[i].handle);
    for (uint32_t i = 0; i < MARKERS; i++)
        if (markers[i].is_live)
            free_marker(markers[i].handle);
    fake.bad_closes = 0; /* the handles a foreign block names are anything */
    require(fake_ledger_is_zero());
}
