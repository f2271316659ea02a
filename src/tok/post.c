// SPDX-License-Identifier: MIT
#include "tok/post.h"

#include "base/mem.h"
#include "tok/vocab.h"

enum { MAX_ITEMS = 4096 };

static sc_code add(sc_post_list *list, sc_post_what what, int32_t id, sc_err *err)
{
    if (list->n == MAX_ITEMS)
        return sc_fail(err, SC_E_LIMIT, "a template of more than %d items", MAX_ITEMS);
    if (list->n == list->cap && !sc_grow(&list->p, &list->cap, list->n, MAX_ITEMS, sizeof *list->p))
        return sc_fail_nomem(err);
    list->p[list->n++] = (sc_post_item){what, id};
    return SC_OK;
}

sc_code sc_post_init(sc_post *p, int32_t bos, int32_t eos, sc_err *err)
{
    *p = (sc_post){0};
    for (unsigned pair = 0; pair < 2; pair++) {
        sc_post_list *list = pair ? &p->pair : &p->single;
        for (unsigned part = 0; part <= pair; part++) {
            if (bos >= 0)
                SC_TRY(add(list, SC_POST_ID, bos, err));
            SC_TRY(add(list, part ? SC_POST_B : SC_POST_A, 0, err));
            if (eos >= 0)
                SC_TRY(add(list, SC_POST_ID, eos, err));
        }
    }
    return SC_OK;
}

void sc_post_drop(sc_post *p)
{
    sc_free(p->single.p);
    sc_free(p->pair.p);
    *p = (sc_post){0};
}

/* The ids of the special token called `name`. */
static sc_code add_special(sc_tv table, sc_str name, sc_post_list *list, sc_err *err)
{
    for (sc_tv_iter it = sc_tv_each(table); it.left; sc_tv_next(&it)) {
        if (!sc_str_eq(sc_tv_str(it.v), name))
            continue;
        const sc_tv ids = sc_tv_get(sc_tv_value(&it), "ids");
        for (sc_tv_iter id = sc_tv_each(ids); id.left; sc_tv_next(&id)) {
            int64_t n = 0;
            if (!sc_tv_int(id.v, 0, SC_VOCAB_MAX_ID, &n))
                return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(id.v)->at, "an id that is none");
            SC_TRY(add(list, SC_POST_ID, (int32_t)n, err));
        }
        return SC_OK;
    }
    return sc_fail(err, SC_E_FORMAT, "\"special_tokens\" lacks \"%.*s\"", SC_STRF(name));
}

static sc_code read_template(sc_tv v, const char *key, sc_post_list *list, sc_err *err)
{
    const sc_tv items = sc_tv_get(v, key);
    if (!sc_tv_is(items, SC_TAPE_ARRAY))
        return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(v)->at, "\"%s\" is not a list", key);
    for (sc_tv_iter it = sc_tv_each(items); it.left; sc_tv_next(&it)) {
        const sc_tv sequence = sc_tv_get(it.v, "Sequence");
        const sc_tv special = sc_tv_get(it.v, "SpecialToken");
        const sc_str name = sc_tv_str(sc_tv_get(sc_tv_has(sequence) ? sequence : special, "id"));
        if (sc_tv_has(sequence) && (sc_str_is(name, "A") || sc_str_is(name, "B")))
            SC_TRY(add(list, sc_str_is(name, "A") ? SC_POST_A : SC_POST_B, 0, err));
        else if (sc_tv_has(special))
            SC_TRY(add_special(sc_tv_get(v, "special_tokens"), name, list, err));
        else
            return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(it.v)->at,
                              "neither a Sequence A or B nor a SpecialToken");
    }
    return SC_OK;
}

static sc_code read_templates(sc_tv v, sc_post *out, sc_err *err)
{
    SC_TRY(read_template(v, "single", &out->single, err));
    return read_template(v, "pair", &out->pair, err);
}

/* ["token", id] */
static sc_code read_named_id(sc_tv v, const char *key, int32_t *out, sc_err *err)
{
    const sc_tv list = sc_tv_get(v, key);
    int64_t id = -1;
    if (sc_tv_is(list, SC_TAPE_ARRAY) && sc_tv_node(list)->n == 2) {
        sc_tv_iter it = sc_tv_each(list);
        sc_tv_next(&it);
        if (sc_tv_int(it.v, 0, SC_VOCAB_MAX_ID, &id)) {
            *out = (int32_t)id;
            return SC_OK;
        }
    }
    return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(v)->at, "\"%s\" is not a token and its id", key);
}

/* [CLS] A [SEP] and [CLS] A [SEP] B [SEP]; Roberta has one more [SEP] between. */
static sc_code read_cls(sc_tv v, sc_post *out, bool twice, sc_err *err)
{
    int32_t cls = 0;
    int32_t sep = 0;
    SC_TRY(read_named_id(v, "cls", &cls, err));
    SC_TRY(read_named_id(v, "sep", &sep, err));
    for (unsigned pair = 0; pair < 2; pair++) {
        sc_post_list *list = pair ? &out->pair : &out->single;
        SC_TRY(add(list, SC_POST_ID, cls, err));
        SC_TRY(add(list, SC_POST_A, 0, err));
        SC_TRY(add(list, SC_POST_ID, sep, err));
        if (!pair)
            continue;
        if (twice)
            SC_TRY(add(list, SC_POST_ID, sep, err));
        SC_TRY(add(list, SC_POST_B, 0, err));
        SC_TRY(add(list, SC_POST_ID, sep, err));
    }
    return SC_OK;
}

static sc_code read_bert(sc_tv v, sc_post *out, sc_err *err)
{
    return read_cls(v, out, false, err);
}

static sc_code read_roberta(sc_tv v, sc_post *out, sc_err *err)
{
    return read_cls(v, out, true, err);
}

/* ByteLevel changes offsets alone. */
static sc_code read_nothing(sc_tv v, sc_post *out, sc_err *err)
{
    (void)v;
    (void)out;
    (void)err;
    return SC_OK;
}

static sc_code read_sequence(sc_tv v, sc_post *out, sc_err *err);

static const struct {
    const char *type;
    sc_code (*read)(sc_tv v, sc_post *out, sc_err *err);
} kinds[] = {
    {"TemplateProcessing", read_templates},
    {"ByteLevel", read_nothing},
    {"BertProcessing", read_bert},
    {"RobertaProcessing", read_roberta},
    {"Sequence", read_sequence},
};

static sc_code read_any(sc_tv v, sc_post *out, sc_err *err)
{
    const sc_str type = sc_tv_str(sc_tv_get(v, "type"));
    for (size_t i = 0; i < SC_LEN(kinds); i++) {
        if (sc_str_is(type, kinds[i].type)) {
            SC_TRY_IN(kinds[i].read(v, out, err), err, "%s", kinds[i].type);
            return SC_OK;
        }
    }
    return sc_fail_at(err, SC_E_UNSUPPORTED, sc_tv_node(v)->at, "unknown type \"%.*s\"",
                      SC_STRF(type));
}

/* Puts the items of `inner` where the texts stand in `outer`, which then replaces `list`. */
static sc_code nest(sc_post_list *list, sc_post *next, bool pair, sc_err *err)
{
    // A later processor sees the first text with what the earlier ones put around it: items of the
    // earlier list before, behind and between the texts stay where they are, seen from the texts.
    sc_post_list *outer = pair ? &next->pair : &next->single;
    if (outer->n == 0)
        return SC_OK;
    if (list->n == 0) {
        const sc_post_list old = *list;
        *list = *outer;
        *outer = old;
        return SC_OK;
    }
    if (pair)
        return sc_fail(err, SC_E_UNSUPPORTED,
                       "two processors that add tokens, one behind the other");
    sc_post_list all = {0};
    sc_code code = SC_OK;
    for (size_t i = 0; i < outer->n && code == SC_OK; i++) {
        if (outer->p[i].what == SC_POST_ID)
            code = add(&all, SC_POST_ID, outer->p[i].id, err);
        for (size_t k = 0; outer->p[i].what == SC_POST_A && k < list->n && code == SC_OK; k++)
            code = add(&all, list->p[k].what, list->p[k].id, err);
    }
    if (code != SC_OK) {
        sc_free(all.p);
        return code;
    }
    sc_free(list->p);
    *list = all;
    return SC_OK;
}

static sc_code read_sequence(sc_tv v, sc_post *out, sc_err *err)
{
    const sc_tv list = sc_tv_get(v, "processors");
    if (!sc_tv_is(list, SC_TAPE_ARRAY))
        return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(v)->at, "\"processors\" is not a list");
    for (sc_tv_iter it = sc_tv_each(list); it.left; sc_tv_next(&it)) {
        sc_post one = {0};
        sc_code code = read_any(it.v, &one, err);
        if (code == SC_OK)
            code = nest(&out->single, &one, false, err);
        if (code == SC_OK)
            code = nest(&out->pair, &one, true, err);
        sc_post_drop(&one);
        SC_TRY(code);
    }
    return SC_OK;
}

sc_code sc_post_read(sc_tv v, sc_post *out, sc_err *err)
{
    *out = (sc_post){0};
    if (sc_tv_has(v))
        SC_TRY_IN(read_any(v, out, err), err, "post_processor");
    if (out->single.n == 0)
        SC_TRY(add(&out->single, SC_POST_A, 0, err));
    if (out->pair.n == 0) {
        SC_TRY(add(&out->pair, SC_POST_A, 0, err));
        SC_TRY(add(&out->pair, SC_POST_B, 0, err));
    }
    return SC_OK;
}

sc_code sc_post_run(const sc_post_list *list, const sc_ids *a, const sc_ids *b, sc_ids *out,
                    sc_err *err)
{
    for (size_t i = 0; i < list->n; i++) {
        const sc_post_item *item = &list->p[i];
        const sc_ids *ids = item->what == SC_POST_A ? a : b;
        if (item->what == SC_POST_ID) {
            if (!sc_ids_add(out, item->id))
                return sc_fail_nomem(err);
            continue;
        }
        if (!sc_ids_reserve(out, ids->n))
            return sc_fail_nomem(err);
        if (ids->n)
            memcpy(out->p + out->n, ids->p, ids->n * sizeof *ids->p);
        out->n += ids->n;
    }
    return SC_OK;
}
