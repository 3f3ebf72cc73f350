/* SPDX-License-Identifier: MIT */
/* Starts the running program anew and waits for it. */
#include "rerun.h"

#define WAIT_LIMIT_MS 60000u

DWORD rerun(const char *option, const char *word)
{
    char path[MAX_PATH], line[MAX_PATH + 100];
    STARTUPINFOA start = {.cb = sizeof(start)};
    PROCESS_INFORMATION child;
    DWORD code = 0;

    assert_in_range(GetModuleFileNameA(NULL, path, MAX_PATH), 1, MAX_PATH - 1);
    snprintf(line, sizeof(line), "\"%s\" %s %s", path, option, word);
    assert_true(CreateProcessA(path, line, NULL, NULL, FALSE, 0, NULL, NULL, &start, &child));
    assert_int_equal(WaitForSingleObject(child.hProcess, WAIT_LIMIT_MS), WAIT_OBJECT_0);
    assert_true(GetExitCodeProcess(child.hProcess, &code));
    CloseHandle(child.hThread);
    CloseHandle(child.hProcess);
    return code;
}
