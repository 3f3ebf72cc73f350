/* SPDX-License-Identifier: MIT */
/* Reads address spaces in chunks and sums up their pages. */
#include "memory_sums.h"

#include "nt_calls.h"
#include "under_test.h"

#define CHUNK_PAGES       256u
#define SHARED_DATA       0x7FFE0000u
#define WINE_KERNEL_STACK 0x100000u /* bytes; committed whole, and every thread has one */

static uint64_t sum_page(const unsigned char *page)
{
    uint64_t sum = 0xCBF29CE484222325ull; /* FNV-1a, a word at a time */

    for (size_t i = 0; i < MEMORY_PAGE; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, page + i, sizeof(word));
        sum = (sum ^ word) * 0x100000001B3ull;
        sum ^= sum >> 29;
    }
    return sum ? sum : 1;
}

static const void *environment_of(HANDLE process)
{
    struct nt_process_basic basic = {0};
    MEMORY_BASIC_INFORMATION region;

    assert_true(NT_SUCCESS(NtQueryInformationProcess(process, (PROCESSINFOCLASS)NT_PROCESS_BASIC,
                                                     &basic, sizeof(basic), NULL)));
    assert_true(VirtualQueryEx(process, basic.peb, &region, sizeof(region)) > 0);
    return region.AllocationBase;
}

static enum memory_kind kind_of(const MEMORY_BASIC_INFORMATION *region, const void *environment)
{
    if (address_of(region->BaseAddress) == SHARED_DATA)
        return MEMORY_SHARED_DATA;
    if (region->AllocationBase == environment)
        return MEMORY_ENVIRONMENT;
    if (under_test_on_wine() && region->Type == MEM_PRIVATE && region->Protect == PAGE_READWRITE &&
        region->BaseAddress == region->AllocationBase && region->RegionSize == WINE_KERNEL_STACK)
        return MEMORY_KERNEL_STACK;
    return MEMORY_ORDINARY;
}

static void append_region(struct memory_sums *sums, const MEMORY_BASIC_INFORMATION *region,
                          enum memory_kind kind)
{
    size_t count = region->RegionSize / MEMORY_PAGE;
    struct memory_page *pages =
        (struct memory_page *)realloc(sums->pages, (sums->count + count) * sizeof(sums->pages[0]));

    assert_non_null(pages);
    sums->pages = pages;
    for (size_t i = 0; i < count; i++)
        pages[sums->count++] =
            (struct memory_page){address_of(region->BaseAddress) + i * MEMORY_PAGE, 0, kind};
}

/* The pages from first on that can be read in one piece. */
static size_t run_length(const struct memory_sums *sums, size_t first)
{
    size_t count = 1;

    while (count < CHUNK_PAGES && first + count < sums->count &&
           sums->pages[first + count].address == sums->pages[first].address + count * MEMORY_PAGE)
        count++;
    return count;
}

static bool read_pages(HANDLE process, struct memory_page *pages, size_t count)
{
    static unsigned char chunk[CHUNK_PAGES * MEMORY_PAGE];
    SIZE_T done = 0;

    if (!ReadProcessMemory(process, (void *)(uintptr_t)pages[0].address, chunk, count * MEMORY_PAGE,
                           &done))
        return false;
    for (size_t i = 0; i < count; i++)
        pages[i].sum = sum_page(chunk + i * MEMORY_PAGE);
    return true;
}

static void read_all(HANDLE process, struct memory_sums *sums)
{
    for (size_t first = 0; first < sums->count;) {
        size_t count = run_length(sums, first);
        if (!read_pages(process, sums->pages + first, count))
            for (size_t i = 0; i < count; i++)
                read_pages(process, sums->pages + first + i, 1);
        first += count;
    }
}

struct memory_sums memory_sums_read(HANDLE process)
{
    struct memory_sums sums = {0};
    MEMORY_BASIC_INFORMATION region;
    const void *environment = environment_of(process);
    const char *address = NULL;

    while (VirtualQueryEx(process, address, &region, sizeof(region))) {
        if (region.State == MEM_COMMIT)
            append_region(&sums, &region, kind_of(&region, environment));
        address = (const char *)region.BaseAddress + region.RegionSize;
    }
    assert_true(sums.count > 0);
    read_all(process, &sums);
    return sums;
}

struct memory_sums memory_sums_reread(HANDLE process, const struct memory_sums *like)
{
    struct memory_sums sums = {like->count, NULL};

    sums.pages = (struct memory_page *)malloc(like->count * sizeof(sums.pages[0]));
    assert_non_null(sums.pages);
    for (size_t i = 0; i < like->count; i++)
        sums.pages[i] = (struct memory_page){like->pages[i].address, 0, like->pages[i].kind};
    read_all(process, &sums);
    return sums;
}

void memory_sums_free(struct memory_sums *sums)
{
    free(sums->pages);
    memset(sums, 0, sizeof(*sums));
}

void memory_scribble(HANDLE process, const struct memory_sums *sums)
{
    unsigned char page[MEMORY_PAGE];

    memset(page, 0xDB, sizeof(page));
    for (size_t i = 0; i < sums->count; i++)
        if (sums->pages[i].kind == MEMORY_ORDINARY) /* one that is read-only stays as it is */
            NtWriteVirtualMemory(process, (void *)(uintptr_t)sums->pages[i].address, page,
                                 sizeof(page), NULL);
}
