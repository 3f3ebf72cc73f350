/* SPDX-License-Identifier: MIT */
/* The account: sets of handles, addresses and suspensions, and the first thing that went wrong. */
#include "faulty_account.h"

#include "harness.h"

#define CAPACITY    4096
#define END_WAIT_MS 60000

/* What is held of one kind; the order means nothing. */
struct held {
    uint32_t count;
    const void *items[CAPACITY];
};

static struct held handles, allocations, views, suspends, heap_blocks, threads, carriers;
static HANDLE last_carrier, last_lent;
static uint32_t carriers_made;
static uint32_t own_suspends; /* suspensions of threads of this process */
static char violation[160];   /* empty: none */

static void note(const char *what, const void *item)
{
    if (!violation[0])
        snprintf(violation, sizeof(violation), "%s %p", what, item);
}

static void note_frozen(const char *service)
{
    if (!violation[0])
        snprintf(violation, sizeof(violation), "%s was called while frozen", service);
}

static void put(struct held *held, const void *item, const char *what)
{
    if (held->count < CAPACITY)
        held->items[held->count++] = item;
    else
        note(what, item);
}

static bool contains(const struct held *held, const void *item)
{
    for (uint32_t i = 0; i < held->count; i++)
        if (held->items[i] == item)
            return true;
    return false;
}

static bool take(struct held *held, const void *item)
{
    for (uint32_t i = 0; i < held->count; i++) {
        if (held->items[i] != item)
            continue;
        held->items[i] = held->items[--held->count];
        return true;
    }
    return false;
}

static void forget(struct held *held)
{
    while (held->count)
        CloseHandle((HANDLE)held->items[--held->count]);
}

static void forget_last_carrier(void)
{
    if (last_carrier)
        CloseHandle(last_carrier);
    last_carrier = NULL;
}

void faulty_account_init(void)
{
    forget(&threads);
    forget(&carriers);
    forget_last_carrier();
    last_lent = NULL;
    carriers_made = 0;
    handles.count = allocations.count = views.count = suspends.count = heap_blocks.count = 0;
    own_suspends = 0;
    violation[0] = 0;
}

/* Where threads of this process stand still, one of them may hold any lock. */
static void check_while_self_is_frozen(const struct faulty_call *call)
{
    switch (call->service) {
    case FAULTY_allocate_heap:
    case FAULTY_free_heap:
    case FAULTY_create_thread:
    case FAULTY_find_service:
    case FAULTY_pin_module:
    case FAULTY_try_lock_loader:
    case FAULTY_find_module:
    case FAULTY_find_export:
    case FAULTY_query_environment:
        note_frozen(faulty_name(call->service));
        break;
    default:
        break;
    }
}

/* Names are asked of the file system and of the target, which must not be standing still. */
static void check_while_frozen(const struct faulty_call *call)
{
    bool is_name = false;

    if (call->service == FAULTY_query_object)
        is_name = call->class_number == PSS_NT_OBJECT_NAME;
    else if (call->service == FAULTY_query_memory)
        is_name = call->class_number == PSS_NT_MEMORY_MAPPED_FILE_NAME;
    else if (call->service == FAULTY_query_thread)
        is_name = call->class_number == PSS_NT_THREAD_NAME;
    if (is_name)
        note_frozen("the query of a name");
}

void faulty_account_check_call(const struct faulty_call *call)
{
    if (call->is_frozen)
        check_while_frozen(call);
    if (own_suspends)
        check_while_self_is_frozen(call);
}

void faulty_account_check_buffer(const void *buffer)
{
    if ((uintptr_t)buffer % sizeof(ULONG))
        note("Windows refuses, not being aligned, the buffer", buffer);
}

void faulty_account_open(HANDLE handle)
{
    put(&handles, handle, "too many handles:");
}

void faulty_account_close(HANDLE handle)
{
    if (contains(&suspends, handle))
        note("closed while still suspended: thread", handle);
    if (!take(&handles, handle))
        note("closed what is not its own: handle", handle);
}

void faulty_account_suspend(HANDLE thread)
{
    put(&suspends, thread, "too many suspensions:");
    own_suspends += GetProcessIdOfThread(thread) == GetCurrentProcessId();
}

void faulty_account_resume(HANDLE thread)
{
    if (!take(&suspends, thread))
        note("resumed what it had not suspended: thread", thread);
    if (!suspends.count)
        own_suspends = 0; /* they all go together */
}

void faulty_account_allocate(void *base)
{
    put(&allocations, base, "too many allocations:");
}

void faulty_account_free(void *base)
{
    if (!take(&allocations, base))
        note("freed what is not its own: memory at", base);
}

void faulty_account_map(void *base)
{
    put(&views, base, "too many views:");
}

void faulty_account_unmap(void *base)
{
    if (!take(&views, base))
        note("unmapped what is not its own: view at", base);
}

void faulty_account_allocate_heap(void *address)
{
    if (address)
        put(&heap_blocks, address, "too many heap blocks:");
}

void faulty_account_free_heap(void *address)
{
    if (address && !take(&heap_blocks, address))
        note("freed what is not its own: heap block", address);
}

static HANDLE own_handle(HANDLE handle, DWORD access)
{
    HANDLE own = NULL;

    if (!DuplicateHandle(GetCurrentProcess(), handle, GetCurrentProcess(), &own, access, FALSE, 0))
        note("no duplicate of handle", handle);
    return own;
}

void faulty_account_thread(HANDLE thread)
{
    HANDLE own = own_handle(thread, SYNCHRONIZE);

    if (own)
        put(&threads, own, "too many threads:");
}

void faulty_account_carrier(HANDLE process)
{
    HANDLE own = own_handle(process, SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION);

    carriers_made++;
    if (own)
        put(&carriers, own, "too many processes:");
    forget_last_carrier();
    last_carrier = own_handle(process, PROCESS_ALL_ACCESS);
}

uint32_t faulty_account_handles_to(HANDLE object)
{
    DWORD last_error = GetLastError(), pid = GetProcessId(object);
    uint32_t count = pid && last_carrier && GetProcessId(last_carrier) == pid;

    for (uint32_t i = 0; pid && i < carriers.count; i++)
        count += GetProcessId((HANDLE)carriers.items[i]) == pid;
    SetLastError(last_error);
    return count;
}

void faulty_account_duplicate(HANDLE source, HANDLE duplicate)
{
    if (faulty_account_handles_to(source))
        last_lent = duplicate;
}

NTSTATUS faulty_account_released(const char *what, NTSTATUS status)
{
    if (!NT_SUCCESS(status))
        note(what, (const void *)(intptr_t)status);
    return status;
}

struct faulty_ledger faulty_ledger(void)
{
    return (struct faulty_ledger){handles.count, allocations.count, views.count, suspends.count,
                                  heap_blocks.count};
}

bool faulty_holds(HANDLE handle)
{
    return contains(&handles, handle);
}

void faulty_disown(HANDLE handle)
{
    assert_true(take(&handles, handle));
}

void faulty_close_lent(void)
{
    if (last_lent && take(&handles, last_lent))
        CloseHandle(last_lent);
    last_lent = NULL;
}

const char *faulty_violation(void)
{
    return violation[0] ? violation : NULL;
}

/* Those that have ended are forgotten. */
static bool have_ended(struct held *held)
{
    while (held->count) {
        HANDLE own = (HANDLE)held->items[held->count - 1];

        if (WaitForSingleObject(own, END_WAIT_MS) != WAIT_OBJECT_0)
            return false;
        CloseHandle(own);
        held->count--;
    }
    return true;
}

bool faulty_threads_ended(void)
{
    return have_ended(&threads);
}

HANDLE faulty_carrier(void)
{
    return last_carrier;
}

uint32_t faulty_carriers(void)
{
    return carriers_made;
}

bool faulty_carriers_ended(void)
{
    return have_ended(&carriers);
}

void faulty_reclaim(void)
{
    assert_true(faulty_threads_ended());
    while (handles.count)
        assert_true(CloseHandle((HANDLE)handles.items[--handles.count]));
    while (allocations.count)
        assert_true(VirtualFree((void *)allocations.items[--allocations.count], 0, MEM_RELEASE));
}

/* What a helper keeps that was given up since nobody could tell whether an answer may still come.
 */
static void reclaim_from_helper(void)
{
    struct faulty_ledger held = faulty_ledger();

    if (faulty_failed_a_look() && !held.views && !held.suspends && !held.heap_blocks)
        faulty_reclaim();
}

void faulty_assert_clean(const char *where)
{
    struct faulty_ledger ledger;

    if (violation[0])
        fail_msg("%s: %s", where, violation);
    reclaim_from_helper();
    ledger = faulty_ledger();
    if (ledger.handles || ledger.allocations || ledger.views || ledger.suspends ||
        ledger.heap_blocks)
        fail_msg("%s: left behind: %u handles, %u allocations, %u views, %u suspends, %u blocks",
                 where, ledger.handles, ledger.allocations, ledger.views, ledger.suspends,
                 ledger.heap_blocks);
    if (!faulty_threads_ended())
        fail_msg("%s: a thread still runs", where);
    if (!faulty_carriers_ended())
        fail_msg("%s: a process is left behind", where);
}
