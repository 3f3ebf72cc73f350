/* SPDX-License-Identifier: MIT */
/* Captures that suspend threads, and programs that end, sample or capture at that very moment. */
#include "ledger.h"
#include "rerun.h"
#include "soak.h"
#include "target.h"
#include "under_test.h"

#include <string.h>

#define CONTEXTS (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)
#define CLONES   (CONTEXTS | PSS_CAPTURE_VA_CLONE)

#define ROUNDS     20u /* captures of a program that does something else beside */
#define IDLERS     20u
#define MOST_EVER  127u /* MAXIMUM_SUSPEND_COUNT */
#define ENDED_WELL 42u

static DWORD WINAPI stay_idle(void *argument)
{
    (void)argument;
    Sleep(INFINITE);
    return 0;
}

static void start_thread(LPTHREAD_START_ROUTINE routine, void *argument)
{
    HANDLE thread = CreateThread(NULL, 0, routine, argument, 0, NULL);

    if (thread)
        CloseHandle(thread);
}

static DWORD capture_once(HANDLE process, DWORD flags)
{
    HPSS snapshot = NULL;
    DWORD error = pss.capture(process, flags, CONTEXT_ALL, &snapshot);

    return error ? error : pss.free(GetCurrentProcess(), snapshot);
}

/* ---- a program that ends while a thread of it captures another process ---- */

static volatile LONG captures;

static volatile LONG is_over;

static DWORD WINAPI capture_for_ever(void *process)
{
    while (!is_over) {
        capture_once((HANDLE)process, CONTEXTS);
        InterlockedIncrement(&captures);
    }
    return 0;
}

static DWORD WINAPI clone_for_ever(void *process)
{
    while (!is_over) {
        capture_once((HANDLE)process, CLONES);
        InterlockedIncrement(&captures);
    }
    return 0;
}

/* The words: which capture, of which process, and at what moment, in turns of the processor. */
static int end_in_mid_capture(const char *words)
{
    unsigned long clones, id, turns;

    if (sscanf(words, "%lu,%lu,%lu", &clones, &id, &turns) != 3)
        return 1;
    HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, id);
    start_thread(clones ? clone_for_ever : capture_for_ever, process);
    while (!captures)
        SwitchToThread();
    while (turns--)
        SwitchToThread();
    return ENDED_WELL;
}

static void check_end_in_mid_capture(unsigned clones, unsigned turns)
{
    struct target *target = target_start();
    char words[40];

    snprintf(words, sizeof(words), "%u,%lu,%u", clones, target->pid, turns);
    assert_same(rerun("--end", words), ENDED_WELL);
    assert_same(target_call(target, TARGET_PING, 0, 0, 0, 0), target->pid);
    assert_same(target_state_read(target).suspensions, 0);
    target_destroy(target);
}

static void test_program_that_ends_in_mid_capture_leaves_nobody_suspended(void **state)
{
    (void)state;
    for (unsigned i = 0; i < soak_or(8, 200); i++)
        check_end_in_mid_capture(i % 4 == 3, i * 7 % 50);
}

/* ---- a profiler in the own process ---- */

/* Samples without a pause in a capture: more of them would only keep it from getting on. */
#define BURST 5000

static HANDLE sampled;
static volatile LONG samples;

static DWORD WINAPI sample(void *argument)
{
    CONTEXT context = {.ContextFlags = CONTEXT_CONTROL};

    (void)argument;
    while (!is_over) {
        if (SuspendThread(sampled) == (DWORD)-1)
            break;
        GetThreadContext(sampled, &context);
        ResumeThread(sampled);
        if (InterlockedIncrement(&samples) < BURST)
            SwitchToThread();
        else
            Sleep(1);
    }
    return 0;
}

static int capture_beside_a_profiler(void)
{
    DWORD bad = 0, done = 0;

    DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &sampled,
                    THREAD_ALL_ACCESS, FALSE, 0);
    HANDLE profiler = CreateThread(NULL, 0, sample, NULL, 0, NULL);
    for (unsigned i = 0; i < ROUNDS; i++) {
        InterlockedExchange(&samples, 0);
        DWORD error = capture_once(GetCurrentProcess(), CONTEXTS);

        done += error == ERROR_SUCCESS;
        bad += error != ERROR_SUCCESS && error != ERROR_OPERATION_ABORTED;
    }
    is_over = 1;
    WaitForSingleObject(profiler, INFINITE);
    return !bad && done ? ENDED_WELL : 1;
}

static void test_capture_beside_a_sampling_profiler_ends(void **state)
{
    (void)state;
    only_ours();
    for (unsigned i = 0; i < soak_or(1, 50); i++)
        assert_same(rerun("--profiler", "-"), ENDED_WELL);
}

/* ---- a DLL that captures when the process ends ---- */

typedef void remember_function(FARPROC capture, FARPROC free_snapshot);

static int capture_at_the_end(const char *words)
{
    HMODULE module = LoadLibraryA("pss-test-detach.dll");
    unsigned turns = (unsigned)atoi(words);

    if (!module)
        return 1;
    remember_function *remember =
        (remember_function *)(uintptr_t)GetProcAddress(module, "remember");
    remember(GetProcAddress(under_test_module(), "PssCaptureSnapshot"),
             GetProcAddress(under_test_module(), "PssFreeSnapshot"));
    for (unsigned i = 0; i < IDLERS; i++)
        start_thread(stay_idle, NULL);
    start_thread(capture_for_ever, GetCurrentProcess());
    while (!captures)
        SwitchToThread();
    while (turns--)
        SwitchToThread();
    return ENDED_WELL;
}

static void test_process_that_captures_itself_at_its_end_ends(void **state)
{
    char words[10];

    (void)state;
    for (unsigned i = 0; i < soak_or(10, 200); i++) {
        snprintf(words, sizeof(words), "%u", i * 7 % 50);
        assert_same(rerun("--detach", words), ENDED_WELL);
    }
}

/* ---- suspensions of others ---- */

static DWORD suspend_count_of(HPSS snapshot, DWORD thread, const void **context)
{
    PSS_THREAD_ENTRY entry;
    HPSSWALK marker;
    DWORD count = MAXDWORD;

    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    while (!pss.walk(snapshot, PSS_WALK_THREADS, marker, &entry, sizeof(entry)))
        if (entry.ThreadId == thread) {
            count = entry.SuspendCount;
            *context = entry.ContextRecord;
        }
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    return count;
}

static void test_thread_suspended_as_often_as_can_be_has_a_context(void **state)
{
    struct target *target = target_start();
    const void *context = NULL;
    HPSS snapshot;
    DWORD count = 0;

    (void)state;
    only_ours();
    while (SuspendThread(target->thread) != (DWORD)-1)
        count++;
    assert_same(count, MOST_EVER);
    assert_same(pss.capture(target->process, CONTEXTS, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    assert_same(suspend_count_of(snapshot, target->main_thread, &context), MOST_EVER);
    assert_non_null(context);
    assert_same(pss.free(GetCurrentProcess(), snapshot), ERROR_SUCCESS);
    while (ResumeThread(target->thread) > 1)
        count--;
    assert_same(count, 1);
    assert_same(target_call(target, TARGET_PING, 0, 0, 0, 0), target->pid);
    target_destroy(target);
}

static void check_counts(struct target *other, DWORD flags)
{
    PSS_THREAD_ENTRY entry;
    HPSS snapshot;
    HPSSWALK marker;

    assert_same(pss.capture(other->process, flags, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    while (!pss.walk(snapshot, PSS_WALK_THREADS, marker, &entry, sizeof(entry)))
        assert_same(entry.SuspendCount, 0);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    assert_same(pss.free(GetCurrentProcess(), snapshot), ERROR_SUCCESS);
}

static void test_suspend_counts_do_not_tell_of_other_captures(void **state)
{
    struct target *other = target_start();
    WCHAR path[MAX_PATH];

    (void)state;
    only_ours();
    assert_in_range(GetModuleFileNameW(under_test_module(), path, MAX_PATH), 1, MAX_PATH - 1);
    target_call_text(other, TARGET_SNAPSHOT_LOAD, path, 0, 0, 0, 0);
    for (unsigned i = 0; i < soak_or(2, 20); i++) {
        target_begin(other, TARGET_SNAPSHOT_ROUNDS, 0, CONTEXTS, CONTEXT_ALL, 200);
        for (unsigned j = 0; j < 100; j++)
            check_counts(other, j % 2 ? CONTEXTS : PSS_CAPTURE_THREADS);
        assert_same(target_answer(other), 0);
    }
    target_destroy(other);
}

/* What the program does instead of testing, if it was started anew for that. */
static int run_option(int argc, char **argv)
{
    if (argc < 3)
        return 0;
    if (!strcmp(argv[1], "--end"))
        return end_in_mid_capture(argv[2]);
    if (!strcmp(argv[1], "--profiler"))
        return capture_beside_a_profiler();
    return strcmp(argv[1], "--detach") ? 0 : capture_at_the_end(argv[2]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_program_that_ends_in_mid_capture_leaves_nobody_suspended),
        PSS_TEST(test_capture_beside_a_sampling_profiler_ends),
        PSS_TEST(test_process_that_captures_itself_at_its_end_ends),
        PSS_TEST(test_thread_suspended_as_often_as_can_be_has_a_context),
        PSS_TEST(test_suspend_counts_do_not_tell_of_other_captures),
    };
    int code;

    under_test_load(argc, argv);
    code = run_option(argc, argv);
    return code ? code : cmocka_run_group_tests_name("freeze", tests, ledger_warm_up, NULL);
}
