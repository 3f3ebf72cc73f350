/* SPDX-License-Identifier: MIT */
/* Clones by a carrier: its bytes, its regions, what is told of it, and the ways the bytes take. */
#include "clone_world.h"
#include "fake_space.h"

#define FLAGS PSS_CAPTURE_VA_CLONE

/* A capture that must have made a clone of what the target had, by this route. */
static void check_capture(uint32_t flags, PSS_CLONE_ROUTE route)
{
    struct fake_process *twin = clone_world_twin(), *clone;
    PSS_VA_CLONE_DETAILS details;

    world_capture(flags);
    clone_world_scribble();
    clone = clone_world_clone();
    details = clone_world_details();
    assert_same(details.Strategy, PSS_CLONE_CARRIER);
    assert_same(details.Route, route);
    assert_details(&details, ALWAYS_MISSING);
    assert_same_bytes(clone, twin);
    assert_same_layout(clone, twin);
    assert_same(clone->memory_hang, FAKE_ANSWERS);
    for (uint32_t i = 0; i < clone->handle_capacity; i++)
        assert_null(clone->handles[i].object);
    assert_same(fake.strange_writes, 0);
    for (uint32_t i = 0; i < world.target->thread_count; i++)
        assert_same(world.target->threads[i]->suspend_count, 0);
}

static void test_clone_by_files_is_the_target_at_the_capture(void **state)
{
    (void)state;
    clone_world_add_large();
    check_capture(FLAGS, PSS_CLONE_ROUTE_FILES);
    assert_true(fake.file_bytes_read > 0x280000 && fake.file_bytes_written > 0);
}

static void test_clone_by_calls_is_the_target_at_the_capture(void **state)
{
    (void)state;
    clone_world_add_large();
    fake.has_memory_files = 0;
    check_capture(FLAGS, PSS_CLONE_ROUTE_CALLS);
    assert_same(fake.file_bytes_read | fake.file_bytes_written, 0);
}

static void test_clone_is_the_same_where_no_handle_is_passed_on(void **state)
{
    (void)state;
    fake.passes_nothing_on = 1;
    check_capture(FLAGS, PSS_CLONE_ROUTE_FILES);
}

static void test_clone_with_everything_else_is_the_same(void **state)
{
    static const uint32_t flags[] = {
        PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT, PSS_CAPTURE_VA_SPACE,
        PSS_CAPTURE_HANDLES | PSS_CAPTURE_RESERVED_00000002, EVERYTHING};

    (void)state;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        clone_world_teardown(state);
        clone_world_setup(state);
        check_capture(FLAGS | flags[i], PSS_CLONE_ROUTE_FILES);
    }
}

/* What is told in bytes is what was there in pages. */
static void test_details_count_what_was_done(void **state)
{
    PSS_VA_CLONE_DETAILS details;
    uint64_t committed = 0;

    (void)state;
    for (uint32_t i = 0; i < world.target->region_count; i++)
        if (world.target->regions[i].basic.State == MEM_COMMIT)
            committed += world.target->regions[i].basic.RegionSize;
    world_capture(FLAGS);
    details = clone_world_details();
    assert_details(&details, ALWAYS_MISSING);
    assert_same(details.BytesCommitted, committed);
    assert_same(details.BytesUnchanged, (IMAGE_PAGES - 1 + 2) * FAKE_PAGE);
    assert_true(details.BytesZero >= 0x20000);
    assert_true(details.BytesCopied >= 0x10000 + 0x4000 + 0x2000 + 0x5000 + 0x3000 + 0x4000);
    assert_same(world_query_status(PSS_QUERY_VA_CLONE_DETAILS, sizeof(details) - 1),
                STATUS_INFO_LENGTH_MISMATCH);
}

/* From a page on that cannot be read the rest of its region is zero, and counted. */
static void test_page_that_cannot_be_read_costs_the_rest_of_its_region(void **state)
{
    static const unsigned char zeroes[12 * FAKE_PAGE];

    for (uint8_t by_files = 0; by_files < 2; by_files++) {
        struct fake_process *twin;
        PSS_VA_CLONE_DETAILS details;

        clone_world_teardown(state);
        clone_world_setup(state);
        twin = clone_world_twin();
        fake.has_memory_files = by_files;
        fake.bad_page = HEAP + 4 * FAKE_PAGE;
        world_capture(FLAGS);
        details = clone_world_details();
        assert_details(&details, ALWAYS_MISSING + sizeof(zeroes));
        fake_write(twin, fake.bad_page, zeroes, sizeof(zeroes));
        assert_same_bytes(clone_world_clone(), twin);
    }
}

/* Bytes go in chunks, and what is known to be there already is not written at all. */
static void test_clone_takes_few_calls(void **state)
{
    static const enum fake_call reads[] = {FAKE_READ_FILE, FAKE_READ_MEMORY};
    static const enum fake_call writes[] = {FAKE_WRITE_FILE, FAKE_WRITE_MEMORY};

    for (int by_calls = 0; by_calls < 2; by_calls++) {
        PSS_VA_CLONE_DETAILS details;
        uint64_t few;

        clone_world_teardown(state);
        clone_world_setup(state);
        clone_world_add_large();
        fake.has_memory_files = (uint8_t)!by_calls;
        world_capture(FLAGS);
        details = clone_world_details();
        few = details.BytesCommitted / 0x10000 + 4 * world.target->region_count;
        assert_true(fake.calls_of[reads[by_calls]] <= few);
        assert_true(fake.calls_of[writes[by_calls]] <= few);
        assert_true(fake.calls_of[FAKE_REMOTE_MEMORY] <= 4 * world.target->region_count);
        assert_true(fake.file_bytes_written <= details.BytesCopied);
    }
}

static void test_details_without_a_clone_are_not_found(void **state)
{
    (void)state;
    world_capture(PSS_CAPTURE_VA_SPACE);
    assert_same(world_query_status(PSS_QUERY_VA_CLONE_DETAILS, sizeof(PSS_VA_CLONE_DETAILS)),
                STATUS_NOT_FOUND);
    assert_same(world_query_status(PSS_QUERY_VA_CLONE_INFORMATION, sizeof(void *)),
                STATUS_NOT_FOUND);
    assert_same(fake.carriers, 0);
}

/* The file supplies what the target has not changed: one page of the exe is written, no other. */
static void test_images_are_mapped_from_their_files(void **state)
{
    const struct fake_process *clone;

    (void)state;
    world_capture(FLAGS);
    clone = clone_world_clone();
    for (uint32_t page = 0; page < IMAGE_PAGES; page++) {
        const struct fake_region *region = fake_region_at(clone, EXE + page * FAKE_PAGE);

        assert_same(region->basic.Type, MEM_IMAGE);
        assert_same(region->basic.AllocationBase, EXE);
    }
    assert_same(fake_region_at(clone, ORPHAN_IMAGE)->basic.Type, MEM_PRIVATE);
}

/* An image whose file has become another one is copied. */
static void test_images_that_do_not_fit_their_files_are_copied(void **state)
{
    struct fake_process *twin;
    static struct fake_image changed[2];
    PSS_VA_CLONE_DETAILS details;

    (void)state;
    twin = clone_world_twin();
    memcpy(changed, fake.images, sizeof(changed));
    changed[1].part_count = 1; /* shorter than the target's view */
    fake.images = changed;
    world_capture(FLAGS);
    details = clone_world_details();
    assert_details(&details, ALWAYS_MISSING);
    assert_same_bytes(clone_world_clone(), twin);
    assert_same(fake_region_at(clone_world_clone(), changed[1].preferred_base)->basic.Type,
                MEM_PRIVATE);
}

/* Some other process has the same bytes where they are compared: nobody can tell which is which. */
static void test_decoys_of_the_target_are_not_believed(void **state)
{
    (void)state;
    fake.decoys = 1;
    fake.decoy = world.target;
    check_capture(FLAGS, PSS_CLONE_ROUTE_CALLS);
}

static void test_many_decoys_are_not_believed(void **state)
{
    (void)state;
    fake.decoys = 100;
    fake.decoy = world.target;
    check_capture(FLAGS, PSS_CLONE_ROUTE_CALLS);
}

static void test_files_that_lie_are_not_believed(void **state)
{
    (void)state;
    fake.files_lie = 1;
    check_capture(FLAGS, PSS_CLONE_ROUTE_CALLS);
    assert_same(fake.file_bytes_written, 0);
}

static void test_files_that_read_short_are_not_believed(void **state)
{
    (void)state;
    fake.files_read_short = 1;
    check_capture(FLAGS, PSS_CLONE_ROUTE_CALLS);
    assert_same(fake.file_bytes_written, 0);
}

static void test_files_that_cannot_be_opened_are_done_without(void **state)
{
    (void)state;
    fake.files_are_private = 1;
    check_capture(FLAGS, PSS_CLONE_ROUTE_CALLS);
}

static void test_files_that_cannot_be_written_are_done_without(void **state)
{
    (void)state;
    fake.files_refuse_writes = 1;
    check_capture(FLAGS, PSS_CLONE_ROUTE_CALLS);
    assert_same(fake.file_bytes_written, 0);
}

/* They have been believed, and then fail: each byte takes the other way. */
static void come_short(void *context)
{
    (void)context;
    fake.files_read_short = 1;
}

static void test_files_that_come_short_at_any_call_cost_nothing(void **state)
{
    uint64_t n = 1;

    for (int has_happened = 1; has_happened; n++) {
        struct fake_process *twin;

        clone_world_teardown(state);
        clone_world_setup(state);
        twin = clone_world_twin();
        fake.event_call = n;
        fake.event = come_short;
        world_capture(FLAGS);
        has_happened = fake.files_read_short;
        assert_same_bytes(clone_world_clone(), twin);
    }
    assert_true(n > 200);
}

/* The target may change until it stands still; then it is as it was when it did. */
static struct fake_process *as_frozen;
static int was_frozen;

static void change_layout(void *context)
{
    static const unsigned char bytes[16] = "changed";
    struct fake_process *target = world.target;

    (void)context;
    if (target->threads[0]->suspend_count) /* it cannot: let it be later */ {
        fake.event_call++;
        return;
    }
    was_frozen = fake.carrier && fake.calls_of[FAKE_SUSPEND_THREAD];
    fake_space_remove(target, ZEROES, ZEROES + 0x20000);
    fake_space_cut(target, HEAP + 0x18000);
    target->regions[fake_space_find(target, HEAP + 0x10000)].basic.State = MEM_COMMIT;
    target->regions[fake_space_find(target, HEAP + 0x10000)].basic.Protect = PAGE_READONLY;
    fake_space_join(target);
    fake_write(target, HEAP + 0x17FF8, bytes, 8);
    fake_write(target, FORBIDDEN, bytes, sizeof(bytes));
    if (was_frozen)
        return;
    as_frozen = fake_process_add(9998);
    fake_space_copy(as_frozen, target);
}

static void test_target_that_changes_is_cloned_as_it_stood_still(void **state)
{
    uint64_t n = 1, happened = 0;

    for (int has_happened = 1; has_happened; n++) {
        clone_world_teardown(state);
        clone_world_setup(state);
        as_frozen = clone_world_twin();
        fake.event_call = n;
        fake.event = change_layout;
        world_capture(FLAGS);
        has_happened = fake.all_calls >= fake.event_call;
        happened += has_happened && !was_frozen;
        fake.event = NULL;
        assert_same_bytes(clone_world_clone(), as_frozen);
        assert_same_layout(clone_world_clone(), as_frozen);
    }
    assert_true(n > 200 && happened > 50);
}

static void test_clone_of_a_target_with_other_layout_loses_only_what_is_kept(void **state)
{
    struct fake_process *twin;
    struct fake_region *region;
    PSS_VA_CLONE_DETAILS details;

    (void)state;
    /* The target has something else where the carrier has its kernel's stack. */
    region = &world.target->regions[fake_space_find(world.target, 0x220000)];
    region->basic.RegionSize = 0x8000;
    twin = clone_world_twin();
    world_capture(FLAGS);
    details = clone_world_details();
    assert_details(&details, ALWAYS_MISSING - KERNEL_STACK_SIZE + 0x8000);
    assert_same_bytes(clone_world_clone(), twin);
}

static void test_self_capture_has_a_clone(void **state)
{
    static const uint32_t flags[] = {0, PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT,
                                     PSS_CAPTURE_VA_SPACE};

    (void)state;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        clone_world_teardown(state);
        clone_world_setup(state);
        clone_world_furnish(fake.own);
        world.process = PSS_CURRENT_PROCESS;
        world.target = fake.own;
        check_capture(FLAGS | flags[i], PSS_CLONE_ROUTE_FILES);
    }
}

/* The threads that make the clone go on, and are no threads of the snapshot. */
static void test_self_capture_does_not_tell_of_its_own_threads(void **state)
{
    PSS_THREAD_ENTRY entries[4];

    (void)state;
    clone_world_furnish(fake.own);
    world.process = PSS_CURRENT_PROCESS;
    world.target = fake.own;
    fake_thread_add(fake.own, 112);
    world_capture(FLAGS | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
    assert_same(world_walk(PSS_WALK_THREADS, entries, sizeof(entries[0]), 4), 2);
    assert_same(entries[0].ThreadId, fake.caller->basic.id.UniqueThread);
    assert_same(entries[1].ThreadId, 112);
    assert_same(fake.calls_of[FAKE_SUSPEND_THREAD], 1);
}

/* A clone of the clone outlives the snapshot that owns the first. */
static void test_clone_can_be_captured_again(void **state)
{
    struct fake_process *twin = clone_world_twin(), *first;
    HPSS snapshot;

    (void)state;
    world_capture(FLAGS);
    first = clone_world_clone();
    snapshot = world.snapshot;
    world.snapshot = NULL;
    world.process = fake_handle_open(fake.own, &first->object, PROCESS_ALL_ACCESS, 0);
    world_capture(FLAGS);
    assert_true(clone_world_clone() != first);
    assert_true(fake_handle_close(fake.own, world.process));
    assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, snapshot), STATUS_SUCCESS);
    assert_true(first->times.exit_time.QuadPart != 0);
    assert_same(clone_world_clone()->times.exit_time.QuadPart, 0);
    assert_same_bytes(clone_world_clone(), twin);
}

static void test_clone_of_a_target_without_its_file_has_another_image(void **state)
{
    struct fake_process *twin = clone_world_twin();

    (void)state;
    world.target->nt_image_name = FAKE_TEXT(L"\\??\\C:\\deleted.exe");
    fake.own->nt_image_name = fake.images[0].name;
    world_capture(FLAGS);
    assert_same_bytes(clone_world_clone(), twin);
}

static void test_handle_with_few_rights_is_enough(void **state)
{
    struct fake_process *twin = clone_world_twin();

    (void)state;
    world.process = fake_handle_open(fake.own, &world.target->object,
                                     PROCESS_CREATE_PROCESS | PROCESS_QUERY_LIMITED_INFORMATION, 0);
    world_capture(FLAGS);
    assert_same_bytes(clone_world_clone(), twin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        clone_test(test_clone_by_files_is_the_target_at_the_capture),
        clone_test(test_clone_by_calls_is_the_target_at_the_capture),
        clone_test(test_clone_is_the_same_where_no_handle_is_passed_on),
        clone_test(test_clone_with_everything_else_is_the_same),
        clone_test(test_details_count_what_was_done),
        clone_test(test_page_that_cannot_be_read_costs_the_rest_of_its_region),
        clone_test(test_clone_takes_few_calls),
        clone_test(test_details_without_a_clone_are_not_found),
        clone_test(test_images_are_mapped_from_their_files),
        clone_test(test_images_that_do_not_fit_their_files_are_copied),
        clone_test(test_decoys_of_the_target_are_not_believed),
        clone_test(test_many_decoys_are_not_believed),
        clone_test(test_files_that_lie_are_not_believed),
        clone_test(test_files_that_read_short_are_not_believed),
        clone_test(test_files_that_cannot_be_opened_are_done_without),
        clone_test(test_files_that_cannot_be_written_are_done_without),
        clone_test(test_files_that_come_short_at_any_call_cost_nothing),
        clone_test(test_target_that_changes_is_cloned_as_it_stood_still),
        clone_test(test_clone_of_a_target_with_other_layout_loses_only_what_is_kept),
        clone_test(test_self_capture_has_a_clone),
        clone_test(test_self_capture_does_not_tell_of_its_own_threads),
        clone_test(test_clone_can_be_captured_again),
        clone_test(test_clone_of_a_target_without_its_file_has_another_image),
        clone_test(test_handle_with_few_rights_is_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
