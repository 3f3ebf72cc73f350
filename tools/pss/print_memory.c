/* SPDX-License-Identifier: MIT */
/* Memory regions, their totals, auxiliary pages and the handle trace as text. */
#include <stdint.h>
#include <stdio.h>

#include "print.h"
#include "text.h"
#include "words.h"

struct totals {
    uint64_t commit;  /* bytes */
    uint64_t reserve; /* bytes */
    uint64_t free;    /* bytes */
    uint64_t image;   /* committed bytes */
    uint64_t mapped;  /* committed bytes */
    uint64_t private; /* committed bytes */
};

static void count_region(struct totals *totals, const PSS_VA_SPACE_ENTRY *region)
{
    if (region->State == MEM_FREE) {
        totals->free += region->RegionSize;
    } else if (region->State == MEM_RESERVE) {
        totals->reserve += region->RegionSize;
    } else if (region->State == MEM_COMMIT) {
        totals->commit += region->RegionSize;
        if (region->Type == MEM_IMAGE)
            totals->image += region->RegionSize;
        else if (region->Type == MEM_MAPPED)
            totals->mapped += region->RegionSize;
        else if (region->Type == MEM_PRIVATE)
            totals->private += region->RegionSize;
    }
}

static void print_totals(const struct totals *totals)
{
    printf("\n  Committed   %s: %s image, %s mapped, %s private\n", text_size(totals->commit).s,
           text_size(totals->image).s, text_size(totals->mapped).s, text_size(totals->private).s);
    printf("  Reserved    %s\n", text_size(totals->reserve).s);
    printf("  Free        %s\n", text_size(totals->free).s);
}

/** Prints what the PE header says, once per image. */
static void print_image_details(const PSS_VA_SPACE_ENTRY *region)
{
    if (region->BaseAddress != region->AllocationBase || region->SizeOfImage == 0)
        return;
    printf("  [image %s, base %s, checksum 0x%lX, stamp 0x%08lX]", text_size(region->SizeOfImage).s,
           text_address(region->ImageBase).s, region->CheckSum, region->TimeDateStamp);
}

static void print_region(const PSS_VA_SPACE_ENTRY *region)
{
    printf("  %-18s  %10s  %-7s  %-7s  %-19s", text_address(region->BaseAddress).s,
           text_size(region->RegionSize).s, words_state(region->State).s,
           words_type(region->Type).s, words_protect(region->Protect).s);
    if (region->MappedFileName != NULL && region->MappedFileNameLength != 0) {
        fputs("  ", stdout);
        text_print_wide(region->MappedFileName, region->MappedFileNameLength / sizeof(WCHAR));
    }
    print_image_details(region);
    putchar('\n');
}

enum pss_exit print_memory(const struct snapshot *snapshot)
{
    struct walk regions = walk_begin(snapshot, PSS_WALK_VA_SPACE);
    struct totals totals = {0, 0, 0, 0, 0, 0};
    PSS_VA_SPACE_ENTRY entry;

    printf("\nMemory (%lu regions)\n", snapshot->regions.RegionCount);
    printf("  %-18s  %10s  %-7s  %-7s  %-19s  %s\n", "BASE", "SIZE", "STATE", "TYPE", "PROTECT",
           "FILE [IMAGE]");
    while (walk_next(&regions, &entry, sizeof entry)) {
        print_region(&entry);
        count_region(&totals, &entry);
    }
    print_totals(&totals);
    return walk_end(&regions);
}

static void print_page(const PSS_AUXILIARY_PAGE_ENTRY *page)
{
    printf("  %-18s  %10s  %-7s  %-7s  %-19s  %s\n", text_address(page->Address).s,
           text_size(page->PageSize).s, words_state(page->BasicInformation.State).s,
           words_type(page->BasicInformation.Type).s,
           words_protect(page->BasicInformation.Protect).s,
           page->PageContents != NULL ? "with contents" : "without contents");
}

enum pss_exit print_extras(const struct snapshot *snapshot)
{
    struct walk pages = walk_begin(snapshot, PSS_WALK_AUXILIARY_PAGES);
    PSS_AUXILIARY_PAGE_ENTRY entry;

    printf("\nAuxiliary pages (%lu)\n", snapshot->pages.AuxPagesCaptured);
    while (walk_next(&pages, &entry, sizeof entry))
        print_page(&entry);
    puts("\nHandle trace");
    if (snapshot_has(snapshot, PSS_QUERY_HANDLE_TRACE_INFORMATION))
        printf("  %s in section %#zx\n", text_size(snapshot->trace.Size).s,
               (size_t)(uintptr_t)snapshot->trace.SectionHandle);
    else
        puts("  none: the process is not traced");
    return walk_end(&pages);
}
