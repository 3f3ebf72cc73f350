/* SPDX-License-Identifier: MIT */
/* Freeing: whose process a handle means, which rights it needs, and what stays alive for markers.
 */
#include "world.h"

static HANDLE open_own(ACCESS_MASK access)
{
    return fake_handle_open(fake.own, &fake.own->object, access, 0);
}

static void assert_free(HANDLE process, NTSTATUS expected)
{
    assert_same(pss_snapshot_free(fake_nt(), process, world.snapshot), expected);
    assert_same(pss_snapshot_block(fake_nt(), world.snapshot) != NULL, expected != STATUS_SUCCESS);
    if (expected == STATUS_SUCCESS)
        world.snapshot = NULL;
}

/* Processes are compared, not handle values; rights to the own process are not asked for. */
static void test_free_accepts_every_handle_to_the_own_process(void **state)
{
    static const ACCESS_MASK rights[] = {PROCESS_ALL_ACCESS, PROCESS_QUERY_INFORMATION,
                                         PROCESS_QUERY_LIMITED_INFORMATION,
                                         PROCESS_VM_READ | PROCESS_VM_OPERATION};

    (void)state;
    for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
        world_capture(PSS_CAPTURE_NONE);
        assert_free(open_own(rights[i]), STATUS_SUCCESS);
    }
    world_capture(PSS_CAPTURE_NONE);
    assert_free(PSS_CURRENT_PROCESS, STATUS_SUCCESS);
}

static void test_free_with_what_is_no_process_frees_nothing(void **state)
{
    HANDLE event;

    (void)state;
    event = fake_handle_open(fake.own, fake_object_add(FAKE_EVENT), GENERIC_ALL, 0);
    world_capture(PSS_CAPTURE_NONE);
    assert_free(NULL, STATUS_INVALID_HANDLE);
    assert_free(pointer_to(0xDEADBEEC), STATUS_INVALID_HANDLE);
    assert_free(event, STATUS_OBJECT_TYPE_MISMATCH);
}

/* Clients do pass the handle of the process they captured: it holds no such snapshot. */
static void test_free_with_the_handle_of_the_target_frees_nothing(void **state)
{
    (void)state;
    world_capture(PSS_CAPTURE_NONE);
    assert_free(world.process, STATUS_INVALID_HANDLE);
    assert_free(fake_handle_open(fake.own, &world.target->object, PROCESS_QUERY_INFORMATION, 0),
                STATUS_ACCESS_DENIED);
}

static void test_free_twice_frees_once(void **state)
{
    HPSS snapshot;

    (void)state;
    world_capture(PSS_CAPTURE_NONE);
    snapshot = world.snapshot;
    assert_free(PSS_CURRENT_PROCESS, STATUS_SUCCESS);
    assert_same(pss_snapshot_free(fake_nt(), PSS_CURRENT_PROCESS, snapshot), STATUS_INVALID_HANDLE);
}

/* What a walk handed out lives as long as the marker, through the free and every other walk. */
static void test_free_leaves_what_a_marker_has_walked(void **state)
{
    PSS_THREAD_NAME names[3];

    (void)state;
    fake_thread_add(world.target, 2004)->name = FAKE_TEXT(L"a thread");
    world_capture(PSS_CAPTURE_THREADS);
    for (int i = 0; i < 3; i++) {
        assert_same(pss_snapshot_walk(world.snapshot, PSS_WALK_THREAD_NAME, world.marker, &names[i],
                                      sizeof(names[i])),
                    STATUS_SUCCESS);
        assert_free(PSS_CURRENT_PROCESS, STATUS_SUCCESS);
        assert_same(
            pss_snapshot_capture(fake_nt(), world.process, PSS_CAPTURE_THREADS, 0, &world.snapshot),
            STATUS_SUCCESS);
    }
    for (int i = 0; i < 3; i++)
        assert_text(names[i].ThreadName, names[i].ThreadNameSize, FAKE_TEXT(L"a thread"));
    assert_same(fake_ledger_now().allocations, 4);
    assert_same(pss_marker_free(fake_nt(), world.marker), STATUS_SUCCESS);
    world.marker = NULL;
    assert_same(fake_ledger_now().allocations, 1);
}

static NTSTATUS refuse_reads(void *context, enum fake_call call)
{
    (void)context;
    return call == FAKE_READ_MEMORY ? STATUS_NO_MEMORY : STATUS_SUCCESS;
}

static NTSTATUS falsify_reads(void *context, enum fake_call call, void *buffer, SIZE_T size,
                              ULONG *returned)
{
    (void)context;
    (void)returned;
    if (call == FAKE_READ_MEMORY && size)
        *(unsigned char *)buffer ^= 1;
    return STATUS_SUCCESS;
}

/* A handle that may not be queried is one to the own process only if its memory proves it. */
static void test_free_takes_no_process_for_the_own_without_proof(void **state)
{
    HANDLE process = open_own(PROCESS_VM_READ | PROCESS_VM_OPERATION);

    (void)state;
    world_capture(PSS_CAPTURE_NONE);
    fake.refuse = refuse_reads;
    assert_free(process, STATUS_NO_MEMORY);
    fake.refuse = NULL;
    fake.reads_short = 1;
    assert_free(process, STATUS_ACCESS_DENIED);
    fake.reads_short = 0;
    fake.lie = falsify_reads;
    assert_free(process, STATUS_ACCESS_DENIED);
    fake.lie = NULL;
    assert_free(process, STATUS_SUCCESS);
}

/* Its memory lives on with the marker, and others could read it: it says that it is no snapshot. */
static void test_freed_snapshot_that_is_held_is_marked_as_dead(void **state)
{
    const struct pss_block *block;
    PSS_THREAD_ENTRY entry;

    (void)state;
    fake_thread_add(world.target, 2004);
    world_capture(PSS_CAPTURE_THREADS);
    block = (const struct pss_block *)world.snapshot;
    assert_same(
        pss_snapshot_walk(world.snapshot, PSS_WALK_THREADS, world.marker, &entry, sizeof(entry)),
        STATUS_SUCCESS);
    assert_same(block->live, 1);
    assert_free(PSS_CURRENT_PROCESS, STATUS_SUCCESS);
    assert_same(block->live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_free_accepts_every_handle_to_the_own_process),
        fixture_test(test_free_with_what_is_no_process_frees_nothing),
        fixture_test(test_free_with_the_handle_of_the_target_frees_nothing),
        fixture_test(test_free_twice_frees_once),
        fixture_test(test_free_leaves_what_a_marker_has_walked),
        fixture_test(test_free_takes_no_process_for_the_own_without_proof),
        fixture_test(test_freed_snapshot_that_is_held_is_marked_as_dead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
