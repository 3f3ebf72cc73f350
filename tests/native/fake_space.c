/* SPDX-License-Identifier: MIT */
/* Address spaces of the fake kernel: a sorted list of regions, and a sorted list of pages. */
#include "fake_space.h"

#include <stdlib.h>
#include <string.h>

/* What was written: a whole page, copied when it is written to first. */
struct fake_page {
    uint64_t base;
    unsigned char bytes[FAKE_PAGE];
};

uint32_t fake_space_find(const struct fake_process *process, uint64_t address)
{
    uint32_t low = 0, high = process->region_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (fake_region_end(&process->regions[middle]) > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

const struct fake_region *fake_region_at(const struct fake_process *process, uint64_t address)
{
    uint32_t index = fake_space_find(process, address);

    if (index >= process->region_count || fake_region_base(&process->regions[index]) > address)
        return NULL;
    return &process->regions[index];
}

int fake_space_is_free(const struct fake_process *process, uint64_t base, uint64_t end)
{
    uint32_t index = fake_space_find(process, base);

    return index >= process->region_count || fake_region_base(&process->regions[index]) >= end;
}

/* There is always room for as many regions as the next power of two. */
void fake_space_grow(struct fake_process *process)
{
    uint32_t count = process->region_count;

    if (count & (count - 1))
        return;
    process->regions =
        realloc(process->regions, (count ? 2 * (size_t)count : 1) * sizeof(*process->regions));
    if (!process->regions)
        abort();
}

static struct fake_region *insert_at(struct fake_process *process, uint32_t index)
{
    size_t behind = process->region_count - index;

    fake_space_grow(process);
    memmove(&process->regions[index + 1], &process->regions[index],
            behind * sizeof(*process->regions));
    process->region_count++;
    return &process->regions[index];
}

struct fake_region *fake_space_insert(struct fake_process *process,
                                      const struct fake_region *region)
{
    struct fake_region copy = *region;
    struct fake_region *place =
        insert_at(process, fake_space_find(process, fake_region_base(&copy)));

    *place = copy;
    return place;
}

void fake_space_cut(struct fake_process *process, uint64_t address)
{
    const struct fake_region *found = fake_region_at(process, address);
    struct fake_region *first, *second;
    uint64_t offset;
    uint32_t index;

    if (!found || fake_region_base(found) == address)
        return;
    index = (uint32_t)(found - process->regions);
    offset = address - fake_region_base(found);
    second = insert_at(process, index + 1);
    first = &process->regions[index];
    *second = *first;
    second->basic.BaseAddress = (void *)(ULONG_PTR)address;
    second->basic.RegionSize -= offset;
    first->basic.RegionSize = offset;
    second->bytes = offset < first->bytes_size ? (const char *)first->bytes + offset : NULL;
    second->bytes_size = offset < first->bytes_size ? first->bytes_size - (uint32_t)offset : 0;
    if (first->bytes_size > offset)
        first->bytes_size = (uint32_t)offset;
}

static int has_following_bytes(const struct fake_region *first, const struct fake_region *second)
{
    if (!second->bytes)
        return 1;
    return first->bytes_size == first->basic.RegionSize &&
           second->bytes == (const char *)first->bytes + first->bytes_size;
}

static int is_one(const struct fake_region *first, const struct fake_region *second)
{
    const MEMORY_BASIC_INFORMATION *a = &first->basic, *b = &second->basic;

    return fake_region_end(first) == fake_region_base(second) &&
           a->AllocationBase == b->AllocationBase && a->State == b->State &&
           a->Protect == b->Protect && a->Type == b->Type && first->is_vital == second->is_vital &&
           first->file_name.text == second->file_name.text && has_following_bytes(first, second);
}

void fake_space_join(struct fake_process *process)
{
    uint32_t kept = 0;

    for (uint32_t i = 1; i < process->region_count; i++) {
        struct fake_region *last = &process->regions[kept], *next = &process->regions[i];

        if (is_one(last, next)) {
            last->basic.RegionSize += next->basic.RegionSize;
            if (!last->bytes)
                last->bytes = next->bytes;
            last->bytes_size += next->bytes_size;
        } else {
            process->regions[++kept] = *next;
        }
    }
    if (process->region_count)
        process->region_count = kept + 1;
}

static uint32_t find_page(const struct fake_process *process, uint64_t base)
{
    uint32_t low = 0, high = process->page_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (process->pages[middle]->base >= base)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void fake_space_forget(struct fake_process *process, uint64_t base, uint64_t end)
{
    uint32_t first = find_page(process, base), last = find_page(process, end);

    for (uint32_t i = first; i < last; i++)
        free(process->pages[i]);
    if (process->page_count > last)
        memmove(&process->pages[first], &process->pages[last],
                (process->page_count - last) * sizeof(struct fake_page *));
    process->page_count -= last - first;
}

void fake_space_remove(struct fake_process *process, uint64_t base, uint64_t end)
{
    uint32_t first = fake_space_find(process, base), last = first;

    while (last < process->region_count && fake_region_base(&process->regions[last]) < end)
        last++;
    if (process->region_count > last)
        memmove(&process->regions[first], &process->regions[last],
                (process->region_count - last) * sizeof(*process->regions));
    process->region_count -= last - first;
    fake_space_forget(process, base, end);
}

uint64_t fake_space_allocation_end(const struct fake_process *process, uint64_t base)
{
    uint32_t index = fake_space_find(process, base);
    uint64_t end = base;

    for (; index < process->region_count; index++) {
        if (fake_region_allocation(&process->regions[index]) != base)
            break;
        end = fake_region_end(&process->regions[index]);
    }
    return end;
}

/* What the regions hold, without what was written. */
static void read_regions(const struct fake_process *process, uint64_t address, void *buffer,
                         SIZE_T size)
{
    uint32_t index = fake_space_find(process, address);

    memset(buffer, 0, size);
    for (; index < process->region_count; index++) {
        const struct fake_region *region = &process->regions[index];
        uint64_t base = fake_region_base(region), from = base > address ? base : address;
        uint64_t end = base + region->bytes_size;

        if (base >= address + size)
            break;
        if (end > address + size)
            end = address + size;
        if (region->bytes && from < end)
            memcpy((char *)buffer + (from - address), (const char *)region->bytes + (from - base),
                   end - from);
    }
}

void fake_read(const struct fake_process *process, uint64_t address, void *buffer, SIZE_T size)
{
    uint64_t first = address & ~(uint64_t)(FAKE_PAGE - 1);

    read_regions(process, address, buffer, size);
    for (uint32_t i = process->page_count ? find_page(process, first) : 0; i < process->page_count;
         i++) {
        const struct fake_page *page = process->pages[i];
        uint64_t from = page->base > address ? page->base : address;
        uint64_t end = page->base + FAKE_PAGE;

        if (page->base >= address + size)
            break;
        if (end > address + size)
            end = address + size;
        memcpy((char *)buffer + (from - address), page->bytes + (from - page->base), end - from);
    }
}

static struct fake_page *touch_page(struct fake_process *process, uint64_t base)
{
    uint32_t index = process->page_count ? find_page(process, base) : 0;
    struct fake_page *page;

    if (index < process->page_count && process->pages[index]->base == base)
        return process->pages[index];
    page = malloc(sizeof(*page));
    process->pages =
        realloc(process->pages, (process->page_count + 1) * sizeof(struct fake_page *));
    if (!page || !process->pages)
        abort();
    page->base = base;
    read_regions(process, base, page->bytes, FAKE_PAGE);
    memmove(&process->pages[index + 1], &process->pages[index],
            (process->page_count - index) * sizeof(struct fake_page *));
    process->pages[index] = page;
    process->page_count++;
    return page;
}

void fake_write(struct fake_process *process, uint64_t address, const void *bytes, SIZE_T size)
{
    for (SIZE_T done = 0, step; done < size; done += step) {
        uint64_t where = address + done, offset = where % FAKE_PAGE;
        struct fake_page *page = touch_page(process, where - offset);

        step = FAKE_PAGE - offset < size - done ? FAKE_PAGE - offset : size - done;
        memcpy(page->bytes + offset, (const char *)bytes + done, step);
    }
}

void fake_space_copy(struct fake_process *to, const struct fake_process *from)
{
    for (uint32_t i = 0; i < from->region_count; i++)
        fake_space_insert(to, &from->regions[i]);
    for (uint32_t i = 0; i < from->page_count; i++)
        fake_write(to, from->pages[i]->base, from->pages[i]->bytes, FAKE_PAGE);
}

void fake_space_fini(struct fake_process *process)
{
    fake_space_forget(process, 0, UINT64_MAX);
    free(process->pages);
    free(process->regions);
    process->pages = NULL;
    process->regions = NULL;
    process->region_count = 0;
}
