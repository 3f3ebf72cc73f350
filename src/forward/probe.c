/* SPDX-License-Identifier: MIT */
/* The probe: one real snapshot, from capture to free, each answer compared with the truth. */
#include "forward/probe.h"

struct probe {
    const struct pss_nt *nt;
    const struct pss_system_api *api;
    DWORD process_id;
    HPSS snapshot;   /* NULL before the capture and from the free on */
    HPSSWALK marker; /* likewise */
    int works;
};

/* The marker's memory: the process heap may be locked by a thread that has crashed. */
static void *WINAPI allocate(void *context, DWORD size)
{
    const struct pss_nt *nt = context;
    void *base = NULL;
    SIZE_T whole = size;

    return NT_SUCCESS(nt->allocate_memory(PSS_CURRENT_PROCESS, &base, 0, &whole,
                                          MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE))
               ? base
               : NULL;
}

static void WINAPI release(void *context, void *address)
{
    const struct pss_nt *nt = context;
    SIZE_T whole = 0;

    if (address)
        nt->free_memory(PSS_CURRENT_PROCESS, &address, &whole, MEM_RELEASE);
}

static int is_handle(const void *handle)
{
    return handle != NULL && handle != (const void *)(intptr_t)-1;
}

static int captures(struct probe *probe)
{
    return probe->api->capture(PSS_CURRENT_PROCESS,
                               PSS_CAPTURE_THREADS | PSS_CREATE_USE_VM_ALLOCATIONS, 0,
                               &probe->snapshot) == ERROR_SUCCESS &&
           is_handle(probe->snapshot);
}

static int queries(const struct probe *probe)
{
    PSS_PROCESS_INFORMATION process = {0};
    PSS_THREAD_INFORMATION threads = {0};

    return probe->api->query(probe->snapshot, PSS_QUERY_PROCESS_INFORMATION, &process,
                             sizeof(process)) == ERROR_SUCCESS &&
           process.ProcessId == probe->process_id &&
           probe->api->query(probe->snapshot, PSS_QUERY_THREAD_INFORMATION, &threads,
                             sizeof(threads)) == ERROR_SUCCESS &&
           threads.ThreadsCaptured != 0;
}

static int walks(struct probe *probe)
{
    PSS_ALLOCATOR allocator = {(void *)(uintptr_t)probe->nt, allocate, release};
    PSS_THREAD_ENTRY thread = {0};

    return probe->api->marker_create(&allocator, &probe->marker) == ERROR_SUCCESS &&
           is_handle(probe->marker) &&
           probe->api->walk(probe->snapshot, PSS_WALK_THREADS, probe->marker, &thread,
                            sizeof(thread)) == ERROR_SUCCESS &&
           thread.ProcessId == probe->process_id && thread.ThreadId != 0;
}

/* Each is forgotten first: what failed once, or raised, is not tried again. */
static int frees_marker(struct probe *probe)
{
    HPSSWALK marker = probe->marker;

    probe->marker = NULL;
    return probe->api->marker_free(marker) == ERROR_SUCCESS;
}

static int frees_snapshot(struct probe *probe)
{
    HPSS snapshot = probe->snapshot;

    probe->snapshot = NULL;
    return probe->api->free(PSS_CURRENT_PROCESS, snapshot) == ERROR_SUCCESS;
}

static void NTAPI try_all(void *argument)
{
    struct probe *probe = argument;

    probe->works = captures(probe) && queries(probe) && walks(probe) && frees_marker(probe) &&
                   frees_snapshot(probe);
}

static void NTAPI free_marker(void *argument)
{
    struct probe *probe = argument;

    if (is_handle(probe->marker))
        frees_marker(probe);
}

static void NTAPI free_snapshot(void *argument)
{
    struct probe *probe = argument;

    if (is_handle(probe->snapshot))
        frees_snapshot(probe);
}

int pss_system_api_works(const struct pss_nt *nt, const struct pss_system_api *api)
{
    struct probe probe = {.nt = nt, .api = api};
    NTSTATUS status;

    probe.process_id = (DWORD)(ULONG_PTR)nt->current_id().UniqueProcess;
    status = nt->call_guarded(try_all, &probe);
    if (NT_SUCCESS(status) && probe.works)
        return 1;
    /* What it took before it failed; whether that succeeds changes nothing. */
    nt->call_guarded(free_marker, &probe);
    nt->call_guarded(free_snapshot, &probe);
    return 0;
}

int pss_system_works(const struct pss_nt *nt)
{
    struct pss_system_api api;

    return NT_SUCCESS(pss_system_api_find(nt, &api)) && pss_system_api_works(nt, &api);
}
