/* SPDX-License-Identifier: MIT */
/* pss-shim.dll in a process whose kernel32 has the API already: one that works stays, stubs are
 * replaced. */
#include "harness.h"

#include <string.h>

#include "exports.h"
#include "forward/stand_in.h"

static const char *const names[] = {
    "PssCaptureSnapshot",       "PssDuplicateSnapshot",         "PssFreeSnapshot",
    "PssQuerySnapshot",         "PssWalkMarkerCreate",          "PssWalkMarkerFree",
    "PssWalkMarkerGetPosition", "PssWalkMarkerSeekToBeginning", "PssWalkMarkerSetPosition",
    "PssWalkSnapshot",
};

#define COUNT (sizeof names / sizeof names[0])

static enum stand_in_behaviour behaviour;

static HMODULE load_beside(const WCHAR *name)
{
    WCHAR path[MAX_PATH];
    HMODULE module;

    GetModuleFileNameW(NULL, path, MAX_PATH - 32);
    wcscpy(wcsrchr(path, L'\\') + 1, name);
    module = LoadLibraryW(path);
    assert_non_null(module);
    return module;
}

/** Gives kernel32 the functions of the stand-in, as if the system had them. */
static HMODULE equip_kernel32(void)
{
    static char forwarders[COUNT][64];
    struct shim_export exports[COUNT];
    HMODULE kernel32 = GetModuleHandleW(L"kernel32.dll");
    HMODULE stand_in = load_beside(L"pss-test-stand-in.dll");
    struct stand_in *state = (struct stand_in *)(void *)GetProcAddress(stand_in, "stand_in");

    assert_non_null(state);
    state->behaviour = behaviour;
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(forwarders[i], sizeof forwarders[i], "pss-test-stand-in.%s", names[i]);
        exports[i] = (struct shim_export){names[i], forwarders[i]};
    }
    assert_int_equal(exports_add(pss_nt_system(), (char *)kernel32, exports, COUNT),
                     STATUS_SUCCESS);
    for (unsigned i = 0; i < COUNT; i++)
        assert_ptr_equal(GetProcAddress(kernel32, names[i]), GetProcAddress(stand_in, names[i]));
    return stand_in;
}

static void test_shim_redirects_unless_the_system_works(void **state)
{
    HMODULE kernel32 = GetModuleHandleW(L"kernel32.dll");
    HMODULE system = equip_kernel32();
    void *created = (void *)GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtCreateUserProcess");
    HMODULE shim = load_beside(L"pss-shim.dll");
    HMODULE serves = behaviour == STAND_IN_WORKS ? system : shim;

    (void)state;
    for (unsigned i = 0; i < COUNT; i++)
        assert_ptr_equal(GetProcAddress(kernel32, names[i]), GetProcAddress(serves, names[i]));
    /* Nor are children followed where nothing is to be done for them. */
    assert_int_equal(GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtCreateUserProcess") ==
                         created,
                     behaviour == STAND_IN_WORKS);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shim_redirects_unless_the_system_works),
    };

    SetEnvironmentVariableW(L"PSS_FORWARD",
                            NULL); /* Tests have it off, but this is what is tested. */
    behaviour = argc > 1 && strcmp(argv[1], "works") == 0 ? STAND_IN_WORKS : STAND_IN_ANSWERS_120;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
