/* SPDX-License-Identifier: MIT */
/* The model of snapshots: which values are live, and what a query of each answers. */
#include "call_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_BUFFER 1024u /* bytes; more than any structure has */
#define FILLER         0xA5

static const void *block_bytes;
static size_t block_size;
static int block_is_sound;
struct call_snapshot call_snapshots[CALL_SNAPSHOTS];

static const DWORD query_lengths[] = {
    sizeof(PSS_PROCESS_INFORMATION),         sizeof(PSS_VA_CLONE_INFORMATION),
    sizeof(PSS_AUXILIARY_PAGES_INFORMATION), sizeof(PSS_VA_SPACE_INFORMATION),
    sizeof(PSS_HANDLE_INFORMATION),          sizeof(PSS_THREAD_INFORMATION),
    sizeof(PSS_HANDLE_TRACE_INFORMATION),    sizeof(PSS_PERFORMANCE_COUNTERS)};

static const enum pss_section query_sections[] = {
    PSS_SECTION_PROCESS, PSS_SECTION_CLONE,   PSS_SECTION_AUXILIARY_PAGES, PSS_SECTION_REGIONS,
    PSS_SECTION_HANDLES, PSS_SECTION_THREADS, PSS_SECTION_TRACE,           PSS_SECTION_PERFORMANCE};

#define QUERY_CLASSES (sizeof(query_lengths) / sizeof(query_lengths[0]))

void call_fail(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, condition);
    abort();
}

/* A value for a snapshot: one of ours, live or not, a marker, or one that never was any. */
HPSS call_choose_snapshot(uint8_t choice)
{
    if (choice < 224)
        return call_snapshots[choice % CALL_SNAPSHOTS].handle;
    if (choice < 240)
        return (HPSS)call_marker_handle(choice);
    return (HPSS)((uintptr_t)call_snapshots[0].handle + (uintptr_t)(choice - 240) * 8 + 8);
}

HPSSWALK call_choose_marker(uint8_t choice)
{
    if (choice < 224)
        return call_marker_handle(choice);
    if (choice < 240)
        return (HPSSWALK)call_snapshots[choice % CALL_SNAPSHOTS].handle;
    return (HPSSWALK)((uintptr_t)call_marker_handle(0) + (uintptr_t)(choice - 240) * 8 + 8);
}

struct call_snapshot *call_live_snapshot(HPSS handle)
{
    for (uint32_t i = 0; i < CALL_SNAPSHOTS; i++)
        if (call_snapshots[i].is_live && call_snapshots[i].handle == handle)
            return &call_snapshots[i];
    return NULL;
}

/* A length: mostly the right one. */
DWORD call_choose_length(DWORD right, uint8_t how)
{
    static const DWORD odd[] = {0, 1, 0xFFFFFFFF, 0x80000000};

    if (how < 192)
        return right;
    return how % 2 ? right + how / 2 % 8 - 4 : odd[how / 2 % 4];
}

/* A buffer of this size, so that a byte too many is noticed; NULL on request. */
unsigned char *call_make_buffer(DWORD length, int is_wanted)
{
    DWORD size = length < LARGEST_BUFFER ? length : LARGEST_BUFFER;
    unsigned char *buffer = is_wanted ? malloc(size ? size : 1) : NULL;

    call_require(buffer || !is_wanted);
    if (buffer)
        memset(buffer, FILLER, size);
    return buffer;
}

/* A call that fails leaves the buffer alone. */
void call_finish_buffer(unsigned char *buffer, DWORD length, NTSTATUS status)
{
    DWORD size = length < LARGEST_BUFFER ? length : LARGEST_BUFFER;

    for (DWORD i = 0; buffer && status != STATUS_SUCCESS && i < size; i++)
        call_require(buffer[i] == FILLER);
    free(buffer);
}

static NTSTATUS expect_query(HPSS handle, uint32_t class_number, DWORD length, int has_buffer)
{
    if (!call_live_snapshot(handle))
        return STATUS_INVALID_HANDLE;
    if (class_number >= QUERY_CLASSES)
        return STATUS_INVALID_PARAMETER;
    if (length != query_lengths[class_number])
        return STATUS_INFO_LENGTH_MISMATCH;
    if (!call_section(handle, query_sections[class_number])->present)
        return STATUS_NOT_FOUND;
    return has_buffer ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

static void query(uint8_t a, uint8_t b, uint8_t how)
{
    HPSS handle = call_choose_snapshot(a);
    uint32_t class_number = b < 250 ? b % (QUERY_CLASSES + 1) : 0xFFFFFF00u + b;
    DWORD right = class_number < QUERY_CLASSES ? query_lengths[class_number] : 16;
    DWORD length = call_choose_length(right, how);
    unsigned char *buffer = call_make_buffer(length, how % 16 != 15);
    NTSTATUS expected = expect_query(handle, class_number, length, buffer != NULL);

    call_require(pss_snapshot_query(fake_nt(), handle, class_number, buffer, length) == expected);
    call_finish_buffer(buffer, length, expected);
}

/* Another process writes the bytes here; the first use finds them. */
static void ship(uint8_t a)
{
    struct call_snapshot *snapshot = &call_snapshots[a % CALL_SNAPSHOTS];
    SIZE_T size = block_size;
    void *base = NULL;

    if (snapshot->is_live || !block_is_sound)
        return;
    call_require(NT_SUCCESS(fake_nt()->allocate_memory(PSS_CURRENT_PROCESS, &base, 0, &size,
                                                       MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)));
    memcpy(base, block_bytes, block_size);
    ((struct pss_block *)base)->origin = PSS_ORIGIN_SHIPPED;
    ((struct pss_block *)base)->instance = fake_nt()->read_tsc(); /* as every sender does */
    *snapshot = (struct call_snapshot){base, 1};
}

static void capture(uint8_t a, uint8_t how)
{
    struct call_snapshot *snapshot = &call_snapshots[a % CALL_SNAPSHOTS];
    uint32_t flags = (how & 1 ? (uint32_t)PSS_CAPTURE_THREADS : 0) |
                     (how & 2 ? (uint32_t)PSS_CAPTURE_VA_SPACE : 0) |
                     (how & 4 ? (uint32_t)PSS_CREATE_USE_VM_ALLOCATIONS : 0);

    if (snapshot->is_live)
        return;
    call_require(pss_snapshot_capture(fake_nt(), PSS_CURRENT_PROCESS, flags, 0,
                                      &snapshot->handle) == STATUS_SUCCESS);
    snapshot->is_live = 1;
}

static void free_snapshot(HPSS handle)
{
    struct call_snapshot *snapshot = call_live_snapshot(handle);

    call_require(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, handle) ==
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
        free_snapshot(call_choose_snapshot(a));
        break;
    case 3:
        call_marker_create(a, how);
        break;
    case 4:
        call_marker_free(call_choose_marker(a));
        break;
    case 5:
    case 6:
        call_marker_move(a, b, how);
        break;
    case 7:
    case 8:
    case 9:
        query(a, b, how);
        break;
    default:
        call_walk(a, b, how);
    }
}

int call_model_begin(const void *bytes, size_t size)
{
    struct pss_block *copy = malloc(size ? size : 1);

    call_require(copy != NULL);
    memcpy(copy, bytes, size);
    block_bytes = bytes;
    block_size = size;
    block_is_sound = NT_SUCCESS(pss_block_validate(copy, size));
    free(copy);
    memset(call_snapshots, 0, sizeof(call_snapshots));
    call_markers_begin();
    return block_is_sound;
}

void call_model_end(void)
{
    for (uint32_t i = 0; i < CALL_SNAPSHOTS; i++)
        if (call_snapshots[i].is_live)
            free_snapshot(call_snapshots[i].handle);
    call_markers_end();
    fake.bad_closes = 0; /* the handles a foreign block names are anything */
    call_require(fake_ledger_is_zero());
}
