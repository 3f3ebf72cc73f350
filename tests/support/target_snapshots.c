/* SPDX-License-Identifier: MIT */
/* The target's commands about snapshots, with a DLL that the test names. */
#include "target_ops.h"

#include <string.h>

#include "transcript.h"

#define WAIT_LIMIT_MS 30000
#define FIRST_PLACE   0x1000000u  /* for memory that is low; the distance of others, too */
#define LAST_PLACE    0x70000000u /* no place any more */

static struct {
    __typeof__(&PssCaptureSnapshot) capture;
    __typeof__(&PssDuplicateSnapshot) duplicate;
    __typeof__(&PssFreeSnapshot) free;
    __typeof__(&PssQuerySnapshot) query;
    __typeof__(&PssWalkSnapshot) walk;
    __typeof__(&PssWalkMarkerCreate) marker_create;
    __typeof__(&PssWalkMarkerFree) marker_free;
} raw;

static struct transcript transcript;

static struct flipper {
    void *address;
    uint64_t values[2];
    SIZE_T size; /* bytes */
    HANDLE thread;
    volatile LONG is_on;
} flipper;

static void *resolve(struct target_channel *channel, HMODULE module, const char *name)
{
    FARPROC found = GetProcAddress(module, name);

    target_check(channel, found != NULL);
    return (void *)(uintptr_t)found;
}

static uint64_t obey_load(struct target_channel *channel)
{
    HMODULE module = LoadLibraryW(channel->text);

    if (!target_check(channel, module != NULL))
        return 0;
    *(void **)&raw.capture = resolve(channel, module, "PssCaptureSnapshot");
    *(void **)&raw.duplicate = resolve(channel, module, "PssDuplicateSnapshot");
    *(void **)&raw.free = resolve(channel, module, "PssFreeSnapshot");
    *(void **)&raw.query = resolve(channel, module, "PssQuerySnapshot");
    *(void **)&raw.walk = resolve(channel, module, "PssWalkSnapshot");
    *(void **)&raw.marker_create = resolve(channel, module, "PssWalkMarkerCreate");
    *(void **)&raw.marker_free = resolve(channel, module, "PssWalkMarkerFree");
    return to_channel(module);
}

static HANDLE open_process(struct target_channel *channel, uint64_t pid)
{
    HANDLE process =
        pid ? OpenProcess(PROCESS_ALL_ACCESS, FALSE, low_dword(pid)) : GetCurrentProcess();

    target_check(channel, process != NULL);
    return process;
}

static void close_process(HANDLE process)
{
    if (process && process != GetCurrentProcess())
        CloseHandle(process);
}

static uint64_t obey_capture(struct target_channel *channel)
{
    HANDLE process = open_process(channel, channel->arguments[0]);
    HPSS snapshot = NULL;

    channel->values[0] = raw.capture(process, (PSS_CAPTURE_FLAGS)low_dword(channel->arguments[1]),
                                     low_dword(channel->arguments[2]), &snapshot);
    close_process(process);
    return to_channel(snapshot);
}

static uint64_t obey_rounds(struct target_channel *channel)
{
    HANDLE process = open_process(channel, channel->arguments[0]);
    uint64_t failures = 0;

    channel->values[0] = ERROR_SUCCESS;
    for (uint64_t i = 0; i < channel->arguments[3]; i++) {
        HPSS snapshot = NULL;
        DWORD error = raw.capture(process, (PSS_CAPTURE_FLAGS)low_dword(channel->arguments[1]),
                                  low_dword(channel->arguments[2]), &snapshot);

        if (error == ERROR_SUCCESS)
            error = raw.free(GetCurrentProcess(), snapshot);
        if (error == ERROR_SUCCESS)
            continue;
        failures++;
        channel->values[0] = error;
    }
    close_process(process);
    return failures;
}

static uint64_t obey_duplicate(struct target_channel *channel)
{
    HANDLE source = open_process(channel, channel->arguments[0]);
    HANDLE target = open_process(channel, channel->arguments[2]);
    HPSS copy = (HPSS)(uintptr_t)1;

    channel->values[0] =
        raw.duplicate(source, (HPSS)from_channel(channel->arguments[1]), target, &copy,
                      (PSS_DUPLICATE_FLAGS)low_dword(channel->arguments[3]));
    close_process(source);
    close_process(target);
    return to_channel(copy);
}

static uint64_t obey_free(struct target_channel *channel)
{
    HANDLE process = open_process(channel, channel->arguments[0]);
    DWORD error = raw.free(process, (HPSS)from_channel(channel->arguments[1]));

    close_process(process);
    return error;
}

static DWORD call_query(HPSS snapshot, DWORD information, void *buffer, DWORD size)
{
    return raw.query(snapshot, (PSS_QUERY_INFORMATION_CLASS)information, buffer, size);
}

static DWORD call_walk(HPSS snapshot, DWORD information, HPSSWALK marker, void *buffer, DWORD size)
{
    return raw.walk(snapshot, (PSS_WALK_INFORMATION_CLASS)information, marker, buffer, size);
}

static DWORD call_marker_create(const PSS_ALLOCATOR *allocator, HPSSWALK *marker)
{
    return raw.marker_create(allocator, marker);
}

static DWORD call_marker_free(HPSSWALK marker)
{
    return raw.marker_free(marker);
}

/* A copy of the transcript where a 32-bit test can read it in a 64-bit target. */
static void *show_transcript(void)
{
    static void *shown;

    if (shown)
        VirtualFree(shown, 0, MEM_RELEASE);
    shown = NULL;
    for (uintptr_t place = FIRST_PLACE; !shown && place < LAST_PLACE; place += FIRST_PLACE)
        shown =
            VirtualAlloc((void *)place, transcript.size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (shown)
        memcpy(shown, transcript.bytes, transcript.size);
    return shown;
}

static uint64_t obey_read(struct target_channel *channel)
{
    const struct transcript_calls calls = {call_query, call_walk, call_marker_create,
                                           call_marker_free};

    transcript_free(&transcript);
    SetLastError(ERROR_GEN_FAILURE);
    target_check(channel, transcript_read(&calls, (HPSS)from_channel(channel->arguments[0]),
                                          channel->arguments[1] != 0, &transcript));
    void *shown = show_transcript();
    target_check(channel, shown != NULL);
    channel->values[0] = transcript.size;
    return to_channel(shown);
}

static uint64_t obey_query(struct target_channel *channel)
{
    static const DWORD sizes[] = {
        sizeof(PSS_PROCESS_INFORMATION),         sizeof(PSS_VA_CLONE_INFORMATION),
        sizeof(PSS_AUXILIARY_PAGES_INFORMATION), sizeof(PSS_VA_SPACE_INFORMATION),
        sizeof(PSS_HANDLE_INFORMATION),          sizeof(PSS_THREAD_INFORMATION),
        sizeof(PSS_HANDLE_TRACE_INFORMATION),    sizeof(PSS_PERFORMANCE_COUNTERS),
    };
    DWORD information = low_dword(channel->arguments[1]) % (sizeof(sizes) / sizeof(sizes[0]));
    union {
        void *first;
        PSS_PROCESS_INFORMATION longest;
    } buffer = {NULL};
    DWORD error = call_query((HPSS)from_channel(channel->arguments[0]), information, &buffer,
                             sizes[information]);

    channel->values[0] = to_channel(buffer.first);
    return error;
}

static uint64_t obey_marker(struct target_channel *channel)
{
    HPSSWALK marker = NULL;

    channel->values[0] = raw.marker_create(NULL, &marker);
    return to_channel(marker);
}

static uint64_t obey_walk(struct target_channel *channel)
{
    static const DWORD sizes[] = {
        sizeof(PSS_AUXILIARY_PAGE_ENTRY), sizeof(PSS_VA_SPACE_ENTRY), sizeof(PSS_HANDLE_ENTRY),
        sizeof(PSS_THREAD_ENTRY),         sizeof(PSS_THREAD_NAME),
    };
    DWORD information = low_dword(channel->arguments[1]) % (sizeof(sizes) / sizeof(sizes[0]));
    uint64_t entry[32];

    return call_walk((HPSS)from_channel(channel->arguments[0]), information,
                     (HPSSWALK)from_channel(channel->arguments[2]), entry, sizes[information]);
}

static uint64_t obey_unmark(struct target_channel *channel)
{
    return raw.marker_free((HPSSWALK)from_channel(channel->arguments[0]));
}

static uint64_t obey_read_memory(struct target_channel *channel)
{
    SIZE_T size = (SIZE_T)channel->arguments[2];
    SIZE_T done = 0;

    SetLastError(ERROR_INVALID_PARAMETER);
    if (target_check(channel, size <= sizeof(channel->values)))
        target_check(channel, ReadProcessMemory((HANDLE)from_channel(channel->arguments[0]),
                                                from_channel(channel->arguments[1]),
                                                channel->values, size, &done));
    return done;
}

static DWORD WINAPI run_flipper(void *argument)
{
    struct flipper *flip = (struct flipper *)argument;

    for (unsigned turn = 0; flip->is_on; turn ^= 1) {
        memcpy(flip->address, &flip->values[turn], flip->size);
        for (volatile int pause = 0; pause < 50; pause++)
            continue;
    }
    return 0;
}

static uint64_t obey_flip(struct target_channel *channel)
{
    if (channel->arguments[3]) {
        flipper = (struct flipper){.address = from_channel(channel->arguments[0]),
                                   .values = {channel->arguments[1], channel->arguments[2]},
                                   .size = (SIZE_T)channel->arguments[3],
                                   .is_on = 1};
        flipper.thread = CreateThread(NULL, 0, run_flipper, &flipper, 0, NULL);
        return (uint64_t)target_check(channel, flipper.thread != NULL);
    }
    flipper.is_on = 0;
    target_check(channel, !WaitForSingleObject(flipper.thread, WAIT_LIMIT_MS));
    return (uint64_t)target_check(channel, CloseHandle(flipper.thread));
}

void target_snapshot_commands(target_obey table[TARGET_OPS])
{
    table[TARGET_SNAPSHOT_LOAD] = obey_load;
    table[TARGET_SNAPSHOT_CAPTURE] = obey_capture;
    table[TARGET_SNAPSHOT_ROUNDS] = obey_rounds;
    table[TARGET_SNAPSHOT_DUPLICATE] = obey_duplicate;
    table[TARGET_SNAPSHOT_FREE] = obey_free;
    table[TARGET_SNAPSHOT_QUERY] = obey_query;
    table[TARGET_SNAPSHOT_READ] = obey_read;
    table[TARGET_SNAPSHOT_MARKER] = obey_marker;
    table[TARGET_SNAPSHOT_WALK] = obey_walk;
    table[TARGET_SNAPSHOT_UNMARK] = obey_unmark;
    table[TARGET_READ_MEMORY] = obey_read_memory;
    table[TARGET_FLIP] = obey_flip;
}
