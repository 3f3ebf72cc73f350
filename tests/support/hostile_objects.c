/* SPDX-License-Identifier: MIT */
/* Processes with objects, locks and memory that are in the way. */
#include <stdio.h>
#include <string.h>

#include "hostile_become.h"

#include <aclapi.h>
#include <winternl.h>

#define PAGE  0x1000u
#define PIPES 12

/* ---- objects ---- */

static DWORD WINAPI read_for_ever(void *argument)
{
    HANDLE end, other;
    DWORD count;
    char byte;

    (void)argument;
    CreatePipe(&end, &other, NULL, 0);
    hostile_begun();
    ReadFile(end, &byte, 1, &count, NULL);
    return hostile_wait();
}

int become_blocked_pipes(void)
{
    for (int i = 0; i < PIPES; i++)
        if (!hostile_thread(read_for_ever))
            return 0;
    return 1;
}

/* Names of the greatest length, of surrogates without partners and of control characters. */
int become_odd_names(void)
{
    static WCHAR name[0x7f80];
    static const WCHAR characters[] = {0xd800, 0xdfff, 1, 0x7f, L'"', 0xffff, 0xfeff, L'%'};
    static const unsigned lengths[] = {1, 40, 259, 0x7f00};

    for (int i = 0; i < 32; i++) {
        unsigned length = lengths[i / 8], start;
        swprintf(name, 64, L"Local\\pss-hostile-%lu-%d-", GetCurrentProcessId(), i);
        for (start = 0; name[start]; start++)
            ;
        for (unsigned k = start; k < start + length && k < 0x7f7f; k++)
            name[k] = characters[i % 8];
        name[start + length < 0x7f7f ? start + length : 0x7f7f] = 0;
        CreateEventW(NULL, TRUE, FALSE, name);
    }
    return 1;
}

/* Handles that cannot be closed, that allow nothing, and that are of all kinds at once. */
int become_odd_handles(void)
{
    HANDLE self = GetCurrentProcess(), copy;

    for (int i = 0; i < 20; i++) {
        HANDLE event = CreateEventW(NULL, i % 2, i % 3, NULL);
        SetHandleInformation(event, HANDLE_FLAG_PROTECT_FROM_CLOSE | HANDLE_FLAG_INHERIT, 3);
        DuplicateHandle(self, event, self, &copy, 0, TRUE, 0);
        DuplicateHandle(self, event, self, &copy, SYNCHRONIZE, FALSE, 0);
    }
    DuplicateHandle(self, self, self, &copy, 0, FALSE, 0);
    DuplicateHandle(self, GetCurrentThread(), self, &copy, 0, FALSE, 0);
    CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    CreateJobObjectW(NULL, NULL);
    CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_RESERVE, 0x10, 0, NULL);
    OpenProcessToken(self, TOKEN_ALL_ACCESS, &copy);
    RegOpenKeyExW(HKEY_CURRENT_USER, NULL, 0, KEY_READ, (HKEY *)(void *)&copy);
    return 1;
}

static int deny_all(HANDLE object)
{
    ACL empty;

    return InitializeAcl(&empty, sizeof(empty), ACL_REVISION) &&
           SetSecurityInfo(object, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, &empty,
                           NULL) == ERROR_SUCCESS;
}

int become_denies(void)
{
    return deny_all(GetCurrentThread()) && deny_all(GetCurrentProcess());
}

typedef LONG NTAPI create_debug_function(HANDLE *handle, ACCESS_MASK access,
                                         OBJECT_ATTRIBUTES *attributes, ULONG flags);

int become_debug_object(void)
{
    create_debug_function *create = (create_debug_function *)(void *)GetProcAddress(
        GetModuleHandleA("ntdll.dll"), "NtCreateDebugObject");
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes)};
    HANDLE object;

    return create && create(&object, 0x1f000f, &attributes, 1) == 0;
}

/* A job that lets no second process in, and little memory. */
int become_small_job(void)
{
    HANDLE job = CreateJobObjectW(NULL, NULL);
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};

    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_ACTIVE_PROCESS |
                                              JOB_OBJECT_LIMIT_PROCESS_MEMORY |
                                              JOB_OBJECT_LIMIT_JOB_MEMORY;
    limits.BasicLimitInformation.ActiveProcessLimit = 1;
    limits.ProcessMemoryLimit = limits.JobMemoryLimit = 0x1000000;
    return SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits,
                                   sizeof(limits)) &&
           AssignProcessToJobObject(job, GetCurrentProcess());
}

/* ---- locks held by a thread that stands still ---- */

static DWORD WINAPI hold_heap(void *argument)
{
    (void)argument;
    HeapLock(GetProcessHeap());
    hostile_begun();
    for (;;)
        SuspendThread(GetCurrentThread());
    return 0;
}

int become_heap_lock(void)
{
    return hostile_thread(hold_heap) != NULL;
}

typedef LONG NTAPI lock_function(ULONG flags, ULONG *result, ULONG_PTR *cookie);

static DWORD WINAPI hold_loader(void *argument)
{
    lock_function *lock =
        (lock_function *)(void *)GetProcAddress(GetModuleHandleA("ntdll.dll"), "LdrLockLoaderLock");
    ULONG_PTR cookie;
    ULONG result;

    (void)argument;
    lock(0, &result, &cookie);
    hostile_begun();
    for (;;)
        SuspendThread(GetCurrentThread());
    return 0;
}

int become_loader_lock(void)
{
    return hostile_thread(hold_loader) != NULL;
}

/* ---- memory ---- */

int become_guard_pages(void)
{
    DWORD old;
    char *memory = (char *)VirtualAlloc(NULL, 600 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    for (int i = 0; memory && i < 600; i += 2)
        if (!VirtualProtect(memory + i * PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD, &old))
            return 0;
    return memory != NULL;
}

/* A stack that has been used to its last pages. */
static DWORD WINAPI go_down(void *argument)
{
    MEMORY_BASIC_INFORMATION region;
    volatile char here = 0;

    (void)argument;
    VirtualQuery((const void *)&here, &region, sizeof(region));
    for (volatile char *page = &here; page > (char *)region.AllocationBase + 4 * PAGE; page -= PAGE)
        *page = 1;
    hostile_begun();
    return hostile_wait();
}

int become_deep_stack(void)
{
    for (int i = 0; i < 4; i++)
        if (!hostile_thread(go_down))
            return 0;
    return 1;
}

/* All of a 32-bit address space. Of a larger one a part: Wine looks at each page that is asked for.
 */
int become_no_memory(void)
{
    SIZE_T size = 0x40000000;
    int left = sizeof(void *) == 8 ? 16 : 5000, count = 0;

    for (; size >= 0x10000; size /= 2)
        for (; count < left && VirtualAlloc(NULL, size, MEM_RESERVE, PAGE_NOACCESS); count++)
            ;
    return count > 0;
}
