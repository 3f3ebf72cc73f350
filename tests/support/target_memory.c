/* SPDX-License-Identifier: MIT */
/* The target's commands about memory: regions, mapped files, sections, modules. */
#include "target_ops.h"

#include <string.h>

#include "pattern.h"

#define PAGE          4096u
#define WAIT_LIMIT_MS 30000

static HANDLE churner;
static volatile LONG churning;

static uint64_t obey_allocate(struct target_channel *channel)
{
    void *address =
        VirtualAlloc(from_channel(channel->arguments[0]), (SIZE_T)channel->arguments[1],
                     low_dword(channel->arguments[2]), low_dword(channel->arguments[3]));

    target_check(channel, address != NULL);
    return to_channel(address);
}

static uint64_t obey_protect(struct target_channel *channel)
{
    DWORD old = 0;

    target_check(channel,
                 VirtualProtect(from_channel(channel->arguments[0]), (SIZE_T)channel->arguments[1],
                                low_dword(channel->arguments[2]), &old));
    return old;
}

static uint64_t obey_free(struct target_channel *channel)
{
    return (uint64_t)target_check(channel, VirtualFree(from_channel(channel->arguments[0]),
                                                       (SIZE_T)channel->arguments[1],
                                                       low_dword(channel->arguments[2])));
}

/* Every second page is committed, without access: more regions than the system under Wine maps. */
static uint64_t reserve_sparsely(struct target_channel *channel, SIZE_T count)
{
    char *base = (char *)VirtualAlloc(NULL, count * PAGE, MEM_RESERVE, PAGE_NOACCESS);

    if (!target_check(channel, base != NULL))
        return 0;
    for (SIZE_T i = 0; i < count; i += 2)
        target_check(channel,
                     VirtualAlloc(base + i * PAGE, PAGE, MEM_COMMIT, PAGE_NOACCESS) != NULL);
    return to_channel(base);
}

static uint64_t obey_regions(struct target_channel *channel)
{
    if (channel->arguments[1])
        return reserve_sparsely(channel, (SIZE_T)channel->arguments[0]);
    SIZE_T count = (SIZE_T)channel->arguments[0];
    char *base = (char *)VirtualAlloc(NULL, count * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    DWORD old = 0;

    if (!target_check(channel, base != NULL))
        return 0;
    for (SIZE_T i = 0; i < count; i += 2)
        target_check(channel, VirtualProtect(base + i * PAGE, PAGE, PAGE_READONLY, &old));
    return to_channel(base);
}

static uint64_t map_section(struct target_channel *channel, HANDLE section, uint64_t access)
{
    if (!target_check(channel, section != NULL))
        return 0;
    void *view = MapViewOfFile(section, low_dword(access), 0, 0, 0);
    target_check(channel, view != NULL);
    channel->values[0] = to_channel(section);
    return to_channel(view);
}

static uint64_t obey_map_file(struct target_channel *channel)
{
    HANDLE file = CreateFileW(channel->text, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE,
                              NULL, OPEN_EXISTING, 0, NULL);

    if (!target_check(channel, file != INVALID_HANDLE_VALUE))
        return 0;
    HANDLE section = CreateFileMappingW(file, NULL, low_dword(channel->arguments[0]), 0, 0, NULL);
    uint64_t view = map_section(channel, section, channel->arguments[1]);
    CloseHandle(file);
    return view;
}

static uint64_t obey_map_memory(struct target_channel *channel)
{
    HANDLE section =
        CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, low_dword(channel->arguments[1]), 0,
                           low_dword(channel->arguments[0]), NULL);

    return map_section(channel, section, channel->arguments[2]);
}

static uint64_t obey_unmap(struct target_channel *channel)
{
    return (uint64_t)target_check(channel, UnmapViewOfFile(from_channel(channel->arguments[0])));
}

static uint64_t obey_load_library(struct target_channel *channel)
{
    HMODULE module = LoadLibraryW(channel->text);

    target_check(channel, module != NULL);
    return to_channel(module);
}

static BOOL is_writable(DWORD protect)
{
    return protect == PAGE_READWRITE || protect == PAGE_WRITECOPY ||
           protect == PAGE_EXECUTE_READWRITE || protect == PAGE_EXECUTE_WRITECOPY;
}

static void write_pattern(char *from, SIZE_T size, SIZE_T offset, uint64_t seed)
{
    for (SIZE_T i = 0; i < size; i += sizeof(uint64_t)) {
        uint64_t word = pattern_word(seed, (offset + i) / sizeof(word));
        memcpy(from + i, &word, sizeof(word));
    }
}

/* Region by region, each of which gets its protection back. */
static uint64_t obey_fill(struct target_channel *channel)
{
    char *base = (char *)from_channel(channel->arguments[0]);
    SIZE_T size = (SIZE_T)channel->arguments[1];
    MEMORY_BASIC_INFORMATION region;

    for (SIZE_T done = 0; done < size && !channel->error;) {
        DWORD old = 0;
        if (!target_check(channel, VirtualQuery(base + done, &region, sizeof(region)) != 0))
            return 0;
        SIZE_T part = (SIZE_T)((char *)region.BaseAddress + region.RegionSize - (base + done));
        part = part < size - done ? part : size - done;
        BOOL closed = !is_writable(region.Protect);
        if (closed &&
            !target_check(channel, VirtualProtect(base + done, part, PAGE_READWRITE, &old)))
            return 0;
        write_pattern(base + done, part, done, channel->arguments[2]);
        if (closed)
            target_check(channel, VirtualProtect(base + done, part, old, &old));
        done += part;
    }
    return size;
}

static void churn_once(HANDLE section, SIZE_T size)
{
    char *memory = (char *)VirtualAlloc(NULL, size, MEM_RESERVE, PAGE_READWRITE);
    char *view = (char *)MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
    DWORD old = 0;

    if (memory && VirtualAlloc(memory, size, MEM_COMMIT, PAGE_READWRITE)) {
        memset(memory, 0x5A, size);
        VirtualProtect(memory, PAGE, PAGE_NOACCESS, &old);
    }
    if (view)
        view[0] = 1;
    UnmapViewOfFile(view);
    VirtualFree(memory, 0, MEM_RELEASE);
}

static DWORD WINAPI run_churn(void *argument)
{
    HANDLE section =
        CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 16 * PAGE, NULL);

    for (SIZE_T pages = 1; churning; pages = pages % 64 + 1)
        churn_once(section, pages * PAGE);
    CloseHandle(section);
    return argument != NULL;
}

static uint64_t obey_churn_memory(struct target_channel *channel)
{
    if (channel->arguments[0]) {
        churning = 1;
        churner = CreateThread(NULL, 0, run_churn, NULL, 0, NULL);
        return (uint64_t)target_check(channel, churner != NULL);
    }
    churning = 0;
    target_check(channel, !WaitForSingleObject(churner, WAIT_LIMIT_MS));
    return (uint64_t)target_check(channel, CloseHandle(churner));
}

void target_memory_commands(target_obey table[TARGET_OPS])
{
    table[TARGET_ALLOCATE] = obey_allocate;
    table[TARGET_PROTECT] = obey_protect;
    table[TARGET_FREE] = obey_free;
    table[TARGET_REGIONS] = obey_regions;
    table[TARGET_MAP_FILE] = obey_map_file;
    table[TARGET_MAP_MEMORY] = obey_map_memory;
    table[TARGET_UNMAP] = obey_unmap;
    table[TARGET_LOAD_LIBRARY] = obey_load_library;
    table[TARGET_FILL] = obey_fill;
    table[TARGET_CHURN_MEMORY] = obey_churn_memory;
}
