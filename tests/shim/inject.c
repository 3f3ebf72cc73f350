/* SPDX-License-Identifier: MIT */
/* A suspended child gets two DLLs, whatever fails: shim_inject [foreign]. */
#include "faulty_nt.h"
#include "injection.h"

#define CALLS 64u

/* The services of an undisturbed injection, from 1 on. */
static enum faulty_service services[CALLS];
static uint32_t count;      /* of them */
static uint32_t last_write; /* after it the child has what it should */

static struct child child;
static struct child_state before;
static char where[160]; /* the run, for messages */

/* Learns the calls; the child gets what it should, and shows it. */
static void run_clean(void)
{
    child_start(&child);
    faulty_init();
    assert_int_equal(injection_make(&child), STATUS_SUCCESS);
    count = faulty_fallible_calls();
    assert_true(count > 8 && count < CALLS);
    for (uint32_t i = 1; i <= count; i++) {
        services[i] = faulty_service_of(i);
        if (services[i] == FAULTY_write_memory)
            last_write = i;
    }
    faulty_assert_clean("undisturbed");
    assert_int_equal(child_finish(&child), injection_outcome());
}

static void test_child_loads_both_before_its_own_and_in_order(void **state)
{
    (void)state;
    run_clean();
}

static void test_child_without_them_is_untouched(void **state)
{
    (void)state;
    child_start(&child);
    assert_int_equal(child_finish(&child), CHILD_UNTOUCHED);
}

static void test_child_injected_twice_runs(void **state)
{
    (void)state;
    child_start(&child);
    faulty_init();
    assert_int_equal(injection_make(&child), STATUS_SUCCESS);
    assert_int_equal(injection_make(&child), STATUS_SUCCESS);
    assert_int_equal(child_finish(&child), injection_outcome());
}

/* ---- faults ---- */

/* Gives a page its protection back: the work is done, whatever it says. */
static bool is_restoring(uint32_t number)
{
    return services[number] == FAULTY_protect_memory && services[number - 1] == FAULTY_write_memory;
}

/* Another place may do when one does not. */
static bool has_alternative(uint32_t number)
{
    return services[number] == FAULTY_allocate_memory &&
           services[number - 1] == FAULTY_query_memory;
}

/* What the injection may say when call \p number said \p injected. */
static bool is_told(uint32_t number, NTSTATUS injected, NTSTATUS status)
{
    if (services[number] == FAULTY_query_memory || has_alternative(number))
        return status == STATUS_NO_MEMORY;
    return status == injected;
}

/* Nothing has changed, but what no call could be made for. */
static void check_failure(void)
{
    bool is_wider = faulty_failures_of(FAULTY_protect_memory) != 0;

    if (!faulty_failures_of(FAULTY_free_memory)) {
        child_assert_state(&child, &before, is_wider, where);
        return;
    }
    static struct child_state now;
    child_read_state(&child, &now);
    assert_memory_equal(now.headers, before.headers, CHILD_HEADERS);
    assert_int_equal(child_finish(&child), CHILD_UNTOUCHED); /* with memory that it does not know */
    child_start(&child);
    child_read_state(&child, &before);
}

static void run_fault(uint32_t number, bool is_persistent, NTSTATUS injected)
{
    snprintf(where, sizeof(where), "call %u (%s) fails %s with 0x%lx", number,
             faulty_name(services[number]), is_persistent ? "on" : "once", (unsigned long)injected);
    faulty_reset();
    faulty_fail(number, is_persistent, injected);
    NTSTATUS status = injection_make(&child);
    assert_non_null(faulty_failed());
    faulty_fail(0, false, STATUS_SUCCESS);
    faulty_assert_clean(where);
    if (!NT_SUCCESS(status)) {
        if (!is_told(number, injected, status))
            fail_msg("%s: 0x%lx is told", where, (unsigned long)status);
        if (is_restoring(number) && number > last_write)
            fail_msg("%s: it was done, and 0x%lx is told", where, (unsigned long)status);
        check_failure();
        return;
    }
    if (!is_restoring(number) && !(has_alternative(number) && !is_persistent))
        fail_msg("%s: nothing is told of it", where);
    if (child_finish(&child) != injection_outcome())
        fail_msg("%s: the child did not load both", where);
    child_start(&child);
    child_read_state(&child, &before);
}

static void run_faults(bool is_persistent)
{
    static const NTSTATUS statuses[] = {STATUS_NO_MEMORY, STATUS_ACCESS_DENIED,
                                        STATUS_PROCESS_IS_TERMINATING, STATUS_PARTIAL_COPY};

    run_clean();
    child_start(&child);
    child_read_state(&child, &before);
    for (uint32_t number = 1; number <= count; number++)
        for (int i = 0; i < (is_persistent ? 2 : 4); i++)
            run_fault(number, is_persistent, statuses[i]);
    assert_int_equal(child_finish(&child), CHILD_UNTOUCHED);
    print_message("%u calls\n", count);
}

static void test_call_that_fails_is_told_and_changes_nothing(void **state)
{
    (void)state;
    run_faults(false);
}

static void test_calls_that_fail_on_are_told_and_change_nothing(void **state)
{
    (void)state;
    run_faults(true);
}

/* ---- the bound imports and the imports change together ---- */

/* Writes a directory of the suspended child's headers. */
static void put_directory(unsigned index, IMAGE_DATA_DIRECTORY entry)
{
    const IMAGE_DOS_HEADER *dos = (const IMAGE_DOS_HEADER *)before.headers;
    LONG offset =
        dos->e_lfanew +
        (LONG)(child.is_64bit ? offsetof(IMAGE_NT_HEADERS64, OptionalHeader.DataDirectory)
                              : offsetof(IMAGE_NT_HEADERS32, OptionalHeader.DataDirectory)) +
        (LONG)(index * sizeof(entry));

    child_write(&child, child.base + offset, &entry, sizeof(entry));
}

static void start_with_bound_imports(void)
{
    child_start(&child);
    child_read_state(&child, &before);
    put_directory(IMAGE_DIRECTORY_ENTRY_BOUND_IMPORT, (IMAGE_DATA_DIRECTORY){0x2c0, 0x40});
    child_read_state(&child, &before);
}

static void test_bound_imports_stay_when_a_call_fails(void **state)
{
    uint32_t number = 1;
    uint32_t failures = 0;

    (void)state;
    start_with_bound_imports();
    faulty_init();
    for (bool is_done = false; !is_done; number++) {
        snprintf(where, sizeof(where), "call %u fails", number);
        faulty_reset();
        faulty_fail(number, false, STATUS_ACCESS_DENIED);
        NTSTATUS status = injection_make(&child);
        is_done = !faulty_failed();
        faulty_assert_clean(where);
        if (!NT_SUCCESS(status)) {
            failures++;
            child_assert_state(&child, &before, false, where);
            continue;
        }
        if (child_finish(&child) != injection_outcome())
            fail_msg("%s: the child did not load both", where);
        start_with_bound_imports();
    }
    assert_true(failures > 8);
    child_end(&child);
}

static void test_child_with_bound_imports_loads_both(void **state)
{
    (void)state;
    start_with_bound_imports();
    faulty_init();
    assert_int_equal(injection_make(&child), STATUS_SUCCESS);
    assert_int_equal(child_finish(&child), injection_outcome());
}

/* ---- the table of addresses ---- */

static IMAGE_DATA_DIRECTORY read_directory(const struct child_state *state, unsigned index)
{
    const IMAGE_DOS_HEADER *dos = (const IMAGE_DOS_HEADER *)state->headers;
    const char *headers = (const char *)state->headers + dos->e_lfanew;

    return child.is_64bit
               ? ((const IMAGE_NT_HEADERS64 *)headers)->OptionalHeader.DataDirectory[index]
               : ((const IMAGE_NT_HEADERS32 *)headers)->OptionalHeader.DataDirectory[index];
}

static struct child_state after;

/* Where the headers have none, loaders look for it in the section of the imports, which lie in none
 * now. */
static void test_headers_without_table_of_addresses_name_the_new_memory(void **state)
{
    (void)state;
    child_start(&child);
    child_read_state(&child, &before);
    put_directory(IMAGE_DIRECTORY_ENTRY_IAT, (IMAGE_DATA_DIRECTORY){0, 0});
    faulty_init();
    assert_int_equal(injection_make(&child), STATUS_SUCCESS);
    child_read_state(&child, &after);
    IMAGE_DATA_DIRECTORY imports = read_directory(&after, IMAGE_DIRECTORY_ENTRY_IMPORT);
    IMAGE_DATA_DIRECTORY addresses = read_directory(&after, IMAGE_DIRECTORY_ENTRY_IAT);
    assert_int_equal(addresses.VirtualAddress, imports.VirtualAddress);
    assert_true(addresses.Size > imports.Size);
    for (unsigned i = 0; i < IMAGE_NUMBEROF_DIRECTORY_ENTRIES; i++) {
        IMAGE_DATA_DIRECTORY was = read_directory(&before, i), is = read_directory(&after, i);

        if (i != IMAGE_DIRECTORY_ENTRY_IMPORT && i != IMAGE_DIRECTORY_ENTRY_IAT)
            assert_memory_equal(&was, &is, sizeof(was));
    }
    assert_int_equal(child_finish(&child), injection_outcome());
}

static void test_table_of_addresses_that_is_named_stays(void **state)
{
    (void)state;
    child_start(&child);
    child_read_state(&child, &before);
    faulty_init();
    assert_int_equal(injection_make(&child), STATUS_SUCCESS);
    child_read_state(&child, &after);
    IMAGE_DATA_DIRECTORY was = read_directory(&before, IMAGE_DIRECTORY_ENTRY_IAT);
    IMAGE_DATA_DIRECTORY is = read_directory(&after, IMAGE_DIRECTORY_ENTRY_IAT);
    assert_true(was.VirtualAddress != 0);
    assert_memory_equal(&was, &is, sizeof(was));
    assert_int_equal(child_finish(&child), injection_outcome());
}

/* ---- functions that are taken over ---- */

static int begin_redirecting(void **state)
{
    (void)state;
    injection_redirects = true;
    return 0;
}

static int end_redirecting(void **state)
{
    (void)state;
    injection_redirects = false;
    return 0;
}

static void put_lookup_table(DWORD descriptor, DWORD rva)
{
    child_write(&child, child.base + descriptor, &rva, sizeof(rva));
}

/* Very old linkers write none: the names are where the addresses will be. */
static void test_functions_are_taken_over_without_lookup_tables(void **state)
{
    IMAGE_IMPORT_DESCRIPTOR descriptor;
    DWORD rva;

    (void)state;
    child_start(&child);
    child_read_state(&child, &before);
    rva = read_directory(&before, IMAGE_DIRECTORY_ENTRY_IMPORT).VirtualAddress;
    for (;; rva += sizeof(descriptor)) {
        assert_true(ReadProcessMemory(child.process, child.base + rva, &descriptor,
                                      sizeof(descriptor), NULL));
        if (!descriptor.Name)
            break;
        put_lookup_table(rva, 0);
    }
    faulty_init();
    assert_int_equal(injection_make(&child), STATUS_SUCCESS);
    assert_int_equal(child_finish(&child), CHILD_REDIRECTED);
}

/* ---- death ---- */

static void kill_child(void *argument)
{
    (void)argument;
    TerminateProcess(child.process, 1);
    assert_int_equal(WaitForSingleObject(child.process, 30000), WAIT_OBJECT_0);
}

static void test_death_of_the_child_is_an_error(void **state)
{
    (void)state;
    run_clean();
    for (uint32_t number = 1; number <= last_write; number++) {
        snprintf(where, sizeof(where), "the child dies before call %u (%s)", number,
                 faulty_name(services[number]));
        child_start(&child);
        faulty_init();
        faulty_plan_event(number, kill_child, NULL);
        NTSTATUS status = injection_make(&child);
        faulty_plan_event(0, NULL, NULL);
        if (NT_SUCCESS(status))
            fail_msg("%s: success", where);
        faulty_assert_clean(where);
        child_end(&child);
    }
}

/* ---- no room ---- */

static NTSTATUS NTAPI answer_no_free_region(HANDLE process, void *address, ULONG class_number,
                                            void *buffer, SIZE_T size, SIZE_T *returned)
{
    NTSTATUS status =
        pss_nt_system()->query_memory(process, address, class_number, buffer, size, returned);

    if (NT_SUCCESS(status))
        ((MEMORY_BASIC_INFORMATION *)buffer)->State = MEM_RESERVE;
    return status;
}

static void test_no_free_region_is_no_memory(void **state)
{
    (void)state;
    child_start(&child);
    child_read_state(&child, &before);
    faulty_init();
    faulty_inner()->query_memory = answer_no_free_region;
    assert_int_equal(injection_make(&child), STATUS_NO_MEMORY);
    child_assert_state(&child, &before, false, "no free region");
    faulty_assert_clean("no free region");
    child_end(&child);
}

#define GRANULE     ((SIZE_T)0x10000)
#define PAGE        ((SIZE_T)0x1000)
#define LARGE_PIECE ((SIZE_T)0x10000000)

/* Reserves what is free in a range: by large pieces, and by smaller ones where those are refused.
 */
static void fill_range(char *start, char *end)
{
    SIZE_T piece = LARGE_PIECE;

    while (start < end) {
        if (piece > (SIZE_T)(end - start))
            piece = (SIZE_T)(end - start);
        if (!VirtualAllocEx(child.process, start, piece, MEM_RESERVE, PAGE_NOACCESS) &&
            piece > PAGE) {
            piece = (piece / 2 + PAGE - 1) & ~(PAGE - 1);
            continue;
        }
        start += (piece + GRANULE - 1) & ~(GRANULE - 1);
        piece = LARGE_PIECE;
    }
}

/* Reserves all that is free above the program, as far as an RVA reaches. */
static void fill_above(void)
{
    MEMORY_BASIC_INFORMATION region;
    char *address = child.base;

    while (VirtualQueryEx(child.process, address, &region, sizeof(region)) &&
           (uint64_t)(address - child.base) < 0xffffffff) {
        char *end = (char *)region.BaseAddress + region.RegionSize;
        char *start = (char *)(((uintptr_t)address + 0xffff) & ~(uintptr_t)0xffff);

        if ((uint64_t)(end - child.base) > 0x100000000)
            end = (char *)((uintptr_t)child.base + (uintptr_t)0x100000000);
        if (region.State == MEM_FREE)
            fill_range(start, end);
        address = end;
    }
}

static void test_full_address_space_is_no_memory(void **state)
{
    (void)state;
    child_start(&child);
    fill_above();
    child_read_state(&child, &before);
    faulty_init();
    assert_int_equal(injection_make(&child), STATUS_NO_MEMORY);
    child_assert_state(&child, &before, false, "a full address space");
    faulty_assert_clean("a full address space");
    child_end(&child);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_child_without_them_is_untouched),
        cmocka_unit_test(test_child_loads_both_before_its_own_and_in_order),
        cmocka_unit_test(test_child_injected_twice_runs),
        cmocka_unit_test(test_call_that_fails_is_told_and_changes_nothing),
        cmocka_unit_test(test_calls_that_fail_on_are_told_and_change_nothing),
        cmocka_unit_test(test_bound_imports_stay_when_a_call_fails),
        cmocka_unit_test(test_child_with_bound_imports_loads_both),
        cmocka_unit_test(test_headers_without_table_of_addresses_name_the_new_memory),
        cmocka_unit_test(test_table_of_addresses_that_is_named_stays),
        cmocka_unit_test(test_death_of_the_child_is_an_error),
        cmocka_unit_test(test_no_free_region_is_no_memory),
        cmocka_unit_test(test_full_address_space_is_no_memory),
    };

    const struct CMUnitTest redirecting[] = {
        cmocka_unit_test(test_child_loads_both_before_its_own_and_in_order),
        cmocka_unit_test(test_child_injected_twice_runs),
        cmocka_unit_test(test_call_that_fails_is_told_and_changes_nothing),
        cmocka_unit_test(test_headers_without_table_of_addresses_name_the_new_memory),
        cmocka_unit_test(test_functions_are_taken_over_without_lookup_tables),
        cmocka_unit_test(test_death_of_the_child_is_an_error),
    };

    if (argc > 1 && strcmp(argv[1], "foreign") == 0)
        child_use_foreign();
    if (!child_is_possible()) {
        puts("skipped: no program of the other bitness runs here");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL) +
           cmocka_run_group_tests(redirecting, begin_redirecting, end_redirecting);
}
