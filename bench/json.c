/* SPDX-License-Identifier: MIT */
/* The results as JSON. */
#include "report.h"

#include <jansson.h>
#include <string.h>

typedef const char *(CDECL *wine_version)(void);

/* Such as "Wine 8.0", or the version Windows gives itself. */
static json_t *describe_system(void)
{
    wine_version wine =
        (wine_version)(void *)GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version");
    DWORD version = GetVersion();

    if (wine != NULL)
        return json_sprintf("Wine %s", wine());
    return json_sprintf("Windows %u.%u", LOBYTE(version), HIBYTE(version));
}

static json_t *describe_timing(const char *text, const struct timing *timing)
{
    return json_pack("{s:s, s:f, s:f, s:f}", "what", text, "median_us", timing->median, "min_us",
                     timing->least, "max_us", timing->most);
}

static json_t *describe_aim(const struct comparison *comparison)
{
    if (comparison->entry_limit != 0)
        return json_pack("{s:f}", "ns_per_entry", comparison->entry_limit);
    if (comparison->extra_limit != 0)
        return json_pack("{s:f}", "us_more", comparison->extra_limit);
    return json_pack("{s:f}", "ratio", comparison->ratio_limit);
}

static json_t *describe_result(const struct result *result)
{
    const struct comparison *comparison = result->subject->comparison;
    json_t *object =
        json_pack("{s:s, s:o, s:o, s:f, s:o, s:b}", "name", result->subject->name, "ours",
                  describe_timing(comparison->ours_text, &result->ours), "theirs",
                  describe_timing(comparison->theirs_text, &result->theirs), "ratio", result->ratio,
                  "aim", describe_aim(comparison), "met", is_aim_met(result));

    if (object == NULL)
        return NULL;
    json_object_set_new(object, "snapshot_bytes", json_integer((json_int_t)result->bytes));
    if (comparison->entry_size == 0)
        return object;
    json_object_set_new(object, "entries", json_integer(result->entries));
    json_object_set_new(object, "ns_per_entry", json_real(result->entry_ns));
    json_object_set_new(object, "bytes_per_entry", json_real(bytes_per_entry(result)));
    json_object_set_new(object, "public_bytes_per_entry", json_integer(comparison->entry_size));
    return object;
}

static json_t *describe_bytes(const PSS_VA_CLONE_DETAILS *details)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "committed",
                     (json_int_t)details->BytesCommitted, "held", (json_int_t)details->BytesHeld,
                     "copied", (json_int_t)details->BytesCopied, "unchanged",
                     (json_int_t)details->BytesUnchanged, "zero", (json_int_t)details->BytesZero,
                     "missing", (json_int_t)details->BytesMissing);
}

static json_t *describe_clone(const struct clone_result *result)
{
    json_t *object = json_pack(
        "{s:s, s:s, s:f, s:i, s:o, s:o, s:o, s:f, s:f, s:o, s:b, s:o}", "name",
        result->subject.name, "route", clone_route_name(result), "megabytes", result->megabytes,
        "repeat", (int)result->repeat, "ours", describe_timing(clone_ours_text, &result->clone),
        "theirs", describe_timing(clone_theirs_text, &result->read), "freeze",
        describe_timing("the copy, while the target stands still", &result->freeze), "speed_ratio",
        result->speed_ratio, "freeze_ratio", result->freeze_ratio, "aim",
        json_pack("{s:f, s:f, s:f}", "speed_ratio", clone_speed_aim(result), "freeze_ratio",
                  CLONE_FREEZE, "dump_ratio", CLONE_DUMP),
        "met", is_clone_aim_met(result), "bytes", describe_bytes(&result->details));

    if (object == NULL || result->dump == 0)
        return object;
    json_object_set_new(object, "dump",
                        json_pack("{s:s, s:f}", "what", clone_dump_text, "us", result->dump));
    json_object_set_new(object, "dump_ratio", json_real(result->dump_ratio));
    return object;
}

static json_t *describe_ship_aim(const struct ship_case *subject)
{
    if (subject->call_limit != 0)
        return json_pack("{s:i}", "calls", (int)subject->call_limit);
    return json_pack("{s:f}", "speed_ratio", subject->speed_aim);
}

static json_t *describe_ship(const struct ship_result *result)
{
    return json_pack("{s:s, s:I, s:o, s:o, s:f, s:i, s:o, s:b}", "name", result->subject->name,
                     "snapshot_bytes", (json_int_t)result->bytes, "ours",
                     describe_timing(ship_ours_text, &result->ours), "theirs",
                     describe_timing(ship_theirs_text, &result->theirs), "speed_ratio",
                     result->speed_ratio, "calls", (int)result->calls, "aim",
                     describe_ship_aim(result->subject), "met", is_ship_aim_met(result));
}

static json_t *describe_all(const struct report *report)
{
    SYSTEM_INFO system;
    json_t *cases = json_array(), *clones = json_array(), *ships = json_array();

    GetSystemInfo(&system);
    for (unsigned i = 0; i < report->count; i++)
        json_array_append_new(cases, describe_result(&report->results[i]));
    for (unsigned i = 0; i < report->clone_count; i++)
        json_array_append_new(clones, describe_clone(&report->clones[i]));
    for (unsigned i = 0; i < report->ship_count; i++)
        json_array_append_new(ships, describe_ship(&report->ships[i]));
    return json_pack("{s:s, s:i, s:o, s:i, s:i, s:o, s:o, s:o}", "version", PSS_VERSION_STRING,
                     "bits", (int)sizeof(void *) * 8, "system", describe_system(), "processors",
                     (int)system.dwNumberOfProcessors, "repeat", (int)report->repeat, "cases",
                     cases, "clones", clones, "ships", ships);
}

int write_json(const char *path, const struct report *report)
{
    int is_standard = strcmp(path, "-") == 0;
    FILE *out = is_standard ? stdout : fopen(path, "wb");
    json_t *document = describe_all(report);
    int is_written = out != NULL && document != NULL &&
                     json_dumpf(document, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0 &&
                     fputc('\n', out) != EOF && fflush(out) == 0;

    json_decref(document);
    if (out != NULL && !is_standard && fclose(out) != 0)
        is_written = 0;
    if (!is_written)
        fprintf(stderr, "pss-bench: cannot write %s\n", is_standard ? "standard output" : path);
    return is_written;
}
