/* SPDX-License-Identifier: MIT */
/* What the fake kernel answers, true to its model; the services lock, count and distort. */
#ifndef PSS_FAKE_ANSWERS_H
#define PSS_FAKE_ANSWERS_H

#include "fake_kernel.h"

/* An answer of fixed size, or one with a text behind it. */
NTSTATUS fake_give(void *buffer, SIZE_T size, ULONG *returned, const void *answer, SIZE_T needed);
NTSTATUS fake_give_text(void *buffer, SIZE_T size, ULONG *returned, struct fake_text text,
                        SIZE_T head);

/* What a handle of the calling process names, with the access needed; NULL and a status if not. */
struct fake_object *fake_object_of(HANDLE handle, ACCESS_MASK any_of, NTSTATUS *status);
struct fake_object *fake_typed_object(HANDLE handle, enum fake_type type, ACCESS_MASK any_of,
                                      NTSTATUS *status);
struct fake_process *fake_process_of(HANDLE handle, ACCESS_MASK any_of, NTSTATUS *status);
struct fake_thread *fake_thread_of(HANDLE handle, ACCESS_MASK any_of, NTSTATUS *status);

/* fake_tasks.c */
NTSTATUS fake_answer_process(HANDLE process, ULONG class_number, void *buffer, ULONG size,
                             ULONG *returned);
NTSTATUS fake_answer_thread(HANDLE thread, ULONG class_number, void *buffer, ULONG size,
                            ULONG *returned);
NTSTATUS fake_answer_next_thread(HANDLE process, HANDLE previous, ACCESS_MASK access, HANDLE *next);
NTSTATUS fake_answer_context(HANDLE thread, CONTEXT *context);
NTSTATUS fake_answer_suspend(HANDLE thread, ULONG *previous);
NTSTATUS fake_answer_resume(HANDLE thread, ULONG *previous);
void *fake_answer_service(const char *name);

/* fake_tables.c */
NTSTATUS fake_answer_system(ULONG class_number, void *buffer, ULONG size, ULONG *returned);

/* fake_memory.c */
NTSTATUS fake_answer_memory(HANDLE process, void *address, ULONG class_number, void *buffer,
                            SIZE_T size, SIZE_T *returned);
NTSTATUS fake_answer_read(HANDLE process, const void *address, void *buffer, SIZE_T size,
                          SIZE_T *read);

/* fake_objects.c */
NTSTATUS fake_answer_object(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                            ULONG *returned);
NTSTATUS fake_answer_duplicate(HANDLE source_process, HANDLE source, HANDLE target_process,
                               HANDLE *target, ACCESS_MASK access, ULONG options);
NTSTATUS fake_answer_state(HANDLE handle, enum fake_type type, ULONG class_number, void *buffer,
                           SIZE_T size, ULONG *returned);
NTSTATUS fake_answer_section(HANDLE *section, const LARGE_INTEGER *size);
NTSTATUS fake_answer_map(HANDLE section, void **base, const LARGE_INTEGER *offset, SIZE_T *size);
NTSTATUS fake_answer_open(HANDLE *process, ACCESS_MASK access, const CLIENT_ID *id);
NTSTATUS fake_answer_event(HANDLE *event, ACCESS_MASK access, LONG type, LONG state);
NTSTATUS fake_answer_set_event(HANDLE event);
NTSTATUS fake_answer_mutant(HANDLE *mutant, ACCESS_MASK access, const UNICODE_STRING *name);
NTSTATUS fake_answer_release_mutant(HANDLE mutant);

/* fake_remote.c: memory of other processes; what hangs does so in here */
/* What NtAllocateVirtualMemory is asked for beside the place and the size. */
struct fake_allocation {
    uint64_t limit; /* the first address that it may not have */
    ULONG type, protect;
};

NTSTATUS fake_remote_allocate(HANDLE process, void **base, SIZE_T *size,
                              struct fake_allocation what);
NTSTATUS fake_remote_free(HANDLE process, void **base, SIZE_T *size, ULONG type);
NTSTATUS fake_remote_protect(HANDLE process, void **base, SIZE_T *size, ULONG protect,
                             ULONG *previous);
NTSTATUS fake_remote_write(HANDLE process, uint64_t address, const void *bytes, SIZE_T size,
                           SIZE_T *written);
NTSTATUS fake_remote_map(HANDLE section, HANDLE process, void **base, SIZE_T *size);
NTSTATUS fake_remote_unmap(HANDLE process, void *base);

/* The same without a handle: a write that may reach what is a process's own for good. */
void fake_write_through(struct fake_process *process, uint64_t address, const void *bytes,
                        SIZE_T size);

/* fake_jobs.c */
NTSTATUS fake_answer_job(HANDLE *job, ACCESS_MASK access);
NTSTATUS fake_answer_job_limits(HANDLE job, const JOBOBJECT_EXTENDED_LIMIT_INFORMATION *limits);
NTSTATUS fake_answer_assign(HANDLE job, HANDLE process);

/* Whether a child may leave the jobs of its parent; the jobs it is in otherwise. */
NTSTATUS fake_jobs_inherit(struct fake_process *child, const struct fake_process *parent,
                           int leaves);

/* fake_files.c */
NTSTATUS fake_answer_file(HANDLE *file, ACCESS_MASK access, const OBJECT_ATTRIBUTES *object);
NTSTATUS fake_answer_directory(HANDLE directory, void *buffer, ULONG size, int restarts,
                               ULONG_PTR *information);
NTSTATUS fake_answer_read_file(HANDLE file, void *buffer, ULONG size, uint64_t offset,
                               ULONG_PTR *information);
NTSTATUS fake_answer_write_file(HANDLE file, const void *bytes, ULONG size, uint64_t offset,
                                ULONG_PTR *information);
NTSTATUS fake_answer_image_section(HANDLE *section, ACCESS_MASK access, HANDLE file);
const struct fake_image *fake_image_find(struct fake_text name);

/* fake_clone.c */
NTSTATUS fake_answer_carrier(struct fake_process *parent, struct fake_text image, int leaves,
                             struct fake_process **carrier);
void fake_carrier_give_input(struct fake_process *carrier, HANDLE input);
NTSTATUS fake_answer_native(HANDLE *process, ACCESS_MASK access, HANDLE parent, ULONG flags);
NTSTATUS fake_answer_terminate(HANDLE process, NTSTATUS exit_status);

#endif
