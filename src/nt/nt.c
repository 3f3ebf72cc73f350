/* SPDX-License-Identifier: MIT */
/* The real system behind the seam: native functions are named here, and one in guard.c. */
#include "nt/nt.h"

#include "nt/exports.h"
#include "nt/guard.h"

#include <stddef.h>

#define NATIVE(result, name, ...) NTSYSAPI result NTAPI name(__VA_ARGS__)

/* source: phnt; the prototypes that winternl.h lacks or gives with other types */
NATIVE(NTSTATUS, NtOpenProcess, HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, CLIENT_ID *);
NATIVE(NTSTATUS, NtDuplicateObject, HANDLE, HANDLE, HANDLE, HANDLE *, ACCESS_MASK, ULONG, ULONG);
NATIVE(NTSTATUS, NtGetNextThread, HANDLE, HANDLE, ACCESS_MASK, ULONG, ULONG, HANDLE *);
NATIVE(NTSTATUS, NtSuspendThread, HANDLE, ULONG *);
NATIVE(NTSTATUS, NtResumeThread, HANDLE, ULONG *);
NATIVE(NTSTATUS, NtGetContextThread, HANDLE, CONTEXT *);
NATIVE(NTSTATUS, NtCreateThreadEx, HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, HANDLE, void *,
       void *, ULONG, SIZE_T, SIZE_T, SIZE_T, void *);
NATIVE(NTSTATUS, NtTerminateThread, HANDLE, NTSTATUS);
NATIVE(NTSTATUS, NtQueryPerformanceCounter, LARGE_INTEGER *, LARGE_INTEGER *);
NATIVE(NTSTATUS, NtQueryVirtualMemory, HANDLE, void *, ULONG, void *, SIZE_T, SIZE_T *);
NATIVE(NTSTATUS, NtReadVirtualMemory, HANDLE, const void *, void *, SIZE_T, SIZE_T *);
NATIVE(NTSTATUS, NtAllocateVirtualMemory, HANDLE, void **, ULONG_PTR, SIZE_T *, ULONG, ULONG);
NATIVE(NTSTATUS, NtFreeVirtualMemory, HANDLE, void **, SIZE_T *, ULONG);
NATIVE(NTSTATUS, NtCreateSection, HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, LARGE_INTEGER *,
       ULONG, ULONG, HANDLE);
NATIVE(NTSTATUS, NtMapViewOfSection, HANDLE, HANDLE, void **, ULONG_PTR, SIZE_T, LARGE_INTEGER *,
       SIZE_T *, ULONG, ULONG, ULONG);
NATIVE(NTSTATUS, NtUnmapViewOfSection, HANDLE, void *);
NATIVE(NTSTATUS, NtWriteVirtualMemory, HANDLE, void *, const void *, SIZE_T, SIZE_T *);
NATIVE(NTSTATUS, NtProtectVirtualMemory, HANDLE, void **, SIZE_T *, ULONG, ULONG *);
NATIVE(NTSTATUS, NtCreateEvent, HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, ULONG, BOOLEAN);
NATIVE(NTSTATUS, NtSetEvent, HANDLE, LONG *);
NATIVE(NTSTATUS, NtCreateMutant, HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, BOOLEAN);
NATIVE(NTSTATUS, NtReleaseMutant, HANDLE, LONG *);
NATIVE(NTSTATUS, NtCreateUserProcess, HANDLE *, HANDLE *, ACCESS_MASK, ACCESS_MASK,
       OBJECT_ATTRIBUTES *, OBJECT_ATTRIBUTES *, ULONG, ULONG, struct pss_nt_process_parameters *,
       struct pss_nt_create_info *, struct pss_nt_process_attributes *);
NATIVE(NTSTATUS, NtCreateJobObject, HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *);
NATIVE(NTSTATUS, NtSetInformationJobObject, HANDLE, ULONG, void *, ULONG);
NATIVE(NTSTATUS, NtAssignProcessToJobObject, HANDLE, HANDLE);
NATIVE(NTSTATUS, NtTerminateProcess, HANDLE, NTSTATUS);
NATIVE(NTSTATUS, NtQueryDirectoryFile, HANDLE, HANDLE, void *, void *, IO_STATUS_BLOCK *, void *,
       ULONG, ULONG, BOOLEAN, UNICODE_STRING *, BOOLEAN);
NATIVE(NTSTATUS, NtReadFile, HANDLE, HANDLE, void *, void *, IO_STATUS_BLOCK *, void *, ULONG,
       LARGE_INTEGER *, ULONG *);
NATIVE(NTSTATUS, NtWriteFile, HANDLE, HANDLE, void *, void *, IO_STATUS_BLOCK *, const void *,
       ULONG, LARGE_INTEGER *, ULONG *);
NATIVE(NTSTATUS, NtQueryEvent, HANDLE, ULONG, void *, ULONG, ULONG *);
NATIVE(NTSTATUS, NtQueryMutant, HANDLE, ULONG, void *, ULONG, ULONG *);
NATIVE(NTSTATUS, NtQuerySemaphore, HANDLE, ULONG, void *, ULONG, ULONG *);
NATIVE(NTSTATUS, NtQuerySection, HANDLE, ULONG, void *, SIZE_T, SIZE_T *);
NATIVE(void *, RtlAllocateHeap, HANDLE, ULONG, SIZE_T);
NATIVE(BOOLEAN, RtlFreeHeap, HANDLE, ULONG, void *);
NATIVE(ULONG, RtlNtStatusToDosErrorNoTeb, NTSTATUS);
NATIVE(NTSTATUS, LdrGetDllHandle, PCWSTR, ULONG *, UNICODE_STRING *, HANDLE *);
NATIVE(NTSTATUS, LdrGetProcedureAddress, HANDLE, STRING *, ULONG, void **);
NATIVE(NTSTATUS, LdrLockLoaderLock, ULONG, ULONG *, ULONG_PTR *);
NATIVE(NTSTATUS, LdrUnlockLoaderLock, ULONG, ULONG_PTR);
NATIVE(NTSTATUS, LdrAddRefDll, ULONG, void *);
NATIVE(NTSTATUS, NtDelayExecution, BOOLEAN, LARGE_INTEGER *);
NATIVE(NTSTATUS, RtlQueryEnvironmentVariable_U, void *, UNICODE_STRING *, UNICODE_STRING *);
NATIVE(BOOLEAN, RtlTryEnterCriticalSection, void *);
NATIVE(NTSTATUS, RtlLeaveCriticalSection, void *);
NATIVE(ULONG, RtlGetLastWin32Error, void);
NATIVE(void, RtlSetLastWin32Error, ULONG);

#define ASSERT_SIZE(type, x64, x86) \
    _Static_assert(sizeof(type) == (sizeof(void *) == 8 ? (x64) : (x86)), #type)

ASSERT_SIZE(struct pss_nt_handle_row, 40, 28);
ASSERT_SIZE(struct pss_nt_thread_row, 136, 96);
ASSERT_SIZE(struct pss_nt_process_basic, 48, 24);
ASSERT_SIZE(struct pss_nt_vm_counters, 96, 48);
ASSERT_SIZE(struct pss_nt_times, 32, 32);
ASSERT_SIZE(struct pss_nt_thread_basic, 48, 28);
ASSERT_SIZE(struct pss_nt_last_syscall, 16, 8);
ASSERT_SIZE(struct pss_nt_object_basic, 56, 56);
ASSERT_SIZE(struct pss_nt_process_attribute, 32, 16);
ASSERT_SIZE(struct pss_nt_create_info, 88, 72);
ASSERT_SIZE(struct pss_nt_process_parameters, 1024, 664);
_Static_assert(offsetof(struct pss_nt_process_row, threads) == (sizeof(void *) == 8 ? 256 : 184),
               "process row");

/* GCC 12 takes the segment-relative address inside NtCurrentTeb for an array of no size. */
#pragma GCC diagnostic ignored "-Warray-bounds"

static CLIENT_ID NTAPI current_id(void)
{
    /* source: winternl.h leaves the field out; its place is in phnt ntpebteb.h, TEB.ClientId */
    return *(const CLIENT_ID *)((const char *)NtCurrentTeb() + 8 * sizeof(void *));
}

static ULONGLONG NTAPI read_tsc(void)
{
    return __builtin_ia32_rdtsc();
}

/* source: phnt ntpebteb.h, the PEB pointer of the TEB and pointers of the PEB by their index */
static void *peb_pointer(uint32_t index)
{
    const char *teb = (const char *)NtCurrentTeb();
    const char *peb = *(const char *const *)(teb + 12 * sizeof(void *));

    return *(void *const *)(peb + index * sizeof(void *));
}

static HANDLE process_heap(void)
{
    return peb_pointer(6); /* PEB.ProcessHeap */
}

static void *NTAPI allocate_heap(SIZE_T size)
{
    return RtlAllocateHeap(process_heap(), 0, size);
}

static void NTAPI free_heap(void *address)
{
    if (address)
        RtlFreeHeap(process_heap(), 0, address);
}

static NTSTATUS NTAPI try_lock_loader(ULONG_PTR *cookie)
{
    /* source: phnt ntldr.h, LDR_LOCK_LOADER_LOCK_FLAG_TRY_ONLY and ..._DISPOSITION_LOCK_ACQUIRED */
    static const ULONG try_only = 2, acquired = 1;
    ULONG disposition = 0;
    NTSTATUS status = LdrLockLoaderLock(try_only, &disposition, cookie);

    return NT_SUCCESS(status) && disposition != acquired ? STATUS_LOCK_NOT_GRANTED : status;
}

static void NTAPI unlock_loader(ULONG_PTR cookie)
{
    LdrUnlockLoaderLock(0, cookie); /* Fails for a wrong number only. */
}

static BOOLEAN NTAPI owns_loader_lock(void)
{
    /* source: phnt ntpebteb.h, PEB.LoaderLock; winnt.h, RTL_CRITICAL_SECTION */
    static const uint32_t loader_lock = sizeof(void *) == 8 ? 0x110 / 8 : 0xA0 / 4;
    const RTL_CRITICAL_SECTION *lock = peb_pointer(loader_lock);

    return lock &&
           __atomic_load_n(&lock->OwningThread, __ATOMIC_ACQUIRE) == current_id().UniqueThread;
}

static void *NTAPI find_module(const WCHAR *name)
{
    UNICODE_STRING text;
    HANDLE module = NULL;

    RtlInitUnicodeString(&text, name);
    return NT_SUCCESS(LdrGetDllHandle(NULL, NULL, &text, &module)) ? module : NULL;
}

static void *NTAPI find_export(void *module, const char *name)
{
    STRING text;
    void *address = NULL;

    RtlInitAnsiString(&text, name);
    return NT_SUCCESS(LdrGetProcedureAddress(module, &text, 0, &address)) ? address : NULL;
}

#define LOADER_TRIES 225 /* about three seconds */

/* Who holds the lock may wait for this very thread, or be suspended for good. */
static NTSTATUS lock_loader(ULONG_PTR *cookie)
{
    LARGE_INTEGER pause = {.QuadPart = -10 * 10000}; /* 100 ns; negative is from now on */
    NTSTATUS status = try_lock_loader(cookie);

    for (int i = 1; i < LOADER_TRIES && status == STATUS_LOCK_NOT_GRANTED; i++) {
        NtDelayExecution(FALSE, &pause); /* or try at once */
        status = try_lock_loader(cookie);
    }
    return status;
}

#define MODULE_REGIONS 64u /* that are looked at: no ntdll has as many */

/* The bytes from the start of an image that can be read. */
static SIZE_T readable_size(void *base)
{
    MEMORY_BASIC_INFORMATION region;
    char *end = base;

    for (uint32_t i = 0; i < MODULE_REGIONS; i++) {
        NTSTATUS status = NtQueryVirtualMemory(PSS_CURRENT_PROCESS, end, PSS_NT_MEMORY_BASIC,
                                               &region, sizeof(region), NULL);

        if (!NT_SUCCESS(status) || region.State != MEM_COMMIT || region.AllocationBase != base ||
            region.Protect & (PAGE_NOACCESS | PAGE_GUARD))
            break;
        end = (char *)region.BaseAddress + region.RegionSize;
    }
    return (SIZE_T)(end - (char *)base);
}

static int open_module_at(void *address, struct pss_module *module)
{
    MEMORY_BASIC_INFORMATION region;
    NTSTATUS status = NtQueryVirtualMemory(PSS_CURRENT_PROCESS, address, PSS_NT_MEMORY_BASIC,
                                           &region, sizeof(region), NULL);

    return NT_SUCCESS(status) && region.Type == MEM_IMAGE &&
           pss_module_open(region.AllocationBase, readable_size(region.AllocationBase), module);
}

/* By functions that the loader has bound to ntdll; somebody may have redirected one of them. */
static int open_ntdll(struct pss_module *ntdll)
{
    void *const functions[] = {(void *)(uintptr_t)NtQueryVirtualMemory,
                               (void *)(uintptr_t)RtlGetLastWin32Error,
                               (void *)(uintptr_t)NtDelayExecution};

    for (uint32_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (open_module_at(functions[i], ntdll) && pss_module_is_named(ntdll, "ntdll.dll"))
            return 1;
    return 0;
}

static void *NTAPI find_service(const char *name)
{
    struct pss_module ntdll;

    return open_ntdll(&ntdll) ? pss_module_find_export(&ntdll, name) : NULL;
}

static NTSTATUS NTAPI pin_module(const void *address)
{
    static const ULONG pin = 1; /* source: phnt ntldr.h, LDR_ADDREF_DLL_PIN; since Windows XP */
    MEMORY_BASIC_INFORMATION region;
    ULONG_PTR cookie = 0;
    NTSTATUS status = NtQueryVirtualMemory(PSS_CURRENT_PROCESS, (void *)(ULONG_PTR)address,
                                           PSS_NT_MEMORY_BASIC, &region, sizeof(region), NULL);

    if (NT_SUCCESS(status))
        status = lock_loader(&cookie);
    if (!NT_SUCCESS(status))
        return status;
    status = LdrAddRefDll(pin, region.AllocationBase);
    unlock_loader(cookie);
    return status;
}

static NTSTATUS NTAPI query_environment(const WCHAR *name, WCHAR *value, USHORT size)
{
    void *lock = peb_pointer(7); /* PEB.FastPebLock, which guards the environment */
    UNICODE_STRING name_text, value_text = {0, (USHORT)(size - sizeof(WCHAR)), value};
    NTSTATUS status;

    if (!RtlTryEnterCriticalSection(lock))
        return STATUS_LOCK_NOT_GRANTED;
    RtlInitUnicodeString(&name_text, name);
    status = RtlQueryEnvironmentVariable_U(NULL, &name_text, &value_text);
    RtlLeaveCriticalSection(lock);
    if (NT_SUCCESS(status))
        value[value_text.Length / sizeof(WCHAR)] = 0;
    return status;
}

static NTSTATUS NTAPI call_guarded(pss_nt_routine *routine, void *argument)
{
    ULONG last_error = RtlGetLastWin32Error();
    NTSTATUS status = pss_guard_call(routine, argument);

    RtlSetLastWin32Error(last_error);
    return status;
}

/* winternl.h declares the class numbers as enums; the table takes plain numbers. */
static NTSTATUS NTAPI query_process(HANDLE process, ULONG class_number, void *buffer, ULONG size,
                                    ULONG *returned)
{
    return NtQueryInformationProcess(process, (PROCESSINFOCLASS)class_number, buffer, size,
                                     returned);
}

static NTSTATUS NTAPI query_thread(HANDLE thread, ULONG class_number, void *buffer, ULONG size,
                                   ULONG *returned)
{
    return NtQueryInformationThread(thread, (THREADINFOCLASS)class_number, buffer, size, returned);
}

static NTSTATUS NTAPI query_system(ULONG class_number, void *buffer, ULONG size, ULONG *returned)
{
    return NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)class_number, buffer, size, returned);
}

static NTSTATUS NTAPI query_object(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                                   ULONG *returned)
{
    return NtQueryObject(handle, (OBJECT_INFORMATION_CLASS)class_number, buffer, size, returned);
}

static NTSTATUS NTAPI list_directory(HANDLE directory, IO_STATUS_BLOCK *io, void *buffer,
                                     ULONG size, BOOLEAN restart)
{
    static const ULONG names = 12; /* source: wdm.h, FileNamesInformation */

    return NtQueryDirectoryFile(directory, NULL, NULL, NULL, io, buffer, size, names, FALSE, NULL,
                                restart);
}

static NTSTATUS NTAPI read_file(HANDLE file, IO_STATUS_BLOCK *io, void *buffer, ULONG size,
                                LARGE_INTEGER *offset)
{
    return NtReadFile(file, NULL, NULL, NULL, io, buffer, size, offset, NULL);
}

static NTSTATUS NTAPI write_file(HANDLE file, IO_STATUS_BLOCK *io, const void *buffer, ULONG size,
                                 LARGE_INTEGER *offset)
{
    return NtWriteFile(file, NULL, NULL, NULL, io, buffer, size, offset, NULL);
}

static const struct pss_nt nt_system = {
    .open_process = NtOpenProcess,
    .query_process = query_process,
    .get_next_thread = NtGetNextThread,
    .query_thread = query_thread,
    .suspend_thread = NtSuspendThread,
    .resume_thread = NtResumeThread,
    .get_context = NtGetContextThread,
    .create_thread = NtCreateThreadEx,
    .terminate_thread = NtTerminateThread,
    .wait = NtWaitForSingleObject,
    .create_event = NtCreateEvent,
    .set_event = NtSetEvent,
    .create_mutant = NtCreateMutant,
    .release_mutant = NtReleaseMutant,
    .create_user_process = NtCreateUserProcess,
    .create_job = NtCreateJobObject,
    .set_job = NtSetInformationJobObject,
    .assign_job = NtAssignProcessToJobObject,
    .terminate_process = NtTerminateProcess,
    .query_system = query_system,
    .query_time = NtQuerySystemTime,
    .query_counter = NtQueryPerformanceCounter,
    .query_memory = NtQueryVirtualMemory,
    .read_memory = NtReadVirtualMemory,
    .write_memory = NtWriteVirtualMemory,
    .protect_memory = NtProtectVirtualMemory,
    .allocate_memory = NtAllocateVirtualMemory,
    .free_memory = NtFreeVirtualMemory,
    .create_section = NtCreateSection,
    .map_view = NtMapViewOfSection,
    .unmap_view = NtUnmapViewOfSection,
    .open_file = NtOpenFile,
    .list_directory = list_directory,
    .read_file = read_file,
    .write_file = write_file,
    .duplicate = NtDuplicateObject,
    .close = NtClose,
    .query_object = query_object,
    .query_event = NtQueryEvent,
    .query_mutant = NtQueryMutant,
    .query_semaphore = NtQuerySemaphore,
    .query_section = NtQuerySection,
    .capture_context = RtlCaptureContext,
    .current_id = current_id,
    .read_tsc = read_tsc,
    .allocate_heap = allocate_heap,
    .free_heap = free_heap,
    .find_service = find_service,
    .pin_module = pin_module,
    .try_lock_loader = try_lock_loader,
    .unlock_loader = unlock_loader,
    .owns_loader_lock = owns_loader_lock,
    .find_module = find_module,
    .find_export = find_export,
    .query_environment = query_environment,
    .delay = NtDelayExecution,
    .call_guarded = call_guarded,
};

const struct pss_nt *pss_nt_system(void)
{
    return &nt_system;
}

DWORD pss_nt_win32_error(NTSTATUS status)
{
    return RtlNtStatusToDosErrorNoTeb(status);
}
