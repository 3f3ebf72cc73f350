/* SPDX-License-Identifier: MIT */
/* The carrier's process: suspended, of the target's image, and bound to its owners by a job. */
#include "base/unicode.h"
#include "clone/carrier.h"
#include "clone/strategy.h"

#include "pss.h"

#include <string.h>

#define CREATE_TRIES 3u

static void set_attribute(struct pss_nt_process_attributes *list, int index, ULONG_PTR attribute,
                          SIZE_T size, ULONG_PTR value)
{
    list->items[index].attribute = attribute;
    list->items[index].size = size;
    list->items[index].value = value;
}

/*
 * Just enough for a process that never runs. The system's own routine for it takes the process
 * heap, whose lock a process that has crashed may never get.
 */
static struct pss_nt_process_parameters *make_parameters(struct pss_carrier *carrier,
                                                         const UNICODE_STRING *image)
{
    static const WCHAR nothing[2];
    static const WCHAR root[] = L"C:\\";
    struct pss_nt_process_parameters *parameters = (void *)carrier->copiers[0].other;

    memset(parameters, 0, sizeof(*parameters));
    parameters->length = parameters->maximum_length = sizeof(*parameters);
    parameters->flags = PSS_NT_PARAMETERS_NORMALIZED;
    parameters->current_directory.Buffer = (WCHAR *)root;
    parameters->current_directory.Length = sizeof(root) - sizeof(WCHAR);
    parameters->current_directory.MaximumLength = sizeof(root);
    parameters->image = parameters->command_line = *image;
    parameters->standard[0] = PSS_CURRENT_THREAD; /* see pss_carrier_strip */
    parameters->environment = (void *)nothing;
    parameters->environment_size = sizeof(nothing);
    return parameters;
}

/* One of the wrong bitness, or that comes when nobody waits for it any more: its maker ends it. */
static void end_process(struct pss_carrier *carrier)
{
    const struct pss_nt *nt = carrier->nt;
    HANDLE process = carrier->process, thread = carrier->thread;

    carrier->process = carrier->thread = NULL;
    nt->terminate_process(process, STATUS_CANCELLED);
    nt->close(process);
    nt->close(thread);
}

/*
 * Under Wine (8.0) one new process in some thousand dies before its image is mapped: the host has
 * put something of its own where Wine wants the shared data page. The next one has better luck.
 */
static NTSTATUS create_suspended(struct pss_carrier *carrier, ULONG flags,
                                 struct pss_nt_process_parameters *parameters,
                                 struct pss_nt_process_attributes *list)
{
    NTSTATUS status = STATUS_INTERNAL_ERROR;

    for (uint32_t i = 0; i < CREATE_TRIES && status == STATUS_INTERNAL_ERROR; i++) {
        struct pss_nt_create_info info = {.size = sizeof(info)};

        status = carrier->nt->create_user_process(
            &carrier->process, &carrier->thread, PROCESS_ALL_ACCESS, THREAD_ALL_ACCESS, NULL, NULL,
            flags, PSS_NT_THREAD_CREATE_SUSPENDED, parameters, &info, list);
    }
    return status;
}

/* The file of that name may have been replaced by a program of the other bitness meanwhile. */
static NTSTATUS check_bitness(struct pss_carrier *carrier)
{
    ULONG_PTR wow64 = 0;
    NTSTATUS status =
        pss_carrier_step(carrier, carrier->nt->query_process(carrier->process, PSS_NT_PROCESS_WOW64,
                                                             &wow64, sizeof(wow64), NULL));

    if (NT_SUCCESS(status) && (wow64 != 0) != carrier->target.is_wow64)
        status = STATUS_INVALID_IMAGE_FORMAT;
    return status;
}

static NTSTATUS create_process(struct pss_carrier *carrier, const UNICODE_STRING *image,
                               ULONG flags)
{
    struct pss_nt_process_attributes list = {0};
    NTSTATUS status;

    list.size = sizeof(list);
    set_attribute(&list, 0, PSS_NT_ATTRIBUTE_IMAGE_NAME, image->Length, (ULONG_PTR)image->Buffer);
    set_attribute(&list, 1, PSS_NT_ATTRIBUTE_PARENT_PROCESS, sizeof(HANDLE),
                  (ULONG_PTR)carrier->target.process);
    set_attribute(&list, 2, PSS_NT_ATTRIBUTE_JOB_LIST, sizeof(HANDLE), (ULONG_PTR)&carrier->job);
    status = create_suspended(carrier, flags, make_parameters(carrier, image), &list);
    if (!NT_SUCCESS(pss_carrier_step(carrier, STATUS_SUCCESS))) {
        if (NT_SUCCESS(status))
            end_process(carrier);
        return STATUS_CANCELLED;
    }
    if (!NT_SUCCESS(status))
        return status;
    status = check_bitness(carrier);
    if (!NT_SUCCESS(status) && status != STATUS_CANCELLED)
        end_process(carrier);
    return status;
}

/*
 * The target is the parent, as of a native clone: what its job lets its processes do counts for the
 * carrier, which is in it unless the flags ask for its way out.
 */
static NTSTATUS create_of_image(struct pss_carrier *carrier, const UNICODE_STRING *image)
{
    uint32_t leaves = carrier->target.flags & (PSS_CREATE_BREAKAWAY | PSS_CREATE_FORCE_BREAKAWAY);
    ULONG flags = PSS_NT_CREATE_NO_DEBUG_INHERIT;
    NTSTATUS status =
        create_process(carrier, image, flags | (leaves ? PSS_NT_CREATE_BREAKAWAY : 0));

    if (status == STATUS_ACCESS_DENIED && leaves &&
        carrier->target.flags & PSS_CREATE_BREAKAWAY_OPTIONAL)
        status = create_process(carrier, image, flags);
    return status;
}

static NTSTATUS create_as(struct pss_carrier *carrier, HANDLE model)
{
    void *answer = pss_carrier_scratch(carrier);
    UNICODE_STRING name;
    NTSTATUS status = carrier->nt->query_process(model, PSS_NT_PROCESS_IMAGE_FILE_NAME, answer,
                                                 PSS_NAME_ROOM, NULL);

    if (!NT_SUCCESS(status))
        return status;
    name.Length = name.MaximumLength = (USHORT)pss_unicode_length(answer, PSS_NAME_ROOM);
    name.Buffer = ((UNICODE_STRING *)answer)->Buffer;
    return name.Length ? create_of_image(carrier, &name) : STATUS_OBJECT_NAME_INVALID;
}

static NTSTATUS is_own_bitness(struct pss_carrier *carrier, int *is_own)
{
    ULONG_PTR wow64 = 0;
    NTSTATUS status = carrier->nt->query_process(PSS_CURRENT_PROCESS, PSS_NT_PROCESS_WOW64, &wow64,
                                                 sizeof(wow64), NULL);

    *is_own = (wow64 != 0) == carrier->target.is_wow64;
    return status;
}

/* Any image will do, as long as the bitness is the target's: its own may be gone by now. */
static int may_try_another(NTSTATUS status)
{
    return status == STATUS_OBJECT_NAME_NOT_FOUND || status == STATUS_OBJECT_PATH_NOT_FOUND ||
           status == STATUS_OBJECT_NAME_INVALID || status == STATUS_SHARING_VIOLATION ||
           status == STATUS_INVALID_IMAGE_FORMAT;
}

NTSTATUS pss_carrier_create(struct pss_carrier *carrier)
{
    int is_own = 0;
    NTSTATUS status = pss_clone_job_create(carrier->nt, &carrier->job);

    if (!NT_SUCCESS(status))
        return status;
    status = create_as(carrier, carrier->target.process);
    if (may_try_another(status) && NT_SUCCESS(is_own_bitness(carrier, &is_own)) && is_own)
        status = create_as(carrier, PSS_CURRENT_PROCESS);
    return status;
}
