/* SPDX-License-Identifier: MIT */
/*
 * Source processes that hold something else than they should: mutated, truncated, changing, dying.
 *
 * The tests take the memory of a real snapshot from a process that has received it: its address is
 * the HPSS. What the bytes mean is nothing to them, but for the size that a header begins with.
 */
#include "clone.h"
#include "ledger.h"
#include "nt_calls.h"
#include "random.h"
#include "records.h"
#include "shipping.h"
#include "under_test.h"

#define HEADER      256u /* bytes at the beginning of a block that are changed one by one */
#define SIZE_OFFSET 8u   /* bytes; where the header tells the size of the block */
#define PAGE        4096u

#define PLAIN_FLAGS                                                                    \
    (PSS_CAPTURE_THREADS | PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION | \
     PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION | PSS_CAPTURE_RESERVED_00000002 |    \
     PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION |                 \
     PSS_CAPTURE_THREAD_CONTEXT | PSS_CREATE_USE_VM_ALLOCATIONS | PSS_CREATE_MEASURE_PERFORMANCE)

static const uint8_t changes[] = {0x01, 0x80, 0xFF};

/* A block that a target holds, and what it should be. */
struct hostage {
    struct target *target;
    struct ship_answers block;
    char *address; /* in the target */
};

/* The memory of a snapshot as another process receives it. */
static struct ship_answers make_block(DWORD flags, unsigned threads)
{
    struct target *receiver = target_start();
    struct target *subject = ship_start_subject();
    HPSS snapshot = NULL;

    if (threads)
        target_call(subject, TARGET_THREADS, threads, 0, 0, 0);
    assert_same(pss.capture(subject->process, flags, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    HPSS there = ship_duplicate(GetCurrentProcess(), snapshot, receiver->process, 0);
    struct ship_answers block = ship_steal(receiver->process, there);
    free_snapshot(snapshot);
    target_destroy(receiver);
    target_destroy(subject);
    return block;
}

static uint32_t size_of(const struct ship_answers *block)
{
    uint32_t size;

    memcpy(&size, block->bytes + SIZE_OFFSET, sizeof(size));
    assert_true(size > HEADER && size <= block->size);
    return size;
}

static struct hostage take_hostage(DWORD flags)
{
    struct hostage hostage = {.block = make_block(flags, 0)};

    hostage.target = ship_start();
    hostage.address =
        (char *)ship_plant(hostage.target->process, hostage.block.bytes, hostage.block.size);
    return hostage;
}

static void restore(const struct hostage *hostage)
{
    ship_poke(hostage->target->process, hostage->address, hostage->block.bytes,
              hostage->block.size);
}

/* How often the answer may be that another process did not do it in time, which takes a while. */
#define MOST_LATE 2

static bool is_documented(DWORD error)
{
    return error == ERROR_SUCCESS || error == ERROR_INVALID_HANDLE ||
           error == ERROR_NOT_ENOUGH_MEMORY;
}

/* Takes it; what is taken must be whole. Returns the code. */
static DWORD pull(const struct hostage *hostage, size_t offset)
{
    HPSS copy = (HPSS)(uintptr_t)1;
    DWORD error = pss.duplicate(hostage->target->process, (HPSS)(hostage->address + offset),
                                GetCurrentProcess(), &copy, 0);

    if (error) {
        assert_null(copy);
        return error;
    }
    ship_walk_to_the_end(copy);
    free_snapshot(copy);
    return error;
}

/* The same bytes in this process, as if another one had written them here. */
static DWORD adopt(const unsigned char *bytes, size_t size)
{
    unsigned char *here = (unsigned char *)ship_plant(GetCurrentProcess(), bytes, size);
    PSS_PROCESS_INFORMATION information;
    DWORD error = pss.query((HPSS)here, 0, &information, sizeof(information));

    if (error) {
        assert_same(pss.free(GetCurrentProcess(), (HPSS)here), ERROR_INVALID_HANDLE);
        assert_true(VirtualFree(here, 0, MEM_RELEASE));
        return error;
    }
    ship_walk_to_the_end((HPSS)here);
    free_snapshot((HPSS)here);
    return error;
}

/* ---- Unchanged ---- */

static void test_planted_block_is_a_snapshot(void **state)
{
    (void)state;
    only_ours();
    struct hostage hostage = take_hostage(PLAIN_FLAGS);

    assert_same(pull(&hostage, 0), ERROR_SUCCESS);
    assert_same(adopt(hostage.block.bytes, hostage.block.size), ERROR_SUCCESS);
    assert_same(pss.free(hostage.target->process, (HPSS)hostage.address), ERROR_SUCCESS);
    assert_same(pull(&hostage, 0), ERROR_INVALID_HANDLE);
    free(hostage.block.bytes);
}

/* ---- Mutated ---- */

static void test_duplicate_of_a_block_with_a_changed_header(void **state)
{
    DWORD refusals = 0;

    (void)state;
    only_ours();
    struct hostage hostage = take_hostage(PLAIN_FLAGS);
    struct target_state before = target_state_read(hostage.target);
    for (uint32_t i = 0; i < HEADER; i++) {
        for (size_t k = 0; k < sizeof(changes); k++) {
            uint8_t byte = hostage.block.bytes[i] ^ changes[k];
            ship_poke(hostage.target->process, hostage.address + i, &byte, 1);
            DWORD error = pull(&hostage, 0);
            if (!is_documented(error))
                fail_msg("byte %u as 0x%02x gives %lu", i, byte, error);
            refusals += error == ERROR_INVALID_HANDLE;
        }
        ship_poke(hostage.target->process, hostage.address + i, hostage.block.bytes + i, 1);
    }
    target_assert_unharmed(hostage.target, before);
    assert_true(refusals > HEADER);
    assert_same(pull(&hostage, 0), ERROR_SUCCESS);
    free(hostage.block.bytes);
}

static void test_adoption_of_a_block_with_a_changed_header(void **state)
{
    DWORD refusals = 0;

    (void)state;
    only_ours();
    struct ship_answers block = make_block(PLAIN_FLAGS, 0);
    for (uint32_t i = 0; i < HEADER; i++) {
        for (size_t k = 0; k < sizeof(changes); k++) {
            block.bytes[i] ^= changes[k];
            DWORD error = adopt(block.bytes, block.size);
            if (error && error != ERROR_INVALID_HANDLE)
                fail_msg("byte %u as 0x%02x gives %lu", i, block.bytes[i], error);
            refusals += error != 0;
            block.bytes[i] ^= changes[k];
        }
    }
    assert_true(refusals > HEADER);
    assert_same(adopt(block.bytes, block.size), ERROR_SUCCESS);
    free(block.bytes);
}

/* A few changes at once, anywhere. */
static void test_duplicate_of_a_block_with_random_changes(void **state)
{
    enum { ROUNDS = 1500 };
    DWORD taken = 0;

    (void)state;
    only_ours();
    random_init();
    struct hostage hostage = take_hostage(PLAIN_FLAGS);
    uint32_t size = size_of(&hostage.block);
    struct target_state before = target_state_read(hostage.target);
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t places[4];
        uint32_t count = 1 + random_below(4);
        for (uint32_t i = 0; i < count; i++) {
            uint64_t bytes = random_next();
            places[i] = random_below(size - 8);
            ship_poke(hostage.target->process, hostage.address + places[i], &bytes,
                      1 + random_below(8));
        }
        DWORD error = pull(&hostage, 0);
        if (!is_documented(error))
            fail_msg("round %d gives %lu", round, error);
        taken += !error;
        for (uint32_t i = 0; i < count; i++)
            ship_poke(hostage.target->process, hostage.address + places[i],
                      hostage.block.bytes + places[i], 8);
    }
    print_message("%lu of %d changed blocks were taken\n", taken, ROUNDS);
    target_assert_unharmed(hostage.target, before);
    assert_same(pull(&hostage, 0), ERROR_SUCCESS);
    free(hostage.block.bytes);
}

/* The receiver of a clone changes what it has received, the values of the handles, too. */
static void test_duplicate_of_a_block_with_a_clone_and_random_changes(void **state)
{
    enum { ROUNDS = 1500 };
    DWORD taken = 0;

    (void)state;
    only_ours();
    random_init();
    struct hostage hostage = {.target = ship_start()};
    HPSS snapshot = clone_capture(GetCurrentProcess(), PSS_CREATE_USE_VM_ALLOCATIONS, 0);
    HANDLE watched = clone_watch(clone_of(snapshot));
    HPSS there = ship_duplicate(GetCurrentProcess(), snapshot, hostage.target->process, 0);
    free_snapshot(snapshot);
    hostage.block = ship_steal(hostage.target->process, there);
    hostage.address = (char *)there;
    uint32_t size = size_of(&hostage.block);
    struct target_state before = target_state_read(hostage.target);
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t place = random_below(size - 4) & ~3u;
        uint32_t value = random_below(2) ? random_below(80) * 4 : (uint32_t)random_next();
        ship_poke(hostage.target->process, hostage.address + place, &value, sizeof(value));
        DWORD error = pull(&hostage, 0);
        if (!is_documented(error))
            fail_msg("round %d: 0x%x at %u gives %lu", round, value, place, error);
        taken += !error;
        ship_poke(hostage.target->process, hostage.address + place, hostage.block.bytes + place,
                  sizeof(value));
    }
    print_message("%lu of %d changed blocks were taken\n", taken, ROUNDS);
    target_assert_unharmed(hostage.target, before);
    clone_assert_lives(watched);
    assert_same(pull(&hostage, 0), ERROR_SUCCESS);
    assert_same(pss.free(hostage.target->process, there), ERROR_SUCCESS);
    clone_assert_ended(watched);
    free(hostage.block.bytes);
}

/* Freed from outside: the block and the process around it. */
static void test_remote_free_of_a_changed_block_harms_nothing(void **state)
{
    DWORD refusals = 0;

    (void)state;
    only_ours();
    struct hostage hostage = take_hostage(PLAIN_FLAGS);
    HANDLE process = hostage.target->process;
    DWORD handles = nt_handles_count(hostage.target->pid);
    uint64_t canary = target_call(hostage.target, TARGET_ALLOCATE, 0, 2 * PAGE,
                                  MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    target_call(hostage.target, TARGET_FILL, canary, 2 * PAGE, 31, 0);
    for (uint32_t i = 0; i < HEADER; i++) {
        uint8_t byte = hostage.block.bytes[i] ^ 0xFF;
        ship_poke(process, hostage.address + i, &byte, 1);
        DWORD error = pss.free(process, (HPSS)hostage.address);
        if (error && error != ERROR_INVALID_HANDLE && error != ERROR_NOT_SUPPORTED)
            fail_msg("byte %u as 0x%02x gives %lu", i, byte, error);
        refusals += error != 0;
        if (error)
            ship_poke(process, hostage.address + i, hostage.block.bytes + i, 1);
        else
            hostage.address = (char *)ship_plant(process, hostage.block.bytes, hostage.block.size);
    }
    assert_true(refusals > HEADER / 2);
    assert_same(nt_handles_count(hostage.target->pid), handles);
    clone_assert_pattern(process, canary, 2 * PAGE, 31);
    assert_same(target_call(hostage.target, TARGET_PING, 0, 0, 0, 0), hostage.target->pid);
    free(hostage.block.bytes);
}

/* ---- Sizes ---- */

static void test_duplicate_of_a_block_with_a_false_size(void **state)
{
    static const uint32_t sizes[] = {0,          1,          8,          HEADER - 41, 0x7FFFFFFF,
                                     0x80000000, 0xFFFFF000, 0xFFFFFFFC, 0xFFFFFFFF};

    (void)state;
    only_ours();
    struct hostage hostage = take_hostage(PLAIN_FLAGS);
    uint32_t size = size_of(&hostage.block);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        ship_poke(hostage.target->process, hostage.address + SIZE_OFFSET, &sizes[i], 4);
        assert_same(pull(&hostage, 0), ERROR_INVALID_HANDLE);
        assert_same(pss.free(hostage.target->process, (HPSS)hostage.address), ERROR_INVALID_HANDLE);
    }
    for (uint32_t almost = size - 3; almost <= size + 3; almost++) {
        ship_poke(hostage.target->process, hostage.address + SIZE_OFFSET, &almost, 4);
        assert_true(is_documented(pull(&hostage, 0)));
    }
    restore(&hostage);
    assert_same(pull(&hostage, 0), ERROR_SUCCESS);
    free(hostage.block.bytes);
}

/* ---- Truncated ---- */

static bool is_unreadable(HANDLE process, const void *address)
{
    char byte;

    return !ReadProcessMemory(process, address, &byte, 1, NULL);
}

/*
 * Allocates memory of another process with nothing behind it. Wine reads what is only reserved, and
 * the addresses that it keeps for itself, as zeros: this tries where nothing is. NULL where it
 * always finds something.
 */
static char *map_up_to_nothing(HANDLE process, size_t size)
{
    static const uint64_t places[] = {0x300000000000, 0x200000000000, 0x7000000000, 0x77000000,
                                      0x72000000,     0x6F000000,     0x79000000,   0};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char *place = (char *)(uintptr_t)places[i];
        char *base =
            (char *)VirtualAllocEx(process, place, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
        if (base && is_unreadable(process, base + (size + 0xFFFF) / 0x10000 * 0x10000))
            return base;
        if (base)
            VirtualFreeEx(process, base, 0, MEM_RELEASE);
    }
    return NULL;
}

/* The last byte is there: what lies before it is not. */
static void test_duplicate_of_a_huge_block_with_a_hole(void **state)
{
    const uint32_t huge = 0x04000000; /* 64 MB */

    (void)state;
    only_ours();
    struct hostage hostage = take_hostage(PLAIN_FLAGS);
    HANDLE process = hostage.target->process;
    uint32_t size = size_of(&hostage.block);
    char *base = map_up_to_nothing(process, (size + 0x1FFFF) / 0x10000 * 0x10000);
    if (!base)
        skip();
    char *end = (char *)VirtualAllocEx(process, base + huge - 0x10000, 0x10000,
                                       MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (!end)
        skip();
    ship_poke(process, base, hostage.block.bytes, size);
    ship_poke(process, base + SIZE_OFFSET, &huge, sizeof(huge));

    hostage.address = base;
    assert_same(pull(&hostage, 0), ERROR_INVALID_HANDLE);
    assert_same(pss.free(process, (HPSS)base), ERROR_INVALID_HANDLE);
    free(hostage.block.bytes);
}

/* The first bytes of a block at the end of what is mapped. */
static void test_duplicate_of_a_block_that_is_cut_off(void **state)
{
    (void)state;
    only_ours();
    random_init();
    struct hostage hostage = take_hostage(PLAIN_FLAGS);
    HANDLE process = hostage.target->process;
    uint32_t size = size_of(&hostage.block);
    size_t room = (size + 0x1FFFF) / 0x10000 * 0x10000;
    char *base = map_up_to_nothing(process, room);
    if (!base)
        skip();

    hostage.address = base;
    for (uint32_t i = 0; i < 300; i++) {
        uint32_t there = i < 100 ? i * 4 : i < 200 ? size - 1 - (i - 100) : random_below(size);
        size_t offset = room - there;
        if (there)
            ship_poke(process, base + offset, hostage.block.bytes, there);
        DWORD error = pull(&hostage, offset);
        if (error != ERROR_INVALID_HANDLE)
            fail_msg("%u of %u bytes give %lu", there, size, error);
        assert_same(pss.free(process, (HPSS)(base + offset)), ERROR_INVALID_HANDLE);
    }
    /* Whole, it may end there, though it is at no allocation's start: nobody frees it. */
    ship_poke(process, base + room - size, hostage.block.bytes, size);
    assert_true(is_documented(pull(&hostage, room - size)));
    assert_same(pss.free(process, (HPSS)(base + room - size)), ERROR_INVALID_HANDLE);
    free(hostage.block.bytes);
}

/* ---- Changing ---- */

/* Pulls while a number of the block is now what it should be, now another one. */
static DWORD pull_changing(const struct hostage *hostage, uint32_t offset, uint32_t other,
                           int rounds)
{
    DWORD taken = 0;
    uint32_t value;

    memcpy(&value, hostage->block.bytes + offset, sizeof(value));
    target_call(hostage->target, TARGET_FLIP, address_of(hostage->address + offset), value, other,
                sizeof(value));
    for (int i = 0; i < rounds; i++) {
        DWORD error = pull(hostage, 0);
        if (!is_documented(error))
            fail_msg("offset %u between 0x%x and 0x%x gives %lu", offset, value, other, error);
        taken += !error;
    }
    target_call(hostage->target, TARGET_FLIP, 0, 0, 0, 0);
    restore(hostage);
    return taken;
}

static void test_duplicate_of_a_block_whose_size_changes(void **state)
{
    (void)state;
    only_ours();
    struct hostage hostage = take_hostage(PLAIN_FLAGS);
    uint32_t size = size_of(&hostage.block);
    const uint32_t others[] = {0, 16, size / 2, size - 64, size + 64, 0x01000000, 0xFFFFFFFF};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        print_message("size or 0x%x: %lu of 50 taken\n", others[i],
                      pull_changing(&hostage, SIZE_OFFSET, others[i], 50));
    assert_same(pull(&hostage, 0), ERROR_SUCCESS);
    free(hostage.block.bytes);
}

/* All other numbers of the header: counts, offsets, strides, states. */
static void test_duplicate_of_a_block_whose_header_changes(void **state)
{
    (void)state;
    only_ours();
    struct hostage hostage = take_hostage(PLAIN_FLAGS);

    for (uint32_t offset = 0; offset < HEADER; offset += 4) {
        uint32_t value;
        memcpy(&value, hostage.block.bytes + offset, sizeof(value));
        pull_changing(&hostage, offset, value + 1, 8);
        pull_changing(&hostage, offset, value ^ 0x80000000, 8);
    }
    assert_same(pull(&hostage, 0), ERROR_SUCCESS);
    free(hostage.block.bytes);
}

/* ---- Dying ---- */

struct killer {
    HANDLE process;
    LONGLONG when; /* by QueryPerformanceCounter */
};

static LONGLONG counts_now(void)
{
    LARGE_INTEGER now;

    QueryPerformanceCounter(&now);
    return now.QuadPart;
}

static DWORD WINAPI run_killer(void *argument)
{
    const struct killer *killer = (const struct killer *)argument;

    while (counts_now() < killer->when)
        YieldProcessor();
    return TerminateProcess(killer->process, 9) ? 0 : GetLastError();
}

/* What is done to a process that may die meanwhile. */
enum deed { DEED_PULL, DEED_PULL_AND_CLOSE, DEED_PUSH, DEED_FREE, DEEDS };

static DWORD do_to(enum deed deed, HANDLE process, HPSS there, HPSS here)
{
    HPSS copy = NULL;
    DWORD error;

    if (deed == DEED_FREE)
        return pss.free(process, there);
    if (deed == DEED_PUSH)
        return pss.duplicate(GetCurrentProcess(), here, process, &copy, 0);
    error = pss.duplicate(process, there, GetCurrentProcess(), &copy, deed == DEED_PULL_AND_CLOSE);
    assert_true(error ? !copy : copy != NULL);
    if (!error) {
        ship_walk_to_the_end(copy);
        free_snapshot(copy);
    }
    return error;
}

static LONGLONG measure(enum deed deed, const struct ship_answers *block, HPSS here)
{
    struct target *target = target_start();
    void *there = ship_plant(target->process, block->bytes, block->size);
    LONGLONG start = counts_now();

    assert_same(do_to(deed, target->process, (HPSS)there, here), ERROR_SUCCESS);
    LONGLONG duration = counts_now() - start;
    target_destroy(target);
    return duration;
}

static DWORD do_while_dying(enum deed deed, const struct ship_answers *block, HPSS here,
                            LONGLONG delay)
{
    struct target *target = target_start();
    void *there = ship_plant(target->process, block->bytes, block->size);
    struct killer killer = {target->process, counts_now() + delay};
    HANDLE thread = CreateThread(NULL, 0, run_killer, &killer, 0, NULL);

    assert_non_null(thread);
    DWORD error = do_to(deed, target->process, (HPSS)there, here);
    assert_same(WaitForSingleObject(thread, CLONE_LIMIT_MS), WAIT_OBJECT_0);
    CloseHandle(thread);
    target_destroy(target);
    return error;
}

static void die_at_random_moments(enum deed deed, int runs)
{
    DWORD successes = 0;
    DWORD late = 0;

    random_init();
    ledger_forgive_stuck_queries();
    struct ship_answers block = make_block(PLAIN_FLAGS, 200);
    HPSS here = NULL;
    assert_same(pss.capture(GetCurrentProcess(), PLAIN_FLAGS, CONTEXT_ALL, &here), ERROR_SUCCESS);
    LONGLONG duration = measure(deed, &block, here);
    for (int i = 0; i < runs && late < MOST_LATE; i++) {
        LONGLONG delay = duration * random_below(1000) / 400;
        DWORD error = do_while_dying(deed, &block, here, delay);
        if (error)
            print_message("run %d: %lu\n", i, error);
        successes += !error;
        late += error == ERROR_SEM_TIMEOUT;
        if (error == ERROR_SEM_TIMEOUT && (deed == DEED_FREE || deed == DEED_PUSH))
            continue;
        if (!is_documented(error) && error != ERROR_ACCESS_DENIED && error != ERROR_PARTIAL_COPY)
            fail_msg("run %d gives %lu", i, error);
    }
    print_message("%lu of %d succeeded\n", successes, runs);
    free_snapshot(here);
    free(block.bytes);
}

static void test_duplicate_from_a_process_that_dies_meanwhile(void **state)
{
    (void)state;
    only_ours();
    die_at_random_moments(DEED_PULL, 30);
    die_at_random_moments(DEED_PULL_AND_CLOSE, 15);
}

static void test_duplicate_into_a_process_that_dies_meanwhile(void **state)
{
    (void)state;
    only_ours();
    die_at_random_moments(DEED_PUSH, 15);
}

static void test_remote_free_in_a_process_that_dies_meanwhile(void **state)
{
    (void)state;
    only_ours();
    die_at_random_moments(DEED_FREE, 15);
}

/* ---- Handles ---- */

/* The handle values of one process mean nothing in another one: nobody may close what they are. */
static void test_block_with_anothers_handles_is_no_snapshot(void **state)
{
    (void)state;
    only_ours();
    struct hostage hostage = {
        .block = make_block(PSS_CAPTURE_VA_CLONE | PSS_CREATE_USE_VM_ALLOCATIONS, 0)};
    hostage.target = ship_start();
    target_call(hostage.target, TARGET_MANY_HANDLES, TARGET_EVENT, 100, 0, 0);
    hostage.address =
        (char *)ship_plant(hostage.target->process, hostage.block.bytes, hostage.block.size);
    struct target_state before = target_state_read(hostage.target);
    HPSS copy = (HPSS)(uintptr_t)1;

    assert_same(pull(&hostage, 0), ERROR_INVALID_HANDLE);
    assert_same(pss.duplicate(hostage.target->process, (HPSS)hostage.address, GetCurrentProcess(),
                              &copy, PSS_DUPLICATE_CLOSE_SOURCE),
                ERROR_INVALID_HANDLE);
    target_assert_unharmed(hostage.target, before);
    assert_same(pss.free(hostage.target->process, (HPSS)hostage.address), ERROR_INVALID_HANDLE);
    target_assert_unharmed(hostage.target, before);
    free(hostage.block.bytes);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_planted_block_is_a_snapshot),
        PSS_TEST(test_duplicate_of_a_block_with_a_changed_header),
        PSS_TEST(test_adoption_of_a_block_with_a_changed_header),
        PSS_TEST(test_duplicate_of_a_block_with_random_changes),
        PSS_TEST(test_duplicate_of_a_block_with_a_clone_and_random_changes),
        PSS_TEST(test_remote_free_of_a_changed_block_harms_nothing),
        PSS_TEST(test_duplicate_of_a_block_with_a_false_size),
        PSS_TEST(test_duplicate_of_a_huge_block_with_a_hole),
        PSS_TEST(test_duplicate_of_a_block_that_is_cut_off),
        PSS_TEST(test_duplicate_of_a_block_whose_size_changes),
        PSS_TEST(test_duplicate_of_a_block_whose_header_changes),
        PSS_TEST(test_block_with_anothers_handles_is_no_snapshot),
        PSS_TEST(test_duplicate_from_a_process_that_dies_meanwhile),
        PSS_TEST(test_duplicate_into_a_process_that_dies_meanwhile),
        PSS_TEST(test_remote_free_in_a_process_that_dies_meanwhile),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("duplicate_hostile", tests, ledger_warm_up, NULL);
}
