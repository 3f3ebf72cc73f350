/* SPDX-License-Identifier: MIT */
/* The model of markers: where each stands, and which bytes a walk has handed out. */
#include "call_state.h"

#include <stdlib.h>
#include <string.h>

#define TEXTS 256u

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

static struct marker markers[CALL_MARKERS];

static const DWORD walk_lengths[] = {sizeof(PSS_AUXILIARY_PAGE_ENTRY), sizeof(PSS_VA_SPACE_ENTRY),
                                     sizeof(PSS_HANDLE_ENTRY), sizeof(PSS_THREAD_ENTRY),
                                     sizeof(PSS_THREAD_NAME)};

static const enum pss_section walk_sections[] = {PSS_SECTION_AUXILIARY_PAGES, PSS_SECTION_REGIONS,
                                                 PSS_SECTION_HANDLES, PSS_SECTION_THREADS,
                                                 PSS_SECTION_THREADS};

#define WALK_CLASSES (sizeof(walk_lengths) / sizeof(walk_lengths[0]))

HPSSWALK call_marker_handle(uint32_t index)
{
    return markers[index % CALL_MARKERS].handle;
}

static struct marker *live_marker(HPSSWALK handle)
{
    for (uint32_t i = 0; i < CALL_MARKERS; i++)
        if (markers[i].is_live && markers[i].handle == handle)
            return &markers[i];
    return NULL;
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

    if (!marker || !call_live_snapshot(snapshot))
        return STATUS_INVALID_HANDLE;
    if (stream >= WALK_CLASSES)
        return STATUS_INVALID_PARAMETER;
    section = call_section(snapshot, walk_sections[stream]);
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

void call_walk(uint8_t a, uint8_t b, uint8_t how)
{
    HPSS snapshot = call_choose_snapshot(a);
    HPSSWALK handle = call_choose_marker(b);
    struct marker *marker = live_marker(handle);
    uint32_t stream = how % 8 < WALK_CLASSES ? how % 8 : how % 8 == 7 ? 0xFFFFFFFF : how % 8;
    DWORD right = stream < WALK_CLASSES ? walk_lengths[stream] : 16;
    DWORD length = call_choose_length(right, how);
    unsigned char *buffer = call_make_buffer(length, how / 8 % 8 != 7);
    NTSTATUS expected = expect_walk(marker, snapshot, stream, length, buffer != NULL);
    NTSTATUS status = pss_snapshot_walk(snapshot, stream, handle, buffer, length);

    /* An allocator of the client's may fail when the marker has to hold one more snapshot. */
    call_require(status == expected || (status == STATUS_NO_MEMORY && !marker->allocations_left));
    if (status == expected)
        follow_walk(marker, snapshot, stream, status);
    if (status == STATUS_SUCCESS)
        lend_entry(marker, stream, buffer);
    call_finish_buffer(buffer, length, status);
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

void call_marker_create(uint8_t a, uint8_t how)
{
    struct marker *marker = &markers[a % CALL_MARKERS];
    PSS_ALLOCATOR allocator = {marker, allocate, release};
    HPSSWALK handle = NULL;
    NTSTATUS status;

    if (marker->is_live)
        return;
    memset(marker, 0, sizeof(*marker));
    marker->allocations_left = how % 4 ? how % 4 : UINT32_MAX;
    status = pss_marker_create(fake_nt(), how % 4 ? &allocator : NULL, &handle);
    call_require(status == STATUS_SUCCESS && handle);
    marker->handle = handle;
    marker->is_live = 1;
}

void call_marker_free(HPSSWALK handle)
{
    struct marker *marker = live_marker(handle);

    for (uint32_t i = 0; marker && i < marker->lent_count; i++)
        call_require(sum_of(marker->lent[i].bytes, marker->lent[i].size) == marker->lent[i].sum);
    call_require(pss_marker_free(fake_nt(), handle) ==
                 (marker ? STATUS_SUCCESS : STATUS_INVALID_HANDLE));
    if (marker)
        marker->is_live = 0;
}

void call_marker_move(uint8_t a, uint8_t b, uint8_t how)
{
    static const ULONG_PTR distant[] = {UINT32_MAX, (ULONG_PTR)1 << 32, (ULONG_PTR)-1, 0x80000000};
    HPSSWALK handle = call_choose_marker(a);
    struct marker *marker = live_marker(handle);
    NTSTATUS expected = marker ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
    ULONG_PTR position = b < 250 ? b : distant[b % 4], told = 0x1234;

    if (how % 4 == 3) {
        call_require(pss_marker_rewind(handle) == expected);
        position = 0;
    } else if (how % 4) {
        call_require(pss_marker_seek(handle, position) == expected);
    }
    if (marker && how % 4)
        marker->position = position;
    if (marker && how % 4 == 3)
        marker->is_bound = 0;
    call_require(pss_marker_tell(handle, &told) == expected);
    call_require(told == (marker ? marker->position : 0x1234));
}

void call_markers_begin(void)
{
    memset(markers, 0, sizeof(markers));
}

void call_markers_end(void)
{
    for (uint32_t i = 0; i < CALL_MARKERS; i++)
        if (markers[i].is_live)
            call_marker_free(markers[i].handle);
}
