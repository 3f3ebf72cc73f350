/* SPDX-License-Identifier: MIT */
/* Types of objects: their names, and which one an object has, or a row of the handle table tells.
 */
#include "base/unicode.h"
#include "capture/capture.h"

#include <string.h>

/* Behind the types of the list come those that only an object has told. */
#define TYPE_LIMIT (2 * PSS_TYPE_INDEX_LIMIT)

static int is_named(const WCHAR *name, SIZE_T length, const WCHAR *expected)
{
    SIZE_T i = 0;

    while (i < length / sizeof(WCHAR) && expected[i] && name[i] == expected[i])
        i++;
    return i == length / sizeof(WCHAR) && !expected[i];
}

static uint32_t object_type(const WCHAR *name, SIZE_T length)
{
    static const WCHAR names[][10] = {
        [PSS_OBJECT_TYPE_PROCESS] = L"Process", [PSS_OBJECT_TYPE_THREAD] = L"Thread",
        [PSS_OBJECT_TYPE_MUTANT] = L"Mutant",   [PSS_OBJECT_TYPE_EVENT] = L"Event",
        [PSS_OBJECT_TYPE_SECTION] = L"Section", [PSS_OBJECT_TYPE_SEMAPHORE] = L"Semaphore",
    };

    for (uint32_t i = PSS_OBJECT_TYPE_PROCESS; i <= PSS_OBJECT_TYPE_SEMAPHORE; i++)
        if (is_named(name, length, names[i]))
            return i;
    return PSS_OBJECT_TYPE_UNKNOWN;
}

static struct pss_type *type_at(const struct pss_capture *capture, uint32_t index)
{
    return (struct pss_type *)capture->types.base + index;
}

static NTSTATUS add_type(struct pss_capture *capture, uint32_t index, const WCHAR *name,
                         SIZE_T length)
{
    struct pss_type *type = type_at(capture, index);

    type->object_type = object_type(name, length);
    type->is_file = (uint32_t)is_named(name, length, L"File");
    return pss_builder_text(capture->nt, &capture->builder, name, length, &type->name);
}

/* The index of a type whose entry does not tell it is that of the one before, plus 1. */
static NTSTATUS take_list(struct pss_capture *capture)
{
    const struct pss_nt_object_types *list = capture->scratch.base;
    uint32_t index = PSS_NT_FIRST_TYPE_INDEX - 1, offset = sizeof(void *);
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0; i < list->count && NT_SUCCESS(status); i++) {
        const struct pss_nt_object_type *type = pss_region_at(&capture->scratch, offset);
        uint32_t room = PSS_SCRATCH_SIZE - offset;

        if (room < sizeof(*type))
            break;
        index = type->index > index ? type->index : index + 1;
        if (index >= PSS_TYPE_INDEX_LIMIT)
            break;
        status = add_type(capture, index, type->name.Buffer, pss_unicode_length(type, room));
        offset += (uint32_t)sizeof(*type);
        offset += (uint32_t)((type->name.MaximumLength + sizeof(void *) - 1) & -sizeof(void *));
        if (offset > PSS_SCRATCH_SIZE)
            break;
    }
    return status;
}

NTSTATUS pss_types_list(struct pss_capture *capture)
{
    uint32_t offset;
    NTSTATUS status = pss_region_append(capture->nt, &capture->types,
                                        TYPE_LIMIT * (uint32_t)sizeof(struct pss_type), 1, &offset);

    if (!NT_SUCCESS(status))
        return status;
    memset(capture->scratch.base, 0, PSS_SCRATCH_SIZE); /* what is not written tells no index */
    status = capture->nt->query_object(NULL, PSS_NT_OBJECT_TYPES, capture->scratch.base,
                                       PSS_SCRATCH_SIZE, NULL);
    if (!NT_SUCCESS(status))
        return pss_status_soften(status);
    capture->has_type_list = 1;
    return take_list(capture);
}

void pss_types_calibrate(struct pss_capture *capture, uint32_t event_index)
{
    for (uint32_t i = 0; i < PSS_TYPE_INDEX_LIMIT; i++) {
        if (type_at(capture, i)->object_type != PSS_OBJECT_TYPE_EVENT)
            continue;
        capture->type_shift = i - event_index; /* may be less than 0: sums come out right */
        capture->has_type_shift = 1;
    }
}

/*
 * The first type of the list is that of types themselves. Some systems also give its index to
 * passing objects of their own that have no type: such an object is asked.
 */
const struct pss_type *pss_type_of_row(const struct pss_capture *capture,
                                       const struct pss_handle_record *record)
{
    uint32_t index = record->type_index + capture->type_shift;

    if (!capture->has_type_shift || index <= PSS_NT_FIRST_TYPE_INDEX ||
        index >= PSS_TYPE_INDEX_LIMIT)
        return NULL;
    return type_at(capture, index)->name.length ? type_at(capture, index) : NULL;
}

static int is_type(const struct pss_capture *capture, const struct pss_type *type,
                   const WCHAR *name, SIZE_T length)
{
    const char *data = capture->builder.sections[PSS_SECTION_DATA].base;

    return type->name.length == length && !memcmp(data + type->name.offset, name, length);
}

/* Finds a type by its name, or keeps it behind those of the list, as long as there is room. */
static NTSTATUS find_type(struct pss_capture *capture, const WCHAR *name, SIZE_T length,
                          const struct pss_type **type)
{
    uint32_t place = TYPE_LIMIT;
    NTSTATUS status;

    for (uint32_t i = TYPE_LIMIT; i-- > 0;) {
        if (is_type(capture, type_at(capture, i), name, length)) {
            *type = type_at(capture, i);
            return STATUS_SUCCESS;
        }
        if (i >= PSS_TYPE_INDEX_LIMIT && !type_at(capture, i)->name.length)
            place = i;
    }
    if (place == TYPE_LIMIT)
        return STATUS_SUCCESS;
    status = add_type(capture, place, name, length);
    if (NT_SUCCESS(status))
        *type = type_at(capture, place);
    return status;
}

NTSTATUS pss_type_ask(struct pss_capture *capture, HANDLE object, const struct pss_type *likely,
                      const struct pss_type **type)
{
    const UNICODE_STRING *name = capture->scratch.base; /* the first field of the answer */
    NTSTATUS status = capture->nt->query_object(object, PSS_NT_OBJECT_TYPE, capture->scratch.base,
                                                PSS_SCRATCH_SIZE, NULL);
    SIZE_T length;

    *type = NULL;
    if (!NT_SUCCESS(status))
        return pss_status_soften(status);
    length = pss_unicode_length(name, PSS_SCRATCH_SIZE);
    if (!length)
        return STATUS_SUCCESS;
    if (likely && is_type(capture, likely, name->Buffer, length)) {
        *type = likely;
        return STATUS_SUCCESS;
    }
    return find_type(capture, name->Buffer, length, type);
}

void pss_type_record(const struct pss_type *type, struct pss_handle_record *record)
{
    if (!type)
        return;
    record->type_name = type->name;
    record->object_type = type->object_type;
    record->flags |= PSS_HANDLE_HAVE_TYPE;
}
