/* SPDX-License-Identifier: MIT */
/* What the files with the services of the fake kernel share. */
#ifndef PSS_FAKE_SERVICES_H
#define PSS_FAKE_SERVICES_H

#include "fake_kernel.h"

/** Locks the system for one call; a failure is what the call shall answer with at once. */
NTSTATUS fake_enter(enum fake_call call);

/** Unlocks it; answers the status. */
NTSTATUS fake_leave(NTSTATUS status);

/** The end of a call that filled a buffer: the place for lies. */
NTSTATUS fake_leave_answer(enum fake_call call, NTSTATUS status, void *buffer, SIZE_T size,
                           ULONG *returned);

/* fake_memory_services.c */
NTSTATUS NTAPI fake_allocate_memory(HANDLE process, void **base, ULONG_PTR zero_bits, SIZE_T *size,
                                    ULONG type, ULONG protect);
NTSTATUS NTAPI fake_free_memory(HANDLE process, void **base, SIZE_T *size, ULONG type);
NTSTATUS NTAPI fake_write_memory(HANDLE process, void *address, const void *bytes, SIZE_T size,
                                 SIZE_T *written);
NTSTATUS NTAPI fake_protect_memory(HANDLE process, void **base, SIZE_T *size, ULONG protect,
                                   ULONG *previous);
NTSTATUS NTAPI fake_create_section(HANDLE *section, ACCESS_MASK access,
                                   OBJECT_ATTRIBUTES *attributes, LARGE_INTEGER *size,
                                   ULONG protect, ULONG kind, HANDLE file);
NTSTATUS NTAPI fake_map_view(HANDLE section, HANDLE process, void **base, ULONG_PTR zero_bits,
                             SIZE_T commit, LARGE_INTEGER *offset, SIZE_T *size, ULONG inherit,
                             ULONG type, ULONG protect);
NTSTATUS NTAPI fake_unmap_view(HANDLE process, void *base);

/* fake_clone_services.c */
NTSTATUS NTAPI fake_create_event(HANDLE *event, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes,
                                 ULONG type, BOOLEAN state);
NTSTATUS NTAPI fake_set_event(HANDLE event, LONG *previous);
NTSTATUS NTAPI fake_create_mutant(HANDLE *mutant, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes,
                                  BOOLEAN is_owned);
NTSTATUS NTAPI fake_release_mutant(HANDLE mutant, LONG *previous);
NTSTATUS NTAPI fake_create_user_process(
    HANDLE *process, HANDLE *thread, ACCESS_MASK process_access, ACCESS_MASK thread_access,
    OBJECT_ATTRIBUTES *process_attributes, OBJECT_ATTRIBUTES *thread_attributes,
    ULONG process_flags, ULONG thread_flags, struct pss_nt_process_parameters *parameters,
    struct pss_nt_create_info *info, struct pss_nt_process_attributes *list);
NTSTATUS NTAPI fake_create_job(HANDLE *job, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes);
NTSTATUS NTAPI fake_set_job(HANDLE job, ULONG class_number, void *buffer, ULONG size);
NTSTATUS NTAPI fake_assign_job(HANDLE job, HANDLE process);
NTSTATUS NTAPI fake_terminate_process(HANDLE process, NTSTATUS exit_status);
NTSTATUS NTAPI fake_open_file(HANDLE *file, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes,
                              IO_STATUS_BLOCK *io, ULONG share, ULONG options);
NTSTATUS NTAPI fake_list_directory(HANDLE directory, IO_STATUS_BLOCK *io, void *buffer, ULONG size,
                                   BOOLEAN restart);
NTSTATUS NTAPI fake_read_file(HANDLE file, IO_STATUS_BLOCK *io, void *buffer, ULONG size,
                              LARGE_INTEGER *offset);
NTSTATUS NTAPI fake_write_file(HANDLE file, IO_STATUS_BLOCK *io, const void *bytes, ULONG size,
                               LARGE_INTEGER *offset);

/** NtCreateProcessEx; NULL on a system that lacks it. */
void *fake_native_clones(void);

/* fake_loader.c */
NTSTATUS NTAPI fake_pin_module(const void *address);
NTSTATUS NTAPI fake_try_lock_loader(ULONG_PTR *cookie);
void NTAPI fake_unlock_loader(ULONG_PTR cookie);
BOOLEAN NTAPI fake_owns_loader_lock(void);
void *NTAPI fake_find_module(const WCHAR *name);
void *NTAPI fake_find_export(void *module, const char *name);
NTSTATUS NTAPI fake_query_environment(const WCHAR *name, WCHAR *value, USHORT size);
NTSTATUS NTAPI fake_delay(BOOLEAN is_alertable, LARGE_INTEGER *interval);
NTSTATUS NTAPI fake_call_guarded(pss_nt_routine *routine, void *argument);

#endif
