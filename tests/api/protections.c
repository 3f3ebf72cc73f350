/* SPDX-License-Identifier: MIT */
/* No capture makes memory that is writable and executable: not in the caller, the target or the
 * clone. */
#include "clone.h"
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define EVERYTHING                                                                \
    (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT | PSS_CAPTURE_HANDLES |     \
     PSS_CAPTURE_HANDLE_NAME_INFORMATION | PSS_CAPTURE_HANDLE_BASIC_INFORMATION | \
     PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION | PSS_CAPTURE_VA_SPACE |        \
     PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION)
#define MOST 256

/* Regions that can be written to and executed. */
struct loose_regions {
    MEMORY_BASIC_INFORMATION regions[MOST];
    uint32_t count;
};

static bool is_loose(const MEMORY_BASIC_INFORMATION *region)
{
    return region->State == MEM_COMMIT &&
           region->Protect & (PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY);
}

static void list(HANDLE process, struct loose_regions *loose)
{
    MEMORY_BASIC_INFORMATION region;
    const char *address = NULL;

    loose->count = 0;
    while (VirtualQueryEx(process, address, &region, sizeof(region))) {
        if (is_loose(&region)) {
            assert_true(loose->count < MOST);
            loose->regions[loose->count++] = region;
        }
        address = (const char *)region.BaseAddress + region.RegionSize;
    }
    assert_non_null(address);
}

static bool was_loose(const struct loose_regions *before, const MEMORY_BASIC_INFORMATION *region)
{
    uint64_t base = address_of(region->BaseAddress);

    for (uint32_t i = 0; i < before->count; i++) {
        uint64_t start = address_of(before->regions[i].BaseAddress);

        if (base >= start && region->RegionSize <= before->regions[i].RegionSize &&
            base - start <= before->regions[i].RegionSize - region->RegionSize)
            return true;
    }
    return false;
}

static void assert_none_more(HANDLE process, const struct loose_regions *before, const char *whose)
{
    static struct loose_regions now;

    list(process, &now);
    for (uint32_t i = 0; i < now.count; i++)
        if (!was_loose(before, &now.regions[i]))
            fail_msg("%s: writable and executable at %p, %#llx bytes", whose,
                     now.regions[i].BaseAddress, (unsigned long long)now.regions[i].RegionSize);
}

static void test_capture_and_clone_make_no_memory_writable_and_executable(void **state)
{
    static struct loose_regions own, its;
    struct target *target = target_start();

    (void)state;
    list(GetCurrentProcess(), &own);
    list(target->process, &its);
    HPSS snapshot = clone_capture(target->process, EVERYTHING, CONTEXT_ALL);
    assert_none_more(GetCurrentProcess(), &own, "the caller");
    assert_none_more(target->process, &its, "the target");
    assert_none_more(clone_of(snapshot), &its, "the clone");
    free_snapshot(snapshot);
    assert_none_more(GetCurrentProcess(), &own, "the caller afterwards");
    assert_none_more(target->process, &its, "the target afterwards");
    target_destroy(target);
}

static void test_capture_of_oneself_makes_no_memory_writable_and_executable(void **state)
{
    static struct loose_regions own;

    (void)state;
    list(GetCurrentProcess(), &own);
    HPSS snapshot = clone_capture(GetCurrentProcess(), EVERYTHING, CONTEXT_ALL);
    assert_none_more(GetCurrentProcess(), &own, "the caller");
    assert_none_more(clone_of(snapshot), &own, "the clone");
    free_snapshot(snapshot);
    assert_none_more(GetCurrentProcess(), &own, "the caller afterwards");
}

/* The test would notice; and what the target had, its clone may have. */
static void test_such_memory_of_the_target_is_found(void **state)
{
    static struct loose_regions before, with;
    struct target *target = target_start();

    (void)state;
    list(target->process, &before);
    void *memory = VirtualAllocEx(target->process, NULL, 0x10000, MEM_RESERVE | MEM_COMMIT,
                                  PAGE_EXECUTE_READWRITE);
    assert_non_null(memory);
    list(target->process, &with);
    assert_int_equal(with.count, before.count + 1);
    HPSS snapshot = clone_capture(target->process, 0, 0);
    assert_none_more(clone_of(snapshot), &with, "the clone");
    free_snapshot(snapshot);
    target_destroy(target);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_capture_and_clone_make_no_memory_writable_and_executable),
        PSS_TEST(test_capture_of_oneself_makes_no_memory_writable_and_executable),
        PSS_TEST(test_such_memory_of_the_target_is_found),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("protections", tests, ledger_warm_up, NULL);
}
