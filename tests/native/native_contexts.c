/* SPDX-License-Identifier: MIT */
/* Thread contexts: which parts are read, how large a record is, and who comes without one. */
#include "world.h"

#define LIMIT 16u
#define EXTENDED \
    (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT | PSS_CAPTURE_THREAD_CONTEXT_EXTENDED)
#define PLAIN (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)

static PSS_THREAD_ENTRY entries[LIMIT];

static void capture(uint32_t flags, DWORD context_flags)
{
    world_release();
    assert_same(
        pss_snapshot_capture(fake_nt(), world.process, flags, context_flags, &world.snapshot),
        STATUS_SUCCESS);
    assert_same(pss_marker_create(fake_nt(), NULL, &world.marker), STATUS_SUCCESS);
    world_walk(PSS_WALK_THREADS, entries, sizeof(entries[0]), LIMIT);
}

/* A thread whose registers are all `byte`. */
static struct fake_thread *add_thread(uint32_t id, int byte)
{
    struct fake_thread *thread = fake_thread_add(world.target, id);

    memset(&thread->context, byte, sizeof(thread->context));
    return thread;
}

static void test_context_has_the_parts_asked_for(void **state)
{
    static const DWORD masks[] = {
        CONTEXT_CONTROL, CONTEXT_INTEGER,         CONTEXT_SEGMENTS, CONTEXT_FLOATING_POINT,
        CONTEXT_FULL,    CONTEXT_DEBUG_REGISTERS, 0x10001F};

    (void)state;
    add_thread(2004, 0x5A);
    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        CONTEXT expected = {.ContextFlags = masks[i]};

        capture(PLAIN, masks[i]);
        assert_same(entries[0].SizeOfContextRecord, sizeof(CONTEXT));
        assert_same(address_of(entries[0].ContextRecord) % 16, 0);
        if (masks[i] & CONTEXT_CONTROL & 0xF) {
            expected.Rip = expected.Rsp = 0x5A5A5A5A5A5A5A5A;
            expected.EFlags = 0x5A5A5A5A;
            expected.SegCs = expected.SegSs = 0x5A5A;
        }
        if (masks[i] & CONTEXT_INTEGER & 0xF) {
            DWORD64 rsp = expected.Rsp;

            memset(&expected.Rax, 0x5A, 16 * sizeof(expected.Rax));
            expected.Rsp = rsp;
        }
        if (masks[i] & CONTEXT_SEGMENTS & 0xF)
            memset(&expected.SegDs, 0x5A, 4 * sizeof(expected.SegDs));
        if (masks[i] & CONTEXT_FLOATING_POINT & 0xF) {
            expected.MxCsr = 0x5A5A5A5A;
            memset(&expected.FltSave, 0x5A, sizeof(expected.FltSave));
        }
        if (masks[i] & CONTEXT_DEBUG_REGISTERS & 0x1F)
            memset(&expected.Dr0, 0x5A, 6 * sizeof(expected.Dr0));
        assert_memory_equal(entries[0].ContextRecord, &expected, sizeof(expected));
    }
}

static void test_context_of_no_parts_is_a_record_of_the_architecture(void **state)
{
    CONTEXT expected = {.ContextFlags = 0x100000};

    (void)state;
    add_thread(2004, 0x5A);
    capture(PLAIN, 0);
    assert_same(entries[0].SizeOfContextRecord, sizeof(CONTEXT));
    assert_memory_equal(entries[0].ContextRecord, &expected, sizeof(expected));
}

static void test_context_of_another_architecture_is_refused(void **state)
{
    static const DWORD masks[] = {0x1003F, 0x20000B, 0x40000F, 0x110000};

    (void)state;
    add_thread(2004, 0x5A);
    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        HPSS snapshot = pointer_to(1);

        assert_same(pss_snapshot_capture(fake_nt(), world.process, PLAIN, masks[i], &snapshot),
                    STATUS_INVALID_PARAMETER);
        assert_null(snapshot);
        capture(PSS_CAPTURE_THREADS, masks[i]); /* read with THREAD_CONTEXT only */
        assert_null(entries[0].ContextRecord);
    }
}

static void test_contexts_belong_to_their_threads(void **state)
{
    PSS_THREAD_INFORMATION information;

    (void)state;
    for (int i = 0; i < 5; i++)
        add_thread(40 - 4 * (uint32_t)i, i + 1)->times.create_time.QuadPart = 1000 - i;
    world.target->threads[1]->refuses_context = 1;
    world.target->threads[2]->refuses_suspension = 1;
    fake_thread_end(world.target->threads[3], 0);
    capture(PLAIN, CONTEXT_EVERYTHING);
    for (int i = 0; i < 5; i++) {
        const PSS_THREAD_ENTRY *entry = &entries[4 - i]; /* the last one made is the oldest */

        assert_same(entry->ThreadId, 40 - 4 * i);
        if (i >= 1 && i <= 3) {
            assert_null(entry->ContextRecord);
            assert_same(entry->SizeOfContextRecord, 0);
            continue;
        }
        assert_same(entry->SizeOfContextRecord, sizeof(CONTEXT));
        assert_same(entry->ContextRecord->Rbx, 0x0101010101010101 * (uint64_t)(i + 1));
    }
    world_query(PSS_QUERY_THREAD_INFORMATION, &information, sizeof(information));
    assert_same(information.ThreadsCaptured, 5);
    assert_same(information.ContextLength, sizeof(CONTEXT));
}

/* Nobody would answer for the registers of a thread that has not begun. */
static void test_context_of_a_thread_not_begun_is_not_asked_for(void **state)
{
    (void)state;
    add_thread(2004, 0x5A)->basic.teb = NULL;
    capture(PLAIN, CONTEXT_EVERYTHING);
    assert_null(entries[0].ContextRecord);
    assert_same(fake.calls_of[FAKE_GET_CONTEXT], 0);
}

/* CONTEXT, CONTEXT_EX and the state, as RtlInitializeExtendedContext lays them out. */
static void test_extended_context_has_its_state(void **state)
{
    const char *record;
    uint64_t value;
    LONG chunks[6];

    (void)state;
    add_thread(2004, 0x5A)->xstate = 0x1122334455667788;
    capture(EXTENDED, CONTEXT_EVERYTHING);
    record = (const char *)entries[0].ContextRecord;
    assert_true(entries[0].SizeOfContextRecord > sizeof(CONTEXT));
    assert_same(entries[0].ContextRecord->ContextFlags, CONTEXT_EVERYTHING | 0x40);
    assert_same(entries[0].ContextRecord->Rip, 0x5A5A5A5A5A5A5A5A);
    memcpy(chunks, record + sizeof(CONTEXT), sizeof(chunks));
    assert_same(chunks[1], entries[0].SizeOfContextRecord);
    assert_same(chunks[2], -(LONG)sizeof(CONTEXT));
    memcpy(&value, record + sizeof(CONTEXT) + chunks[4], sizeof(value));
    assert_same(value, 7); /* the features of the fake */
    memcpy(&value, record + entries[0].SizeOfContextRecord - sizeof(value), sizeof(value));
    assert_same(value, 0x1122334455667788);
}

/* Flags that some systems do not know when a context is laid out are asked for all the same. */
static void test_extended_context_may_ask_for_the_kind_of_exception(void **state)
{
    static const DWORD request = 0x40000000; /* CONTEXT_EXCEPTION_REQUEST */

    (void)state;
    add_thread(2004, 0x5A);
    for (int i = 0; i < 2; i++) {
        fake.xstate_refuses_requests = (uint8_t)i;
        capture(EXTENDED, CONTEXT_EVERYTHING | request);
        assert_true(entries[0].SizeOfContextRecord > sizeof(CONTEXT));
        assert_same(entries[0].ContextRecord->ContextFlags, CONTEXT_EVERYTHING | request | 0x40);
        assert_same(entries[0].ContextRecord->Rip, 0x5A5A5A5A5A5A5A5A);
    }
}

static void test_extended_context_without_services_is_plain(void **state)
{
    (void)state;
    add_thread(2004, 0x5A);
    fake.has_xstate = 0;
    capture(EXTENDED, CONTEXT_EVERYTHING);
    assert_same(entries[0].SizeOfContextRecord, sizeof(CONTEXT));
    assert_same(entries[0].ContextRecord->ContextFlags, CONTEXT_EVERYTHING);
}

static void test_context_without_threads_is_ignored(void **state)
{
    (void)state;
    add_thread(2004, 0x5A);
    world_capture(PSS_CAPTURE_THREAD_CONTEXT | PSS_CAPTURE_THREAD_CONTEXT_EXTENDED);
    assert_same(fake.calls_of[FAKE_SUSPEND_THREAD] + fake.calls_of[FAKE_GET_NEXT_THREAD], 0);
    assert_same(world_query_status(PSS_QUERY_THREAD_INFORMATION, 8), STATUS_NOT_FOUND);
}

/* In a self-capture the caller runs on; where it stands is told by RtlCaptureContext. */
static void test_own_context_is_taken_in_the_library(void **state)
{
    struct fake_thread *other;

    (void)state;
    world.target = fake.own;
    world.process = PSS_CURRENT_PROCESS;
    memset(&fake.caller->context, 0x11, sizeof(fake.caller->context));
    other = add_thread(108, 0x5A);
    capture(PLAIN, CONTEXT_EVERYTHING);
    assert_same(entries[0].ThreadId, 104);
    assert_same(entries[0].ContextRecord->Rip, 0xC0C0C0C0C0C0C0C0);
    assert_same(entries[0].ContextRecord->Rsp, 0xC0C0C0C0C0C0C0C0);
    assert_same(entries[0].ContextRecord->R15, 0xC0C0C0C0C0C0C0C0);
    assert_same(entries[0].ContextRecord->SegCs, 0x1111);
    assert_same(entries[0].ContextRecord->ContextFlags, CONTEXT_EVERYTHING);
    assert_same(entries[0].SuspendCount, 0);
    assert_same(entries[1].ThreadId, 108);
    assert_same(entries[1].ContextRecord->Rip, 0x5A5A5A5A5A5A5A5A);
    assert_same(fake.calls_of[FAKE_SUSPEND_THREAD], 1);
    assert_same(other->suspend_count, 0);
    capture(PLAIN, CONTEXT_SEGMENTS);
    assert_same(entries[0].ContextRecord->Rip, 0); /* nobody asked for it */
}

/* Services that are there and refuse. */
static void test_extended_context_that_is_refused_is_plain(void **state)
{
    (void)state;
    add_thread(2004, 0x5A);
    for (int i = 0; i < 4; i++) {
        fake.lacks_xstate_features = i == 0;
        fake.xstate_length_status = i == 1 ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS;
        fake.xstate_status = i == 2 ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS;
        capture(EXTENDED, CONTEXT_EVERYTHING);
        if (i < 3)
            assert_same(entries[0].SizeOfContextRecord, sizeof(CONTEXT));
        else
            assert_true(entries[0].SizeOfContextRecord > sizeof(CONTEXT));
        assert_same(entries[0].ContextRecord->Rip, 0x5A5A5A5A5A5A5A5A);
    }
}

static NTSTATUS NTAPI refuse_first(HANDLE thread, CONTEXT *context)
{
    static struct fake_process *seen;

    if (seen == world.target)
        return fake_nt()->get_context(thread, context);
    seen = world.target;
    return STATUS_UNSUCCESSFUL;
}

/* The contexts that are there follow one another. */
static void test_context_that_cannot_be_read_takes_no_place(void **state)
{
    struct pss_nt nt = *fake_nt();
    const struct pss_block *block;

    (void)state;
    add_thread(2004, 0x5A);
    add_thread(2008, 0x33);
    nt.get_context = refuse_first;
    assert_same(
        pss_snapshot_capture(&nt, world.process, PLAIN, CONTEXT_EVERYTHING, &world.snapshot),
        STATUS_SUCCESS);
    block = (const struct pss_block *)world.snapshot;
    assert_same(block->sections[PSS_SECTION_CONTEXTS].count, 1);
    assert_same(pss_marker_create(fake_nt(), NULL, &world.marker), STATUS_SUCCESS);
    assert_same(world_walk(PSS_WALK_THREADS, entries, sizeof(entries[0]), LIMIT), 2);
    assert_null(entries[0].ContextRecord);
    assert_same(entries[1].ContextRecord->Rip, 0x3333333333333333);
}

/* The locks of the two processes are taken in the order of their ids, whoever has the lower one. */
static void test_contexts_of_a_process_with_any_id_leave_no_lock(void **state)
{
    static const uint32_t ids[] = {4, TARGET_ID, 0x7FFFFFFC};
    struct fake_thread *thread = add_thread(2004, 0x5A);

    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        world.target->basic.process_id = ids[i];
        capture(PLAIN, CONTEXT_EVERYTHING);
        assert_same(entries[0].ProcessId, ids[i]);
        assert_same(entries[0].ContextRecord->Rip, 0x5A5A5A5A5A5A5A5A);
        assert_same(thread->suspend_count, 0);
        assert_same(fake_ledger_now().handles, 0);
    }
}

/* Questions while a thread of the target stands still. */
struct questions {
    uint32_t objects, threads;
};

static NTSTATUS count_questions(void *context, enum fake_call call)
{
    struct questions *questions = context;
    int is_frozen = 0;

    for (uint32_t i = 0; i < world.target->thread_count; i++)
        is_frozen |= world.target->threads[i]->suspended_by_library != 0;
    questions->objects += is_frozen && call == FAKE_QUERY_OBJECT;
    questions->threads += is_frozen && call == FAKE_QUERY_THREAD;
    return STATUS_SUCCESS;
}

/* While it is frozen it is asked who its threads are, and nothing that can wait until it is not. */
static void test_details_are_asked_for_after_the_thaw(void **state)
{
    struct questions questions = {0, 0};

    (void)state;
    world_furnish();
    fake.context = &questions;
    fake.refuse = count_questions;
    world_capture(EVERYTHING & ~(uint32_t)PSS_CREATE_MEASURE_PERFORMANCE);
    fake.refuse = NULL;
    assert_same(questions.objects, 0);
    assert_true(questions.threads > 0 && questions.threads < world.target->thread_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_context_has_the_parts_asked_for),
        fixture_test(test_context_of_no_parts_is_a_record_of_the_architecture),
        fixture_test(test_context_of_another_architecture_is_refused),
        fixture_test(test_contexts_belong_to_their_threads),
        fixture_test(test_context_of_a_thread_not_begun_is_not_asked_for),
        fixture_test(test_extended_context_has_its_state),
        fixture_test(test_extended_context_may_ask_for_the_kind_of_exception),
        fixture_test(test_extended_context_without_services_is_plain),
        fixture_test(test_context_without_threads_is_ignored),
        fixture_test(test_own_context_is_taken_in_the_library),
        fixture_test(test_extended_context_that_is_refused_is_plain),
        fixture_test(test_context_that_cannot_be_read_takes_no_place),
        fixture_test(test_contexts_of_a_process_with_any_id_leave_no_lock),
        fixture_test(test_details_are_asked_for_after_the_thaw),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
