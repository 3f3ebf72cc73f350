/* SPDX-License-Identifier: MIT */
/* The clone's whole address space: every byte and region of the target, but for a stated rest. */
#include "clone.h"
#include "ledger.h"
#include "memory_sums.h"
#include "nt_calls.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define COMMIT (MEM_RESERVE | MEM_COMMIT)

/* The rest: what a carrier of Wine needs for itself. */
#define KERNEL_STACK 0x100000u /* bytes of the first thread's */
#define TEB_BATCH    0x4E8u    /* bytes of GdiTebBatch in its 64-bit TEB */

/* A target with some of everything, that stands still. */
static struct target *start_subject(struct target *target)
{
    if (!target)
        return NULL;
    uint64_t memory = target_call(target, TARGET_ALLOCATE, 0, 0x300000, COMMIT, PAGE_READWRITE);
    target_call(target, TARGET_FILL, memory + 0x80000, 0x100000, 3, 0);
    target_call(target, TARGET_PROTECT, memory + 0x90000, 0x3000, PAGE_NOACCESS, 0);
    target_call(target, TARGET_PROTECT, memory + 0xA0000, 0x1000, PAGE_READONLY | PAGE_GUARD, 0);
    target_call(target, TARGET_ALLOCATE, 0, 0x300000, MEM_RESERVE, PAGE_READWRITE);
    uint64_t view =
        target_call(target, TARGET_MAP_MEMORY, 0x90000, PAGE_READWRITE, FILE_MAP_WRITE, 0);
    target_call(target, TARGET_FILL, view, 0x40000, 4, 0);
    target_call(target, TARGET_REGIONS, 40, 0, 0, 0);
    target_call(target, TARGET_THREADS, 5, 0, 0, 0);
    target_call_text(target, TARGET_LOAD_LIBRARY, L"version.dll", 0, 0, 0, 0);
    target_freeze(target);
    return target;
}

static void print_page(const char *what, const struct memory_page *page)
{
    print_error("%s at 0x%llx, kind %d\n", what, (unsigned long long)page->address, page->kind);
}

/* How many bytes of a page of the environment differ. */
static size_t count_differing(HANDLE one, HANDLE other, uint64_t address)
{
    unsigned char bytes[2][MEMORY_PAGE];
    size_t count = 0;

    clone_read(one, address, bytes[0], MEMORY_PAGE);
    clone_read(other, address, bytes[1], MEMORY_PAGE);
    for (size_t i = 0; i < MEMORY_PAGE; i++)
        count += bytes[0][i] != bytes[1][i];
    return count;
}

/* Pages of the clone that are not as the target's were, but for those that did not stand still. */
struct differences {
    size_t pages[MEMORY_KERNEL_STACK + 1]; /* by kind */
    size_t environment_bytes;
};

static struct differences compare_all(HANDLE target, HANDLE clone, const struct memory_sums *before,
                                      const struct memory_sums *after)
{
    struct memory_sums held = memory_sums_reread(clone, before);
    struct differences result = {{0}, 0};

    assert_same(after->count, before->count);
    for (size_t i = 0; i < before->count; i++) {
        const struct memory_page *page = &before->pages[i];
        assert_same(after->pages[i].address, page->address);
        if (held.pages[i].sum == page->sum || after->pages[i].sum != page->sum)
            continue;
        result.pages[page->kind]++;
        if (page->kind == MEMORY_ENVIRONMENT)
            result.environment_bytes += count_differing(target, clone, page->address);
        if (page->kind == MEMORY_ORDINARY)
            print_page("differing page", page);
    }
    memory_sums_free(&held);
    return result;
}

static void assert_only_the_rest_differs(const struct differences *found)
{
    assert_same(found->pages[MEMORY_ORDINARY], 0);
    assert_true(found->pages[MEMORY_SHARED_DATA] <= 1);
    assert_true(found->pages[MEMORY_KERNEL_STACK] <= KERNEL_STACK / MEMORY_PAGE);
    assert_true(found->pages[MEMORY_ENVIRONMENT] <= 2); /* the batch may cross a page's border */
    assert_true(found->environment_bytes <= TEB_BATCH);
}

/* The counters: what was committed is held or missing, and no more is missing than the rest. */
static void assert_details(HPSS snapshot, const struct differences *found, uint64_t pages)
{
    PSS_VA_CLONE_DETAILS details = clone_details(snapshot);
    uint64_t differing =
        found->environment_bytes +
        (found->pages[MEMORY_SHARED_DATA] + found->pages[MEMORY_KERNEL_STACK]) * MEMORY_PAGE;

    print_message("%llu bytes, of which %llu are missing and %llu differ\n", details.BytesCommitted,
                  details.BytesMissing, (unsigned long long)differing);
    assert_same(details.BytesCommitted, pages * MEMORY_PAGE);
    assert_same(details.BytesHeld + details.BytesMissing, details.BytesCommitted);
    assert_same(details.BytesCopied + details.BytesUnchanged + details.BytesZero,
                details.BytesHeld);
    assert_true(details.BytesMissing >= differing);
    assert_true(details.BytesMissing <= KERNEL_STACK + TEB_BATCH + MEMORY_PAGE);
}

/* Bytes before, capture, bytes again, scribble over everything, compare. */
static void assert_holds_everything(struct target *target)
{
    struct memory_sums before = memory_sums_read(target->process);
    HPSS snapshot = clone_capture(target->process, 0, 0);
    struct memory_sums after = memory_sums_read(target->process);
    struct differences found = compare_all(target->process, clone_of(snapshot), &before, &after);

    assert_only_the_rest_differs(&found);
    assert_details(snapshot, &found, before.count);
    struct memory_sums held = memory_sums_reread(clone_of(snapshot), &before);
    memory_scribble(target->process, &before);
    struct memory_sums scribbled = memory_sums_reread(target->process, &before);
    struct memory_sums still_held = memory_sums_reread(clone_of(snapshot), &before);
    size_t scribbles = 0;
    for (size_t i = 0; i < before.count; i++) {
        scribbles += scribbled.pages[i].sum != before.pages[i].sum;
        if (before.pages[i].kind != MEMORY_SHARED_DATA &&
            before.pages[i].kind != MEMORY_KERNEL_STACK)
            assert_same(still_held.pages[i].sum, held.pages[i].sum);
    }
    print_message("%u of %u pages were overwritten\n", (unsigned)scribbles, (unsigned)before.count);
    assert_true(scribbles > before.count / 4);
    memory_sums_free(&before);
    memory_sums_free(&after);
    memory_sums_free(&held);
    memory_sums_free(&scribbled);
    memory_sums_free(&still_held);
    free_snapshot(snapshot);
}

static void test_clone_holds_every_byte_of_the_target(void **state)
{
    (void)state;
    only_ours();
    struct target *target = start_subject(target_start());
    assert_holds_everything(target);
    target_destroy(target);
}

static void test_clone_holds_every_byte_of_a_wow64_target(void **state)
{
    (void)state;
    only_ours();
    struct target *target = sizeof(void *) == 8 ? start_subject(target_start_foreign()) : NULL;
    if (!target)
        skip_because(NO_OTHER_BITNESS);
    assert_holds_everything(target);
    target_destroy(target);
}

/* A private copy cannot be copied once more when it is written. */
static DWORD copied_protection(DWORD protect)
{
    DWORD flags = protect & ~0xFFu;

    switch (protect & 0xFF) {
    case PAGE_WRITECOPY:
        return PAGE_READWRITE | flags;
    case PAGE_EXECUTE_WRITECOPY:
        return PAGE_EXECUTE_READWRITE | flags;
    default:
        return protect;
    }
}

static bool is_alike(const MEMORY_BASIC_INFORMATION *there, const MEMORY_BASIC_INFORMATION *here)
{
    if (there->State != here->State)
        return false;
    if (here->State == MEM_FREE)
        return true;
    if (there->AllocationBase != here->AllocationBase)
        return false;
    if (there->Type == here->Type)
        return (there->Protect == here->Protect) &&
               there->AllocationProtect == here->AllocationProtect;
    /* Views that became private memory. */
    return there->Type == MEM_PRIVATE && there->Protect == copied_protection(here->Protect);
}

static void print_region(const char *whose, const MEMORY_BASIC_INFORMATION *region)
{
    print_error("%s: base %p, allocation %p, size 0x%llx, state 0x%lx, protection 0x%lx of 0x%lx, "
                "type 0x%lx\n",
                whose, region->BaseAddress, region->AllocationBase,
                (unsigned long long)region->RegionSize, region->State, region->Protect,
                region->AllocationProtect, region->Type);
}

/* A region of the target, which neighbours that became alike may have joined in the clone. */
static DWORD count_unlike(HANDLE clone, const MEMORY_BASIC_INFORMATION *here)
{
    const char *end = (const char *)here->BaseAddress + here->RegionSize;
    DWORD unlike = 0;

    for (const char *part = (const char *)here->BaseAddress; part < end;) {
        MEMORY_BASIC_INFORMATION there;
        if (!VirtualQueryEx(clone, part, &there, sizeof(there)))
            return unlike + 1;
        if (!is_alike(&there, here)) {
            print_region("target", here);
            print_region("clone", &there);
            unlike++;
        }
        part = (const char *)there.BaseAddress + there.RegionSize;
    }
    return unlike;
}

static void assert_same_regions(struct target *target)
{
    HPSS snapshot = clone_capture(target->process, 0, 0);
    MEMORY_BASIC_INFORMATION region;
    const char *address = NULL;
    DWORD unlike = 0;
    DWORD regions = 0;

    while (VirtualQueryEx(target->process, address, &region, sizeof(region))) {
        unlike += count_unlike(clone_of(snapshot), &region);
        regions++;
        address = (const char *)region.BaseAddress + region.RegionSize;
    }
    assert_true(regions > 40);
    assert_same(unlike, 0);
    free_snapshot(snapshot);
}

static void test_clone_has_the_regions_of_the_target(void **state)
{
    (void)state;
    only_ours();
    struct target *target = start_subject(target_start());
    assert_same_regions(target);
    target_destroy(target);
}

static void test_clone_has_the_regions_of_a_wow64_target(void **state)
{
    (void)state;
    only_ours();
    struct target *target = sizeof(void *) == 8 ? start_subject(target_start_foreign()) : NULL;
    if (!target)
        skip_because(NO_OTHER_BITNESS);
    assert_same_regions(target);
    target_destroy(target);
}

/* The list in the snapshot is the target's own, whatever the clone's memory is made of. */
static void test_clone_leaves_the_walked_regions_those_of_the_target(void **state)
{
    struct target *target = start_subject(target_start());
    HPSS snapshot = clone_capture(target->process, PSS_CAPTURE_VA_SPACE, 0);
    struct records records = records_read(snapshot, PSS_WALK_VA_SPACE);

    (void)state;
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_VA_SPACE_ENTRY *entry = record_at(records, PSS_VA_SPACE_ENTRY, i);
        MEMORY_BASIC_INFORMATION region =
            clone_region(target->process, address_of(entry->BaseAddress));
        assert_ptr_equal(entry->AllocationBase, region.AllocationBase);
        assert_same(entry->RegionSize, region.RegionSize);
        assert_same(entry->State, region.State);
        assert_same(entry->Protect, region.Protect);
        assert_same(entry->Type, region.Type);
    }
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_clone_holds_every_byte_of_the_target),
        PSS_TEST(test_clone_holds_every_byte_of_a_wow64_target),
        PSS_TEST(test_clone_has_the_regions_of_the_target),
        PSS_TEST(test_clone_has_the_regions_of_a_wow64_target),
        PSS_TEST(test_clone_leaves_the_walked_regions_those_of_the_target),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clone_address_space", tests, ledger_warm_up, NULL);
}
