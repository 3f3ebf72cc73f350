/* SPDX-License-Identifier: MIT */
/* Views of files and of shared memory: frozen in the clone, each kind and size of them. */
#include "clone.h"
#include "ledger.h"
#include "pattern.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define PAGE      4096u
#define SIZE      0x140000u
#define BEFORE    11 /* seeds of the patterns before and after the capture */
#define AFTER     12
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

static void fill(struct target *target, uint64_t address, uint64_t size, uint64_t seed)
{
    target_call(target, TARGET_FILL, address, size, seed, 0);
}

static HPSS capture(const struct target *target)
{
    return clone_capture(target->process, PSS_CAPTURE_VA_SPACE, 0);
}

static uint64_t map_memory(struct target *target, DWORD flags)
{
    return target_call(target, TARGET_MAP_MEMORY, SIZE, PAGE_READWRITE | flags, FILE_MAP_WRITE, 0);
}

static void write_file(const WCHAR *path, DWORD disposition, uint64_t seed, DWORD size)
{
    HANDLE file = CreateFileW(path, GENERIC_WRITE, SHARE_ALL, NULL, disposition, 0, NULL);
    unsigned char *bytes = (unsigned char *)calloc(1, size + sizeof(uint64_t));
    DWORD done = 0;

    assert_true(file != INVALID_HANDLE_VALUE);
    assert_non_null(bytes);
    for (DWORD offset = 0; offset < size; offset += sizeof(uint64_t)) {
        uint64_t word = pattern_word(seed, offset / sizeof(word));
        memcpy(bytes + offset, &word, sizeof(word));
    }
    assert_true(WriteFile(file, bytes, size, &done, NULL));
    assert_same(done, size);
    free(bytes);
    CloseHandle(file);
}

static const WCHAR *file_path(WCHAR path[MAX_PATH], const WCHAR *stem)
{
    WCHAR name[64];

    assert_true(GetTempPathW(MAX_PATH - 64, path) > 0);
    return wcscat(path, unique_name(name, stem));
}

/* kernel32's clones share such a view, or lack it. */
static void test_clone_keeps_shared_memory(void **state)
{
    (void)state;
    only_ours();
    struct target *target = target_start();
    uint64_t view = map_memory(target, 0);
    fill(target, view, SIZE, BEFORE);
    HPSS snapshot = capture(target);
    if (clone_is_carrier(snapshot)) {
        fill(target, view, SIZE, AFTER);
        clone_assert_pattern(clone_of(snapshot), view, SIZE, BEFORE);
        target_call(target, TARGET_UNMAP, view, 0, 0, 0);
        clone_assert_pattern(clone_of(snapshot), view, SIZE, BEFORE);
    }
    free_snapshot(snapshot);
    target_destroy(target);
}

/* The clone's copy is nobody else's: a write into it does not show in the target. */
static void test_clone_written_to_leaves_the_targets_shared_memory(void **state)
{
    uint64_t word = 0x5555555555555555ull;

    (void)state;
    only_ours();
    struct target *target = target_start();
    uint64_t view = map_memory(target, 0);
    fill(target, view, SIZE, BEFORE);
    HPSS snapshot = capture(target);
    if (clone_is_carrier(snapshot)) {
        assert_true(WriteProcessMemory(clone_of(snapshot), (void *)(uintptr_t)view, &word,
                                       sizeof(word), NULL));
        clone_assert_pattern(target->process, view, SIZE, BEFORE);
    }
    free_snapshot(snapshot);
    target_destroy(target);
}

/* The section that the test shares with the target changes with each command. */
static void test_clone_keeps_memory_that_the_caller_shares_and_changes(void **state)
{
    char held[TARGET_TEXT_LENGTH * sizeof(WCHAR)];
    static const WCHAR text[] = L"written before the capture";

    (void)state;
    only_ours();
    struct target *target = target_start();
    uint64_t view = map_memory(target, 0);
    HANDLE section = NULL;
    HANDLE theirs = (HANDLE)(uintptr_t)target_value(target, 0);
    assert_true(DuplicateHandle(target->process, theirs, GetCurrentProcess(), &section, 0, FALSE,
                                DUPLICATE_SAME_ACCESS));
    void *ours = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
    assert_non_null(ours);
    memcpy(ours, text, sizeof(text));
    HPSS snapshot = capture(target);
    memset(ours, 0, sizeof(text));
    if (clone_is_carrier(snapshot)) {
        clone_read(clone_of(snapshot), view, held, sizeof(text));
        assert_memory_equal(held, text, sizeof(text));
    }
    free_snapshot(snapshot);
    UnmapViewOfFile(ours);
    CloseHandle(section);
    target_destroy(target);
}

static void test_clone_keeps_what_is_reserved_in_a_view(void **state)
{
    (void)state;
    only_ours();
    struct target *target = target_start();
    uint64_t view = map_memory(target, SEC_RESERVE);
    target_call(target, TARGET_ALLOCATE, view + 8 * PAGE, 4 * PAGE, MEM_COMMIT, PAGE_READWRITE);
    fill(target, view + 8 * PAGE, 4 * PAGE, BEFORE);
    HPSS snapshot = capture(target);
    if (clone_is_carrier(snapshot)) {
        HANDLE clone = clone_of(snapshot);
        assert_same(clone_region(clone, view).State, MEM_RESERVE);
        assert_same(clone_region(clone, view).RegionSize, 8 * PAGE);
        assert_same(clone_region(clone, view + 8 * PAGE).State, MEM_COMMIT);
        assert_same(clone_region(clone, view + 12 * PAGE).State, MEM_RESERVE);
        assert_same(address_of(clone_region(clone, view + 12 * PAGE).AllocationBase), view);
        clone_assert_pattern(clone, view + 8 * PAGE, 4 * PAGE, BEFORE);
    }
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_clone_keeps_a_mapped_file_that_is_written(void **state)
{
    struct target *target = target_start();
    WCHAR path[MAX_PATH];

    (void)state;
    write_file(file_path(path, L"mapped"), CREATE_ALWAYS, BEFORE, SIZE);
    uint64_t view =
        target_call_text(target, TARGET_MAP_FILE, path, PAGE_READONLY, FILE_MAP_READ, 0, 0);
    HPSS snapshot = capture(target);
    write_file(path, OPEN_EXISTING, AFTER, SIZE);
    clone_assert_pattern(target->process, view, SIZE, AFTER);
    if (clone_is_carrier(snapshot)) {
        MEMORY_BASIC_INFORMATION region = clone_region(clone_of(snapshot), view);
        clone_assert_pattern(clone_of(snapshot), view, SIZE, BEFORE);
        assert_same(address_of(region.AllocationBase), view);
        assert_same(region.RegionSize, SIZE);
        assert_same(region.Protect, PAGE_READONLY);
    }
    free_snapshot(snapshot);
    target_destroy(target);
    assert_true(DeleteFileW(path));
}

/* Behind the end of the file the last page is zero. */
static void test_clone_keeps_a_mapped_file_of_odd_size(void **state)
{
    enum { ODD = 5 * 4096 + 1000 };
    struct target *target = target_start();
    uint64_t rest[(PAGE - 1000) / sizeof(uint64_t)];
    WCHAR path[MAX_PATH];

    (void)state;
    write_file(file_path(path, L"odd"), CREATE_ALWAYS, BEFORE, ODD);
    uint64_t view =
        target_call_text(target, TARGET_MAP_FILE, path, PAGE_READONLY, FILE_MAP_READ, 0, 0);
    HPSS snapshot = capture(target);
    if (clone_is_carrier(snapshot)) {
        clone_assert_pattern(clone_of(snapshot), view, ODD, BEFORE);
        clone_read(clone_of(snapshot), view + ODD, rest, sizeof(rest));
        for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
            assert_same(rest[i], 0);
        assert_same(clone_region(clone_of(snapshot), view).RegionSize,
                    clone_region(target->process, view).RegionSize);
    }
    free_snapshot(snapshot);
    target_destroy(target);
    assert_true(DeleteFileW(path));
}

/* Pages that were written are the target's own; the others are the file's. */
static void test_clone_keeps_a_copy_on_write_view(void **state)
{
    struct target *target = target_start();
    WCHAR path[MAX_PATH];

    (void)state;
    write_file(file_path(path, L"copied"), CREATE_ALWAYS, BEFORE, SIZE);
    uint64_t view =
        target_call_text(target, TARGET_MAP_FILE, path, PAGE_WRITECOPY, FILE_MAP_COPY, 0, 0);
    fill(target, view, 2 * PAGE, 5);
    HPSS snapshot = capture(target);
    fill(target, view, SIZE, AFTER);
    if (clone_is_carrier(snapshot)) {
        uint64_t word = 0;
        clone_assert_pattern(clone_of(snapshot), view, 2 * PAGE, 5);
        for (uint64_t i = 2 * PAGE / sizeof(word); i < SIZE / sizeof(word); i += 64) {
            clone_read(clone_of(snapshot), view + i * sizeof(word), &word, sizeof(word));
            assert_same(word, pattern_word(BEFORE, i));
        }
    }
    free_snapshot(snapshot);
    target_destroy(target);
    assert_true(DeleteFileW(path));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_clone_keeps_shared_memory),
        PSS_TEST(test_clone_written_to_leaves_the_targets_shared_memory),
        PSS_TEST(test_clone_keeps_memory_that_the_caller_shares_and_changes),
        PSS_TEST(test_clone_keeps_what_is_reserved_in_a_view),
        PSS_TEST(test_clone_keeps_a_mapped_file_that_is_written),
        PSS_TEST(test_clone_keeps_a_mapped_file_of_odd_size),
        PSS_TEST(test_clone_keeps_a_copy_on_write_view),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clone_views", tests, ledger_warm_up, NULL);
}
