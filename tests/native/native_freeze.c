/* SPDX-License-Identifier: MIT */
/* The locks of the two processes of a freeze: one order for all, and free for the next one. */
#include "world.h"

#define FLAGS (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)
#define LOCKS 2u

/* What the library asked for since the start of a test. */
static struct {
    uint64_t ids[LOCKS]; /* in the names of the locks */
    HANDLE mutants[LOCKS];
    uint32_t count, released;
} seen;

/* The digits at the end of a name. */
static uint64_t id_of(const UNICODE_STRING *name)
{
    uint64_t id = 0, unit = 1;

    for (uint32_t i = name->Length / sizeof(WCHAR); i-- && name->Buffer[i] >= '0';) {
        if (name->Buffer[i] > '9')
            break;
        id += unit * (uint64_t)(name->Buffer[i] - '0');
        unit *= 10;
    }
    return id;
}

static NTSTATUS NTAPI create_mutant(HANDLE *mutant, ACCESS_MASK access,
                                    OBJECT_ATTRIBUTES *attributes, BOOLEAN is_owned)
{
    NTSTATUS status = fake_nt()->create_mutant(mutant, access, attributes, is_owned);

    assert_same(status, STATUS_SUCCESS);
    assert_true(seen.count < LOCKS);
    seen.ids[seen.count] = id_of(attributes->ObjectName);
    seen.mutants[seen.count++] = *mutant;
    return status;
}

/* Others may have the lock open: it has to be free before it is closed. */
static NTSTATUS NTAPI close_handle(HANDLE handle)
{
    LARGE_INTEGER now = {.QuadPart = 0};

    for (uint32_t i = 0; i < seen.count; i++)
        if (seen.mutants[i] == handle) {
            assert_same(fake_nt()->wait(handle, FALSE, &now), STATUS_SUCCESS);
            assert_same(fake_nt()->release_mutant(handle, NULL), STATUS_SUCCESS);
            seen.mutants[i] = NULL;
            seen.released++;
        }
    return fake_nt()->close(handle);
}

static void capture_of(uint32_t id)
{
    struct pss_nt nt = *fake_nt();
    HPSS snapshot = NULL;

    nt.create_mutant = create_mutant;
    nt.close = close_handle;
    memset(&seen, 0, sizeof(seen));
    world.target->basic.process_id = id;
    assert_same(pss_snapshot_capture(&nt, world.process, FLAGS, CONTEXT_EVERYTHING, &snapshot),
                STATUS_SUCCESS);
    assert_same(pss_snapshot_free(&nt, PSS_CURRENT_PROCESS, snapshot), STATUS_SUCCESS);
}

static void test_locks_are_taken_in_the_order_of_the_ids(void **state)
{
    uint64_t own = fake.own->basic.process_id;

    (void)state;
    fake_thread_add(world.target, 2004);
    capture_of((uint32_t)own - 4);
    assert_same(seen.count, LOCKS);
    assert_same(seen.ids[0], own - 4);
    assert_same(seen.ids[1], own);
    capture_of((uint32_t)own + 4);
    assert_same(seen.ids[0], own);
    assert_same(seen.ids[1], own + 4);
}

static void test_locks_are_free_when_they_are_closed(void **state)
{
    (void)state;
    fake_thread_add(world.target, 2004);
    capture_of(TARGET_ID);
    assert_same(seen.released, LOCKS);
}

/* Without contexts nobody has to stand still. */
static void test_capture_that_freezes_nobody_takes_no_lock(void **state)
{
    struct pss_nt nt = *fake_nt();
    HPSS snapshot = NULL;

    (void)state;
    nt.create_mutant = create_mutant;
    memset(&seen, 0, sizeof(seen));
    assert_same(pss_snapshot_capture(&nt, world.process, PSS_CAPTURE_THREADS, 0, &snapshot),
                STATUS_SUCCESS);
    assert_same(pss_snapshot_free(&nt, PSS_CURRENT_PROCESS, snapshot), STATUS_SUCCESS);
    assert_same(seen.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_locks_are_taken_in_the_order_of_the_ids),
        fixture_test(test_locks_are_free_when_they_are_closed),
        fixture_test(test_capture_that_freezes_nobody_takes_no_lock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
