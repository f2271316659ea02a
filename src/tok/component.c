// SPDX-License-Identifier: MIT
#include "tok/component.h"

#include "base/mem.h"

#include <string.h>

static sc_code read_sequence(sc_tv v, const sc_component *table, const char *items, void *owner,
                             sc_err *err)
{
    const sc_tv list = sc_tv_get(v, items);
    if (!sc_tv_is(list, SC_TAPE_ARRAY))
        return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(v)->at, "\"%s\" is not a list", items);
    for (sc_tv_iter it = sc_tv_each(list); it.left; sc_tv_next(&it))
        SC_TRY(sc_component_read(it.v, table, items, owner, err));
    return SC_OK;
}

sc_code sc_component_read(sc_tv v, const sc_component *table, const char *items, void *owner,
                          sc_err *err)
{
    const sc_str type = sc_tv_str(sc_tv_get(v, "type"));
    if (sc_str_is(type, "Sequence")) {
        SC_TRY_IN(read_sequence(v, table, items, owner, err), err, "Sequence");
        return SC_OK;
    }
    for (const sc_component *c = table; c->type; c++) {
        if (sc_str_is(type, c->type)) {
            SC_TRY_IN(c->read(v, owner, err), err, "%s", c->type);
            return SC_OK;
        }
    }
    return sc_fail_at(err, SC_E_UNSUPPORTED, sc_tv_node(v)->at, "unknown type \"%.*s\"",
                      SC_STRF(type));
}

sc_code sc_component_parse(const char *json, sc_code (*read)(sc_tv root, void *out, sc_err *err),
                           void *out, sc_err *err)
{
    SC_AUTO(sc_tape) tape = {0};
    char *copy = sc_strdup(json);
    if (!copy)
        return sc_fail_nomem(err);
    sc_code code = sc_tape_parse(copy, strlen(copy), &tape, err);
    if (code == SC_OK)
        code = read(sc_tape_root(&tape), out, err);
    sc_free(copy);
    return code;
}
