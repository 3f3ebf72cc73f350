/* SPDX-License-Identifier: MIT */
/* Who serves: the decision over systems that work, lack the API, pretend, break halfway, or raise.
 */
#include "forward/forward.h"
#include "forward/probe.h"

#include "system.h"

static struct pss_forward forward; /* of the test */

static const struct pss_system_api *decide(void)
{
    const struct pss_system_api *api = pss_forward_decide(faulty_nt(), &forward);

    if (!api)
        pss_forward_end(&forward, 0);
    assert_same(GetLastError(), SYSTEM_LAST_ERROR);
    return api;
}

static const struct pss_system_api *decide_for(enum stand_in_behaviour behaviour)
{
    memset(&forward, 0, sizeof(forward));
    system_init(behaviour);
    return decide();
}

static uint32_t calls_of_stand_in(void)
{
    uint32_t sum = 0;

    for (int i = 0; i < STAND_IN_FUNCTIONS; i++)
        sum += system_stand_in()->calls[i];
    return sum;
}

static void *export_of(HMODULE module, const char *name)
{
    return (void *)(uintptr_t)GetProcAddress(module, name);
}

static void test_working_system_serves(void **state)
{
    const struct stand_in *stand_in = system_stand_in();
    const struct pss_system_api *api = decide_for(STAND_IN_WORKS);
    HMODULE module = GetModuleHandleA("pss-test-stand-in.dll");

    (void)state;
    assert_non_null(api);
    assert_ptr_equal((void *)api->capture, export_of(module, "PssCaptureSnapshot"));
    assert_ptr_equal((void *)api->marker_tell, export_of(module, "PssWalkMarkerTell"));
    assert_ptr_equal((void *)api->marker_seek, export_of(module, "PssWalkMarkerSeek"));
    assert_ptr_equal((void *)api->marker_rewind, export_of(module, "PssWalkMarkerRewind"));
    assert_same(stand_in->calls[STAND_IN_CAPTURE], 1);
    assert_same(stand_in->calls[STAND_IN_FREE], 1);
    assert_same(stand_in->snapshots, 0);
    assert_same(stand_in->markers, 0);
    system_assert_clean("working");
}

static void test_working_system_may_handle_its_own_exceptions(void **state)
{
    (void)state;
    assert_non_null(decide_for(STAND_IN_HANDLES_EXCEPTIONS));
    system_assert_clean("own exceptions");
}

static void test_decision_is_made_once(void **state)
{
    const struct pss_system_api *api = decide_for(STAND_IN_WORKS);
    uint32_t calls = calls_of_stand_in();

    (void)state;
    faulty_reset();
    system_stand_in()->behaviour = STAND_IN_ANSWERS_120;
    system_set_forward(L"0");
    assert_ptr_equal(decide(), api);
    assert_same(calls_of_stand_in(), calls);
    assert_same(faulty_calls(), 0);

    assert_null(decide_for(STAND_IN_ANSWERS_120));
    calls = calls_of_stand_in();
    faulty_reset();
    system_stand_in()->behaviour = STAND_IN_WORKS;
    assert_null(decide());
    assert_same(calls_of_stand_in(), calls);
    assert_same(faulty_calls(), 0);
}

/* kernel32's three names without documentation may be missing. */
static void test_aliases_that_are_missing_are_replaced(void **state)
{
    static const char *const names[] = {"PssWalkMarkerTell", "PssWalkMarkerSeek",
                                        "PssWalkMarkerRewind"};
    const struct pss_system_api *api;

    (void)state;
    for (int i = 0; i < 3; i++) {
        memset(&forward, 0, sizeof(forward));
        system_init(STAND_IN_WORKS);
        system_hide(names[i]);
        api = decide();
        assert_non_null(api);
        assert_same(api->marker_tell == api->marker_get_position, i == 0);
        assert_same(api->marker_seek == api->marker_set_position, i == 1);
        assert_same(api->marker_rewind == api->marker_seek_to_beginning, i == 2);
        system_assert_clean(names[i]);
    }
}

static void test_system_without_a_documented_function_is_not_tried(void **state)
{
    static const char *const names[] = {"PssCaptureSnapshot",       "PssDuplicateSnapshot",
                                        "PssFreeSnapshot",          "PssQuerySnapshot",
                                        "PssWalkSnapshot",          "PssWalkMarkerCreate",
                                        "PssWalkMarkerFree",        "PssWalkMarkerGetPosition",
                                        "PssWalkMarkerSetPosition", "PssWalkMarkerSeekToBeginning"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        memset(&forward, 0, sizeof(forward));
        system_init(STAND_IN_WORKS);
        system_hide(names[i]);
        if (decide())
            fail_msg("decided for a system without %s", names[i]);
        assert_same(calls_of_stand_in(), 0);
        system_assert_clean(names[i]);
    }
}

static void test_system_without_the_api_is_asked_for_one_name(void **state)
{
    (void)state;
    memset(&forward, 0, sizeof(forward));
    system_init(STAND_IN_WORKS);
    system_use_module(GetModuleHandleA("ntdll.dll"));
    assert_null(decide());
    assert_same(faulty_calls_of(FAULTY_find_export), 1);
    assert_same(faulty_calls_of(FAULTY_delay), 0);

    memset(&forward, 0, sizeof(forward));
    system_init(STAND_IN_WORKS);
    system_use_module(NULL);
    assert_null(decide());
    assert_same(faulty_calls_of(FAULTY_find_export), 0);
    system_assert_clean("absent");
}

/* What a behaviour leaves behind by its own fault. */
static void assert_freed(enum stand_in_behaviour behaviour)
{
    const struct stand_in *stand_in = system_stand_in();
    int lost = behaviour == STAND_IN_FREE_FAILS || behaviour == STAND_IN_FREE_RAISES;

    if (stand_in->snapshots != lost || stand_in->markers != 0)
        fail_msg("%s: %ld snapshots, %ld markers left", system_behaviour_name(behaviour),
                 (long)stand_in->snapshots, (long)stand_in->markers);
    assert_true(stand_in->calls[STAND_IN_FREE] <= 1);
    assert_true(stand_in->calls[STAND_IN_MARKER_FREE] <= 1);
}

/* Every one twice: what a raised exception leaves crooked would show in the second round. */
static void test_system_that_does_not_work_does_not_serve(void **state)
{
    void *handlers = ((NT_TIB *)NtCurrentTeb())->ExceptionList;

    (void)state;
    for (int round = 0; round < 2; round++)
        for (int i = STAND_IN_ANSWERS_120; i <= STAND_IN_FREE_RAISES; i++) {
            enum stand_in_behaviour behaviour = (enum stand_in_behaviour)i;

            if (decide_for(behaviour))
                fail_msg("decided for %s", system_behaviour_name(behaviour));
            assert_same(system_stand_in()->calls[STAND_IN_CAPTURE], 1);
            assert_freed(behaviour);
            system_assert_clean(system_behaviour_name(behaviour));
            assert_ptr_equal(((NT_TIB *)NtCurrentTeb())->ExceptionList, handlers);
        }
}

static const struct pss_system_api *decide_with(const WCHAR *value)
{
    memset(&forward, 0, sizeof(forward));
    system_init(STAND_IN_WORKS);
    system_set_forward(value);
    return decide();
}

static void test_environment_turns_it_off_before_anything_is_looked_for(void **state)
{
    (void)state;
    assert_null(decide_with(L"0"));
    assert_same(faulty_calls(), 1);
    assert_same(faulty_calls_of(FAULTY_query_environment), 1);
    assert_same(calls_of_stand_in(), 0);
}

static void test_environment_with_another_value_leaves_it_on(void **state)
{
    static const WCHAR *const values[] = {NULL, L"", L"1", L"00", L"off", L"0 and a long text"};

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        assert_non_null(decide_with(values[i]));
}

static const struct pss_system_api *decide_locked(uint32_t loader_tries, uint32_t environment_tries)
{
    memset(&forward, 0, sizeof(forward));
    system_init(STAND_IN_WORKS);
    system_lock(loader_tries, environment_tries);
    return decide();
}

static void test_locks_of_other_threads_are_waited_for_a_little(void **state)
{
    (void)state;
    assert_non_null(decide_locked(5, 0));
    assert_same(faulty_calls_of(FAULTY_delay), 5);
    assert_non_null(decide_locked(0, 5));
    assert_same(faulty_calls_of(FAULTY_delay), 5);
    assert_null(decide_locked(UINT32_MAX, 0));
    assert_same(faulty_calls_of(FAULTY_find_module), 0);
    assert_true(faulty_calls_of(FAULTY_delay) < 100);
    system_lock(0, 0);
    assert_non_null(decide());
    assert_null(decide_locked(0, UINT32_MAX));
    assert_same(faulty_calls_of(FAULTY_try_lock_loader), 0);
    assert_true(faulty_calls_of(FAULTY_delay) < 100);
    system_assert_clean("locks");
}

/* As an application that redirects kernel32's functions to the library does. */
static void *NTAPI find_our_own(void *module, const char *name)
{
    (void)module;
    return strcmp(name, "PssWalkSnapshot") ? pss_nt_system()->find_export(module, name)
                                           : (void *)PssWalkSnapshot;
}

static void test_system_that_was_redirected_to_us_does_not_serve(void **state)
{
    (void)state;
    memset(&forward, 0, sizeof(forward));
    system_init(STAND_IN_WORKS);
    faulty_inner()->find_export = find_our_own;
    assert_null(decide());
    assert_same(calls_of_stand_in(), 0);
}

/* ---- a system whose functions are made of ours ---- */

static uint32_t nested;

static DWORD WINAPI capture_by_us(HANDLE process, DWORD flags, DWORD context_flags, void **snapshot)
{
    nested++;
    assert_null(pss_forward_decide(faulty_nt(), &forward));
    return PssCaptureSnapshot(process, (PSS_CAPTURE_FLAGS)flags, context_flags, (HPSS *)snapshot);
}

static DWORD WINAPI free_by_us(HANDLE process, void *snapshot)
{
    return PssFreeSnapshot(process, snapshot);
}

static void test_system_that_is_made_of_ours_does_not_serve(void **state)
{
    (void)state;
    memset(&forward, 0, sizeof(forward));
    system_init(STAND_IN_CALLS_BACK);
    system_stand_in()->capture = capture_by_us;
    system_stand_in()->free = free_by_us;
    nested = 0;
    assert_null(decide());
    assert_same(nested, 1);
    assert_same(faulty_calls_of(FAULTY_delay), 0); /* it has not waited for itself */
    assert_null(decide());
    assert_same(nested, 1);
}

/* ---- real systems ---- */

static void test_pss_dll_in_the_place_of_kernel32_serves(void **state)
{
    HMODULE pss_dll = LoadLibraryA("pss.dll");
    const struct pss_system_api *api;
    PSS_PROCESS_INFORMATION process;
    HPSS snapshot = NULL;

    (void)state;
    assert_non_null(pss_dll);
    memset(&forward, 0, sizeof(forward));
    system_init(STAND_IN_WORKS);
    system_use_module(pss_dll);
    api = decide();
    assert_non_null(api);
    assert_same(api->capture(GetCurrentProcess(), PSS_CAPTURE_NONE, 0, &snapshot), ERROR_SUCCESS);
    assert_same(api->query(snapshot, PSS_QUERY_PROCESS_INFORMATION, &process, sizeof(process)),
                ERROR_SUCCESS);
    assert_same(process.ProcessId, GetCurrentProcessId());
    assert_same(api->free(GetCurrentProcess(), snapshot), ERROR_SUCCESS);
    system_assert_clean("pss.dll");
}

static void test_kernel32_without_the_api_does_not_serve(void **state)
{
    static struct pss_forward real;

    (void)state;
    if (export_of(GetModuleHandleA("kernel32.dll"), "PssCaptureSnapshot")) {
        print_message("skipped: this system's kernel32 has the API\n");
        skip();
    }
    SetLastError(SYSTEM_LAST_ERROR);
    assert_null(pss_forward_decide(pss_nt_system(), &real));
    assert_same(GetLastError(), SYSTEM_LAST_ERROR);
}

static void test_real_environment_is_read(void **state)
{
    WCHAR value[8];

    (void)state;
    SetEnvironmentVariableW(L"PSS_FORWARD", L"0");
    assert_int_equal(pss_nt_system()->query_environment(L"PSS_FORWARD", value, sizeof(value)),
                     STATUS_SUCCESS);
    assert_int_equal(wcscmp(value, L"0"), 0);
    SetEnvironmentVariableW(L"PSS_FORWARD", L"7 chars");
    assert_int_equal(pss_nt_system()->query_environment(L"PSS_FORWARD", value, sizeof(value)),
                     STATUS_SUCCESS);
    assert_int_equal(wcscmp(value, L"7 chars"), 0);
    SetEnvironmentVariableW(L"PSS_FORWARD", L"8 chars.");
    assert_int_equal(pss_nt_system()->query_environment(L"PSS_FORWARD", value, sizeof(value)),
                     STATUS_BUFFER_TOO_SMALL);
    SetEnvironmentVariableW(L"PSS_FORWARD", NULL);
    assert_int_equal(pss_nt_system()->query_environment(L"PSS_FORWARD", value, sizeof(value)),
                     STATUS_VARIABLE_NOT_FOUND);
}

/* The answer for another module than the decision's: whoever redirects calls asks for it. */
static void test_working_system_is_told_to_others(void **state)
{
    (void)state;
    system_init(STAND_IN_WORKS);
    assert_true(pss_system_works(faulty_nt()));
    system_init(STAND_IN_QUERY_FAILS);
    assert_false(pss_system_works(faulty_nt()));
    system_assert_clean("told");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_working_system_serves),
        cmocka_unit_test(test_working_system_may_handle_its_own_exceptions),
        cmocka_unit_test(test_decision_is_made_once),
        cmocka_unit_test(test_aliases_that_are_missing_are_replaced),
        cmocka_unit_test(test_system_without_a_documented_function_is_not_tried),
        cmocka_unit_test(test_system_without_the_api_is_asked_for_one_name),
        cmocka_unit_test(test_system_that_does_not_work_does_not_serve),
        cmocka_unit_test(test_environment_turns_it_off_before_anything_is_looked_for),
        cmocka_unit_test(test_environment_with_another_value_leaves_it_on),
        cmocka_unit_test(test_locks_of_other_threads_are_waited_for_a_little),
        cmocka_unit_test(test_system_that_was_redirected_to_us_does_not_serve),
        cmocka_unit_test(test_system_that_is_made_of_ours_does_not_serve),
        cmocka_unit_test(test_pss_dll_in_the_place_of_kernel32_serves),
        cmocka_unit_test(test_kernel32_without_the_api_does_not_serve),
        cmocka_unit_test(test_real_environment_is_read),
        cmocka_unit_test(test_working_system_is_told_to_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
