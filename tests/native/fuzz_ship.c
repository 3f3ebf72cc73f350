/* SPDX-License-Identifier: MIT */
/* Fuzzes the reader in its shipping role: any bytes in another process are no snapshot, or one. */
#include "block_walk.h"
#include "fuzz_blocks.h"

#include "pss.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACE         0x10000000u
#define PAGE          0x1000u
#define LAST_HANDLE   0x1000u   /* the party has handles up to this value, if the bytes want it */
#define LARGEST_TRACE 0x10000u  /* bytes */
#define MEMORY_BUDGET 0x400000u /* bytes; more than any input can be worth */

static void check(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "fuzz_ship.c: %s\n", what);
    abort();
}

/* The record of a section that is a single one, as far as the bytes have it. */
static int find_record(const uint8_t *data, size_t size, enum pss_section section, void *record,
                       size_t record_size)
{
    struct pss_block header;
    uint32_t offset;

    if (size < sizeof(header))
        return 0;
    memcpy(&header, data, sizeof(header));
    offset = header.sections[section].offset;
    if (!header.sections[section].count || offset > size || record_size > size - offset)
        return 0;
    memcpy(record, data + offset, record_size);
    return 1;
}

/* Gives the party a handle of this value, if that is possible. */
static void open_at(struct fake_process *party, uint64_t value, struct fake_object *object)
{
    if (!value || value % 4 || value > LAST_HANDLE)
        return;
    if (fake_handle_find(party, (HANDLE)(uintptr_t)value))
        fake_handle_close(party, (HANDLE)(uintptr_t)value);
    else
        while ((uint64_t)(uintptr_t)fake_handle_open(party, object, 0, 0) < value)
            ;
    if (!fake_handle_find(party, (HANDLE)(uintptr_t)value))
        fake_handle_open(party, object, PROCESS_ALL_ACCESS, 0);
}

static struct fake_object *make_section(const struct pss_trace_record *record)
{
    struct fake_object *section = fake_object_add(FAKE_SECTION);
    size_t size = record->size + sizeof(record->mark);

    section->bytes = calloc(1, size);
    if (!section->bytes)
        abort();
    memcpy((char *)section->bytes + record->size, &record->mark, sizeof(record->mark));
    section->section.maximum_size.QuadPart = (LONGLONG)size;
    return section;
}

/* The handles that the bytes name are there, and are what they should be. */
static void add_handles(struct fake_process *party, const uint8_t *data, size_t size)
{
    struct pss_trace_record trace;
    struct pss_clone_record clone;

    if (find_record(data, size, PSS_SECTION_TRACE, &trace, sizeof(trace)) &&
        trace.size <= LARGEST_TRACE) {
        struct fake_object *section = make_section(&trace);

        open_at(party, trace.lent, section);
        open_at(party, trace.kept, section);
    }
    if (find_record(data, size, PSS_SECTION_CLONE, &clone, sizeof(clone))) {
        struct fake_process *process = fake_process_add(5000);

        open_at(party, clone.job, fake_object_add(FAKE_JOB));
        open_at(party, clone.lent, &process->object);
        open_at(party, clone.kept, &process->object);
    }
}

static struct fake_process *make_party(const uint8_t *data, size_t size)
{
    struct fake_process *party = fake_process_add(3000);
    uint64_t there = (size + PAGE - 1) & ~(uint64_t)(PAGE - 1);

    fake_thread_add(party, 3004);
    party->is_party = 1;
    fake_region_add(party, PLACE, there ? there : PAGE, MEM_COMMIT, PAGE_READWRITE, MEM_PRIVATE);
    if (size)
        fake_write(party, PLACE, data, size);
    add_handles(party, data, size);
    return party;
}

/* Frees it there; what has been freed is gone. */
static void free_there(HANDLE party, HPSS snapshot)
{
    NTSTATUS status = pss_snapshot_free(fake_nt(), party, snapshot);

    check(status == STATUS_SUCCESS || status == STATUS_INVALID_HANDLE ||
              status == STATUS_NOT_SUPPORTED,
          "the free says what is not documented");
    if (NT_SUCCESS(status))
        check(pss_snapshot_free(fake_nt(), party, snapshot) == STATUS_INVALID_HANDLE,
              "what was freed can be freed again");
}

static void ship(HANDLE party, HPSS snapshot, uint32_t flags)
{
    struct pss_duplication what = {party, PSS_CURRENT_PROCESS, snapshot, flags};
    HPSS taken = (HPSS)&what;
    NTSTATUS status = pss_snapshot_duplicate(fake_nt(), &what, &taken);

    check(NT_SUCCESS(status) == (taken != NULL), "a duplicate without success, or none with it");
    check(status == STATUS_SUCCESS || status == STATUS_INVALID_HANDLE ||
              (flags && status == STATUS_NOT_SUPPORTED),
          "the duplication says what is not documented");
    fuzz_blocks_count(taken != NULL);
    if (!taken)
        return;
    block_use(taken);
    check(NT_SUCCESS(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, taken)),
          "the duplicate cannot be freed");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HPSS snapshot = (HPSS)(uintptr_t)PLACE;
    struct fake_process *party;
    HANDLE handle;

    fake_init();
    fake.memory_budget = MEMORY_BUDGET;
    party = make_party(data, size);
    handle = fake_handle_open(fake.own, &party->object, PROCESS_ALL_ACCESS, 0);
    ship(handle, snapshot, PSS_DUPLICATE_NONE);
    ship(handle, snapshot, size % 2 ? PSS_DUPLICATE_CLOSE_SOURCE : PSS_DUPLICATE_NONE);
    free_there(handle, snapshot);
    check(fake_ledger_is_zero(), "something is left");
    fake_fini();
    return 0;
}

/* Many may be freed from elsewhere. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t limit, unsigned int seed)
{
    struct pss_block header;

    size = fuzz_blocks_mutate(data, size, limit, seed);
    if (size < sizeof(header))
        return size;
    memcpy(&header, data, sizeof(header));
    if (seed % 16 > 6)
        header.capture_flags |= PSS_CREATE_USE_VM_ALLOCATIONS;
    else if (seed % 16 > 4)
        header.origin = PSS_ORIGIN_SHIPPED;
    memcpy(data, &header, sizeof(header));
    return size;
}
