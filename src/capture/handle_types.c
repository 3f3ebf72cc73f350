/* SPDX-License-Identifier: MIT */
/* Types of objects: the name is asked of one object and kept for all others of the type. */
#include "base/unicode.h"
#include "capture/capture.h"

static int is_named(const UNICODE_STRING *name, SIZE_T length, const WCHAR *expected)
{
    SIZE_T i = 0;

    while (i < length / sizeof(WCHAR) && expected[i] && name->Buffer[i] == expected[i])
        i++;
    return i == length / sizeof(WCHAR) && !expected[i];
}

static uint32_t object_type(const UNICODE_STRING *name, SIZE_T length)
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

static NTSTATUS query_type(struct pss_capture *capture, HANDLE duplicate, struct pss_type *type)
{
    const UNICODE_STRING *name = capture->scratch.base; /* the first field of the answer */
    NTSTATUS status = capture->nt->query_object(duplicate, PSS_NT_OBJECT_TYPE,
                                                capture->scratch.base, PSS_SCRATCH_SIZE, NULL);
    SIZE_T length;

    if (!NT_SUCCESS(status))
        return pss_status_soften(status);
    length = pss_unicode_length(name, PSS_SCRATCH_SIZE);
    type->object_type = object_type(name, length);
    type->is_known = 1;
    return pss_builder_text(capture->nt, &capture->builder, name->Buffer, length, &type->name);
}

/* The entry of a type, or NULL for an index no system is known to use. */
static struct pss_type *type_at(const struct pss_capture *capture, uint32_t index)
{
    return index < PSS_TYPE_INDEX_LIMIT ? (struct pss_type *)capture->types.base + index : NULL;
}

NTSTATUS pss_types_prepare(struct pss_capture *capture)
{
    uint32_t offset;

    return pss_region_append(capture->nt, &capture->types,
                             PSS_TYPE_INDEX_LIMIT * (uint32_t)sizeof(struct pss_type), 1, &offset);
}

int pss_type_is_known(const struct pss_capture *capture, const struct pss_handle_record *record)
{
    const struct pss_type *type = type_at(capture, record->type_index);

    return type && type->is_known;
}

NTSTATUS pss_type_learn(struct pss_capture *capture, HANDLE duplicate,
                        const struct pss_handle_record *record)
{
    struct pss_type *type = type_at(capture, record->type_index);

    return type && !type->is_known ? query_type(capture, duplicate, type) : STATUS_SUCCESS;
}

void pss_type_record(const struct pss_capture *capture, struct pss_handle_record *record)
{
    const struct pss_type *type = type_at(capture, record->type_index);

    if (!type || !type->is_known || !type->name.length)
        return; /* clients take TypeName for given where the flag is set */
    record->type_name = type->name;
    record->object_type = type->object_type;
    record->flags |= PSS_HANDLE_HAVE_TYPE;
}
