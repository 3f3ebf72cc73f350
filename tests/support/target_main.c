/* SPDX-License-Identifier: MIT */
/* The known target: a process that obeys a test's commands and reports its own truth. */
#include <stdio.h>
#include <stdlib.h>

#include "target_ops.h"

#include <winternl.h>

static uint64_t obey_ping(struct target_channel *channel)
{
    channel->values[0] = GetCurrentThreadId();
    channel->values[1] = to_channel(NtCurrentTeb());
    return GetCurrentProcessId();
}

static uint64_t obey_exit(struct target_channel *channel)
{
    ExitProcess(low_dword(channel->arguments[0]));
    return 0;
}

/* The process ends with the exception's code, and no debugger or dialog comes up. */
static LONG WINAPI end_quietly(EXCEPTION_POINTERS *exception)
{
    (void)exception;
    return EXCEPTION_EXECUTE_HANDLER;
}

static uint64_t obey_crash(struct target_channel *channel)
{
    SetUnhandledExceptionFilter(end_quietly);
    *(volatile int *)from_channel(channel->arguments[0]) = 1;
    return 0;
}

BOOL target_check(struct target_channel *channel, BOOL ok)
{
    if (!ok)
        channel->error = GetLastError() ? GetLastError() : ERROR_GEN_FAILURE;
    return ok;
}

static void obey(target_obey table[TARGET_OPS], struct target_channel *channel)
{
    channel->error = 0;
    channel->result = 0;
    if (channel->op < TARGET_OPS && table[channel->op])
        channel->result = table[channel->op](channel);
    else
        channel->error = ERROR_CALL_NOT_IMPLEMENTED;
}

/* Usage: target SECTION REQUEST REPLY, three inherited handles in decimal. */
int main(int argc, char **argv)
{
    target_obey table[TARGET_OPS] = {0};

    if (argc != 4)
        return 2;
    HANDLE section = (HANDLE)(uintptr_t)strtoull(argv[1], NULL, 10);
    HANDLE request = (HANDLE)(uintptr_t)strtoull(argv[2], NULL, 10);
    HANDLE reply = (HANDLE)(uintptr_t)strtoull(argv[3], NULL, 10);
    struct target_channel *channel =
        (struct target_channel *)MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, sizeof(*channel));
    if (!channel)
        return 3;

    table[TARGET_PING] = obey_ping;
    table[TARGET_EXIT] = obey_exit;
    table[TARGET_CRASH] = obey_crash;
    target_memory_commands(table);
    target_thread_commands(table);
    target_handle_commands(table);
    target_snapshot_commands(table);
    while (WaitForSingleObject(request, INFINITE) == WAIT_OBJECT_0) {
        obey(table, channel);
        SetEvent(reply);
    }
    return 4;
}
