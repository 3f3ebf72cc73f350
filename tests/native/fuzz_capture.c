/* SPDX-License-Identifier: MIT */
/* Fuzzes the capture: the input says what is captured, and where and how the kernel lies. */
#include "block_walk.h"

#include "pss.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNSUPPORTED_FLAGS 0x03FF8001u /* undefined ones, and the clone */
#define MEMORY_BUDGET     0x4000000u  /* bytes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The rest of the input; behind its end there are zeros, which mean the truth. */
struct input {
    const uint8_t *data;
    size_t size;
};

static uint64_t take(struct input *input, size_t width)
{
    size_t there = width < input->size ? width : input->size;
    uint64_t value = 0;

    memcpy(&value, input->data, there);
    input->data += there;
    input->size -= there;
    return value;
}

static NTSTATUS any_status(uint64_t choice)
{
    static const NTSTATUS statuses[] = {
        STATUS_ACCESS_DENIED,          STATUS_NO_MEMORY,          STATUS_INVALID_HANDLE,
        STATUS_INVALID_PARAMETER,      STATUS_NOT_IMPLEMENTED,    STATUS_INFO_LENGTH_MISMATCH,
        STATUS_PROCESS_IS_TERMINATING, STATUS_INVALID_INFO_CLASS, STATUS_PARTIAL_COPY,
        STATUS_NO_MORE_ENTRIES,        STATUS_NOT_SUPPORTED,      STATUS_UNSUCCESSFUL};

    return statuses[choice % (sizeof(statuses) / sizeof(statuses[0]))];
}

static NTSTATUS refuse(void *context, enum fake_call call)
{
    uint64_t control = take(context, 1);

    (void)call;
    return control < 0xE0 ? STATUS_SUCCESS : any_status(control);
}

/* Changes 1, 2, 4 or 8 bytes of an answer, what it says it returned, or whether it succeeded. */
static NTSTATUS lie(void *context, enum fake_call call, void *buffer, SIZE_T size, ULONG *returned)
{
    uint64_t control = take(context, 1);

    (void)call;
    for (uint64_t i = 0; i < (control & 3); i++) {
        SIZE_T width = (SIZE_T)1 << (control >> 2 & 3), where = take(context, 2);
        uint64_t value = take(context, width);

        if (width <= size)
            memcpy((char *)buffer + where % (size - width + 1), &value, width);
    }
    if (control & 0x10 && returned)
        *returned = (ULONG)take(context, 4);
    return control & 0x20 ? any_status(take(context, 1)) : STATUS_SUCCESS;
}

/* An image whose header is the fuzzer's to write. */
static void add_image(struct fake_process *process, struct input *input)
{
    static unsigned char page[0x1000];
    struct fake_region *region =
        fake_region_add(process, 0x140000000, 0x3000, MEM_COMMIT, PAGE_READONLY, MEM_IMAGE);
    size_t size = take(input, 1);

    memset(page, 0, sizeof(page));
    memcpy(page, "MZ", 2);
    page[0x3C] = 0x40;
    memcpy(page + 0x40, "PE\0", 4);
    page[0x58] = 0x0B;
    page[0x59] = 0x02;
    for (size_t i = 0; i < size; i++)
        page[0x3C + i] ^= (unsigned char)take(input, 1);
    region->bytes = page;
    region->bytes_size = sizeof(page);
    region->file_name = FAKE_TEXT(L"\\Device\\HarddiskVolume1\\image.exe");
}

static struct fake_process *build(struct input *input)
{
    static const uint32_t trace[4] = {1, 2, 3, 4};
    struct fake_process *process = fake_process_add(2000);

    fake_thread_add(process, 2004)->name = FAKE_TEXT(L"main");
    fake_thread_end(fake_thread_add(process, 2008), 1);
    fake_region_add(process, 0x10000, 0x1000, MEM_COMMIT, PAGE_READWRITE, MEM_PRIVATE);
    fake_region_add(process, 0x7FFE0000, 0x1000, MEM_COMMIT, PAGE_READONLY, MEM_PRIVATE);
    add_image(process, input);
    process->image_name = FAKE_TEXT(L"C:\\target.exe");
    process->trace = trace;
    process->trace_size = sizeof(trace);
    for (enum fake_type type = FAKE_MUTANT; type < FAKE_TYPE_COUNT; type++) {
        struct fake_object *object = fake_object_add(type);

        object->name = FAKE_TEXT(L"\\name");
        object->query_access = type & 1;
        fake_handle_open(process, object, GENERIC_READ, 0);
    }
    fake_handle_open(process, &process->object, PROCESS_ALL_ACCESS, 0);
    fake_handle_open(process, &process->threads[0]->object, THREAD_ALL_ACCESS, 0);
    return process;
}

static void check(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "fuzz_capture.c: %s\n", what);
    abort();
}

static void use(HPSS snapshot)
{
    const struct pss_block *block = (const struct pss_block *)snapshot;

    check(NT_SUCCESS(pss_block_validate(block, block->size)), "the block is not sound");
    block_use(snapshot);
    check(NT_SUCCESS(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, snapshot)),
          "the snapshot cannot be freed");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    uint32_t flags = (uint32_t)take(&input, 4) & ~UNSUPPORTED_FLAGS;
    uint32_t context_flags = (uint32_t)take(&input, 4), kind = (uint32_t)take(&input, 1);
    HPSS snapshot = NULL;
    HANDLE handle = PSS_CURRENT_PROCESS;
    struct fake_process *process;
    NTSTATUS status;

    fake_init();
    fake.memory_budget = MEMORY_BUDGET;
    fake.mixes_up_times = kind & 1;
    fake.reverses_handles = kind >> 1 & 1;
    fake.has_xstate = kind >> 2 & 1;
    process = build(&input);
    if (!(kind & 8))
        handle = fake_handle_open(fake.own, &process->object, PROCESS_ALL_ACCESS, 0);
    fake.refuse = refuse;
    fake.lie = lie;
    fake.context = &input;
    status = pss_snapshot_capture(fake_nt(), handle, flags, context_flags, &snapshot);
    fake.refuse = NULL;
    fake.lie = NULL;
    check(NT_SUCCESS(status) == (snapshot != NULL), "a snapshot without success, or none with it");
    if (snapshot)
        use(snapshot);
    check(fake_ledger_is_zero(), "something is left");
    fake_fini();
    return 0;
}
