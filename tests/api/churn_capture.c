/* SPDX-License-Identifier: MIT */
/* A thread that captures the process in which everything comes and goes, with other flags each
 * time. */
#include "churn.h"

#include "under_test.h"

#define CLONE_EACH     12 /* captures; a clone is a process */
#define DUPLICATE_EACH 4
#define TRIES          20

/* Each flag comes with every other capture. */
static const DWORD flags_to_mix[] = {
    PSS_CAPTURE_RESERVED_00000002,
    PSS_CAPTURE_HANDLES,
    PSS_CAPTURE_HANDLE_NAME_INFORMATION,
    PSS_CAPTURE_HANDLE_BASIC_INFORMATION,
    PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION,
    PSS_CAPTURE_HANDLE_TRACE,
    PSS_CAPTURE_THREADS,
    PSS_CAPTURE_THREAD_CONTEXT,
    PSS_CAPTURE_THREAD_CONTEXT_EXTENDED,
    PSS_CAPTURE_VA_SPACE,
    PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION,
    PSS_CREATE_BREAKAWAY_OPTIONAL,
    PSS_CREATE_USE_VM_ALLOCATIONS,
    PSS_CREATE_MEASURE_PERFORMANCE,
};

/*
 * Suspending threads that run is enough to end a 32-bit process under Wine (8.0), with no capture
 * at all: registers are lost on the way between its 32-bit and its 64-bit code.
 */
static bool can_freeze(void)
{
    return sizeof(void *) == 8 || !under_test_on_wine();
}

static DWORD mix_flags(struct churn_worker *worker)
{
    DWORD flags = 0;

    for (size_t i = 0; i < sizeof(flags_to_mix) / sizeof(flags_to_mix[0]); i++)
        if (churn_below(worker, 2))
            flags |= flags_to_mix[i];
    if (!churn_below(worker, CLONE_EACH))
        flags |= PSS_CAPTURE_VA_CLONE;
    if (!can_freeze())
        flags &= ~(DWORD)(PSS_CAPTURE_THREAD_CONTEXT | PSS_CAPTURE_VA_CLONE);
    return flags;
}

static DWORD mix_context_flags(struct churn_worker *worker)
{
    static const DWORD choices[] = {CONTEXT_ALL, CONTEXT_FULL, CONTEXT_CONTROL,
                                    CONTEXT_INTEGER | CONTEXT_FLOATING_POINT};

    return choices[churn_below(worker, sizeof(choices) / sizeof(choices[0]))];
}

/* What the calls may answer while everybody lives: success, or that something took too long. */
static bool succeeded(struct churn_worker *worker, const char *what, DWORD flags, DWORD error)
{
    if (error == ERROR_SEM_TIMEOUT || error == ERROR_OPERATION_ABORTED)
        InterlockedIncrement(&worker->board->timeouts);
    else if (error)
        churn_fail(worker->board, "%s, flags 0x%lx: error %lu", what, flags, error);
    return !error;
}

static void free_here(struct churn_worker *worker, HPSS snapshot, DWORD flags)
{
    churn_step(worker, CHURN_FREES, (LONG)flags);
    succeeded(worker, "free", flags, pss.free(GetCurrentProcess(), snapshot));
}

/* What took too long is tried again, or was done all the same. */
static void free_there(struct churn_worker *worker, HPSS snapshot, DWORD flags)
{
    DWORD error = ERROR_SEM_TIMEOUT;

    churn_step(worker, CHURN_FREES_THERE, (LONG)flags);
    for (unsigned i = 0; i < TRIES && error == ERROR_SEM_TIMEOUT; i++) {
        error = pss.free(worker->other, snapshot);
        if (i && error == ERROR_INVALID_HANDLE)
            return;
        succeeded(worker, "free from outside", flags, error);
    }
}

/* To the other process and back; the one there is freed from here. */
static void travel(struct churn_worker *worker, HPSS snapshot, DWORD flags)
{
    HANDLE self = GetCurrentProcess();
    HPSS there = NULL, back = NULL;

    churn_step(worker, CHURN_DUPLICATES, (LONG)flags);
    if (!succeeded(worker, "duplicate", flags,
                   pss.duplicate(self, snapshot, worker->other, &there, 0)))
        return;
    InterlockedIncrement(&worker->board->duplicates);
    churn_step(worker, CHURN_DUPLICATES_BACK, (LONG)flags);
    if (succeeded(worker, "duplicate back", flags,
                  pss.duplicate(worker->other, there, self, &back, 0))) {
        churn_check(worker, back, flags);
        free_here(worker, back, flags);
    }
    free_there(worker, there, flags);
}

static void duplicate_here(struct churn_worker *worker, HPSS snapshot, DWORD flags)
{
    HANDLE self = GetCurrentProcess();
    HPSS copy = NULL;

    churn_step(worker, CHURN_DUPLICATES, (LONG)flags);
    if (!succeeded(worker, "duplicate in the process", flags,
                   pss.duplicate(self, snapshot, self, &copy, 0)))
        return;
    InterlockedIncrement(&worker->board->duplicates);
    churn_check(worker, copy, flags);
    free_here(worker, copy, flags);
}

static uint64_t sum_text(const WCHAR *text, WORD length)
{
    uint64_t sum = length;

    for (WORD i = 0; text && i < length / sizeof(WCHAR); i++)
        sum = sum * 31 + text[i];
    return sum;
}

/* What a walk points at outlives the snapshot. */
static void free_while_walking(struct churn_worker *worker, HPSS snapshot, DWORD flags)
{
    PSS_HANDLE_ENTRY entry;
    HPSSWALK marker = NULL;

    if (!under_test_is_ours() || pss.marker_create(NULL, &marker)) {
        free_here(worker, snapshot, flags);
        return;
    }
    bool is_there = !pss.walk(snapshot, PSS_WALK_HANDLES, marker, &entry, sizeof(entry));
    uint64_t sum = is_there ? sum_text(entry.TypeName, entry.TypeNameLength) : 0;

    free_here(worker, snapshot, flags);
    if (is_there && sum_text(entry.TypeName, entry.TypeNameLength) != sum)
        churn_fail(worker->board, "a text has changed with the free of its snapshot");
    if (pss.marker_free(marker))
        churn_fail(worker->board, "a marker cannot be freed");
}

static void capture_once(struct churn_worker *worker, HANDLE process)
{
    DWORD flags = mix_flags(worker);
    HPSS snapshot = NULL;

    churn_step(worker, CHURN_CAPTURES, (LONG)flags);
    if (!succeeded(worker, "capture", flags,
                   pss.capture(process, flags, mix_context_flags(worker), &snapshot)))
        return;
    InterlockedIncrement(&worker->board->captures);
    if (flags & PSS_CAPTURE_VA_CLONE)
        InterlockedIncrement(&worker->board->clones);
    churn_check(worker, snapshot, flags);
    if (!churn_below(worker, DUPLICATE_EACH)) {
        if (churn_below(worker, 2))
            travel(worker, snapshot, flags);
        else
            duplicate_here(worker, snapshot, flags);
    }
    free_while_walking(worker, snapshot, flags);
}

DWORD WINAPI churn_capture(void *argument)
{
    struct churn_worker *worker = (struct churn_worker *)argument;
    HANDLE process = worker->slot->role == CHURN_SELF ? GetCurrentProcess() : worker->other;

    for (DWORD i = 0; i < worker->rounds; i++) {
        capture_once(worker, process);
        worker->slot->rounds++;
    }
    churn_end(worker);
    return 0;
}
