// SPDX-License-Identifier: MIT
#include "fmt/torch_json.h"

#include "base/utf8.h"

#include <math.h>

enum { MAX_DEPTH = 32, MAX_PARTS = 100000, STATE = 2 };

typedef struct walk {
    const sc_pickle *p; // borrowed
    size_t parts;
} walk;

static sc_code to_json(walk *w, sc_pkl v, unsigned depth, json_t **out, sc_err *err);

static sc_code list_json(walk *w, sc_pkl v, unsigned depth, json_t **out, sc_err *err)
{
    SC_AUTO_JSON *list = json_array();
    if (!list)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < sc_pickle_n_items(w->p, v); i++) {
        json_t *item = NULL;
        SC_TRY(to_json(w, sc_pickle_item(w->p, v, i), depth + 1, &item, err));
        if (json_array_append_new(list, item ? item : json_null()) != 0)
            return sc_fail_nomem(err);
    }
    *out = json_incref(list);
    return SC_OK;
}

static sc_code dict_json(walk *w, sc_pkl v, unsigned depth, json_t **out, sc_err *err)
{
    SC_AUTO_JSON *object = json_object();
    if (!object)
        return sc_fail_nomem(err);
    for (size_t i = 0; i + 1 < sc_pickle_n_items(w->p, v); i += 2) {
        const sc_pkl k = sc_pickle_item(w->p, v, i);
        if (sc_pickle_kind(w->p, k) != SC_PKL_STR)
            continue;
        const sc_str key = sc_pickle_str(w->p, k);
        if (!sc_utf8_valid(key, NULL) || (key.n && memchr(key.p, '\0', key.n)))
            continue; // no JSON key
        json_t *item = NULL;
        SC_TRY(to_json(w, sc_pickle_item(w->p, v, i + 1), depth + 1, &item, err));
        if (item && json_object_setn_new(object, key.p, key.n, item) != 0)
            return sc_fail_nomem(err);
    }
    *out = json_incref(object);
    return SC_OK;
}

static sc_code global_json(const walk *w, sc_pkl v, json_t **out, sc_err *err)
{
    SC_AUTO(sc_buf) name = sc_buf_init(4096);
    sc_buf_add_str(&name, sc_pickle_str(w->p, sc_pickle_item(w->p, v, 0)));
    sc_buf_add_char(&name, '.');
    sc_buf_add_str(&name, sc_pickle_str(w->p, sc_pickle_item(w->p, v, 1)));
    if (!sc_buf_ok(&name))
        return SC_OK; // longer than any name: no plain form
    *out = sc_json_text(sc_buf_str(&name));
    return *out ? SC_OK : sc_fail_nomem(err);
}

static sc_code to_json(walk *w, sc_pkl v, unsigned depth, json_t **out, sc_err *err)
{
    if (depth > MAX_DEPTH || ++w->parts > MAX_PARTS)
        return sc_fail(err, SC_E_LIMIT, "a value is nested too deep or has too many parts");
    json_t *made = NULL;
    switch (sc_pickle_kind(w->p, v)) {
    case SC_PKL_NONE:
        made = json_null();
        break;
    case SC_PKL_BOOL:
        made = json_boolean(sc_pickle_int(w->p, v) != 0);
        break;
    case SC_PKL_INT:
        made = json_integer(sc_pickle_int(w->p, v));
        break;
    case SC_PKL_FLOAT:
        made =
            isfinite(sc_pickle_float(w->p, v)) ? json_real(sc_pickle_float(w->p, v)) : json_null();
        break;
    case SC_PKL_STR:
        made = sc_json_text(sc_pickle_str(w->p, v));
        break;
    case SC_PKL_TUPLE:
    case SC_PKL_LIST:
    case SC_PKL_SET:
        return list_json(w, v, depth, out, err);
    case SC_PKL_DICT:
        return dict_json(w, v, depth, out, err);
    case SC_PKL_GLOBAL:
        return global_json(w, v, out, err);
    case SC_PKL_CALL:
        if (sc_pickle_kind(w->p, sc_pickle_item(w->p, v, STATE)) == SC_PKL_DICT)
            return to_json(w, sc_pickle_item(w->p, v, STATE), depth + 1, out, err);
        return SC_OK;
    case SC_PKL_BIGINT:
    case SC_PKL_BYTES:
    case SC_PKL_PERSID:
        return SC_OK;
    }
    if (!made)
        return sc_fail_nomem(err);
    *out = made;
    return SC_OK;
}

sc_code sc_torch_json(const sc_pickle *p, sc_pkl v, json_t **out, sc_err *err)
{
    walk w = {.p = p};
    json_t *made = NULL;
    SC_TRY(to_json(&w, v, 0, &made, err));
    *out = made;
    return SC_OK;
}
