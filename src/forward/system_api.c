/* SPDX-License-Identifier: MIT */
/* Finding the system's functions, without waiting long for the loader. */
#include "forward/system_api.h"

#include "forward/patience.h"

#define LOADER_TRIES 75u /* about a second altogether */

/* The first thread to wait for may be the one that has crashed, or stands still. */
static NTSTATUS lock_loader(const struct pss_nt *nt, ULONG_PTR *cookie)
{
    NTSTATUS status = nt->try_lock_loader(cookie);

    for (uint32_t i = 1; i < LOADER_TRIES && status == STATUS_LOCK_NOT_GRANTED; i++) {
        if (!pss_patience_pause(nt))
            break;
        status = nt->try_lock_loader(cookie);
    }
    return status;
}

static void find_documented(const struct pss_nt *nt, void *module, struct pss_system_api *api)
{
    *(void **)&api->capture = nt->find_export(module, "PssCaptureSnapshot");
    *(void **)&api->free = nt->find_export(module, "PssFreeSnapshot");
    *(void **)&api->query = nt->find_export(module, "PssQuerySnapshot");
    *(void **)&api->walk = nt->find_export(module, "PssWalkSnapshot");
    *(void **)&api->duplicate = nt->find_export(module, "PssDuplicateSnapshot");
    *(void **)&api->marker_create = nt->find_export(module, "PssWalkMarkerCreate");
    *(void **)&api->marker_free = nt->find_export(module, "PssWalkMarkerFree");
    *(void **)&api->marker_get_position = nt->find_export(module, "PssWalkMarkerGetPosition");
    *(void **)&api->marker_set_position = nt->find_export(module, "PssWalkMarkerSetPosition");
    *(void **)&api->marker_seek_to_beginning =
        nt->find_export(module, "PssWalkMarkerSeekToBeginning");
}

/* In no header, and the same as the last three. */
static void find_aliases(const struct pss_nt *nt, void *module, struct pss_system_api *api)
{
    *(void **)&api->marker_tell = nt->find_export(module, "PssWalkMarkerTell");
    *(void **)&api->marker_seek = nt->find_export(module, "PssWalkMarkerSeek");
    *(void **)&api->marker_rewind = nt->find_export(module, "PssWalkMarkerRewind");
    if (!api->marker_tell)
        api->marker_tell = api->marker_get_position;
    if (!api->marker_seek)
        api->marker_seek = api->marker_set_position;
    if (!api->marker_rewind)
        api->marker_rewind = api->marker_seek_to_beginning;
}

/* What has the functions of struct pss_system_api for its fields. */
union table {
    struct pss_system_api api;
    void *addresses[sizeof(struct pss_system_api) / sizeof(void *)];
};

#define FUNCTIONS (sizeof(union table) / sizeof(void *))

static NTSTATUS find_all(const struct pss_nt *nt, union table *table)
{
    void *module = nt->find_module(L"kernel32.dll");

    if (!module)
        return STATUS_DLL_NOT_FOUND;
    /* Most systems that have none lack the first one. */
    if (!nt->find_export(module, "PssCaptureSnapshot"))
        return STATUS_ENTRYPOINT_NOT_FOUND;
    find_documented(nt, module, &table->api);
    find_aliases(nt, module, &table->api);
    for (uint32_t i = 0; i < FUNCTIONS; i++)
        if (!table->addresses[i])
            return STATUS_ENTRYPOINT_NOT_FOUND;
    return STATUS_SUCCESS;
}

static NTSTATUS find_allocation(const struct pss_nt *nt, void *address, void **base)
{
    MEMORY_BASIC_INFORMATION region;
    NTSTATUS status = nt->query_memory(PSS_CURRENT_PROCESS, address, PSS_NT_MEMORY_BASIC, &region,
                                       sizeof(region), NULL);

    if (NT_SUCCESS(status))
        *base = region.State == MEM_FREE ? NULL : region.AllocationBase;
    return status;
}

static NTSTATUS check_foreign(const struct pss_nt *nt, const union table *table)
{
    void *own = NULL;
    NTSTATUS status = find_allocation(nt, (void *)(uintptr_t)pss_system_api_find, &own);

    for (uint32_t i = 0; i < FUNCTIONS && NT_SUCCESS(status); i++) {
        void *base = NULL;

        status = find_allocation(nt, table->addresses[i], &base);
        if (NT_SUCCESS(status) && base && base == own)
            return STATUS_ENTRYPOINT_NOT_FOUND;
    }
    return status;
}

NTSTATUS pss_system_api_find(const struct pss_nt *nt, struct pss_system_api *api)
{
    union table table;
    ULONG_PTR cookie = 0;
    NTSTATUS status = lock_loader(nt, &cookie);

    if (!NT_SUCCESS(status))
        return status;
    status = find_all(nt, &table);
    nt->unlock_loader(cookie);
    if (NT_SUCCESS(status))
        status = check_foreign(nt, &table);
    if (NT_SUCCESS(status))
        *api = table.api;
    return status;
}
