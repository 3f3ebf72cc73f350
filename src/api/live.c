/* SPDX-License-Identifier: MIT */
/* Live handles: a chain of hash tables, each twice the size of the one before. */
#include "api/live.h"

#define FIRST_SIZE  256u /* slots; a power of two */
#define PROBE_LIMIT 16u  /* slots looked at in one table: bounds every operation */
#define CHAIN_LIMIT 20u  /* tables */

#define FREE 0u
#define BUSY 1u /* a thread is writing the instance */

/*
 * An address that finds no free slot near its place goes to the next table; nothing ever moves, so
 * a look-up needs no lock. The later tables are kept for the next handles: their memory belongs to
 * the module.
 *
 * A slot changes hands by compare-and-swap of its key alone. The instance is written while the slot
 * is busy; who reads it looks at the key before and after, and believes it only if that stayed the
 * same. A key is never used twice in a row: what the swap of a key removes is what was read. A
 * thread that stands still while its slot is busy keeps this one slot from others, and nothing
 * else.
 */
struct slot {
    uintptr_t key;        /* FREE, BUSY, or the address and below it the number of the insertion */
    uint32_t instance[2]; /* low and high half: no processor has to write 64 bits at once */
};

struct table {
    struct slot *slots;
    uint32_t size;
};

static struct slot first_slots[PSS_LIVE_KIND_COUNT][FIRST_SIZE];
static struct slot *later_slots[PSS_LIVE_KIND_COUNT][CHAIN_LIMIT];
static uint32_t insertions;

/*
 * The bits of a key for the number of the insertion. Blocks begin at multiples of 64 KiB; other
 * kinds need no number, as their entries leave before their memory does.
 */
static uintptr_t number_mask(enum pss_live_kind kind)
{
    return kind == PSS_LIVE_SHARED_SNAPSHOT ? 0xFFFF : 0;
}

/* Table number \p index; its slots are NULL if it does not exist yet. */
static struct table table_at(enum pss_live_kind kind, uint32_t index)
{
    struct table table = {first_slots[kind], FIRST_SIZE << index};

    if (index)
        table.slots = __atomic_load_n(&later_slots[kind][index], __ATOMIC_ACQUIRE);
    return table;
}

static struct slot *slot_at(struct table table, uintptr_t address, uint32_t probe)
{
    uint32_t start = (uint32_t)(((uint64_t)address * 0x9E3779B97F4A7C15u) >> 32);

    return &table.slots[(start + probe) & (table.size - 1)];
}

/* Answers the key and the instance that belongs to it; FREE while that cannot be told. */
static uintptr_t read_slot(const struct slot *slot, uint64_t *instance)
{
    uintptr_t key = __atomic_load_n(&slot->key, __ATOMIC_ACQUIRE);
    uint32_t low = __atomic_load_n(&slot->instance[0], __ATOMIC_RELAXED);
    uint32_t high = __atomic_load_n(&slot->instance[1], __ATOMIC_RELAXED);

    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (key == BUSY || __atomic_load_n(&slot->key, __ATOMIC_RELAXED) != key)
        return FREE; /* An entry comes or goes right now. */
    *instance = (uint64_t)high << 32 | low;
    return key;
}

static int change_key(struct slot *slot, uintptr_t from, uintptr_t to)
{
    return __atomic_compare_exchange_n(&slot->key, &from, to, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

/* An entry as it was read. */
struct entry {
    struct slot *slot; /* NULL: there is none */
    uintptr_t key;
    uint64_t instance;
};

static struct entry find_in(struct table table, enum pss_live_kind kind, uintptr_t address,
                            const uint64_t *wanted)
{
    struct entry entry = {0};

    for (uint32_t i = 0; i < PROBE_LIMIT && !entry.slot; i++) {
        struct slot *slot = slot_at(table, address, i);

        entry.key = read_slot(slot, &entry.instance);
        if (entry.key && (entry.key & ~number_mask(kind)) == address &&
            (!wanted || entry.instance == *wanted))
            entry.slot = slot;
    }
    return entry;
}

/* An entry of the address, with the wanted instance if one is. */
static struct entry find(enum pss_live_kind kind, const void *address, const uint64_t *wanted)
{
    struct entry entry = {0};

    for (uint32_t i = 0; address && !entry.slot && i < CHAIN_LIMIT; i++) {
        struct table table = table_at(kind, i);

        if (!table.slots)
            break;
        entry = find_in(table, kind, (uintptr_t)address, wanted);
    }
    return entry;
}

/* Enters it near its place; answers whether there was a free slot. */
static int enter(struct table table, uintptr_t address, uintptr_t key, uint64_t instance)
{
    for (uint32_t i = 0; i < PROBE_LIMIT; i++) {
        struct slot *slot = slot_at(table, address, i);

        if (__atomic_load_n(&slot->key, __ATOMIC_RELAXED) != FREE || !change_key(slot, FREE, BUSY))
            continue;
        __atomic_thread_fence(__ATOMIC_RELEASE); /* Busy before the instance changes. */
        __atomic_store_n(&slot->instance[0], (uint32_t)instance, __ATOMIC_RELAXED);
        __atomic_store_n(&slot->instance[1], (uint32_t)(instance >> 32), __ATOMIC_RELAXED);
        __atomic_store_n(&slot->key, key, __ATOMIC_RELEASE);
        return 1;
    }
    return 0;
}

static NTSTATUS add_table(const struct pss_nt *nt, enum pss_live_kind kind, uint32_t index)
{
    SIZE_T size = (SIZE_T)(FIRST_SIZE << index) * sizeof(struct slot), whole = 0;
    void *base = NULL;
    struct slot *none = NULL;
    NTSTATUS status = nt->allocate_memory(PSS_CURRENT_PROCESS, &base, 0, &size,
                                          MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    if (!NT_SUCCESS(status))
        return status;
    if (!__atomic_compare_exchange_n(&later_slots[kind][index], &none, base, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        nt->free_memory(PSS_CURRENT_PROCESS, &base, &whole, MEM_RELEASE); /* another was faster */
    return STATUS_SUCCESS;
}

NTSTATUS pss_live_insert(const struct pss_nt *nt, enum pss_live_kind kind, const void *address,
                         uint64_t instance)
{
    uint32_t number = __atomic_add_fetch(&insertions, 1, __ATOMIC_RELAXED);
    uintptr_t key = (uintptr_t)address | (number & number_mask(kind));

    for (uint32_t i = 0; i < CHAIN_LIMIT; i++) {
        NTSTATUS status = table_at(kind, i).slots ? STATUS_SUCCESS : add_table(nt, kind, i);

        if (!NT_SUCCESS(status))
            return status;
        if (enter(table_at(kind, i), (uintptr_t)address, key, instance))
            return STATUS_SUCCESS;
    }
    return STATUS_NO_MEMORY;
}

int pss_live_remove(enum pss_live_kind kind, const void *address, uint64_t instance)
{
    struct entry entry = find(kind, address, &instance);

    return entry.slot && change_key(entry.slot, entry.key, FREE);
}

int pss_live_find(enum pss_live_kind kind, const void *address, uint64_t *instance)
{
    struct entry entry = find(kind, address, NULL);

    if (entry.slot)
        *instance = entry.instance;
    return entry.slot != NULL;
}

int pss_live_contains(enum pss_live_kind kind, const void *address, uint64_t instance)
{
    return find(kind, address, &instance).slot != NULL;
}
