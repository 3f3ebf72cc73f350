/* SPDX-License-Identifier: MIT */
/* Walk class 1: regions without gaps, backing files and PE fields, against oracle and target. */
#include "ledger.h"
#include "oracle.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define SECTIONS (PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION)
#define PAGE     4096u

static void assert_basic(const PSS_VA_SPACE_ENTRY *entry, const MEMORY_BASIC_INFORMATION *basic)
{
    assert_ptr_equal(entry->BaseAddress, basic->BaseAddress);
    assert_ptr_equal(entry->AllocationBase, basic->AllocationBase);
    assert_same(entry->AllocationProtect, basic->AllocationProtect);
    assert_same(entry->RegionSize, basic->RegionSize);
    assert_same(entry->State, basic->State);
    assert_same(entry->Protect, basic->Protect);
    assert_same(entry->Type, basic->Type);
}

static void assert_section(const PSS_VA_SPACE_ENTRY *entry, const struct oracle_region *region)
{
    assert_text_is(entry->MappedFileName, entry->MappedFileNameLength,
                   region->file[0] ? region->file : NULL);
    assert_same(entry->TimeDateStamp, region->time_stamp);
    assert_same(entry->SizeOfImage, region->image_size);
    assert_same(entry->CheckSum, region->check_sum);
    assert_same(address_of(entry->ImageBase), region->image_base);
}

static void assert_no_section(const PSS_VA_SPACE_ENTRY *entry)
{
    static const struct oracle_region none;

    assert_section(entry, &none);
}

static void assert_like_oracle(struct target *target, DWORD flags)
{
    target_freeze(target);
    struct oracle_regions oracle = oracle_regions_read(target->process);
    HPSS snapshot = target_capture(target, flags, 0);
    struct records records = records_read(snapshot, PSS_WALK_VA_SPACE);

    assert_same(records.count, oracle.count);
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_VA_SPACE_ENTRY *entry = record_at(records, PSS_VA_SPACE_ENTRY, i);
        assert_basic(entry, &oracle.entries[i].basic);
        if (flags & PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION)
            assert_section(entry, &oracle.entries[i]);
        else
            assert_no_section(entry);
    }
    records_free(&records);
    free_snapshot(snapshot);
    free(oracle.entries);
    target_thaw(target);
}

/* One region of each kind, and what the target says of it. */
static void map_everything(struct target *target)
{
    uint64_t guarded =
        target_call(target, TARGET_ALLOCATE, 0, 3 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    target_call(target, TARGET_PROTECT, guarded + PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD, 0);
    uint64_t hidden =
        target_call(target, TARGET_ALLOCATE, 0, 2 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_NOACCESS);
    target_call(target, TARGET_PROTECT, hidden, PAGE, PAGE_EXECUTE_READWRITE, 0);
    target_call(target, TARGET_ALLOCATE, 0, 1 << 20, MEM_RESERVE, PAGE_READWRITE);
    target_call(target, TARGET_MAP_MEMORY, 8 * PAGE, PAGE_READWRITE, FILE_MAP_WRITE, 0);
    target_call(target, TARGET_MAP_MEMORY, 8 * PAGE, PAGE_READWRITE | SEC_RESERVE, FILE_MAP_WRITE,
                0);
    target_call_text(target, TARGET_MAP_FILE, L"C:\\windows\\system32\\kernel32.dll", PAGE_READONLY,
                     FILE_MAP_READ, 0, 0);
    target_call_text(target, TARGET_LOAD_LIBRARY, L"version.dll", 0, 0, 0, 0);
}

static void test_va_space_of_frozen_target_equals_virtual_query(void **state)
{
    struct target *target = target_start();

    (void)state;
    map_everything(target);
    assert_like_oracle(target, PSS_CAPTURE_VA_SPACE);
    target_destroy(target);
}

static void test_va_space_with_sections_equals_the_oracle(void **state)
{
    struct target *target = target_start();

    (void)state;
    map_everything(target);
    assert_like_oracle(target, SECTIONS);
    target_destroy(target);
}

static void test_va_space_of_child_that_never_ran_equals_the_oracle(void **state)
{
    struct target *target = target_start_never_ran();
    struct oracle_regions oracle = oracle_regions_read(target->process);
    HPSS snapshot = target_capture(target, SECTIONS, 0);
    struct records records = records_read(snapshot, PSS_WALK_VA_SPACE);

    (void)state;
    assert_same(records.count, oracle.count);
    for (DWORD i = 0; i < records.count; i++)
        assert_basic(record_at(records, PSS_VA_SPACE_ENTRY, i), &oracle.entries[i].basic);
    records_free(&records);
    free_snapshot(snapshot);
    free(oracle.entries);
    target_destroy(target);
}

static void test_va_space_of_wow64_target_equals_the_oracle(void **state)
{
    struct target *target = sizeof(void *) == 8 ? target_start_foreign() : NULL;

    (void)state;
    if (!target)
        skip_because(NO_OTHER_BITNESS);
    map_everything(target);
    assert_like_oracle(target, SECTIONS);
    target_destroy(target);
}

static void test_va_space_covers_everything_without_gaps(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = target_capture(target, PSS_CAPTURE_VA_SPACE, 0);
    struct records records = records_read(snapshot, PSS_WALK_VA_SPACE);
    SYSTEM_INFO system;
    uint64_t next = 0;

    (void)state;
    GetSystemInfo(&system);
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_VA_SPACE_ENTRY *entry = record_at(records, PSS_VA_SPACE_ENTRY, i);
        assert_same(address_of(entry->BaseAddress), next);
        assert_true(entry->RegionSize > 0);
        next += entry->RegionSize;
    }
    assert_true(next > address_of(system.lpMaximumApplicationAddress));
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void assert_region(const struct records *records, uint64_t address, DWORD state,
                          DWORD protect, DWORD type)
{
    const PSS_VA_SPACE_ENTRY *entry = find_region(records, address);

    assert_same(entry->State, state);
    assert_same(entry->Protect, protect);
    assert_same(entry->Type, type);
}

static void test_va_space_shows_what_the_target_allocated(void **state)
{
    struct target *target = target_start();
    uint64_t private_pages =
        target_call(target, TARGET_ALLOCATE, 0, 4 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    uint64_t reserved =
        target_call(target, TARGET_ALLOCATE, 0, 1 << 20, MEM_RESERVE, PAGE_EXECUTE_READWRITE);
    uint64_t view =
        target_call(target, TARGET_MAP_MEMORY, 8 * PAGE, PAGE_READWRITE, FILE_MAP_READ, 0);

    (void)state;
    target_call(target, TARGET_PROTECT, private_pages + PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD, 0);
    target_call(target, TARGET_PROTECT, private_pages + 2 * PAGE, PAGE, PAGE_NOACCESS, 0);
    target_call(target, TARGET_FREE, private_pages + 3 * PAGE, PAGE, MEM_DECOMMIT, 0);
    HPSS snapshot = target_capture(target, SECTIONS, 0);
    struct records records = records_read(snapshot, PSS_WALK_VA_SPACE);
    assert_region(&records, private_pages, MEM_COMMIT, PAGE_READWRITE, MEM_PRIVATE);
    assert_same(find_region(&records, private_pages)->RegionSize, PAGE);
    assert_region(&records, private_pages + PAGE, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD,
                  MEM_PRIVATE);
    assert_region(&records, private_pages + 2 * PAGE, MEM_COMMIT, PAGE_NOACCESS, MEM_PRIVATE);
    assert_region(&records, private_pages + 3 * PAGE, MEM_RESERVE, 0, MEM_PRIVATE);
    assert_region(&records, reserved, MEM_RESERVE, 0, MEM_PRIVATE);
    assert_same(find_region(&records, reserved)->AllocationProtect, PAGE_EXECUTE_READWRITE);
    assert_region(&records, view, MEM_COMMIT, PAGE_READONLY, MEM_MAPPED);
    assert_null(find_region(&records, view)->MappedFileName);
    for (unsigned i = 0; i < 4; i++)
        assert_same(address_of(find_region(&records, private_pages + i * PAGE)->AllocationBase),
                    private_pages);
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_va_space_guard_pages_stay_guarded(void **state)
{
    struct target *target = target_start();
    MEMORY_BASIC_INFORMATION basic;
    uint64_t page = target_call(target, TARGET_ALLOCATE, 0, PAGE, MEM_RESERVE | MEM_COMMIT,
                                PAGE_READWRITE | PAGE_GUARD);
    HPSS snapshot = target_capture(target, SECTIONS, 0);

    (void)state;
    assert_true(VirtualQueryEx(target->process, (void *)(uintptr_t)page, &basic, sizeof(basic)));
    assert_same(basic.Protect, PAGE_READWRITE | PAGE_GUARD);
    free_snapshot(snapshot);
    target_destroy(target);
}

static bool ends_with(const WCHAR *text, const WCHAR *tail)
{
    size_t length = wcslen(text);
    size_t tail_length = wcslen(tail);

    return length >= tail_length && !_wcsicmp(text + length - tail_length, tail);
}

static void test_va_space_names_the_mapped_file(void **state)
{
    struct target *target = target_start();
    uint64_t view =
        target_call_text(target, TARGET_MAP_FILE, L"C:\\windows\\system32\\kernel32.dll",
                         PAGE_READONLY, FILE_MAP_READ, 0, 0);

    (void)state;
    HPSS snapshot = target_capture(target, SECTIONS, 0);
    struct records records = records_read(snapshot, PSS_WALK_VA_SPACE);
    const PSS_VA_SPACE_ENTRY *entry = find_region(&records, view);
    assert_same(entry->Type, MEM_MAPPED);
    assert_text(entry->MappedFileName, entry->MappedFileNameLength);
    assert_non_null(entry->MappedFileName);
    assert_true(ends_with(entry->MappedFileName, L"\\kernel32.dll"));
    assert_true(entry->MappedFileName[0] == L'\\'); /* an NT path */
    /* Mapped as data, it has no PE fields, whatever is in it. */
    assert_same(entry->TimeDateStamp, 0);
    assert_same(entry->SizeOfImage, 0);
    assert_null(entry->ImageBase);
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

/* Asserts the PE fields of every region of the image at this base; returns how many there are. */
static DWORD assert_image(const struct records *records, uint64_t base,
                          const IMAGE_NT_HEADERS *headers, const WCHAR *file)
{
    DWORD regions = 0;

    for (DWORD i = 0; i < records->count; i++) {
        const PSS_VA_SPACE_ENTRY *entry = record_at(*records, PSS_VA_SPACE_ENTRY, i);
        if (address_of(entry->AllocationBase) != base)
            continue;
        assert_same(entry->Type, MEM_IMAGE);
        assert_same(entry->TimeDateStamp, headers->FileHeader.TimeDateStamp);
        assert_same(entry->SizeOfImage, headers->OptionalHeader.SizeOfImage);
        assert_same(entry->CheckSum, headers->OptionalHeader.CheckSum);
        assert_same(address_of(entry->ImageBase), headers->OptionalHeader.ImageBase);
        assert_true(entry->MappedFileName && ends_with(entry->MappedFileName, file));
        regions++;
    }
    return regions;
}

static void test_va_space_of_self_has_the_pe_fields_of_each_module(void **state)
{
    static const WCHAR *const modules[] = {L"kernel32.dll", L"ntdll.dll", L"kernelbase.dll"};
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(), SECTIONS, 0, &snapshot), ERROR_SUCCESS);
    struct records records = records_read(snapshot, PSS_WALK_VA_SPACE);
    for (int i = 0; i < 3; i++) {
        const char *base = (const char *)GetModuleHandleW(modules[i]);
        const IMAGE_DOS_HEADER *dos = (const IMAGE_DOS_HEADER *)base;
        assert_true(assert_image(&records, address_of(base),
                                 (const IMAGE_NT_HEADERS *)(base + dos->e_lfanew), modules[i]) > 1);
    }
    records_free(&records);
    free_snapshot(snapshot);
}

static void test_va_space_of_wow64_target_has_pe32_and_pe32_plus_images(void **state)
{
    struct target *target = sizeof(void *) == 8 ? target_start_foreign() : NULL;
    DWORD narrow = 0;
    DWORD images = 0;

    (void)state;
    if (!target)
        skip_because(NO_OTHER_BITNESS);
    HPSS snapshot = target_capture(target, SECTIONS, 0);
    struct records records = records_read(snapshot, PSS_WALK_VA_SPACE);
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_VA_SPACE_ENTRY *entry = record_at(records, PSS_VA_SPACE_ENTRY, i);
        if (entry->Type != MEM_IMAGE)
            continue;
        assert_true(entry->SizeOfImage >= entry->RegionSize);
        images++;
        narrow += entry->MappedFileName && wcsstr(entry->MappedFileName, L"syswow64") != NULL;
    }
    assert_true(images > 0);
    assert_true(narrow > 0);
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

/* Writes over the headers of the image in the target: they are unreadable as such, not an error. */
static void test_va_space_broken_headers_give_zeros(void **state)
{
    struct target *target = target_start();
    uint64_t base = target_call_text(target, TARGET_LOAD_LIBRARY, L"version.dll", 0, 0, 0, 0);
    static const uint32_t offsets[] = {0, 0x7FFFFFFF, 0xFFFFFFF0, 0x10000000};

    (void)state;
    target_call(target, TARGET_PROTECT, base, PAGE, PAGE_READWRITE, 0);
    for (int i = 0; i < 4; i++) {
        assert_true(WriteProcessMemory(
            target->process, (void *)(uintptr_t)(base + offsetof(IMAGE_DOS_HEADER, e_lfanew)),
            &offsets[i], sizeof(offsets[i]), NULL));
        HPSS snapshot = target_capture(target, SECTIONS, 0);
        struct records records = records_read(snapshot, PSS_WALK_VA_SPACE);
        const PSS_VA_SPACE_ENTRY *entry = find_region(&records, base);
        assert_same(entry->TimeDateStamp, 0);
        assert_same(entry->SizeOfImage, 0);
        assert_same(entry->CheckSum, 0);
        assert_null(entry->ImageBase);
        assert_non_null(entry->MappedFileName);
        records_free(&records);
        free_snapshot(snapshot);
    }
    target_destroy(target);
}

/* Under Wine such a page could be read all the same; the target could not. */
static void test_va_space_unreadable_headers_give_zeros(void **state)
{
    static const DWORD protections[] = {PAGE_NOACCESS, PAGE_READONLY | PAGE_GUARD};
    struct target *target = target_start();
    uint64_t base = target_call_text(target, TARGET_LOAD_LIBRARY, L"version.dll", 0, 0, 0, 0);

    (void)state;
    for (int i = 0; i < 2; i++) {
        target_call(target, TARGET_PROTECT, base, PAGE, protections[i], 0);
        HPSS snapshot = target_capture(target, SECTIONS, 0);
        struct records records = records_read(snapshot, PSS_WALK_VA_SPACE);
        const PSS_VA_SPACE_ENTRY *entry = find_region(&records, base);
        assert_same(entry->Protect, protections[i]);
        assert_same(entry->TimeDateStamp, 0);
        assert_same(entry->SizeOfImage, 0);
        assert_null(entry->ImageBase);
        assert_non_null(entry->MappedFileName);
        records_free(&records);
        free_snapshot(snapshot);
    }
    target_destroy(target);
}

static void test_va_space_padding_is_zero(void **state)
{
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(), SECTIONS, 0, &snapshot), ERROR_SUCCESS);
    struct records records = records_read(snapshot, PSS_WALK_VA_SPACE);
    for (DWORD i = 0; i < records.count; i++) {
        const unsigned char *bytes =
            (const unsigned char *)record_at(records, PSS_VA_SPACE_ENTRY, i);
        for (size_t j = offsetof(PSS_VA_SPACE_ENTRY, AllocationProtect) + sizeof(DWORD);
             j < offsetof(PSS_VA_SPACE_ENTRY, RegionSize); j++)
            assert_same(bytes[j], 0);
        for (size_t j = offsetof(PSS_VA_SPACE_ENTRY, MappedFileNameLength) + sizeof(WORD);
             j < offsetof(PSS_VA_SPACE_ENTRY, MappedFileName); j++)
            assert_same(bytes[j], 0);
    }
    records_free(&records);
    free_snapshot(snapshot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_va_space_of_frozen_target_equals_virtual_query),
        PSS_TEST(test_va_space_with_sections_equals_the_oracle),
        PSS_TEST(test_va_space_of_child_that_never_ran_equals_the_oracle),
        PSS_TEST(test_va_space_of_wow64_target_equals_the_oracle),
        PSS_TEST(test_va_space_covers_everything_without_gaps),
        PSS_TEST(test_va_space_shows_what_the_target_allocated),
        PSS_TEST(test_va_space_guard_pages_stay_guarded),
        PSS_TEST(test_va_space_names_the_mapped_file),
        PSS_TEST(test_va_space_of_self_has_the_pe_fields_of_each_module),
        PSS_TEST(test_va_space_of_wow64_target_has_pe32_and_pe32_plus_images),
        PSS_TEST(test_va_space_broken_headers_give_zeros),
        PSS_TEST(test_va_space_unreadable_headers_give_zeros),
        PSS_TEST(test_va_space_padding_is_zero),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("va_space", tests, ledger_warm_up, NULL);
}
