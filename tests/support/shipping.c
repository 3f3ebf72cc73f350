/* SPDX-License-Identifier: MIT */
/* Tells targets what to do with snapshots, and compares what they and the test itself see. */
#include "shipping.h"

#include "clone.h"
#include "transcript.h"
#include "under_test.h"

#define TEXT_LENGTH 300

static struct target *load(struct target *target, const WCHAR *dll)
{
    target_call_text(target, TARGET_SNAPSHOT_LOAD, dll, 0, 0, 0, 0);
    return target;
}

struct target *ship_start(void)
{
    WCHAR dll[TEXT_LENGTH] = L"kernel32.dll";

    if (under_test_is_ours())
        assert_true(GetModuleFileNameW(under_test_module(), dll, TEXT_LENGTH) < TEXT_LENGTH);
    return load(target_start(), dll);
}

static bool foreign_dll(WCHAR dll[TEXT_LENGTH])
{
    DWORD length = GetEnvironmentVariableW(L"PSS_UNDER_TEST_FOREIGN", dll, TEXT_LENGTH);

    if (!length || length >= TEXT_LENGTH) {
        length = GetModuleFileNameW(NULL, dll, TEXT_LENGTH);
        while (length && dll[length - 1] != '\\')
            length--;
        _snwprintf(dll + length, TEXT_LENGTH - length, L"%ls\\pss.dll",
                   sizeof(void *) == 8 ? L"x86" : L"x64");
        dll[TEXT_LENGTH - 1] = 0;
    }
    return GetFileAttributesW(dll) != INVALID_FILE_ATTRIBUTES;
}

struct target *ship_start_foreign(void)
{
    WCHAR dll[TEXT_LENGTH];

    if (!foreign_dll(dll)) {
        print_message("skipped: there is no %ls of the other bitness\n", dll);
        return NULL;
    }
    struct target *target = target_start_foreign();
    if (target)
        return load(target, dll);
    print_message("skipped: no program of the other bitness runs here\n");
    return NULL;
}

struct target *ship_start_subject(void)
{
    struct target *subject = target_start();
    WCHAR name[64];

    for (int i = 0; i < 3; i++)
        target_call_text(subject, TARGET_THREAD, i ? L"a thread with a name" : NULL,
                         TARGET_THREAD_WAITS, 0, 0, 0);
    target_call(subject, TARGET_THREAD, TARGET_THREAD_ENDS, 0, 0, 0);
    target_call_text(subject, TARGET_EVENT, unique_name(name, L"shipped-event"), TRUE, TRUE, 0, 0);
    target_call_text(subject, TARGET_MUTANT, unique_name(name, L"shipped-mutant"), TRUE, 0, 0, 0);
    target_call(subject, TARGET_SEMAPHORE, 2, 7, 0, 0);
    target_call(subject, TARGET_SECTION, 0x12345, PAGE_READWRITE, 0, 0);
    target_call(subject, TARGET_PROCESS, subject->pid, PROCESS_ALL_ACCESS, 0, 0);
    target_call(subject, TARGET_OPEN_THREAD, subject->main_thread, THREAD_ALL_ACCESS, 0, 0);
    target_call(subject, TARGET_REGIONS, 20, 0, 0, 0);
    return subject;
}

HPSS ship_capture_there(struct target *maker, DWORD pid, DWORD flags, DWORD context_flags)
{
    uint64_t snapshot = target_call(maker, TARGET_SNAPSHOT_CAPTURE, pid, flags, context_flags, 0);

    assert_same(target_value(maker, 0), ERROR_SUCCESS);
    assert_true(snapshot != 0);
    return (HPSS)(uintptr_t)snapshot;
}

HPSS ship_duplicate(HANDLE source, HPSS snapshot, HANDLE target, DWORD flags)
{
    HPSS copy = NULL;

    assert_same(pss.duplicate(source, snapshot, target, &copy, flags), ERROR_SUCCESS);
    assert_non_null(copy);
    return copy;
}

DWORD ship_query_there(struct target *target, HPSS snapshot)
{
    return (DWORD)target_call(target, TARGET_SNAPSHOT_QUERY, address_of(snapshot),
                              PSS_QUERY_PROCESS_INFORMATION, 0, 0);
}

DWORD ship_free_there(struct target *target, HPSS snapshot)
{
    return (DWORD)target_call(target, TARGET_SNAPSHOT_FREE, 0, address_of(snapshot), 0, 0);
}

static const struct transcript_calls *own_calls(void)
{
    static struct transcript_calls calls;

    calls = (struct transcript_calls){pss.query, pss.walk, pss.marker_create, pss.marker_free};
    return &calls;
}

struct ship_answers ship_read(struct target *target, HPSS snapshot, bool narrow)
{
    struct ship_answers answers = {NULL, 0};

    if (!target) {
        struct transcript own;
        assert_true(transcript_read(own_calls(), snapshot, narrow, &own));
        return (struct ship_answers){own.bytes, own.size};
    }
    uint64_t address =
        target_call(target, TARGET_SNAPSHOT_READ, address_of(snapshot), narrow, 0, 0);
    answers.size = (size_t)target_value(target, 0);
    answers.bytes = (unsigned char *)malloc(answers.size);
    assert_non_null(answers.bytes);
    clone_read(target->process, address, answers.bytes, answers.size);
    return answers;
}

static size_t item_size(const struct transcript_item *item)
{
    return sizeof(*item) + ((size_t)item->size + 7) / 8 * 8;
}

static void tell_difference(const unsigned char *actual, const unsigned char *expected,
                            size_t offset)
{
    struct transcript_item there, here;
    uint64_t is = 0, should_be = 0;

    memcpy(&there, actual + offset, sizeof(there));
    memcpy(&here, expected + offset, sizeof(here));
    if (there.size >= sizeof(is) && here.size >= sizeof(should_be)) {
        memcpy(&is, actual + offset + sizeof(there), sizeof(is));
        memcpy(&should_be, expected + offset + sizeof(here), sizeof(should_be));
    }
    fail_msg("class 0x%x, entry %u, field %u differs: %u bytes, 0x%llx, instead of class 0x%x, "
             "entry %u, field %u: %u bytes, 0x%llx",
             there.stream, there.entry, there.field, there.size, (unsigned long long)is,
             here.stream, here.entry, here.field, here.size, (unsigned long long)should_be);
}

void ship_assert_same(struct ship_answers actual, const struct ship_answers *expected)
{
    size_t offset = 0;
    size_t common = actual.size < expected->size ? actual.size : expected->size;

    while (offset < common) {
        struct transcript_item item;
        memcpy(&item, expected->bytes + offset, sizeof(item));
        size_t size = item_size(&item);
        if (size > common - offset || memcmp(actual.bytes + offset, expected->bytes + offset, size))
            tell_difference(actual.bytes, expected->bytes, offset);
        offset += size;
    }
    assert_same(actual.size, expected->size);
    free(actual.bytes);
}

void ship_walk_to_the_end(HPSS snapshot)
{
    struct transcript own;

    assert_true(transcript_read(own_calls(), snapshot, false, &own));
    transcript_free(&own);
}

struct ship_answers ship_steal(HANDLE process, HPSS snapshot)
{
    MEMORY_BASIC_INFORMATION region = clone_region(process, address_of(snapshot));
    struct ship_answers block = {NULL, region.RegionSize};

    assert_same(address_of(region.AllocationBase), address_of(snapshot));
    block.bytes = (unsigned char *)malloc(block.size);
    assert_non_null(block.bytes);
    clone_read(process, address_of(snapshot), block.bytes, block.size);
    return block;
}

void *ship_plant(HANDLE process, const void *bytes, size_t size)
{
    void *address = VirtualAllocEx(process, NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    assert_non_null(address);
    ship_poke(process, address, bytes, size);
    return address;
}

void ship_poke(HANDLE process, void *address, const void *bytes, size_t size)
{
    SIZE_T done = 0;

    assert_true(WriteProcessMemory(process, address, bytes, size, &done));
    assert_same(done, size);
}
