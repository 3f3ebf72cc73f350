/* SPDX-License-Identifier: MIT */
/* The wrappers around each service: count, fail, let something happen, call, keep account. */
#include "faulty_nt.h"

#include "faulty_wrappers.h"
#include "harness.h"
#include "tally.h"

#define REMEMBERED 8192u /* calls whose service is known afterwards */

static struct pss_nt inner;

static struct {
    uint32_t calls, fallible, looks; /* atomic, as all counters here */
    uint32_t by_service[FAULTY_SERVICE_COUNT];
    uint32_t failures[FAULTY_SERVICE_COUNT];
    uint32_t failed_looks;
    uint8_t services[REMEMBERED];              /* of the fallible calls */
    uint32_t made[FAULTY_SERVICE_COUNT];       /* by_service, at the first failure */
    uint32_t fail_at, fail_again_at, event_at; /* 0: never */
    bool is_persistent, spares_waits;
    NTSTATUS status, status_again, status_now;
    bool has_failed, has_failed_again;
    struct faulty_call failed;
    void (*event)(void *argument);
    void *argument;
} plan;

void faulty_init(void)
{
    inner = *pss_nt_system();
    faulty_account_init();
    faulty_reset();
}

struct pss_nt *faulty_inner(void)
{
    return &inner;
}

void faulty_reset(void)
{
    memset(&plan, 0, sizeof(plan));
    faulty_forget_calls();
}

void faulty_fail(uint32_t number, bool persistent, NTSTATUS status)
{
    plan.fail_at = number;
    plan.is_persistent = persistent;
    plan.status = status;
}

void faulty_fail_again(uint32_t later, NTSTATUS status)
{
    plan.fail_again_at = plan.fail_at + later;
    plan.status_again = status;
}

bool faulty_failed_again(void)
{
    return plan.has_failed_again;
}

void faulty_spare_waits(void)
{
    plan.spares_waits = true;
}

const struct faulty_call *faulty_failed(void)
{
    return plan.has_failed ? &plan.failed : NULL;
}

void faulty_plan_event(uint32_t number, void (*event)(void *argument), void *argument)
{
    plan.event_at = number;
    plan.event = event;
    plan.argument = argument;
}

uint32_t faulty_made_before(enum faulty_service service)
{
    return plan.made[service];
}

uint32_t faulty_calls(void)
{
    return plan.calls;
}

uint32_t faulty_calls_of(enum faulty_service service)
{
    return plan.by_service[service];
}

uint32_t faulty_fallible_calls(void)
{
    return plan.fallible;
}

uint32_t faulty_failures_of(enum faulty_service service)
{
    return plan.failures[service];
}

bool faulty_failed_a_look(void)
{
    return plan.failed_looks != 0;
}

enum faulty_service faulty_service_of(uint32_t number)
{
    if (!number || number > plan.fallible || number >= REMEMBERED)
        return FAULTY_SERVICE_COUNT;
    return (enum faulty_service)plan.services[number];
}

const char *faulty_name(enum faulty_service service)
{
#define FAULTY_NAME(name) #name,
    static const char *const names[] = {FAULTY_SERVICES(FAULTY_NAME)};
#undef FAULTY_NAME

    return names[service];
}

static uint32_t count(uint32_t *counter)
{
    return __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

void faulty_begin(struct faulty_call *call)
{
    call->number = count(&plan.calls);
    call->thread = GetCurrentThreadId();
    call->is_frozen = faulty_ledger().suspends != 0;
    call->looks = plan.looks;
    call->before = faulty_follow(call->service);
    call->is_carrier = call->handle && call->handle == faulty_carrier_handle();
    if (call->service == FAULTY_query_process && call->class_number == PSS_NT_PROCESS_TIMES)
        count(&plan.looks);
    count(&plan.by_service[call->service]);
    faulty_account_check_call(call);
    if (call->number == plan.event_at) {
        tally(TALLY_EVENTS, 1);
        plan.event(plan.argument);
    }
}

static bool is_planned(uint32_t number)
{
    if (plan.fail_again_at && number == plan.fail_again_at)
        return true;
    return plan.fail_at &&
           (number == plan.fail_at || (number > plan.fail_at && plan.is_persistent));
}

static void note_failure(const struct faulty_call *call)
{
    bool is_again = plan.fail_again_at && call->fallible == plan.fail_again_at;

    count(&plan.failures[call->service]);
    if (call->service == FAULTY_query_process && call->class_number == PSS_NT_PROCESS_TIMES &&
        call->before == FAULTY_wait)
        count(&plan.failed_looks);
    tally(TALLY_FAULTS, 1);
    plan.status_now = is_again ? plan.status_again : plan.status;
    plan.has_failed_again |= is_again;
    if (plan.has_failed)
        return;
    plan.failed = *call;
    memcpy(plan.made, plan.by_service, sizeof(plan.made));
    plan.made[call->service]--; /* itself */
    plan.has_failed = true;
}

bool faulty_is_failing(struct faulty_call call)
{
    call.fallible = count(&plan.fallible);
    faulty_begin(&call);
    if (call.fallible < REMEMBERED)
        plan.services[call.fallible] = (uint8_t)call.service;
    if (!is_planned(call.fallible) || (plan.spares_waits && call.service == FAULTY_wait))
        return false;
    note_failure(&call);
    return true;
}

NTSTATUS faulty_status(void)
{
    return plan.status_now;
}

static NTSTATUS NTAPI open_process(HANDLE *process, ACCESS_MASK access, OBJECT_ATTRIBUTES *object,
                                   CLIENT_ID *id)
{
    FAIL_IF_PLANNED(.service = FAULTY_open_process);
    NTSTATUS status = inner.open_process(process, access, object, id);
    if (NT_SUCCESS(status))
        faulty_account_open(*process);
    return status;
}

static NTSTATUS NTAPI query_process(HANDLE process, ULONG class_number, void *buffer, ULONG size,
                                    ULONG *returned)
{
    FAIL_IF_PLANNED(.service = FAULTY_query_process, .handle = process,
                    .class_number = class_number, .size = size);
    faulty_account_check_buffer(buffer);
    return inner.query_process(process, class_number, buffer, size, returned);
}

static NTSTATUS NTAPI get_next_thread(HANDLE process, HANDLE thread, ACCESS_MASK access,
                                      ULONG attributes, ULONG flags, HANDLE *next)
{
    FAIL_IF_PLANNED(.service = FAULTY_get_next_thread, .handle = process);
    NTSTATUS status = inner.get_next_thread(process, thread, access, attributes, flags, next);
    if (NT_SUCCESS(status))
        faulty_account_open(*next);
    return status;
}

static NTSTATUS NTAPI query_thread(HANDLE thread, ULONG class_number, void *buffer, ULONG size,
                                   ULONG *returned)
{
    FAIL_IF_PLANNED(.service = FAULTY_query_thread, .handle = thread, .class_number = class_number,
                    .size = size);
    return inner.query_thread(thread, class_number, buffer, size, returned);
}

static NTSTATUS NTAPI suspend_thread(HANDLE thread, ULONG *previous)
{
    FAIL_IF_PLANNED(.service = FAULTY_suspend_thread, .handle = thread);
    NTSTATUS status = inner.suspend_thread(thread, previous);
    if (NT_SUCCESS(status))
        faulty_account_suspend(thread);
    return status;
}

static NTSTATUS NTAPI resume_thread(HANDLE thread, ULONG *previous)
{
    BEGIN_RELEASE(.service = FAULTY_resume_thread, .handle = thread);
    faulty_account_resume(thread);
    return inner.resume_thread(thread, previous);
}

static NTSTATUS NTAPI get_context(HANDLE thread, CONTEXT *context)
{
    FAIL_IF_PLANNED(.service = FAULTY_get_context, .handle = thread);
    return inner.get_context(thread, context);
}

static NTSTATUS NTAPI create_thread(HANDLE *thread, ACCESS_MASK access, OBJECT_ATTRIBUTES *object,
                                    HANDLE process, void *start, void *parameter, ULONG flags,
                                    SIZE_T zero_bits, SIZE_T stack, SIZE_T stack_limit, void *list)
{
    FAIL_IF_PLANNED(.service = FAULTY_create_thread, .handle = process);
    NTSTATUS status = inner.create_thread(thread, access, object, process, start, parameter, flags,
                                          zero_bits, stack, stack_limit, list);
    if (NT_SUCCESS(status)) {
        faulty_account_open(*thread);
        faulty_account_thread(*thread);
    }
    return status;
}

static NTSTATUS NTAPI terminate_thread(HANDLE thread, NTSTATUS exit_status)
{
    BEGIN_RELEASE(.service = FAULTY_terminate_thread, .handle = thread);
    return inner.terminate_thread(thread, exit_status);
}

static NTSTATUS NTAPI wait(HANDLE handle, BOOLEAN alertable, LARGE_INTEGER *timeout)
{
    FAIL_IF_PLANNED(.service = FAULTY_wait, .handle = handle);
    return inner.wait(handle, alertable, timeout);
}

static NTSTATUS NTAPI query_system(ULONG class_number, void *buffer, ULONG size, ULONG *returned)
{
    FAIL_IF_PLANNED(.service = FAULTY_query_system, .class_number = class_number, .size = size);
    return inner.query_system(class_number, buffer, size, returned);
}

static NTSTATUS NTAPI query_time(LARGE_INTEGER *time)
{
    FAIL_IF_PLANNED(.service = FAULTY_query_time);
    return inner.query_time(time);
}

static NTSTATUS NTAPI query_counter(LARGE_INTEGER *counter, LARGE_INTEGER *frequency)
{
    FAIL_IF_PLANNED(.service = FAULTY_query_counter);
    return inner.query_counter(counter, frequency);
}

static NTSTATUS NTAPI query_memory(HANDLE process, void *address, ULONG class_number, void *buffer,
                                   SIZE_T size, SIZE_T *returned)
{
    FAIL_IF_PLANNED(.service = FAULTY_query_memory, .handle = process, .class_number = class_number,
                    .size = size, .address = address);
    return inner.query_memory(process, address, class_number, buffer, size, returned);
}

static NTSTATUS NTAPI read_memory(HANDLE process, const void *address, void *buffer, SIZE_T size,
                                  SIZE_T *read)
{
    FAIL_IF_PLANNED(.service = FAULTY_read_memory, .handle = process, .size = size,
                    .address = address);
    return inner.read_memory(process, address, buffer, size, read);
}

/* What is done to the memory of another process ends with that process: it is not accounted. */
static bool is_remote(HANDLE process)
{
    return process != PSS_CURRENT_PROCESS;
}

static NTSTATUS NTAPI write_memory(HANDLE process, void *address, const void *buffer, SIZE_T size,
                                   SIZE_T *written)
{
    FAIL_IF_PLANNED(.service = FAULTY_write_memory, .handle = process, .size = size,
                    .address = address, .is_remote = is_remote(process));
    return inner.write_memory(process, address, buffer, size, written);
}

static NTSTATUS NTAPI protect_memory(HANDLE process, void **base, SIZE_T *size, ULONG protect,
                                     ULONG *previous)
{
    FAIL_IF_PLANNED(.service = FAULTY_protect_memory, .handle = process, .size = *size,
                    .address = *base, .is_remote = is_remote(process));
    return inner.protect_memory(process, base, size, protect, previous);
}

static NTSTATUS NTAPI allocate_memory(HANDLE process, void **base, ULONG_PTR zero_bits,
                                      SIZE_T *size, ULONG type, ULONG protect)
{
    FAIL_IF_PLANNED(.service = FAULTY_allocate_memory, .handle = process, .size = *size,
                    .address = *base, .limit = zero_bits, .is_remote = is_remote(process));
    NTSTATUS status = inner.allocate_memory(process, base, zero_bits, size, type, protect);
    if (NT_SUCCESS(status) && !is_remote(process))
        faulty_account_allocate(*base);
    return status;
}

static NTSTATUS free_remote_memory(HANDLE process, void **base, SIZE_T *size, ULONG type)
{
    FAIL_IF_PLANNED(.service = FAULTY_free_memory, .handle = process, .size = *size,
                    .address = *base, .is_remote = true);
    return inner.free_memory(process, base, size, type);
}

static NTSTATUS NTAPI free_memory(HANDLE process, void **base, SIZE_T *size, ULONG type)
{
    if (is_remote(process))
        return free_remote_memory(process, base, size, type);
    BEGIN_RELEASE(.service = FAULTY_free_memory, .handle = process, .size = *size,
                  .address = *base);
    faulty_account_free(*base);
    return faulty_account_released("free_memory", inner.free_memory(process, base, size, type));
}

static NTSTATUS NTAPI create_section(HANDLE *section, ACCESS_MASK access, OBJECT_ATTRIBUTES *object,
                                     LARGE_INTEGER *size, ULONG protect, ULONG attributes,
                                     HANDLE file)
{
    FAIL_IF_PLANNED(.service = FAULTY_create_section);
    NTSTATUS status =
        inner.create_section(section, access, object, size, protect, attributes, file);
    if (NT_SUCCESS(status))
        faulty_account_open(*section);
    return status;
}

static NTSTATUS NTAPI map_view(HANDLE section, HANDLE process, void **base, ULONG_PTR zero_bits,
                               SIZE_T commit, LARGE_INTEGER *offset, SIZE_T *size, ULONG inherit,
                               ULONG type, ULONG protect)
{
    FAIL_IF_PLANNED(.service = FAULTY_map_view, .handle = section, .address = *base,
                    .is_remote = is_remote(process));
    NTSTATUS status = inner.map_view(section, process, base, zero_bits, commit, offset, size,
                                     inherit, type, protect);
    if (NT_SUCCESS(status) && !is_remote(process))
        faulty_account_map(*base);
    return status;
}

static NTSTATUS unmap_remote_view(HANDLE process, void *base)
{
    FAIL_IF_PLANNED(.service = FAULTY_unmap_view, .handle = process, .address = base,
                    .is_remote = true);
    return inner.unmap_view(process, base);
}

static NTSTATUS NTAPI unmap_view(HANDLE process, void *base)
{
    if (is_remote(process))
        return unmap_remote_view(process, base);
    BEGIN_RELEASE(.service = FAULTY_unmap_view, .handle = process, .address = base);
    faulty_account_unmap(base);
    return faulty_account_released("unmap_view", inner.unmap_view(process, base));
}

static NTSTATUS NTAPI duplicate(HANDLE source_process, HANDLE source, HANDLE target_process,
                                HANDLE *target, ACCESS_MASK access, ULONG attributes, ULONG options)
{
    FAIL_IF_PLANNED(.service = FAULTY_duplicate, .handle = source_process, .address = source);
    NTSTATUS status = inner.duplicate(source_process, source, target_process, target, access,
                                      attributes, options);
    if (NT_SUCCESS(status) && target && target_process == PSS_CURRENT_PROCESS)
        faulty_account_open(*target);
    if (NT_SUCCESS(status) && target && source_process == target_process)
        faulty_account_duplicate(source, *target);
    return status;
}

static NTSTATUS NTAPI close_handle(HANDLE handle)
{
    BEGIN_RELEASE(.service = FAULTY_close, .handle = handle);
    faulty_account_close(handle);
    return faulty_account_released("close", inner.close(handle));
}

static NTSTATUS NTAPI query_object(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                                   ULONG *returned)
{
    FAIL_IF_PLANNED(.service = FAULTY_query_object, .handle = handle, .class_number = class_number,
                    .size = size);
    NTSTATUS status = inner.query_object(handle, class_number, buffer, size, returned);
    if (NT_SUCCESS(status) && class_number == PSS_NT_OBJECT_BASIC)
        ((struct pss_nt_object_basic *)buffer)->handle_count -= faulty_account_handles_to(handle);
    return status;
}

static NTSTATUS NTAPI query_event(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                                  ULONG *returned)
{
    FAIL_IF_PLANNED(.service = FAULTY_query_event, .handle = handle, .class_number = class_number,
                    .size = size);
    return inner.query_event(handle, class_number, buffer, size, returned);
}

static NTSTATUS NTAPI query_mutant(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                                   ULONG *returned)
{
    FAIL_IF_PLANNED(.service = FAULTY_query_mutant, .handle = handle, .class_number = class_number,
                    .size = size);
    return inner.query_mutant(handle, class_number, buffer, size, returned);
}

static NTSTATUS NTAPI query_semaphore(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                                      ULONG *returned)
{
    FAIL_IF_PLANNED(.service = FAULTY_query_semaphore, .handle = handle,
                    .class_number = class_number, .size = size);
    return inner.query_semaphore(handle, class_number, buffer, size, returned);
}

static NTSTATUS NTAPI query_section(HANDLE handle, ULONG class_number, void *buffer, SIZE_T size,
                                    SIZE_T *returned)
{
    FAIL_IF_PLANNED(.service = FAULTY_query_section, .handle = handle, .class_number = class_number,
                    .size = size);
    return inner.query_section(handle, class_number, buffer, size, returned);
}

static void NTAPI capture_context(CONTEXT *context)
{
    inner.capture_context(context);
}

static CLIENT_ID NTAPI current_id(void)
{
    return inner.current_id();
}

static ULONGLONG NTAPI read_tsc(void)
{
    return inner.read_tsc();
}

static void *NTAPI allocate_heap(SIZE_T size)
{
    if (faulty_is_failing((struct faulty_call){.service = FAULTY_allocate_heap, .size = size}))
        return NULL;
    void *address = inner.allocate_heap(size);
    faulty_account_allocate_heap(address);
    return address;
}

static void NTAPI free_heap(void *address)
{
    BEGIN_RELEASE(.service = FAULTY_free_heap, .address = address);
    faulty_account_free_heap(address);
    inner.free_heap(address);
}

static void *NTAPI find_service(const char *name)
{
    if (faulty_is_failing((struct faulty_call){.service = FAULTY_find_service, .address = name}))
        return NULL;
    void *found = inner.find_service(name);
    if (!found || strcmp(name, "NtCreateProcessEx") != 0)
        return found;
    return faulty_create_process((pss_nt_create_process *)found);
}

static const struct pss_nt table = {
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
    .create_event = faulty_create_event,
    .set_event = faulty_set_event,
    .create_mutant = faulty_create_mutant,
    .release_mutant = faulty_release_mutant,
    .create_user_process = faulty_create_user_process,
    .create_job = faulty_create_job,
    .set_job = faulty_set_job,
    .assign_job = faulty_assign_job,
    .terminate_process = faulty_terminate_process,
    .query_system = query_system,
    .query_time = query_time,
    .query_counter = query_counter,
    .query_memory = query_memory,
    .read_memory = read_memory,
    .write_memory = write_memory,
    .protect_memory = protect_memory,
    .allocate_memory = allocate_memory,
    .free_memory = free_memory,
    .create_section = create_section,
    .map_view = map_view,
    .unmap_view = unmap_view,
    .open_file = faulty_open_file,
    .list_directory = faulty_list_directory,
    .read_file = faulty_read_file,
    .write_file = faulty_write_file,
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
    .pin_module = faulty_pin_module,
    .try_lock_loader = faulty_try_lock_loader,
    .unlock_loader = faulty_unlock_loader,
    .owns_loader_lock = faulty_owns_loader_lock,
    .find_module = faulty_find_module,
    .find_export = faulty_find_export,
    .query_environment = faulty_query_environment,
    .delay = faulty_delay,
    .call_guarded = faulty_call_guarded,
};

const struct pss_nt *faulty_nt(void)
{
    return &table;
}
