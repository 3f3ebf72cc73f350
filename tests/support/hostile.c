/* SPDX-License-Identifier: MIT */
/* Starts hostile processes, in the job of all that tests start. */
#include "hostile.h"

#include "ledger.h"

#define LIMIT_MS 30000

static void full_path(const WCHAR *path, WCHAR *result, DWORD room)
{
    DWORD length = 0;

    if (!wcschr(path, L'\\'))
        length = GetModuleFileNameW(NULL, result, room);
    while (length && result[length - 1] != L'\\')
        length--;
    assert_true(length + wcslen(path) < room);
    wcscpy(result + length, path);
}

/* As in target.c: under Wine a new process may die before its program is mapped. */
static bool create(const WCHAR *path, const WCHAR *arguments, HANDLE output,
                   PROCESS_INFORMATION *made)
{
    STARTUPINFOW startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
    static WCHAR program[1024], command[120];

    startup.hStdOutput = output;
    full_path(path, program, 1024);
    for (int attempt = 0; attempt < 3; attempt++) {
        swprintf(command, 120, L"hostile %ls", arguments);
        if (CreateProcessW(program, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL,
                           &startup, made))
            return true;
        if (GetLastError() != ERROR_INTERNAL_ERROR)
            break;
    }
    print_message("%ls does not start: error %lu\n", path, GetLastError());
    return false;
}

/* Its greeting tells where its pattern stands. */
static void read_greeting(HANDLE output, struct hostile *hostile)
{
    char text[200] = "";
    DWORD length = 0, count = 0;

    while (length < sizeof(text) - 1 && !strchr(text, '\n') &&
           ReadFile(output, text + length, 1, &count, NULL) && count)
        text[++length] = 0;
    const char *address = strstr(text, "pattern at ");
    hostile->is_here = address != NULL;
    hostile->pattern = address ? strtoull(address + strlen("pattern at "), NULL, 16) : 0;
}

static HANDLE make_event(void)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    HANDLE event = CreateEventW(&inherit, TRUE, FALSE, NULL);

    assert_non_null(event);
    return event;
}

/* Nobody but this process inherits the three handles. */
static bool create_with_handles(const WCHAR *path, const char *kind, uint32_t seed,
                                const HANDLE events[2], HANDLE *output, PROCESS_INFORMATION *made)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    HANDLE write_end;
    WCHAR arguments[100];

    assert_true(CreatePipe(output, &write_end, &inherit, 0));
    SetHandleInformation(*output, HANDLE_FLAG_INHERIT, 0);
    swprintf(arguments, 100, L"%hs %u %lu %lu", kind, seed, (unsigned long)(uintptr_t)events[0],
             (unsigned long)(uintptr_t)events[1]);
    bool is_created = create(path, arguments, write_end, made);
    SetHandleInformation(events[0], HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(events[1], HANDLE_FLAG_INHERIT, 0);
    CloseHandle(write_end);
    return is_created;
}

/* It is ready when its greeting is written: a write that is under way has a handle of its own. */
static void let_become(struct hostile *hostile, const PROCESS_INFORMATION *made, HANDLE output,
                       HANDLE ready)
{
    HANDLE signs[] = {ready, made->hProcess};

    hostile->target.process = made->hProcess;
    hostile->target.thread = made->hThread;
    hostile->target.pid = made->dwProcessId;
    hostile->target.main_thread = made->dwThreadId;
    target_note_started(made->dwProcessId);
    assert_true(AssignProcessToJobObject(target_job(), made->hProcess));
    ResumeThread(made->hThread);
    read_greeting(output, hostile);
    assert_true(WaitForMultipleObjects(2, signs, FALSE, LIMIT_MS) <= WAIT_OBJECT_0 + 1);
}

bool hostile_start(const WCHAR *path, const char *kind, uint32_t seed, struct hostile *hostile)
{
    HANDLE output, events[2] = {make_event(), make_event()};
    PROCESS_INFORMATION made = {0};

    memset(hostile, 0, sizeof(*hostile));
    bool is_created = create_with_handles(path, kind, seed, events, &output, &made);
    hostile->event = events[0];
    if (is_created)
        let_become(hostile, &made, output, events[1]);
    else
        CloseHandle(hostile->event);
    CloseHandle(events[1]);
    CloseHandle(output);
    return is_created;
}

bool hostile_has_ended(const struct hostile *hostile)
{
    return WaitForSingleObject(hostile->target.process, 0) == WAIT_OBJECT_0;
}

void hostile_finish(const struct hostile *hostile)
{
    SetEvent(hostile->event);
    assert_same(WaitForSingleObject(hostile->target.process, LIMIT_MS), WAIT_OBJECT_0);
}

void hostile_end(struct hostile *hostile)
{
    CloseHandle(hostile->event);
    TerminateProcess(hostile->target.process, 99);
    assert_same(WaitForSingleObject(hostile->target.process, LIMIT_MS), WAIT_OBJECT_0);
    CloseHandle(hostile->target.thread);
    CloseHandle(hostile->target.process);
}

int hostile_warm_up(void **state)
{
    struct hostile hostile;

    assert_true(hostile_start(L"" HOSTILE_PROGRAM, "quiet", 1, &hostile));
    hostile_finish(&hostile);
    hostile_end(&hostile);
    return ledger_warm_up(state);
}
