/* SPDX-License-Identifier: MIT */
/* The clone as a process: its modules, names, ids and environment are the target's. */
#include "clone.h"
#include "debug_help.h"
#include "ledger.h"
#include "nt_calls.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#include <psapi.h>

#define MAX_MODULES 256

static HPSS capture(const struct target *target)
{
    return clone_capture(target->process, 0, 0);
}

static DWORD list_modules(HANDLE process, HMODULE modules[MAX_MODULES], DWORD which)
{
    DWORD needed = 0;

    if (!EnumProcessModulesEx(process, modules, MAX_MODULES * sizeof(modules[0]), &needed, which))
        return 0;
    assert_true(needed <= MAX_MODULES * sizeof(modules[0]));
    return needed / sizeof(modules[0]);
}

static void assert_same_module(HANDLE target, HANDLE clone, HMODULE module)
{
    WCHAR names[2][MAX_PATH] = {L"", L"-"};
    MODULEINFO informations[2];

    assert_true(GetModuleFileNameExW(target, module, names[0], MAX_PATH) > 0);
    assert_true(GetModuleFileNameExW(clone, module, names[1], MAX_PATH) > 0);
    assert_true(!wcscmp(names[0], names[1]));
    assert_true(GetModuleBaseNameW(clone, module, names[1], MAX_PATH) > 0);
    assert_true(wcsstr(names[0], names[1]) != NULL);
    memset(informations, 0, sizeof(informations));
    assert_true(GetModuleInformation(target, module, &informations[0], sizeof(informations[0])));
    assert_true(GetModuleInformation(clone, module, &informations[1], sizeof(informations[1])));
    assert_memory_equal(&informations[0], &informations[1], sizeof(informations[0]));
}

static DWORD assert_same_modules(HANDLE target, HANDLE clone, DWORD which)
{
    HMODULE modules[2][MAX_MODULES];
    DWORD count = list_modules(target, modules[0], which);

    assert_same(list_modules(clone, modules[1], which), count);
    for (DWORD i = 0; i < count; i++) {
        assert_ptr_equal(modules[1][i], modules[0][i]);
        assert_same_module(target, clone, modules[0][i]);
    }
    return count;
}

static void test_clone_modules_are_the_targets(void **state)
{
    struct target *target = target_start();

    (void)state;
    target_call_text(target, TARGET_LOAD_LIBRARY, L"version.dll", 0, 0, 0, 0);
    HPSS snapshot = capture(target);
    assert_true(assert_same_modules(target->process, clone_of(snapshot), LIST_MODULES_DEFAULT) > 3);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_clone_modules_are_those_of_the_capture(void **state)
{
    struct target *target = target_start();
    HMODULE modules[MAX_MODULES];
    HPSS snapshot = capture(target);
    DWORD before = list_modules(clone_of(snapshot), modules, LIST_MODULES_DEFAULT);

    (void)state;
    target_call_text(target, TARGET_LOAD_LIBRARY, L"version.dll", 0, 0, 0, 0);
    assert_true(list_modules(target->process, modules, LIST_MODULES_DEFAULT) > before);
    assert_same(list_modules(clone_of(snapshot), modules, LIST_MODULES_DEFAULT), before);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_clone_modules_of_a_wow64_target_are_the_targets(void **state)
{
    static const DWORD lists[] = {LIST_MODULES_DEFAULT, LIST_MODULES_32BIT, LIST_MODULES_64BIT,
                                  LIST_MODULES_ALL};
    struct target *target = sizeof(void *) == 8 ? target_start_foreign() : NULL;
    DWORD found = 0;

    (void)state;
    if (!target)
        skip_because(NO_OTHER_BITNESS);
    HPSS snapshot = capture(target);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        found += assert_same_modules(target->process, clone_of(snapshot), lists[i]);
    assert_true(found > 0);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void assert_same_image_name(HANDLE target, HANDLE clone)
{
    WCHAR names[2][MAX_PATH] = {L"", L"-"};
    DWORD lengths[] = {MAX_PATH, MAX_PATH};

    assert_true(QueryFullProcessImageNameW(target, 0, names[0], &lengths[0]));
    assert_true(QueryFullProcessImageNameW(clone, 0, names[1], &lengths[1]));
    assert_same(lengths[1], lengths[0]);
    assert_true(!wcscmp(names[0], names[1]));
}

static void assert_same_bitness(HANDLE target, HANDLE clone)
{
    BOOL is_wow64[] = {2, 3};

    assert_true(IsWow64Process(target, &is_wow64[0]));
    assert_true(IsWow64Process(clone, &is_wow64[1]));
    assert_same(is_wow64[1], is_wow64[0]);
}

static void test_clone_image_name_and_bitness_are_the_targets(void **state)
{
    struct target *targets[] = {target_start(),
                                sizeof(void *) == 8 ? target_start_foreign() : NULL};

    (void)state;
    for (int i = 0; i < 2 && targets[i]; i++) {
        HPSS snapshot = capture(targets[i]);
        assert_same_image_name(targets[i]->process, clone_of(snapshot));
        assert_same_bitness(targets[i]->process, clone_of(snapshot));
        free_snapshot(snapshot);
    }
}

static void test_clone_is_a_process_of_its_own(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = capture(target);
    DWORD pid = GetProcessId(clone_of(snapshot));
    DWORD exit_code = 0;

    (void)state;
    assert_true(pid != 0);
    assert_true(pid != target->pid);
    assert_true(pid != GetCurrentProcessId());
    assert_true(GetExitCodeProcess(clone_of(snapshot), &exit_code));
    assert_same(exit_code, STILL_ACTIVE);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_clone_handle_has_all_access(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = capture(target);
    struct nt_object_basic basic = {0};

    (void)state;
    assert_true(
        NT_SUCCESS(NtQueryObject(clone_of(snapshot), (OBJECT_INFORMATION_CLASS)NT_OBJECT_BASIC,
                                 &basic, sizeof(basic), NULL)));
    assert_same(basic.access & STANDARD_RIGHTS_REQUIRED, STANDARD_RIGHTS_REQUIRED);
    assert_same(basic.access & 0xFFF, 0xFFF);
    assert_same(basic.attributes & 2, 0); /* not inherited by children of the client */
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_clone_reopened_by_pid_is_read_like_the_lent_handle(void **state)
{
    struct target *target = target_start();
    uint64_t memory =
        target_call(target, TARGET_ALLOCATE, 0, 0x8000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    (void)state;
    target_call(target, TARGET_FILL, memory, 0x8000, 7, 0);
    HPSS snapshot = capture(target);
    HANDLE clone = OpenProcess(PROCESS_VM_READ | PROCESS_QUERY_INFORMATION, FALSE,
                               GetProcessId(clone_of(snapshot)));
    assert_non_null(clone);
    clone_assert_pattern(clone, memory, 0x8000, 7);
    assert_same_image_name(target->process, clone);
    assert_same_bitness(target->process, clone);
    assert_true(assert_same_modules(target->process, clone, LIST_MODULES_DEFAULT) > 3);
    CloseHandle(clone);
    free_snapshot(snapshot);
    target_destroy(target);
}

static uint64_t peb_of(HANDLE process)
{
    struct nt_process_basic basic = {0};

    assert_true(NT_SUCCESS(NtQueryInformationProcess(process, (PROCESSINFOCLASS)NT_PROCESS_BASIC,
                                                     &basic, sizeof(basic), NULL)));
    return address_of(basic.peb);
}

/* Reads the command line as process viewers do. */
static void read_command_line(HANDLE process, WCHAR text[512])
{
    PEB peb;
    RTL_USER_PROCESS_PARAMETERS parameters;

    clone_read(process, peb_of(process), &peb, sizeof(peb));
    clone_read(process, address_of(peb.ProcessParameters), &parameters, sizeof(parameters));
    DWORD length = parameters.CommandLine.Length;
    assert_true(length > 0 && length < 512 * sizeof(WCHAR));
    clone_read(process, address_of(parameters.CommandLine.Buffer), text, length);
    text[length / sizeof(WCHAR)] = 0;
}

static void test_clone_environment_block_is_the_targets(void **state)
{
    struct target *target = target_start();
    HPSS snapshot = capture(target);
    WCHAR lines[2][512];
    PEB pebs[2];

    (void)state;
    assert_same(peb_of(clone_of(snapshot)), peb_of(target->process));
    clone_read(target->process, peb_of(target->process), &pebs[0], sizeof(pebs[0]));
    clone_read(clone_of(snapshot), peb_of(target->process), &pebs[1], sizeof(pebs[1]));
    assert_memory_equal(&pebs[0], &pebs[1], sizeof(pebs[0]));
    read_command_line(target->process, lines[0]);
    read_command_line(clone_of(snapshot), lines[1]);
    assert_true(!wcscmp(lines[0], lines[1]));
    assert_non_null(wcsstr(lines[1], L"pss-test-target"));
    free_snapshot(snapshot);
    target_destroy(target);
}

struct module_list {
    DWORD count;
    DWORD64 bases[MAX_MODULES];
};

static BOOL CALLBACK note_module(PCSTR name, DWORD64 base, PVOID context)
{
    struct module_list *list = (struct module_list *)context;

    (void)name;
    if (list->count < MAX_MODULES)
        list->bases[list->count++] = base;
    return TRUE;
}

/* Symbol handling that invades the process loads its modules by itself. */
static struct module_list invade(HANDLE process)
{
    struct module_list list = {0};

    assert_true(debug_help.initialize(process, NULL, TRUE));
    assert_true(debug_help.enumerate_modules(process, note_module, &list));
    assert_true(debug_help.cleanup(process));
    return list;
}

static bool is_listed(const struct module_list *list, DWORD64 base)
{
    for (DWORD i = 0; i < list->count; i++)
        if (list->bases[i] == base)
            return true;
    return false;
}

static void test_clone_symbols_know_the_targets_modules(void **state)
{
    HMODULE modules[MAX_MODULES];

    (void)state;
    struct target *target = target_start();
    if (!debug_help_can_invade(target->process))
        skip_because("the system\'s dbghelp cannot do this with any process");
    HPSS snapshot = capture(target);
    DWORD count = list_modules(target->process, modules, LIST_MODULES_DEFAULT);
    struct module_list found = invade(clone_of(snapshot));
    assert_true(found.count >= count);
    for (DWORD i = 0; i < count; i++)
        assert_true(is_listed(&found, address_of(modules[i])));
    free_snapshot(snapshot);
    target_destroy(target);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_clone_modules_are_the_targets),
        PSS_TEST(test_clone_modules_are_those_of_the_capture),
        PSS_TEST(test_clone_modules_of_a_wow64_target_are_the_targets),
        PSS_TEST(test_clone_image_name_and_bitness_are_the_targets),
        PSS_TEST(test_clone_is_a_process_of_its_own),
        PSS_TEST(test_clone_handle_has_all_access),
        PSS_TEST(test_clone_reopened_by_pid_is_read_like_the_lent_handle),
        PSS_TEST(test_clone_environment_block_is_the_targets),
        PSS_TEST(test_clone_symbols_know_the_targets_modules),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clone_modules", tests, debug_help_warm_up, NULL);
}
