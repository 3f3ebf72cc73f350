/* SPDX-License-Identifier: MIT */
/* The clone and where its regions differ from the target's, as JSON. */
#include "json.h"
#include "json_values.h"
#include "va_clone.h"

static json_t *describe_details(const struct snapshot *snapshot)
{
    const PSS_VA_CLONE_DETAILS *d = &snapshot->details;
    json_t *object;

    if (!snapshot->has_details)
        return json_null();
    object = json_new_object();
    JSON_NUMBER(object, d, Strategy);
    JSON_NUMBER(object, d, Route);
    JSON_NUMBER(object, d, BytesCommitted);
    JSON_NUMBER(object, d, BytesHeld);
    JSON_NUMBER(object, d, BytesCopied);
    JSON_NUMBER(object, d, BytesUnchanged);
    JSON_NUMBER(object, d, BytesZero);
    JSON_NUMBER(object, d, BytesMissing);
    return object;
}

static json_t *describe_counts(const struct comparison *comparison)
{
    json_t *counts = json_new_object();

    json_put_number(counts, "target_regions", (int64_t)comparison->target.count);
    json_put_number(counts, "clone_regions", (int64_t)comparison->clone.count);
    for (size_t i = 0; i < COMPARE_KIND_COUNT; i++)
        json_put_number(counts, compare_words[i], (int64_t)comparison->kinds[i]);
    return counts;
}

static json_t *describe_kinds(unsigned kinds)
{
    json_t *array = json_new_array();

    for (size_t i = 0; i < COMPARE_KIND_COUNT; i++)
        if ((kinds >> i & 1) != 0)
            json_add(array, json_string(compare_words[i]));
    return array;
}

static json_t *describe_differences(const struct comparison *comparison)
{
    json_t *array = json_new_array();

    for (size_t i = 0; i < comparison->count; i++) {
        const struct difference *difference = &comparison->items[i];
        json_t *object = json_new_object();
        json_t *regions = json_new_array();

        for (size_t j = 0; j < difference->count; j++)
            json_add(regions, json_from_region(&comparison->clone.items[difference->first + j]));
        json_put(object, "differs_in", describe_kinds(difference->kinds));
        json_put(object, "target", json_from_region(&comparison->target.items[difference->target]));
        json_put(object, "clone", regions);
        json_add(array, object);
    }
    return array;
}

json_t *json_from_clone(const struct snapshot *snapshot, enum pss_exit *status)
{
    json_t *object = json_new_object();
    struct comparison comparison;

    if (clone_compare(snapshot, &comparison) != EXIT_DONE)
        *status = EXIT_RUNTIME;
    JSON_ADDRESS(object, &snapshot->clone, VaCloneHandle);
    json_put_number(object, "process_id", GetProcessId(snapshot->clone.VaCloneHandle));
    json_put(object, "details", describe_details(snapshot));
    json_put(object, "counts", describe_counts(&comparison));
    json_put(object, "differences", describe_differences(&comparison));
    compare_fini(&comparison);
    return object;
}
