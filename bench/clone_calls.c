/* SPDX-License-Identifier: MIT */
/* Clones by the library in here, over a system that shows no process's memory as a file. */
#include "api/api.h"
#include "clone.h"
#include "fail.h"
#include "nt/nt.h"

#include <string.h>

static void require(const char *function, NTSTATUS status)
{
    if (!NT_SUCCESS(status))
        fail(function, pss_nt_win32_error(status));
}

/* The system below shows its own files under this name. */
static NTSTATUS NTAPI open_other_file(HANDLE *file, ACCESS_MASK access,
                                      OBJECT_ATTRIBUTES *attributes, IO_STATUS_BLOCK *io,
                                      ULONG share, ULONG options)
{
    static const WCHAR refused[] = L"\\??\\unix\\";
    const UNICODE_STRING *name = attributes->ObjectName;
    size_t size = sizeof refused - sizeof refused[0];

    if (name->Length >= size && memcmp(name->Buffer, refused, size) == 0)
        return STATUS_OBJECT_PATH_NOT_FOUND;
    return pss_nt_system()->open_file(file, access, attributes, io, share, options);
}

/* Lives as long as the program: a capture that is given up may still use it. */
static const struct pss_nt *system_by_calls(void)
{
    static struct pss_nt nt;

    if (nt.open_file == NULL) {
        nt = *pss_nt_system();
        nt.open_file = open_other_file;
    }
    return &nt;
}

static HPSS capture_clone(HANDLE process, DWORD flags)
{
    HPSS snapshot;

    require("pss_snapshot_capture",
            pss_snapshot_capture(system_by_calls(), process, flags, 0, &snapshot));
    return snapshot;
}

static void query_clone(HPSS snapshot, DWORD information_class, void *buffer, DWORD size)
{
    require("pss_snapshot_query",
            pss_snapshot_query(system_by_calls(), snapshot, information_class, buffer, size));
}

static void free_clone(HPSS snapshot)
{
    require("pss_snapshot_free",
            pss_snapshot_free(system_by_calls(), GetCurrentProcess(), snapshot));
}

const struct clone_way clone_way_calls = {capture_clone, query_clone, free_clone};
