/* SPDX-License-Identifier: MIT */
/* The native strategy: the system makes the clone, copy-on-write. */
#include "clone/strategy.h"

#include "pss.h"

struct native_clone {
    struct pss_clone clone;   /* first */
    struct pss_region memory; /* of this structure */
    pss_nt_create_process *create;
    struct pss_clone_target target;
    HANDLE process, job; /* owned */
};

static NTSTATUS create(struct native_clone *self, ULONG flags)
{
    return self->create(&self->process, PROCESS_ALL_ACCESS, NULL, self->target.process, flags, NULL,
                        NULL, NULL, 0);
}

/* A system that does not know the flag refuses it; it only saves the clone a reference. */
static NTSTATUS create_released(struct native_clone *self, ULONG flags)
{
    NTSTATUS status = create(self, flags);

    if (status == STATUS_INVALID_PARAMETER && flags & PSS_NT_CREATE_RELEASE_SECTION)
        status = create(self, flags & ~(ULONG)PSS_NT_CREATE_RELEASE_SECTION);
    return status;
}

/* Out of the target's job; a system that does not know force leaves it as it is allowed to. */
static NTSTATUS create_outside(struct native_clone *self, ULONG flags)
{
    NTSTATUS status = STATUS_INVALID_PARAMETER;

    if (self->target.flags & PSS_CREATE_FORCE_BREAKAWAY)
        status = create_released(self, flags | PSS_NT_CREATE_FORCE_BREAKAWAY);
    if (status == STATUS_INVALID_PARAMETER)
        status = create_released(self, flags | PSS_NT_CREATE_BREAKAWAY);
    return status;
}

static NTSTATUS take(struct pss_clone *clone, const struct pss_region *regions)
{
    struct native_clone *self = (struct native_clone *)clone;
    uint32_t wanted = self->target.flags;
    ULONG flags = PSS_NT_CREATE_NO_DEBUG_INHERIT;
    NTSTATUS status;

    (void)regions;
    if (wanted & PSS_CREATE_RELEASE_SECTION)
        flags |= PSS_NT_CREATE_RELEASE_SECTION;
    if (!(wanted & (PSS_CREATE_BREAKAWAY | PSS_CREATE_FORCE_BREAKAWAY)))
        return create_released(self, flags);
    status = create_outside(self, flags);
    if (!NT_SUCCESS(status) && wanted & PSS_CREATE_BREAKAWAY_OPTIONAL)
        status = create_released(self, flags);
    return status;
}

/* Where it cannot be in a job of ours, it ends with the last handle to it. */
static NTSTATUS finish(struct pss_clone *clone, struct pss_clone_record *record)
{
    struct native_clone *self = (struct native_clone *)clone;
    const struct pss_nt *nt = clone->nt;
    HANDLE lent = NULL;
    NTSTATUS status = pss_clone_job_create(nt, &self->job);

    if (NT_SUCCESS(status) && !NT_SUCCESS(nt->assign_job(self->job, self->process))) {
        nt->close(self->job);
        self->job = NULL;
    }
    status = nt->duplicate(PSS_CURRENT_PROCESS, self->process, PSS_CURRENT_PROCESS, &lent,
                           PROCESS_ALL_ACCESS, 0, 0);
    if (!NT_SUCCESS(status))
        return status;
    *record = (struct pss_clone_record){.lent = (uint64_t)(ULONG_PTR)lent,
                                        .kept = (uint64_t)(ULONG_PTR)self->process,
                                        .job = (uint64_t)(ULONG_PTR)self->job,
                                        .strategy = PSS_CLONE_NATIVE,
                                        .route = PSS_CLONE_ROUTE_NONE};
    self->process = self->job = NULL;
    return STATUS_SUCCESS;
}

static void end(struct pss_clone *clone)
{
    struct native_clone *self = (struct native_clone *)clone;
    const struct pss_nt *nt = clone->nt;
    struct pss_region memory = self->memory;

    if (self->process) {
        nt->terminate_process(self->process, STATUS_CANCELLED);
        nt->close(self->process);
    }
    if (self->job)
        nt->close(self->job);
    pss_region_free(nt, &memory);
}

static int has_threads(const struct pss_clone *clone)
{
    (void)clone;
    return 0;
}

static int owns_thread(const struct pss_clone *clone, uint32_t id)
{
    (void)clone;
    (void)id;
    return 0;
}

static NTSTATUS lay_out(struct pss_clone *clone, const struct pss_region *regions)
{
    (void)clone;
    (void)regions;
    return STATUS_SUCCESS;
}

static const struct pss_strategy strategy = {.has_threads = has_threads,
                                             .owns_thread = owns_thread,
                                             .lay_out = lay_out,
                                             .take = take,
                                             .finish = finish,
                                             .end = end,
                                             .is_copy = 0};

/*
 * A service that is only there to say that it is missing says so whatever it is given. Any other
 * answer, STATUS_NOT_SUPPORTED too, may be that of a policy against such processes: it is told to
 * the client, and not got around by a copy.
 */
static int is_real(pss_nt_create_process *create_process)
{
    HANDLE none = NULL;
    NTSTATUS status;

    if (!create_process)
        return 0;
    status = create_process(&none, PROCESS_ALL_ACCESS, NULL, NULL, 0, NULL, NULL, NULL, 0);
    return status != STATUS_NOT_IMPLEMENTED && status != STATUS_INVALID_SYSTEM_SERVICE;
}

NTSTATUS pss_native_begin(const struct pss_nt *nt, const struct pss_clone_target *target,
                          struct pss_clone **clone)
{
    pss_nt_create_process *create_process =
        (pss_nt_create_process *)(uintptr_t)nt->find_service("NtCreateProcessEx");
    struct pss_region memory = {0};
    struct native_clone *self;
    uint32_t offset;
    NTSTATUS status;

    if (!is_real(create_process))
        return STATUS_NOT_IMPLEMENTED;
    status = pss_region_append(nt, &memory, sizeof(*self), 1, &offset);
    if (!NT_SUCCESS(status))
        return status;
    self = memory.base;
    self->clone = (struct pss_clone){&strategy, nt};
    self->memory = memory;
    self->create = create_process;
    self->target = *target;
    *clone = &self->clone;
    return STATUS_SUCCESS;
}
