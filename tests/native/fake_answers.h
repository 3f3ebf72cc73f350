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
NTSTATUS fake_answer_duplicate(HANDLE source_process, HANDLE source, HANDLE *target,
                               ACCESS_MASK access, ULONG options);
NTSTATUS fake_answer_state(HANDLE handle, enum fake_type type, ULONG class_number, void *buffer,
                           SIZE_T size, ULONG *returned);
NTSTATUS fake_answer_section(HANDLE *section, const LARGE_INTEGER *size);
NTSTATUS fake_answer_map(HANDLE section, void **base, SIZE_T *size);
NTSTATUS fake_answer_open(HANDLE *process, ACCESS_MASK access, const CLIENT_ID *id);

#endif
