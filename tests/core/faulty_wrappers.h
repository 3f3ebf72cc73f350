/* SPDX-License-Identifier: MIT */
/* What the files with the wrappers of the faulty system share. */
#ifndef PSS_FAULTY_WRAPPERS_H
#define PSS_FAULTY_WRAPPERS_H

#include "faulty_account.h"
#include "harness.h"

/** Counts a call, and lets happen what is planned for it. */
void faulty_begin(struct faulty_call *call);

/** The same for a call that may fail; answers whether it is to. */
bool faulty_is_failing(struct faulty_call call);

/** What a call that is to fail answers. */
NTSTATUS faulty_status(void);

/* faulty_history.c: what was called before. */

/** Notes what the calling thread calls; answers what it called before. */
enum faulty_service faulty_follow(enum faulty_service service);

/** Nothing was called before. */
void faulty_forget_calls(void);

/** The process made last, by the handle the library got; NULL if there was none. */
HANDLE faulty_carrier_handle(void);
void faulty_note_carrier(HANDLE process);

#define FAIL_IF_PLANNED(...)                                  \
    if (faulty_is_failing((struct faulty_call){__VA_ARGS__})) \
    return faulty_status()

#define BEGIN_RELEASE(...) faulty_begin(&(struct faulty_call){__VA_ARGS__})

/* faulty_clone.c: what clones and freezes need. */
NTSTATUS NTAPI faulty_create_event(HANDLE *event, ACCESS_MASK access, OBJECT_ATTRIBUTES *object,
                                   ULONG type, BOOLEAN state);
NTSTATUS NTAPI faulty_set_event(HANDLE event, LONG *previous);
NTSTATUS NTAPI faulty_create_mutant(HANDLE *mutant, ACCESS_MASK access, OBJECT_ATTRIBUTES *object,
                                    BOOLEAN is_owned);
NTSTATUS NTAPI faulty_release_mutant(HANDLE mutant, LONG *previous);
NTSTATUS NTAPI faulty_create_user_process(
    HANDLE *process, HANDLE *thread, ACCESS_MASK process_access, ACCESS_MASK thread_access,
    OBJECT_ATTRIBUTES *process_object, OBJECT_ATTRIBUTES *thread_object, ULONG process_flags,
    ULONG thread_flags, struct pss_nt_process_parameters *parameters,
    struct pss_nt_create_info *info, struct pss_nt_process_attributes *attributes);
NTSTATUS NTAPI faulty_create_job(HANDLE *job, ACCESS_MASK access, OBJECT_ATTRIBUTES *object);
NTSTATUS NTAPI faulty_set_job(HANDLE job, ULONG class_number, void *buffer, ULONG size);
NTSTATUS NTAPI faulty_assign_job(HANDLE job, HANDLE process);
NTSTATUS NTAPI faulty_terminate_process(HANDLE process, NTSTATUS exit_status);
NTSTATUS NTAPI faulty_open_file(HANDLE *file, ACCESS_MASK access, OBJECT_ATTRIBUTES *object,
                                IO_STATUS_BLOCK *io, ULONG share, ULONG options);
NTSTATUS NTAPI faulty_list_directory(HANDLE directory, IO_STATUS_BLOCK *io, void *buffer,
                                     ULONG size, BOOLEAN restart);
NTSTATUS NTAPI faulty_read_file(HANDLE file, IO_STATUS_BLOCK *io, void *buffer, ULONG size,
                                LARGE_INTEGER *offset);
NTSTATUS NTAPI faulty_write_file(HANDLE file, IO_STATUS_BLOCK *io, const void *buffer, ULONG size,
                                 LARGE_INTEGER *offset);

/* faulty_forward.c: what the decision who serves needs, and the loader. */
NTSTATUS NTAPI faulty_pin_module(const void *address);
NTSTATUS NTAPI faulty_try_lock_loader(ULONG_PTR *cookie);
void NTAPI faulty_unlock_loader(ULONG_PTR cookie);
BOOLEAN NTAPI faulty_owns_loader_lock(void);
void *NTAPI faulty_find_module(const WCHAR *name);
void *NTAPI faulty_find_export(void *module, const char *name);
NTSTATUS NTAPI faulty_query_environment(const WCHAR *name, WCHAR *value, USHORT size);
NTSTATUS NTAPI faulty_delay(BOOLEAN alertable, LARGE_INTEGER *interval);
NTSTATUS NTAPI faulty_call_guarded(pss_nt_routine *routine, void *argument);

/** A service that is found by name, with a wrapper around it. */
void *faulty_create_process(pss_nt_create_process *inner);

#endif
