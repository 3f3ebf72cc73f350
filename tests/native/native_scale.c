/* SPDX-License-Identifier: MIT */
/* Many of everything: 100,000 handles, 3,000 regions, 5,000 threads. */
#include "world.h"

static void test_100000_handles_are_listed_in_order(void **state)
{
    static const uint32_t count = 100000;
    PSS_HANDLE_ENTRY entry;
    struct fake_object *objects[100];

    (void)state;
    fake.reverses_handles = 1;
    for (uint32_t i = 0; i < 100; i++)
        objects[i] = fake_object_add(i % 2 ? FAKE_EVENT : FAKE_SEMAPHORE);
    for (uint32_t i = 0; i < count; i++)
        fake_handle_open(world.target, objects[i % 100], i, 0);
    world_capture(HANDLE_DETAILS);
    for (uint32_t i = 0; i < count; i++) {
        assert_same(pss_snapshot_walk(world.snapshot, PSS_WALK_HANDLES, world.marker, &entry,
                                      sizeof(entry)),
                    STATUS_SUCCESS);
        assert_same(entry.Handle, pointer_to(4 * ((uint64_t)i + 1)));
        assert_same(entry.GrantedAccess, i);
        assert_same(entry.ObjectType, i % 2 ? PSS_OBJECT_TYPE_EVENT : PSS_OBJECT_TYPE_SEMAPHORE);
    }
    assert_same(
        pss_snapshot_walk(world.snapshot, PSS_WALK_HANDLES, world.marker, &entry, sizeof(entry)),
        STATUS_NO_MORE_ENTRIES);
}

static void test_3000_regions_are_listed_with_their_names(void **state)
{
    PSS_VA_SPACE_ENTRY entry;
    uint32_t walked = 0;
    uint64_t end = 0;

    (void)state;
    for (uint32_t i = 0; i < 3000; i++)
        fake_region_add(world.target, 0x10000 + 0x10000 * (uint64_t)i, i % 3 ? 0x10000 : 0x1000,
                        MEM_COMMIT, PAGE_READONLY, i % 2 ? MEM_MAPPED : MEM_PRIVATE)
            ->file_name = FAKE_TEXT(L"\\Device\\mapped");
    world_capture(PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION);
    while (pss_snapshot_walk(world.snapshot, PSS_WALK_VA_SPACE, world.marker, &entry,
                             sizeof(entry)) == STATUS_SUCCESS) {
        assert_same(entry.BaseAddress, pointer_to(end));
        assert_same(entry.MappedFileNameLength, entry.Type == MEM_MAPPED ? 28 : 0);
        end += entry.RegionSize;
        walked++;
    }
    assert_same(walked, 3000 + 1000 + 2); /* the gaps, what lies before and behind */
    assert_same(end, 0x7FFFFFFF0000);
}

static void test_5000_threads_are_sorted_by_age(void **state)
{
    static PSS_THREAD_ENTRY entries[5000];
    uint64_t seed = 1;

    (void)state;
    for (uint32_t i = 0; i < 5000; i++) {
        struct fake_thread *thread = fake_thread_add(world.target, 4 * (i + 1));

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        thread->times.create_time.QuadPart = (LONGLONG)(seed >> 54); /* many of the same age */
        memset(&thread->context, (int)(i % 251), sizeof(thread->context));
    }
    world_capture(PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
    assert_same(world_walk(PSS_WALK_THREADS, entries, sizeof(entries[0]), 5000), 5000);
    for (uint32_t i = 0; i < 5000; i++) {
        uint32_t index = entries[i].ThreadId / 4 - 1;

        if (i && filetime_value(entries[i].CreateTime) == filetime_value(entries[i - 1].CreateTime))
            assert_true(entries[i].ThreadId > entries[i - 1].ThreadId);
        else if (i)
            assert_true(filetime_value(entries[i].CreateTime) >
                        filetime_value(entries[i - 1].CreateTime));
        assert_same(entries[i].ContextRecord->Rbx, 0x0101010101010101 * (uint64_t)(index % 251));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_100000_handles_are_listed_in_order),
        fixture_test(test_3000_regions_are_listed_with_their_names),
        fixture_test(test_5000_threads_are_sorted_by_age),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
