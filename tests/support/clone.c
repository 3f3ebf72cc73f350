/* SPDX-License-Identifier: MIT */
/* Looks at clones through public calls alone. */
#include "clone.h"

#include <tlhelp32.h>

#include "pattern.h"
#include "records.h"
#include "under_test.h"

#define CHUNK 0x100000u /* bytes */

HANDLE clone_of(HPSS snapshot)
{
    PSS_VA_CLONE_INFORMATION information;

    query_fully(snapshot, PSS_QUERY_VA_CLONE_INFORMATION, &information, sizeof(information));
    assert_non_null(information.VaCloneHandle);
    return information.VaCloneHandle;
}

HPSS clone_capture(HANDLE process, DWORD flags, DWORD context_flags)
{
    HPSS snapshot = NULL;

    assert_same(pss.capture(process, flags | PSS_CAPTURE_VA_CLONE, context_flags, &snapshot),
                ERROR_SUCCESS);
    assert_non_null(snapshot);
    return snapshot;
}

PSS_VA_CLONE_DETAILS clone_details(HPSS snapshot)
{
    PSS_VA_CLONE_DETAILS details;

    assert_same(pss.query(snapshot, PSS_QUERY_VA_CLONE_DETAILS, &details, sizeof(details)),
                ERROR_SUCCESS);
    return details;
}

bool clone_is_carrier(HPSS snapshot)
{
    return under_test_is_ours() && clone_details(snapshot).Strategy == PSS_CLONE_CARRIER;
}

/* The first thread of a process; NULL if it has none, as a native clone. */
static HANDLE open_thread(DWORD pid)
{
    THREADENTRY32 entry = {.dwSize = sizeof(entry)};
    HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0), thread = NULL;

    assert_true(list != INVALID_HANDLE_VALUE);
    for (BOOL is_there = Thread32First(list, &entry); is_there && !thread;
         is_there = Thread32Next(list, &entry))
        if (entry.th32OwnerProcessID == pid)
            thread = OpenThread(SYNCHRONIZE, FALSE, entry.th32ThreadID);
    CloseHandle(list);
    return thread;
}

HANDLE clone_watch(HANDLE clone)
{
    DWORD pid = GetProcessId(clone);
    HANDLE watched = open_thread(pid);

    if (!watched)
        watched = OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    assert_non_null(watched);
    clone_assert_lives(watched);
    return watched;
}

void clone_call_again(void)
{
    HPSSWALK marker;

    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
}

/* By its id: a clone that was kept for the handle that watched it ends with the next call. */
static void assert_ended_without_handle(DWORD pid)
{
    HANDLE process;

    clone_call_again();
    process = OpenProcess(SYNCHRONIZE, FALSE, pid);
    if (process)
        assert_same(WaitForSingleObject(process, CLONE_LIMIT_MS), WAIT_OBJECT_0);
    if (process)
        CloseHandle(process);
}

void clone_assert_ended(HANDLE watched)
{
    DWORD pid = GetProcessId(watched); /* 0: a thread, which keeps no clone */

    if (!pid)
        assert_same(WaitForSingleObject(watched, CLONE_LIMIT_MS), WAIT_OBJECT_0);
    CloseHandle(watched);
    if (pid)
        assert_ended_without_handle(pid);
}

void clone_assert_lives(HANDLE watched)
{
    assert_same(WaitForSingleObject(watched, 0), WAIT_TIMEOUT);
}

void clone_read(HANDLE process, uint64_t address, void *buffer, size_t size)
{
    SIZE_T done = 0;

    if (!ReadProcessMemory(process, (void *)(uintptr_t)address, buffer, size, &done))
        fail_msg("0x%llx bytes at 0x%llx cannot be read: error %lu", (unsigned long long)size,
                 (unsigned long long)address, GetLastError());
    assert_same(done, size);
}

static void assert_words(const uint64_t *words, uint64_t count, uint64_t first, uint64_t seed)
{
    for (uint64_t i = 0; i < count; i++)
        if (words[i] != pattern_word(seed, first + i))
            fail_msg("word 0x%llx of pattern %llu is 0x%llx", (unsigned long long)(first + i),
                     (unsigned long long)seed, (unsigned long long)words[i]);
}

void clone_assert_pattern(HANDLE process, uint64_t address, uint64_t size, uint64_t seed)
{
    uint64_t *words = (uint64_t *)malloc(CHUNK);

    assert_non_null(words);
    for (uint64_t done = 0; done < size; done += CHUNK) {
        uint64_t part = size - done < CHUNK ? size - done : CHUNK;
        clone_read(process, address + done, words, (size_t)part);
        assert_words(words, part / sizeof(*words), done / sizeof(*words), seed);
    }
    free(words);
}

MEMORY_BASIC_INFORMATION clone_region(HANDLE process, uint64_t address)
{
    MEMORY_BASIC_INFORMATION region;

    assert_same(VirtualQueryEx(process, (void *)(uintptr_t)address, &region, sizeof(region)),
                sizeof(region));
    return region;
}
