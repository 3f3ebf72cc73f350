/* SPDX-License-Identifier: MIT */
/* The wrappers around what clones and freezes need: events, mutants, processes, jobs and files. */
#include "faulty_wrappers.h"

NTSTATUS NTAPI faulty_create_event(HANDLE *event, ACCESS_MASK access, OBJECT_ATTRIBUTES *object,
                                   ULONG type, BOOLEAN state)
{
    FAIL_IF_PLANNED(.service = FAULTY_create_event, .address = object);
    NTSTATUS status = faulty_inner()->create_event(event, access, object, type, state);
    if (NT_SUCCESS(status))
        faulty_account_open(*event);
    return status;
}

NTSTATUS NTAPI faulty_set_event(HANDLE event, LONG *previous)
{
    BEGIN_RELEASE(.service = FAULTY_set_event, .handle = event);
    return faulty_account_released("set_event", faulty_inner()->set_event(event, previous));
}

NTSTATUS NTAPI faulty_create_mutant(HANDLE *mutant, ACCESS_MASK access, OBJECT_ATTRIBUTES *object,
                                    BOOLEAN is_owned)
{
    FAIL_IF_PLANNED(.service = FAULTY_create_mutant);
    NTSTATUS status = faulty_inner()->create_mutant(mutant, access, object, is_owned);
    if (NT_SUCCESS(status))
        faulty_account_open(*mutant);
    return status;
}

NTSTATUS NTAPI faulty_release_mutant(HANDLE mutant, LONG *previous)
{
    BEGIN_RELEASE(.service = FAULTY_release_mutant, .handle = mutant);
    return faulty_account_released("release_mutant",
                                   faulty_inner()->release_mutant(mutant, previous));
}

NTSTATUS NTAPI faulty_create_user_process(
    HANDLE *process, HANDLE *thread, ACCESS_MASK process_access, ACCESS_MASK thread_access,
    OBJECT_ATTRIBUTES *process_object, OBJECT_ATTRIBUTES *thread_object, ULONG process_flags,
    ULONG thread_flags, struct pss_nt_process_parameters *parameters,
    struct pss_nt_create_info *info, struct pss_nt_process_attributes *attributes)
{
    FAIL_IF_PLANNED(.service = FAULTY_create_user_process, .class_number = process_flags);
    NTSTATUS status = faulty_inner()->create_user_process(
        process, thread, process_access, thread_access, process_object, thread_object,
        process_flags, thread_flags, parameters, info, attributes);
    if (NT_SUCCESS(status)) {
        faulty_account_open(*process);
        faulty_account_open(*thread);
        faulty_account_carrier(*process);
        faulty_note_carrier(*process);
    }
    return status;
}

NTSTATUS NTAPI faulty_create_job(HANDLE *job, ACCESS_MASK access, OBJECT_ATTRIBUTES *object)
{
    FAIL_IF_PLANNED(.service = FAULTY_create_job);
    NTSTATUS status = faulty_inner()->create_job(job, access, object);
    if (NT_SUCCESS(status))
        faulty_account_open(*job);
    return status;
}

NTSTATUS NTAPI faulty_set_job(HANDLE job, ULONG class_number, void *buffer, ULONG size)
{
    FAIL_IF_PLANNED(.service = FAULTY_set_job, .handle = job, .class_number = class_number,
                    .size = size);
    return faulty_inner()->set_job(job, class_number, buffer, size);
}

NTSTATUS NTAPI faulty_assign_job(HANDLE job, HANDLE process)
{
    FAIL_IF_PLANNED(.service = FAULTY_assign_job, .handle = job);
    return faulty_inner()->assign_job(job, process);
}

NTSTATUS NTAPI faulty_terminate_process(HANDLE process, NTSTATUS exit_status)
{
    BEGIN_RELEASE(.service = FAULTY_terminate_process, .handle = process);
    return faulty_inner()->terminate_process(process, exit_status);
}

NTSTATUS NTAPI faulty_open_file(HANDLE *file, ACCESS_MASK access, OBJECT_ATTRIBUTES *object,
                                IO_STATUS_BLOCK *io, ULONG share, ULONG options)
{
    FAIL_IF_PLANNED(.service = FAULTY_open_file);
    NTSTATUS status = faulty_inner()->open_file(file, access, object, io, share, options);
    if (NT_SUCCESS(status))
        faulty_account_open(*file);
    return status;
}

NTSTATUS NTAPI faulty_list_directory(HANDLE directory, IO_STATUS_BLOCK *io, void *buffer,
                                     ULONG size, BOOLEAN restart)
{
    FAIL_IF_PLANNED(.service = FAULTY_list_directory, .handle = directory, .size = size);
    return faulty_inner()->list_directory(directory, io, buffer, size, restart);
}

NTSTATUS NTAPI faulty_read_file(HANDLE file, IO_STATUS_BLOCK *io, void *buffer, ULONG size,
                                LARGE_INTEGER *offset)
{
    FAIL_IF_PLANNED(.service = FAULTY_read_file, .handle = file, .size = size,
                    .address = (const void *)(ULONG_PTR)offset->QuadPart);
    return faulty_inner()->read_file(file, io, buffer, size, offset);
}

NTSTATUS NTAPI faulty_write_file(HANDLE file, IO_STATUS_BLOCK *io, const void *buffer, ULONG size,
                                 LARGE_INTEGER *offset)
{
    FAIL_IF_PLANNED(.service = FAULTY_write_file, .handle = file, .size = size,
                    .address = (const void *)(ULONG_PTR)offset->QuadPart, .is_remote = true);
    return faulty_inner()->write_file(file, io, buffer, size, offset);
}

static pss_nt_create_process *inner_create_process; /* as find_service told it */

static NTSTATUS NTAPI create_process(HANDLE *process, ACCESS_MASK access, OBJECT_ATTRIBUTES *object,
                                     HANDLE parent, ULONG flags, HANDLE section, HANDLE debug_port,
                                     HANDLE token, ULONG reserved)
{
    FAIL_IF_PLANNED(.service = FAULTY_create_process, .handle = parent, .class_number = flags);
    NTSTATUS status = inner_create_process(process, access, object, parent, flags, section,
                                           debug_port, token, reserved);
    if (NT_SUCCESS(status)) {
        faulty_account_open(*process);
        faulty_account_carrier(*process);
        faulty_note_carrier(*process);
    }
    return status;
}

void *faulty_create_process(pss_nt_create_process *inner)
{
    inner_create_process = inner;
    return (void *)create_process;
}
