/* SPDX-License-Identifier: MIT */
/* The table of the fake kernel: each service counts, may fail or lie, and else answers truly. */
#include "fake_services.h"

#include "fake_answers.h"
#include "fake_threads.h"
#include "support/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is_faulty(enum fake_call kind, uint64_t call)
{
    const struct fake_fault *fault = &fake.fault;

    if (!fault->first || (kind == FAKE_WAIT && fault->spares_waits))
        return 0;
    return call == fault->first || call == fault->second ||
           (fault->is_lasting && call > fault->first);
}

static void let_it_happen(void)
{
    void (*event)(void *) = fake.event;

    if (++fake.all_calls != fake.event_call || !event)
        return;
    tally(TALLY_EVENTS, 1);
    event(fake.context);
}

/* Locks the system for one call; a failure is what the call shall answer with at once. */
NTSTATUS fake_enter(enum fake_call call)
{
    fake_lock();
    fake_caller_suspended();
    let_it_happen();
    fake.calls_of[call]++;
    if (call == FAKE_RELEASE)
        return STATUS_SUCCESS;
    if (is_faulty(call, ++fake.calls)) {
        fake.faults++;
        tally(TALLY_FAULTS, 1);
        fake.faulty_call = call;
        return fake.fault.status;
    }
    return fake.refuse && call != FAKE_WAIT ? fake.refuse(fake.context, call) : STATUS_SUCCESS;
}

NTSTATUS fake_leave(NTSTATUS status)
{
    fake_unlock();
    return status;
}

/* The end of a call that filled a buffer: the place for lies. */
NTSTATUS fake_leave_answer(enum fake_call call, NTSTATUS status, void *buffer, SIZE_T size,
                           ULONG *returned)
{
    if (NT_SUCCESS(status) && fake.lie)
        status = fake.lie(fake.context, call, buffer, size, returned);
    return fake_leave(status);
}

static NTSTATUS NTAPI open_process(HANDLE *process, ACCESS_MASK access,
                                   OBJECT_ATTRIBUTES *attributes, CLIENT_ID *id)
{
    NTSTATUS status = fake_enter(FAKE_OPEN_PROCESS);

    if (attributes->Length != sizeof(*attributes) || id->UniqueThread)
        abort();
    return fake_leave(NT_SUCCESS(status) ? fake_answer_open(process, access, id) : status);
}

static NTSTATUS NTAPI query_process(HANDLE process, ULONG class_number, void *buffer, ULONG size,
                                    ULONG *returned)
{
    NTSTATUS status = fake_enter(FAKE_QUERY_PROCESS);

    if (NT_SUCCESS(status))
        status = fake_answer_process(process, class_number, buffer, size, returned);
    return fake_leave_answer(FAKE_QUERY_PROCESS, status, buffer, size, returned);
}

static NTSTATUS NTAPI get_next_thread(HANDLE process, HANDLE previous, ACCESS_MASK access,
                                      ULONG attributes, ULONG flags, HANDLE *next)
{
    NTSTATUS status = fake_enter(FAKE_GET_NEXT_THREAD);

    if (attributes || flags)
        abort();
    return fake_leave(NT_SUCCESS(status) ? fake_answer_next_thread(process, previous, access, next)
                                         : status);
}

static NTSTATUS NTAPI query_thread(HANDLE thread, ULONG class_number, void *buffer, ULONG size,
                                   ULONG *returned)
{
    NTSTATUS status = fake_enter(FAKE_QUERY_THREAD);

    if (NT_SUCCESS(status))
        status = fake_answer_thread(thread, class_number, buffer, size, returned);
    return fake_leave_answer(FAKE_QUERY_THREAD, status, buffer, size, returned);
}

static NTSTATUS NTAPI suspend_thread(HANDLE thread, ULONG *previous)
{
    NTSTATUS status = fake_enter(FAKE_SUSPEND_THREAD);

    return fake_leave(NT_SUCCESS(status) ? fake_answer_suspend(thread, previous) : status);
}

static NTSTATUS NTAPI resume_thread(HANDLE thread, ULONG *previous)
{
    fake_enter(FAKE_RELEASE);
    return fake_leave(fake_answer_resume(thread, previous));
}

static NTSTATUS NTAPI get_context(HANDLE thread, CONTEXT *context)
{
    NTSTATUS status = fake_enter(FAKE_GET_CONTEXT);

    if (NT_SUCCESS(status))
        status = fake_answer_context(thread, context);
    return fake_leave_answer(FAKE_GET_CONTEXT, status, context, sizeof(*context), NULL);
}

static NTSTATUS NTAPI create_thread(HANDLE *thread, ACCESS_MASK access,
                                    OBJECT_ATTRIBUTES *attributes, HANDLE process, void *routine,
                                    void *parameter, ULONG flags, SIZE_T zero_bits, SIZE_T commit,
                                    SIZE_T reserve, void *list)
{
    NTSTATUS status = fake_enter(FAKE_CREATE_THREAD);

    (void)flags;
    (void)commit;
    (void)reserve;
    if (attributes || process != PSS_CURRENT_PROCESS || zero_bits || list)
        abort();
    return fake_leave(NT_SUCCESS(status) ? fake_worker_create(thread, access, routine, parameter)
                                         : status);
}

static NTSTATUS NTAPI terminate_thread(HANDLE thread, NTSTATUS exit_status)
{
    (void)exit_status;
    fake_enter(FAKE_RELEASE);
    fake.terminations++;
    return fake_leave(fake_worker_terminate(thread));
}

static NTSTATUS NTAPI wait(HANDLE handle, BOOLEAN is_alertable, LARGE_INTEGER *timeout)
{
    NTSTATUS status = fake_enter(FAKE_WAIT);

    if (is_alertable)
        abort();
    return fake_leave(NT_SUCCESS(status) ? fake_worker_wait(handle, timeout) : status);
}

static NTSTATUS NTAPI query_system(ULONG class_number, void *buffer, ULONG size, ULONG *returned)
{
    NTSTATUS status = fake_enter(FAKE_QUERY_SYSTEM);

    if (NT_SUCCESS(status))
        status = fake_answer_system(class_number, buffer, size, returned);
    return fake_leave_answer(FAKE_QUERY_SYSTEM, status, buffer, size, returned);
}

static NTSTATUS NTAPI query_time(LARGE_INTEGER *now)
{
    NTSTATUS status = fake_enter(FAKE_QUERY_TIME);

    if (NT_SUCCESS(status))
        now->QuadPart = (LONGLONG)fake.now;
    return fake_leave_answer(FAKE_QUERY_TIME, status, now, sizeof(*now), NULL);
}

static NTSTATUS NTAPI query_counter(LARGE_INTEGER *now, LARGE_INTEGER *frequency)
{
    NTSTATUS status = fake_enter(FAKE_QUERY_COUNTER);

    if (NT_SUCCESS(status)) {
        now->QuadPart = (LONGLONG)(fake.ticks += 10);
        if (frequency)
            frequency->QuadPart = (LONGLONG)fake.frequency;
    }
    return fake_leave_answer(FAKE_QUERY_COUNTER, status, now, sizeof(*now), NULL);
}

static NTSTATUS NTAPI query_memory(HANDLE process, void *address, ULONG class_number, void *buffer,
                                   SIZE_T size, SIZE_T *returned)
{
    NTSTATUS status = fake_enter(FAKE_QUERY_MEMORY);

    if (NT_SUCCESS(status))
        status = fake_answer_memory(process, address, class_number, buffer, size, returned);
    return fake_leave_answer(FAKE_QUERY_MEMORY, status, buffer, size, NULL);
}

static NTSTATUS NTAPI read_memory(HANDLE process, const void *address, void *buffer, SIZE_T size,
                                  SIZE_T *read)
{
    NTSTATUS status = fake_enter(FAKE_READ_MEMORY);

    if (NT_SUCCESS(status))
        status = fake_answer_read(process, address, buffer, size, read);
    if (NT_SUCCESS(status) && fake.reads_short && read)
        *read /= 2;
    return fake_leave_answer(FAKE_READ_MEMORY, status, buffer, size, NULL);
}

static NTSTATUS NTAPI duplicate(HANDLE source_process, HANDLE source, HANDLE target_process,
                                HANDLE *target, ACCESS_MASK access, ULONG attributes, ULONG options)
{
    NTSTATUS status = fake_enter(FAKE_DUPLICATE);

    (void)attributes;
    if (options & ~(ULONG)(DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE))
        abort();
    if (NT_SUCCESS(status))
        status =
            fake_answer_duplicate(source_process, source, target_process, target, access, options);
    return fake_leave(status);
}

static NTSTATUS NTAPI close_handle(HANDLE handle)
{
    const struct fake_handle *found;
    enum fake_hang hang;

    fake_enter(FAKE_RELEASE);
    found = fake_handle_find(fake.own, handle);
    hang = found ? found->object->close_hang : FAKE_ANSWERS;
    if (!fake_handle_close(fake.own, handle)) {
        fake.bad_closes++;
        return fake_leave(STATUS_INVALID_HANDLE);
    }
    if (hang != FAKE_ANSWERS)
        fake_worker_hang(hang);
    return fake_leave(STATUS_SUCCESS);
}

static NTSTATUS NTAPI query_object(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                                   ULONG *returned)
{
    NTSTATUS status = fake_enter(FAKE_QUERY_OBJECT);

    if (NT_SUCCESS(status))
        status = fake_answer_object(handle, class_number, buffer, size, returned);
    return fake_leave_answer(FAKE_QUERY_OBJECT, status, buffer, size, returned);
}

static NTSTATUS query_state(enum fake_call call, enum fake_type type, HANDLE handle,
                            ULONG class_number, void *buffer, SIZE_T size, ULONG *returned)
{
    NTSTATUS status = fake_enter(call);

    if (NT_SUCCESS(status))
        status = fake_answer_state(handle, type, class_number, buffer, size, returned);
    return fake_leave_answer(call, status, buffer, size, returned);
}

static NTSTATUS NTAPI query_event(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                                  ULONG *returned)
{
    return query_state(FAKE_QUERY_EVENT, FAKE_EVENT, handle, class_number, buffer, size, returned);
}

static NTSTATUS NTAPI query_mutant(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                                   ULONG *returned)
{
    return query_state(FAKE_QUERY_MUTANT, FAKE_MUTANT, handle, class_number, buffer, size,
                       returned);
}

static NTSTATUS NTAPI query_semaphore(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                                      ULONG *returned)
{
    return query_state(FAKE_QUERY_SEMAPHORE, FAKE_SEMAPHORE, handle, class_number, buffer, size,
                       returned);
}

static NTSTATUS NTAPI query_section(HANDLE handle, ULONG class_number, void *buffer, SIZE_T size,
                                    SIZE_T *returned)
{
    (void)returned;
    return query_state(FAKE_QUERY_SECTION, FAKE_SECTION, handle, class_number, buffer, size, NULL);
}

static void NTAPI capture_context(CONTEXT *context)
{
    memset(context, 0xC0, sizeof(*context));
}

static CLIENT_ID NTAPI current_id(void)
{
    CLIENT_ID id = fake.caller->basic.id;

    if (fake_worker_id())
        id.UniqueThread = (HANDLE)(ULONG_PTR)fake_worker_id();
    return id;
}

static ULONGLONG NTAPI read_tsc(void)
{
    ULONGLONG cycles;

    fake_lock();
    cycles = fake.cycles += 1000;
    fake_unlock();
    return cycles;
}

static void *NTAPI allocate_heap(SIZE_T size)
{
    NTSTATUS status = fake_enter(FAKE_ALLOCATE_HEAP);
    void *memory = NT_SUCCESS(status) ? malloc(size) : NULL;

    if (memory) {
        memset(memory, 0xA5, size); /* the process heap gives no zeros */
        fake_heap_add(1);
    }
    fake_leave(status);
    return memory;
}

static void NTAPI free_heap(void *address)
{
    fake_enter(FAKE_RELEASE);
    if (address)
        fake_heap_add(-1);
    free(address);
    fake_leave(STATUS_SUCCESS);
}

static void *NTAPI find_service(const char *name)
{
    NTSTATUS status = fake_enter(FAKE_FIND_SERVICE);

    fake_leave(status);
    return NT_SUCCESS(status) ? fake_answer_service(name) : NULL;
}

static const struct pss_nt fake_table = {
    .open_process = open_process,
    .query_process = query_process,
    .get_next_thread = get_next_thread,
    .query_thread = query_thread,
    .suspend_thread = suspend_thread,
    .resume_thread = resume_thread,
    .get_context = get_context,
    .create_thread = create_thread,
    .terminate_thread = terminate_thread,
    .wait = wait,
    .create_event = fake_create_event,
    .set_event = fake_set_event,
    .create_mutant = fake_create_mutant,
    .release_mutant = fake_release_mutant,
    .create_user_process = fake_create_user_process,
    .create_job = fake_create_job,
    .set_job = fake_set_job,
    .assign_job = fake_assign_job,
    .terminate_process = fake_terminate_process,
    .query_system = query_system,
    .query_time = query_time,
    .query_counter = query_counter,
    .query_memory = query_memory,
    .read_memory = read_memory,
    .write_memory = fake_write_memory,
    .protect_memory = fake_protect_memory,
    .allocate_memory = fake_allocate_memory,
    .free_memory = fake_free_memory,
    .create_section = fake_create_section,
    .map_view = fake_map_view,
    .unmap_view = fake_unmap_view,
    .open_file = fake_open_file,
    .list_directory = fake_list_directory,
    .read_file = fake_read_file,
    .write_file = fake_write_file,
    .duplicate = duplicate,
    .close = close_handle,
    .query_object = query_object,
    .query_event = query_event,
    .query_mutant = query_mutant,
    .query_semaphore = query_semaphore,
    .query_section = query_section,
    .capture_context = capture_context,
    .current_id = current_id,
    .read_tsc = read_tsc,
    .allocate_heap = allocate_heap,
    .free_heap = free_heap,
    .find_service = find_service,
    .pin_module = fake_pin_module,
    .try_lock_loader = fake_try_lock_loader,
    .unlock_loader = fake_unlock_loader,
    .owns_loader_lock = fake_owns_loader_lock,
    .find_module = fake_find_module,
    .find_export = fake_find_export,
    .query_environment = fake_query_environment,
    .delay = fake_delay,
    .call_guarded = fake_call_guarded,
};

const struct pss_nt *fake_nt(void)
{
    return &fake_table;
}
