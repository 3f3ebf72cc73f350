/* SPDX-License-Identifier: MIT */
/* The fake kernel's answers about handles and the objects behind them. */
#include "fake_answers.h"

#include "fake_space.h"
#include "fake_threads.h"

#include <stdlib.h>
#include <string.h>

#define TYPE_ANSWER_HEAD 104u /* source: winternl.h and phnt, OBJECT_TYPE_INFORMATION on x64 */

struct fake_object *fake_object_of(HANDLE handle, ACCESS_MASK any_of, NTSTATUS *status)
{
    const struct fake_handle *found;

    if (handle == PSS_CURRENT_PROCESS)
        return &fake.own->object;
    if (handle == PSS_CURRENT_THREAD)
        return &fake.caller->object;
    found = fake_handle_find(fake.own, handle);
    if (!found) {
        *status = STATUS_INVALID_HANDLE;
        return NULL;
    }
    if (any_of != MAXIMUM_ALLOWED && any_of && !(found->access & any_of)) {
        *status = STATUS_ACCESS_DENIED;
        return NULL;
    }
    return found->object;
}

struct fake_object *fake_typed_object(HANDLE handle, enum fake_type type, ACCESS_MASK any_of,
                                      NTSTATUS *status)
{
    struct fake_object *object = fake_object_of(handle, MAXIMUM_ALLOWED, status);

    if (!object)
        return NULL;
    if (object->type != type) {
        *status = STATUS_OBJECT_TYPE_MISMATCH;
        return NULL;
    }
    return fake_object_of(handle, any_of, status);
}

struct fake_process *fake_process_of(HANDLE handle, ACCESS_MASK any_of, NTSTATUS *status)
{
    return (struct fake_process *)(void *)fake_typed_object(handle, FAKE_PROCESS, any_of, status);
}

struct fake_thread *fake_thread_of(HANDLE handle, ACCESS_MASK any_of, NTSTATUS *status)
{
    return (struct fake_thread *)(void *)fake_typed_object(handle, FAKE_THREAD, any_of, status);
}

static NTSTATUS give_basic(HANDLE handle, const struct fake_object *object, void *buffer,
                           ULONG size, ULONG *returned)
{
    const struct fake_handle *found = fake_handle_find(fake.own, handle);
    struct pss_nt_object_basic answer = {0};

    answer.granted_access = found ? found->access : PROCESS_ALL_ACCESS;
    answer.attributes = found ? found->attributes : 0;
    answer.handle_count = fake.tells_no_counts ? 0 : object->handle_count;
    answer.pointer_count = object->handle_count + object->references;
    answer.paged_pool_charge = object->paged_pool_charge;
    answer.non_paged_pool_charge = object->non_paged_pool_charge;
    answer.creation_time.QuadPart = (LONGLONG)object->creation_time;
    return fake_give(buffer, size, returned, &answer, sizeof(answer));
}

static struct fake_text type_name(enum fake_type type)
{
    switch (type) {
    case FAKE_PROCESS:
        return FAKE_TEXT(L"Process");
    case FAKE_THREAD:
        return FAKE_TEXT(L"Thread");
    case FAKE_MUTANT:
        return FAKE_TEXT(L"Mutant");
    case FAKE_EVENT:
        return FAKE_TEXT(L"Event");
    case FAKE_SECTION:
        return FAKE_TEXT(L"Section");
    case FAKE_SEMAPHORE:
        return FAKE_TEXT(L"Semaphore");
    case FAKE_FILE:
        return FAKE_TEXT(L"File");
    case FAKE_JOB:
        return FAKE_TEXT(L"Job");
    default:
        return FAKE_TEXT(L"Key");
    }
}

#define LAST_TYPE_INDEX 44u /* of the types that the system lists */

/* Between those that are modelled lie others. */
static struct fake_text listed_name(uint32_t index)
{
    static const enum fake_type types[] = {
        [6] = FAKE_JOB,    [7] = FAKE_PROCESS,  [8] = FAKE_THREAD,
        [16] = FAKE_EVENT, [17] = FAKE_MUTANT,  [19] = FAKE_SEMAPHORE,
        [37] = FAKE_FILE,  [42] = FAKE_SECTION, [44] = FAKE_KEY};

    if (types[index] || index == 7)
        return type_name(types[index]);
    return FAKE_TEXT(L"Other");
}

static NTSTATUS give_types(char *buffer, ULONG size, ULONG *returned)
{
    ULONG count = LAST_TYPE_INDEX + 1 - PSS_NT_FIRST_TYPE_INDEX, offset = sizeof(void *);
    ULONG needed = (ULONG)sizeof(void *) + count * ((ULONG)sizeof(struct pss_nt_object_type) + 24);

    if (fake.lacks_type_list)
        return STATUS_INVALID_INFO_CLASS;
    if (returned)
        *returned = needed;
    if (size < needed)
        return STATUS_INFO_LENGTH_MISMATCH;
    memcpy(buffer, &count, sizeof(count));
    for (uint32_t index = PSS_NT_FIRST_TYPE_INDEX; index <= LAST_TYPE_INDEX; index++) {
        struct pss_nt_object_type *type = (void *)(buffer + offset);
        struct fake_text name = listed_name(index);

        type->name.Length = (USHORT)name.length;
        type->name.MaximumLength = (USHORT)(name.length + sizeof(WCHAR));
        type->name.Buffer = (WCHAR *)(void *)(type + 1);
        if (!fake.lacks_type_indices)
            type->index = (UCHAR)index;
        memcpy(type->name.Buffer, name.text, name.length);
        offset += (ULONG)sizeof(*type) + ((type->name.MaximumLength + 7u) & ~7u);
    }
    return STATUS_SUCCESS;
}

NTSTATUS fake_answer_object(HANDLE handle, ULONG class_number, void *buffer, ULONG size,
                            ULONG *returned)
{
    NTSTATUS status;
    const struct fake_object *object;

    if (class_number == PSS_NT_OBJECT_TYPES)
        return give_types(buffer, size, returned);
    object = fake_object_of(handle, MAXIMUM_ALLOWED, &status);
    if (!object)
        return status;
    switch (class_number) {
    case PSS_NT_OBJECT_BASIC:
        return give_basic(handle, object, buffer, size, returned);
    case PSS_NT_OBJECT_NAME:
        if (object->name_hang != FAKE_ANSWERS)
            fake_worker_hang(object->name_hang);
        return fake_give_text(buffer, size, returned, object->name, sizeof(UNICODE_STRING));
    case PSS_NT_OBJECT_TYPE:
        return fake_give_text(buffer, size, returned,
                              object->is_untyped ? FAKE_TEXT(L"") : type_name(object->type),
                              TYPE_ANSWER_HEAD);
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}

/* What more an object grants than the handle has. */
static int grants(const struct fake_object *object, ACCESS_MASK more)
{
    if (object->type == FAKE_THREAD &&
        ((const struct fake_thread *)(const void *)object)->denies & more)
        return 0;
    return !more || !object->refuses_more_access;
}

/* Answers whether the value names something. */
static int find_source(struct fake_process *process, HANDLE value, struct fake_handle *found)
{
    const struct fake_handle *handle = fake_handle_find(process, value);

    if (value == PSS_CURRENT_THREAD && process == fake.own)
        *found = (struct fake_handle){.object = &fake.caller->object, .access = THREAD_ALL_ACCESS};
    else if (handle)
        *found = *handle;
    return handle || value == PSS_CURRENT_THREAD;
}

static NTSTATUS open_duplicate(struct fake_process *process, const struct fake_handle *found,
                               HANDLE *target, ACCESS_MASK access, ULONG options)
{
    if (process->times.exit_time.QuadPart)
        return STATUS_PROCESS_IS_TERMINATING;
    if (found->object->refuses_duplication)
        return STATUS_NOT_SUPPORTED;
    if (options & DUPLICATE_SAME_ACCESS)
        access = found->access;
    else if (!grants(found->object, access & ~found->access))
        return STATUS_ACCESS_DENIED;
    *target = fake_handle_open_in(process, found->object, access);
    return STATUS_SUCCESS;
}

NTSTATUS fake_answer_duplicate(HANDLE source_process, HANDLE source, HANDLE target_process,
                               HANDLE *target, ACCESS_MASK access, ULONG options)
{
    NTSTATUS status;
    struct fake_process *from = fake_process_of(source_process, PROCESS_DUP_HANDLE, &status), *to;
    struct fake_handle found;

    if (!from)
        return status;
    if (!find_source(from, source, &found))
        return STATUS_INVALID_HANDLE;
    to = fake_process_of(target_process, PROCESS_DUP_HANDLE, &status);
    if (to)
        status = open_duplicate(to, &found, target, access, options);
    if (options & DUPLICATE_CLOSE_SOURCE) /* whatever has become of the duplicate */
        fake_handle_close(from, source);
    return status;
}

NTSTATUS fake_answer_state(HANDLE handle, enum fake_type type, ULONG class_number, void *buffer,
                           SIZE_T size, ULONG *returned)
{
    NTSTATUS status = STATUS_SUCCESS;
    struct fake_object *object = fake_typed_object(handle, type, MAXIMUM_ALLOWED, &status);

    if (object)
        object = fake_typed_object(handle, type, object->query_access, &status);
    if (!object)
        return status;
    if (type == FAKE_MUTANT && class_number == PSS_NT_MUTANT_OWNER)
        return fake.has_mutant_owners
                   ? fake_give(buffer, size, returned, &object->mutant_owner, sizeof(CLIENT_ID))
                   : STATUS_INVALID_INFO_CLASS;
    if (class_number)
        return STATUS_INVALID_INFO_CLASS;
    if (type == FAKE_MUTANT)
        return fake_give(buffer, size, returned, &object->mutant, sizeof(object->mutant));
    if (type == FAKE_SECTION)
        return fake_give(buffer, size, returned, &object->section, sizeof(object->section));
    if (type == FAKE_EVENT)
        return fake_give(buffer, size, returned, &object->event, sizeof(object->event));
    return fake_give(buffer, size, returned, &object->semaphore, sizeof(object->semaphore));
}

NTSTATUS fake_answer_section(HANDLE *section, const LARGE_INTEGER *size)
{
    struct fake_object *object = fake_object_add(FAKE_SECTION);

    object->section.attributes = SEC_COMMIT;
    object->section.maximum_size = *size;
    object->bytes = calloc(1, (size_t)size->QuadPart);
    if (!object->bytes)
        abort();
    *section = fake_handle_open_library(object, SECTION_ALL_ACCESS);
    return STATUS_SUCCESS;
}

NTSTATUS fake_answer_map(HANDLE section, void **base, const LARGE_INTEGER *offset, SIZE_T *size)
{
    NTSTATUS status;
    struct fake_object *object = fake_typed_object(section, FAKE_SECTION, MAXIMUM_ALLOWED, &status);
    SIZE_T start = offset ? (SIZE_T)offset->QuadPart : 0, whole;

    if (!object)
        return status;
    whole = (SIZE_T)object->section.maximum_size.QuadPart;
    if (start % FAKE_GRANULARITY)
        return STATUS_MAPPED_ALIGNMENT;
    if (!object->bytes || start > whole || *size > whole - start)
        return STATUS_INVALID_VIEW_SIZE;
    *base = (char *)object->bytes + start;
    if (!*size)
        *size = whole - start;
    fake_views_add(1);
    return STATUS_SUCCESS;
}

/* The one that lives, if an id was used again. */
static struct fake_process *find_process(ULONG_PTR id)
{
    struct fake_process *found = NULL;

    for (uint32_t i = 0; i < fake.process_count; i++) {
        struct fake_process *process = fake.processes[i];

        if (process->basic.process_id != id)
            continue;
        if (!found || found->times.exit_time.QuadPart)
            found = process;
    }
    return found;
}

NTSTATUS fake_answer_open(HANDLE *handle, ACCESS_MASK access, const CLIENT_ID *id)
{
    struct fake_process *process = find_process((ULONG_PTR)id->UniqueProcess);

    if (!process)
        return STATUS_INVALID_CID;
    *handle = fake_handle_open_library(&process->object, access);
    return STATUS_SUCCESS;
}

NTSTATUS fake_answer_event(HANDLE *event, ACCESS_MASK access, LONG type, LONG state)
{
    struct fake_object *object = fake_object_add(FAKE_EVENT);

    object->event.type = type;
    object->event.state = state;
    *event = fake_handle_open_library(object, access);
    return STATUS_SUCCESS;
}

NTSTATUS fake_answer_set_event(HANDLE event)
{
    NTSTATUS status = STATUS_SUCCESS;
    struct fake_object *object = fake_typed_object(event, FAKE_EVENT, EVENT_MODIFY_STATE, &status);

    if (!object)
        return status;
    object->event.state = 1;
    fake_announce_change();
    return STATUS_SUCCESS;
}

/* A name by its sum: the text belongs to who opens it. */
static uint64_t sum_of(const UNICODE_STRING *name)
{
    uint64_t sum = name->Length;

    for (uint32_t i = 0; i < name->Length / sizeof(WCHAR); i++)
        sum = sum * 31 + name->Buffer[i];
    return sum;
}

NTSTATUS fake_answer_mutant(HANDLE *mutant, ACCESS_MASK access, const UNICODE_STRING *name)
{
    uint64_t sum = sum_of(name);
    struct fake_object *object = fake.objects;

    while (object && !(object->type == FAKE_MUTANT && object->name_sum == sum))
        object = object->next;
    if (!object) {
        object = fake_object_add(FAKE_MUTANT);
        object->mutant.current_count = 1;
        object->name_sum = sum;
    }
    *mutant = fake_handle_open_library(object, access);
    return STATUS_SUCCESS;
}

/* One that is not owned must not be released. */
NTSTATUS fake_answer_release_mutant(HANDLE mutant)
{
    NTSTATUS status = STATUS_SUCCESS;
    struct fake_object *object = fake_typed_object(mutant, FAKE_MUTANT, 0, &status);

    if (!object)
        return status;
    if (object->mutant.current_count > 0)
        abort();
    object->mutant.current_count++;
    fake_announce_change();
    return STATUS_SUCCESS;
}
