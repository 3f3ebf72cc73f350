/* SPDX-License-Identifier: MIT */
/* Captures of the own process with contexts, while its other threads hold every lock there is. */
#include "api/api.h"
#include "capture/capture.h"

#include "faulty_nt.h"
#include "subject.h"

#define CAPTURES      15
#define CAPTURERS     3
#define WAIT_LIMIT_MS 60000
#define CONTEXTS      (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)

/* A thread that is busy, and counts what it has done. */
struct busy {
    void (*work)(void);
    HANDLE thread;
    DWORD id;
    volatile LONG done;
};

static volatile LONG is_over;

static DWORD WINAPI stay_busy(void *argument)
{
    struct busy *busy = argument;

    while (!is_over) {
        busy->work();
        InterlockedIncrement(&busy->done);
    }
    return 0;
}

static void use_heap(void)
{
    void *blocks[64];

    for (size_t i = 0; i < 64; i++)
        blocks[i] = HeapAlloc(GetProcessHeap(), 0, 1 + i * 97 % 5000);
    for (size_t i = 0; i < 64; i++)
        HeapFree(GetProcessHeap(), 0, blocks[i]);
}

static void use_loader(void)
{
    HMODULE module = LoadLibraryA("version.dll");

    GetProcAddress(module, "VerQueryValueA");
    FreeLibrary(module);
}

static DWORD WINAPI do_nothing(void *argument)
{
    return argument != NULL;
}

static void use_threads(void)
{
    HANDLE thread = CreateThread(NULL, 0, do_nothing, NULL, 0, NULL);

    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

static void use_memory(void)
{
    void *memory = VirtualAlloc(NULL, 0x20000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    DWORD before;

    VirtualProtect(memory, 0x1000, PAGE_READONLY, &before);
    VirtualFree(memory, 0, MEM_RELEASE);
}

static void use_handles(void)
{
    CloseHandle(CreateEventW(NULL, TRUE, FALSE, NULL));
}

static struct busy crowd[] = {
    {.work = use_heap},    {.work = use_heap},   {.work = use_loader},
    {.work = use_threads}, {.work = use_memory}, {.work = use_handles},
};
#define CROWD (sizeof(crowd) / sizeof(crowd[0]))

/* Returns when each thread has done something more; the test's time limit bounds the wait. */
static void wait_for_progress(void)
{
    for (size_t i = 0; i < CROWD; i++)
        for (LONG before = crowd[i].done; crowd[i].done == before;)
            SwitchToThread();
}

static int start_crowd(void **state)
{
    (void)state;
    faulty_init();
    is_over = 0;
    for (size_t i = 0; i < CROWD; i++) {
        crowd[i].done = 0;
        crowd[i].thread = CreateThread(NULL, 0, stay_busy, &crowd[i], 0, &crowd[i].id);
        if (!crowd[i].thread)
            return -1;
    }
    wait_for_progress(); /* a thread that has not begun has no context */
    return 0;
}

/* That all of them end proves that none is suspended. */
static int end_crowd(void **state)
{
    (void)state;
    is_over = 1;
    for (size_t i = 0; i < CROWD; i++) {
        assert_same(WaitForSingleObject(crowd[i].thread, WAIT_LIMIT_MS), WAIT_OBJECT_0);
        CloseHandle(crowd[i].thread);
    }
    return 0;
}

static const struct pss_thread_record *find_thread_record(HPSS snapshot, DWORD id)
{
    for (uint32_t i = 0; i < subject_count(snapshot, PSS_SECTION_THREADS); i++) {
        const struct pss_thread_record *record =
            subject_record(snapshot, struct pss_thread_record, PSS_SECTION_THREADS, i);

        if (record->thread_id == id)
            return record;
    }
    fail_msg("thread %lu is not listed", id);
    return NULL;
}

static const CONTEXT *context_of(HPSS snapshot, DWORD id)
{
    uint32_t context = find_thread_record(snapshot, id)->context;

    if (!context)
        fail_msg("thread %lu has no context", id);
    return subject_record(snapshot, CONTEXT, PSS_SECTION_CONTEXTS, context - 1);
}

static void assert_crowd_captured(HPSS snapshot)
{
    for (size_t i = 0; i < CROWD; i++) {
        const CONTEXT *context = context_of(snapshot, crowd[i].id);

        assert_same(context->ContextFlags & CONTEXT_FULL, CONTEXT_FULL);
        assert_same(find_thread_record(snapshot, crowd[i].id)->suspend_count, 0);
#ifdef _WIN64
        assert_true(context->Rip && context->Rsp);
#else
        assert_true(context->Eip && context->Esp);
#endif
    }
}

/* The account proves that neither heap nor loader nor names are used during the freeze. */
static void capture_repeatedly(uint32_t flags)
{
    for (int i = 0; i < CAPTURES; i++) {
        HPSS snapshot = NULL;

        faulty_reset();
        assert_int_equal(
            pss_snapshot_capture(faulty_nt(), GetCurrentProcess(), flags, CONTEXT_ALL, &snapshot),
            STATUS_SUCCESS);
        assert_true(faulty_calls_of(FAULTY_suspend_thread) >= CROWD);
        assert_crowd_captured(snapshot);
        subject_check_and_free(snapshot, "self");
        faulty_assert_clean("self");
    }
    wait_for_progress();
}

static void test_busy_threads_are_captured_and_run_on(void **state)
{
    (void)state;
    capture_repeatedly(CONTEXTS);
    capture_repeatedly(CONTEXTS | PSS_CAPTURE_THREAD_CONTEXT_EXTENDED);
}

static void test_busy_threads_are_captured_with_everything_and_run_on(void **state)
{
    (void)state;
    capture_repeatedly(SUBJECT_EVERYTHING);
}

static void test_busy_process_is_captured_by_a_real_handle(void **state)
{
    HANDLE own = OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
    HPSS snapshot = NULL;

    (void)state;
    faulty_reset();
    assert_int_equal(
        pss_snapshot_capture(faulty_nt(), own, SUBJECT_EVERYTHING, CONTEXT_ALL, &snapshot),
        STATUS_SUCCESS);
    assert_crowd_captured(snapshot);
    subject_check_and_free(snapshot, "self by handle");
    faulty_assert_clean("self by handle");
    CloseHandle(own);
    wait_for_progress();
}

/* The thread that captures is described where it calls, not where the system sees it. */
static void test_own_context_lies_in_the_library_on_the_own_stack(void **state)
{
    MEMORY_BASIC_INFORMATION code, stack;
    HPSS snapshot = NULL;

    (void)state;
    assert_int_equal(
        pss_snapshot_capture(faulty_nt(), GetCurrentProcess(), CONTEXTS, CONTEXT_ALL, &snapshot),
        STATUS_SUCCESS);
    const CONTEXT *context = context_of(snapshot, GetCurrentThreadId());
#ifdef _WIN64
    uintptr_t instruction = context->Rip, top = context->Rsp;
#else
    uintptr_t instruction = context->Eip, top = context->Esp;
#endif
    assert_true(VirtualQuery((void *)instruction, &code, sizeof(code)));
    assert_ptr_equal(code.AllocationBase, GetModuleHandleW(NULL));
    assert_true(VirtualQuery(&stack, &stack, sizeof(stack)));
    assert_true(top < (uintptr_t)&code && top >= (uintptr_t)stack.AllocationBase);
    assert_same(find_thread_record(snapshot, GetCurrentThreadId())->suspend_count, 0);
    subject_check_and_free(snapshot, "own context");
}

/* Each of several threads freezes all others. */
static DWORD WINAPI capture_at_once(void *argument)
{
    volatile LONG *failures = argument;

    for (int i = 0; i < CAPTURES; i++) {
        HPSS snapshot = NULL;

        if (!NT_SUCCESS(pss_snapshot_capture(pss_nt_system(), GetCurrentProcess(), CONTEXTS,
                                             CONTEXT_ALL, &snapshot)) ||
            !NT_SUCCESS(pss_snapshot_free(pss_nt_system(), GetCurrentProcess(), snapshot)))
            InterlockedIncrement(failures);
    }
    return 0;
}

static void test_threads_that_capture_at_once_do_not_block_each_other(void **state)
{
    static volatile LONG failures;
    HANDLE threads[CAPTURERS];

    (void)state;
    for (int i = 0; i < CAPTURERS; i++) {
        threads[i] = CreateThread(NULL, 0, capture_at_once, (void *)&failures, 0, NULL);
        assert_non_null(threads[i]);
    }
    assert_same(WaitForMultipleObjects(CAPTURERS, threads, TRUE, WAIT_LIMIT_MS), WAIT_OBJECT_0);
    assert_same(failures, 0);
    for (int i = 0; i < CAPTURERS; i++)
        CloseHandle(threads[i]);
    wait_for_progress();
}

#define FREEZE_TEST(function) cmocka_unit_test_setup_teardown(function, start_crowd, end_crowd)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FREEZE_TEST(test_busy_threads_are_captured_and_run_on),
        FREEZE_TEST(test_busy_threads_are_captured_with_everything_and_run_on),
        FREEZE_TEST(test_busy_process_is_captured_by_a_real_handle),
        FREEZE_TEST(test_own_context_lies_in_the_library_on_the_own_stack),
        FREEZE_TEST(test_threads_that_capture_at_once_do_not_block_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
