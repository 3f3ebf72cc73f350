/* SPDX-License-Identifier: MIT */
/* Whose processes are the caller's own, with tokens that the system makes: less rights, lower
 * levels, another user. What a system does not make true is skipped; the token is read back to find
 * out. */
#include "harness.h"
#include "identity.h"

#include <sddl.h>
#include <tlhelp32.h>

#define LOW_LEVEL     "S-1-16-4096"
#define WAIT_LIMIT_MS 60000u
#define REFUSED       20u /* exit codes of the judge */
#define ACCEPTED      21u

#ifndef DISABLE_MAX_PRIVILEGE
#define DISABLE_MAX_PRIVILEGE 1
#endif

/* A process that never begins, or has judged. */
struct started {
    HANDLE process, thread;
};

static HANDLE own_token(void)
{
    HANDLE token = NULL;

    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &token));
    return token;
}

/* A token like ours with a low level; NULL, and the test is skipped, where that is not possible. */
static HANDLE low_token(void)
{
    HANDLE own = own_token(), low = NULL;
    TOKEN_MANDATORY_LABEL label = {{NULL, SE_GROUP_INTEGRITY}};
    bool is_set;

    assert_true(
        DuplicateTokenEx(own, MAXIMUM_ALLOWED, NULL, SecurityImpersonation, TokenPrimary, &low));
    assert_true(ConvertStringSidToSidA(LOW_LEVEL, &label.Label.Sid));
    is_set = SetTokenInformation(low, TokenIntegrityLevel, &label,
                                 (DWORD)(sizeof(label) + GetLengthSid(label.Label.Sid)));
    LocalFree(label.Label.Sid);
    CloseHandle(own);
    if (is_set)
        return low;
    print_message("skipped: a token's level cannot be lowered: error %lu\n", GetLastError());
    CloseHandle(low);
    return NULL;
}

/* The level of a process; UINT32_MAX where it cannot be told. */
static uint32_t level_of(HANDLE process)
{
    union {
        TOKEN_MANDATORY_LABEL label;
        char room[sizeof(TOKEN_MANDATORY_LABEL) + SECURITY_MAX_SID_SIZE];
    } answer;
    uint32_t level = UINT32_MAX;
    HANDLE token = NULL;
    DWORD size;

    if (!OpenProcessToken(process, TOKEN_QUERY, &token))
        return level;
    if (GetTokenInformation(token, TokenIntegrityLevel, &answer, sizeof(answer), &size))
        level = *GetSidSubAuthority(answer.label.Label.Sid, 0);
    CloseHandle(token);
    return level;
}

/* This program once more, with a token; 0 where the system does not start it so. */
static bool start(HANDLE token, DWORD flags, const char *arguments, struct started *started)
{
    char path[MAX_PATH], line[MAX_PATH + 100];
    STARTUPINFOA startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION made;

    assert_in_range(GetModuleFileNameA(NULL, path, MAX_PATH), 1, MAX_PATH - 1);
    snprintf(line, sizeof(line), "\"%s\" %s", path, arguments);
    if (!CreateProcessAsUserA(token, path, line, NULL, NULL, TRUE, flags, NULL, NULL, &startup,
                              &made)) {
        print_message("skipped: no process with another token: error %lu\n", GetLastError());
        return false;
    }
    *started = (struct started){made.hProcess, made.hThread};
    return true;
}

static void end(const struct started *started)
{
    TerminateProcess(started->process, 1);
    assert_int_equal(WaitForSingleObject(started->process, WAIT_LIMIT_MS), WAIT_OBJECT_0);
    CloseHandle(started->thread);
    CloseHandle(started->process);
}

static void test_process_with_fewer_privileges_is_own(void **state)
{
    HANDLE own = own_token(), restricted = NULL;
    struct started started;
    bool is_started;

    (void)state;
    assert_true(
        CreateRestrictedToken(own, DISABLE_MAX_PRIVILEGE, 0, NULL, 0, NULL, 0, NULL, &restricted));
    is_started = start(restricted, CREATE_SUSPENDED, "", &started);
    CloseHandle(restricted);
    CloseHandle(own);
    if (!is_started)
        skip();
    assert_int_equal(identity_is_own(started.process), 1);
    end(&started);
}

/* Whether the system has made a level true: else the test means nothing. */
static bool is_low(const struct started *started)
{
    uint32_t level = level_of(started->process);

    if (level < level_of(GetCurrentProcess()))
        return true;
    print_message("skipped: a process with a low token is told to have level %#x\n", level);
    return false;
}

static void test_process_of_lower_level_is_own(void **state)
{
    HANDLE low = low_token();
    struct started started;

    (void)state;
    if (!low || !start(low, CREATE_SUSPENDED, "", &started))
        skip();
    CloseHandle(low);
    bool is_meant = is_low(&started);
    int is_own = identity_is_own(started.process);
    end(&started);
    if (!is_meant)
        skip();
    assert_int_equal(is_own, 1);
}

/* The judge has the low level; what it judges is this process, by a handle it inherits. */
static void test_process_of_higher_level_is_refused(void **state)
{
    HANDLE low = low_token(), self = NULL;
    struct started started;
    char arguments[64];
    DWORD code = 0;

    (void)state;
    assert_true(DuplicateHandle(GetCurrentProcess(), GetCurrentProcess(), GetCurrentProcess(),
                                &self, PROCESS_QUERY_INFORMATION, TRUE, 0));
    snprintf(arguments, sizeof(arguments), "--judge %llu", (unsigned long long)(uintptr_t)self);
    if (!low || !start(low, CREATE_SUSPENDED, arguments, &started))
        skip();
    CloseHandle(low);
    bool is_meant = is_low(&started);
    assert_int_equal(ResumeThread(started.thread), 1);
    assert_int_equal(WaitForSingleObject(started.process, WAIT_LIMIT_MS), WAIT_OBJECT_0);
    assert_true(GetExitCodeProcess(started.process, &code));
    end(&started);
    CloseHandle(self);
    if (!is_meant) {
        assert_int_equal(code, ACCEPTED); /* the judge did judge */
        skip();
    }
    assert_int_equal(code, REFUSED);
}

/* 1: another user's · 0: ours · -1: cannot be told. */
static int is_anothers(HANDLE process)
{
    union {
        TOKEN_USER user;
        char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } answers[2];
    HANDLE processes[2] = {GetCurrentProcess(), process}, token;
    DWORD size;

    for (int i = 0; i < 2; i++) {
        bool is_read;

        if (!OpenProcessToken(processes[i], TOKEN_QUERY, &token))
            return -1;
        is_read = GetTokenInformation(token, TokenUser, &answers[i], sizeof(answers[i]), &size);
        CloseHandle(token);
        if (!is_read)
            return -1;
    }
    return !EqualSid(answers[0].user.User.Sid, answers[1].user.User.Sid);
}

/* Each process that can be opened and is not our user's is refused, whatever can be told of it. */
static void test_processes_of_other_users_are_refused(void **state)
{
    PROCESSENTRY32 entry = {.dwSize = sizeof(entry)};
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    uint32_t others = 0;

    (void)state;
    assert_ptr_not_equal(all, INVALID_HANDLE_VALUE);
    for (BOOL is_one = Process32First(all, &entry); is_one; is_one = Process32Next(all, &entry)) {
        HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, entry.th32ProcessID);

        if (process && is_anothers(process)) {
            assert_int_equal(identity_is_own(process), 0);
            others++;
        }
        if (process)
            CloseHandle(process);
    }
    CloseHandle(all);
    if (others)
        return;
    print_message("skipped: every process that can be opened is this user's\n");
    skip();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process_with_fewer_privileges_is_own),
        cmocka_unit_test(test_process_of_lower_level_is_own),
        cmocka_unit_test(test_process_of_higher_level_is_refused),
        cmocka_unit_test(test_processes_of_other_users_are_refused),
    };

    if (argc == 3 && !strcmp(argv[1], "--judge"))
        return identity_is_own((HANDLE)(uintptr_t)_strtoui64(argv[2], NULL, 10)) ? (int)ACCEPTED
                                                                                 : (int)REFUSED;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
