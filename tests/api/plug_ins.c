/* SPDX-License-Identifier: MIT */
/* Plug-ins that capture and are unloaded: no thread is left in code that is gone, nor code for
 * good. */
#include "plug_in.h"

#include <tlhelp32.h>

#include "rerun.h"
#include "under_test.h"

#define LIMIT_MS 20000u
#define OPTION   "--plug-in"

/* Exit codes of the program that loads a plug-in; none is one of a crash. */
enum outcome { FINE = 100, LOADED, NOT_LOADED, CAPTURE_FAILED, CODE_IS_GONE, HANGS, STAYS };

static DWORD next_thread(HANDLE list, THREADENTRY32 *entry, BOOL is_there)
{
    for (; is_there; is_there = Thread32Next(list, entry))
        if (entry->th32OwnerProcessID == GetCurrentProcessId() &&
            entry->th32ThreadID != GetCurrentThreadId())
            return entry->th32ThreadID;
    return 0;
}

/* Another thread of this process; NULL if there is none. */
static HANDLE open_other_thread(void)
{
    THREADENTRY32 entry = {.dwSize = sizeof(entry)};
    HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    DWORD id = next_thread(list, &entry, Thread32First(list, &entry));

    CloseHandle(list);
    return id ? OpenThread(SYNCHRONIZE, FALSE, id) : NULL;
}

/* Whoever was left behind begins now, works in the plug-in's code or that of pss.dll, and ends. */
static enum outcome wait_for_others(void)
{
    HANDLE thread;

    while ((thread = open_other_thread())) {
        if (WaitForSingleObject(thread, LIMIT_MS) != WAIT_OBJECT_0)
            return HANGS;
        CloseHandle(thread);
    }
    return FINE;
}

static enum outcome load_what_refuses(const char *name, const char *code)
{
    char result[8] = "";
    HANDLE thread;

    SetEnvironmentVariableA(PLUG_IN_REFUSES, "1");
    if (LoadLibraryA(name))
        return LOADED;
    thread = open_other_thread();
    if (thread && !GetModuleHandleA(code))
        return CODE_IS_GONE;
    GetEnvironmentVariableA(PLUG_IN_REFUSES, result, sizeof(result));
    return strcmp(result, "done") ? CAPTURE_FAILED : wait_for_others();
}

static enum outcome load_and_unload(const char *name, const char *code)
{
    HMODULE module = LoadLibraryA(name);
    plug_in_function *capture;

    if (!module)
        return NOT_LOADED;
    *(void **)&capture = (void *)(uintptr_t)GetProcAddress(module, "plug_in_capture");
    if (capture())
        return CAPTURE_FAILED;
    FreeLibrary(module);
    return GetModuleHandleA(name) || GetModuleHandleA(code) ? STAYS : FINE;
}

#define SHARED "pss-test-plug-in.dll"
#define STATIC "pss-test-plug-in-static.dll"

static enum outcome run(const char *word)
{
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    if (!strcmp(word, "refuse-shared"))
        return load_what_refuses(SHARED, "pss.dll");
    if (!strcmp(word, "refuse-static"))
        return load_what_refuses(STATIC, STATIC);
    if (!strcmp(word, "unload-shared"))
        return load_and_unload(SHARED, "pss.dll");
    return load_and_unload(STATIC, STATIC);
}

/* Under Wine no thread begins while one is in a DllMain: the library leaves its own behind. */
static void test_plug_in_that_captures_and_refuses_to_load_harms_nobody(void **state)
{
    (void)state;
    assert_int_equal(rerun(OPTION, "refuse-shared"), FINE);
    assert_int_equal(rerun(OPTION, "refuse-static"), FINE);
}

static void test_plug_in_that_has_captured_can_be_unloaded(void **state)
{
    (void)state;
    assert_int_equal(rerun(OPTION, "unload-shared"), FINE);
    assert_int_equal(rerun(OPTION, "unload-static"), FINE);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plug_in_that_captures_and_refuses_to_load_harms_nobody),
        cmocka_unit_test(test_plug_in_that_has_captured_can_be_unloaded),
    };

    if (argc == 3 && !strcmp(argv[1], OPTION))
        return (int)run(argv[2]);
    SetEnvironmentVariableA("PSS_FORWARD", "0");
    return cmocka_run_group_tests_name("plug_ins", tests, NULL, NULL);
}
