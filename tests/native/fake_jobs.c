/* SPDX-License-Identifier: MIT */
/* The fake kernel's jobs: who is in which, who may leave, and what ends with the last handle. */
#include "fake_answers.h"

#include <stdlib.h>

static int is_in(const struct fake_process *process, const struct fake_object *job)
{
    for (uint32_t i = 0; i < process->job_count; i++)
        if (process->jobs[i] == job)
            return 1;
    return 0;
}

void fake_job_add(struct fake_object *job, struct fake_process *process)
{
    if (process->job_count == FAKE_JOBS)
        abort();
    process->jobs[process->job_count++] = job;
}

void fake_job_close(struct fake_object *job)
{
    if (!(job->job_limits & JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE))
        return;
    for (uint32_t i = 0; i < fake.process_count; i++)
        if (is_in(fake.processes[i], job) && !fake.processes[i]->times.exit_time.QuadPart)
            fake_process_end(fake.processes[i], 0);
}

NTSTATUS fake_answer_job(HANDLE *job, ACCESS_MASK access)
{
    struct fake_object *object = fake_object_add(FAKE_JOB);

    *job = fake_handle_open_library(object, access);
    return STATUS_SUCCESS;
}

NTSTATUS fake_answer_job_limits(HANDLE job, const JOBOBJECT_EXTENDED_LIMIT_INFORMATION *limits)
{
    NTSTATUS status = STATUS_SUCCESS;
    struct fake_object *object =
        fake_typed_object(job, FAKE_JOB, JOB_OBJECT_SET_ATTRIBUTES, &status);

    if (object)
        object->job_limits = limits->BasicLimitInformation.LimitFlags;
    return status;
}

NTSTATUS fake_answer_assign(HANDLE job, HANDLE handle)
{
    NTSTATUS status = STATUS_SUCCESS;
    struct fake_object *object =
        fake_typed_object(job, FAKE_JOB, JOB_OBJECT_ASSIGN_PROCESS, &status);
    struct fake_process *process =
        object ? fake_process_of(handle, PROCESS_SET_QUOTA | PROCESS_TERMINATE, &status) : NULL;

    if (!process)
        return status;
    if (process->times.exit_time.QuadPart)
        return STATUS_PROCESS_IS_TERMINATING;
    if (process->job_count && !fake.has_nested_jobs)
        return STATUS_ACCESS_DENIED;
    fake_job_add(object, process);
    return STATUS_SUCCESS;
}

NTSTATUS fake_jobs_inherit(struct fake_process *child, const struct fake_process *parent,
                           int leaves)
{
    for (uint32_t i = 0; i < parent->job_count; i++) {
        ULONG limits = parent->jobs[i]->job_limits;

        if (limits & JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK)
            continue;
        if (leaves && !(limits & JOB_OBJECT_LIMIT_BREAKAWAY_OK))
            return STATUS_ACCESS_DENIED;
        if (!leaves)
            fake_job_add(parent->jobs[i], child);
    }
    return STATUS_SUCCESS;
}
