/* SPDX-License-Identifier: MIT */
/* Duplicates answer as their sources do: from each kind of process, into each, with each flag. */
#include "clone.h"
#include "ledger.h"
#include "nt_calls.h"
#include "pattern.h"
#include "records.h"
#include "shipping.h"
#include "under_test.h"

/* Where a duplicate goes. */
enum receiver {
    RECEIVER_LOCAL,
    RECEIVER_OWN_BITNESS,
    RECEIVER_FOREIGN,
};

/* How it is made; the last one frees the source. */
static const struct {
    DWORD capture;
    DWORD duplicate;
} ways[] = {
    {0, 0},
    {PSS_CREATE_USE_VM_ALLOCATIONS, 0},
    {PSS_CREATE_USE_VM_ALLOCATIONS, PSS_DUPLICATE_CLOSE_SOURCE},
};

#define I386_CONTEXT_ALL  0x1003Fu  /* what a 32-bit process may ask for */
#define AMD64_CONTEXT_ALL 0x10001Fu /* and a 64-bit one */
#define MARKS_SIZE        4096u     /* bytes */
#define MARKS_SEED        4711
#define WAYS              (sizeof(ways) / sizeof(ways[0]))

/* What a 32-bit reader sees of a 64-bit capture; only the test may have made that. */
static bool is_narrow(enum receiver receiver)
{
    return receiver == RECEIVER_FOREIGN && sizeof(void *) == 8;
}

static struct target *start_receiver(enum receiver receiver)
{
    if (receiver == RECEIVER_LOCAL)
        return NULL;
    struct target *target = receiver == RECEIVER_FOREIGN ? ship_start_foreign() : ship_start();
    if (!target)
        skip();
    return target;
}

/* The lent handle is one of the receiver, to this clone, and reads it there. */
static void assert_clone_there(struct target *target, HPSS copy, DWORD pid, uint64_t marks)
{
    HANDLE mine = NULL;

    assert_same(target_call(target, TARGET_SNAPSHOT_QUERY, address_of(copy),
                            PSS_QUERY_VA_CLONE_INFORMATION, 0, 0),
                ERROR_SUCCESS);
    uint64_t lent = target_value(target, 0);
    assert_true(DuplicateHandle(target->process, (HANDLE)(uintptr_t)lent, GetCurrentProcess(),
                                &mine, PROCESS_ALL_ACCESS, FALSE, 0));
    assert_same(GetProcessId(mine), pid);
    CloseHandle(mine);
    assert_same(target_call(target, TARGET_READ_MEMORY, lent, marks, MARKS_SIZE, 0), MARKS_SIZE);
    for (unsigned i = 0; i < MARKS_SIZE / sizeof(uint64_t); i++)
        assert_same(target_value(target, i), pattern_word(MARKS_SEED, i));
}

static void assert_clone_here(HPSS copy, DWORD pid, uint64_t marks)
{
    assert_same(GetProcessId(clone_of(copy)), pid);
    clone_assert_pattern(clone_of(copy), marks, MARKS_SIZE, MARKS_SEED);
}

static void assert_source(HPSS source, DWORD flags, const struct ship_answers *before, bool narrow)
{
    PSS_PROCESS_INFORMATION information;

    if (!(flags & PSS_DUPLICATE_CLOSE_SOURCE)) {
        ship_assert_same(ship_read(NULL, source, narrow), before);
        free_snapshot(source);
    } else if (under_test_is_ours()) {
        assert_same(pss.query(source, 0, &information, sizeof(information)), ERROR_INVALID_HANDLE);
        assert_same(pss.free(GetCurrentProcess(), source), ERROR_INVALID_HANDLE);
    }
}

struct cargo {
    struct target *subject;
    struct target *receiver; /* NULL: the test itself */
    DWORD flags;
    bool narrow;
    uint64_t marks; /* bytes of a known pattern in the subject */
};

static void ship_one(const struct cargo *cargo, DWORD duplicate_flags)
{
    HANDLE there = cargo->receiver ? cargo->receiver->process : GetCurrentProcess();
    HPSS source = target_capture(cargo->subject, cargo->flags, CONTEXT_ALL);
    bool has_clone = cargo->flags & PSS_CAPTURE_VA_CLONE;
    DWORD pid = has_clone ? GetProcessId(clone_of(source)) : 0;
    struct ship_answers answers = ship_read(NULL, source, cargo->narrow);
    HPSS copy = ship_duplicate(GetCurrentProcess(), source, there, duplicate_flags);

    ship_assert_same(ship_read(cargo->receiver, copy, cargo->narrow), &answers);
    assert_source(source, duplicate_flags, &answers, cargo->narrow);
    ship_assert_same(ship_read(cargo->receiver, copy, cargo->narrow), &answers);
    if (has_clone && cargo->receiver)
        assert_clone_there(cargo->receiver, copy, pid, cargo->marks);
    else if (has_clone)
        assert_clone_here(copy, pid, cargo->marks);
    if (cargo->receiver)
        assert_same(ship_free_there(cargo->receiver, copy), ERROR_SUCCESS);
    else
        free_snapshot(copy);
    free(answers.bytes);
}

/* Bytes of a known pattern where a receiver of either bitness can read them, see nt_types.h. */
static uint64_t make_marks(struct target *subject)
{
    void *marks = NULL;
    SIZE_T size = MARKS_SIZE;

    assert_same(NtAllocateVirtualMemory(subject->process, &marks,
                                        sizeof(void *) == 8 ? UINT32_MAX : 0, &size,
                                        MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE),
                0);
    target_call(subject, TARGET_FILL, address_of(marks), MARKS_SIZE, MARKS_SEED, 0);
    return address_of(marks);
}

static void ship_all(enum receiver receiver, DWORD flags)
{
    struct cargo cargo = {.narrow = is_narrow(receiver)};

    cargo.receiver = start_receiver(receiver);
    cargo.subject = ship_start_subject();
    cargo.marks = make_marks(cargo.subject);
    for (size_t i = 0; i < WAYS; i++) {
        cargo.flags = flags | ways[i].capture;
        ship_one(&cargo, ways[i].duplicate);
    }
    target_destroy(cargo.subject);
    if (cargo.receiver)
        target_destroy(cargo.receiver);
}

/* What the comparisons rest on: no two captures give the same answers, not even in size. */
static void test_answers_tell_snapshots_apart(void **state)
{
    (void)state;
    struct target *subject = ship_start_subject();
    HPSS nothing = target_capture(subject, 0, 0);
    HPSS threads = target_capture(subject, PSS_CAPTURE_THREADS, 0);
    HPSS again = target_capture(subject, PSS_CAPTURE_THREADS, 0); /* at another time */
    struct ship_answers first = ship_read(NULL, nothing, false);
    struct ship_answers second = ship_read(NULL, threads, false);
    struct ship_answers third = ship_read(NULL, again, false);

    assert_true(first.size > sizeof(PSS_PROCESS_INFORMATION));
    assert_true(second.size > first.size);
    assert_same(third.size, second.size);
    assert_true(memcmp(third.bytes, second.bytes, third.size) != 0);
    free(first.bytes);
    free(second.bytes);
    free(third.bytes);
    free_snapshot(nothing);
    free_snapshot(threads);
    free_snapshot(again);
}

static void test_duplicate_of_nothing_answers_alike_here(void **state)
{
    (void)state;
    ship_all(RECEIVER_LOCAL, PSS_CAPTURE_NONE);
}

static void test_duplicate_of_nothing_answers_alike_in_another_process(void **state)
{
    (void)state;
    ship_all(RECEIVER_OWN_BITNESS, PSS_CAPTURE_NONE);
}

static void test_duplicate_of_nothing_answers_alike_in_the_other_bitness(void **state)
{
    (void)state;
    only_ours();
    ship_all(RECEIVER_FOREIGN, PSS_CAPTURE_NONE);
}

static void test_duplicate_of_everything_answers_alike_here(void **state)
{
    (void)state;
    ship_all(RECEIVER_LOCAL, SHIP_EVERYTHING);
}

static void test_duplicate_of_everything_answers_alike_in_another_process(void **state)
{
    (void)state;
    ship_all(RECEIVER_OWN_BITNESS, SHIP_EVERYTHING);
}

static void test_duplicate_of_everything_answers_alike_in_the_other_bitness(void **state)
{
    (void)state;
    only_ours();
    ship_all(RECEIVER_FOREIGN, SHIP_EVERYTHING);
}

/* ---- Pulls: the caller does not hold the source, or not even the duplicate ---- */

static void pull(struct target *source)
{
    struct target *subject = ship_start_subject();

    for (size_t i = 0; i < WAYS; i++) {
        HPSS there = ship_capture_there(source, subject->pid,
                                        (SHIP_EVERYTHING & ~PSS_CAPTURE_VA_CLONE) | ways[i].capture,
                                        CONTEXT_FULL);
        struct ship_answers answers = ship_read(source, there, false);
        HPSS here = ship_duplicate(source->process, there, GetCurrentProcess(), ways[i].duplicate);
        ship_assert_same(ship_read(NULL, here, false), &answers);
        assert_same(ship_free_there(source, there),
                    ways[i].duplicate ? ERROR_INVALID_HANDLE : ERROR_SUCCESS);
        ship_assert_same(ship_read(NULL, here, false), &answers);
        free_snapshot(here);
        free(answers.bytes);
    }
    target_destroy(subject);
}

static void test_pull_from_another_process_answers_alike(void **state)
{
    (void)state;
    only_ours();
    pull(ship_start());
}

static void test_pull_from_the_other_bitness_answers_alike(void **state)
{
    bool narrow = sizeof(void *) == 4; /* of a 64-bit process, by a 32-bit one */

    (void)state;
    only_ours();
    struct target *source = ship_start_foreign();
    if (!source)
        skip();
    HPSS there = ship_capture_there(source, 0, SHIP_EVERYTHING & ~PSS_CAPTURE_VA_CLONE,
                                    narrow ? AMD64_CONTEXT_ALL : I386_CONTEXT_ALL);
    struct ship_answers answers = ship_read(source, there, narrow);
    HPSS here = ship_duplicate(source->process, there, GetCurrentProcess(), 0);
    ship_assert_same(ship_read(NULL, here, narrow), &answers);
    assert_same(ship_free_there(source, there), ERROR_SUCCESS);
    ship_assert_same(ship_read(NULL, here, narrow), &answers);
    free_snapshot(here);
    free(answers.bytes);
}

static void test_pull_takes_the_clone_along(void **state)
{
    (void)state;
    only_ours();
    struct target *source = ship_start();
    struct target *subject = target_start();
    HPSS there = ship_capture_there(source, subject->pid, SHIP_EVERYTHING, CONTEXT_ALL);
    struct ship_answers answers = ship_read(source, there, false);
    HPSS here = ship_duplicate(source->process, there, GetCurrentProcess(), 0);

    ship_assert_same(ship_read(NULL, here, false), &answers);
    HANDLE watched = clone_watch(clone_of(here));
    target_kill(source);
    target_destroy(subject);
    clone_assert_lives(watched);
    ship_assert_same(ship_read(NULL, here, false), &answers);
    free_snapshot(here);
    clone_assert_ended(watched);
    free(answers.bytes);
}

/* A third process, the test, duplicates between two others. */
static void duplicate_between(struct target *receiver, bool narrow)
{
    struct target *source = ship_start();
    struct target *subject = ship_start_subject();

    for (size_t i = 0; i < WAYS; i++) {
        HPSS there = ship_capture_there(source, subject->pid, SHIP_EVERYTHING | ways[i].capture,
                                        CONTEXT_ALL);
        struct ship_answers answers = ship_read(source, there, narrow);
        HPSS copy = ship_duplicate(source->process, there, receiver->process, ways[i].duplicate);
        ship_assert_same(ship_read(receiver, copy, narrow), &answers);
        assert_same(ship_free_there(source, there),
                    ways[i].duplicate ? ERROR_INVALID_HANDLE : ERROR_SUCCESS);
        ship_assert_same(ship_read(receiver, copy, narrow), &answers);
        assert_same(ship_free_there(receiver, copy), ERROR_SUCCESS);
        free(answers.bytes);
    }
}

static void test_duplicate_between_two_others_answers_alike(void **state)
{
    (void)state;
    only_ours();
    duplicate_between(ship_start(), false);
}

static void test_duplicate_between_two_others_of_different_bitness_answers_alike(void **state)
{
    (void)state;
    only_ours();
    struct target *receiver = ship_start_foreign();
    if (!receiver)
        skip();
    duplicate_between(receiver, sizeof(void *) == 8);
}

/* The receiver itself pulls from the test. */
static void test_receiver_pulls_from_the_test(void **state)
{
    (void)state;
    only_ours();
    struct target *receiver = ship_start();
    struct target *subject = ship_start_subject();
    HPSS source = target_capture(subject, SHIP_EVERYTHING, CONTEXT_ALL);
    struct ship_answers answers = ship_read(NULL, source, false);
    HPSS copy = (HPSS)(uintptr_t)target_call(receiver, TARGET_SNAPSHOT_DUPLICATE,
                                             GetCurrentProcessId(), address_of(source), 0, 0);

    assert_same(target_value(receiver, 0), ERROR_SUCCESS);
    ship_assert_same(ship_read(receiver, copy, false), &answers);
    free_snapshot(source);
    ship_assert_same(ship_read(receiver, copy, false), &answers);
    assert_same(ship_free_there(receiver, copy), ERROR_SUCCESS);
    free(answers.bytes);
}

/* From here to there, to a third one, and back. */
static void test_duplicate_of_a_duplicate_answers_alike(void **state)
{
    (void)state;
    only_ours();
    struct target *first = ship_start();
    struct target *second = ship_start();
    struct target *subject = ship_start_subject();
    HPSS source = target_capture(subject, SHIP_EVERYTHING, CONTEXT_ALL);
    struct ship_answers answers = ship_read(NULL, source, false);
    HPSS one = ship_duplicate(GetCurrentProcess(), source, first->process, 0);
    HPSS two = ship_duplicate(first->process, one, second->process, 0);
    HPSS back = ship_duplicate(second->process, two, GetCurrentProcess(), 0);

    free_snapshot(source);
    assert_same(pss.free(first->process, one), ERROR_SUCCESS);
    assert_same(ship_free_there(second, two), ERROR_SUCCESS);
    ship_assert_same(ship_read(NULL, back, false), &answers);
    free_snapshot(back);
    free(answers.bytes);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_answers_tell_snapshots_apart),
        PSS_TEST(test_duplicate_of_nothing_answers_alike_here),
        PSS_TEST(test_duplicate_of_nothing_answers_alike_in_another_process),
        PSS_TEST(test_duplicate_of_nothing_answers_alike_in_the_other_bitness),
        PSS_TEST(test_duplicate_of_everything_answers_alike_here),
        PSS_TEST(test_duplicate_of_everything_answers_alike_in_another_process),
        PSS_TEST(test_duplicate_of_everything_answers_alike_in_the_other_bitness),
        PSS_TEST(test_pull_from_another_process_answers_alike),
        PSS_TEST(test_pull_from_the_other_bitness_answers_alike),
        PSS_TEST(test_pull_takes_the_clone_along),
        PSS_TEST(test_duplicate_between_two_others_answers_alike),
        PSS_TEST(test_duplicate_between_two_others_of_different_bitness_answers_alike),
        PSS_TEST(test_receiver_pulls_from_the_test),
        PSS_TEST(test_duplicate_of_a_duplicate_answers_alike),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("duplicate_matrix", tests, ledger_warm_up, NULL);
}
