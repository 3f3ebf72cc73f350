/* SPDX-License-Identifier: MIT */
/* Bytes in and out of a process; a file that fails is no reason to fail. */
#include "clone/route.h"

static int is_whole(NTSTATUS status, const IO_STATUS_BLOCK *io, uint32_t size)
{
    return NT_SUCCESS(status) && NT_SUCCESS(io->Status) && io->Information == size;
}

NTSTATUS pss_route_read(const struct pss_nt *nt, const struct pss_route *route, uint64_t address,
                        void *buffer, uint32_t size)
{
    LARGE_INTEGER offset = {.QuadPart = (LONGLONG)address};
    IO_STATUS_BLOCK io = {0};
    SIZE_T read = 0;
    NTSTATUS status;

    if (route->file && is_whole(nt->read_file(route->file, &io, buffer, size, &offset), &io, size))
        return STATUS_SUCCESS;
    status = nt->read_memory(route->process, (const void *)(ULONG_PTR)address, buffer, size, &read);
    if (NT_SUCCESS(status) && read != size)
        return STATUS_PARTIAL_COPY;
    return status;
}

NTSTATUS pss_route_write(const struct pss_nt *nt, const struct pss_route *route, uint64_t address,
                         const void *bytes, uint32_t size)
{
    LARGE_INTEGER offset = {.QuadPart = (LONGLONG)address};
    IO_STATUS_BLOCK io = {0};
    SIZE_T written = 0;
    NTSTATUS status;

    if (route->file && is_whole(nt->write_file(route->file, &io, bytes, size, &offset), &io, size))
        return STATUS_SUCCESS;
    status = nt->write_memory(route->process, (void *)(ULONG_PTR)address, bytes, size, &written);
    if (NT_SUCCESS(status) && written != size)
        return STATUS_PARTIAL_COPY;
    return status;
}

void pss_route_close(const struct pss_nt *nt, struct pss_route *route)
{
    if (route->file)
        nt->close(route->file);
    route->file = NULL;
}
