/* SPDX-License-Identifier: MIT */
/* Threads and their registers as JSON. */
#include <stdio.h>

#include "json.h"
#include "json_values.h"
#include "registers.h"

#define YMM_COUNT (sizeof(void *) == 8 ? 16u : 8u)

/** The upper halves of the YMM registers, as the table shows the lower ones. */
static void put_ymm(json_t *object, CONTEXT *context, size_t size)
{
    for (unsigned i = 0; i < YMM_COUNT; i++) {
        const unsigned char *high = registers_ymm_high(context, size, i);
        char key[16];
        char value[2 + 32 + 1] = "0x";
        if (high == NULL)
            return;
        for (size_t byte = 0; byte < 16; byte++)
            snprintf(value + 2 + 2 * byte, 3, "%02x", (unsigned)high[15 - byte]);
        snprintf(key, sizeof key, "ymm%u high", i);
        json_put_text(object, key, value);
    }
}

json_t *json_from_context(const PSS_THREAD_ENTRY *thread)
{
    CONTEXT *context = thread->ContextRecord;
    json_t *object;

    if (context == NULL || thread->SizeOfContextRecord < sizeof *context)
        return json_null();
    object = json_new_object();
    JSON_BITS(object, context, ContextFlags);
    for (size_t i = 0; i < registers_count; i++)
        if (registers_has(context, &registers[i]))
            json_put_text(object, registers[i].name, registers_value(context, &registers[i]).s);
    json_put_bits(object, "xstate", registers_features(context, thread->SizeOfContextRecord));
    put_ymm(object, context, thread->SizeOfContextRecord);
    return object;
}

static void put_next_name(json_t *object, struct walk *names)
{
    PSS_THREAD_NAME name;

    if (walk_next(names, &name, sizeof name))
        json_put_wide(object, "ThreadName", name.ThreadName, name.ThreadNameSize / sizeof(WCHAR));
    else
        json_put(object, "ThreadName", json_null());
}

static json_t *describe_thread(const PSS_THREAD_ENTRY *t)
{
    json_t *object = json_new_object();

    JSON_NUMBER(object, t, ExitStatus);
    JSON_ADDRESS(object, t, TebBaseAddress);
    JSON_NUMBER(object, t, ProcessId);
    JSON_NUMBER(object, t, ThreadId);
    JSON_BITS(object, t, AffinityMask);
    JSON_NUMBER(object, t, Priority);
    JSON_NUMBER(object, t, BasePriority);
    JSON_ADDRESS(object, t, LastSyscallFirstArgument);
    JSON_NUMBER(object, t, LastSyscallNumber);
    JSON_TIME(object, t, CreateTime);
    JSON_TIME(object, t, ExitTime);
    JSON_TICKS(object, t, KernelTime);
    JSON_TICKS(object, t, UserTime);
    JSON_ADDRESS(object, t, Win32StartAddress);
    JSON_TIME(object, t, CaptureTime);
    JSON_BITS(object, t, Flags);
    JSON_NUMBER(object, t, SuspendCount);
    JSON_NUMBER(object, t, SizeOfContextRecord);
    json_put(object, "ContextRecord", json_from_context(t));
    return object;
}

json_t *json_from_threads(const struct snapshot *snapshot, enum pss_exit *status)
{
    struct walk threads = walk_begin(snapshot, PSS_WALK_THREADS);
    struct walk names = walk_begin(snapshot, PSS_WALK_THREAD_NAME);
    json_t *array = json_new_array();
    PSS_THREAD_ENTRY entry;

    while (walk_next(&threads, &entry, sizeof entry)) {
        json_t *thread = describe_thread(&entry);
        put_next_name(thread, &names);
        json_add(array, thread);
    }
    walk_drop(&names);
    if (walk_end(&threads) != EXIT_DONE)
        *status = EXIT_RUNTIME;
    return array;
}
