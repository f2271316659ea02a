/**
 * schema.h - checks a JSON value against the part of JSON Schema that schemas/ uses: type, enum,
 * const, properties, required, additionalProperties, items, minItems, maxItems, minimum, maximum,
 * minLength, pattern, oneOf. Another keyword is a failure: a rule that is not looked at is no rule.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TEST_SCHEMA_H
#define SC_TEST_SCHEMA_H

#include "base/json.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

typedef struct schema_why {
    char text[512]; // "$.models[0].label: ..."; empty while all is well
} schema_why;

static inline bool schema_bad(schema_why *why, const char *at, const char *what)
{
    if (!why->text[0])
        (void)snprintf(why->text, sizeof why->text, "%s: %s", at, what);
    return false;
}

static inline bool schema_is(const json_t *v, const char *type)
{
    return (strcmp(type, "object") == 0 && json_is_object(v)) ||
           (strcmp(type, "array") == 0 && json_is_array(v)) ||
           (strcmp(type, "string") == 0 && json_is_string(v)) ||
           (strcmp(type, "integer") == 0 && json_is_integer(v)) ||
           (strcmp(type, "number") == 0 && json_is_number(v)) ||
           (strcmp(type, "boolean") == 0 && json_is_boolean(v)) ||
           (strcmp(type, "null") == 0 && json_is_null(v));
}

static inline bool schema_type(const json_t *v, const json_t *types)
{
    if (json_is_string(types))
        return schema_is(v, json_string_value(types));
    for (size_t i = 0; i < json_array_size(types); i++)
        if (schema_is(v, json_string_value(json_array_get(types, i))))
            return true;
    return false;
}

static inline bool schema_fits(const char *text, const char *pattern)
{
    regex_t re;
    if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    const bool fits = regexec(&re, text, 0, NULL, 0) == 0;
    regfree(&re);
    return fits;
}

static inline bool schema_check(const json_t *v, const json_t *schema, const char *at,
                                schema_why *why);

static inline bool schema_object(const json_t *v, const json_t *schema, const char *at,
                                 schema_why *why)
{
    const json_t *props = json_object_get(schema, "properties");
    const json_t *need = json_object_get(schema, "required");
    for (size_t i = 0; i < json_array_size(need); i++) {
        const char *key = json_string_value(json_array_get(need, i));
        if (!json_object_get(v, key))
            return schema_bad(why, at, key);
    }
    const char *key = NULL;
    json_t *member = NULL;
    json_object_foreach((json_t *)(uintptr_t)v, key, member)
    {
        char below[256];
        (void)snprintf(below, sizeof below, "%.180s.%.60s", at, key);
        const json_t *rule = json_object_get(props, key);
        if (!rule && json_is_false(json_object_get(schema, "additionalProperties")))
            return schema_bad(why, below, "not allowed");
        if (rule && !schema_check(member, rule, below, why))
            return false;
    }
    return true;
}

static inline bool schema_array(const json_t *v, const json_t *schema, const char *at,
                                schema_why *why)
{
    const size_t n = json_array_size(v);
    const json_t *low = json_object_get(schema, "minItems");
    const json_t *high = json_object_get(schema, "maxItems");
    const json_t *rule = json_object_get(schema, "items");
    if ((low && n < (size_t)json_integer_value(low)) ||
        (high && n > (size_t)json_integer_value(high)))
        return schema_bad(why, at, "number of items");
    for (size_t i = 0; rule && i < n; i++) {
        char below[256];
        (void)snprintf(below, sizeof below, "%.200s[%zu]", at, i);
        if (!schema_check(json_array_get(v, i), rule, below, why))
            return false;
    }
    return true;
}

static inline bool schema_one_of(const json_t *v, const json_t *list, const char *at)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        schema_why ignored = {{0}};
        n += schema_check(v, json_array_get(list, i), at, &ignored);
    }
    return n == 1;
}

static inline bool schema_keyword(const json_t *v, const char *key, const json_t *rule,
                                  const char *at, schema_why *why)
{
    static const char *const elsewhere[] = {"$schema",    "$id",      "title",
                                            "properties", "required", "additionalProperties",
                                            "items",      "minItems", "maxItems"};
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
        if (strcmp(key, elsewhere[i]) == 0)
            return true;
    bool ok = true;
    if (strcmp(key, "type") == 0)
        ok = schema_type(v, rule);
    else if (strcmp(key, "const") == 0)
        ok = json_equal(v, rule);
    else if (strcmp(key, "minimum") == 0)
        ok = !json_is_number(v) || json_number_value(v) >= json_number_value(rule);
    else if (strcmp(key, "maximum") == 0)
        ok = !json_is_number(v) || json_number_value(v) <= json_number_value(rule);
    else if (strcmp(key, "minLength") == 0)
        ok = !json_is_string(v) || json_string_length(v) >= (size_t)json_integer_value(rule);
    else if (strcmp(key, "pattern") == 0)
        ok = !json_is_string(v) || schema_fits(json_string_value(v), json_string_value(rule));
    else if (strcmp(key, "oneOf") == 0)
        ok = schema_one_of(v, rule, at);
    else if (strcmp(key, "enum") == 0) {
        ok = false;
        for (size_t i = 0; i < json_array_size(rule); i++)
            ok = ok || json_equal(v, json_array_get(rule, i));
    } else
        return schema_bad(why, key, "a keyword that this checker does not know");
    return ok || schema_bad(why, at, key);
}

static inline bool schema_check(const json_t *v, const json_t *schema, const char *at,
                                schema_why *why)
{
    const char *key = NULL;
    json_t *rule = NULL;
    json_object_foreach((json_t *)(uintptr_t)schema, key,
                        rule) if (!schema_keyword(v, key, rule, at, why)) return false;
    if (json_is_object(v) && !schema_object(v, schema, at, why))
        return false;
    return !json_is_array(v) || schema_array(v, schema, at, why);
}

#endif
