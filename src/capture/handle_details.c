/* SPDX-License-Identifier: MIT */
/* What an object tells of itself: counts and charges, name; asked after the thaw. */
#include "base/unicode.h"
#include "capture/capture.h"

#include <string.h>

#define NEEDS_EACH_OBJECT                                                         \
    (PSS_CAPTURE_HANDLE_NAME_INFORMATION | PSS_CAPTURE_HANDLE_BASIC_INFORMATION | \
     PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION)

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

/* Whether the duplicate is still needed: the name is asked for later, elsewhere. */
static int is_name_open(const struct pss_capture *capture, const struct pss_handle_record *record)
{
    return capture->flags & PSS_CAPTURE_HANDLE_NAME_INFORMATION &&
           pss_handle_may_hang(capture, record);
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
        !is_name_open(capture, record))
        status = record_name(capture, duplicate, record);
    return status;
}

/* Learns what the handle's object tells, through a duplicate that is kept for its name at most. */
static NTSTATUS ask_handle(struct pss_capture *capture, uint32_t index)
{
    struct pss_handle_record *record =
        pss_builder_record(&capture->builder, PSS_SECTION_HANDLES, index);
    HANDLE duplicate;
    NTSTATUS status = STATUS_SUCCESS;

    if (!(capture->flags & NEEDS_EACH_OBJECT) && pss_type_is_known(capture, record)) {
        record->capture_time = pss_time_now(capture->nt);
        pss_type_record(capture, record);
        return STATUS_SUCCESS;
    }
    status = pss_handle_hold(capture, index);
    duplicate = ((const HANDLE *)capture->duplicates.base)[index];
    if (duplicate && NT_SUCCESS(status))
        status = pss_type_learn(capture, duplicate, record);
    pss_type_record(capture, record);
    if (duplicate && NT_SUCCESS(status))
        status = describe_handle(capture, duplicate, record);
    if (!is_name_open(capture, record))
        pss_handle_let_go(capture, index);
    return status;
}

/*
 * An object with several handles was counted while we held as many duplicates of it. Once all are
 * closed, such objects are asked again, through one.
 */
static NTSTATUS recount_shared(struct pss_capture *capture)
{
    uint32_t count = pss_builder_count(&capture->builder, PSS_SECTION_HANDLES);
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0; i < count && NT_SUCCESS(status); i++) {
        struct pss_handle_record *record =
            pss_builder_record(&capture->builder, PSS_SECTION_HANDLES, i);
        HANDLE duplicate = NULL;

        if (record->handle_count < 2 ||
            (!pss_handles_are_frozen(capture) && !is_name_open(capture, record)))
            continue;
        status = pss_handle_duplicate(capture, record->handle, &duplicate);
        if (!duplicate)
            continue;
        status = record_basic(capture->nt, duplicate, record);
        capture->nt->close(duplicate);
    }
    return status;
}

NTSTATUS pss_handles_describe(struct pss_capture *capture)
{
    uint32_t count = pss_builder_count(&capture->builder, PSS_SECTION_HANDLES);
    NTSTATUS status = pss_types_prepare(capture);

    for (uint32_t i = 0; i < count && NT_SUCCESS(status); i++)
        status = ask_handle(capture, i);
    for (uint32_t i = 0; i < count && NT_SUCCESS(status); i++) /* types learnt from later ones */
        pss_type_record(capture, pss_builder_record(&capture->builder, PSS_SECTION_HANDLES, i));
    if (NT_SUCCESS(status) && capture->flags & PSS_CAPTURE_HANDLE_NAME_INFORMATION)
        status = pss_file_names_capture(capture);
    pss_handles_close(capture);
    return NT_SUCCESS(status) ? recount_shared(capture) : status;
}
