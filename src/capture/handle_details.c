/* SPDX-License-Identifier: MIT */
/* What each handle's object tells of itself: type, counts and charges, name; after the thaw. */
#include "base/unicode.h"
#include "capture/capture.h"

/* An object, as its duplicate tells it. */
struct object {
    HANDLE handle;
    const struct pss_type *type; /* NULL: unknown */
    struct pss_nt_object_basic basic;
    int has_basic;
};

static NTSTATUS look_at(struct pss_capture *capture, const struct pss_type *likely,
                        struct object *object)
{
    NTSTATUS status = pss_type_ask(capture, object->handle, likely, &object->type);

    if (!NT_SUCCESS(status) || !(capture->flags & PSS_CAPTURE_HANDLE_BASIC_INFORMATION))
        return status;
    status = capture->nt->query_object(object->handle, PSS_NT_OBJECT_BASIC, &object->basic,
                                       sizeof(object->basic), NULL);
    object->has_basic = NT_SUCCESS(status);
    return pss_status_soften(status);
}

/* The counts without this duplicate. */
static void record_basic(const struct pss_nt_object_basic *basic, struct pss_handle_record *record)
{
    record->handle_count = basic->handle_count ? basic->handle_count - 1 : 0;
    record->pointer_count = basic->pointer_count ? basic->pointer_count - 1 : 0;
    record->paged_pool_charge = basic->paged_pool_charge;
    record->non_paged_pool_charge = basic->non_paged_pool_charge;
    record->creation_time = (uint64_t)basic->creation_time.QuadPart;
    record->flags |= PSS_HANDLE_HAVE_BASIC_INFORMATION;
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

/*
 * Between the table and the duplicate the handle may have been closed, and its value used again.
 * What the table told is then the attributes of another handle; the rest the object tells itself.
 */
static void record_object(const struct object *object, const struct pss_type *row_type,
                          struct pss_handle_record *record)
{
    if (object->has_basic && object->basic.granted_access != record->granted_access) {
        record->granted_access = object->basic.granted_access;
        record->attributes = 0;
    }
    if (object->type && row_type && object->type != row_type)
        record->attributes = 0;
    pss_type_record(object->type, record);
    if (object->has_basic)
        record_basic(&object->basic, record);
}

static NTSTATUS describe(struct pss_capture *capture, uint32_t index, const struct object *object,
                         const struct pss_type *row_type)
{
    struct pss_handle_record *record = pss_handle_at(capture, index);
    struct pss_duplicate *held = pss_duplicate_at(capture, index);
    int wants_name = (capture->flags & PSS_CAPTURE_HANDLE_NAME_INFORMATION) != 0;
    NTSTATUS status = STATUS_SUCCESS;

    record_object(object, row_type, record);
    held->awaits_name = wants_name && !held->is_plain;
    held->awaits_count = object->has_basic && record->handle_count > 1 &&
                         (pss_handles_are_frozen(capture) || !held->is_plain);
    if (capture->flags & PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION)
        status = pss_handle_specific_capture(capture, object->handle, record);
    if (NT_SUCCESS(status) && wants_name && held->is_plain)
        status = record_name(capture, object->handle, record);
    return status;
}

/* Whether a value is that of a handle which a snapshot of the own process owns: its clone's. */
static int is_of_snapshot(const struct pss_capture *capture, uint64_t handle)
{
    const struct pss_clone_record *clone;

    if (!capture->is_self || !pss_builder_count(&capture->builder, PSS_SECTION_CLONE))
        return 0;
    clone = pss_builder_record(&capture->builder, PSS_SECTION_CLONE, 0);
    return handle == clone->lent || handle == clone->kept || handle == clone->job;
}

/*
 * Learns what the object of a handle tells. In the own process an object of another type than the
 * row's may be one that the capture has opened: nothing is told of it.
 */
static NTSTATUS ask_object(struct pss_capture *capture, uint32_t index,
                           const struct pss_type *row_type)
{
    struct pss_duplicate *held = pss_duplicate_at(capture, index);
    struct object object = {.handle = held->handle};
    NTSTATUS status = look_at(capture, row_type, &object);
    int is_other = object.type && row_type && object.type != row_type;

    held->is_plain = object.type && !object.type->is_file;
    if (NT_SUCCESS(status) && !(is_other && capture->is_self))
        status = describe(capture, index, &object, row_type);
    if (!held->awaits_count)
        pss_handle_let_go(capture, index);
    return status;
}

/* What is asked for decides whether the row is enough; without a duplicate it is all there is. */
static NTSTATUS ask_handle(struct pss_capture *capture, uint32_t index)
{
    struct pss_handle_record *record = pss_handle_at(capture, index);
    const struct pss_duplicate *held = pss_duplicate_at(capture, index);
    const struct pss_type *row_type = pss_type_of_row(capture, record);
    NTSTATUS status = STATUS_SUCCESS;

    if (row_type && !pss_handles_need_duplicates(capture)) {
        record->capture_time = pss_time_now(capture->nt);
        pss_type_record(row_type, record);
        return STATUS_SUCCESS;
    }
    if (is_of_snapshot(capture, record->handle)) {
        record->capture_time = pss_time_now(capture->nt);
        return STATUS_SUCCESS;
    }
    status = pss_handle_hold(capture, index);
    if (!NT_SUCCESS(status))
        return status;
    if (held->handle)
        return ask_object(capture, index, row_type);
    if (!held->is_own)
        pss_type_record(row_type, record);
    return STATUS_SUCCESS;
}

NTSTATUS pss_handles_describe(struct pss_capture *capture)
{
    uint32_t count = pss_builder_count(&capture->builder, PSS_SECTION_HANDLES);
    NTSTATUS status = STATUS_SUCCESS;

    for (uint32_t i = 0; i < count && NT_SUCCESS(status); i++)
        status = ask_handle(capture, i);
    if (NT_SUCCESS(status))
        status = pss_handles_recount(capture);
    if (NT_SUCCESS(status))
        status = pss_files_finish(capture);
    pss_handles_close(capture);
    return status;
}
