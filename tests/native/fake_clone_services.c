/* SPDX-License-Identifier: MIT */
/* The fake kernel's services for clones: events, processes, jobs and files. */
#include "fake_services.h"

#include "fake_answers.h"

#include <stdlib.h>
#include <string.h>

NTSTATUS NTAPI fake_create_event(HANDLE *event, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes,
                                 ULONG type, BOOLEAN state)
{
    NTSTATUS status = fake_enter(FAKE_CREATE_EVENT);

    if ((attributes && !attributes->ObjectName) || type > PSS_NT_EVENT_SYNCHRONIZATION)
        abort();
    return fake_leave(NT_SUCCESS(status) ? fake_answer_event(event, access, (LONG)type, state)
                                         : status);
}

NTSTATUS NTAPI fake_set_event(HANDLE event, LONG *previous)
{
    (void)previous;
    fake_enter(FAKE_RELEASE);
    return fake_leave(fake_answer_set_event(event));
}

NTSTATUS NTAPI fake_create_mutant(HANDLE *mutant, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes,
                                  BOOLEAN is_owned)
{
    NTSTATUS status = fake_enter(FAKE_CREATE_MUTANT);

    if (!attributes->ObjectName || is_owned)
        abort();
    return fake_leave(
        NT_SUCCESS(status) ? fake_answer_mutant(mutant, access, attributes->ObjectName) : status);
}

NTSTATUS NTAPI fake_release_mutant(HANDLE mutant, LONG *previous)
{
    (void)previous;
    fake_enter(FAKE_RELEASE);
    return fake_leave(fake_answer_release_mutant(mutant));
}

static struct pss_nt_process_attribute *find(struct pss_nt_process_attributes *list,
                                             ULONG_PTR attribute)
{
    SIZE_T count = (list->size - sizeof(list->size)) / sizeof(list->items[0]);

    for (SIZE_T i = 0; i < count; i++)
        if (list->items[i].attribute == attribute)
            return &list->items[i];
    return NULL;
}

static NTSTATUS create_carrier(struct pss_nt_process_attributes *list, int leaves,
                               struct fake_process **carrier)
{
    const struct pss_nt_process_attribute *image = find(list, PSS_NT_ATTRIBUTE_IMAGE_NAME);
    const struct pss_nt_process_attribute *parent = find(list, PSS_NT_ATTRIBUTE_PARENT_PROCESS);
    const struct pss_nt_process_attribute *jobs = find(list, PSS_NT_ATTRIBUTE_JOB_LIST);
    struct fake_process *process = fake.own;
    struct fake_text name = {(const WCHAR *)image->value, (uint32_t)image->size};
    NTSTATUS status = STATUS_SUCCESS;
    struct fake_object *job = NULL;

    if (parent)
        process = fake_process_of((HANDLE)parent->value, PROCESS_CREATE_PROCESS, &status);
    if (!process)
        return status;
    if (jobs) {
        job = fake_typed_object(*(const HANDLE *)jobs->value, FAKE_JOB, JOB_OBJECT_ASSIGN_PROCESS,
                                &status);
        if (!job)
            return status;
    }
    status = fake_answer_carrier(process, name, leaves, carrier);
    if (NT_SUCCESS(status) && job)
        fake_job_add(job, *carrier);
    return status;
}

NTSTATUS NTAPI fake_create_user_process(
    HANDLE *process, HANDLE *thread, ACCESS_MASK process_access, ACCESS_MASK thread_access,
    OBJECT_ATTRIBUTES *process_attributes, OBJECT_ATTRIBUTES *thread_attributes,
    ULONG process_flags, ULONG thread_flags, struct pss_nt_process_parameters *parameters,
    struct pss_nt_create_info *info, struct pss_nt_process_attributes *list)
{
    NTSTATUS status = fake_enter(FAKE_CREATE_USER_PROCESS);
    struct fake_process *carrier = NULL;

    if (process_attributes || thread_attributes || info->size != sizeof(*info) ||
        parameters->length != sizeof(*parameters) || !parameters->environment ||
        parameters->flags != PSS_NT_PARAMETERS_NORMALIZED || !parameters->image.Length ||
        process_flags & ~(PSS_NT_CREATE_BREAKAWAY | PSS_NT_CREATE_NO_DEBUG_INHERIT) ||
        thread_flags != PSS_NT_THREAD_CREATE_SUSPENDED || !find(list, PSS_NT_ATTRIBUTE_IMAGE_NAME))
        abort(); /* what was started would run, or take handles along */
    if (NT_SUCCESS(status))
        status = create_carrier(list, process_flags & PSS_NT_CREATE_BREAKAWAY, &carrier);
    if (!NT_SUCCESS(status))
        return fake_leave(status);
    fake_carrier_give_input(carrier, parameters->standard[0]);
    *process = fake_handle_open_library(&carrier->object, process_access);
    *thread = fake_handle_open_library(&carrier->threads[0]->object, thread_access);
    return fake_leave(status);
}

NTSTATUS NTAPI fake_create_job(HANDLE *job, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes)
{
    NTSTATUS status = fake_enter(FAKE_CREATE_JOB);

    if (attributes)
        abort();
    return fake_leave(NT_SUCCESS(status) ? fake_answer_job(job, access) : status);
}

NTSTATUS NTAPI fake_set_job(HANDLE job, ULONG class_number, void *buffer, ULONG size)
{
    NTSTATUS status = fake_enter(FAKE_SET_JOB);

    if (class_number != PSS_NT_JOB_EXTENDED_LIMIT ||
        size != sizeof(JOBOBJECT_EXTENDED_LIMIT_INFORMATION))
        abort();
    return fake_leave(NT_SUCCESS(status) ? fake_answer_job_limits(job, buffer) : status);
}

NTSTATUS NTAPI fake_assign_job(HANDLE job, HANDLE process)
{
    NTSTATUS status = fake_enter(FAKE_ASSIGN_JOB);

    return fake_leave(NT_SUCCESS(status) ? fake_answer_assign(job, process) : status);
}

NTSTATUS NTAPI fake_terminate_process(HANDLE process, NTSTATUS exit_status)
{
    fake_enter(FAKE_RELEASE);
    return fake_leave(fake_answer_terminate(process, exit_status));
}

NTSTATUS NTAPI fake_open_file(HANDLE *file, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes,
                              IO_STATUS_BLOCK *io, ULONG share, ULONG options)
{
    NTSTATUS status = fake_enter(FAKE_OPEN_FILE);

    (void)io;
    (void)share;
    if (attributes->Length != sizeof(*attributes) || attributes->RootDirectory ||
        !(options & FILE_SYNCHRONOUS_IO_NONALERT) || !(access & SYNCHRONIZE))
        abort();
    return fake_leave(NT_SUCCESS(status) ? fake_answer_file(file, access, attributes) : status);
}

/* The end of a service that answers with a number of bytes: it has no room for a failure. */
static NTSTATUS leave_io(enum fake_call call, NTSTATUS status, IO_STATUS_BLOCK *io, void *buffer,
                         ULONG_PTR information)
{
    ULONG returned = (ULONG)information;

    status = fake_leave_answer(call, status, buffer, information, &returned);
    if (NT_SUCCESS(status)) {
        io->Status = status;
        io->Information = returned;
    }
    return status;
}

NTSTATUS NTAPI fake_list_directory(HANDLE directory, IO_STATUS_BLOCK *io, void *buffer, ULONG size,
                                   BOOLEAN restart)
{
    NTSTATUS status = fake_enter(FAKE_LIST_DIRECTORY);
    ULONG_PTR information = 0;

    if (NT_SUCCESS(status))
        status = fake_answer_directory(directory, buffer, size, restart, &information);
    return leave_io(FAKE_LIST_DIRECTORY, status, io, buffer, information);
}

NTSTATUS NTAPI fake_read_file(HANDLE file, IO_STATUS_BLOCK *io, void *buffer, ULONG size,
                              LARGE_INTEGER *offset)
{
    NTSTATUS status = fake_enter(FAKE_READ_FILE);
    ULONG_PTR information = 0;

    if (NT_SUCCESS(status))
        status =
            fake_answer_read_file(file, buffer, size, (uint64_t)offset->QuadPart, &information);
    return leave_io(FAKE_READ_FILE, status, io, buffer, information);
}

NTSTATUS NTAPI fake_write_file(HANDLE file, IO_STATUS_BLOCK *io, const void *bytes, ULONG size,
                               LARGE_INTEGER *offset)
{
    NTSTATUS status = fake_enter(FAKE_WRITE_FILE);
    ULONG_PTR information = 0;

    if (NT_SUCCESS(status))
        status =
            fake_answer_write_file(file, bytes, size, (uint64_t)offset->QuadPart, &information);
    if (NT_SUCCESS(status)) {
        io->Status = status;
        io->Information = information;
    }
    return fake_leave(status);
}

static NTSTATUS NTAPI create_process(HANDLE *process, ACCESS_MASK access,
                                     OBJECT_ATTRIBUTES *attributes, HANDLE parent, ULONG flags,
                                     HANDLE section, HANDLE debug_port, HANDLE token,
                                     ULONG reserved)
{
    NTSTATUS status = fake_enter(FAKE_CREATE_PROCESS);

    if (attributes || section || debug_port || token || reserved)
        abort(); /* with a section it would be no clone */
    return fake_leave(NT_SUCCESS(status) ? fake_answer_native(process, access, parent, flags)
                                         : status);
}

void *fake_native_clones(void)
{
    return fake.has_native_clones ? (void *)create_process : NULL;
}
