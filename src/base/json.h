/**
 * json.h - JSON through Jansson, strict: duplicate keys refused, NUL allowed, positions in errors.
 *
 * sc_json_t is Jansson's json_t. Lookups that a parser of outside data needs stand here, with an
 * error that names the key.
 *
 * Threads: one thread at a time per document.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BASE_JSON_H
#define SC_BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/** Makes Jansson allocate through sc_alloc. Call once, before the first other call. */
void sc_json_setup(void);

/**
 * Parses one JSON value that fills `text` (white space around it is fine).
 *
 * Owns:   the caller drops *out with json_decref.
 * Errors: SC_E_FORMAT (line, where there are several, column, and err->at is the byte), SC_E_NOMEM
 */
sc_code sc_json_parse(sc_str text, json_t **out, sc_err *err) SC_CHECKED;

/** Reads and parses the file `path` of at most `max` bytes. Errors: as sc_file_read and above. */
sc_code sc_json_read(const char *path, size_t max, json_t **out, sc_err *err) SC_CHECKED;

/**
 * The member `key` of the object `o`: *out stays as it is when the member is absent or null.
 *
 * Errors: SC_E_FORMAT when it has another type or, for integers, is outside [low, high].
 */
sc_code sc_json_get_int(const json_t *o, const char *key, int64_t low, int64_t high, int64_t *out,
                        sc_err *err) SC_CHECKED;
sc_code sc_json_get_num(const json_t *o, const char *key, double *out, sc_err *err) SC_CHECKED;
sc_code sc_json_get_bool(const json_t *o, const char *key, bool *out, sc_err *err) SC_CHECKED;
/** As above; *out is borrowed from the document. */
sc_code sc_json_get_str(const json_t *o, const char *key, sc_str *out, sc_err *err) SC_CHECKED;

/** The text of a JSON string value (empty for another type); borrowed from the document. */
sc_str sc_json_str(const json_t *v);

/** A JSON string of any bytes: ill-formed UTF-8 becomes U+FFFD. NULL when memory is out. */
json_t *sc_json_text(sc_str s);

/**
 * Appends `v` as text: compact with indent 0, else that many spaces a level; NaN and infinities
 * never occur in a json_t. Keys keep their order. `bad` is set in the buffer on failure.
 */
void sc_json_format(const json_t *v, unsigned indent, sc_buf *out);

static inline void sc_json_auto(json_t **v)
{
    json_decref(*v);
}
/** `SC_AUTO_JSON *v = NULL;` drops the document at the end of its scope. */
#define SC_AUTO_JSON __attribute__((cleanup(sc_json_auto))) json_t

#endif
