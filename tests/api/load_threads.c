/* SPDX-License-Identifier: MIT */
/* 32 threads capture, query, walk, duplicate to another process and back, and free, all at once. */
#include "clone.h"
#include "digest.h"
#include "ledger.h"
#include "pattern.h"
#include "records.h"
#include "shipping.h"
#include "soak.h"
#include "target.h"
#include "under_test.h"

#define THREADS       32
#define SUBJECTS      8
#define TIME_LIMIT_MS (1000 * soak_or(100, 3000))
#define PAGE_BYTES    0x1000u
#define SEED          1234u
#define SETTLE_TRIES  200
#define SETTLE_ALIKE  5 /* looks in a row */
#define SETTLE_MS     10

#define CONTEXTS (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)
#define NAMES    (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION)
#define DETAILS \
    (NAMES | PSS_CAPTURE_HANDLE_BASIC_INFORMATION | PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION)
#define REGIONS (PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION)

/* The last one is for few of the threads: a clone is a process. */
static const DWORD recipes[] = {
    PSS_CAPTURE_THREADS,
    CONTEXTS,
    DETAILS,
    REGIONS,
    CONTEXTS | PSS_CAPTURE_THREAD_CONTEXT_EXTENDED | PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_HANDLES,
    DETAILS | REGIONS | CONTEXTS | PSS_CAPTURE_RESERVED_00000002 | PSS_CREATE_MEASURE_PERFORMANCE,
    PSS_CAPTURE_VA_CLONE | PSS_CAPTURE_THREADS,
};

#define RECIPES      (sizeof(recipes) / sizeof(recipes[0]))
#define CLONE_RECIPE (RECIPES - 1)
#define CLONE_EVERY  16 /* threads */

/* What is captured, and what each recipe has to tell of it. */
struct subject {
    struct target *target;
    uint64_t memory; /* a page of a pattern there */
    struct target_state before;
    struct digest expected[RECIPES];
};

struct worker {
    const struct subject *subject; /* shared */
    HANDLE receiver;               /* shared; another process */
    HANDLE start;                  /* shared event */
    size_t recipe;
    DWORD rounds;
    DWORD wrong;      /* things that were not as they should be */
    const char *what; /* the last of them */
    DWORD code;       /* and what it answered */
    struct digest found;
};

static bool expect(struct worker *worker, const char *what, DWORD code, DWORD expected)
{
    if (code == expected)
        return true;
    worker->wrong++;
    worker->what = what;
    worker->code = code;
    return false;
}

static void check(struct worker *worker, HPSS snapshot, const char *what)
{
    DWORD flags = recipes[worker->recipe];
    struct digest digest;

    if (!expect(worker, what, digest_read(snapshot, flags, worker->subject->target->pid, &digest),
                TRUE))
        return;
    if (!expect(worker, what,
                digest_is_same(&digest, &worker->subject->expected[worker->recipe], flags), TRUE))
        worker->found = digest;
}

/* What a lent handle of the clone reads has to be the pattern. */
static void check_clone(struct worker *worker, HPSS snapshot)
{
    PSS_VA_CLONE_INFORMATION clone = {NULL};
    uint64_t words[PAGE_BYTES / sizeof(uint64_t)];
    SIZE_T done = 0;

    if (worker->recipe != CLONE_RECIPE)
        return;
    expect(worker, "query of the clone",
           pss.query(snapshot, PSS_QUERY_VA_CLONE_INFORMATION, &clone, sizeof(clone)), 0);
    if (!expect(worker, "read of the clone",
                ReadProcessMemory(clone.VaCloneHandle, (void *)(uintptr_t)worker->subject->memory,
                                  words, sizeof(words), &done),
                TRUE))
        return;
    for (size_t i = 0; i < PAGE_BYTES / sizeof(uint64_t); i++)
        if (!expect(worker, "bytes of the clone", words[i] == pattern_word(SEED, i), TRUE))
            return;
}

/* There and back again; the one there is freed from here. */
static void travel(struct worker *worker, HPSS snapshot)
{
    HANDLE self = GetCurrentProcess();
    HPSS there = NULL, back = NULL;

    if (!expect(worker, "duplicate", pss.duplicate(self, snapshot, worker->receiver, &there, 0), 0))
        return;
    if (expect(worker, "duplicate back", pss.duplicate(worker->receiver, there, self, &back, 0),
               0)) {
        check(worker, back, "lists of the duplicate");
        check_clone(worker, back);
        expect(worker, "free of the duplicate", pss.free(self, back), 0);
    }
    expect(worker, "free from outside", pss.free(worker->receiver, there), 0);
}

static DWORD WINAPI run_worker(void *argument)
{
    struct worker *worker = (struct worker *)argument;

    WaitForSingleObject(worker->start, INFINITE);
    for (DWORD round = 0; round < worker->rounds; round++) {
        HPSS snapshot = NULL;

        if (!expect(worker, "capture",
                    pss.capture(worker->subject->target->process, recipes[worker->recipe],
                                CONTEXT_ALL, &snapshot),
                    0))
            continue;
        check(worker, snapshot, "lists");
        check_clone(worker, snapshot);
        travel(worker, snapshot);
        expect(worker, "free", pss.free(GetCurrentProcess(), snapshot), 0);
    }
    return 0;
}

/* ---- Subjects ---- */

static void read_now(const struct subject *subject, DWORD flags, struct digest *digest)
{
    HPSS snapshot = NULL;

    assert_same(pss.capture(subject->target->process, flags, CONTEXT_ALL, &snapshot), 0);
    assert_true(digest_read(snapshot, flags, subject->target->pid, digest));
    free_snapshot(snapshot);
}

/* A thread that has said that it will wait need not do so yet, on a busy machine. */
static void wait_until_settled(const struct subject *subject)
{
    struct digest last, now;
    unsigned alike = 0;

    read_now(subject, CONTEXTS, &last);
    for (unsigned i = 0; i < SETTLE_TRIES && alike < SETTLE_ALIKE; i++) {
        Sleep(SETTLE_MS);
        read_now(subject, CONTEXTS, &now);
        alike = digest_is_same(&now, &last, CONTEXTS) ? alike + 1 : 0;
        last = now;
    }
}

static void start_subject(struct subject *subject)
{
    subject->target = ship_start_subject();
    subject->memory = target_call(subject->target, TARGET_ALLOCATE, 0, PAGE_BYTES,
                                  MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    target_call(subject->target, TARGET_FILL, subject->memory, PAGE_BYTES, SEED, 0);
    wait_until_settled(subject);
    for (size_t i = 0; i < RECIPES; i++)
        read_now(subject, recipes[i], &subject->expected[i]);
    subject->before = target_state_read(subject->target);
}

static size_t recipe_of(int worker)
{
    if (worker % CLONE_EVERY == CLONE_EVERY - 1)
        return CLONE_RECIPE;
    return (size_t)worker % CLONE_RECIPE;
}

static void report(const struct worker *worker, int index)
{
    if (!worker->wrong)
        return;
    digest_print(&worker->found, &worker->subject->expected[worker->recipe]);
    fail_msg("thread %d, flags 0x%lx: %lu things went wrong, the last: %s, %lu", index,
             recipes[worker->recipe], worker->wrong, worker->what, worker->code);
}

/* A deadlock fails the test. */
static void run_at_once(struct worker workers[THREADS])
{
    HANDLE start = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        workers[i].start = start;
        threads[i] = CreateThread(NULL, 0, run_worker, &workers[i], 0, NULL);
        assert_non_null(threads[i]);
    }
    SetEvent(start);
    assert_same(WaitForMultipleObjects(THREADS, threads, TRUE, TIME_LIMIT_MS), WAIT_OBJECT_0);
    for (int i = 0; i < THREADS; i++)
        CloseHandle(threads[i]);
    CloseHandle(start);
    for (int i = 0; i < THREADS; i++)
        report(&workers[i], i);
}

static void run_on(unsigned subject_count)
{
    struct worker workers[THREADS];
    struct subject subjects[SUBJECTS];
    struct target *receivers[2] = {target_start(), target_start()};
    struct target_state before[2];

    for (unsigned i = 0; i < subject_count; i++)
        start_subject(&subjects[i]);
    for (int i = 0; i < 2; i++)
        before[i] = target_state_read(receivers[i]);
    for (int i = 0; i < THREADS; i++)
        workers[i] = (struct worker){.subject = &subjects[(unsigned)i % subject_count],
                                     .receiver = receivers[i / 2 % 2]->process,
                                     .recipe = recipe_of(i),
                                     .rounds = soak_or(2, 60)};
    run_at_once(workers);
    for (unsigned i = 0; i < subject_count; i++)
        target_assert_unharmed(subjects[i].target, subjects[i].before);
    for (int i = 0; i < 2; i++)
        target_assert_unharmed(receivers[i], before[i]);
}

static void test_32_threads_on_one_target_get_all_of_it(void **state)
{
    (void)state;
    run_on(1);
}

static void test_32_threads_on_many_targets_get_all_of_each(void **state)
{
    (void)state;
    run_on(SUBJECTS);
}

static DWORD WINAPI run_idle(void *stop)
{
    return WaitForSingleObject(stop, INFINITE);
}

/* Wine keeps what it needs for so many threads at once when they have ended. */
static int warm_up(void **state)
{
    HANDLE stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE threads[3 * THREADS];

    for (int i = 0; i < 3 * THREADS; i++)
        threads[i] = CreateThread(NULL, 0, run_idle, stop, 0, NULL);
    SetEvent(stop);
    for (int i = 0; i < 3 * THREADS; i++) {
        assert_same(WaitForSingleObject(threads[i], TIME_LIMIT_MS), WAIT_OBJECT_0);
        CloseHandle(threads[i]);
    }
    CloseHandle(stop);
    return ledger_warm_up(state);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_32_threads_on_one_target_get_all_of_it),
        PSS_TEST(test_32_threads_on_many_targets_get_all_of_each),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("load_threads", tests, warm_up, NULL);
}
