/* SPDX-License-Identifier: MIT */
/* The cases themselves: what happens to the target, and how it is made as before. */
#include "event_cases.h"

#define PAGE_BYTES    0x1000u
#define WAIT_LIMIT_MS 30000
#define SECTION_BYTES 0x10000u

static HANDLE newborn, section;
static void *view;     /* in the target */
static HANDLE visitor; /* a handle of the target */

static void close_event(struct subject *subject)
{
    HANDLE taken = NULL;

    assert_true(DuplicateHandle(subject->process, (HANDLE)(uintptr_t)subject->event,
                                GetCurrentProcess(), &taken, 0, FALSE,
                                DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE));
    CloseHandle(taken);
}

static void make_event(struct subject *subject)
{
    WCHAR name[64];

    subject->event =
        target_call_text(subject->target, TARGET_EVENT, unique_name(name, L"event"), 1, 1, 0, 0);
}

static void end_thread(struct subject *subject)
{
    assert_true(TerminateThread(subject->threads[1], 5));
    assert_same(WaitForSingleObject(subject->threads[1], WAIT_LIMIT_MS), WAIT_OBJECT_0);
}

static void restart_thread(struct subject *subject)
{
    target_call(subject->target, TARGET_END_THREAD, subject->worker, 0, 0, 0);
    target_call(subject->target, TARGET_CLOSE, subject->worker, 0, 0, 0);
    subject->worker = target_call(subject->target, TARGET_THREAD, TARGET_THREAD_WAITS, 0, 0, 0);
    subject->worker_id = (DWORD)target_value(subject->target, 0);
    CloseHandle(subject->threads[1]);
    subject->threads[1] = OpenThread(THREAD_ALL_ACCESS, FALSE, subject->worker_id);
    assert_non_null(subject->threads[1]);
}

#define NAP_MS 20

/* It sleeps a little and ends. A thread that is ended from outside may take a process with it. */
static void start_thread(struct subject *subject)
{
    FARPROC sleep = GetProcAddress(GetModuleHandleA("kernel32.dll"), "Sleep");

    newborn =
        CreateRemoteThread(subject->process, NULL, 0, (LPTHREAD_START_ROUTINE)(void (*)(void))sleep,
                           (void *)(uintptr_t)NAP_MS, 0, NULL);
    if (!newborn)
        fail_msg("no thread could be started in the target: error %lu", GetLastError());
    subject->threads[subject->thread_count++] = newborn;
}

/* That it ends by itself proves that nobody left it suspended. */
static void await_newborn(struct subject *subject)
{
    assert_same(WaitForSingleObject(newborn, WAIT_LIMIT_MS), WAIT_OBJECT_0);
    CloseHandle(newborn);
    subject->thread_count--;
}

static void *memory_of(const struct subject *subject)
{
    return (void *)(uintptr_t)subject->memory;
}

static void free_memory(struct subject *subject)
{
    assert_true(VirtualFreeEx(subject->process, memory_of(subject), 0, MEM_RELEASE));
}

static void allocate_memory(struct subject *subject)
{
    subject->memory = target_call(subject->target, TARGET_ALLOCATE, 0, 4 * PAGE_BYTES,
                                  MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

static void protect_memory(struct subject *subject)
{
    DWORD before;

    assert_true(VirtualProtectEx(subject->process, (char *)memory_of(subject) + PAGE_BYTES,
                                 PAGE_BYTES, PAGE_NOACCESS, &before));
}

static void unprotect_memory(struct subject *subject)
{
    DWORD before;

    assert_true(VirtualProtectEx(subject->process, memory_of(subject), 4 * PAGE_BYTES,
                                 PAGE_READWRITE, &before));
}

static void suspend_threads(struct subject *subject)
{
    for (DWORD i = 0; i < subject->thread_count; i++)
        assert_int_not_equal(SuspendThread(subject->threads[i]), (DWORD)-1);
}

static void resume_threads(struct subject *subject)
{
    for (DWORD i = 0; i < subject->thread_count; i++)
        assert_int_not_equal(ResumeThread(subject->threads[i]), (DWORD)-1);
}

static void open_event(struct subject *subject)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

    assert_non_null(event);
    assert_true(DuplicateHandle(GetCurrentProcess(), event, subject->process, &visitor, 0, FALSE,
                                DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE));
}

static void close_visitor(struct subject *subject)
{
    HANDLE taken = NULL;

    assert_true(DuplicateHandle(subject->process, visitor, GetCurrentProcess(), &taken, 0, FALSE,
                                DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE));
    CloseHandle(taken);
}

static void map_view(struct subject *subject)
{
    SIZE_T size = 0;

    section =
        CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, SECTION_BYTES, NULL);
    assert_non_null(section);
    view = NULL;
    assert_int_equal(pss_nt_system()->map_view(section, subject->process, &view, 0, 0, NULL, &size,
                                               PSS_NT_VIEW_UNMAP, 0, PAGE_READWRITE),
                     STATUS_SUCCESS);
}

static void unmap_view(struct subject *subject)
{
    assert_int_equal(pss_nt_system()->unmap_view(subject->process, view), STATUS_SUCCESS);
    CloseHandle(section);
}

static const struct event_case cases[EVENT_KINDS] = {
    [EVENT_CLOSE] = {"a handle is closed", NULL, close_event, make_event, NULL, 0},
    [EVENT_OPEN] = {"a handle is opened", NULL, open_event, close_visitor, NULL, 0},
    [EVENT_END_THREAD] = {"a thread ends", NULL, end_thread, restart_thread, NULL, 0},
    [EVENT_START_THREAD] = {"a thread starts", NULL, start_thread, await_newborn, NULL, 0},
    [EVENT_FREE] = {"memory is freed", NULL, free_memory, allocate_memory, NULL, 0},
    [EVENT_PROTECT] = {"memory is protected", NULL, protect_memory, unprotect_memory, NULL, 0},
    [EVENT_MAP] = {"a view is mapped", NULL, map_view, unmap_view, NULL, 0},
    [EVENT_UNMAP] = {"a view is unmapped", map_view, unmap_view, NULL, unmap_view, 0},
    [EVENT_SUSPEND] = {"its threads are suspended", NULL, suspend_threads, resume_threads, NULL, 1},
    [EVENT_RESUME] = {"its threads are resumed", suspend_threads, resume_threads, NULL,
                      resume_threads, 0},
};

const struct event_case *event_case_of(enum event_kind kind)
{
    return &cases[kind];
}
