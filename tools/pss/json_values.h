/* SPDX-License-Identifier: MIT */
/* JSON values for the types of the API. */
#ifndef PSS_TOOL_JSON_VALUES_H
#define PSS_TOOL_JSON_VALUES_H

#include <stdint.h>

#include <jansson.h>
#include <windows.h>

/** Makes an empty object or array; the program ends when there is no memory. */
json_t *json_new_object(void);
json_t *json_new_array(void);

/** Adds a value, whose reference it takes; the program ends when there is no memory. */
void json_put(json_t *object, const char *key, json_t *value);
void json_add(json_t *array, json_t *value);

/* Each adds a member; the key is the field's name in the API's structure. */

void json_put_number(json_t *object, const char *key, int64_t value);  /* counts, sizes, ids */
void json_put_bits(json_t *object, const char *key, uint64_t value);   /* "0x..." */
void json_put_address(json_t *object, const char *key, const void *a); /* "0x..." */
void json_put_text(json_t *object, const char *key, const char *text); /* UTF-8 */
void json_put_time(json_t *object, const char *key, FILETIME time);    /* ISO 8601, null for 0 */
void json_put_ticks(json_t *object, const char *key, FILETIME ticks);  /* units of 100 ns */

/** Adds a UTF-16 string with its length in units; null when it is NULL. */
void json_put_wide(json_t *object, const char *key, const WCHAR *string, size_t count);

/** The members by name, so that each is written once: number(o, p, ProcessId). */
#define JSON_NUMBER(object, from, field)  json_put_number(object, #field, (int64_t)(from)->field)
#define JSON_BITS(object, from, field)    json_put_bits(object, #field, (uint64_t)(from)->field)
#define JSON_ADDRESS(object, from, field) json_put_address(object, #field, (from)->field)
#define JSON_TIME(object, from, field)    json_put_time(object, #field, (from)->field)
#define JSON_TICKS(object, from, field)   json_put_ticks(object, #field, (from)->field)

#endif
