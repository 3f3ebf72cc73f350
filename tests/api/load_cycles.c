/* SPDX-License-Identifier: MIT */
/* Tens of thousands of captures and frees: the process holds as much after them as before. */
#include "ledger.h"

#define PSAPI_VERSION 2 /* the functions of kernel32 */
#include <psapi.h>
#include <tlhelp32.h>

#include "clone.h"
#include "digest.h"
#include "nt_calls.h"
#include "records.h"
#include "shipping.h"
#include "soak.h"
#include "target.h"
#include "under_test.h"

#define QUARTERS 4

/*
 * The system answers for the working set by what is in memory just now, which moves without any
 * allocation. The tolerance does not grow with the cycles: a page lost in every 16th is found.
 */
#define WORKING_SET_TOLERANCE 0x100000

/* What the process holds at one moment. */
struct holding {
    DWORD handles;
    DWORD regions; /* that are not free, the heap's and the images', too */
    DWORD threads;
    DWORD children;               /* of the process and of what it captures */
    uint64_t reserved, committed; /* bytes */
    uint64_t working_set;         /* bytes */
};

/* A kind of capture; its cycles are part of the whole. */
struct recipe {
    const char *name;
    DWORD flags;
    bool of_self;
    bool is_walked;
    unsigned share; /* of 1000 cycles */
};

#define EVERYTHING_BUT_CLONE (SHIP_EVERYTHING & ~(DWORD)PSS_CAPTURE_VA_CLONE)

static const struct recipe recipes[] = {
    {"nothing, of itself", PSS_CAPTURE_NONE, true, false, 200},
    {"nothing", PSS_CAPTURE_NONE, false, false, 440},
    {"threads", PSS_CAPTURE_THREADS, false, true, 150},
    {"contexts", PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT, false, true, 70},
    {"handles", PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION, false, true, 60},
    {"regions", PSS_CAPTURE_VA_SPACE, false, true, 30},
    {"everything, of itself", EVERYTHING_BUT_CLONE, true, true, 20},
    {"everything", EVERYTHING_BUT_CLONE, false, true, 20},
    {"a clone", PSS_CAPTURE_VA_CLONE | PSS_CAPTURE_THREADS, false, false, 10},
};

#define RECIPES (sizeof(recipes) / sizeof(recipes[0]))

static void read_regions(struct holding *holding)
{
    MEMORY_BASIC_INFORMATION region;
    const char *address = NULL;

    while (VirtualQuery(address, &region, sizeof(region))) {
        address = (const char *)region.BaseAddress + region.RegionSize;
        if (region.State == MEM_FREE)
            continue;
        holding->regions++;
        *(region.State == MEM_COMMIT ? &holding->committed : &holding->reserved) +=
            region.RegionSize;
    }
}

static DWORD count_threads(void)
{
    THREADENTRY32 entry = {.dwSize = sizeof(entry)};
    HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    DWORD count = 0;

    assert_true(list != INVALID_HANDLE_VALUE);
    for (BOOL more = Thread32First(list, &entry); more; more = Thread32Next(list, &entry))
        count += entry.th32OwnerProcessID == GetCurrentProcessId() ? 1 : 0;
    CloseHandle(list);
    return count;
}

static struct holding read_holding(const struct target *target)
{
    PROCESS_MEMORY_COUNTERS memory = {.cb = sizeof(memory)};
    struct holding holding = {.threads = count_threads()};

    holding.children =
        target_children_count(GetCurrentProcessId()) + target_children_count(target->pid);
    holding.handles = nt_handles_count(GetCurrentProcessId());
    assert_true(GetProcessMemoryInfo(GetCurrentProcess(), &memory, sizeof(memory)));
    holding.working_set = memory.WorkingSetSize;
    read_regions(&holding);
    return holding;
}

static void print_holding(const struct holding *holding)
{
    print_message("%lu handles, %lu regions, %lu threads, %lu children, %llu KB reserved, "
                  "%llu KB committed, %llu KB in memory\n",
                  holding->handles, holding->regions, holding->threads, holding->children,
                  (unsigned long long)holding->reserved / 1024,
                  (unsigned long long)holding->committed / 1024,
                  (unsigned long long)holding->working_set / 1024);
}

static void assert_flat(const struct holding *before, const struct holding *after)
{
    assert_same(after->handles, before->handles);
    assert_same(after->regions, before->regions);
    assert_same(after->threads, before->threads);
    assert_same(after->children, before->children);
    assert_same(after->reserved, before->reserved);
    assert_same(after->committed, before->committed);
    if (after->working_set > before->working_set + WORKING_SET_TOLERANCE)
        fail_msg("the working set has grown from 0x%llx to 0x%llx bytes",
                 (unsigned long long)before->working_set, (unsigned long long)after->working_set);
}

static void run_cycle(const struct recipe *recipe, HANDLE process)
{
    HPSS snapshot = NULL;
    HANDLE clone = NULL;
    struct digest digest;
    DWORD error = pss.capture(process, recipe->flags, CONTEXT_ALL, &snapshot);

    if (error)
        fail_msg("a capture of %s failed: %lu", recipe->name, error);
    if (recipe->is_walked)
        assert_true(digest_read(snapshot, recipe->flags, GetProcessId(process), &digest));
    if (recipe->flags & PSS_CAPTURE_VA_CLONE)
        clone = clone_watch(clone_of(snapshot));
    free_snapshot(snapshot);
    if (clone)
        clone_assert_ended(clone);
}

/* In turns, so that each kind is in every quarter; at least once. */
static void run_quarter(const struct target *target, unsigned cycles)
{
    for (size_t i = 0; i < RECIPES; i++) {
        unsigned part = cycles * recipes[i].share / 1000;

        for (unsigned k = 0; k < (part ? part : 1); k++)
            run_cycle(&recipes[i], recipes[i].of_self ? GetCurrentProcess() : target->process);
    }
}

static void test_what_the_process_holds_is_flat_over_all_cycles(void **state)
{
    unsigned cycles = soak_or(2000, 50000);
    struct holding holdings[QUARTERS];
    struct target *target = ship_start_subject();
    struct target_state before = target_state_read(target);

    (void)state;
    for (int i = 0; i < QUARTERS; i++) {
        run_quarter(target, cycles / QUARTERS);
        holdings[i] = read_holding(target);
        print_holding(&holdings[i]);
    }
    assert_flat(&holdings[1], &holdings[QUARTERS - 1]);
    target_assert_unharmed(target, before);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_what_the_process_holds_is_flat_over_all_cycles),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("load_cycles", tests, ledger_warm_up, NULL);
}
