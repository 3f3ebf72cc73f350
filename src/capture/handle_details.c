/* SPDX-License-Identifier: MIT */
/* What an object tells of itself: type, counts and charges, name; asked after the thaw. */
#include "base/unicode.h"
#include "capture/capture.h"

#include <string.h>

struct type {
    struct pss_text name;
    uint32_t object_type; /* PSS_OBJECT_TYPE */
    uint32_t is_known;
};

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

/* The type's name is asked of one object and kept for all others of the type. */
static NTSTATUS query_type(struct pss_capture *capture, HANDLE duplicate, struct type *type)
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

/* Asks for every type of which an object could be duplicated. */
static NTSTATUS query_types(struct pss_capture *capture, const HANDLE *duplicates,
                            struct type *types)
{
    uint32_t count = pss_builder_count(&capture->builder, PSS_SECTION_HANDLES);
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0; i < count && NT_SUCCESS(status); i++) {
        const struct pss_handle_record *record =
            pss_builder_record(&capture->builder, PSS_SECTION_HANDLES, i);

        if (duplicates[i] && record->type_index < PSS_TYPE_INDEX_LIMIT &&
            !types[record->type_index].is_known)
            status = query_type(capture, duplicates[i], &types[record->type_index]);
    }
    return status;
}

static void record_type(struct pss_handle_record *record, const struct type *types)
{
    const struct type *type = &types[record->type_index % PSS_TYPE_INDEX_LIMIT];

    if (record->type_index >= PSS_TYPE_INDEX_LIMIT || !type->is_known)
        return;
    record->type_name = type->name;
    record->object_type = type->object_type;
    record->flags |= PSS_HANDLE_HAVE_TYPE;
}

/* The counts without one duplicate of ours; attributes and access came with the table. */
static NTSTATUS record_basic(const struct pss_nt *nt, HANDLE duplicate,
                             struct pss_handle_record *record)
{
    struct pss_nt_object_basic basic = {0};
    NTSTATUS status = nt->query_object(duplicate, PSS_NT_OBJECT_BASIC, &basic, sizeof(basic), NULL);

    if (!NT_SUCCESS(status))
        return pss_status_soften(status);
    record->handle_count = basic.handle_count ? basic.handle_count - 1 : 0;
    record->pointer_count = basic.pointer_count ? basic.pointer_count - 1 : 0;
    record->paged_pool_charge = basic.paged_pool_charge;
    record->non_paged_pool_charge = basic.non_paged_pool_charge;
    record->creation_time = (uint64_t)basic.creation_time.QuadPart;
    record->flags |= PSS_HANDLE_HAVE_BASIC_INFORMATION;
    return STATUS_SUCCESS;
}

/*
 * An object with several handles was counted while we had as many duplicates of it. Once all are
 * closed such objects are asked again, through one.
 */
static NTSTATUS recount_shared(struct pss_capture *capture)
{
    uint32_t count = pss_builder_count(&capture->builder, PSS_SECTION_HANDLES);
    NTSTATUS status = STATUS_SUCCESS;

    pss_handles_close(capture);
    for (uint32_t i = 0; i < count && NT_SUCCESS(status); i++) {
        struct pss_handle_record *record =
            pss_builder_record(&capture->builder, PSS_SECTION_HANDLES, i);
        HANDLE duplicate = NULL;

        if (record->handle_count < 2)
            continue;
        status = pss_handle_duplicate(capture, record->handle, &duplicate);
        if (!duplicate)
            continue;
        status = record_basic(capture->nt, duplicate, record);
        capture->nt->close(duplicate);
    }
    return status;
}

NTSTATUS pss_handle_named(struct pss_capture *capture, struct pss_handle_record *record,
                          const WCHAR *name, SIZE_T length)
{
    NTSTATUS status =
        pss_builder_text(capture->nt, &capture->builder, name, length, &record->object_name);

    if (NT_SUCCESS(status) && record->object_name.length)
        record->flags |= PSS_HANDLE_HAVE_NAME;
    return status;
}

static NTSTATUS record_name(struct pss_capture *capture, HANDLE duplicate,
                            struct pss_handle_record *record)
{
    const UNICODE_STRING *name = capture->scratch.base;
    NTSTATUS status = capture->nt->query_object(duplicate, PSS_NT_OBJECT_NAME,
                                                capture->scratch.base, PSS_SCRATCH_SIZE, NULL);

    if (!NT_SUCCESS(status))
        return pss_status_soften(status);
    return pss_handle_named(capture, record, name->Buffer,
                            pss_unicode_length(name, PSS_SCRATCH_SIZE));
}

int pss_handle_may_hang(const struct pss_capture *capture, const struct pss_handle_record *record)
{
    static const WCHAR file[] = L"File";
    const char *data = capture->builder.sections[PSS_SECTION_DATA].base;

    if (!(record->flags & PSS_HANDLE_HAVE_TYPE))
        return 1;
    return record->type_name.length == sizeof(file) - sizeof(WCHAR) &&
           !memcmp(data + record->type_name.offset, file, record->type_name.length);
}

static NTSTATUS describe_handle(struct pss_capture *capture, HANDLE duplicate,
                                struct pss_handle_record *record)
{
    uint32_t flags = capture->flags;
    NTSTATUS status = STATUS_SUCCESS;

    if (flags & PSS_CAPTURE_HANDLE_BASIC_INFORMATION)
        status = record_basic(capture->nt, duplicate, record);
    if (NT_SUCCESS(status) && flags & PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION)
        status = pss_handle_specific_capture(capture, duplicate, record);
    if (NT_SUCCESS(status) && flags & PSS_CAPTURE_HANDLE_NAME_INFORMATION &&
        !pss_handle_may_hang(capture, record))
        status = record_name(capture, duplicate, record);
    return status;
}

NTSTATUS pss_handles_describe(struct pss_capture *capture)
{
    const HANDLE *duplicates = capture->duplicates.base;
    uint32_t count = pss_builder_count(&capture->builder, PSS_SECTION_HANDLES);
    struct pss_region types = {0};
    uint32_t offset;
    NTSTATUS status = pss_region_append(capture->nt, &types,
                                        PSS_TYPE_INDEX_LIMIT * sizeof(struct type), 1, &offset);

    if (NT_SUCCESS(status))
        status = query_types(capture, duplicates, types.base);
    for (uint32_t i = 0; i < count && NT_SUCCESS(status); i++) {
        struct pss_handle_record *record =
            pss_builder_record(&capture->builder, PSS_SECTION_HANDLES, i);

        record_type(record, types.base);
        if (duplicates[i])
            status = describe_handle(capture, duplicates[i], record);
    }
    pss_region_free(capture->nt, &types);
    if (NT_SUCCESS(status) && capture->flags & PSS_CAPTURE_HANDLE_NAME_INFORMATION)
        status = pss_file_names_capture(capture);
    return NT_SUCCESS(status) ? recount_shared(capture) : status;
}
