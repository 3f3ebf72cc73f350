/* SPDX-License-Identifier: MIT */
/* Starts the child beside the test, and reads and compares its memory. */
#include "child.h"

#include "nt_calls.h"

#define END_WAIT_MS 60000u

static bool is_foreign;

void child_use_foreign(void)
{
    is_foreign = true;
}

void child_module_path(const char *name, char path[MAX_PATH])
{
    GetModuleFileNameA(NULL, path, MAX_PATH);
    char *end = strrchr(path, '\\') + 1;
    snprintf(end, (size_t)(path + MAX_PATH - end), "%s%s", is_foreign ? "x86\\" : "", name);
}

/* A child that a failed test forgot does not outlive the test. */
static void end_with_test(HANDLE process)
{
    static HANDLE job; /* closed by the end of the test */
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation.LimitFlags =
                                                       JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};

    if (!job) {
        job = CreateJobObjectW(NULL, NULL);
        assert_true(SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits,
                                            sizeof(limits)));
    }
    assert_true(AssignProcessToJobObject(job, process));
}

static bool create(struct child *child)
{
    STARTUPINFOA startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION made;
    char path[MAX_PATH], line[2 * MAX_PATH];

    child_module_path(is_foreign ? "..\\shim-child-foreign.exe" : "shim-child.exe", path);
    snprintf(line, sizeof(line), "child shim-sample.dll shim-other.dll");
    if (!CreateProcessA(path, line, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &startup,
                        &made))
        return false;
    end_with_test(made.hProcess);
    *child =
        (struct child){.process = made.hProcess, .thread = made.hThread, .pid = made.dwProcessId};
    return true;
}

bool child_is_possible(void)
{
    struct child child;

    if (!create(&child))
        return false;
    child_end(&child);
    return true;
}

/* source: phnt ntpebteb.h, PEB.ImageBaseAddress, the third pointer */
void child_start(struct child *child)
{
    struct nt_process_basic basic;
    void *base = NULL;

    assert_true(create(child));
    child->is_out_of_reach = is_foreign && sizeof(void *) == 4;
    if (child->is_out_of_reach)
        return;
    assert_int_equal(NtQueryInformationProcess(child->process, (PROCESSINFOCLASS)NT_PROCESS_BASIC,
                                               &basic, sizeof(basic), NULL),
                     0);
    assert_true(ReadProcessMemory(child->process, (char *)basic.peb + 2 * sizeof(void *), &base,
                                  sizeof(base), NULL));
    child->base = base;
    child->is_64bit = sizeof(void *) == 8 && !is_foreign;
}

static void let_go(struct child *child)
{
    CloseHandle(child->thread);
    CloseHandle(child->process);
    memset(child, 0, sizeof(*child));
}

DWORD child_finish(struct child *child)
{
    DWORD code = 0;

    assert_int_equal(ResumeThread(child->thread), 1);
    if (WaitForSingleObject(child->process, END_WAIT_MS) != WAIT_OBJECT_0) {
        TerminateProcess(child->process, 1);
        fail_msg("the child did not end");
    }
    assert_true(GetExitCodeProcess(child->process, &code));
    let_go(child);
    return code;
}

void child_end(struct child *child)
{
    TerminateProcess(child->process, 1);
    assert_int_equal(WaitForSingleObject(child->process, END_WAIT_MS), WAIT_OBJECT_0);
    let_go(child);
}

void child_read_state(const struct child *child, struct child_state *state)
{
    const char *address = NULL;

    memset(state, 0, sizeof(*state));
    if (child->is_out_of_reach)
        return;
    assert_true(
        ReadProcessMemory(child->process, child->base, state->headers, CHILD_HEADERS, NULL));
    while (VirtualQueryEx(child->process, address, &state->regions[state->count],
                          sizeof(state->regions[0]))) {
        const MEMORY_BASIC_INFORMATION *region = &state->regions[state->count++];

        assert_true(state->count < CHILD_REGIONS);
        address = (const char *)region->BaseAddress + region->RegionSize;
    }
    assert_true(state->count > 5);
}

static bool is_same_region(const MEMORY_BASIC_INFORMATION *left,
                           const MEMORY_BASIC_INFORMATION *right, bool ignores_protection)
{
    return left->BaseAddress == right->BaseAddress && left->RegionSize == right->RegionSize &&
           left->State == right->State && left->Type == right->Type &&
           left->AllocationBase == right->AllocationBase &&
           (ignores_protection || left->Protect == right->Protect);
}

void child_assert_state(const struct child *child, const struct child_state *before, bool is_wider,
                        const char *where)
{
    static struct child_state now;

    child_read_state(child, &now);
    if (memcmp(now.headers, before->headers, CHILD_HEADERS) != 0)
        fail_msg("%s: the headers of the child have changed", where);
    if (now.count != before->count)
        fail_msg("%s: the child had %lu regions, and has %lu", where, before->count, now.count);
    for (DWORD i = 0; i < now.count; i++) {
        bool is_header = now.regions[i].BaseAddress == child->base;

        if (!is_same_region(&now.regions[i], &before->regions[i], is_wider && is_header))
            fail_msg("%s: the region at %p of the child has changed", where,
                     now.regions[i].BaseAddress);
    }
}

void child_write(const struct child *child, char *address, const void *bytes, SIZE_T size)
{
    DWORD old;

    assert_true(VirtualProtectEx(child->process, address, size, PAGE_READWRITE, &old));
    assert_true(WriteProcessMemory(child->process, address, bytes, size, NULL));
    assert_true(VirtualProtectEx(child->process, address, size, old, &old));
}
