/* SPDX-License-Identifier: MIT */
/* A process in which threads, DLLs, memory, views and handles come and go is captured by many
 * threads, its own and another process's: nothing hangs, nothing is wrong, nothing is left. */
#include "churn.h"

#include "ledger.h"
#include "random.h"
#include "soak.h"
#include "tally.h"
#include "target.h"
#include "under_test.h"

#define CAPTURERS 5
#define LOOK_MS   500
#define OPTION    "--churn"

/* One run of the stress: a child, and the threads that capture it. */
struct run {
    struct churn_board *board;           /* owned view */
    HANDLE section, ready, finish, self; /* owned; the child inherits them */
    HANDLE child;                        /* owned */
    struct churn_slot *slot;
    struct churn_watch watch;
    struct churn_worker workers[CAPTURERS];
};

/* ---- The watch ---- */

/* A thread that hangs cannot be waited for: the test ends here. */
static void give_up(struct run *run)
{
    print_error("a thread hangs\n");
    churn_print(&run->watch, run->board);
    churn_print_failures(run->board);
    fflush(NULL);
    TerminateProcess(run->child, 1);
    TerminateProcess(GetCurrentProcess(), 1);
}

/* Waits for an object or for the child's end, and looks at everybody's progress. */
static void wait_watched(struct run *run, HANDLE object)
{
    HANDLE objects[] = {object, run->child};

    while (WaitForMultipleObjects(2, objects, FALSE, LOOK_MS) == WAIT_TIMEOUT)
        if (churn_hangs(&run->watch, run->board))
            give_up(run);
}

/* ---- The child ---- */

static HANDLE inheritable(HANDLE handle)
{
    assert_non_null(handle);
    assert_true(SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT));
    return handle;
}

static void open_run(struct run *run)
{
    HANDLE self = GetCurrentProcess();

    memset(run, 0, sizeof(*run));
    run->section = inheritable(CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                                  sizeof(struct churn_board), NULL));
    run->ready = inheritable(CreateEventW(NULL, TRUE, FALSE, NULL));
    run->finish = inheritable(CreateEventW(NULL, TRUE, FALSE, NULL));
    assert_true(DuplicateHandle(self, self, self, &run->self, 0, TRUE, DUPLICATE_SAME_ACCESS));
    run->board = (struct churn_board *)MapViewOfFile(run->section, FILE_MAP_WRITE, 0, 0, 0);
    assert_non_null(run->board);
    run->board->seed = random_next();
    run->board->rounds = soak_or(24, 400);
    run->slot = churn_enter(run->board, CHURN_MAIN);
}

static void close_run(struct run *run)
{
    UnmapViewOfFile(run->board);
    CloseHandle(run->section);
    CloseHandle(run->ready);
    CloseHandle(run->finish);
    CloseHandle(run->self);
    CloseHandle(run->child);
}

/* Under Wine (8.0), once in some thousand starts, a new process dies before it is mapped. */
static bool create_process(char *command, PROCESS_INFORMATION *made)
{
    STARTUPINFOA startup = {.cb = sizeof(startup)};

    for (int attempt = 0; attempt < 3; attempt++) {
        if (CreateProcessA(NULL, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup,
                           made))
            return true;
        if (GetLastError() != ERROR_INTERNAL_ERROR)
            break;
    }
    return false;
}

static void start_child(struct run *run)
{
    PROCESS_INFORMATION made = {0};
    char path[MAX_PATH], module[MAX_PATH], command[2 * MAX_PATH + 200];

    GetModuleFileNameA(NULL, path, MAX_PATH);
    GetModuleFileNameA(under_test_module(), module, MAX_PATH);
    snprintf(command, sizeof(command), "\"%s\" " OPTION " %lu %lu %lu %lu --under-test \"%s\"",
             path, (unsigned long)(uintptr_t)run->section, (unsigned long)(uintptr_t)run->ready,
             (unsigned long)(uintptr_t)run->finish, (unsigned long)(uintptr_t)run->self, module);
    assert_true(create_process(command, &made));
    run->child = made.hProcess;
    target_note_started(made.dwProcessId);
    assert_true(AssignProcessToJobObject(target_job(), made.hProcess));
    ResumeThread(made.hThread);
    CloseHandle(made.hThread);
}

/* ---- The test ---- */

static void capture_child(struct run *run)
{
    for (int i = 0; i < CAPTURERS; i++) {
        run->workers[i] = (struct churn_worker){
            .board = run->board, .other = run->child, .rounds = run->board->rounds};
        churn_start(&run->workers[i], CHURN_FOREIGN, churn_routine(CHURN_FOREIGN));
    }
    for (int i = 0; i < CAPTURERS; i++) {
        wait_watched(run, run->workers[i].thread);
        if (WaitForSingleObject(run->workers[i].thread, 0) != WAIT_OBJECT_0)
            churn_fail(run->board, "the captured process has ended too early");
        WaitForSingleObject(run->workers[i].thread, INFINITE);
        CloseHandle(run->workers[i].thread);
    }
}

static void print_run(const struct churn_board *board)
{
    print_message("%ld captures, %ld clones, %ld duplicates, %ld timeouts; %ld threads, %ld ended "
                  "from outside, %ld DLLs, %ld allocations, %ld views, %ld handles\n",
                  board->captures, board->clones, board->duplicates, board->timeouts,
                  board->threads, board->ended_threads, board->modules, board->allocations,
                  board->views, board->handles);
}

/* No process starts while another one lists handles: Wine's server (8.0) crashes then. */
static void run_once(void)
{
    struct run run;
    DWORD code = 0;

    random_print();
    open_run(&run);
    start_child(&run);
    wait_watched(&run, run.ready);
    if (WaitForSingleObject(run.ready, 0) == WAIT_OBJECT_0)
        capture_child(&run);
    SetEvent(run.finish);
    wait_watched(&run, run.child);
    assert_true(GetExitCodeProcess(run.child, &code));
    print_run(run.board);
    if (code)
        print_error("the captured process ended with 0x%lx\n", code);
    churn_print_failures(run.board);
    LONG failures = run.board->failures, captures = run.board->captures;
    if (run.board->timeouts)
        ledger_forgive_stuck_queries();
    close_run(&run);
    assert_same(failures, 0);
    assert_same(code, 0);
    assert_true(captures > 0);
}

static uint64_t seconds_to_run(void)
{
    const char *given = getenv("PSS_CHURN_SECONDS");

    return given ? strtoull(given, NULL, 10) : soak_or(0, 3600);
}

static void test_captures_while_everything_comes_and_goes(void **state)
{
    uint64_t end = GetTickCount64() + 1000 * seconds_to_run();

    (void)state;
    do
        run_once();
    while (GetTickCount64() < end);
}

static DWORD WINAPI run_idle(void *stop)
{
    return WaitForSingleObject(stop, INFINITE);
}

/* Wine keeps what it needs for so many threads at once when they have ended. */
static int warm_up(void **state)
{
    HANDLE stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE threads[4 * CAPTURERS];

    for (int i = 0; i < 4 * CAPTURERS; i++)
        threads[i] = CreateThread(NULL, 0, run_idle, stop, 0, NULL);
    SetEvent(stop);
    for (int i = 0; i < 4 * CAPTURERS; i++) {
        WaitForSingleObject(threads[i], INFINITE);
        CloseHandle(threads[i]);
    }
    CloseHandle(stop);
    return ledger_warm_up(state);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_captures_while_everything_comes_and_goes),
    };

    under_test_load(argc, argv);
    if (argc > 5 && !strcmp(argv[1], OPTION))
        return churn_child(argv + 2);
    random_init();
    return cmocka_run_group_tests_name("churn", tests, warm_up, NULL);
}
