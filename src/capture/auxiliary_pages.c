/* SPDX-License-Identifier: MIT */
/* Auxiliary pages: the page the kernel shares with every process, which no clone holds. */
#include "capture/capture.h"

#include <string.h>

#define SHARED_DATA_ADDRESS 0x7FFE0000u /* source: ntddk.h, MM_SHARED_USER_DATA_VA */
#define PAGE_BYTES          0x1000u

static NTSTATUS read_page(struct pss_capture *capture, struct pss_auxiliary_page_record *page)
{
    struct pss_region *data = &capture->builder.sections[PSS_SECTION_DATA];
    uint32_t offset;
    NTSTATUS status = pss_builder_data(capture->nt, &capture->builder, PAGE_BYTES, &offset);
    SIZE_T read = 0;

    if (!NT_SUCCESS(status))
        return status;
    status = capture->nt->read_memory(capture->process, (const void *)SHARED_DATA_ADDRESS,
                                      pss_region_at(data, offset), PAGE_BYTES, &read);
    if (NT_SUCCESS(status) && read == PAGE_BYTES)
        page->contents = offset;
    return pss_status_soften(status);
}

NTSTATUS pss_auxiliary_pages_capture(struct pss_capture *capture)
{
    struct pss_auxiliary_page_record *page;
    struct pss_region regions = {0};
    NTSTATUS status =
        pss_builder_append(capture->nt, &capture->builder, PSS_SECTION_AUXILIARY_PAGES, &page);

    if (NT_SUCCESS(status))
        status = pss_regions_read(capture, SHARED_DATA_ADDRESS, 1, &regions);
    if (NT_SUCCESS(status)) {
        memcpy(&page->region, regions.base, sizeof(page->region));
        page->capture_time = pss_time_now(capture->nt);
        page->size = PAGE_BYTES;
        status = read_page(capture, page);
    }
    pss_region_free(capture->nt, &regions);
    return status;
}
