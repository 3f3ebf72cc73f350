/* SPDX-License-Identifier: MIT */
/* The process in which everything comes and goes, captured from within and from outside. */
#include "churn.h"

#include "ledger.h"
#include "pattern.h"
#include "under_test.h"

#define CHURNERS  8
#define CAPTURERS 5
#define WORKERS   (CHURNERS + CAPTURERS)
#define WARM_UP   3 /* rounds */

static const enum churn_role cast[CHURNERS] = {
    CHURN_THREADS, CHURN_THREADS, CHURN_DLLS,    CHURN_MEMORY,
    CHURN_MEMORY,  CHURN_FILES,   CHURN_HANDLES, CHURN_HANDLES,
};

/* What stays while all else changes. */
struct settled {
    HANDLE threads[CHURN_WAITERS];
    HANDLE stop, begun;
    uint64_t tebs[CHURN_WAITERS];
};

struct waiter {
    struct settled *settled;
    uint64_t teb;
};

static DWORD WINAPI run_waiter(void *argument)
{
    struct waiter *waiter = (struct waiter *)argument;
    HANDLE stop = waiter->settled->stop;

    waiter->teb = address_of(NtCurrentTeb());
    SetEvent(waiter->settled->begun);
    return WaitForSingleObject(stop, INFINITE);
}

static void start_waiters(struct churn_board *board, struct settled *settled)
{
    settled->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    settled->begun = CreateEventW(NULL, FALSE, FALSE, NULL);
    for (int i = 0; i < CHURN_WAITERS; i++) {
        struct waiter waiter = {settled, 0};

        settled->threads[i] =
            CreateThread(NULL, 0, run_waiter, &waiter, 0, (DWORD *)&board->waiters[i]);
        WaitForSingleObject(settled->begun, INFINITE);
        board->waiter_tebs[i] = waiter.teb;
    }
}

/* They run: nobody has left them suspended. */
static void stop_waiters(struct churn_board *board, struct settled *settled)
{
    for (int i = 0; i < CHURN_WAITERS; i++) {
        DWORD before = SuspendThread(settled->threads[i]);

        ResumeThread(settled->threads[i]);
        if (before)
            churn_fail(board, "a thread that waits is left suspended %lu times", before);
    }
    SetEvent(settled->stop);
    for (int i = 0; i < CHURN_WAITERS; i++) {
        WaitForSingleObject(settled->threads[i], INFINITE);
        CloseHandle(settled->threads[i]);
    }
    CloseHandle(settled->begun);
    CloseHandle(settled->stop);
}

static void open_objects(struct churn_worker *worker)
{
    struct churn_object *object = worker->board->objects;

    for (int named = 0; named < 2; named++)
        for (LONG kind = 0; kind < (named ? CHURN_NAMED_KINDS : CHURN_KIND_COUNT); kind++) {
            HANDLE handle = churn_open(worker, (enum churn_kind)kind, named != 0);

            *object++ = (struct churn_object){address_of(handle), kind, named};
        }
}

static void close_objects(struct churn_board *board)
{
    for (int i = 0; i < 2 * CHURN_KIND_COUNT; i++)
        if (board->objects[i].handle)
            CloseHandle((HANDLE)(uintptr_t)board->objects[i].handle);
}

static void fill_pattern(struct churn_board *board)
{
    uint64_t *words =
        (uint64_t *)VirtualAlloc(NULL, CHURN_PATTERN, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    for (unsigned i = 0; words && i < CHURN_PATTERN / sizeof(*words); i++)
        words[i] = pattern_word(CHURN_SEED, i);
    board->pattern = address_of(words);
}

/* ---- Crashes ---- */

static struct churn_board *crash_board;

static LONG WINAPI note_crash(EXCEPTION_POINTERS *exception)
{
    const EXCEPTION_RECORD *record = exception->ExceptionRecord;
    char path[MAX_PATH] = "no module";
    HMODULE module = NULL;

    if (GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                               GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                           (const char *)record->ExceptionAddress, &module))
        GetModuleFileNameA(module, path, MAX_PATH);
    churn_fail(crash_board, "thread %04lx: exception 0x%lx at 0x%llx of %s", GetCurrentThreadId(),
               record->ExceptionCode,
               (unsigned long long)(address_of(record->ExceptionAddress) - address_of(module)),
               path);
    return EXCEPTION_EXECUTE_HANDLER;
}

/* ---- The cast ---- */

static void start_all(struct churn_board *board, HANDLE parent, DWORD rounds,
                      struct churn_worker workers[WORKERS])
{
    board->stops = 0;
    for (int i = 0; i < WORKERS; i++) {
        enum churn_role role = i < CHURNERS ? cast[i] : CHURN_SELF;

        workers[i] = (struct churn_worker){.board = board, .other = parent, .rounds = rounds};
        churn_start(&workers[i], role, churn_routine(role));
    }
}

static void wait_for(struct churn_worker *main_worker, struct churn_worker *worker)
{
    churn_step(main_worker, CHURN_WAITS, (LONG)worker->slot->thread_id);
    WaitForSingleObject(worker->thread, INFINITE);
    CloseHandle(worker->thread);
}

static void wait_for_captures(struct churn_worker *main_worker, struct churn_worker *workers)
{
    for (int i = CHURNERS; i < WORKERS; i++)
        wait_for(main_worker, &workers[i]);
}

/* After all captures everybody still gets on: the watch of the other process sees to it. */
static void see_steps(struct churn_worker *main_worker, struct churn_worker *worker)
{
    LONGLONG before = worker->slot->steps;

    churn_step(main_worker, CHURN_WAITS, (LONG)worker->slot->thread_id);
    while (worker->slot->steps <= before + 2)
        SwitchToThread();
}

static void stop_all(struct churn_worker *main_worker, struct churn_worker *workers)
{
    for (int i = 0; i < CHURNERS; i++)
        see_steps(main_worker, &workers[i]);
    main_worker->board->stops = 1;
    for (int i = 0; i < CHURNERS; i++)
        wait_for(main_worker, &workers[i]);
}

static HANDLE handle_of(const char *text)
{
    return (HANDLE)(uintptr_t)strtoull(text, NULL, 10);
}

/* Handles of: the board's section, the event "ready", the event "finish", the other process. */
int churn_child(char **handles)
{
    struct churn_board *board =
        (struct churn_board *)MapViewOfFile(handle_of(handles[0]), FILE_MAP_WRITE, 0, 0, 0);
    HANDLE parent = handle_of(handles[3]);
    struct churn_worker workers[WORKERS], self = {.board = board, .other = parent, .random = 1};
    struct settled settled = {0};

    crash_board = board;
    SetUnhandledExceptionFilter(note_crash);
    self.slot = churn_enter(board, CHURN_MAIN);
    board->pid = GetCurrentProcessId();
    start_waiters(board, &settled);
    open_objects(&self);
    fill_pattern(board);
    start_all(board, parent, WARM_UP, workers);
    wait_for_captures(&self, workers);
    stop_all(&self, workers);

    ledger_open(NULL);
    LONG ended = board->ended_threads;
    start_all(board, parent, board->rounds, workers);
    SetEvent(handle_of(handles[1]));
    wait_for_captures(&self, workers);
    WaitForSingleObject(handle_of(handles[2]), INFINITE);
    stop_all(&self, workers);
    ledger_forgive_ended_threads((DWORD)(board->ended_threads - ended));
    if (board->timeouts)
        ledger_forgive_stuck_queries();
    if (ledger_close(NULL))
        churn_fail(board, "something is left in the process that was captured");
    stop_waiters(board, &settled);
    close_objects(board);
    churn_end(&self);
    return board->failures != 0;
}
