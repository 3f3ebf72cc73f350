/* SPDX-License-Identifier: MIT */
/* Compares our rows in the system's handle table, our private allocations and our children. */
#include "ledger.h"

#include "nt_calls.h"
#include "target.h"
#include "under_test.h"

#define MAX_HELD 4096

/* What the process holds at one moment; handles and allocations ascend. */
struct ledger {
    DWORD handles;
    DWORD allocations;
    DWORD children; /* of the targets, too: a clone is a child of its target */
    ULONG_PTR handle[MAX_HELD];
    ULONG_PTR allocation[MAX_HELD];
};

#define WINE_THREAD_ALLOCATIONS 4         /* its stacks and, at the most, a block of TEBs */
#define WINE_TEBS               16        /* at the least in a block */
#define WINE_KERNEL_STACK       0x100000u /* bytes; committed whole, and every thread has one */

static struct ledger before;
static struct ledger after;
static bool forgives_stuck_queries;
static DWORD forgiven_threads;

static int compare_numbers(const void *left, const void *right)
{
    ULONG_PTR a = *(const ULONG_PTR *)left;
    ULONG_PTR b = *(const ULONG_PTR *)right;

    return a < b ? -1 : a > b;
}

static void read_handles(struct ledger *ledger)
{
    struct nt_handle_table *table = nt_handle_table_read();
    DWORD pid = GetCurrentProcessId();

    ledger->handles = 0;
    for (ULONG_PTR i = 0; i < table->count && ledger->handles < MAX_HELD; i++)
        if (table->rows[i].pid == pid)
            ledger->handle[ledger->handles++] = table->rows[i].handle;
    free(table);
    qsort(ledger->handle, ledger->handles, sizeof(ledger->handle[0]), compare_numbers);
}

/* The heap grows for the tests' own sake; the library promises never to use it. */
static bool is_heap(const void *base)
{
    HANDLE heaps[64];
    DWORD count = GetProcessHeaps(64, heaps);

    for (DWORD i = 0; i < count && i < 64; i++) {
        PROCESS_HEAP_ENTRY entry = {0};
        if (heaps[i] == base)
            return true;
        while (HeapWalk(heaps[i], &entry))
            if ((entry.wFlags & PROCESS_HEAP_REGION) && entry.lpData == base)
                return true;
    }
    return false;
}

static void read_allocations(struct ledger *ledger)
{
    MEMORY_BASIC_INFORMATION region;
    const char *address = NULL;
    const void *last = NULL;

    ledger->allocations = 0;
    while (VirtualQuery(address, &region, sizeof(region)) && ledger->allocations < MAX_HELD) {
        address = (const char *)region.BaseAddress + region.RegionSize;
        if (region.State == MEM_FREE || region.Type != MEM_PRIVATE || region.AllocationBase == last)
            continue;
        last = region.AllocationBase;
        if (!is_heap(last))
            ledger->allocation[ledger->allocations++] = (ULONG_PTR)last;
    }
}

static void read_ledger(struct ledger *ledger)
{
    ledger->children = target_children_count(GetCurrentProcessId());
    read_handles(ledger);
    read_allocations(ledger);
}

static DWORD WINAPI do_nothing(void *argument)
{
    return argument != NULL;
}

/* Wine keeps the last ended thread's stack until the next thread ends. */
static void warm_up_threads(void)
{
    HANDLE thread = CreateThread(NULL, 0, do_nothing, NULL, 0, NULL);

    assert_non_null(thread);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

static void warm_up_capture(HANDLE process)
{
    HPSS snapshot = NULL;
    HPSSWALK marker = NULL;

    if (pss.capture(process, PSS_CAPTURE_THREADS | PSS_CAPTURE_HANDLES, 0, &snapshot))
        return; /* a test of its own says why */
    pss.marker_create(NULL, &marker);
    pss.walk(snapshot, PSS_WALK_THREADS, marker, NULL, 0);
    pss.marker_free(marker);
    pss.free(GetCurrentProcess(), snapshot);
}

int ledger_warm_up(void **state)
{
    (void)state;
    struct target *target = target_start();

    warm_up_threads();
    warm_up_capture(target->process);
    warm_up_capture(GetCurrentProcess());
    target_destroy(target);
    read_ledger(&before);
    return 0;
}

void ledger_forgive_stuck_queries(void)
{
    forgives_stuck_queries = under_test_on_wine();
}

void ledger_forgive_ended_threads(DWORD count)
{
    forgiven_threads = under_test_on_wine() ? count : 0;
}

int ledger_open(void **state)
{
    (void)state;
    forgives_stuck_queries = false;
    forgiven_threads = 0;
    target_forget_started();
    read_ledger(&before);
    return 0;
}

/* The type of one of our own handles; empty for objects that only the system itself knows. */
static const WCHAR *handle_type(ULONG_PTR handle, WCHAR type[64])
{
    union {
        UNICODE_STRING text;
        unsigned char bytes[1024];
    } answer = {{0}};
    ULONG used = 0;

    type[0] = 0;
    if (NT_SUCCESS(NtQueryObject((HANDLE)handle, (OBJECT_INFORMATION_CLASS)NT_OBJECT_TYPE, &answer,
                                 sizeof(answer), &used)) &&
        answer.text.Length < 64 * sizeof(WCHAR)) {
        memcpy(type, answer.text.Buffer, answer.text.Length);
        type[answer.text.Length / sizeof(WCHAR)] = 0;
    }
    return type;
}

static bool is_listed(const ULONG_PTR *list, DWORD count, ULONG_PTR number)
{
    return bsearch(&number, list, count, sizeof(list[0]), compare_numbers) != NULL;
}

/* The first region of an allocation of our own tells what it may be. */
static void print_allocation(const char *what, ULONG_PTR allocation)
{
    MEMORY_BASIC_INFORMATION region = {0};

    VirtualQuery((const void *)allocation, &region, sizeof(region));
    print_error("%s 0x%llx: first 0x%llx bytes, state 0x%lx, protection 0x%lx\n", what,
                (unsigned long long)allocation, (unsigned long long)region.RegionSize, region.State,
                region.Protect);
}

static void print_extra(const char *what, const ULONG_PTR *more, DWORD more_count,
                        const ULONG_PTR *less, DWORD less_count)
{
    WCHAR type[64] = L"";

    for (DWORD i = 0; i < more_count; i++) {
        if (is_listed(less, less_count, more[i]))
            continue;
        if (strstr(what, "allocation")) {
            print_allocation(what, more[i]);
            continue;
        }
        handle_type(more[i], type);
        print_error("%s 0x%llx %ls\n", what, (unsigned long long)more[i], type);
    }
}

static void print_differences(void)
{
    if (forgiven_threads)
        print_error("%lu threads were ended from outside\n", forgiven_threads);
    print_error("handles %lu -> %lu, allocations %lu -> %lu, children %lu -> %lu\n", before.handles,
                after.handles, before.allocations, after.allocations, before.children,
                after.children);
    print_extra("new handle", after.handle, after.handles, before.handle, before.handles);
    print_extra("lost handle", before.handle, before.handles, after.handle, after.handles);
    print_extra("new allocation", after.allocation, after.allocations, before.allocation,
                before.allocations);
    print_extra("lost allocation", before.allocation, before.allocations, after.allocation,
                after.allocations);
}

/* On Wine each thread has another stack, for the system's own code. */
static bool is_kernel_stack(ULONG_PTR allocation)
{
    MEMORY_BASIC_INFORMATION region;

    return VirtualQuery((const void *)allocation, &region, sizeof(region)) &&
           region.RegionSize == WINE_KERNEL_STACK && region.Protect == PAGE_READWRITE;
}

/* A stack begins with its guard. */
static bool is_stack(ULONG_PTR allocation)
{
    MEMORY_BASIC_INFORMATION region;
    const char *base = (const char *)allocation;

    return VirtualQuery(base, &region, sizeof(region)) &&
           VirtualQuery(base + region.RegionSize, &region, sizeof(region)) &&
           region.AllocationBase == (void *)allocation && (region.Protect & PAGE_GUARD);
}

/* With each query one handle at the most that was on its way from the process that died. */
static bool are_handles_forgiven(void)
{
    WCHAR type[64];
    DWORD queries = 0, others = 0;

    for (DWORD i = 0; i < after.handles; i++) {
        if (is_listed(before.handle, before.handles, after.handle[i]))
            continue;
        if (handle_type(after.handle[i], type)[0])
            others++;
        else
            queries++;
    }
    return forgives_stuck_queries && after.handles >= before.handles && others <= queries;
}

/* Stacks, and the blocks of TEBs: one for so many threads. */
static bool are_of_threads(void)
{
    DWORD threads = 0, others = 0;

    for (DWORD i = 0; i < after.allocations; i++) {
        if (is_listed(before.allocation, before.allocations, after.allocation[i]))
            continue;
        if (is_kernel_stack(after.allocation[i]))
            threads++;
        else if (!is_stack(after.allocation[i]))
            others++;
    }
    return others <= (threads + WINE_TEBS - 1) / WINE_TEBS;
}

static bool are_allocations_forgiven(void)
{
    if (after.allocations < before.allocations)
        return false;
    if (after.allocations - before.allocations <= WINE_THREAD_ALLOCATIONS * forgiven_threads)
        return true;
    return forgives_stuck_queries && are_of_threads();
}

/* What is new is forgiven: handles to unanswered queries, and what threads leave behind. */
static bool is_forgiven(void)
{
    return (after.handles == before.handles || are_handles_forgiven()) &&
           (after.allocations == before.allocations || are_allocations_forgiven());
}

int ledger_close(void **state)
{
    (void)state;
    target_destroy_all();
    read_ledger(&after);
    after.children = target_children_left();
    if (after.children == before.children && is_forgiven())
        return 0;
    print_differences();
    return -1;
}
