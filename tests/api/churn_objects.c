/* SPDX-License-Identifier: MIT */
/* Objects of every kind, named after their type, so that a snapshot's own answers can be compared.
 */
#include "churn.h"

static const WCHAR *make_name(struct churn_worker *worker, enum churn_kind kind, WCHAR name[64])
{
    _snwprintf(name, 64, CHURN_NAME L"%ls-%lu-%u", churn_type_name(kind), GetCurrentProcessId(),
               churn_below(worker, 1u << 30));
    name[63] = 0;
    return name;
}

static HANDLE open_file(void)
{
    WCHAR path[MAX_PATH];

    GetModuleFileNameW(GetModuleHandleW(L"kernel32.dll"), path, MAX_PATH);
    return CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                       0, NULL);
}

static HANDLE open_key(void)
{
    HKEY key = NULL;

    RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"Software", 0, KEY_READ, &key);
    return key;
}

static HANDLE open_token(void)
{
    HANDLE token = NULL;

    OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token);
    return token;
}

static HANDLE open_unnamed(enum churn_kind kind)
{
    switch (kind) {
    case CHURN_File:
        return open_file();
    case CHURN_Key:
        return open_key();
    case CHURN_IoCompletion:
        return CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    case CHURN_Token:
        return open_token();
    case CHURN_Process:
        return OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
    default:
        return OpenThread(THREAD_ALL_ACCESS, FALSE, GetCurrentThreadId());
    }
}

HANDLE churn_open(struct churn_worker *worker, enum churn_kind kind, bool is_named)
{
    WCHAR text[64];
    const WCHAR *name = is_named ? make_name(worker, kind, text) : NULL;

    switch (kind) {
    case CHURN_Event:
        return CreateEventW(NULL, TRUE, FALSE, name);
    case CHURN_Mutant:
        return CreateMutexW(NULL, FALSE, name);
    case CHURN_Semaphore:
        return CreateSemaphoreW(NULL, 1, CHURN_SEMAPHORE, name);
    case CHURN_Section:
        return CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 0x10000, name);
    case CHURN_Timer:
        return CreateWaitableTimerW(NULL, TRUE, name);
    case CHURN_Job:
        return CreateJobObjectW(NULL, name);
    default:
        return open_unnamed(kind);
    }
}
