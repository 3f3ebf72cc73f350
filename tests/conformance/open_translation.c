/* SPDX-License-Identifier: MIT */
/*
 * Open: does a self-capture with contexts of threads that are always on their way into and out of
 * the system, under WOW64 in its translation layer, end 10,000 times, with contexts that are
 * theirs?
 */
#include "answer.h"
#include "ledger.h"
#include "nt_calls.h"
#include "records.h"
#include "soak.h"
#include "under_test.h"

#define WORKERS  4
#define ROUNDS   10000u
#define STACK    0x10000u /* bytes around a local variable that a worker's stack pointer is in */
#define LIMIT_MS 30000u
#define CONTEXTS (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)

#ifdef _WIN64
#define STACK_POINTER(context) ((context)->Rsp)
#else
#define STACK_POINTER(context) ((context)->Esp)
#endif

struct worker {
    HANDLE thread;
    DWORD id;
    volatile LONG rounds;
    volatile uint64_t local; /* the address of one of its variables */
};

static struct worker workers[WORKERS];
static volatile LONG has_stopped;

/* Short calls, so that it is mostly between the two worlds. */
static DWORD WINAPI work(void *argument)
{
    struct worker *worker = (struct worker *)argument;
    struct nt_thread_basic basic;
    ULONG used;

    worker->local = address_of(&basic);
    while (!has_stopped) {
        NtQueryInformationThread(GetCurrentThread(), (THREADINFOCLASS)NT_THREAD_BASIC, &basic,
                                 sizeof(basic), &used);
        InterlockedIncrement(&worker->rounds);
    }
    return 0;
}

static void start_workers(void)
{
    has_stopped = 0;
    for (int i = 0; i < WORKERS; i++) {
        workers[i].thread = CreateThread(NULL, 0, work, &workers[i], 0, &workers[i].id);
        assert_non_null(workers[i].thread);
        while (!workers[i].rounds)
            Sleep(1);
    }
}

static void stop_workers(void)
{
    has_stopped = 1;
    for (int i = 0; i < WORKERS; i++) {
        assert_same(WaitForSingleObject(workers[i].thread, LIMIT_MS), WAIT_OBJECT_0);
        CloseHandle(workers[i].thread);
    }
}

/* Whether the worker's context is there, with its own stack. */
static bool has_own_stack(const PSS_THREAD_ENTRY *entry, const struct worker *worker)
{
    CONTEXT context;

    if (!entry->ContextRecord)
        return false;
    memcpy(&context, entry->ContextRecord, sizeof(context));
    return STACK_POINTER(&context) > worker->local - STACK &&
           STACK_POINTER(&context) < worker->local + STACK;
}

static DWORD count_wrong(HPSS snapshot)
{
    PSS_THREAD_ENTRY entry;
    HPSSWALK marker = NULL;
    DWORD right = 0;

    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    while (!pss.walk(snapshot, PSS_WALK_THREADS, marker, &entry, sizeof(entry)))
        for (int i = 0; i < WORKERS; i++)
            right += entry.ThreadId == workers[i].id && has_own_stack(&entry, &workers[i]);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    return WORKERS - right;
}

static void test_self_capture_of_threads_in_transit_ends_and_has_their_stacks(void **state)
{
    DWORD rounds = under_test_on_wine() ? soak_or(300, ROUNDS) : ROUNDS, wrong = 0, failed = 0;
    DWORD start = GetTickCount();

    (void)state;
    if (under_test_on_wine() && sizeof(void *) == 4 && !getenv("PSS_TRANSLATION"))
        skip_because("Wine 8's GetThreadContext of a busy 32-bit thread may never return, with and "
                     "without pss.dll; PSS_TRANSLATION=1 runs it");
    start_workers();
    for (DWORD i = 0; i < rounds; i++) {
        HPSS snapshot = NULL;
        if (pss.capture(GetCurrentProcess(), CONTEXTS, CONTEXT_ALL, &snapshot)) {
            failed++;
            continue;
        }
        wrong += count_wrong(snapshot);
        free_snapshot(snapshot);
    }
    stop_workers();
    answer("%lu self-captures in %lu ms: %lu failed, %lu contexts without their thread's stack",
           rounds, elapsed_since(start), failed, wrong);
    assert_same(failed, 0);
    assert_same(wrong, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_self_capture_of_threads_in_transit_ends_and_has_their_stacks),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("open_translation", tests, ledger_warm_up, NULL);
}
