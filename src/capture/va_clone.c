/* SPDX-License-Identifier: MIT */
/* The clone: which memory it is given, and when. */
#include "capture/capture.h"

NTSTATUS pss_va_clone_prepare(struct pss_capture *capture)
{
    const struct pss_clone_target target = {.process = capture->process,
                                            .flags = capture->flags,
                                            .is_self = capture->is_self,
                                            .is_wow64 = capture->is_wow64,
                                            .peb = (uint64_t)(ULONG_PTR)capture->basic.peb};
    NTSTATUS status = pss_clone_begin(capture->nt, &target, &capture->clone);

    if (!NT_SUCCESS(status) || !pss_clone_is_copy(capture->clone))
        return status;
    capture->freezes = 1;
    if (!pss_clone_has_threads(capture->clone))
        capture->asks_directly = 1;
    status = pss_regions_read_all(capture, &capture->clone_regions);
    return NT_SUCCESS(status) ? pss_clone_lay_out(capture->clone, &capture->clone_regions) : status;
}

NTSTATUS pss_va_clone_take(struct pss_capture *capture)
{
    const struct pss_region *regions = &capture->clone_regions;
    NTSTATUS status = STATUS_SUCCESS;

    if (capture->flags & PSS_CAPTURE_VA_SPACE) {
        regions = &capture->builder.sections[PSS_SECTION_REGIONS];
    } else if (pss_clone_is_copy(capture->clone)) {
        capture->clone_regions.size = 0;
        status = pss_regions_read_all(capture, &capture->clone_regions);
    }
    if (!NT_SUCCESS(status))
        return status;
    if (capture->freeze.suspension)
        pss_suspension_set_waiting(capture->freeze.suspension, 1);
    status = pss_clone_take(capture->clone, regions);
    if (capture->freeze.suspension)
        pss_suspension_set_waiting(capture->freeze.suspension, 0);
    return status;
}

NTSTATUS pss_va_clone_finish(struct pss_capture *capture)
{
    struct pss_clone_record clone, *record;
    NTSTATUS status =
        pss_builder_append(capture->nt, &capture->builder, PSS_SECTION_CLONE, &record);

    if (NT_SUCCESS(status))
        status = pss_clone_finish(capture->clone, &clone);
    if (NT_SUCCESS(status))
        *record = clone;
    return status;
}
