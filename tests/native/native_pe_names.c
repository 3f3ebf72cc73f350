/* SPDX-License-Identifier: MIT */
/* Which names move, from which DLLs. */
#include "pe_world.h"

#include "pe_names.h"

static void test_dlls_are_known_in_any_spelling(void **state)
{
    static const char *const sources[] = {
        "kernel32.dll",
        "KERNEL32",
        "KernelBase.DLL",
        "api-ms-win-core-processsnapshot-l1-1-0.dll",
        "API-MS-Win-Core-ProcessSnapshot-L1-1-1",
        "api-ms-win-core-processsnapshot-l1-1-12.dll",
    };

    (void)state;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        if (!pe_is_source(sources[i]))
            fail_msg("%s", sources[i]);
}

static void test_other_dlls_are_left_alone(void **state)
{
    static const char *const others[] = {
        "",
        ".dll",
        "kernel32.dll.dll",
        "kernel32.exe",
        "kernel3",
        "kernel322",
        "pss.dll",
        "api-ms-win-core-processsnapshot-l1-1-",
        "api-ms-win-core-processsnapshot-l1-1-.dll",
        "api-ms-win-core-processsnapshot-l1-1-x.dll",
        "api-ms-win-core-processsnapshot-l1-2-0.dll",
        "api-ms-win-core-processthreads-l1-1-0.dll",
        "api-ms-win-core-processsnapshot-l1-1-00000000000000000000000000000000000000000000.dll",
    };

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (pe_is_source(others[i]))
            fail_msg("%s", others[i]);
}

static void test_target_is_pss_dll(void **state)
{
    (void)state;
    assert_true(pe_is_target("pss.dll"));
    assert_true(pe_is_target("PSS"));
    assert_false(pe_is_target("pss.exe"));
    assert_false(pe_is_target("psss.dll"));
}

static void test_all_thirteen_functions_move_and_no_other(void **state)
{
    static const char *const functions[] = {
        "PssCaptureSnapshot",       "PssDuplicateSnapshot",
        "PssFreeSnapshot",          "PssQuerySnapshot",
        "PssWalkMarkerCreate",      "PssWalkMarkerFree",
        "PssWalkMarkerGetPosition", "PssWalkMarkerRewind",
        "PssWalkMarkerSeek",        "PssWalkMarkerSeekToBeginning",
        "PssWalkMarkerSetPosition", "PssWalkMarkerTell",
        "PssWalkSnapshot",
    };

    (void)state;
    assert_int_equal(sizeof functions / sizeof functions[0], 13);
    for (size_t i = 0; i < 13; i++)
        assert_true(pe_is_moved(functions[i]));
    assert_false(pe_is_moved("PssNtCaptureSnapshot"));
    assert_false(pe_is_moved("psscapturesnapshot"));
    assert_false(pe_is_moved("PssCaptureSnapsho"));
    assert_false(pe_is_moved("PssCaptureSnapshotA"));
    assert_false(pe_is_moved(""));
}

static void test_each_verdict_has_a_text(void **state)
{
    (void)state;
    for (int i = 0; i < PE_VERDICT_COUNT; i++)
        assert_true(strlen(pe_verdict_text((enum pe_verdict)i)) > 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dlls_are_known_in_any_spelling),
        cmocka_unit_test(test_other_dlls_are_left_alone),
        cmocka_unit_test(test_target_is_pss_dll),
        cmocka_unit_test(test_all_thirteen_functions_move_and_no_other),
        cmocka_unit_test(test_each_verdict_has_a_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
