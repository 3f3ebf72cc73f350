/* SPDX-License-Identifier: MIT */
/* Images in the clone: the bytes are the target's, whatever has become of the file since. */
#include "clone.h"
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#include <psapi.h>

#define PAGE      4096u
#define SEED      31
#define MAX_IMAGE 0x1000000u /* bytes */

/* A copy of a system DLL that the target has loaded. */
struct scene {
    struct target *target;
    uint64_t base;
    uint32_t size;
    WCHAR path[MAX_PATH];
};

static void name_copy(WCHAR path[MAX_PATH], const WCHAR *stem)
{
    WCHAR name[64];

    assert_true(GetTempPathW(MAX_PATH - 70, path) > 0);
    wcscat(path, unique_name(name, stem));
    wcscat(path, L".dll");
}

static void copy_system_dll(const WCHAR *dll, const WCHAR *path)
{
    WCHAR source[MAX_PATH];

    assert_true(GetSystemDirectoryW(source, MAX_PATH - 32) > 0);
    wcscat(source, L"\\");
    wcscat(source, dll);
    assert_true(CopyFileW(source, path, FALSE));
}

/* As large as the image is in memory; the bytes come from the process and are bounded. */
static uint32_t image_size(HANDLE process, uint64_t base)
{
    MODULEINFO information = {0};

    assert_true(
        GetModuleInformation(process, (HMODULE)(uintptr_t)base, &information, sizeof(information)));
    assert_true(information.SizeOfImage > 2 * PAGE && information.SizeOfImage < MAX_IMAGE);
    return information.SizeOfImage;
}

static struct scene scene_open(const WCHAR *stem)
{
    struct scene scene = {.target = target_start()};

    name_copy(scene.path, stem);
    copy_system_dll(L"version.dll", scene.path);
    scene.base = target_call_text(scene.target, TARGET_LOAD_LIBRARY, scene.path, 0, 0, 0, 0);
    scene.size = image_size(scene.target->process, scene.base);
    return scene;
}

static void scene_close(struct scene *scene)
{
    target_destroy(scene->target);
    DeleteFileW(scene->path); /* it may have been moved away */
}

static void assert_same_bytes(HANDLE target, HANDLE clone, uint64_t base, uint32_t size)
{
    unsigned char bytes[2][PAGE];

    for (uint32_t offset = 0; offset < size; offset += PAGE) {
        clone_read(target, base + offset, bytes[0], PAGE);
        clone_read(clone, base + offset, bytes[1], PAGE);
        if (memcmp(bytes[0], bytes[1], PAGE))
            fail_msg("the page at 0x%llx differs", (unsigned long long)(base + offset));
    }
}

static void assert_clones_image(const struct scene *scene)
{
    HPSS snapshot = clone_capture(scene->target->process, 0, 0);

    assert_same_bytes(scene->target->process, clone_of(snapshot), scene->base, scene->size);
    free_snapshot(snapshot);
}

static void test_clone_image_is_the_targets(void **state)
{
    struct scene scene = scene_open(L"plain");

    (void)state;
    assert_clones_image(&scene);
    scene_close(&scene);
}

/* The second copy cannot have the base that the first one took. */
static void test_clone_image_that_was_relocated_is_the_targets(void **state)
{
    struct scene scene = scene_open(L"first");
    WCHAR first[MAX_PATH];

    (void)state;
    wcscpy(first, scene.path);
    name_copy(scene.path, L"second");
    copy_system_dll(L"version.dll", scene.path);
    uint64_t base = target_call_text(scene.target, TARGET_LOAD_LIBRARY, scene.path, 0, 0, 0, 0);
    assert_true(base != scene.base);
    scene.base = base;
    assert_clones_image(&scene);
    scene_close(&scene);
    assert_true(DeleteFileW(first));
}

/* Nothing may take from the file what differs from it. */
static void test_clone_image_that_was_patched_is_as_it_was(void **state)
{
    struct scene scene = scene_open(L"patched");
    uint64_t code = scene.base + PAGE;
    unsigned char original[PAGE];
    unsigned char held[PAGE];

    (void)state;
    clone_read(scene.target->process, code + PAGE, original, PAGE);
    target_call(scene.target, TARGET_FILL, code, PAGE, SEED, 0);
    HPSS snapshot = clone_capture(scene.target->process, 0, 0);
    target_call(scene.target, TARGET_FILL, code, 2 * PAGE, SEED + 1, 0);
    clone_assert_pattern(clone_of(snapshot), code, PAGE, SEED);
    clone_read(clone_of(snapshot), code + PAGE, held, PAGE);
    assert_memory_equal(held, original, PAGE);
    free_snapshot(snapshot);
    scene_close(&scene);
}

static void test_clone_image_whose_headers_were_wiped_is_as_it_was(void **state)
{
    struct scene scene = scene_open(L"wiped");

    (void)state;
    target_call(scene.target, TARGET_FILL, scene.base, PAGE, SEED, 0);
    assert_clones_image(&scene);
    scene_close(&scene);
}

static void test_clone_image_whose_pages_changed_protection_is_as_it_was(void **state)
{
    struct scene scene = scene_open(L"protected");

    (void)state;
    target_call(scene.target, TARGET_PROTECT, scene.base + PAGE, PAGE, PAGE_READWRITE, 0);
    target_call(scene.target, TARGET_PROTECT, scene.base, PAGE, PAGE_NOACCESS, 0);
    MEMORY_BASIC_INFORMATION expected[] = {clone_region(scene.target->process, scene.base),
                                           clone_region(scene.target->process, scene.base + PAGE)};
    HPSS snapshot = clone_capture(scene.target->process, 0, 0);
    assert_same(clone_region(clone_of(snapshot), scene.base).Protect, expected[0].Protect);
    DWORD protect = clone_region(clone_of(snapshot), scene.base + PAGE).Protect;
    assert_true(protect == expected[1].Protect || protect == PAGE_READWRITE);
    free_snapshot(snapshot);
    scene_close(&scene);
}

static void test_clone_image_whose_file_was_renamed_is_as_it_was(void **state)
{
    struct scene scene = scene_open(L"renamed");
    WCHAR moved[MAX_PATH];

    (void)state;
    name_copy(moved, L"moved");
    bool was_moved = MoveFileExW(scene.path, moved, MOVEFILE_REPLACE_EXISTING);
    print_message("the file of the image %s\n", was_moved ? "was renamed" : "cannot be renamed");
    assert_clones_image(&scene);
    scene_close(&scene);
    DeleteFileW(moved);
}

/* The name of the image now belongs to other bytes. */
static void test_clone_image_whose_file_was_replaced_is_as_it_was(void **state)
{
    struct scene scene = scene_open(L"replaced");
    WCHAR moved[MAX_PATH];

    (void)state;
    name_copy(moved, L"original");
    bool was_moved = MoveFileExW(scene.path, moved, MOVEFILE_REPLACE_EXISTING);
    print_message("the file of the image %s\n", was_moved ? "was replaced" : "cannot be replaced");
    if (was_moved)
        copy_system_dll(L"psapi.dll", scene.path);
    assert_clones_image(&scene);
    scene_close(&scene);
    DeleteFileW(moved);
}

/* A view of an image that no loader knows. */
static void test_clone_image_that_is_only_mapped_is_the_targets(void **state)
{
    struct scene scene = scene_open(L"loaded");
    WCHAR path[MAX_PATH];

    (void)state;
    name_copy(path, L"mapped");
    copy_system_dll(L"version.dll", path);
    uint64_t view = target_call_text(scene.target, TARGET_MAP_FILE, path, PAGE_READONLY | SEC_IMAGE,
                                     FILE_MAP_READ, 0, 0);
    HPSS snapshot = clone_capture(scene.target->process, 0, 0);
    assert_same_bytes(scene.target->process, clone_of(snapshot), view, scene.size);
    free_snapshot(snapshot);
    scene_close(&scene);
    assert_true(DeleteFileW(path));
}

static void test_clone_image_that_was_unloaded_is_not_there(void **state)
{
    struct target *target = target_start();
    WCHAR path[MAX_PATH];

    (void)state;
    name_copy(path, L"unmapped");
    copy_system_dll(L"version.dll", path);
    uint64_t view = target_call_text(target, TARGET_MAP_FILE, path, PAGE_READONLY | SEC_IMAGE,
                                     FILE_MAP_READ, 0, 0);
    target_call(target, TARGET_UNMAP, view, 0, 0, 0);
    HPSS snapshot = clone_capture(target->process, 0, 0);
    assert_same(clone_region(target->process, view).State, MEM_FREE);
    assert_same(clone_region(clone_of(snapshot), view).State, MEM_FREE);
    free_snapshot(snapshot);
    target_destroy(target);
    assert_true(DeleteFileW(path));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_clone_image_is_the_targets),
        PSS_TEST(test_clone_image_that_was_relocated_is_the_targets),
        PSS_TEST(test_clone_image_that_was_patched_is_as_it_was),
        PSS_TEST(test_clone_image_whose_headers_were_wiped_is_as_it_was),
        PSS_TEST(test_clone_image_whose_pages_changed_protection_is_as_it_was),
        PSS_TEST(test_clone_image_whose_file_was_renamed_is_as_it_was),
        PSS_TEST(test_clone_image_whose_file_was_replaced_is_as_it_was),
        PSS_TEST(test_clone_image_that_is_only_mapped_is_the_targets),
        PSS_TEST(test_clone_image_that_was_unloaded_is_not_there),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clone_images", tests, ledger_warm_up, NULL);
}
