/* SPDX-License-Identifier: MIT */
/* A target that the caller debugs: cloned as any other, and its clone is nobody's debuggee. */
#include "clone.h"
#include "ledger.h"
#include "nt_calls.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define SIZE        0x100000u
#define MAX_HANDLES 64
#define CONTEXTS    (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)

/* A debugger attached to a target. */
struct debugger {
    struct target *target;
    DEBUG_EVENT event; /* the breakpoint at which the target stands */
    HANDLE handles[MAX_HANDLES];
    DWORD handle_count;
};

static void keep_handle(struct debugger *debugger, HANDLE handle)
{
    if (handle && debugger->handle_count < MAX_HANDLES)
        debugger->handles[debugger->handle_count++] = handle;
}

/* No event is of another process than the target. */
static void note_event(struct debugger *debugger, const DEBUG_EVENT *event)
{
    assert_same(event->dwProcessId, debugger->target->pid);
    if (event->dwDebugEventCode == CREATE_PROCESS_DEBUG_EVENT) {
        if (event->u.CreateProcessInfo.hFile)
            CloseHandle(event->u.CreateProcessInfo.hFile);
        keep_handle(debugger, event->u.CreateProcessInfo.hProcess);
        keep_handle(debugger, event->u.CreateProcessInfo.hThread);
    }
    if (event->dwDebugEventCode == CREATE_THREAD_DEBUG_EVENT)
        keep_handle(debugger, event->u.CreateThread.hThread);
    if (event->dwDebugEventCode == LOAD_DLL_DEBUG_EVENT && event->u.LoadDll.hFile)
        CloseHandle(event->u.LoadDll.hFile);
}

static void go_on(const DEBUG_EVENT *event)
{
    assert_true(ContinueDebugEvent(event->dwProcessId, event->dwThreadId, DBG_CONTINUE));
}

/* Attaches and goes on to the first breakpoint, where the target stands still. */
static void debugger_attach(struct debugger *debugger, struct target *target)
{
    *debugger = (struct debugger){.target = target};
    assert_true(DebugActiveProcess(target->pid));
    while (WaitForDebugEvent(&debugger->event, CLONE_LIMIT_MS)) {
        note_event(debugger, &debugger->event);
        if (debugger->event.dwDebugEventCode == EXCEPTION_DEBUG_EVENT)
            return;
        go_on(&debugger->event);
    }
    fail_msg("the debugger gets no breakpoint: error %lu", GetLastError());
}

/* Handles that came with events are closed by the system in the end, or else here. */
static void debugger_detach(struct debugger *debugger)
{
    DEBUG_EVENT event;
    DWORD flags = 0;

    while (WaitForDebugEvent(&event, 0)) {
        note_event(debugger, &event);
        go_on(&event);
    }
    assert_true(DebugActiveProcessStop(debugger->target->pid));
    for (DWORD i = 0; i < debugger->handle_count; i++)
        if (GetHandleInformation(debugger->handles[i], &flags))
            CloseHandle(debugger->handles[i]);
}

static uint64_t filled(struct target *target)
{
    uint64_t memory =
        target_call(target, TARGET_ALLOCATE, 0, SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    target_call(target, TARGET_FILL, memory, SIZE, 9, 0);
    return memory;
}

static void assert_not_debugged(HANDLE clone)
{
    BOOL is_debugged = TRUE;

    assert_true(CheckRemoteDebuggerPresent(clone, &is_debugged));
    assert_false(is_debugged);
}

static void test_clone_of_a_target_at_a_breakpoint_holds_its_memory(void **state)
{
    struct target *target = target_start();
    uint64_t memory = filled(target);
    struct debugger debugger;

    (void)state;
    debugger_attach(&debugger, target);
    HPSS snapshot = clone_capture(target->process, CONTEXTS, CONTEXT_ALL);
    clone_assert_pattern(clone_of(snapshot), memory, SIZE, 9);
    assert_not_debugged(clone_of(snapshot));
    free_snapshot(snapshot);
    go_on(&debugger.event);
    debugger_detach(&debugger);
    assert_same(target_call(target, TARGET_PING, 0, 0, 0, 0), target->pid);
    target_destroy(target);
}

static void test_clone_of_a_debugged_target_that_runs_holds_its_memory(void **state)
{
    struct target *target = target_start();
    uint64_t memory = filled(target);
    struct debugger debugger;

    (void)state;
    debugger_attach(&debugger, target);
    go_on(&debugger.event);
    HPSS snapshot = clone_capture(target->process, CONTEXTS, CONTEXT_ALL);
    clone_assert_pattern(clone_of(snapshot), memory, SIZE, 9);
    assert_not_debugged(clone_of(snapshot));
    free_snapshot(snapshot);
    debugger_detach(&debugger);
    assert_same(target_call(target, TARGET_PING, 0, 0, 0, 0), target->pid);
    target_destroy(target);
}

/* A debugger keeps an object for each thread that debugs. */
static int warm_up(void **state)
{
    ledger_warm_up(state);
    return NT_SUCCESS(DbgUiConnectToDbg()) ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_clone_of_a_target_at_a_breakpoint_holds_its_memory),
        PSS_TEST(test_clone_of_a_debugged_target_that_runs_holds_its_memory),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clone_debugged", tests, warm_up, NULL);
}
