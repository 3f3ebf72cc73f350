/* SPDX-License-Identifier: MIT */
/* Handles and their objects as JSON. */
#include <stdint.h>

#include "json.h"
#include "json_values.h"

/* The members of the union, so that a field's name can be written once. */
#define UNION(h, member) (&(h)->TypeSpecificInformation.member)

static void put_process(json_t *object, const PSS_HANDLE_ENTRY *h)
{
    JSON_NUMBER(object, UNION(h, Process), ExitStatus);
    JSON_ADDRESS(object, UNION(h, Process), PebBaseAddress);
    JSON_BITS(object, UNION(h, Process), AffinityMask);
    JSON_NUMBER(object, UNION(h, Process), BasePriority);
    JSON_NUMBER(object, UNION(h, Process), ProcessId);
    JSON_NUMBER(object, UNION(h, Process), ParentProcessId);
    JSON_BITS(object, UNION(h, Process), Flags);
}

static void put_thread(json_t *object, const PSS_HANDLE_ENTRY *h)
{
    JSON_NUMBER(object, UNION(h, Thread), ExitStatus);
    JSON_ADDRESS(object, UNION(h, Thread), TebBaseAddress);
    JSON_NUMBER(object, UNION(h, Thread), ProcessId);
    JSON_NUMBER(object, UNION(h, Thread), ThreadId);
    JSON_BITS(object, UNION(h, Thread), AffinityMask);
    JSON_NUMBER(object, UNION(h, Thread), Priority);
    JSON_NUMBER(object, UNION(h, Thread), BasePriority);
    JSON_ADDRESS(object, UNION(h, Thread), Win32StartAddress);
}

static void put_mutant(json_t *object, const PSS_HANDLE_ENTRY *h)
{
    JSON_NUMBER(object, UNION(h, Mutant), CurrentCount);
    json_put(object, "Abandoned", json_boolean(h->TypeSpecificInformation.Mutant.Abandoned));
    JSON_NUMBER(object, UNION(h, Mutant), OwnerProcessId);
    JSON_NUMBER(object, UNION(h, Mutant), OwnerThreadId);
}

static void put_event(json_t *object, const PSS_HANDLE_ENTRY *h)
{
    json_put(object, "ManualReset", json_boolean(h->TypeSpecificInformation.Event.ManualReset));
    json_put(object, "Signaled", json_boolean(h->TypeSpecificInformation.Event.Signaled));
}

static void put_section(json_t *object, const PSS_HANDLE_ENTRY *h)
{
    JSON_ADDRESS(object, UNION(h, Section), BaseAddress);
    JSON_BITS(object, UNION(h, Section), AllocationAttributes);
    json_put_number(object, "MaximumSize", h->TypeSpecificInformation.Section.MaximumSize.QuadPart);
}

static void put_semaphore(json_t *object, const PSS_HANDLE_ENTRY *h)
{
    JSON_NUMBER(object, UNION(h, Semaphore), CurrentCount);
    JSON_NUMBER(object, UNION(h, Semaphore), MaximumCount);
}

/** The union's member as an object under its name; null when there is none. */
static json_t *describe_object(const PSS_HANDLE_ENTRY *h)
{
    static const struct {
        const char *name;
        void (*put)(json_t *object, const PSS_HANDLE_ENTRY *h);
    } kinds[] = {
        [PSS_OBJECT_TYPE_PROCESS] = {"Process", put_process},
        [PSS_OBJECT_TYPE_THREAD] = {"Thread", put_thread},
        [PSS_OBJECT_TYPE_MUTANT] = {"Mutant", put_mutant},
        [PSS_OBJECT_TYPE_EVENT] = {"Event", put_event},
        [PSS_OBJECT_TYPE_SECTION] = {"Section", put_section},
        [PSS_OBJECT_TYPE_SEMAPHORE] = {"Semaphore", put_semaphore},
    };
    size_t kind = (size_t)h->ObjectType;
    json_t *member;
    json_t *object;

    if ((h->Flags & PSS_HANDLE_HAVE_TYPE_SPECIFIC_INFORMATION) == 0 ||
        kind >= sizeof kinds / sizeof kinds[0] || kinds[kind].put == NULL)
        return json_null();
    member = json_new_object();
    kinds[kind].put(member, h);
    object = json_new_object();
    json_put(object, kinds[kind].name, member);
    return object;
}

static json_t *describe_handle(const PSS_HANDLE_ENTRY *h)
{
    json_t *object = json_new_object();

    json_put_bits(object, "Handle", (uint64_t)(uintptr_t)h->Handle);
    JSON_BITS(object, h, Flags);
    JSON_NUMBER(object, h, ObjectType);
    JSON_TIME(object, h, CaptureTime);
    JSON_BITS(object, h, Attributes);
    JSON_BITS(object, h, GrantedAccess);
    JSON_NUMBER(object, h, HandleCount);
    JSON_NUMBER(object, h, PointerCount);
    JSON_NUMBER(object, h, PagedPoolCharge);
    JSON_NUMBER(object, h, NonPagedPoolCharge);
    JSON_TIME(object, h, CreationTime);
    json_put_wide(object, "TypeName", h->TypeName, h->TypeNameLength / sizeof(WCHAR));
    json_put_wide(object, "ObjectName", h->ObjectName, h->ObjectNameLength / sizeof(WCHAR));
    json_put(object, "TypeSpecificInformation", describe_object(h));
    return object;
}

json_t *json_from_handles(const struct snapshot *snapshot, enum pss_exit *status)
{
    struct walk handles = walk_begin(snapshot, PSS_WALK_HANDLES);
    json_t *array = json_new_array();
    PSS_HANDLE_ENTRY entry;

    while (walk_next(&handles, &entry, sizeof entry))
        json_add(array, describe_handle(&entry));
    if (walk_end(&handles) != EXIT_DONE)
        *status = EXIT_RUNTIME;
    return array;
}
