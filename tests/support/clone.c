/* SPDX-License-Identifier: MIT */
/* Looks at clones through public calls alone. */
#include "clone.h"

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

HANDLE clone_watch(HANDLE clone)
{
    HANDLE watched =
        OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, GetProcessId(clone));

    assert_non_null(watched);
    clone_assert_lives(watched);
    return watched;
}

void clone_assert_ended(HANDLE watched)
{
    assert_same(WaitForSingleObject(watched, CLONE_LIMIT_MS), WAIT_OBJECT_0);
    CloseHandle(watched);
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
