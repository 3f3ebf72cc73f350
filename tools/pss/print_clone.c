/* SPDX-License-Identifier: MIT */
/* The clone and where its regions differ from the target's, as text. */
#include <inttypes.h>
#include <stdio.h>

#include "print.h"
#include "text.h"
#include "va_clone.h"
#include "words.h"

/** "1.0 MiB (1053928 bytes)". */
static struct text describe_bytes(UINT64 bytes)
{
    struct text text;

    snprintf(text.s, sizeof text.s, "%s (%" PRIu64 " bytes)", text_size(bytes).s, (uint64_t)bytes);
    return text;
}

static void print_details(const struct snapshot *snapshot)
{
    const PSS_VA_CLONE_DETAILS *d = &snapshot->details;

    if (!snapshot->has_details) {
        print_row("Strategy", "not told: the library has no PSS_QUERY_VA_CLONE_DETAILS");
        return;
    }
    print_row("Strategy", "%s", words_clone_strategy((DWORD)d->Strategy).s);
    if (d->Strategy == PSS_CLONE_NATIVE) {
        print_row("Held", "not told of a native clone");
        return;
    }
    print_row("Route", "%s", words_clone_route((DWORD)d->Route).s);
    print_row("Committed", "%s", describe_bytes(d->BytesCommitted).s);
    print_row("Held", "%s: %s copied, %s unchanged from image files, %s zero",
              describe_bytes(d->BytesHeld).s, text_size(d->BytesCopied).s,
              text_size(d->BytesUnchanged).s, text_size(d->BytesZero).s);
    print_row("Missing", "%s", describe_bytes(d->BytesMissing).s);
}

static void print_region(const char *where, const MEMORY_BASIC_INFORMATION *region)
{
    printf("  %-6s  %-18s  %10s  %-7s  %-7s  %-19s", where, text_address(region->BaseAddress).s,
           text_size(region->RegionSize).s, words_state(region->State).s,
           words_type(region->Type).s, words_protect(region->Protect).s);
}

static void print_difference(const struct comparison *comparison,
                             const struct difference *difference)
{
    const char *separator = "  ";

    print_region("target", &comparison->target.items[difference->target]);
    for (size_t i = 0; i < COMPARE_KIND_COUNT; i++) {
        if ((difference->kinds >> i & 1) != 0) {
            printf("%s%s", separator, compare_words[i]);
            separator = ", ";
        }
    }
    putchar('\n');
    for (size_t i = 0; i < difference->count; i++) {
        print_region("clone", &comparison->clone.items[difference->first + i]);
        putchar('\n');
    }
}

static void print_differences(const struct comparison *comparison)
{
    printf("\nClone differences (%zu regions", comparison->count);
    for (size_t i = 0; i < COMPARE_KIND_COUNT; i++)
        printf("%s%s %zu", i == 0 ? ": " : ", ", compare_words[i], comparison->kinds[i]);
    puts(")");
    printf("  %-6s  %-18s  %10s  %-7s  %-7s  %-19s  %s\n", "WHERE", "BASE", "SIZE", "STATE", "TYPE",
           "PROTECT", "DIFFERS IN");
    for (size_t i = 0; i < comparison->count; i++)
        print_difference(comparison, &comparison->items[i]);
}

enum pss_exit print_clone(const struct snapshot *snapshot)
{
    struct comparison comparison;
    enum pss_exit status = clone_compare(snapshot, &comparison);

    puts("\nClone");
    print_row("Process", "%lu", GetProcessId(snapshot->clone.VaCloneHandle));
    print_details(snapshot);
    print_row("Regions", "%zu, %zu in the target", comparison.clone.count, comparison.target.count);
    if (status == EXIT_DONE)
        print_differences(&comparison);
    compare_fini(&comparison);
    return status;
}
