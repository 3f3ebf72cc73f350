/* SPDX-License-Identifier: MIT */
/* Captured contexts point into the clone's memory: stacks can be read and walked there. */
#include "clone.h"
#include "debug_help.h"
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define CONTEXTS   (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)
#define STACK_SIZE 128 /* bytes compared above each stack pointer */
#define MAX_FRAMES 64
#define THREADS    8

static uint64_t stack_pointer(const CONTEXT *context)
{
#ifdef _WIN64
    return context->Rsp;
#else
    return context->Esp;
#endif
}

/* The target stands still, so that its stacks can be compared after the capture, too. */
static DWORD assert_same_stacks(struct target *target, HPSS snapshot)
{
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    DWORD compared = 0;

    for (DWORD i = 0; i < records.count; i++) {
        const PSS_THREAD_ENTRY *entry = record_at(records, PSS_THREAD_ENTRY, i);
        unsigned char bytes[2][STACK_SIZE];
        if (!entry->ContextRecord)
            continue;
        uint64_t stack = stack_pointer(entry->ContextRecord);
        assert_true(stack != 0);
        clone_read(target->process, stack, bytes[0], STACK_SIZE);
        clone_read(clone_of(snapshot), stack, bytes[1], STACK_SIZE);
        assert_memory_equal(bytes[0], bytes[1], STACK_SIZE);
        compared++;
    }
    records_free(&records);
    return compared;
}

static void test_clone_holds_the_stack_at_each_stack_pointer(void **state)
{
    struct target *target = target_start();

    (void)state;
    target_call(target, TARGET_THREADS, THREADS, 0, 0, 0);
    target_freeze(target);
    HPSS snapshot = clone_capture(target->process, CONTEXTS, CONTEXT_ALL);
    assert_true(assert_same_stacks(target, snapshot) >= THREADS + 1);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_clone_holds_the_stacks_of_a_wow64_target(void **state)
{
    struct target *target = sizeof(void *) == 8 ? target_start_foreign() : NULL;

    (void)state;
    if (!target)
        skip_because(NO_OTHER_BITNESS);
    target_call(target, TARGET_THREADS, THREADS, 0, 0, 0);
    target_freeze(target);
    HPSS snapshot = clone_capture(target->process, CONTEXTS, CONTEXT_ALL);
    assert_true(assert_same_stacks(target, snapshot) >= THREADS + 1);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_clone_holds_the_environment_block_of_each_thread(void **state)
{
    struct target *target = target_start();

    (void)state;
    target_call(target, TARGET_THREADS, THREADS, 0, 0, 0);
    target_freeze(target);
    HPSS snapshot = clone_capture(target->process, PSS_CAPTURE_THREADS, 0);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_THREAD_ENTRY *entry = record_at(records, PSS_THREAD_ENTRY, i);
        NT_TIB block;
        if (!entry->TebBaseAddress)
            continue;
        clone_read(clone_of(snapshot), address_of(entry->TebBaseAddress), &block, sizeof(block));
        assert_ptr_equal(block.Self, entry->TebBaseAddress);
        assert_true(block.StackLimit < block.StackBase);
    }
    assert_true(records.count >= THREADS + 1);
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

/* Contexts and memory are of one moment, so that no stack can be gone in between. */
static void test_clone_of_running_threads_has_their_stacks(void **state)
{
    struct target *target = target_start();

    (void)state;
    target_call(target, TARGET_CHURN, TRUE, 0, 0, 0);
    for (int i = 0; i < 5; i++) {
        HPSS snapshot = clone_capture(target->process, CONTEXTS, CONTEXT_ALL);
        struct records records = records_read(snapshot, PSS_WALK_THREADS);
        for (DWORD r = 0; r < records.count; r++) {
            const PSS_THREAD_ENTRY *entry = record_at(records, PSS_THREAD_ENTRY, r);
            unsigned char bytes[STACK_SIZE];
            if (entry->ContextRecord && !(entry->Flags & PSS_THREAD_FLAGS_TERMINATED))
                clone_read(clone_of(snapshot), stack_pointer(entry->ContextRecord), bytes,
                           STACK_SIZE);
        }
        records_free(&records);
        free_snapshot(snapshot);
    }
    target_call(target, TARGET_CHURN, FALSE, 0, 0, 0);
    target_destroy(target);
}

/* Walks from a copy, as every client does: StackWalk64 writes into the context. */
static DWORD count_frames(HANDLE clone, const PSS_THREAD_ENTRY *entry)
{
    CONTEXT context = *entry->ContextRecord;
    STACKFRAME64 frame = debug_help_frame(&context);
    DWORD count = 0;

    while (count < MAX_FRAMES &&
           debug_help.walk(debug_help_machine(), clone, NULL, &frame, &context, NULL,
                           debug_help.function_table, debug_help.module_base, NULL) &&
           frame.AddrPC.Offset)
        count++;
    return count;
}

static void test_clone_stacks_are_walked_from_captured_contexts(void **state)
{
    (void)state;
    struct target *target = target_start();
    if (!debug_help_can_invade(target->process))
        skip_because("the system\'s dbghelp cannot do this with any process");
    target_call(target, TARGET_THREADS, THREADS, 0, 0, 0);
    HPSS snapshot = clone_capture(target->process, CONTEXTS, CONTEXT_FULL);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    HANDLE clone = clone_of(snapshot);
    assert_true(debug_help.initialize(clone, NULL, TRUE));
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_THREAD_ENTRY *entry = record_at(records, PSS_THREAD_ENTRY, i);
        if (entry->ContextRecord)
            assert_true(count_frames(clone, entry) > 0);
    }
    assert_true(debug_help.cleanup(clone));
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_clone_holds_the_stack_at_each_stack_pointer),
        PSS_TEST(test_clone_holds_the_stacks_of_a_wow64_target),
        PSS_TEST(test_clone_holds_the_environment_block_of_each_thread),
        PSS_TEST(test_clone_of_running_threads_has_their_stacks),
        PSS_TEST(test_clone_stacks_are_walked_from_captured_contexts),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clone_contexts", tests, debug_help_warm_up, NULL);
}
