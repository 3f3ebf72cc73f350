/* SPDX-License-Identifier: MIT */
/* The modelled target and the client's steps that all native tests take. */
#include "world.h"

#include <time.h>

struct world world;

int world_setup(void **state)
{
    (void)state;
    fake_init();
    memset(&world, 0, sizeof(world));
    world.target = fake_process_add(TARGET_ID);
    world.target->basic.parent_process_id = PARENT_ID;
    world.process = fake_handle_open(fake.own, &world.target->object, PROCESS_ALL_ACCESS, 0);
    return 0;
}

int world_teardown(void **state)
{
    int is_zero;

    (void)state;
    fake.fault.first = 0;
    world_release();
    world_forget_clones();
    is_zero = fake_ledger_is_zero() && !fake.blind_reads;
    fake_fini();
    return is_zero ? 0 : -1;
}

void world_release(void)
{
    if (world.marker)
        assert_same(pss_marker_free(fake_nt(), world.marker), STATUS_SUCCESS);
    if (world.snapshot)
        assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, world.snapshot),
                    STATUS_SUCCESS);
    world.marker = NULL;
    world.snapshot = NULL;
}

void world_forget_clones(void)
{
    fake.refuse = NULL;
    fake.event = NULL;
    fake.lie = NULL;
    fake.tells_no_counts = 1;
    pss_clone_look(fake_nt());
    fake.tells_no_counts = 0;
}

void world_capture(uint32_t flags)
{
    world_release();
    assert_same(
        pss_snapshot_capture(fake_nt(), world.process, flags, CONTEXT_EVERYTHING, &world.snapshot),
        STATUS_SUCCESS);
    assert_same(pss_marker_create(fake_nt(), NULL, &world.marker), STATUS_SUCCESS);
}

void world_query(uint32_t information_class, void *buffer, DWORD length)
{
    memset(buffer, 0xCC, length);
    assert_same(pss_snapshot_query(fake_nt(), world.snapshot, information_class, buffer, length),
                STATUS_SUCCESS);
}

NTSTATUS world_query_status(uint32_t information_class, DWORD length)
{
    unsigned char buffer[1024], rubbish[1024];
    NTSTATUS status;

    memset(rubbish, 0xCC, sizeof(rubbish));
    memcpy(buffer, rubbish, sizeof(buffer));
    status = pss_snapshot_query(fake_nt(), world.snapshot, information_class, buffer, length);
    assert_false(NT_SUCCESS(status));
    assert_memory_equal(buffer, rubbish, sizeof(buffer));
    return status;
}

uint32_t world_walk(uint32_t information_class, void *entries, DWORD length, uint32_t limit)
{
    unsigned char spare[256];
    uint32_t count = 0;
    NTSTATUS status;

    assert_true(length <= sizeof(spare));
    assert_same(pss_marker_rewind(world.marker), STATUS_SUCCESS);
    for (;; count++) {
        void *entry = count < limit ? (char *)entries + (size_t)count * length : (void *)spare;

        memset(entry, 0xCC, length);
        status = pss_snapshot_walk(world.snapshot, information_class, world.marker, entry, length);
        if (!NT_SUCCESS(status) || status == STATUS_NO_MORE_ENTRIES)
            break;
        assert_same(status, STATUS_SUCCESS);
    }
    assert_same(status, STATUS_NO_MORE_ENTRIES);
    return count;
}

uint64_t world_seed(void)
{
    const char *wanted = getenv("PSS_TEST_SEED");
    uint64_t seed = (uint64_t)time(NULL) * 0x9E3779B97F4A7C15u | 1;

    if (wanted)
        seed = strtoull(wanted, NULL, 0);
    print_message("PSS_TEST_SEED=0x%llx\n", (unsigned long long)seed);
    return seed;
}

void assert_text(const WCHAR *actual, WORD length, struct fake_text expected)
{
    static const WCHAR terminator;

    assert_same(length, expected.length);
    if (!expected.length) {
        assert_null(actual);
        return;
    }
    assert_non_null(actual);
    assert_memory_equal(actual, expected.text, length);
    assert_memory_equal((const char *)actual + length, &terminator, sizeof(terminator));
}

void world_furnish_objects(void)
{
    for (enum fake_type type = FAKE_MUTANT; type < FAKE_TYPE_COUNT; type++) {
        struct fake_object *object = fake_object_add(type);

        object->name = FAKE_TEXT(L"\\BaseNamedObjects\\furniture");
        fake_handle_open(world.target, object, GENERIC_READ, 0);
    }
    fake_handle_open(world.target, &world.target->object, PROCESS_ALL_ACCESS, 0);
    fake_handle_open(world.target, &fake.caller->object, THREAD_ALL_ACCESS, 0);
}

void world_furnish(void)
{
    static const uint32_t trace[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct fake_region *region;

    fake_thread_add(world.target, 2004)->name = FAKE_TEXT(L"main");
    fake_thread_end(fake_thread_add(world.target, 2008), 7);
    region =
        fake_region_add(world.target, 0x10000, 0x2000, MEM_COMMIT, PAGE_READWRITE, MEM_PRIVATE);
    region =
        fake_region_add(world.target, 0x7FFE0000, 0x1000, MEM_COMMIT, PAGE_READONLY, MEM_PRIVATE);
    region =
        fake_region_add(world.target, 0x140000000, 0x1000, MEM_COMMIT, PAGE_READONLY, MEM_IMAGE);
    region->file_name = FAKE_TEXT(L"\\Device\\HarddiskVolume1\\target.exe");
    world.target->image_name = FAKE_TEXT(L"C:\\target.exe");
    world.target->trace = trace;
    world.target->trace_size = sizeof(trace);
    world_furnish_objects();
}
