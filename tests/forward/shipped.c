/* SPDX-License-Identifier: MIT */
/* The DLL as it is shipped, with the stand-in behind its imports from ntdll in kernel32's place. */
#include "harness.h"
#include "stand_in.h"

#include <winternl.h>

#define LAST_ERROR 0x2BADCAFEu

static HMODULE stand_in_module;
static struct stand_in *stand_in;

/* A copy of pss.dll of its own for each test: it decides once. */
static struct {
    char path[MAX_PATH];
    HMODULE module;
    __typeof__(&PssCaptureSnapshot) capture;
    __typeof__(&PssQuerySnapshot) query;
    __typeof__(&PssFreeSnapshot) free;
} shipped;

/* ---- imports ---- */

static NTSTATUS NTAPI find_stand_in(PCWSTR path, ULONG *flags, const UNICODE_STRING *name,
                                    HANDLE *module)
{
    (void)path;
    (void)flags;
    assert_int_equal(wcscmp(name->Buffer, L"kernel32.dll"), 0);
    *module = stand_in_module;
    return 0;
}

static const void *at(HMODULE module, DWORD offset)
{
    return (const char *)module + offset;
}

static const IMAGE_NT_HEADERS *headers_of(HMODULE module)
{
    return at(module, (DWORD)((const IMAGE_DOS_HEADER *)module)->e_lfanew);
}

/* The slot that pss.dll calls one function of ntdll through: its only import. */
static void **import_slot(HMODULE module, const char *name)
{
    const IMAGE_DATA_DIRECTORY *directory =
        &headers_of(module)->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
    const IMAGE_IMPORT_DESCRIPTOR *ntdll = at(module, directory->VirtualAddress);
    const IMAGE_THUNK_DATA *names = at(module, ntdll->OriginalFirstThunk);
    void **slots = (void **)(uintptr_t)at(module, ntdll->FirstThunk);

    for (size_t i = 0; names[i].u1.AddressOfData; i++) {
        const IMAGE_IMPORT_BY_NAME *import = at(module, (DWORD)names[i].u1.AddressOfData);

        if (!strcmp((const char *)import->Name, name))
            return &slots[i];
    }
    fail_msg("pss.dll does not import %s", name);
    return NULL;
}

static void put_stand_in(enum stand_in_behaviour behaviour)
{
    void **slot = import_slot(shipped.module, "LdrGetDllHandle");
    DWORD protection;

    memset(stand_in, 0, sizeof(*stand_in));
    stand_in->behaviour = behaviour;
    assert_true(VirtualProtect(slot, sizeof(*slot), PAGE_READWRITE, &protection));
    *slot = (void *)(uintptr_t)find_stand_in;
    assert_true(VirtualProtect(slot, sizeof(*slot), protection, &protection));
}

/* ---- fixtures ---- */

static void *export_of(HMODULE module, const char *name)
{
    void *address = (void *)(uintptr_t)GetProcAddress(module, name);

    assert_non_null(address);
    return address;
}

static int load(void **state)
{
    char directory[MAX_PATH], beside[MAX_PATH];

    (void)state;
    assert_true(GetModuleFileNameA(GetModuleHandleA("pss.dll"), beside, sizeof(beside)));
    SetEnvironmentVariableA("PSS_FORWARD", NULL);
    assert_true(GetTempPathA(sizeof(directory), directory));
    assert_true(GetTempFileNameA(directory, "pss", 0, shipped.path));
    assert_true(CopyFileA(beside, shipped.path, FALSE));
    shipped.module = LoadLibraryA(shipped.path);
    assert_non_null(shipped.module);
    *(void **)&shipped.capture = export_of(shipped.module, "PssCaptureSnapshot");
    *(void **)&shipped.query = export_of(shipped.module, "PssQuerySnapshot");
    *(void **)&shipped.free = export_of(shipped.module, "PssFreeSnapshot");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    FreeLibrary(shipped.module);
    DeleteFileA(shipped.path);
    return 0;
}

/* A snapshot from capture to free; answers whether the library's own class was known. */
static bool use(void)
{
    PSS_PROCESS_INFORMATION process = {0};
    PSS_VA_CLONE_DETAILS details;
    HPSS snapshot = NULL;
    DWORD error;

    SetLastError(LAST_ERROR);
    assert_same(shipped.capture(GetCurrentProcess(), PSS_CAPTURE_NONE, 0, &snapshot),
                ERROR_SUCCESS);
    assert_same(GetLastError(), LAST_ERROR);
    assert_same(shipped.query(snapshot, PSS_QUERY_PROCESS_INFORMATION, &process, sizeof(process)),
                ERROR_SUCCESS);
    assert_same(process.ProcessId, GetCurrentProcessId());
    error = shipped.query(snapshot, PSS_QUERY_VA_CLONE_DETAILS, &details, sizeof(details));
    assert_true(error == ERROR_NOT_FOUND || error == ERROR_INVALID_PARAMETER);
    assert_same(shipped.free(GetCurrentProcess(), snapshot), ERROR_SUCCESS);
    return error == ERROR_NOT_FOUND;
}

/* ---- tests ---- */

static void test_shipped_dll_hands_calls_to_a_system_that_works(void **state)
{
    (void)state;
    put_stand_in(STAND_IN_WORKS);
    assert_false(use());
    assert_same(stand_in->calls[STAND_IN_CAPTURE], 2); /* the probe's, and ours */
    assert_same(stand_in->calls[STAND_IN_FREE], 2);
    assert_same(stand_in->snapshots, 0);
}

static void test_shipped_dll_serves_where_the_system_raises(void **state)
{
    (void)state;
    put_stand_in(STAND_IN_RAISES_WINE_STUB);
    assert_true(use());
    assert_true(use());
    assert_same(stand_in->calls[STAND_IN_CAPTURE], 1);
}

static void test_shipped_dll_serves_where_the_system_breaks_halfway(void **state)
{
    (void)state;
    put_stand_in(STAND_IN_QUERY_GIVES_OTHER_PROCESS);
    assert_true(use());
    assert_same(stand_in->calls[STAND_IN_CAPTURE], 1);
    assert_same(stand_in->snapshots, 0);
}

static void test_shipped_dll_serves_when_the_environment_says_so(void **state)
{
    (void)state;
    put_stand_in(STAND_IN_WORKS);
    SetEnvironmentVariableA("PSS_FORWARD", "0");
    assert_true(use());
    SetEnvironmentVariableA("PSS_FORWARD", NULL);
    assert_true(use()); /* decided */
    assert_same(stand_in->calls[STAND_IN_CAPTURE], 0);
}

static void test_shipped_dll_works_on_this_system(void **state)
{
    bool has_api = GetProcAddress(GetModuleHandleA("kernel32.dll"), "PssCaptureSnapshot") != NULL;

    (void)state;
    assert_true(use() || has_api);
}

static int load_stand_in(void **state)
{
    (void)state;
    assert_non_null(LoadLibraryA("pss.dll"));
    stand_in_module = LoadLibraryA("pss-test-stand-in.dll");
    assert_non_null(stand_in_module);
    stand_in = export_of(stand_in_module, "stand_in");
    return 0;
}

#define SHIPPED_TEST(function) cmocka_unit_test_setup_teardown(function, load, unload)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHIPPED_TEST(test_shipped_dll_hands_calls_to_a_system_that_works),
        SHIPPED_TEST(test_shipped_dll_serves_where_the_system_raises),
        SHIPPED_TEST(test_shipped_dll_serves_where_the_system_breaks_halfway),
        SHIPPED_TEST(test_shipped_dll_serves_when_the_environment_says_so),
        SHIPPED_TEST(test_shipped_dll_works_on_this_system),
    };

    return cmocka_run_group_tests(tests, load_stand_in, NULL);
}
