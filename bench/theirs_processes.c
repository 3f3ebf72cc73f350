/* SPDX-License-Identifier: MIT */
/* Without the library: the parent's id and the threads of a process, by Toolhelp. */
#include "bench.h"
#include "fail.h"
#include "native.h"

#include <tlhelp32.h>

static HANDLE take_toolhelp_snapshot(DWORD what)
{
    HANDLE snapshot = CreateToolhelp32Snapshot(what, 0);

    if (snapshot == INVALID_HANDLE_VALUE)
        fail_last("CreateToolhelp32Snapshot");
    return snapshot;
}

unsigned theirs_parent(const struct scene *scene)
{
    HANDLE snapshot = take_toolhelp_snapshot(TH32CS_SNAPPROCESS);
    PROCESSENTRY32W entry = {.dwSize = sizeof entry};
    BOOL more = Process32FirstW(snapshot, &entry);

    while (more && entry.th32ProcessID != scene->target.id)
        more = Process32NextW(snapshot, &entry);
    CloseHandle(snapshot);
    return more ? entry.th32ParentProcessID : 0;
}

/* The calls that give the fields of PSS_THREAD_ENTRY and PSS_THREAD_NAME. */
static void query_thread(DWORD id)
{
    struct thread_basic basic;
    struct thread_times times;
    struct text_answer name;
    void *start;
    ULONG suspend_count;
    HANDLE thread = OpenThread(THREAD_QUERY_INFORMATION, FALSE, id);

    if (thread == NULL)
        fail_last("OpenThread");
    NtQueryInformationThread(thread, THREAD_BASIC, &basic, sizeof basic, NULL);
    NtQueryInformationThread(thread, THREAD_TIMES, &times, sizeof times, NULL);
    NtQueryInformationThread(thread, THREAD_START_ADDRESS, &start, sizeof start, NULL);
    NtQueryInformationThread(thread, THREAD_SUSPEND_COUNT, &suspend_count, sizeof suspend_count,
                             NULL);
    NtQueryInformationThread(thread, THREAD_NAME, &name, sizeof name, NULL);
    CloseHandle(thread);
}

unsigned theirs_threads(const struct scene *scene)
{
    HANDLE snapshot = take_toolhelp_snapshot(TH32CS_SNAPTHREAD);
    THREADENTRY32 entry = {.dwSize = sizeof entry};
    unsigned count = 0;

    for (BOOL more = Thread32First(snapshot, &entry); more; more = Thread32Next(snapshot, &entry)) {
        if (entry.th32OwnerProcessID != scene->target.id)
            continue;
        query_thread(entry.th32ThreadID);
        count++;
    }
    CloseHandle(snapshot);
    return count;
}
