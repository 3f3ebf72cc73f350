/* SPDX-License-Identifier: MIT */
/* The board of api_churn: who does what, what went wrong, and who makes no progress any more. */
#include "churn.h"

#include "nt_calls.h"
#include "pattern.h"
#include "random.h"

/* A thread hangs after so many looks without a step of its own ... */
#define LOOKS_LIMIT 240u
/* ... in which the others made so many captures and threads. */
#define OTHERS_LIMIT 500

static const char *const roles[CHURN_ROLES] = {
    [CHURN_NOBODY] = "nobody",
    [CHURN_THREADS] = "starts and ends threads",
    [CHURN_DLLS] = "loads and frees DLLs",
    [CHURN_MEMORY] = "allocates and frees memory",
    [CHURN_FILES] = "maps and unmaps files",
    [CHURN_HANDLES] = "opens and closes handles",
    [CHURN_SELF] = "captures its own process",
    [CHURN_FOREIGN] = "captures the other process",
    [CHURN_MAIN] = "main thread",
};

static const char *const steps[CHURN_STEPS] = {
    [CHURN_BEGINS] = "begins",
    [CHURN_CAPTURES] = "captures with flags",
    [CHURN_CHECKS] = "checks the snapshot of flags",
    [CHURN_DUPLICATES] = "duplicates",
    [CHURN_DUPLICATES_BACK] = "duplicates back",
    [CHURN_FREES] = "frees",
    [CHURN_FREES_THERE] = "frees in the other process",
    [CHURN_STARTS_THREAD] = "starts a thread",
    [CHURN_WAITS_FOR_THREAD] = "waits for the end of thread",
    [CHURN_ENDS_THREAD] = "ends from outside thread",
    [CHURN_LOADS] = "loads DLL",
    [CHURN_UNLOADS] = "frees DLL",
    [CHURN_ALLOCATES] = "allocates",
    [CHURN_PROTECTS] = "protects",
    [CHURN_RELEASES] = "frees memory",
    [CHURN_WRITES_FILE] = "writes a file",
    [CHURN_MAPS] = "maps",
    [CHURN_UNMAPS] = "unmaps",
    [CHURN_OPENS] = "opens a handle of kind",
    [CHURN_COPIES] = "duplicates a handle",
    [CHURN_CLOSES] = "closes a handle",
    [CHURN_WAITS] = "waits for",
};

struct churn_slot *churn_enter(struct churn_board *board, enum churn_role role)
{
    for (unsigned i = 0; i < CHURN_SLOTS; i++) {
        struct churn_slot *slot = &board->slots[i];

        if (InterlockedCompareExchange(&slot->role, role, CHURN_NOBODY) != CHURN_NOBODY)
            continue;
        slot->step = CHURN_BEGINS;
        slot->value = 0;
        slot->rounds = 0;
        slot->thread_id = GetCurrentThreadId();
        slot->pid = GetCurrentProcessId();
        InterlockedIncrement64(&slot->steps);
        return slot;
    }
    abort(); /* CHURN_SLOTS are too few */
}

void churn_start(struct churn_worker *worker, enum churn_role role, LPTHREAD_START_ROUTINE run)
{
    worker->slot = churn_enter(worker->board, role);
    worker->random =
        pattern_word(worker->board->seed, (uint64_t)(worker->slot - worker->board->slots));
    worker->thread = CreateThread(NULL, 0, run, worker, 0, &worker->slot->thread_id);
    if (!worker->thread)
        churn_fail(worker->board, "no thread that %s: error %lu", roles[role], GetLastError());
}

void churn_end(struct churn_worker *worker)
{
    InterlockedExchange(&worker->slot->role, CHURN_NOBODY);
}

void churn_step(struct churn_worker *worker, enum churn_step step, LONG value)
{
    worker->slot->step = step;
    worker->slot->value = value;
    InterlockedIncrement64(&worker->slot->steps);
}

uint32_t churn_below(struct churn_worker *worker, uint32_t limit)
{
    return (uint32_t)(random_step(&worker->random) >> 11) % limit;
}

/* A number of a format, the same in both processes; not 0. */
static LONG kind_of(const char *format)
{
    uint32_t kind = 1;

    while (*format)
        kind = kind * 31 + (unsigned char)*format++;
    return kind ? (LONG)kind : 1;
}

void churn_fail(struct churn_board *board, const char *format, ...)
{
    LONG kind = kind_of(format);
    va_list arguments;

    InterlockedIncrement(&board->failures);
    for (unsigned i = 0; i < CHURN_FAILURES; i++) {
        struct churn_failure *failure = &board->failure[i];
        LONG found = InterlockedCompareExchange(&failure->kind, kind, 0);

        if (found && found != kind)
            continue;
        InterlockedIncrement(&failure->count);
        if (found)
            return;
        va_start(arguments, format);
        vsnprintf(failure->text, CHURN_TEXT, format, arguments);
        va_end(arguments);
        return;
    }
}

void churn_print_failures(const struct churn_board *board)
{
    for (unsigned i = 0; i < CHURN_FAILURES && board->failure[i].kind; i++)
        print_error("%ld times, first: %s\n", board->failure[i].count, board->failure[i].text);
}

#define TYPE_NAME(name, type) L## #name,

const WCHAR *churn_type_name(enum churn_kind kind)
{
    static const WCHAR *const names[] = {CHURN_KINDS(TYPE_NAME)};

    return names[kind];
}

/* ---- The watch ---- */

/* Notes whether a thread has made a step since the last look; whether it is still for long. */
static bool is_still(struct churn_watch *watch, const struct churn_board *board, unsigned index,
                     LONG others)
{
    if (board->slots[index].steps != watch->seen[index]) {
        watch->seen[index] = board->slots[index].steps;
        watch->others[index] = others;
        watch->looks[index] = 0;
    }
    return watch->looks[index]++ >= LOOKS_LIMIT;
}

/* A main thread waits for the others: that alone is no hang. */
bool churn_hangs(struct churn_watch *watch, const struct churn_board *board)
{
    LONG others = board->captures + board->threads;
    bool is_left_behind = false, are_all_still = true;

    for (unsigned i = 0; i < CHURN_SLOTS; i++) {
        LONG role = board->slots[i].role;
        bool is_now_still = is_still(watch, board, i, others);

        if (role == CHURN_NOBODY)
            continue;
        are_all_still &= is_now_still;
        is_left_behind |=
            is_now_still && role != CHURN_MAIN && others - watch->others[i] >= OTHERS_LIMIT;
    }
    return is_left_behind || are_all_still;
}

/* How often a thread is suspended; -1 where that cannot be told. */
static LONG suspensions(DWORD thread_id)
{
    HANDLE thread = thread_id == GetCurrentThreadId()
                        ? NULL
                        : OpenThread(THREAD_SUSPEND_RESUME, FALSE, thread_id);
    DWORD before = thread ? SuspendThread(thread) : (DWORD)-1;

    if (before != (DWORD)-1)
        ResumeThread(thread);
    if (thread)
        CloseHandle(thread);
    return (LONG)before;
}

void churn_print(const struct churn_watch *watch, const struct churn_board *board)
{
    for (unsigned i = 0; i < CHURN_SLOTS; i++) {
        const struct churn_slot *slot = &board->slots[i];

        if (slot->role == CHURN_NOBODY)
            continue;
        print_error("%s thread %04lx, %s: %s 0x%lx; round %ld, step %lld, still for %u looks, "
                    "suspended %ld times\n",
                    slot->pid == board->pid ? "captured" : "capturing", slot->thread_id,
                    roles[slot->role], steps[slot->step], slot->value, slot->rounds, slot->steps,
                    watch->looks[i], suspensions(slot->thread_id));
    }
}
