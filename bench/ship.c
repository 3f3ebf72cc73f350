/* SPDX-License-Identifier: MIT */
/* Ships snapshots made to a size to another process, in turn with a plain write of their bytes. */
#include "ship.h"

#include "api/api.h"
#include "fail.h"
#include "nt/nt.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>

#define SPEED_AIM  0.9
#define CALL_LIMIT 5u /* beyond one per owned handle, of which these snapshots have none */

const char ship_ours_text[] = "duplicate a snapshot in another process";
const char ship_theirs_text[] = "WriteProcessMemory of as many bytes into memory allocated before";

const struct ship_case ship_cases[] = {
    {"ship-1k", 0x400, 0, CALL_LIMIT},
    {"ship-1m", 0x100000, SPEED_AIM, 0},
    {"ship-64m", 0x4000000, SPEED_AIM, 0},
};
const unsigned ship_case_count = sizeof ship_cases / sizeof ship_cases[0];

static void require(const char *function, NTSTATUS status)
{
    if (!NT_SUCCESS(status))
        fail(function, pss_nt_win32_error(status));
}

/* ---- A system that counts ---- */

static unsigned calls; /* atomic: some are made by a thread of the library */

/* A service that counts its calls. */
#define COUNTED(service, parameters, arguments)          \
    static NTSTATUS NTAPI count_##service parameters     \
    {                                                    \
        __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED); \
        return pss_nt_system()->service arguments;       \
    }

COUNTED(query_process, (HANDLE a, ULONG b, void *c, ULONG d, ULONG *e), (a, b, c, d, e))
COUNTED(query_object, (HANDLE a, ULONG b, void *c, ULONG d, ULONG *e), (a, b, c, d, e))
COUNTED(query_memory, (HANDLE a, void *b, ULONG c, void *d, SIZE_T e, SIZE_T *f),
        (a, b, c, d, e, f))
COUNTED(read_memory, (HANDLE a, const void *b, void *c, SIZE_T d, SIZE_T *e), (a, b, c, d, e))
COUNTED(write_memory, (HANDLE a, void *b, const void *c, SIZE_T d, SIZE_T *e), (a, b, c, d, e))
COUNTED(allocate_memory, (HANDLE a, void **b, ULONG_PTR c, SIZE_T *d, ULONG e, ULONG f),
        (a, b, c, d, e, f))
COUNTED(free_memory, (HANDLE a, void **b, SIZE_T *c, ULONG d), (a, b, c, d))
COUNTED(create_thread,
        (HANDLE * a, ACCESS_MASK b, OBJECT_ATTRIBUTES *c, HANDLE d, void *e, void *f, ULONG g,
         SIZE_T h, SIZE_T i, SIZE_T j, void *k),
        (a, b, c, d, e, f, g, h, i, j, k))
COUNTED(terminate_thread, (HANDLE a, NTSTATUS b), (a, b))
COUNTED(wait, (HANDLE a, BOOLEAN b, LARGE_INTEGER *c), (a, b, c))
COUNTED(duplicate, (HANDLE a, HANDLE b, HANDLE c, HANDLE *d, ACCESS_MASK e, ULONG f, ULONG g),
        (a, b, c, d, e, f, g))
COUNTED(close, (HANDLE a), (a))

/*
 * Any other service is missing: a duplicate that used one would end the bench, and not go
 * uncounted. Lives as long as the program, as the library wants it.
 */
static struct pss_nt counting = {
    .query_process = count_query_process,
    .query_object = count_query_object,
    .query_memory = count_query_memory,
    .read_memory = count_read_memory,
    .write_memory = count_write_memory,
    .allocate_memory = count_allocate_memory,
    .free_memory = count_free_memory,
    .create_thread = count_create_thread,
    .terminate_thread = count_terminate_thread,
    .wait = count_wait,
    .duplicate = count_duplicate,
    .close = count_close,
};

static const struct pss_nt *counting_system(void)
{
    counting.current_id = pss_nt_system()->current_id; /* no system calls */
    counting.read_tsc = pss_nt_system()->read_tsc;
    return &counting;
}

/* ---- The sides ---- */

/* What both work on. */
struct dock {
    struct target target;
    const struct pss_block *block; /* of the snapshot, which owns it */
};

/* A snapshot of about that many bytes: the process record, and data. */
static const struct pss_block *make_snapshot(size_t bytes)
{
    const struct pss_nt *nt = pss_nt_system();
    const size_t rest = sizeof(struct pss_block) + sizeof(struct pss_process_record) +
                        2 * PSS_SECTION_ALIGNMENT + PSS_DATA_ALIGNMENT;
    struct pss_builder builder = {0};
    uint32_t size = (uint32_t)(bytes > rest ? bytes - rest : 1), offset;
    struct pss_process_record *process;
    struct pss_block *block;

    require("pss_builder_append", pss_builder_append(nt, &builder, PSS_SECTION_PROCESS, &process));
    process->process_id = GetCurrentProcessId();
    pss_builder_begin(&builder, PSS_SECTION_DATA);
    require("pss_builder_data", pss_builder_data(nt, &builder, size, &offset));
    memset(pss_builder_record(&builder, PSS_SECTION_DATA, offset), 0x5A, size);
    require("pss_builder_seal", pss_builder_seal(nt, &builder, &block));
    pss_builder_fini(nt, &builder);
    require("pss_snapshot_insert", pss_snapshot_insert(nt, block));
    return block;
}

static HPSS duplicate(const struct pss_nt *nt, const struct dock *dock)
{
    const struct pss_duplication what = {
        .source = GetCurrentProcess(),
        .target = dock->target.process,
        .snapshot = (HPSS)dock->block,
    };
    HPSS made;

    require("pss_snapshot_duplicate", pss_snapshot_duplicate(nt, &what, &made));
    return made;
}

static void free_duplicate(const struct dock *dock, HPSS made)
{
    require("pss_snapshot_free", pss_snapshot_free(pss_nt_system(), dock->target.process, made));
}

static double run_ours(const struct dock *dock)
{
    double start = now_in_microseconds(), time;
    HPSS made = duplicate(pss_nt_system(), dock);

    time = now_in_microseconds() - start;
    free_duplicate(dock, made);
    return time;
}

/* Into fresh memory, as ours is. */
static double run_theirs(const struct dock *dock)
{
    HANDLE process = dock->target.process;
    void *memory =
        VirtualAllocEx(process, NULL, dock->block->size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    double start, time;

    if (memory == NULL)
        fail_last("VirtualAllocEx");
    start = now_in_microseconds();
    if (!WriteProcessMemory(process, memory, dock->block, dock->block->size, NULL))
        fail_last("WriteProcessMemory");
    time = now_in_microseconds() - start;
    if (!VirtualFreeEx(process, memory, 0, MEM_RELEASE))
        fail_last("VirtualFreeEx");
    return time;
}

/* The side that goes first changes, for the second may find things warm. */
static void run_pair(const struct dock *dock, unsigned turn, double *ours, double *theirs)
{
    if (turn % 2 == 0)
        *ours = run_ours(dock);
    *theirs = run_theirs(dock);
    if (turn % 2 != 0)
        *ours = run_ours(dock);
}

static unsigned count_calls(const struct dock *dock)
{
    HPSS made;

    __atomic_store_n(&calls, 0, __ATOMIC_RELAXED);
    made = duplicate(counting_system(), dock);
    free_duplicate(dock, made);
    return __atomic_load_n(&calls, __ATOMIC_RELAXED);
}

/* ---- All of it ---- */

static void run_pairs(const struct dock *dock, unsigned repeat, struct ship_result *result)
{
    double *ours = allocate(repeat, sizeof *ours), *theirs = allocate(repeat, sizeof *theirs);
    double *ratios = allocate(repeat, sizeof *ratios);

    run_pair(dock, 0, &ours[0], &theirs[0]);
    for (unsigned i = 0; i < repeat; i++) {
        run_pair(dock, i, &ours[i], &theirs[i]);
        ratios[i] = theirs[i] / ours[i];
    }
    result->ours = summarise(ours, repeat);
    result->theirs = summarise(theirs, repeat);
    result->speed_ratio = summarise(ratios, repeat).median;
    free(ours);
    free(theirs);
    free(ratios);
}

void ship_measure(const struct ship_case *subject, unsigned repeat, struct ship_result *result)
{
    const struct target_needs needs = {0};
    struct dock dock;

    target_start(&needs, &dock.target);
    dock.block = make_snapshot(subject->bytes);
    *result = (struct ship_result){.subject = subject, .bytes = dock.block->size};
    run_pairs(&dock, repeat, result);
    result->calls = count_calls(&dock);
    require("pss_snapshot_free",
            pss_snapshot_free(pss_nt_system(), GetCurrentProcess(), (HPSS)dock.block));
    target_end(&dock.target);
}

int is_ship_aim_met(const struct ship_result *result)
{
    const struct ship_case *subject = result->subject;

    return result->speed_ratio >= subject->speed_aim &&
           (subject->call_limit == 0 || result->calls <= subject->call_limit);
}
