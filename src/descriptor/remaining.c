/* SPDX-License-Identifier: MIT */
/* Clones that remain when their last snapshot is freed, since somebody else has a handle to them.
 */
#include "descriptor/descriptor.h"

/* A clone without an owner; the job ends it with this process at the latest. */
struct remaining {
    struct remaining *next;
    HANDLE process, job; /* owned */
};

/*
 * State of the process: the first of them. Lock-free: an entry is pushed by compare-and-swap, and
 * who looks takes the whole list and pushes back what remains. A thread that stands still in the
 * middle of that keeps its entries from the others, which find the others' and wait for nothing.
 */
static struct remaining *first;

/* 0: the system does not tell. */
static uint32_t count_handles(const struct pss_nt *nt, HANDLE handle)
{
    struct pss_nt_object_basic basic;
    NTSTATUS status = nt->query_object(handle, PSS_NT_OBJECT_BASIC, &basic, sizeof(basic), NULL);

    return NT_SUCCESS(status) ? basic.handle_count : 0;
}

/*
 * Counts the owners, and the handles to the clone beyond one of each owner. An owner that comes
 * opens its handle to the job last, and one that goes closes it first: whatever happens between the
 * two questions, no handle of somebody else's is overlooked.
 */
static uint32_t count_others(const struct pss_nt *nt, HANDLE process, HANDLE job, uint32_t *owners)
{
    uint32_t handles = count_handles(nt, process);

    *owners = count_handles(nt, job);
    return *owners && handles > *owners ? handles - *owners : 0;
}

/* Where the system does not tell, it is as if it had ended. */
static int is_alive(const struct pss_nt *nt, HANDLE process)
{
    struct pss_nt_times times;
    NTSTATUS status = nt->query_process(process, PSS_NT_PROCESS_TIMES, &times, sizeof(times), NULL);

    return NT_SUCCESS(status) && !times.exit_time.QuadPart;
}

static void push(struct remaining *entry)
{
    entry->next = __atomic_load_n(&first, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&first, &entry->next, entry, 1, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        continue;
}

static struct remaining *make_entry(const struct pss_nt *nt, HANDLE process, HANDLE job)
{
    SIZE_T size = sizeof(struct remaining);
    struct remaining *entry;
    void *base = NULL;

    if (!NT_SUCCESS(nt->allocate_memory(PSS_CURRENT_PROCESS, &base, 0, &size,
                                        MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)))
        return NULL; /* Without memory the clone ends now. */
    entry = base;
    entry->process = process;
    entry->job = job;
    return entry;
}

static void close_both(const struct pss_nt *nt, HANDLE process, HANDLE job)
{
    if (job)
        nt->close(job);
    if (process)
        nt->close(process);
}

/* As long as there is another owner, that one ends the clone, or keeps it. */
void pss_clone_let_go(const struct pss_nt *nt, HANDLE process, HANDLE job)
{
    struct remaining *entry = NULL;
    uint32_t owners;

    if (process && job && count_others(nt, process, job, &owners) && owners == 1 &&
        is_alive(nt, process))
        entry = make_entry(nt, process, job);
    if (entry)
        push(entry);
    else
        close_both(nt, process, job);
}

void pss_clone_look(const struct pss_nt *nt)
{
    struct remaining *entry, *next;

    if (!__atomic_load_n(&first, __ATOMIC_RELAXED))
        return;
    for (entry = __atomic_exchange_n(&first, NULL, __ATOMIC_ACQUIRE); entry; entry = next) {
        void *base = entry;
        SIZE_T whole = 0;
        uint32_t owners;

        next = entry->next;
        if (count_others(nt, entry->process, entry->job, &owners) && is_alive(nt, entry->process)) {
            push(entry);
            continue;
        }
        close_both(nt, entry->process, entry->job);
        nt->free_memory(PSS_CURRENT_PROCESS, &base, &whole, MEM_RELEASE);
    }
}
