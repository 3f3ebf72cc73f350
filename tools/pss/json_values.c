/* SPDX-License-Identifier: MIT */
/* JSON values for the types of the API. */
#include "json_values.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "report.h"
#include "text.h"

static json_t *require(json_t *value)
{
    if (value == NULL)
        report_out_of_memory();
    return value;
}

json_t *json_new_object(void)
{
    return require(json_object());
}

json_t *json_new_array(void)
{
    return require(json_array());
}

void json_put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, require(value)) != 0)
        report_out_of_memory();
}

void json_add(json_t *array, json_t *value)
{
    if (json_array_append_new(array, require(value)) != 0)
        report_out_of_memory();
}

void json_put_number(json_t *object, const char *key, int64_t value)
{
    json_put(object, key, json_integer((json_int_t)value));
}

void json_put_text(json_t *object, const char *key, const char *text)
{
    json_put(object, key, json_string(text));
}

void json_put_bits(json_t *object, const char *key, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "0x%" PRIx64, value);
    json_put_text(object, key, text);
}

void json_put_address(json_t *object, const char *key, const void *a)
{
    json_put_text(object, key, text_address(a).s);
}

void json_put_time(json_t *object, const char *key, FILETIME time)
{
    if (text_ticks(time) == 0)
        json_put(object, key, json_null());
    else
        json_put_text(object, key, text_iso_time(time).s);
}

void json_put_ticks(json_t *object, const char *key, FILETIME ticks)
{
    json_put_number(object, key, (int64_t)text_ticks(ticks));
}

void json_put_wide(json_t *object, const char *key, const WCHAR *string, size_t count)
{
    size_t length;
    char *utf8;

    if (string == NULL) {
        json_put(object, key, json_null());
        return;
    }
    utf8 = text_from_wide(string, count, &length);
    json_put(object, key, json_stringn(utf8, length));
    free(utf8);
}
