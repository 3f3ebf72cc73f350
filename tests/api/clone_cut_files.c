/* SPDX-License-Identifier: MIT */
/*
 * A mapped file that gets shorter under its view: the capture succeeds, and has what is left.
 *
 * Windows and Wine refuse to cut a file that is mapped. Below Wine anything can: there a program of
 * the host does it.
 */
#include "clone.h"
#include "ledger.h"
#include "pattern.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define PAGE       4096u
#define FILE_PAGES 64u
#define LEFT_PAGES 16u
#define SIZE       0x100000u
#define SHARE_ALL  (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* A target with a view of a file, and memory of its own. */
struct scene {
    struct target *target;
    uint64_t view;
    uint64_t memory;
    WCHAR path[MAX_PATH];
};

static void write_file(const WCHAR *path)
{
    HANDLE file = CreateFileW(path, GENERIC_WRITE, SHARE_ALL, NULL, CREATE_ALWAYS, 0, NULL);
    uint64_t words[PAGE / sizeof(uint64_t)];
    DWORD done = 0;

    assert_true(file != INVALID_HANDLE_VALUE);
    for (uint64_t page = 0; page < FILE_PAGES; page++) {
        for (uint64_t i = 0; i < PAGE / sizeof(words[0]); i++)
            words[i] = pattern_word(7, page * (PAGE / sizeof(words[0])) + i);
        assert_true(WriteFile(file, words, sizeof(words), &done, NULL));
    }
    CloseHandle(file);
}

static struct scene scene_open(void)
{
    struct scene scene = {target_start(), 0, 0, L""};
    WCHAR name[64];

    assert_true(GetTempPathW(MAX_PATH - 64, scene.path) > 0);
    wcscat(scene.path, unique_name(name, L"cut"));
    write_file(scene.path);
    scene.view = target_call_text(scene.target, TARGET_MAP_FILE, scene.path, PAGE_READONLY,
                                  FILE_MAP_READ, 0, 0);
    scene.memory = target_call(scene.target, TARGET_ALLOCATE, 0, SIZE, MEM_RESERVE | MEM_COMMIT,
                               PAGE_READWRITE);
    target_call(scene.target, TARGET_FILL, scene.memory, SIZE, 8, 0);
    return scene;
}

static void scene_close(struct scene *scene)
{
    target_destroy(scene->target);
    assert_true(DeleteFileW(scene->path));
}

static DWORD file_size(const WCHAR *path)
{
    WIN32_FILE_ATTRIBUTE_DATA data = {0};

    return GetFileAttributesExW(path, GetFileExInfoStandard, &data) ? data.nFileSizeLow : 0;
}

/* The name by which the host knows a file; false where there is no host below. */
static bool host_name(const WCHAR *path, char name[2 * MAX_PATH])
{
    typedef char *(CDECL * name_function)(const WCHAR *);
    FARPROC found = GetProcAddress(GetModuleHandleA("kernel32.dll"), "wine_get_unix_file_name");
    name_function get_name = (name_function)(void (*)(void))found;
    char *text = get_name ? get_name(path) : NULL;

    if (!text)
        return false;
    snprintf(name, 2 * MAX_PATH, "%s", text);
    HeapFree(GetProcessHeap(), 0, text);
    return true;
}

/*
 * Runs commands of the host's shell with the file's name as $1; they go on by themselves. A program
 * of Wine starts the shell, since Wine leaves something behind in who does that.
 */
static bool run_on_host(const WCHAR *path, const char *commands)
{
    STARTUPINFOA startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION made = {0};
    char name[2 * MAX_PATH];
    char line[4 * MAX_PATH];

    if (!host_name(path, name))
        return false;
    snprintf(line, sizeof(line), "start.exe /unix /bin/sh -c \"%s\" sh \"%s\"", commands, name);
    if (!CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &made))
        return false;
    assert_same(WaitForSingleObject(made.hProcess, CLONE_LIMIT_MS), WAIT_OBJECT_0);
    CloseHandle(made.hThread);
    CloseHandle(made.hProcess);
    return true;
}

static bool cut_by_the_system(const WCHAR *path)
{
    HANDLE file = CreateFileW(path, GENERIC_WRITE, SHARE_ALL, NULL, OPEN_EXISTING, 0, NULL);

    if (file == INVALID_HANDLE_VALUE)
        return false;
    SetFilePointer(file, LEFT_PAGES * PAGE, NULL, FILE_BEGIN);
    BOOL was_cut = SetEndOfFile(file);
    CloseHandle(file);
    return was_cut;
}

static bool wait_until_cut(const WCHAR *path)
{
    ULONGLONG limit = GetTickCount64() + CLONE_LIMIT_MS;

    while (GetTickCount64() < limit) {
        if (file_size(path) != FILE_PAGES * PAGE)
            return true;
        SwitchToThread();
    }
    return false;
}

static bool cut_by_the_host(const WCHAR *path)
{
    char command[64];

    snprintf(command, sizeof(command), "truncate -c -s %u $1", LEFT_PAGES * PAGE);
    return run_on_host(path, command) && wait_until_cut(path);
}

static void test_clone_with_a_mapped_file_that_was_cut_has_what_is_left(void **state)
{
    struct scene scene = scene_open();

    (void)state;
    if (!cut_by_the_system(scene.path) && !cut_by_the_host(scene.path)) {
        scene_close(&scene);
        skip_because("a mapped file cannot be cut here");
    }
    HPSS snapshot = clone_capture(scene.target->process, PSS_CAPTURE_VA_SPACE, 0);
    clone_assert_pattern(clone_of(snapshot), scene.memory, SIZE, 8);
    if (clone_is_carrier(snapshot)) {
        clone_assert_pattern(clone_of(snapshot), scene.view, LEFT_PAGES * PAGE, 7);
        assert_true(clone_details(snapshot).BytesMissing >= (FILE_PAGES - LEFT_PAGES) * PAGE);
    }
    free_snapshot(snapshot);
    assert_same(target_call(scene.target, TARGET_PING, 0, 0, 0, 0), scene.target->pid);
    scene_close(&scene);
}

/* The host cuts and lengthens it for as long as it exists, but not for ever. */
static void test_clone_while_a_mapped_file_is_being_cut_succeeds(void **state)
{
    struct scene scene = scene_open();

    (void)state;
    if (!run_on_host(scene.path, "i=0; while [ -e $1 ] && [ $i -lt 5000 ]; do i=$((i + 1)); "
                                 "truncate -c -s 4096 $1; truncate -c -s 262144 $1; done") ||
        !wait_until_cut(scene.path)) {
        scene_close(&scene);
        skip_because("this needs the host of a Wine");
    }
    for (int i = 0; i < 20; i++) {
        HPSS snapshot = clone_capture(scene.target->process, i % 2 ? PSS_CAPTURE_VA_SPACE : 0, 0);
        clone_assert_pattern(clone_of(snapshot), scene.memory, SIZE, 8);
        free_snapshot(snapshot);
    }
    assert_same(target_call(scene.target, TARGET_PING, 0, 0, 0, 0), scene.target->pid);
    scene_close(&scene);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_clone_with_a_mapped_file_that_was_cut_has_what_is_left),
        PSS_TEST(test_clone_while_a_mapped_file_is_being_cut_succeeds),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clone_cut_files", tests, ledger_warm_up, NULL);
}
