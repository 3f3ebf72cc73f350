/* SPDX-License-Identifier: MIT */
/* The target's commands about handles: objects of each type in known states. */
#include "target_ops.h"

#define WAIT_LIMIT_MS 30000

static uint64_t made(struct target_channel *channel, HANDLE handle)
{
    target_check(channel, handle != NULL && handle != INVALID_HANDLE_VALUE);
    return to_channel(handle);
}

static uint64_t obey_event(struct target_channel *channel)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, channel->arguments[2] != 0};

    return made(channel, CreateEventW(&inherit, channel->arguments[0] != 0,
                                      channel->arguments[1] != 0, text_or_null(channel)));
}

static uint64_t obey_mutant(struct target_channel *channel)
{
    return made(channel, CreateMutexW(NULL, channel->arguments[0] != 0, text_or_null(channel)));
}

static DWORD WINAPI take_mutant(void *argument)
{
    return WaitForSingleObject((HANDLE)argument, WAIT_LIMIT_MS);
}

static uint64_t obey_abandon(struct target_channel *channel)
{
    HANDLE thread =
        CreateThread(NULL, 0, take_mutant, from_channel(channel->arguments[0]), 0, NULL);

    if (!target_check(channel, thread != NULL))
        return 0;
    target_check(channel, !WaitForSingleObject(thread, WAIT_LIMIT_MS));
    return (uint64_t)target_check(channel, CloseHandle(thread));
}

static uint64_t obey_semaphore(struct target_channel *channel)
{
    return made(channel, CreateSemaphoreW(NULL, (LONG)channel->arguments[0],
                                          (LONG)channel->arguments[1], text_or_null(channel)));
}

static uint64_t obey_section(struct target_channel *channel)
{
    HANDLE file =
        channel->arguments[2] ? (HANDLE)from_channel(channel->arguments[2]) : INVALID_HANDLE_VALUE;

    return made(channel,
                CreateFileMappingW(file, NULL, low_dword(channel->arguments[1]),
                                   (DWORD)(channel->arguments[0] >> 32),
                                   low_dword(channel->arguments[0]), text_or_null(channel)));
}

static uint64_t obey_file(struct target_channel *channel)
{
    return made(channel, CreateFileW(channel->text, low_dword(channel->arguments[0]),
                                     FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                     low_dword(channel->arguments[1]), 0, NULL));
}

static uint64_t obey_key(struct target_channel *channel)
{
    HKEY key = NULL;
    LSTATUS status = RegCreateKeyExW(HKEY_CURRENT_USER, channel->text, 0, NULL, REG_OPTION_VOLATILE,
                                     KEY_READ, NULL, &key, NULL);

    SetLastError((DWORD)status);
    target_check(channel, status == ERROR_SUCCESS);
    return to_channel(key);
}

static uint64_t obey_process(struct target_channel *channel)
{
    return made(channel, OpenProcess(low_dword(channel->arguments[1]), FALSE,
                                     low_dword(channel->arguments[0])));
}

static uint64_t obey_open_thread(struct target_channel *channel)
{
    return made(channel, OpenThread(low_dword(channel->arguments[1]), FALSE,
                                    low_dword(channel->arguments[0])));
}

static uint64_t obey_pipe(struct target_channel *channel)
{
    HANDLE read_end = NULL;
    HANDLE write_end = NULL;

    target_check(channel, CreatePipe(&read_end, &write_end, NULL, 0));
    channel->values[0] = to_channel(write_end);
    return to_channel(read_end);
}

static DWORD WINAPI read_for_ever(void *argument)
{
    char byte;
    DWORD used = 0;

    return (DWORD)ReadFile((HANDLE)argument, &byte, 1, &used, NULL);
}

static uint64_t obey_block_on(struct target_channel *channel)
{
    HANDLE thread =
        CreateThread(NULL, 0, read_for_ever, from_channel(channel->arguments[0]), 0, NULL);

    return made(channel, thread);
}

static uint64_t obey_timer(struct target_channel *channel)
{
    return made(channel, CreateWaitableTimerW(NULL, TRUE, text_or_null(channel)));
}

static uint64_t obey_job(struct target_channel *channel)
{
    return made(channel, CreateJobObjectW(NULL, text_or_null(channel)));
}

static uint64_t obey_duplicate(struct target_channel *channel)
{
    HANDLE copy = NULL;

    target_check(channel,
                 DuplicateHandle(GetCurrentProcess(), from_channel(channel->arguments[0]),
                                 GetCurrentProcess(), &copy, low_dword(channel->arguments[1]),
                                 FALSE, low_dword(channel->arguments[2])));
    return to_channel(copy);
}

static uint64_t obey_handle_flags(struct target_channel *channel)
{
    DWORD mask = HANDLE_FLAG_INHERIT | HANDLE_FLAG_PROTECT_FROM_CLOSE;

    return (uint64_t)target_check(channel,
                                  SetHandleInformation(from_channel(channel->arguments[0]), mask,
                                                       low_dword(channel->arguments[1])));
}

static uint64_t obey_close(struct target_channel *channel)
{
    return (uint64_t)target_check(channel, CloseHandle(from_channel(channel->arguments[0])));
}

static HANDLE make_plain(uint64_t kind)
{
    switch (kind) {
    case TARGET_EVENT:
        return CreateEventW(NULL, TRUE, FALSE, NULL);
    case TARGET_MUTANT:
        return CreateMutexW(NULL, FALSE, NULL);
    case TARGET_SEMAPHORE:
        return CreateSemaphoreW(NULL, 1, 5, NULL);
    case TARGET_SECTION:
        return CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, NULL);
    case TARGET_PROCESS:
        return OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
    case TARGET_OPEN_THREAD:
        return OpenThread(THREAD_ALL_ACCESS, FALSE, GetCurrentThreadId());
    case TARGET_TIMER:
        return CreateWaitableTimerW(NULL, TRUE, NULL);
    default:
        SetLastError(ERROR_INVALID_PARAMETER);
        return NULL;
    }
}

static uint64_t obey_many_handles(struct target_channel *channel)
{
    for (uint64_t i = 0; i < channel->arguments[1] && !channel->error; i++)
        channel->values[i] = made(channel, make_plain(channel->arguments[0]));
    return channel->arguments[1];
}

static uint64_t obey_signal(struct target_channel *channel)
{
    HANDLE event = from_channel(channel->arguments[0]);

    return (uint64_t)target_check(channel,
                                  channel->arguments[1] ? SetEvent(event) : ResetEvent(event));
}

static DWORD WINAPI reuse_value(void *unused)
{
    (void)unused;
    for (;;) {
        CloseHandle(CreateMutexW(NULL, FALSE, NULL));
        CloseHandle(CreateEventW(NULL, TRUE, FALSE, NULL));
    }
    return 0;
}

static uint64_t obey_reuse_handle(struct target_channel *channel)
{
    HANDLE thread = CreateThread(NULL, 0, reuse_value, NULL, CREATE_SUSPENDED, NULL);

    if (!target_check(channel, thread != NULL))
        return 0;
    target_check(channel, CloseHandle(from_channel(channel->arguments[0])));
    target_check(channel, ResumeThread(thread) == 1);
    return (uint64_t)target_check(channel, CloseHandle(thread));
}

void target_handle_commands(target_obey table[TARGET_OPS])
{
    table[TARGET_EVENT] = obey_event;
    table[TARGET_MUTANT] = obey_mutant;
    table[TARGET_ABANDON] = obey_abandon;
    table[TARGET_SEMAPHORE] = obey_semaphore;
    table[TARGET_SECTION] = obey_section;
    table[TARGET_FILE] = obey_file;
    table[TARGET_KEY] = obey_key;
    table[TARGET_PROCESS] = obey_process;
    table[TARGET_OPEN_THREAD] = obey_open_thread;
    table[TARGET_PIPE] = obey_pipe;
    table[TARGET_BLOCK_ON] = obey_block_on;
    table[TARGET_TIMER] = obey_timer;
    table[TARGET_JOB] = obey_job;
    table[TARGET_DUPLICATE] = obey_duplicate;
    table[TARGET_HANDLE_FLAGS] = obey_handle_flags;
    table[TARGET_CLOSE] = obey_close;
    table[TARGET_MANY_HANDLES] = obey_many_handles;
    table[TARGET_SIGNAL] = obey_signal;
    table[TARGET_REUSE_HANDLE] = obey_reuse_handle;
}
