/* SPDX-License-Identifier: MIT */
/* Query class 0, field by field, against what the system says of a target that stands still. */
#include "ledger.h"

#include <psapi.h>
#include <tlhelp32.h>

#include "nt_calls.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define WAIT_LIMIT_MS 20000u

static PSS_PROCESS_INFORMATION capture_information(HANDLE process)
{
    PSS_PROCESS_INFORMATION information;
    HPSS snapshot = NULL;

    assert_same(pss.capture(process, PSS_CAPTURE_NONE, 0, &snapshot), ERROR_SUCCESS);
    query_fully(snapshot, PSS_QUERY_PROCESS_INFORMATION, &information, sizeof(information));
    free_snapshot(snapshot);
    return information;
}

static struct nt_process_basic read_basic(HANDLE process)
{
    struct nt_process_basic basic = {0};

    assert_true(NT_SUCCESS(NtQueryInformationProcess(process, (PROCESSINFOCLASS)NT_PROCESS_BASIC,
                                                     &basic, sizeof(basic), NULL)));
    return basic;
}

static DWORD toolhelp_parent(DWORD pid)
{
    HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32 entry = {.dwSize = sizeof(entry)};
    DWORD parent = 0;

    for (BOOL more = Process32First(list, &entry); more; more = Process32Next(list, &entry))
        if (entry.th32ProcessID == pid)
            parent = entry.th32ParentProcessID;
    CloseHandle(list);
    return parent;
}

/* The times of the process in the bulk table: those of GetProcessTimes are the caller's on Wine. */
static void read_cpu_times(DWORD pid, uint64_t *kernel, uint64_t *user)
{
    const ULONG size = 1 << 20;
    char *table = (char *)malloc(size);
    ULONG used = 0;
    ULONG offset = 0;

    assert_non_null(table);
    assert_true(NT_SUCCESS(NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)NT_SYSTEM_PROCESSES,
                                                    table, size, &used)));
    for (;;) {
        const struct nt_system_process *row = (const struct nt_system_process *)(table + offset);
        if ((uintptr_t)row->pid == pid) {
            *kernel = (uint64_t)row->kernel_time.QuadPart;
            *user = (uint64_t)row->user_time.QuadPart;
            break;
        }
        assert_true(row->next_offset != 0);
        offset += row->next_offset;
    }
    free(table);
}

static void assert_image_name(HANDLE process, const WCHAR *name)
{
    WCHAR expected[1024];
    DWORD length = 1024;

    assert_true(QueryFullProcessImageNameW(process, 0, expected, &length));
    expected[MAX_PATH - 1] = 0;
    if (wcscmp(name, expected))
        fail_msg("\"%ls\" is not \"%ls\"", name, expected);
}

static void assert_identity(HANDLE process, DWORD pid, const PSS_PROCESS_INFORMATION *information)
{
    struct nt_process_basic basic = read_basic(process);
    FILETIME times[4];
    DWORD_PTR affinity[2];

    assert_true(GetProcessTimes(process, &times[0], &times[1], &times[2], &times[3]));
    assert_true(GetProcessAffinityMask(process, &affinity[0], &affinity[1]));
    assert_same(information->ExitStatus, STILL_ACTIVE);
    assert_ptr_equal(information->PebBaseAddress, basic.peb);
    assert_same(information->AffinityMask, affinity[0]);
    /* Wine tells its number of the class there. */
    known_difference(ON_WINE, information->BasePriority == basic.base_priority);
    assert_same(information->ProcessId, pid);
    assert_same(information->ParentProcessId, toolhelp_parent(pid));
    assert_same(filetime_value(information->CreateTime), filetime_value(times[0]));
    assert_same(filetime_value(information->ExitTime), 0);
    assert_same(information->PriorityClass, GetPriorityClass(process));
    assert_image_name(process, information->ImageFileName);
}

static DWORD expected_flags(HANDLE process)
{
    BOOL wow64 = FALSE;

    assert_true(IsWow64Process(process, &wow64));
    return wow64 ? PSS_PROCESS_FLAGS_WOW64 : PSS_PROCESS_FLAGS_NONE;
}

static void test_process_information_of_target_has_its_identity(void **state)
{
    struct target *target = target_start();
    PSS_PROCESS_INFORMATION information = capture_information(target->process);

    (void)state;
    assert_identity(target->process, target->pid, &information);
    assert_same(information.ParentProcessId, GetCurrentProcessId());
    assert_same(information.Flags, expected_flags(target->process));
    assert_same(information.BasePriority, 8);
    assert_same(information.PriorityClass, NORMAL_PRIORITY_CLASS);
    target_destroy(target);
}

static void test_process_information_of_self_has_its_identity(void **state)
{
    PSS_PROCESS_INFORMATION information = capture_information(GetCurrentProcess());

    (void)state;
    assert_identity(GetCurrentProcess(), GetCurrentProcessId(), &information);
    assert_same(information.Flags, expected_flags(GetCurrentProcess()));
    assert_true(information.PrivateUsage > 0);
}

static void test_process_information_of_wow64_target_says_so(void **state)
{
    struct target *target = sizeof(void *) == 8 ? target_start_foreign() : NULL;

    (void)state;
    if (!target)
        skip_because(NO_OTHER_BITNESS);
    PSS_PROCESS_INFORMATION information = capture_information(target->process);
    assert_identity(target->process, target->pid, &information);
    assert_same(information.Flags, PSS_PROCESS_FLAGS_WOW64);
    target_destroy(target);
}

static void test_process_information_times_equal_the_systems(void **state)
{
    struct target *target = target_start();
    uint64_t kernel[2] = {0};
    uint64_t user[2] = {0};

    (void)state;
    target_call(target, TARGET_PARK, FALSE, 0, 0, 0);
    /* The parked loop spins: processor time comes, however slowly the system counts it. */
    for (DWORD start = GetTickCount(); !user[0]; read_cpu_times(target->pid, &kernel[0], &user[0]))
        assert_true(GetTickCount() - start < WAIT_LIMIT_MS);
    target_freeze(target);
    read_cpu_times(target->pid, &kernel[0], &user[0]);
    PSS_PROCESS_INFORMATION information = capture_information(target->process);
    read_cpu_times(target->pid, &kernel[1], &user[1]);
    assert_true(filetime_value(information.UserTime) > 0);
    assert_in_range(filetime_value(information.UserTime), user[0], user[1]);
    assert_in_range(filetime_value(information.KernelTime), kernel[0], kernel[1]);
    target_thaw(target);
    target_destroy(target);
}

static void test_process_information_priority_follows_each_class(void **state)
{
    static const DWORD classes[][2] = {
        {IDLE_PRIORITY_CLASS, 4},   {BELOW_NORMAL_PRIORITY_CLASS, 6},
        {NORMAL_PRIORITY_CLASS, 8}, {ABOVE_NORMAL_PRIORITY_CLASS, 10},
        {HIGH_PRIORITY_CLASS, 13},  {REALTIME_PRIORITY_CLASS, 24},
    };
    struct target *target = target_start();

    (void)state;
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        assert_true(SetPriorityClass(target->process, classes[i][0]));
        /* Without the privilege the system gives HIGH for REALTIME. */
        DWORD given = GetPriorityClass(target->process);
        PSS_PROCESS_INFORMATION information = capture_information(target->process);
        assert_same(information.PriorityClass, given);
        if (given == classes[i][0])
            assert_same(information.BasePriority, classes[i][1]);
    }
    target_destroy(target);
}

static void test_process_information_affinity_follows_the_process(void **state)
{
    struct target *target = target_start();

    (void)state;
    assert_true(SetProcessAffinityMask(target->process, 1));
    assert_same(capture_information(target->process).AffinityMask, 1);
    target_destroy(target);
}

struct memory {
    PROCESS_MEMORY_COUNTERS_EX counters;
    struct nt_vm_counters kernel;
};

static struct memory read_memory(HANDLE process)
{
    struct memory memory = {0};

    memory.counters.cb = sizeof(memory.counters);
    assert_true(GetProcessMemoryInfo(process, (PROCESS_MEMORY_COUNTERS *)&memory.counters,
                                     sizeof(memory.counters)));
    assert_true(
        NT_SUCCESS(NtQueryInformationProcess(process, (PROCESSINFOCLASS)NT_PROCESS_VM_COUNTERS,
                                             &memory.kernel, sizeof(memory.kernel), NULL)));
    return memory;
}

static void assert_between(const char *field, uint64_t value, uint64_t one, uint64_t other)
{
    if ((value < one && value < other) || (value > one && value > other))
        fail_msg("%s: %llu is not between %llu and %llu", field, (unsigned long long)value,
                 (unsigned long long)one, (unsigned long long)other);
}

/* The counters of a frozen process hardly move; what does move lies between two readings. */
static void assert_memory(const PSS_PROCESS_INFORMATION *information, const struct memory *before,
                          const struct memory *after)
{
#define BETWEEN(field, member) \
    assert_between(#field, information->field, before->member, after->member)
    BETWEEN(PeakVirtualSize, kernel.peak_virtual_size);
    BETWEEN(VirtualSize, kernel.virtual_size);
    BETWEEN(PageFaultCount, counters.PageFaultCount);
    BETWEEN(PeakWorkingSetSize, counters.PeakWorkingSetSize);
    BETWEEN(WorkingSetSize, counters.WorkingSetSize);
    BETWEEN(QuotaPeakPagedPoolUsage, counters.QuotaPeakPagedPoolUsage);
    BETWEEN(QuotaPagedPoolUsage, counters.QuotaPagedPoolUsage);
    BETWEEN(QuotaPeakNonPagedPoolUsage, counters.QuotaPeakNonPagedPoolUsage);
    BETWEEN(QuotaNonPagedPoolUsage, counters.QuotaNonPagedPoolUsage);
    BETWEEN(PagefileUsage, counters.PagefileUsage);
    BETWEEN(PeakPagefileUsage, counters.PeakPagefileUsage);
#undef BETWEEN
    /* Wine leaves this one at 0. */
    known_difference(ON_WINE, information->PrivateUsage == before->counters.PrivateUsage ||
                                  information->PrivateUsage == after->counters.PrivateUsage);
}

static void test_process_information_memory_equals_the_systems(void **state)
{
    struct target *target = target_start();

    (void)state;
    target_call(target, TARGET_ALLOCATE, 0, 8 << 20, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    target_freeze(target);
    struct memory before = read_memory(target->process);
    PSS_PROCESS_INFORMATION information = capture_information(target->process);
    struct memory after = read_memory(target->process);
    assert_memory(&information, &before, &after);
    assert_true(information.PrivateUsage > 0);
    assert_true(information.VirtualSize > (8 << 20));
    assert_true(information.WorkingSetSize > 0);
    target_thaw(target);
    target_destroy(target);
}

static void test_process_information_execute_flags_equal_the_systems(void **state)
{
    struct target *target = target_start();
    ULONG flags = 0;

    (void)state;
    NTSTATUS status = NtQueryInformationProcess(
        target->process, (PROCESSINFOCLASS)NT_PROCESS_EXECUTE_FLAGS, &flags, sizeof(flags), NULL);
    assert_same(capture_information(target->process).ExecuteFlags, NT_SUCCESS(status) ? flags : 0);
    target_destroy(target);
}

static void test_process_information_of_killed_process_has_exit_code_and_time(void **state)
{
    struct target *target = target_start();
    FILETIME times[4];

    (void)state;
    assert_true(TerminateProcess(target->process, 0xC0DE1234));
    assert_same(WaitForSingleObject(target->process, WAIT_LIMIT_MS), WAIT_OBJECT_0);
    PSS_PROCESS_INFORMATION information = capture_information(target->process);
    assert_true(GetProcessTimes(target->process, &times[0], &times[1], &times[2], &times[3]));
    assert_same(information.ExitStatus, 0xC0DE1234);
    assert_same(information.ProcessId, target->pid);
    assert_same(filetime_value(information.CreateTime), filetime_value(times[0]));
    assert_same(filetime_value(information.ExitTime), filetime_value(times[1]));
    assert_true(filetime_value(information.ExitTime) != 0);
    target_destroy(target);
}

static void test_process_information_of_crashed_process_has_its_code(void **state)
{
    struct target *target = target_start();

    (void)state;
    target_call_fatal(target, TARGET_CRASH, 8);
    assert_same(capture_information(target->process).ExitStatus, 0xC0000005);
    target_destroy(target);
}

/* Makes nested directories until a file in them has a path longer than the structure holds. */
static DWORD make_long_directory(WCHAR path[600], WCHAR parts[8][600])
{
    WCHAR temporary[MAX_PATH];
    DWORD made = 0;

    GetTempPathW(MAX_PATH, temporary);
    _snwprintf(path, 600, L"\\\\?\\%lspss-test-%lu", temporary, GetCurrentProcessId());
    for (;;) {
        assert_true(CreateDirectoryW(path, NULL));
        wcscpy(parts[made++], path);
        if (wcslen(path) > 300 || made == 8)
            return made;
        wcscat(path, L"\\a-directory-with-a-name-of-about-sixty-characters-in-all-of-it");
    }
}

static bool start_from(WCHAR *path, PROCESS_INFORMATION *made)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};

    return CreateProcessW(path, NULL, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &startup,
                          made);
}

static void test_process_information_long_image_name_is_cut_and_terminated(void **state)
{
    static WCHAR parts[8][600];
    WCHAR source[MAX_PATH];
    WCHAR path[600];
    PROCESS_INFORMATION made = {0};
    DWORD count = make_long_directory(path, parts);

    (void)state;
    GetModuleFileNameW(NULL, source, MAX_PATH);
    wcscpy(wcsrchr(source, L'\\'), L"\\pss-test-target.exe");
    wcscat(path, L"\\target.exe");
    assert_true(CopyFileW(source, path, TRUE));
    bool started = start_from(path, &made);
    if (!started)
        print_message("cannot start a program with so long a path: error %lu\n", GetLastError());
    else {
        PSS_PROCESS_INFORMATION information = capture_information(made.hProcess);
        assert_image_name(made.hProcess, information.ImageFileName);
        assert_same(wcslen(information.ImageFileName), MAX_PATH - 1);
        TerminateProcess(made.hProcess, 0);
        WaitForSingleObject(made.hProcess, WAIT_LIMIT_MS);
        CloseHandle(made.hProcess);
        CloseHandle(made.hThread);
    }
    DeleteFileW(path);
    while (count--)
        RemoveDirectoryW(parts[count]);
    if (!started)
        skip_because("a program at a path of that length cannot be started here");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_process_information_of_target_has_its_identity),
        PSS_TEST(test_process_information_of_self_has_its_identity),
        PSS_TEST(test_process_information_of_wow64_target_says_so),
        PSS_TEST(test_process_information_times_equal_the_systems),
        PSS_TEST(test_process_information_priority_follows_each_class),
        PSS_TEST(test_process_information_affinity_follows_the_process),
        PSS_TEST(test_process_information_memory_equals_the_systems),
        PSS_TEST(test_process_information_execute_flags_equal_the_systems),
        PSS_TEST(test_process_information_of_killed_process_has_exit_code_and_time),
        PSS_TEST(test_process_information_of_crashed_process_has_its_code),
        PSS_TEST(test_process_information_long_image_name_is_cut_and_terminated),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("process_info", tests, ledger_warm_up, NULL);
}
