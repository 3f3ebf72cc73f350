/* SPDX-License-Identifier: MIT */
/* Suspended threads: entered before they are suspended, and taken out by whoever resumes them. */
#include "base/suspension.h"

#include "base/region.h"

#define LIST_LIMIT    64u
#define CHUNK_ENTRIES 2000u
#define TAKER_TRIES   1000u /* milliseconds, for another thread to resume what it has taken */

enum state {
    STATE_NONE,
    STATE_PENDING,   /* about to be suspended, or just suspended */
    STATE_SUSPENDED, /* by us */
    STATE_RESUMING,  /* about to be resumed, or just resumed, by who suspended it */
    STATE_TAKEN,     /* by another thread, which resumes it: the two states above may last */
    STATE_RESUMED,
    STATE_WAS_RUNNING, /* taken while it was about to be suspended, and found running */
};

struct entry {
    HANDLE thread;  /* borrowed */
    uint32_t state; /* enum state; atomic */
};

struct chunk {
    struct pss_region memory; /* of this structure */
    struct chunk *next;       /* atomic */
    uint32_t count;           /* atomic; entries below it are filled */
    struct entry entries[CHUNK_ENTRIES];
};

/* Chunks never move: another thread may be reading them. */
struct pss_suspension {
    struct chunk first; /* first: its memory is that of the list */
    struct chunk *last;
    uint32_t count;
    uint32_t steps;          /* atomic */
    uint32_t is_waiting;     /* atomic */
    uint32_t is_interrupted; /* atomic */
};

/* State of the module: the lists that are in use; NULL where there is none. Atomic. */
static struct pss_suspension *lists[LIST_LIMIT];

static NTSTATUS allocate(const struct pss_nt *nt, uint32_t size, void *memory)
{
    struct pss_region region = {0};
    uint32_t offset;
    NTSTATUS status = pss_region_append(nt, &region, size, 1, &offset);

    if (!NT_SUCCESS(status))
        return status;
    ((struct chunk *)region.base)->memory = region;
    *(void **)memory = region.base;
    return STATUS_SUCCESS;
}

static void release(const struct pss_nt *nt, struct chunk *chunk)
{
    struct pss_region memory = chunk->memory;

    pss_region_free(nt, &memory);
}

static int replace(struct pss_suspension *from, struct pss_suspension *to)
{
    for (uint32_t i = 0; i < LIST_LIMIT; i++) {
        struct pss_suspension *expected = from;

        if (__atomic_compare_exchange_n(&lists[i], &expected, to, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            return 1;
    }
    return 0;
}

NTSTATUS pss_suspension_begin(const struct pss_nt *nt, struct pss_suspension **suspension)
{
    struct pss_suspension *list;
    NTSTATUS status = allocate(nt, sizeof(*list), &list);

    if (!NT_SUCCESS(status))
        return status;
    list->last = &list->first;
    if (!replace(NULL, list)) {
        release(nt, &list->first);
        return STATUS_NO_MEMORY;
    }
    *suspension = list;
    return STATUS_SUCCESS;
}

/* A place for one more entry. */
static NTSTATUS grow(const struct pss_nt *nt, struct pss_suspension *list)
{
    struct chunk *chunk;
    NTSTATUS status = STATUS_SUCCESS;

    if (list->last->count < CHUNK_ENTRIES)
        return STATUS_SUCCESS;
    status = allocate(nt, sizeof(*chunk), &chunk);
    if (!NT_SUCCESS(status))
        return status;
    __atomic_store_n(&list->last->next, chunk, __ATOMIC_RELEASE);
    list->last = chunk;
    return STATUS_SUCCESS;
}

static int exchange(struct entry *entry, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(&entry->state, &from, to, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_ACQUIRE);
}

/* 1 ms; a thread outlives its own wait. */
static void pause(const struct pss_nt *nt)
{
    LARGE_INTEGER interval = {.QuadPart = -10000}; /* 100 ns; negative is from now on */

    nt->wait(PSS_CURRENT_THREAD, FALSE, &interval); /* or try again at once */
}

/* What the other thread that took an entry has made of it. */
static uint32_t wait_for_taker(const struct pss_nt *nt, const struct entry *entry)
{
    uint32_t state = STATE_TAKEN;

    for (uint32_t i = 0; i < TAKER_TRIES && state == STATE_TAKEN; i++) {
        state = __atomic_load_n(&entry->state, __ATOMIC_ACQUIRE);
        if (state == STATE_TAKEN)
            pause(nt);
    }
    return state;
}

/* Somebody took it while it was being resumed: if both found it suspended, one was too many. */
static void settle_resumption(const struct pss_nt *nt, struct entry *entry, ULONG previous)
{
    ULONG unused;

    if (wait_for_taker(nt, entry) == STATE_RESUMED && previous)
        nt->suspend_thread(entry->thread, &unused); /* It fails only for one that has ended. */
}

/* From a state that may last until this very call is made. */
static int take(const struct pss_nt *nt, struct entry *entry, uint32_t from, uint32_t if_running)
{
    ULONG previous = 0;

    if (!exchange(entry, from, STATE_TAKEN))
        return 0;
    nt->resume_thread(entry->thread, &previous); /* likewise */
    __atomic_store_n(&entry->state, previous ? STATE_RESUMED : if_running, __ATOMIC_RELEASE);
    return 1;
}

/*
 * A thread that was found running may be suspended since: its suspender stood still in between, and
 * stands still again.
 */
static void resume(const struct pss_nt *nt, struct entry *entry)
{
    ULONG previous = 0;

    if (exchange(entry, STATE_SUSPENDED, STATE_RESUMING)) {
        nt->resume_thread(entry->thread, &previous); /* likewise */
        if (!exchange(entry, STATE_RESUMING, STATE_RESUMED))
            settle_resumption(nt, entry, previous);
        return;
    }
    if (!take(nt, entry, STATE_PENDING, STATE_WAS_RUNNING) &&
        !take(nt, entry, STATE_WAS_RUNNING, STATE_WAS_RUNNING))
        take(nt, entry, STATE_RESUMING, STATE_NONE);
}

/*
 * Somebody took the entry while its thread was being suspended. Whether the suspension came before
 * the resumption is told by the latter: if it found the thread running, it came too early, and is
 * made up for here. If it did not, one suspension more and one less are none.
 */
static void settle(const struct pss_nt *nt, struct entry *entry, int is_suspended)
{
    uint32_t to = is_suspended ? STATE_SUSPENDED : STATE_NONE, state;

    do
        state = wait_for_taker(nt, entry);
    while (state == STATE_WAS_RUNNING && !exchange(entry, STATE_WAS_RUNNING, to));
    if (is_suspended && state == STATE_WAS_RUNNING)
        resume(nt, entry);
    else if (is_suspended && state == STATE_TAKEN) /* by one who never comes back */
        nt->resume_thread(entry->thread, NULL);    /* likewise */
}

NTSTATUS pss_suspension_add(const struct pss_nt *nt, struct pss_suspension *list, HANDLE thread,
                            ULONG *previous)
{
    struct entry *entry;
    NTSTATUS status = grow(nt, list);

    if (!NT_SUCCESS(status))
        return status;
    if (pss_suspension_is_interrupted(list))
        return STATUS_CANCELLED;
    entry = &list->last->entries[list->last->count];
    entry->thread = thread;
    __atomic_store_n(&entry->state, STATE_PENDING, __ATOMIC_RELEASE);
    __atomic_store_n(&list->last->count, list->last->count + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&list->count, list->count + 1, __ATOMIC_RELEASE);
    pss_suspension_step(list);
    status = nt->suspend_thread(thread, previous);
    if (!exchange(entry, STATE_PENDING, NT_SUCCESS(status) ? STATE_SUSPENDED : STATE_NONE))
        settle(nt, entry, NT_SUCCESS(status));
    else if (pss_suspension_is_interrupted(list)) /* it came too late for who interrupted */
        resume(nt, entry);
    return status;
}

void pss_suspension_resume(const struct pss_nt *nt, struct pss_suspension *list)
{
    struct chunk *chunk = &list->first;

    while (chunk) {
        uint32_t count = __atomic_load_n(&chunk->count, __ATOMIC_ACQUIRE);

        for (uint32_t i = 0; i < count; i++)
            resume(nt, &chunk->entries[i]);
        chunk = __atomic_load_n(&chunk->next, __ATOMIC_ACQUIRE);
    }
}

void pss_suspension_interrupt(const struct pss_nt *nt, struct pss_suspension *list)
{
    __atomic_exchange_n(&list->is_interrupted, 1,
                        __ATOMIC_SEQ_CST); /* before the entries are read */
    pss_suspension_resume(nt, list);
}

int pss_suspension_is_interrupted(const struct pss_suspension *list)
{
    return __atomic_load_n(&list->is_interrupted, __ATOMIC_SEQ_CST) != 0;
}

uint32_t pss_suspension_count(const struct pss_suspension *list)
{
    return __atomic_load_n(&list->count, __ATOMIC_ACQUIRE);
}

void pss_suspension_step(struct pss_suspension *list)
{
    __atomic_add_fetch(&list->steps, 1, __ATOMIC_RELAXED);
}

uint32_t pss_suspension_steps(const struct pss_suspension *list)
{
    return __atomic_load_n(&list->steps, __ATOMIC_RELAXED);
}

void pss_suspension_set_waiting(struct pss_suspension *list, int is_waiting)
{
    pss_suspension_step(list);
    __atomic_store_n(&list->is_waiting, (uint32_t)is_waiting, __ATOMIC_RELEASE);
}

int pss_suspension_is_waiting(const struct pss_suspension *list)
{
    return __atomic_load_n(&list->is_waiting, __ATOMIC_ACQUIRE) != 0;
}

void pss_suspension_end(const struct pss_nt *nt, struct pss_suspension *list)
{
    struct chunk *chunk, *next;

    if (!list)
        return;
    pss_suspension_resume(nt, list);
    replace(list, NULL);
    for (chunk = list->first.next; chunk; chunk = next) {
        next = chunk->next;
        release(nt, chunk);
    }
    release(nt, &list->first);
}

void pss_suspension_interrupt_all(const struct pss_nt *nt)
{
    for (uint32_t i = 0; i < LIST_LIMIT; i++) {
        struct pss_suspension *list = __atomic_load_n(&lists[i], __ATOMIC_ACQUIRE);

        if (list)
            pss_suspension_interrupt(nt, list);
    }
}
