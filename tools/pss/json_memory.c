/* SPDX-License-Identifier: MIT */
/* Memory regions and auxiliary pages as JSON. */
#include "json.h"
#include "json_values.h"

static json_t *describe_region(const PSS_VA_SPACE_ENTRY *r)
{
    json_t *object = json_new_object();

    JSON_ADDRESS(object, r, BaseAddress);
    JSON_ADDRESS(object, r, AllocationBase);
    JSON_BITS(object, r, AllocationProtect);
    JSON_NUMBER(object, r, RegionSize);
    JSON_BITS(object, r, State);
    JSON_BITS(object, r, Protect);
    JSON_BITS(object, r, Type);
    JSON_NUMBER(object, r, TimeDateStamp);
    JSON_NUMBER(object, r, SizeOfImage);
    JSON_ADDRESS(object, r, ImageBase);
    JSON_BITS(object, r, CheckSum);
    json_put_wide(object, "MappedFileName", r->MappedFileName,
                  r->MappedFileNameLength / sizeof(WCHAR));
    return object;
}

json_t *json_from_memory(const struct snapshot *snapshot, enum pss_exit *status)
{
    struct walk regions = walk_begin(snapshot, PSS_WALK_VA_SPACE);
    json_t *array = json_new_array();
    PSS_VA_SPACE_ENTRY entry;

    while (walk_next(&regions, &entry, sizeof entry))
        json_add(array, describe_region(&entry));
    if (walk_end(&regions) != EXIT_DONE)
        *status = EXIT_RUNTIME;
    return array;
}

json_t *json_from_region(const MEMORY_BASIC_INFORMATION *region)
{
    json_t *object = json_new_object();

    JSON_ADDRESS(object, region, BaseAddress);
    JSON_ADDRESS(object, region, AllocationBase);
    JSON_BITS(object, region, AllocationProtect);
    JSON_NUMBER(object, region, RegionSize);
    JSON_BITS(object, region, State);
    JSON_BITS(object, region, Protect);
    JSON_BITS(object, region, Type);
    return object;
}

static json_t *describe_page(const PSS_AUXILIARY_PAGE_ENTRY *page)
{
    json_t *object = json_new_object();

    JSON_ADDRESS(object, page, Address);
    json_put(object, "BasicInformation", json_from_region(&page->BasicInformation));
    JSON_TIME(object, page, CaptureTime);
    JSON_ADDRESS(object, page, PageContents);
    JSON_NUMBER(object, page, PageSize);
    return object;
}

json_t *json_from_pages(const struct snapshot *snapshot, enum pss_exit *status)
{
    struct walk pages = walk_begin(snapshot, PSS_WALK_AUXILIARY_PAGES);
    json_t *array = json_new_array();
    PSS_AUXILIARY_PAGE_ENTRY entry;

    while (walk_next(&pages, &entry, sizeof entry))
        json_add(array, describe_page(&entry));
    if (walk_end(&pages) != EXIT_DONE)
        *status = EXIT_RUNTIME;
    return array;
}
