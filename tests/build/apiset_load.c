/* SPDX-License-Identifier: MIT */
/* The API set's DLL as a file: its names are pss.dll's functions. Its bare name is the system's. */
#include "harness.h"

#define API_SET_DLL L"api-ms-win-core-processsnapshot-l1-1-0.dll"

typedef DWORD(WINAPI *capture_function)(HANDLE process, DWORD flags, DWORD context_flags,
                                        HPSS *snapshot);
typedef DWORD(WINAPI *free_function)(HANDLE process, HPSS snapshot);

static const char *const names[] = {
    "PssCaptureSnapshot",       "PssDuplicateSnapshot",         "PssFreeSnapshot",
    "PssQuerySnapshot",         "PssWalkMarkerCreate",          "PssWalkMarkerFree",
    "PssWalkMarkerGetPosition", "PssWalkMarkerSeekToBeginning", "PssWalkMarkerSetPosition",
    "PssWalkSnapshot",
};

/** A pointer to a function as one to data, which compares and prints. */
static void *find(HMODULE module, const char *name)
{
    return (void *)(uintptr_t)GetProcAddress(module, name);
}

/** The directory of this program with \p tail behind it. */
static void beside_program(const wchar_t *tail, wchar_t path[MAX_PATH])
{
    DWORD length = GetModuleFileNameW(NULL, path, MAX_PATH);

    assert_in_range(length, 1, MAX_PATH - 1);
    wcsrchr(path, L'\\')[1] = L'\0';
    assert_true(wcslen(path) + wcslen(tail) < MAX_PATH);
    wcscat(path, tail);
}

static HMODULE load_file(void)
{
    wchar_t path[MAX_PATH], loaded[MAX_PATH] = L"";
    HMODULE module;

    beside_program(L"apiset\\" API_SET_DLL, path);
    module = LoadLibraryW(path);
    assert_non_null(module);
    assert_in_range(GetModuleFileNameW(module, loaded, MAX_PATH), 1, MAX_PATH - 1);
    assert_int_equal(_wcsicmp(loaded, path), 0);
    return module;
}

static void test_each_name_is_the_function_of_pss_dll(void **state)
{
    HMODULE file = load_file(), library;
    wchar_t path[MAX_PATH], loaded[MAX_PATH] = L"";

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        void *function = find(file, names[i]);

        library = GetModuleHandleW(L"pss.dll");
        assert_non_null(library);
        assert_non_null(function);
        assert_ptr_equal(function, find(library, names[i]));
    }
    beside_program(L"pss.dll", path);
    assert_in_range(GetModuleFileNameW(library, loaded, MAX_PATH), 1, MAX_PATH - 1);
    assert_int_equal(_wcsicmp(loaded, path), 0);
    FreeLibrary(file);
}

static void test_a_name_that_is_not_in_the_api_set_is_not_found(void **state)
{
    HMODULE file = load_file();

    (void)state;
    assert_null(find(file, "PssWalkMarkerTell"));
    FreeLibrary(file);
}

static void test_a_capture_through_it_works(void **state)
{
    HMODULE file = load_file();
    capture_function capture = (capture_function)(uintptr_t)find(file, "PssCaptureSnapshot");
    free_function free_snapshot = (free_function)(uintptr_t)find(file, "PssFreeSnapshot");
    HPSS snapshot = NULL;

    (void)state;
    assert_same(capture(GetCurrentProcess(), PSS_CAPTURE_THREADS, 0, &snapshot), ERROR_SUCCESS);
    assert_non_null(snapshot);
    assert_same(free_snapshot(GetCurrentProcess(), snapshot), ERROR_SUCCESS);
    FreeLibrary(file);
}

/* Where the system knows the API set, as Wine does, the file does not help: nobody looks for it. */
static void test_the_bare_name_on_wine_is_the_system(void **state)
{
    wchar_t path[MAX_PATH], loaded[MAX_PATH] = L"";
    HMODULE module;

    (void)state;
    if (find(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") == NULL) {
        print_message("skipped: the system is not Wine\n");
        skip();
    }
    beside_program(L"apiset", path);
    assert_true(SetDllDirectoryW(path));
    module = LoadLibraryW(API_SET_DLL);
    assert_true(SetDllDirectoryW(NULL));
    assert_non_null(module);
    assert_in_range(GetModuleFileNameW(module, loaded, MAX_PATH), 1, MAX_PATH - 1);
    assert_int_equal(_wcsicmp(wcsrchr(loaded, L'\\'), L"\\kernelbase.dll"), 0);
    FreeLibrary(module);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_name_is_the_function_of_pss_dll),
        cmocka_unit_test(test_a_name_that_is_not_in_the_api_set_is_not_found),
        cmocka_unit_test(test_a_capture_through_it_works),
        cmocka_unit_test(test_the_bare_name_on_wine_is_the_system),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
