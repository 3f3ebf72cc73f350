/* SPDX-License-Identifier: MIT */
/* Whatever befalls a living target at a call of a capture, of its clone, too, costs its item at
 * most. */
#include "block_walk.h"
#include "clone_world.h"
#include "fake_space.h"

#include "support/soak.h"
#include "support/tally.h"

#define NEW_VIEW 0xC00000u /* nothing is there */
#define CLONE    (EVERYTHING | PSS_CAPTURE_VA_CLONE)

static struct fake_thread *first_thread(void)
{
    return world.target->threads[0];
}

static void suspend(void)
{
    first_thread()->suspend_count++;
}

static void resume(void)
{
    first_thread()->suspend_count--;
}

static void end_thread(void)
{
    fake_thread_end(world.target->threads[world.target->thread_count - 1], 5);
}

static void start_thread(void)
{
    fake_thread_add(world.target, 2012);
}

static void close_handles(void)
{
    for (ULONG_PTR i = 4; i <= 16; i += 4)
        fake_handle_close(world.target, (HANDLE)i);
}

static void open_handle(void)
{
    fake_handle_open(world.target, fake_object_add(FAKE_EVENT), GENERIC_READ, 0);
}

static void map_view(void)
{
    struct fake_region view = {0};

    view.basic.BaseAddress = view.basic.AllocationBase = (void *)(ULONG_PTR)NEW_VIEW;
    view.basic.RegionSize = FAKE_GRANULARITY;
    view.basic.AllocationProtect = view.basic.Protect = PAGE_READONLY;
    view.basic.State = MEM_COMMIT;
    view.basic.Type = MEM_MAPPED;
    fake_space_insert(world.target, &view);
}

static void unmap_view(void)
{
    fake_space_remove(world.target, MAPPED_FILE, MAPPED_FILE + 5 * FAKE_PAGE);
}

static void free_memory(void)
{
    fake_space_remove(world.target, ZEROES, ZEROES + 32 * FAKE_PAGE);
}

static void protect_memory(void)
{
    struct fake_process *target = world.target;

    fake_space_cut(target, HEAP + FAKE_PAGE);
    target->regions[fake_space_find(target, HEAP)].basic.Protect = PAGE_NOACCESS;
}

struct kind {
    const char *name;
    void (*prepare)(void); /* optional */
    void (*happen)(void);
    ULONG suspend_count; /* of the first thread when it has happened */
};

static const struct kind kinds[] = {
    {"a thread ends", NULL, end_thread, 0},
    {"a thread starts", NULL, start_thread, 0},
    {"handles are closed", NULL, close_handles, 0},
    {"a handle is opened", NULL, open_handle, 0},
    {"a view is mapped", NULL, map_view, 0},
    {"a view is unmapped", NULL, unmap_view, 0},
    {"memory is freed", NULL, free_memory, 0},
    {"memory is protected", NULL, protect_memory, 0},
    {"a thread is suspended", NULL, suspend, 1},
    {"a thread is resumed", suspend, resume, 0},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void happen(void *context)
{
    const struct kind *kind = context;

    tally(TALLY_EVENTS, 1);
    kind->happen();
}

/* Answers whether the call was there. */
static int try_event(void **state, const struct kind *kind, uint32_t flags, uint64_t n)
{
    ULONG expected;

    clone_world_setup(state);
    clone_world_furnish_details();
    expected = first_thread()->suspend_count + kind->suspend_count;
    if (kind->prepare)
        kind->prepare();
    fake.event_call = n;
    fake.event = happen;
    fake.context = (void *)(ULONG_PTR)kind;
    NTSTATUS status =
        pss_snapshot_capture(fake_nt(), world.process, flags, CONTEXT_EVERYTHING, &world.snapshot);
    int has_happened = fake.all_calls >= n;
    fake.event = NULL;
    if (!NT_SUCCESS(status))
        fail_msg("flags 0x%x, %s at call %llu: 0x%x", flags, kind->name, (unsigned long long)n,
                 (unsigned)status);
    if (has_happened && first_thread()->suspend_count != expected)
        fail_msg("flags 0x%x, %s at call %llu: suspended %u times", flags, kind->name,
                 (unsigned long long)n, first_thread()->suspend_count);
    block_use(world.snapshot);
    first_thread()->suspend_count = expected - kind->suspend_count;
    clone_world_teardown(state);
    return has_happened;
}

/* Every call in a whole run; else every n-th one, another one for each kind. */
static void try_kinds(void **state, uint32_t flags, uint32_t step)
{
    for (size_t i = 0; i < KINDS; i++) {
        uint64_t n = 1 + i % step, runs = 0;

        for (; try_event(state, &kinds[i], flags, n); n += step)
            runs++;
        assert_true(runs > 20);
    }
}

static void test_events_at_any_call_do_no_harm(void **state)
{
    try_kinds(state, EVERYTHING, soak_or(3, 1));
}

static void test_events_at_any_call_of_a_clone_do_no_harm(void **state)
{
    try_kinds(state, CLONE, soak_or(19, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_at_any_call_do_no_harm),
        cmocka_unit_test(test_events_at_any_call_of_a_clone_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
