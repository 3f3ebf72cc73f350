/* SPDX-License-Identifier: MIT */
/* Clones where the system or the target is odd: refusals, other files, changes before the freeze.
 */
#include "clone_world.h"
#include "fake_space.h"
#include "support/soak.h"

#define FLAGS PSS_CAPTURE_VA_CLONE

static NTSTATUS refused; /* what the first creation answers */

static NTSTATUS refuse_first_creation(void *context, enum fake_call call)
{
    (void)context;
    return call == FAKE_CREATE_USER_PROCESS && fake.calls_of[call] == 1 ? refused : STATUS_SUCCESS;
}

/* The image may be gone, held by others or be none any more: that of the caller does as well. */
static void test_clone_of_a_target_whose_image_is_refused_has_another(void **state)
{
    static const NTSTATUS statuses[] = {STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND,
                                        STATUS_OBJECT_NAME_INVALID, STATUS_SHARING_VIOLATION,
                                        STATUS_INVALID_IMAGE_FORMAT};

    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct fake_process *twin;

        clone_world_teardown(state);
        clone_world_setup(state);
        twin = clone_world_twin();
        fake.own->nt_image_name = fake.images[0].name;
        refused = statuses[i];
        fake.refuse = refuse_first_creation;
        world_capture(FLAGS);
        fake.refuse = NULL;
        assert_same(fake.calls_of[FAKE_CREATE_USER_PROCESS], 2);
        assert_same_bytes(clone_world_clone(), twin);
    }
}

static void test_clone_of_a_target_whose_image_is_forbidden_fails(void **state)
{
    HPSS snapshot = pointer_to(1);

    (void)state;
    refused = STATUS_ACCESS_DENIED;
    fake.refuse = refuse_first_creation;
    assert_same(pss_snapshot_capture(fake_nt(), world.process, FLAGS, 0, &snapshot),
                STATUS_ACCESS_DENIED);
    assert_null(snapshot);
    assert_same(fake.calls_of[FAKE_CREATE_USER_PROCESS], 1);
}

/* The caller's image has another bitness. */
static void test_clone_of_a_32_bit_target_whose_image_is_gone_fails(void **state)
{
    HPSS snapshot = pointer_to(1);

    (void)state;
    world.target->peb32 = 0x300000;
    fake.own->nt_image_name = fake.images[0].name;
    refused = STATUS_OBJECT_NAME_NOT_FOUND;
    fake.refuse = refuse_first_creation;
    assert_same(pss_snapshot_capture(fake_nt(), world.process, FLAGS, 0, &snapshot),
                STATUS_OBJECT_NAME_NOT_FOUND);
    assert_null(snapshot);
    assert_same(fake.calls_of[FAKE_CREATE_USER_PROCESS], 1);
}

/* The file of that name may be a program of the other bitness by now. */
static void give_other_bitness(int count)
{
    static struct fake_image changed[2];

    memcpy(changed, fake.images, sizeof(changed));
    for (int i = 0; i < count; i++)
        changed[i].has_other_bitness = 1;
    fake.images = changed;
    fake.own->nt_image_name = fake.images[1].name;
}

static void test_clone_of_a_target_whose_image_became_another_has_its_bitness(void **state)
{
    struct fake_process *twin = clone_world_twin();

    (void)state;
    give_other_bitness(1);
    world_capture(FLAGS);
    assert_same(clone_world_clone()->peb32, 0);
    assert_same(fake.calls_of[FAKE_CREATE_USER_PROCESS], 2);
    assert_same(fake_ledger_now().carriers, 1); /* the first one has ended */
    assert_same_bytes(clone_world_clone(), twin);
}

static void test_clone_that_would_have_another_bitness_fails(void **state)
{
    HPSS snapshot = pointer_to(1);

    (void)state;
    give_other_bitness(2);
    assert_same(pss_snapshot_capture(fake_nt(), world.process, FLAGS, 0, &snapshot),
                STATUS_INVALID_IMAGE_FORMAT);
    assert_null(snapshot);
    assert_same(fake.calls_of[FAKE_CREATE_USER_PROCESS], 2);
    assert_true(fake_ledger_is_zero());
}

/* What all processes share of an image must not be written through its view. */
static void test_image_with_a_shared_part_is_copied(void **state)
{
    static const DWORD protections[] = {PAGE_READWRITE, PAGE_EXECUTE_READWRITE};

    for (int i = 0; i < 2; i++) {
        static struct fake_image changed[2];
        static struct fake_region parts[2];
        struct fake_process *twin;

        clone_world_teardown(state);
        clone_world_setup(state);
        twin = clone_world_twin();
        memcpy(changed, fake.images, sizeof(changed));
        memcpy(parts, changed[1].parts, sizeof(parts));
        parts[1].basic.Protect = protections[i];
        changed[1].parts = parts;
        fake.images = changed;
        world_capture(FLAGS);
        assert_same_bytes(clone_world_clone(), twin);
        assert_same(fake_region_at(clone_world_clone(), changed[1].preferred_base)->basic.Type,
                    MEM_PRIVATE);
    }
}

/* What the carrier tells of a view it has just been given, once: it is none of that file. */
struct lie {
    SIZE_T offset;
    uint64_t value;
    uint32_t width, told;
};

static NTSTATUS tell(void *context, enum fake_call call, void *buffer, SIZE_T size, ULONG *returned)
{
    struct lie *lie = context;

    (void)returned;
    if (call != FAKE_QUERY_MEMORY || size != sizeof(MEMORY_BASIC_INFORMATION) ||
        !fake.calls_of[FAKE_CREATE_SECTION] || lie->told++)
        return STATUS_SUCCESS;
    memcpy((char *)buffer + lie->offset, &lie->value, lie->width);
    return STATUS_SUCCESS;
}

static void test_view_that_is_told_to_be_another_is_copied(void **state)
{
    static const struct lie lies[] = {
        {offsetof(MEMORY_BASIC_INFORMATION, State), MEM_RESERVE, 4, 0},
        {offsetof(MEMORY_BASIC_INFORMATION, Type), MEM_MAPPED, 4, 0},
        {offsetof(MEMORY_BASIC_INFORMATION, AllocationBase), 0x10000, 8, 0},
    };

    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct lie lie = lies[i];
        struct fake_process *twin;
        uint32_t images = 0;

        clone_world_teardown(state);
        clone_world_setup(state);
        twin = clone_world_twin();
        fake.lie = tell;
        fake.context = &lie;
        world_capture(FLAGS);
        fake.lie = NULL;
        assert_true(lie.told > 0);
        assert_same_bytes(clone_world_clone(), twin);
        for (uint32_t j = 0; j < fake.image_count; j++)
            images +=
                fake_region_at(clone_world_clone(), fake.images[j].preferred_base)->basic.Type ==
                MEM_IMAGE;
        assert_same(images, fake.image_count - 1);
    }
}

/* ---- changes between the layout and the freeze that leave the number of regions ---- */

static int way;
static struct fake_process *as_frozen;
static uint32_t happened;

/* An image was unmapped, and there is private memory now. */
static void replace_image(struct fake_process *target)
{
    for (uint32_t i = 0; i < target->region_count; i++) {
        struct fake_region *region = &target->regions[i];

        if (region->basic.AllocationBase != pointer_to(fake.images[1].preferred_base))
            continue;
        region->basic.Type = MEM_PRIVATE;
        region->basic.Protect = region->basic.AllocationProtect = PAGE_READWRITE;
        region->file_name.text = NULL;
    }
}

#define HALF 0x10000u /* of the zeroes */

/* The last two ways need something else before: two allocations, or the second of them alone. */
static void prepare(struct fake_process *target)
{
    if (way < 5)
        return;
    fake_space_cut(target, ZEROES + HALF);
    target->regions[fake_space_find(target, ZEROES + HALF)].basic.AllocationBase =
        pointer_to(ZEROES + HALF);
    if (way == 6)
        fake_space_remove(target, ZEROES, ZEROES + HALF);
}

/*
 * Both halves are one allocation now, and still two regions. Where that happens between the
 * questions for them, the first is told to be free, and the second a part of the new allocation.
 */
static void join_halves(struct fake_process *target)
{
    struct fake_region first = target->regions[fake_space_find(target, ZEROES + HALF)];

    target->regions[fake_space_find(target, ZEROES + HALF)].basic.AllocationBase =
        first.basic.AllocationBase = first.basic.BaseAddress = pointer_to(ZEROES);
    first.basic.Protect = PAGE_READONLY;
    if (fake_region_at(target, ZEROES))
        fake_space_remove(target, ZEROES, ZEROES + HALF);
    fake_space_insert(target, &first);
}

static void change(struct fake_process *target)
{
    struct fake_region *region = &target->regions[fake_space_find(target, ZEROES)];

    switch (way) {
    case 0:
        region->basic.RegionSize -= FAKE_PAGE;
        break;
    case 1:
        region->basic.State = MEM_RESERVE;
        region->basic.Protect = 0;
        break;
    case 2:
        region->basic.Type = MEM_MAPPED;
        break;
    case 3:
        replace_image(target);
        break;
    case 5:
    case 6:
        join_halves(target);
        break;
    default:
        region->basic.AllocationProtect = PAGE_READONLY;
        break;
    }
}

static void change_before_freeze(void *context)
{
    (void)context;
    if (!fake.carrier || fake.calls_of[FAKE_SUSPEND_THREAD])
        return;
    happened++;
    change(world.target);
    fake_space_copy(as_frozen = fake_process_add(9998), world.target);
}

static void test_allocation_that_changes_its_kind_is_cloned_as_it_stood_still(void **state)
{
    for (way = 0; way < 7; way++) {
        happened = 0;
        for (uint64_t n = 20, is_over = 0; !is_over; n += way == 6 ? 1 : soak_or(23, 11)) {
            clone_world_teardown(state);
            clone_world_setup(state);
            prepare(world.target);
            as_frozen = clone_world_twin();
            fake.event_call = n;
            fake.event = change_before_freeze;
            world_capture(FLAGS);
            is_over = fake.calls_of[FAKE_SUSPEND_THREAD] && n > 1000;
            fake.event = NULL;
            assert_same_bytes(clone_world_clone(), as_frozen);
            assert_same_layout(clone_world_clone(), as_frozen);
        }
        assert_true(happened > 3);
    }
}

/* ---- bytes that come and go by half ---- */

static void test_reads_and_writes_that_come_short_are_no_clone(void **state)
{
    for (int i = 0; i < 2; i++) {
        HPSS snapshot = pointer_to(1);
        NTSTATUS status;

        clone_world_teardown(state);
        clone_world_setup(state);
        fake.has_memory_files = 0;
        fake.reads_short = i == 0;
        fake.writes_short = i == 1;
        status = pss_snapshot_capture(fake_nt(), world.process, FLAGS, 0, &snapshot);
        fake.reads_short = fake.writes_short = 0;
        assert_same(status, STATUS_PARTIAL_COPY);
        assert_null(snapshot);
        assert_true(fake_ledger_is_zero());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        clone_test(test_clone_of_a_target_whose_image_is_refused_has_another),
        clone_test(test_clone_of_a_target_whose_image_is_forbidden_fails),
        clone_test(test_clone_of_a_32_bit_target_whose_image_is_gone_fails),
        clone_test(test_clone_of_a_target_whose_image_became_another_has_its_bitness),
        clone_test(test_clone_that_would_have_another_bitness_fails),
        clone_test(test_image_with_a_shared_part_is_copied),
        clone_test(test_view_that_is_told_to_be_another_is_copied),
        clone_test(test_allocation_that_changes_its_kind_is_cloned_as_it_stood_still),
        clone_test(test_reads_and_writes_that_come_short_are_no_clone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
