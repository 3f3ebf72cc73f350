/* SPDX-License-Identifier: MIT */
/* The address space: the plain VirtualQueryEx picture, without gaps, free regions included. */
#include "base/errand.h"
#include "capture/capture.h"

#include <string.h>

/* The page every process shares with the kernel: no address space ends below it. */
#define SHARED_DATA_ADDRESS 0x7FFE0000u

#define PATIENCE       50u   /* milliseconds without an answer, until the target is looked after */
#define PATIENCE_LIMIT 200u  /* times */
#define READER_ROOM    4096u /* regions */
#define REGION_LIMIT   0x400000u /* more is no process but a listing without end */

/*
 * Some systems let the other process answer for its regions, and wait for ever if it dies with the
 * question in its hands. So they are asked for on a thread that can be given up. Where no thread
 * can begin, since the caller or a thread that has crashed keeps the loader's lock, the caller
 * asks.
 */
struct region_reader {
    const struct pss_nt *nt;
    HANDLE process;                /* borrowed */
    uint64_t address;              /* of the next region */
    uint32_t limit;                /* regions to read, READER_ROOM at most */
    struct pss_errand_state state; /* its steps are the regions read so far */
    uint32_t count;                /* regions read */
    NTSTATUS status;               /* why the reading ended early */
    uint32_t has_ended;            /* there are no more regions */
    uint32_t has_finished; /* atomic: the rest is final, and the thread touches it no more */
    struct pss_region_record records[READER_ROOM];
};

/* How long a thread has been waited for. */
struct vigil {
    struct pss_capture *capture;
    const struct region_reader *reader;
    uint32_t count; /* times patience ran out */
};

static NTSTATUS query_region(const struct region_reader *reader, struct pss_region_record *record)
{
    MEMORY_BASIC_INFORMATION region;
    NTSTATUS status = reader->nt->query_memory(reader->process, (void *)(ULONG_PTR)reader->address,
                                               PSS_NT_MEMORY_BASIC, &region, sizeof(region), NULL);

    if (!NT_SUCCESS(status))
        return status;
    record->base = (uint64_t)(ULONG_PTR)region.BaseAddress;
    record->allocation_base = (uint64_t)(ULONG_PTR)region.AllocationBase;
    record->size = region.RegionSize;
    record->allocation_protect = region.AllocationProtect;
    record->state = region.State;
    record->protect = region.Protect;
    record->type = region.Type;
    return STATUS_SUCCESS;
}

/* Reads the region at the reader's address, which must be its start, and moves on. */
static NTSTATUS read_region(struct region_reader *reader, struct pss_region_record *record)
{
    NTSTATUS status = STATUS_INVALID_PARAMETER;

    if (reader->address < UINTPTR_MAX)
        status = query_region(reader, record);
    reader->has_ended = status == STATUS_INVALID_PARAMETER && reader->address > SHARED_DATA_ADDRESS;
    if (!NT_SUCCESS(status))
        return status;
    if (record->base != reader->address || !record->size)
        return STATUS_INTERNAL_ERROR;
    reader->address += record->size;
    if (reader->address < record->base)
        reader->address = UINT64_MAX;
    return STATUS_SUCCESS;
}

static void read_all_regions(struct region_reader *reader)
{
    NTSTATUS status = STATUS_SUCCESS;

    if (!pss_errand_begin(&reader->state))
        return;
    while (reader->count < reader->limit && NT_SUCCESS(status)) {
        status = read_region(reader, &reader->records[reader->count]);
        if (!NT_SUCCESS(status))
            break;
        reader->count++;
        if (!pss_errand_step(&reader->state))
            return;
    }
    reader->status = status;
    __atomic_store_n(&reader->has_finished, 1, __ATOMIC_RELEASE);
}

static DWORD NTAPI read_regions(void *parameter)
{
    struct region_reader *reader = parameter;

    read_all_regions(reader);
    pss_errand_leave(&reader->state); /* The memory is the owner's. */
    return 0;
}

static int has_finished(const struct region_reader *reader)
{
    return __atomic_load_n(&reader->has_finished, __ATOMIC_ACQUIRE) != 0;
}

static int may_wait(void *context)
{
    struct vigil *vigil = context;

    return !has_finished(vigil->reader) && ++vigil->count < PATIENCE_LIMIT &&
           NT_SUCCESS(pss_target_check_alive(vigil->capture));
}

/* Fills the reader on a thread of its own. A list that is complete counts, whatever came then. */
static NTSTATUS run_reader_watched(struct pss_capture *capture, struct region_reader *reader,
                                   int *is_reader_lost)
{
    struct vigil vigil = {.capture = capture, .reader = reader};
    struct pss_errand errand = {.routine = read_regions,
                                .memory = reader,
                                .state = &reader->state,
                                .patience = PATIENCE,
                                .may_wait = may_wait,
                                .context = &vigil};
    uint32_t steps;
    NTSTATUS status = pss_errand_run(capture->nt, &errand, &steps);

    *is_reader_lost = !errand.memory;
    if (has_finished(reader))
        return STATUS_SUCCESS;
    if (status == STATUS_SUCCESS)
        return STATUS_CANCELLED; /* Somebody else has ended its thread. */
    return status == STATUS_TIMEOUT ? STATUS_IO_TIMEOUT : status;
}

/* The own process answers by itself. */
static NTSTATUS run_reader(struct pss_capture *capture, struct region_reader *reader,
                           int *is_reader_lost)
{
    reader->state = (struct pss_errand_state){0};
    reader->count = reader->has_finished = 0;
    if (!capture->is_self && !capture->asks_directly)
        return run_reader_watched(capture, reader, is_reader_lost);
    read_all_regions(reader);
    return STATUS_SUCCESS;
}

static NTSTATUS keep_regions(struct pss_capture *capture, const struct region_reader *reader,
                             struct pss_region *records)
{
    uint32_t size = reader->count * (uint32_t)sizeof(reader->records[0]), offset;
    NTSTATUS status = STATUS_SUCCESS;

    if (!size)
        return status;
    status = pss_region_append(capture->nt, records, size, 1, &offset);
    if (NT_SUCCESS(status))
        memcpy(pss_region_at(records, offset), reader->records, size);
    return status;
}

/* Reads and keeps one reader's fill after the other. */
static NTSTATUS read_all(struct pss_capture *capture, struct region_reader *reader, uint32_t limit,
                         struct pss_region *records, int *is_reader_lost)
{
    NTSTATUS status = STATUS_SUCCESS;

    while (status == STATUS_SUCCESS && limit) {
        reader->limit = limit < READER_ROOM ? limit : READER_ROOM;
        status = run_reader(capture, reader, is_reader_lost);
        pss_freeze_step(capture);
        if (NT_SUCCESS(status))
            status = keep_regions(capture, reader, records);
        if (!NT_SUCCESS(status))
            return status;
        status = reader->status;
        limit -= reader->count;
    }
    return reader->has_ended ? STATUS_SUCCESS : status;
}

/* Reads regions with a reader that is made for it. */
static NTSTATUS read_with_reader(struct pss_capture *capture, uint64_t address, uint32_t limit,
                                 struct pss_region *records)
{
    struct pss_region memory = {0};
    struct region_reader *reader;
    int is_reader_lost = 0;
    uint32_t offset;
    NTSTATUS status = pss_region_append(capture->nt, &memory, sizeof(*reader), 1, &offset);

    if (!NT_SUCCESS(status))
        return status;
    reader = memory.base;
    reader->nt = capture->nt;
    reader->process = capture->process;
    reader->address = address;
    status = read_all(capture, reader, limit, records, &is_reader_lost);
    if (!is_reader_lost)
        pss_region_free(capture->nt, &memory);
    return status;
}

/*
 * A thread that never began keeps its reader. What is asked for then by the caller himself cannot
 * be given up: a capture that may be held up by a target that dies is better than none.
 */
NTSTATUS pss_regions_read(struct pss_capture *capture, uint64_t address, uint32_t limit,
                          struct pss_region *records)
{
    uint32_t size = records->size;
    NTSTATUS status = read_with_reader(capture, address, limit, records);

    if (status != STATUS_CANCELLED || capture->asks_directly)
        return status;
    capture->asks_directly = 1;
    records->size = size;
    return read_with_reader(capture, address, limit, records);
}

NTSTATUS pss_regions_read_all(struct pss_capture *capture, struct pss_region *records)
{
    NTSTATUS status = pss_regions_read(capture, 0, REGION_LIMIT, records);

    if (NT_SUCCESS(status) && records->size / sizeof(struct pss_region_record) == REGION_LIMIT)
        return STATUS_NO_MEMORY;
    return status;
}

NTSTATUS pss_va_space_capture(struct pss_capture *capture)
{
    pss_builder_begin(&capture->builder, PSS_SECTION_REGIONS);
    return pss_regions_read_all(capture, &capture->builder.sections[PSS_SECTION_REGIONS]);
}
