/* SPDX-License-Identifier: MIT */
/* Compares the regions of a target with those of its clone. */
#include "compare.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "text.h"

const char *const compare_words[COMPARE_KIND_COUNT] = {"base", "size", "state", "protect", "type"};

void region_list_add(struct region_list *list, const MEMORY_BASIC_INFORMATION *region)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity != 0 ? list->capacity * 2 : 64;
        MEMORY_BASIC_INFORMATION *items = realloc(list->items, capacity * sizeof *items);

        if (items == NULL)
            report_out_of_memory();
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = *region;
}

void region_list_fini(struct region_list *list)
{
    free(list->items);
    memset(list, 0, sizeof *list);
}

static uint64_t start_of(const MEMORY_BASIC_INFORMATION *region)
{
    return (uint64_t)(uintptr_t)region->BaseAddress;
}

static uint64_t end_of(const MEMORY_BASIC_INFORMATION *region)
{
    return start_of(region) + region->RegionSize;
}

/** Compares a region with the clone's regions that it overlaps. */
static unsigned find_kinds(const MEMORY_BASIC_INFORMATION *target,
                           const MEMORY_BASIC_INFORMATION *clone, size_t count)
{
    unsigned kinds = 0;

    if (count == 0)
        return COMPARE_STATE;
    if (clone[0].BaseAddress != target->BaseAddress)
        kinds |= COMPARE_BASE;
    if (clone[0].RegionSize != target->RegionSize)
        kinds |= COMPARE_SIZE;
    for (size_t i = 0; i < count; i++) {
        if (clone[i].State != target->State)
            kinds |= COMPARE_STATE;
        if (clone[i].Protect != target->Protect)
            kinds |= COMPARE_PROTECT;
        if (clone[i].Type != target->Type)
            kinds |= COMPARE_TYPE;
    }
    return kinds;
}

static void add_difference(struct comparison *comparison, const struct difference *difference)
{
    comparison->items[comparison->count++] = *difference;
    for (size_t i = 0; i < COMPARE_KIND_COUNT; i++)
        comparison->kinds[i] += difference->kinds >> i & 1;
}

void compare_lists(struct comparison *comparison)
{
    const struct region_list *target = &comparison->target;
    const struct region_list *clone = &comparison->clone;
    size_t first = 0;

    comparison->items = text_allocate(target->count * sizeof *comparison->items);
    for (size_t i = 0; i < target->count; i++) {
        const MEMORY_BASIC_INFORMATION *region = &target->items[i];
        struct difference found = {i, 0, 0, 0};
        size_t end;

        while (first < clone->count && end_of(&clone->items[first]) <= start_of(region))
            first++;
        for (end = first; end < clone->count && start_of(&clone->items[end]) < end_of(region);)
            end++;
        found.first = first;
        found.count = end - first;
        found.kinds = find_kinds(region, clone->items + first, found.count);
        if (found.kinds != 0)
            add_difference(comparison, &found);
    }
}

void compare_fini(struct comparison *comparison)
{
    region_list_fini(&comparison->target);
    region_list_fini(&comparison->clone);
    free(comparison->items);
    memset(comparison, 0, sizeof *comparison);
}
