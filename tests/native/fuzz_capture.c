/* SPDX-License-Identifier: MIT */
/* Fuzzes the capture: the input says what is captured, and where and how the kernel lies. */
#include "block_walk.h"

#include "pss.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE              0x1000u
#define UNSUPPORTED_FLAGS 0x03FF8000u /* undefined ones */
#define MEMORY_BUDGET     0x4000000u  /* bytes; of the library, and of carriers */

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

static const struct fake_text image_name = {L"\\??\\C:\\image.exe", 30};

/* The header of an image is the fuzzer's to write. */
static const unsigned char *make_header(struct input *input)
{
    static unsigned char page[PAGE];
    size_t size = take(input, 1);

    memset(page, 0, sizeof(page));
    memcpy(page, "MZ", 2);
    page[0x3C] = 0x40;
    memcpy(page + 0x40, "PE\0", 4);
    page[0x58] = 0x0B;
    page[0x59] = 0x02;
    for (size_t i = 0; i < size; i++)
        page[0x3C + i] ^= (unsigned char)take(input, 1);
    return page;
}

static struct fake_region part(uint32_t page, DWORD protect, const unsigned char *bytes)
{
    struct fake_region region = {0};

    region.basic.BaseAddress = (void *)(ULONG_PTR)(page * PAGE);
    region.basic.RegionSize = PAGE;
    region.basic.Protect = protect;
    region.bytes = bytes;
    region.bytes_size = bytes ? PAGE : 0;
    return region;
}

/* The file of an image of three pages. */
static void make_image(struct input *input)
{
    static struct fake_region parts[3];
    static struct fake_image image;
    const unsigned char *header = make_header(input);

    parts[0] = part(0, PAGE_READONLY, header);
    parts[1] = part(1, PAGE_EXECUTE_READ, header);
    parts[2] = part(2, PAGE_WRITECOPY, NULL);
    image = (struct fake_image){image_name, 0x140000000, parts, 3, 0};
    fake.images = &image;
    fake.image_count = 1;
}

/* A process like a new one, with some memory behind everything. */
static void furnish(struct fake_process *process, struct input *input)
{
    if (!fake.images)
        make_image(input);
    process->nt_image_name = image_name;
    fake_process_furnish(process);
    fake_region_add(process, 0x200000000, 0x8000, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD,
                    MEM_PRIVATE);
    fake_write(process, 0x200001000, "bytes", 5);
}

static struct fake_process *build(struct input *input)
{
    static const uint32_t trace[4] = {1, 2, 3, 4};
    struct fake_process *process = fake_process_add(2000);

    fake_thread_add(process, 2004)->name = FAKE_TEXT(L"main");
    fake_thread_end(fake_thread_add(process, 2008), 1);
    furnish(process, input);
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

/* What a thread that hangs for good keeps is its own; for anything else there is no excuse. */
static int is_all_given_back(void)
{
    struct fake_ledger ledger = fake_ledger_now();

    if (ledger.threads && !ledger.carriers && !ledger.suspensions && !ledger.bad_closes)
        return 1;
    return fake_ledger_is_zero();
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
    fake.has_native_clones = kind >> 4 & 1;
    fake.has_memory_files = !(kind >> 5 & 1);
    fake.files_read_short = kind >> 6 & 1;
    fake.commit_budget = MEMORY_BUDGET;
    process = build(&input);
    if (kind & 8)
        furnish(fake.own, &input);
    else
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
    check(is_all_given_back(), "something is left");
    fake_fini();
    return 0;
}
