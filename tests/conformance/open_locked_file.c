/* SPDX-License-Identifier: MIT */
/*
 * Open: what becomes of a capture of names where a thread of the target waits for the lock of a
 * file? Naming and closing a duplicate of its handle may wait as long.
 */
#include "answer.h"
#include "ledger.h"
#include "nt_calls.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define LIMIT_MS 60000u
#define NAMES    (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION)

static HANDLE open_file(const char *path, DWORD disposition)
{
    return CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                       disposition, 0, NULL);
}

/* The child: one handle has the lock, a wait for it is under way on the other, for ever. */
static int wait_for_lock(const char *path, HANDLE ready)
{
    HANDLE owner = open_file(path, OPEN_EXISTING), other = open_file(path, OPEN_EXISTING);
    OVERLAPPED place = {0};

    if (owner == INVALID_HANDLE_VALUE || other == INVALID_HANDLE_VALUE ||
        !LockFileEx(owner, LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &place))
        return 3;
    SetEvent(ready);
    LockFileEx(other, LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &place);
    return 4;
}

static HANDLE start_child(const char *path, HANDLE ready)
{
    char program[MAX_PATH], line[2 * MAX_PATH + 60];
    STARTUPINFOA start = {.cb = sizeof(start)};
    PROCESS_INFORMATION made;

    assert_in_range(GetModuleFileNameA(NULL, program, MAX_PATH), 1, MAX_PATH - 1);
    snprintf(line, sizeof(line), "\"%s\" --wait-for-lock \"%s\" %lu", program, path,
             (unsigned long)(uintptr_t)ready);
    assert_true(SetHandleInformation(ready, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT));
    assert_true(
        CreateProcessA(NULL, line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &start, &made));
    target_note_started(made.dwProcessId);
    assert_true(AssignProcessToJobObject(target_job(), made.hProcess));
    ResumeThread(made.hThread);
    CloseHandle(made.hThread);
    return made.hProcess;
}

static void make_file(char path[MAX_PATH])
{
    char directory[MAX_PATH];

    assert_in_range(GetTempPathA(MAX_PATH, directory), 1, MAX_PATH - 40);
    snprintf(path, MAX_PATH, "%spss-open-locked-%lu", directory, GetCurrentProcessId());
    HANDLE file = open_file(path, CREATE_ALWAYS);
    assert_true(file != INVALID_HANDLE_VALUE);
    CloseHandle(file);
}

static void end_child(HANDLE child, const char *path)
{
    TerminateProcess(child, 0);
    WaitForSingleObject(child, LIMIT_MS);
    CloseHandle(child);
    DeleteFileA(path);
}

static void test_names_of_a_file_that_is_waited_for_end(void **state)
{
    char path[MAX_PATH];
    HANDLE ready = CreateEventW(NULL, TRUE, FALSE, NULL);
    HPSS snapshot = NULL;

    (void)state;
    make_file(path);
    HANDLE child = start_child(path, ready);
    assert_same(WaitForSingleObject(ready, LIMIT_MS), WAIT_OBJECT_0);
    Sleep(100); /* it is on its way into the wait; an earlier capture would only ask less */
    DWORD handles = nt_handles_count(GetCurrentProcessId()), start = GetTickCount();
    DWORD error = pss.capture(child, NAMES, 0, &snapshot);
    DWORD took = elapsed_since(start), during = nt_handles_count(GetCurrentProcessId());
    end_child(child, path);
    CloseHandle(ready);
    DWORD after = nt_handles_count(GetCurrentProcessId());
    answer("the capture took %lu ms, error %lu", took, error);
    answer("handles of the caller: %lu before, %lu after the capture, %lu when the waiting "
           "process, its handle and the event were gone",
           handles, during, after);
    assert_same(error, ERROR_SUCCESS);
    pss.free(GetCurrentProcess(), snapshot);
    assert_true(took < LIMIT_MS);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_a_file_that_is_waited_for_end),
    };

    if (argc == 4 && !strcmp(argv[1], "--wait-for-lock"))
        return wait_for_lock(argv[2], (HANDLE)(uintptr_t)strtoul(argv[3], NULL, 10));
    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("open_locked_file", tests, ledger_warm_up, NULL);
}
