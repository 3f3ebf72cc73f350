/* SPDX-License-Identifier: MIT */
/* Live handles: a chain of hash tables, each twice the size of the one before. */
#include "api/live.h"

#define FIRST_SIZE  256u /* slots; a power of two */
#define PROBE_LIMIT 16u  /* slots looked at in one table: bounds every operation */
#define CHAIN_LIMIT 20u  /* tables */

/*
 * A slot is 0 or an address, changed by compare-and-swap alone. An address that finds no free slot
 * near its place goes to the next table; nothing ever moves, so a look-up needs no lock. The later
 * tables are kept for the next handles: their memory belongs to the module.
 */
struct table {
    uintptr_t *slots;
    uint32_t size;
};

static uintptr_t first_slots[PSS_LIVE_KIND_COUNT][FIRST_SIZE];
static uintptr_t *later_slots[PSS_LIVE_KIND_COUNT][CHAIN_LIMIT];

/* Table number \p index; its slots are NULL if it does not exist yet. */
static struct table table_at(enum pss_live_kind kind, uint32_t index)
{
    struct table table = {first_slots[kind], FIRST_SIZE << index};

    if (index)
        table.slots = __atomic_load_n(&later_slots[kind][index], __ATOMIC_ACQUIRE);
    return table;
}

static uint32_t first_probe(uintptr_t address)
{
    return (uint32_t)(((uint64_t)address * 0x9E3779B97F4A7C15u) >> 32);
}

/* Replaces `from` by `to` near the place of `address`; answers whether it was found. */
static int exchange(struct table table, uintptr_t address, uintptr_t from, uintptr_t to)
{
    uint32_t start = first_probe(address);

    for (uint32_t i = 0; i < PROBE_LIMIT; i++) {
        uintptr_t *slot = &table.slots[(start + i) & (table.size - 1)];
        uintptr_t expected = from;

        if (__atomic_load_n(slot, __ATOMIC_ACQUIRE) == from &&
            __atomic_compare_exchange_n(slot, &expected, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            return 1;
    }
    return 0;
}

static NTSTATUS add_table(const struct pss_nt *nt, enum pss_live_kind kind, uint32_t index)
{
    SIZE_T size = (SIZE_T)(FIRST_SIZE << index) * sizeof(uintptr_t), whole = 0;
    void *base = NULL;
    uintptr_t *none = NULL;
    NTSTATUS status = nt->allocate_memory(PSS_CURRENT_PROCESS, &base, 0, &size,
                                          MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    if (!NT_SUCCESS(status))
        return status;
    if (!__atomic_compare_exchange_n(&later_slots[kind][index], &none, base, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        nt->free_memory(PSS_CURRENT_PROCESS, &base, &whole, MEM_RELEASE); /* another was faster */
    return STATUS_SUCCESS;
}

NTSTATUS pss_live_insert(const struct pss_nt *nt, enum pss_live_kind kind, const void *address)
{
    for (uint32_t i = 0; i < CHAIN_LIMIT; i++) {
        NTSTATUS status = table_at(kind, i).slots ? STATUS_SUCCESS : add_table(nt, kind, i);

        if (!NT_SUCCESS(status))
            return status;
        if (exchange(table_at(kind, i), (uintptr_t)address, 0, (uintptr_t)address))
            return STATUS_SUCCESS;
    }
    return STATUS_NO_MEMORY;
}

int pss_live_remove(enum pss_live_kind kind, const void *address)
{
    for (uint32_t i = 0; address && i < CHAIN_LIMIT && table_at(kind, i).slots; i++)
        if (exchange(table_at(kind, i), (uintptr_t)address, (uintptr_t)address, 0))
            return 1;
    return 0;
}

int pss_live_contains(enum pss_live_kind kind, const void *address)
{
    uint32_t start = first_probe((uintptr_t)address);

    for (uint32_t i = 0; address && i < CHAIN_LIMIT; i++) {
        struct table table = table_at(kind, i);

        if (!table.slots)
            return 0;
        for (uint32_t j = 0; j < PROBE_LIMIT; j++)
            if (__atomic_load_n(&table.slots[(start + j) & (table.size - 1)], __ATOMIC_ACQUIRE) ==
                (uintptr_t)address)
                return 1;
    }
    return 0;
}
